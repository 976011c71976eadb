// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel side needs of the operating system, the only file of it that is
 * compiled with libc's headers.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
const bool sim_sanitized = true;
#else
const bool sim_sanitized;
#endif

const char *__asan_default_options(void);
void host_boot(void);
void host_die(const char *text);
void host_protect(void *start, unsigned long size, int on);
void *host_keep(const void *from, unsigned long size);
void host_poison(void *addr, unsigned long size);
void host_unpoison(void *addr, unsigned long size);
int sim_bug(unsigned long ip);

/* Leaks are counted in the arena; a search would read modules that are not loaded. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0:handle_sigill=0";
}

void host_die(const char *text)
{
	fprintf(stderr, "klp-sdk: sim: %s\n", text);
	abort();
}

/* UD2: WARN() goes on behind it, all else ends the process as BUG() would the kernel */
static void on_illegal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned long ip = uc->uc_mcontext.gregs[REG_RIP];

	if (sim_bug(ip)) {
		uc->uc_mcontext.gregs[REG_RIP] = ip + 2;
		return;
	}
	signal(sig, SIG_DFL);
}

void host_boot(void)
{
	struct sigaction sa = { .sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO };

	sigaction(SIGILL, &sa, NULL);
}

/* Where coverage is counted all modules must be readable when the program ends. */
void host_protect(void *start, unsigned long size, int on)
{
#ifdef SIM_COVERAGE
	on = 1;
#endif
	if (mprotect(start, size, on ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_NONE)) {
		perror("klp-sdk: sim: mprotect");
		abort();
	}
}

void *host_keep(const void *from, unsigned long size)
{
	void *copy = calloc(1, size);

	if (!copy)
		host_die("no memory");
	return from ? memcpy(copy, from, size) : copy;
}

void host_poison(void *addr, unsigned long size)
{
#if defined(__SANITIZE_ADDRESS__)
	ASAN_POISON_MEMORY_REGION(addr, size);
#endif
}

void host_unpoison(void *addr, unsigned long size)
{
#if defined(__SANITIZE_ADDRESS__)
	ASAN_UNPOISON_MEMORY_REGION(addr, size);
#endif
}
