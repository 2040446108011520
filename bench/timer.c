/* Runs rows of commands in turn and prints what each took.
 *
 *     timer ROUNDS IDLE_MS --row STEP... --row STEP... ...
 *
 * A step is one of
 *
 *     --command WORD...   a command that is measured
 *     --unseen WORD...    one that prepares or clears up, and is not
 *     --gather            wait for all that commands have left running; its CPU time counts
 *     --settle            the same; it does not count
 *
 * A line a run of a row: its index; nanoseconds from before the start to after the end of its commands; microseconds of CPU
 * that they and all their descendants used; the peak RSS of the largest of these, in kB. Processes that a command leaves to be
 * reaped by others (bwrap its pid 1, a runtime its container) are left to us, and are in the sum: at the end of a row they are
 * gathered. What the kernel does in threads of its own is not in it. Every round runs each row once, every other round in
 * reverse, so that a disturbance meets all of them and none has a fixed neighbour. IDLE_MS pass before each measured command:
 * the namespaces of the one before are torn down meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = 32, STEPS = 16 };

enum kind { COMMAND, UNSEEN, GATHER, SETTLE };

struct step {
    enum kind kind;
    char **words;
};

struct row {
    int count;
    struct step steps[STEPS];
};

/* What a row has taken so far. */
struct sum {
    long long wall_ns, cpu_us;
    long peak_kb;
};

static struct row rows[ROWS];
static int row_count;
static struct timespec idle;

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void add(struct sum *sum, const struct rusage *used)
{
    sum->cpu_us += (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000LL + used->ru_utime.tv_usec
                   + used->ru_stime.tv_usec;
    if (sum->peak_kb < used->ru_maxrss)
        sum->peak_kb = used->ru_maxrss;
}

/* What the commands print is not ours, and goes nowhere. */
static posix_spawn_file_actions_t unheard;

static int run(char **words, struct sum *sum)
{
    pid_t pid;
    int status;
    struct rusage used;
    long long start = nanoseconds();
    int error = posix_spawn(&pid, words[0], &unheard, NULL, words, environ);
    if (error != 0) {
        fprintf(stderr, "start `%s`: %s\n", words[0], strerror(error));
        return 0;
    }
    if (wait4(pid, &status, 0, &used) != pid)
        return 0;
    sum->wall_ns += nanoseconds() - start;
    add(sum, &used);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 1;
    fprintf(stderr, "`%s` failed: wait status %d\n", words[0], status);
    return 0;
}

static void gather(struct sum *sum)
{
    struct rusage used;
    while (wait4(-1, NULL, 0, &used) > 0)
        add(sum, &used);
}

static int step(const struct step *step, struct sum *sum)
{
    struct sum unseen = { 0, 0, 0 };
    switch (step->kind) {
    case COMMAND:
        nanosleep(&idle, NULL);
        return run(step->words, sum);
    case UNSEEN:
        return run(step->words, &unseen);
    case GATHER:
        gather(sum);
        return 1;
    case SETTLE:
        gather(&unseen);
        return 1;
    }
    return 0;
}

static int measure(int index)
{
    struct sum sum = { 0, 0, 0 };
    for (int i = 0; i < rows[index].count; i++)
        if (!step(&rows[index].steps[i], &sum))
            return 0;
    gather(&sum);
    printf("%d %lld %lld %ld\n", index, sum.wall_ns, sum.cpu_us, sum.peak_kb);
    return 1;
}

static int read_rows(int argc, char **argv)
{
    static const char *const names[] = { "--command", "--unseen", "--gather", "--settle" };
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--row") == 0) {
            argv[i] = NULL;
            if (row_count++ == ROWS)
                return 0;
            continue;
        }
        for (int kind = 0; kind < 4; kind++)
            if (strcmp(argv[i], names[kind]) == 0) {
                struct row *row = &rows[row_count - 1];
                if (row_count == 0 || row->count == STEPS)
                    return 0;
                argv[i] = NULL;
                row->steps[row->count++] = (struct step) { kind, argv + i + 1 };
                break;
            }
    }
    return row_count > 0;
}

int main(int argc, char **argv)
{
    if (posix_spawn_file_actions_init(&unheard) != 0
        || posix_spawn_file_actions_addopen(&unheard, 1, "/dev/null", O_WRONLY, 0) != 0)
        return 2;
    if (argc < 4 || !read_rows(argc, argv) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return 2;
    long idle_ms = atol(argv[2]);
    idle = (struct timespec) { idle_ms / 1000, idle_ms % 1000 * 1000000 };
    for (int round = 0; round < atoi(argv[1]); round++)
        for (int i = 0; i < row_count; i++)
            if (!measure(round % 2 == 0 ? i : row_count - 1 - i))
                return 1;
    return 0;
}
