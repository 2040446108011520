/* Makes one system call by its number, in one of three ways, and tells how it went.
 *
 *     attempt 64|32|x32 NUMBER [ARGUMENT]...
 *
 * Prints the result, below 0 an errno; or `trap NUMBER ARCHITECTURE` where SIGSYS told of it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void trapped(int signal, siginfo_t *info, void *context)
{
	char line[64];
	int length = snprintf(line, sizeof line, "trap %d %x\n", info->si_syscall, info->si_arch);
	(void)signal;
	(void)context;
	if (write(1, line, length) < 0)
		_exit(2);
	_exit(0);
}

static long wide(long number, const long *a)
{
	long result;
	register long r10 __asm__("r10") = a[3];
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

static long narrow(long number, const long *a)
{
	int result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((int)number), "b"((int)a[0]), "c"((int)a[1]), "d"((int)a[2]), "S"((int)a[3])
			 : "r8", "r9", "r10", "r11", "memory");
	return result;
}

int main(int count, char **words)
{
	long arguments[6] = {0};
	if (count < 3)
		return 2;
	for (int i = 3; i < count && i < 9; i++)
		arguments[i - 3] = (long)strtoull(words[i], NULL, 0);
	struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
	sigaction(SIGSYS, &action, NULL);
	long number = (long)strtoul(words[2], NULL, 0);
	if (!strcmp(words[1], "x32"))
		number |= 0x40000000;
	long result = !strcmp(words[1], "32") ? narrow(number, arguments) : wide(number, arguments);
	printf("%ld\n", result);
	return 0;
}
