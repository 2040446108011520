/* Runs commands in turn and prints what each run took.
 *
 *     timer ROUNDS IDLE_MS --command WORD... --command WORD... ...
 *
 * A line a run: the command's index, nanoseconds from before its start to after its end, microseconds of CPU that it and
 * all its descendants used. Those that a command leaves to be reaped by others (bwrap its pid 1) are left to us, and are
 * in the sum; what the kernel does for it in threads of its own is not. Every round runs each command once, every other
 * round in reverse, so that a disturbance meets all of them and none has a fixed neighbour. IDLE_MS pass before each run:
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

enum { COMMANDS = 16 };

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static long long cpu(const struct rusage *used)
{
    return (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000LL + used->ru_utime.tv_usec + used->ru_stime.tv_usec;
}

/* What the commands print is not ours, and goes nowhere. */
static posix_spawn_file_actions_t unheard;

static int run(int index, char **command)
{
    pid_t pid;
    int status;
    struct rusage used;
    long long start = nanoseconds();
    int error = posix_spawn(&pid, command[0], &unheard, NULL, command, environ);
    if (error != 0) {
        fprintf(stderr, "start `%s`: %s\n", command[0], strerror(error));
        return 0;
    }
    if (wait4(pid, &status, 0, &used) != pid)
        return 0;
    long long wall = nanoseconds() - start;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "`%s` failed: wait status %d\n", command[0], status);
        return 0;
    }
    long long sum = cpu(&used);
    while (wait4(-1, NULL, 0, &used) > 0)
        sum += cpu(&used);
    printf("%d %lld %lld\n", index, wall, sum);
    return 1;
}

int main(int argc, char **argv)
{
    char **commands[COMMANDS];
    int count = 0;
    for (int i = 3; i < argc && count < COMMANDS; i++)
        if (strcmp(argv[i], "--command") == 0) {
            argv[i] = NULL;
            commands[count++] = argv + i + 1;
        }
    if (posix_spawn_file_actions_init(&unheard) != 0
        || posix_spawn_file_actions_addopen(&unheard, 1, "/dev/null", O_WRONLY, 0) != 0)
        return 2;
    if (count == 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return 2;
    long idle_ms = atol(argv[2]);
    struct timespec idle = { idle_ms / 1000, idle_ms % 1000 * 1000000 };
    for (int round = 0; round < atoi(argv[1]); round++)
        for (int i = 0; i < count; i++) {
            int index = round % 2 == 0 ? i : count - 1 - i;
            nanosleep(&idle, NULL);
            if (!run(index, commands[index]))
                return 1;
        }
    return 0;
}
