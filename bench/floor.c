/* The floor: what `insula run PROGRAM` makes as root, in as few and as cheap system calls as its author knew.
 *
 *     cc -O2 -static -DINIT='"/path/of/insula-init"' -o floor bench/floor.c
 *     floor [-o DIR]... [-b PATH]... PROGRAM [ARGUMENT]...
 *
 * It says what the kernel asks for this container, so that the rest of a run's cost can be called ours. It plans
 * nothing, asks nothing and explains nothing: what insula finds out about the machine, the floor is told. -o is a mount
 * of the host below / that is seen through an overlay of its own, -b one that is bound read-only. PROGRAM is a path.
 * Signals are not forwarded; if a call fails, its text is printed and the exit code is 125.
 *
 * What is equal, and proven so by crates/cli/tests/floor.rs: namespaces, mounts and their attributes, ids, groups,
 * capabilities, session, signals, umask, host name, network, descriptors, environment. So is pid 1: the same
 * insula-init, bytes for bytes (it is INIT), from a sealed file in memory, because which program stands at
 * /proc/1/exe and what memory it keeps belong to the result.
 *
 * What is free, and chosen for speed: mount(2) instead of five calls of the new interface, where a path serves and the
 * result is the same; relative paths without openat2(2), which is right only because the host's own root is trusted;
 * the child's work that needs no ids is done while the parent still writes the maps; no descriptor is closed one by
 * one; what a new user namespace brings along (empty inheritable and ambient capabilities) is not asked for again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARTS 64                              /* of the view: the root and what -o and -b name */
#define IDS 65536
#define FIRST_ID 0x70000000u                  /* insula's range of host ids, crates/runtime/src/ids.rs */
#define RANGES 0x0effu
#define CAPABILITIES 0xa80425fbull            /* the fourteen of insula's default */
#define GET_USER_NAMESPACE _IO(0xff, 9)       /* PIDFD_GET_USER_NAMESPACE, Linux 6.11 */
#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

#define TRY(call) ((call) < 0 ? fail(#call) : (void)0)

__asm__(".pushsection .rodata\n"
        "init_start: .incbin " "\"" INIT "\"" "\n"
        "init_end:\n"
        ".popsection\n");
extern const char init_start[], init_end[];

struct part {
    const char *path; /* on the host, and in the container */
    int overlaid;
};

static struct part parts[PARTS] = { { "/", 1 } };
static int part_count = 1;
static char cwd[4096];

static void fail(const char *call)
{
    perror(call);
    _exit(125);
}

/* ---- the parent ---- */

static int sealed_init(void)
{
    size_t size = (size_t)(init_end - init_start);
    int fd = memfd_create("insula-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 every such file could be executed */
        fd = memfd_create("insula-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    TRY(fd);
    TRY(write(fd, init_start, size) == (ssize_t)size ? 0 : -1);
    TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
    return fd;
}

static void write_map(pid_t child, const char *kind)
{
    char path[64], line[64];
    snprintf(path, sizeof path, "/proc/%d/%s", child, kind);
    int length = snprintf(line, sizeof line, "0 %u %d\n", FIRST_ID + (uint32_t)getpid() % RANGES * IDS, IDS);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    TRY(fd);
    TRY(write(fd, line, (size_t)length));
}

static int user_namespace(pid_t child, int pidfd)
{
    int fd = ioctl(pidfd, GET_USER_NAMESPACE, 0);
    if (fd < 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/user", child);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        TRY(fd);
    }
    return fd;
}

/* A detached clone; an overlay's lower layer has the container's ids. */
static int cloned(const struct part *part, int userns)
{
    int tree = open_tree(AT_FDCWD, part->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    TRY(tree);
    if (part->overlaid) {
        struct mount_attr ids = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
        TRY(mount_setattr(tree, "", AT_EMPTY_PATH, &ids, sizeof ids));
    }
    return tree;
}

/* One message: all trees, in the order of the parts. */
static void hand_over(int to, const int *trees)
{
    char byte = 0;
    struct iovec io = { &byte, 1 };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PARTS * sizeof(int))];
    } control;
    size_t bytes = (size_t)part_count * sizeof(int);
    struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control };
    message.msg_controllen = CMSG_SPACE(bytes);
    control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(bytes), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.header), trees, bytes);
    TRY(sendmsg(to, &message, MSG_NOSIGNAL));
}

