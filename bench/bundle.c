/* The floor of an OCI runtime: the container of bench/config.json, in as few and as cheap system calls as its author knew.
 *
 *     cc -O2 -static -o bundle bench/bundle.c
 *     bundle ROOTFS GROUP          runs /program in ROOTFS, in the control group GROUP, and removes that
 *
 * It says what the kernel asks for this container, so that the rest of a run's cost can be called the runtime's. It reads no
 * configuration, keeps no state, checks nothing: the root file system is trusted, mount(2) by path serves. What is equal:
 * namespaces, mounts and their attributes, devices, masks, limits, capabilities, session, keyring, host name, the group in
 * every hierarchy with its device rules. If a call fails, its text is printed and the exit code is 125.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPABILITIES ((1u << CAP_AUDIT_WRITE) | (1u << CAP_KILL) | (1u << CAP_NET_BIND_SERVICE))
#define TRY(call) ((call) < 0 ? fail(#call) : (void)0)

enum { GROUPS = 16 };

static char groups[GROUPS][512];
static int group_count;
static int device_program = -1;

static void fail(const char *call)
{
    perror(call);
    _exit(125);
}

static void write_file(const char *directory, const char *file, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    TRY(fd);
    TRY(write(fd, text, strlen(text)));
    close(fd);
}

static void copy_up(const char *point, const char *group, const char *file)
{
    char path[512], text[256];
    snprintf(path, sizeof path, "%s/%s", point, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    TRY(fd);
    ssize_t length = read(fd, text, sizeof text - 1);
    TRY(length);
    close(fd);
    text[length] = 0;
    write_file(group, file, text);
}

/* ---- control groups ---- */

static const char *const rules[] = { "b *:* m",   "c *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",  "c 1:8 rwm",
                                     "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm" };

/* A program that allows as the rules do: m for any node, all for the nine. */
static int device_filter(void)
{
    static const struct { int major, minor; } nodes[] = { { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 },
                                                          { 5, 0 }, { 5, 1 }, { 5, 2 }, { 136, -1 } };
    struct bpf_insn code[64];
    int n = 0;
    /* r2 = type and access, r4 = major, r5 = minor */
    for (int i = 0; i < 3; i++)
        code[n++] = (struct bpf_insn) { BPF_LDX | BPF_MEM | BPF_W, i == 0 ? 2 : 3 + i, 1, (short)(4 * i), 0 };
    code[n++] = (struct bpf_insn) { BPF_ALU | BPF_RSH | BPF_K, 2, 0, 0, 16 };
    code[n++] = (struct bpf_insn) { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1 };
    code[n++] = (struct bpf_insn) { BPF_JMP | BPF_JNE | BPF_K, 2, 0, 1, BPF_DEVCG_ACC_MKNOD };
    code[n++] = (struct bpf_insn) { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        int any = nodes[i].minor < 0;
        code[n++] = (struct bpf_insn) { BPF_JMP | BPF_JNE | BPF_K, 4, 0, any ? 1 : 2, nodes[i].major };
        if (!any)
            code[n++] = (struct bpf_insn) { BPF_JMP | BPF_JNE | BPF_K, 5, 0, 1, nodes[i].minor };
        code[n++] = (struct bpf_insn) { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 };
    }
    code[n++] = (struct bpf_insn) { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 };
    code[n++] = (struct bpf_insn) { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 };
    union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                            .insn_cnt = (unsigned)n,
                            .insns = (uint64_t)(uintptr_t)code,
                            .license = (uint64_t)(uintptr_t) "GPL" };
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
}

static void attach_filter(const char *group)
{
    int directory = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TRY(directory);
    TRY(device_program = device_filter());
    union bpf_attr attach = { .target_fd = (unsigned)directory,
                              .attach_bpf_fd = (unsigned)device_program,
                              .attach_type = BPF_CGROUP_DEVICE,
                              .attach_flags = BPF_F_ALLOW_MULTI };
    TRY(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach));
    close(directory);
}

static void make_group(const char *point, const char *name, int v2)
{
    if (group_count == GROUPS)
        return;
    char *group = groups[group_count++];
    snprintf(group, sizeof groups[0], "%s/%s", point, name);
    TRY(mkdir(group, 0755));
    const char *last = strrchr(point, '/') + 1;
    if (v2) {
        attach_filter(group);
    } else if (strcmp(last, "cpuset") == 0) {
        copy_up(point, group, "cpuset.cpus");
        copy_up(point, group, "cpuset.mems");
    } else if (strcmp(last, "devices") == 0) {
        write_file(group, "devices.deny", "a");
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            write_file(group, "devices.allow", rules[i]);
    }
}

