/* The floor of unshare(1): the system calls and nothing else.
 *
 *     unshare FLAGS PROGRAM [ARG...]     FLAGS as a hexadecimal mask of CLONE_NEW*
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    long kinds = strtol(argv[1], NULL, 16);
    if (unshare(kinds) < 0)
        return 1;
    if ((kinds & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 1;
    execv(argv[2], argv + 2);
    return 127;
}