/* ---- the child ---- */

static void take_over(int from, int *trees)
{
    char byte;
    struct iovec io = { &byte, 1 };
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(PARTS * sizeof(int))];
    } control;
    struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control };
    message.msg_controllen = sizeof control.space;
    TRY(recvmsg(from, &message, 0) == 1 ? 0 : -1);
    memcpy(trees, CMSG_DATA(&control.header), (size_t)part_count * sizeof(int));
}

/* All that needs no ids. */
static void begin(void)
{
    uint64_t none = 0;
    struct {
        uint64_t handler, flags, restorer, mask;
    } by_default = { 0, 0, 0, 0 };
    for (int signal = 1; signal <= 64; signal++) /* SIGKILL and SIGSTOP refuse: they are as they should be */
        syscall(SYS_rt_sigaction, signal, &by_default, NULL, 8);
    TRY(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8));
    TRY(setsid());
    umask(0);
    TRY(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
    TRY(sethostname("insula", 6));
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    TRY(socket_fd);
    TRY(ioctl(socket_fd, SIOCSIFFLAGS, &lo));
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    TRY(null);
    TRY(dup2(null, 0));
}

static void become_root(void)
{
    TRY(syscall(SYS_setgroups, 0, NULL));
    TRY(syscall(SYS_setresgid, 0, 0, 0));
    TRY(syscall(SYS_setresuid, 0, 0, 0));
}

static void read_only(const char *path)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    TRY(mount_setattr(AT_FDCWD, path, 0, &attr, sizeof attr));
}

