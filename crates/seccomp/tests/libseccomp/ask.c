/* Asks libseccomp for the program of a profile, line by line from stdin, and for what it knows of names.
 *
 *   default ACTION            native ARCH            arch ARCH
 *   rule ACTION NAME COUNT [ARGUMENT OPERATOR VALUE VALUE_TWO]...
 *
 * ACTION is the value that the filter returns. Answers: `noarch ARCH`, `unknown NAME`, `refused ERRNO NAME`,
 * `newest ARCH NUMBER`, `asked ARCH NUMBER` (a call with conditions), then `CODE JT JF K` for each instruction. */
#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARCHES = 32 };

static const char *const big[] = {"m68k", "mips", "mips64", "mips64n32", "parisc", "parisc64", "ppc", "ppc64", "s390", "s390x", "sheb"};

static int is_big(const char *arch)
{
	for (size_t i = 0; i < sizeof big / sizeof *big; i++)
		if (!strcmp(arch, big[i]))
			return 1;
	return 0;
}

static unsigned actions[4096];
static int action_count;

static int is_action(unsigned value)
{
	for (int i = 0; i < action_count; i++)
		if (actions[i] == value)
			return 1;
	return value == 0;
}

static void refuse(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	exit(1);
}

int main(void)
{
	char line[4096], name[64], arch[ARCHES][32];
	long newest[ARCHES];
	int arches = 0, swap = 0, added = 0;
	scmp_filter_ctx filter = NULL;

	while (fgets(line, sizeof line, stdin)) {
		unsigned action, count;
		int at = 0;
		if (sscanf(line, "default %u", &action) == 1) {
			filter = seccomp_init(action);
			actions[action_count++] = action;
			if (!filter)
				refuse("init", -EINVAL);
			strcpy(arch[0], "x86_64");
			newest[0] = -1;
			arches = 1;
		} else if (sscanf(line, "native %31s", name) == 1 || sscanf(line, "arch %31s", name) == 1) {
			int native = line[0] == 'n';
			uint32_t token = seccomp_arch_resolve_name(name);
			if (!token) {
				printf("noarch %s\n", name);
				return 0;
			}
			if (native && seccomp_arch_native() != token) {
				int done = seccomp_arch_remove(filter, seccomp_arch_native());
				if (done < 0)
					refuse("remove native", done);
				arches = 0;
			}
			int done = seccomp_arch_add(filter, token);
			if (done == -EEXIST)
				continue;
			if (done < 0)
				refuse(name, done);
			newest[arches] = -1;
			swap = is_big(name);
			strcpy(arch[arches++], name);
		} else if (sscanf(line, "rule %u %63s %u%n", &action, name, &count, &at) == 3) {
			struct scmp_arg_cmp conditions[6];
			if (!is_action(action) && action_count < 4096)
				actions[action_count++] = action;
			for (unsigned i = 0; i < count && i < 6; i++) {
				unsigned argument, op;
				unsigned long long a, b;
				int more;
				sscanf(line + at, "%u %u %llu %llu%n", &argument, &op, &a, &b, &more);
				at += more;
				conditions[i] = (struct scmp_arg_cmp){argument, op, a, b};
			}
			int call = seccomp_syscall_resolve_name(name);
			if (call == __NR_SCMP_ERROR) {
				printf("unknown %s\n", name);
				continue;
			}
			for (int i = 0; i < arches; i++) {
				uint32_t token = seccomp_arch_resolve_name(arch[i]);
				long number = seccomp_syscall_resolve_name_arch(token, name);
				if (number >= 0 && (number & 0xfffff) < 0xf0000 && number > newest[i])
					newest[i] = number;
				if (count) {
					printf("asked %s %ld\n", arch[i], number);
					printf("asked %s %d\n", arch[i], seccomp_syscall_resolve_name_rewrite(token, name));
				}
			}
			if (seccomp_attr_get(filter, SCMP_FLTATR_ACT_DEFAULT, &(uint32_t){0}) == 0) {
				uint32_t standard;
				seccomp_attr_get(filter, SCMP_FLTATR_ACT_DEFAULT, &standard);
				if (standard == action)
					continue;
			}
			int done = seccomp_rule_add_array(filter, action, call, count, conditions);
			if (done < 0)
				printf("refused %d %s\n", -done, name);
			added = 1;
		}
	}
	for (int i = 0; i < arches; i++)
		printf("newest %s %ld\n", arch[i], newest[i]);
	/* The tree, as runc asks for it: without it, a call that an architecture has not can keep the first other one's number
	 * from being loaded (seen in 2.5.4 and 2.6.1). */
	if (added)
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	FILE *file = tmpfile();
	int done = seccomp_export_bpf(filter, fileno(file));
	if (done < 0)
		refuse("export", done);
	struct sock_filter one;
	lseek(fileno(file), 0, SEEK_SET);
	while (read(fileno(file), &one, sizeof one) == sizeof one) {
		if (swap) {
			one.code = be16toh(one.code);
			/* On a machine with the other order of bytes, copies of a return are turned round twice. */
			if (one.code != BPF_RET || is_action(be32toh(one.k)))
				one.k = be32toh(one.k);
		}
		printf("%u %u %u %u\n", one.code, one.jt, one.jf, one.k);
	}
	return 0;
}
