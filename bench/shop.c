/* What the comparison of the faces works on.
 *
 *     shop target           a process in new namespaces of all eight kinds
 *     shop crowd N NETS     N processes in NETS network namespaces
 *
 * Prints a pid when all is there (the target's, or that of the first of the crowd), and ends with everything in it when
 * its standard input does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void stay(void)
{
    for (;;)
        pause();
}

static void map(pid_t pid, const char *file)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0 0 4294967295\n", 15) != 15)
        fail(path);
    close(fd);
}

static pid_t target(void)
{
    int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    /* For our children only: the next birth is in it. */
    if (unshare(CLONE_NEWTIME) < 0)
        fail("unshare");
    pid_t pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        fail("clone");
    if (pid == 0)
        stay();
    map(pid, "uid_map");
    map(pid, "gid_map");
    return pid;
}

static pid_t crowd(int count, int nets)
{
    pid_t first = 0;
    for (int i = 0; i < count; i++) {
        if (i % (count / nets) == 0 && unshare(CLONE_NEWNET) < 0)
            fail("unshare");
        pid_t pid = fork();
        if (pid < 0)
            fail("fork");
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            stay();
        }
        first = first ? first : pid;
    }
    return first;
}

int main(int argc, char **argv)
{
    pid_t pid;
    if (argc == 2 && strcmp(argv[1], "target") == 0)
        pid = target();
    else if (argc == 4 && strcmp(argv[1], "crowd") == 0 && atoi(argv[3]) > 0 && atoi(argv[2]) >= atoi(argv[3]))
        pid = crowd(atoi(argv[2]), atoi(argv[3]));
    else
        return 2;
    printf("%d\n", pid);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0)
        continue;
    /* The crowd ends with us; the target is the first process of a pid namespace, and takes its own along. */
    kill(pid, SIGKILL);
    return 0;
}