/* Layers of the number `n` in the present directory, and the overlay of them on `target`. */
static void overlay(int n, int tree, const char *target)
{
    char lower[16], upper[16], work[16], options[128];
    struct stat like;
    snprintf(lower, sizeof lower, "l%d", n);
    snprintf(upper, sizeof upper, "u%d", n);
    snprintf(work, sizeof work, "w%d", n);
    snprintf(options, sizeof options, "userxattr,lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
    TRY(mkdir(lower, 0755));
    TRY(move_mount(tree, "", AT_FDCWD, lower, MOVE_MOUNT_F_EMPTY_PATH));
    TRY(stat(lower, &like));
    TRY(mkdir(upper, like.st_mode & 01777)); /* the overlay's root has the mode and the owner of the upper one */
    if (like.st_uid != 0 || like.st_gid != 0)
        TRY(chown(upper, like.st_uid, like.st_gid));
    TRY(mkdir(work, 0755));
    TRY(mount("insula", target, "overlay", 0, options));
}

/* The view of the host's root, in the directory `root` of a tmpfs that hides the host's /proc from us alone. The
 * overlays hold clones of their layers, so that the tmpfs may go with the old root. */
static void make_root(const int *trees)
{
    TRY(mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700"));
    TRY(chdir("/proc"));
    TRY(mkdir("root", 0755));
    overlay(0, trees[0], "root");
    for (int n = 1; n < part_count; n++) {
        char target[4096];
        snprintf(target, sizeof target, "root%s", parts[n].path);
        if (parts[n].overlaid) {
            overlay(n, trees[n], target);
        } else {
            TRY(move_mount(trees[n], "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH));
            read_only(target);
        }
    }
    TRY(chdir("root"));
}

/* From here to the change of root the present directory is the new root, and `/` still the old one. */
static void make_kernel_file_systems(void)
{
    TRY(mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"));
    TRY(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    TRY(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
    TRY(mkdir("dev/pts", 0755));
    TRY(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5"));
    /* MS_RDONLY would make the file system read-only; insula makes the mount so. */
    TRY(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    read_only("sys");
    TRY(mkdir("dev/mqueue", 0755));
    TRY(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    TRY(mkdir("dev/shm", 0755));
    TRY(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=67108864"));
}

static void make_devices(void)
{
    static const char *const devices[] = { "/dev/null",   "/dev/zero",    "/dev/full",
                                           "/dev/random", "/dev/urandom", "/dev/tty" };
    static const char *const links[][2] = { { "/proc/self/fd", "dev/fd" },       { "/proc/self/fd/0", "dev/stdin" },
                                            { "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
                                            { "/proc/kcore", "dev/core" },       { "pts/ptmx", "dev/ptmx" } };
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        TRY(mknod(devices[i] + 1, S_IFREG | 0644, 0));
        TRY(mount(devices[i], devices[i] + 1, NULL, MS_BIND, NULL));
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        TRY(symlink(links[i][0], links[i][1]));
}

static void absent_or_fail(const char *path)
{
    if (errno != ENOENT && errno != ENOTDIR)
        fail(path);
}

/* What is not there needs no mask: ENOENT is an answer. */
static void mask(void)
{
    static const char *const directories[] = { "proc/acpi", "proc/asound", "proc/scsi", "sys/devices/virtual/powercap",
                                               "sys/firmware" };
    static const char *const files[] = { "proc/interrupts",  "proc/kcore",      "proc/keys",       "proc/latency_stats",
                                         "proc/sched_debug", "proc/timer_list", "proc/timer_stats" };
    static const char *const fixed[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
    const char *empty = NULL;
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        const char *path = directories[i];
        if (empty != NULL) {
            if (mount(empty, path, NULL, MS_BIND, NULL) < 0)
                absent_or_fail(path);
        } else if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=755") < 0) {
            absent_or_fail(path);
        } else {
            read_only(path);
            empty = path;
        }
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (mount("/dev/null", files[i], NULL, MS_BIND, NULL) < 0)
            absent_or_fail(files[i]);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (mount(fixed[i], fixed[i], NULL, MS_BIND, NULL) < 0)
            absent_or_fail(fixed[i]);
        else
            read_only(fixed[i]);
}

static void change_root(void)
{
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(umount2(".", MNT_DETACH)); /* the old root, and with it all that was hidden in its /proc */
    if (chdir(cwd) < 0)
        TRY(chdir("/"));
}

static void drop_rights(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { 0 };
    for (unsigned long capability = 0; capability < 64; capability++)
        if ((CAPABILITIES >> capability & 1) == 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            break; /* the kernel knows no higher one */
    for (int half = 0; half < 2; half++)
        data[half].effective = data[half].permitted = (uint32_t)(CAPABILITIES >> (32 * half));
    TRY(syscall(SYS_capset, &header, data));
}

static void child(int baton, int init, char **program)
{
    int trees[PARTS];
    begin();
    take_over(baton, trees);
    become_root();
    make_root(trees);
    make_kernel_file_systems();
    make_devices();
    mask();
    change_root();
    umask(022);
    drop_rights();
    TRY(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    TRY(close_range(3, ~0u, CLOSE_RANGE_CLOEXEC));
    /* insula-init MODE REPORT FILTER PROGRAM ARGV0 [ARGUMENT]...; `program` has room before it. */
    char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                            "HOSTNAME=insula", NULL };
    program[-5] = "insula-init";
    program[-4] = "init";
    program[-3] = "-";
    program[-2] = "-";
    program[-1] = program[0];
    syscall(SYS_execveat, init, "", program - 5, environment, AT_EMPTY_PATH);
    fail("execveat");
}

int main(int argc, char **argv)
{
    int option, baton[2], trees[PARTS], pidfd, status;
    while ((option = getopt(argc, argv, "+o:b:")) != -1) {
        if (option == '?' || part_count == PARTS)
            return 125;
        parts[part_count++] = (struct part){ optarg, option == 'o' };
    }
    if (optind == argc)
        return 125;
    char *program[5 + argc - optind + 1];
    memcpy(program + 5, argv + optind, (size_t)(argc - optind + 1) * sizeof *argv);

    TRY(getcwd(cwd, sizeof cwd) == NULL ? -1 : 0);
    int init = sealed_init();
    TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, baton));
    struct clone_args birth = {
        .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
                 CLONE_NEWTIME | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &birth, sizeof birth);
    TRY(pid);
    if (pid == 0) {
        close(baton[0]); /* else the parent's death would not be seen */
        child(baton[1], init, program + 5);
    }
    write_map(pid, "gid_map");
    write_map(pid, "uid_map");
    int userns = user_namespace(pid, pidfd);
    for (int n = 0; n < part_count; n++)
        trees[n] = cloned(&parts[n], userns);
    hand_over(baton[0], trees);
    TRY(waitpid(pid, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