/* In each hierarchy that is mounted and has no name, as the table of mounts has them. */
static void make_groups(const char *name)
{
    static char table[65536];
    int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    TRY(fd);
    size_t length = 0;
    for (ssize_t more; length < sizeof table - 1 && (more = read(fd, table + length, sizeof table - 1 - length)) > 0;)
        length += (size_t)more;
    close(fd);
    for (char *line = strtok(table, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char point[256];
        int v2 = strstr(line, " - cgroup2 ") != NULL;
        if (!v2 && (strstr(line, " - cgroup ") == NULL || strstr(line, "name=") != NULL))
            continue;
        /* A mount below another of the same look is hidden by it, or is the hybrid machine's own. */
        if (sscanf(line, "%*s %*s %*s %*s %255s", point) == 1 && access(point, F_OK) == 0 && strncmp(point, "/sys/", 5) == 0) {
            char procs[300];
            snprintf(procs, sizeof procs, "%s/cgroup.procs", point);
            if (access(procs, F_OK) == 0)
                make_group(point, name, v2);
        }
    }
}

/* ---- the child ---- */

static void read_only(const char *path)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    TRY(mount_setattr(AT_FDCWD, path, 0, &attr, sizeof attr));
}

static void make_mounts(const char *rootfs)
{
    TRY(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
    TRY(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
    TRY(chdir(rootfs));
    TRY(mount("proc", "proc", "proc", 0, NULL));
    TRY(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
    TRY(mkdir("dev/pts", 0755));
    TRY(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5"));
    TRY(mkdir("dev/shm", 0755));
    TRY(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"));
    TRY(mkdir("dev/mqueue", 0755));
    TRY(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    TRY(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    read_only("sys");
}

static void make_devices(void)
{
    static const struct { const char *path; unsigned major, minor; } nodes[] = {
        { "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
        { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
    static const char *const links[][2] = { { "/proc/self/fd", "dev/fd" },       { "/proc/self/fd/0", "dev/stdin" },
                                            { "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
                                            { "/proc/kcore", "dev/core" },       { "pts/ptmx", "dev/ptmx" } };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        TRY(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        TRY(symlink(links[i][0], links[i][1]));
}

static void absent_or_fail(const char *path)
{
    if (errno != ENOENT && errno != ENOTDIR)
        fail(path);
}

static void mask(void)
{
    static const char *const directories[] = { "proc/acpi", "proc/asound", "sys/firmware", "proc/scsi" };
    static const char *const files[] = { "proc/kcore",      "proc/keys",        "proc/latency_stats",
                                         "proc/timer_list", "proc/timer_stats", "proc/sched_debug" };
    static const char *const fixed[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        if (mount("tmpfs", directories[i], "tmpfs", MS_RDONLY, "size=0") < 0)
            absent_or_fail(directories[i]);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (mount("/dev/null", files[i], NULL, MS_BIND, NULL) < 0)
            absent_or_fail(files[i]);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (mount(fixed[i], fixed[i], NULL, MS_BIND | MS_REC, NULL) < 0)
            absent_or_fail(fixed[i]);
        else
            read_only(fixed[i]);
}

static void lower_rights(void)
{
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (capability >= 32 || !(CAPABILITIES & 1u << capability))
            TRY(prctl(PR_CAPBSET_DROP, capability));
    TRY(syscall(SYS_setgroups, 0, NULL));
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct sets[2] = { { CAPABILITIES, CAPABILITIES, 0 }, { 0, 0, 0 } };
    TRY(syscall(SYS_capset, &header, sets));
    TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void child(const char *rootfs)
{
    for (int i = 0; i < group_count; i++)
        write_file(groups[i], "cgroup.procs", "0");
    TRY(setsid());
    TRY(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
    TRY(sethostname("bench", 5));
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    TRY(socket_fd);
    TRY(ioctl(socket_fd, SIOCSIFFLAGS, &lo));
    umask(0);
    make_mounts(rootfs);
    make_devices();
    mask();
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(umount2(".", MNT_DETACH));
    TRY(chdir("/"));
    read_only("/");
    umask(022);
    struct rlimit files = { 1024, 1024 };
    TRY(setrlimit(RLIMIT_NOFILE, &files));
    lower_rights();
    char *const words[] = { "/program", NULL };
    char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL };
    TRY(execve("/program", words, environment));
}

int main(int argc, char **argv)
{
    int status;
    if (argc != 3) {
        fprintf(stderr, "usage: bundle ROOTFS GROUP\n");
        return 125;
    }
    make_groups(argv[2]);
    struct clone_args birth = {
        .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_CLEAR_SIGHAND,
        .exit_signal = SIGCHLD,
    };
    /* The group is its own before it has done anything: in the child, so that no message is needed. */
    pid_t pid = (pid_t)syscall(SYS_clone3, &birth, sizeof birth);
    TRY(pid);
    if (pid == 0)
        child(argv[1]);
    TRY(waitpid(pid, &status, 0));
    for (int i = 0; i < group_count; i++)
        TRY(rmdir(groups[i]));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
