// SPDX-License-Identifier: GPL-2.0
/*
 * printk(), and what formats text. The log keeps what the current event says. Lines of the
 * test patches ("tp: tp_a1 alpha pre_patch") become calls; the others are formatted only if
 * somebody wants to read them, for that would take most of the time. What is lost: levels
 * below info are dropped, and of the kernel's own formats %pe and the like only what is used.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/sysfs.h>
#include <linux/version.h>

#include "../pool.h"
#include "kern.h"

#define LOG_SIZE	16384

bool sim_verbose __sim_aside;
static char log[LOG_SIZE] __sim_aside;
static size_t log_len __sim_aside;

int console_printk[] = { 7, 4, 1, 7 };	/* console_loglevel is the first */

/* ASCII only */
const unsigned char _ctype[256] = {
	[1 ... 8] = _C, ['\t' ... '\r'] = _C | _S, [14 ... 31] = _C, [127] = _C,
	[' '] = _S | _SP, ['!' ... '/'] = _P, [':' ... '@'] = _P, ['[' ... '`'] = _P,
	['{' ... '~'] = _P, ['0' ... '9'] = _D, ['A' ... 'F'] = _U | _X, ['G' ... 'Z'] = _U,
	['a' ... 'f'] = _L | _X, ['g' ... 'z'] = _L,
};

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const char *s, int len, int width, bool left, char pad)
{
	int i;

	for (i = len; !left && i < width; i++)
		put(o, pad);
	for (i = 0; i < len; i++)
		put(o, s[i]);
	for (i = len; left && i < width; i++)
		put(o, ' ');
}

static void put_number(struct out *o, u64 n, int base, bool minus, int width, bool left, char pad)
{
	char digits[24], *pos = digits + sizeof(digits);

	do {
		*--pos = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	if (minus)
		*--pos = '-';
	put_padded(o, pos, digits + sizeof(digits) - pos, width, left, pad);
}

static void put_all(struct out *o, const char *fmt, va_list args);

/* Behind %p: x, s, S, e, V */
static const char *put_pointer(struct out *o, const char *fmt, void *p, int width, bool left)
{
	struct va_format *vaf = p;
	va_list copy;

	if (*fmt == 'V') {
		va_copy(copy, *vaf->va);
		put_all(o, vaf->fmt, copy);
		va_end(copy);
		return fmt + 1;
	}
	if (*fmt == 'e' && IS_ERR(p))
		put_number(o, -PTR_ERR(p), 10, true, width, left, ' ');
	else
		put_number(o, (unsigned long)p, 16, false, width, left, ' ');
	return fmt + strspn(fmt, "xsSeB");
}

/* One conversion; returns what follows it */
static const char *put_one(struct out *o, const char *fmt, va_list *args)
{
	int width = 0, precision = -1, longs = 0, base = 10;
	bool left = false;
	const char *s;
	char pad = ' ';
	s64 n;

	for (; *fmt == '-' || *fmt == '0' || *fmt == '#' || *fmt == '+' || *fmt == ' '; fmt++) {
		left |= *fmt == '-';
		pad = *fmt == '0' ? '0' : pad;
	}
	if (*fmt == '*') {
		width = va_arg(*args, int);
		fmt++;
	}
	for (; isdigit(*fmt); fmt++)
		width = width * 10 + *fmt - '0';
	if (*fmt == '.') {
		precision = 0;
		if (*++fmt == '*') {
			precision = va_arg(*args, int);
			fmt++;
		}
		for (; isdigit(*fmt); fmt++)
			precision = precision * 10 + *fmt - '0';
	}
	for (; *fmt == 'l' || *fmt == 'z' || *fmt == 'h'; fmt++)
		longs += *fmt != 'h';
	switch (*fmt++) {
	case 's':
		s = va_arg(*args, const char *) ?: "(null)";
		put_padded(o, s, precision < 0 ? strlen(s) : strnlen(s, precision), width, left,
			   ' ');
		break;
	case 'c':
		put(o, va_arg(*args, int));
		break;
	case 'd':
	case 'i':
		n = longs ? va_arg(*args, long) : va_arg(*args, int);
		put_number(o, n < 0 ? -n : n, 10, n < 0, width, left, pad);
		break;
	case 'x':
		base = 16;
		fallthrough;
	case 'u':
		put_number(o, longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int),
			   base, false, width, left, pad);
		break;
	case 'p':
		return put_pointer(o, fmt, va_arg(*args, void *), width, left);
	case '%':
		put(o, '%');
		break;
	default:
		sim_wrong("a format that is not simulated: %%%c", fmt[-1]);
	}
	return fmt;
}

static void put_all(struct out *o, const char *fmt, va_list args)
{
	va_list copy;

	va_copy(copy, args);
	while (*fmt) {
		if (*fmt != '%')
			put(o, *fmt++);
		else
			fmt = put_one(o, fmt + 1, &copy);
	}
	va_end(copy);
}

int sim_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = { .buf = buf, .size = size };

	put_all(&o, fmt, args);
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = sim_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = sim_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return size ? min_t(int, len, size - 1) : 0;
}

/* %s with a width, %u, and blanks between them */
int sscanf(const char *buf, const char *fmt, ...)
{
	int width, len, nr = 0;
	va_list args;
	char *word;

	va_start(args, fmt);
	for (; *fmt; fmt++) {
		buf += strspn(buf, " \n");
		if (*fmt == ' ')
			continue;
		if (*fmt++ != '%')
			break;
		for (width = 0; isdigit(*fmt); fmt++)
			width = width * 10 + *fmt - '0';
		len = min_t(int, strcspn(buf, " \n"), width ?: INT_MAX);
		if (!len)
			break;
		if (*fmt == 's') {
			word = va_arg(args, char *);
			memcpy(word, buf, len);
			word[len] = '\0';
		} else if (*fmt != 'u' || kstrtouint(buf, 10, va_arg(args, unsigned int *))) {
			sim_wrong("a format of sscanf() that is not simulated: %%%c", *fmt);
			break;
		}
		buf += len;
		nr++;
	}
	va_end(args);
	return nr;
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = sim_vsnprintf(buf, PAGE_SIZE, fmt, args);
	va_end(args);
	return len;
}

/* What a patched function prints is kept while SIM_CALL has it run. */
int seq_write(struct seq_file *m, const void *data, size_t len)
{
	len = min(len, m->size - m->count);
	memcpy(m->buf + m->count, data, len);
	m->count += len;
	return 0;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = sim_vsnprintf(m->buf + m->count, m->size - m->count, fmt, args);
	va_end(args);
	m->count += min_t(size_t, len, m->size - m->count);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
void seq_puts(struct seq_file *m, const char *s)
{
	seq_write(m, s, strlen(s));
}
#endif

void seq_putc(struct seq_file *m, char c)
{
	seq_write(m, &c, 1);
}

static void log_line(const char *fmt, va_list args)
{
	size_t room = sizeof(log) - log_len;
	int len;

	if (room < 512)
		return;
	len = sim_vsnprintf(log + log_len, room, fmt, args);
	log_len += min_t(size_t, len, room - 1);
}

const char *kern_log(void)
{
	return log;
}

void sim_log_clear(void)
{
	log_len = 0;
	log[0] = '\0';
}

void sim_wrong(const char *fmt, ...)
{
	va_list args;

	if (sim_now.seen)
		sim_now.seen->warned = 1;
	va_start(args, fmt);
	log_line("WRONG: ", args);
	log_line(fmt, args);
	va_end(args);
	if (log_len + 1 < sizeof(log))
		log[log_len++] = '\n';
	log[log_len] = '\0';
}

/*
 * What a function says behind its name and must not: that it found data that is freed or
 * not zeroed, or a state live before or after its time. The words are those of modules/tp.h.
 */
static const struct { const char *fn, *words; } never[] = {
	{ "", "old_ok=0" },		/* the predecessor's object was freed */
	{ "", "zeroed=0" },		/* a new object is not zeroed */
	{ "post_patch", "live=1" },
	{ "pre_unpatch", "live=1" },
	{ "adopt", "live=0" },
	{ "convert from=", "live=1" },	/* not before it is converted */
	{ "convert to=", "live=0" },	/* until its older version is */
};

static void check_words(const char *fn)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(never); i++)
		if (!strncmp(fn, never[i].fn, strlen(never[i].fn)) && strstr(fn, never[i].words))
			sim_wrong("a function of a patch must not find '%s'", never[i].words);
}

static void add_call(const char *state, size_t len, int fn, int patch)
{
	struct sim_seen *seen = sim_now.seen;
	struct sim_call *call = &seen->calls[seen->nr_calls];

	if (seen->nr_calls == SIM_MAX_CALLS)
		return sim_wrong("more than %d calls in an event", SIM_MAX_CALLS);
	seen->nr_calls++;
	call->patch = patch;
	call->fn = fn;
	memcpy(call->state, state, min(len, sizeof(call->state)));
}

/* "tp_a1 alpha pre_patch live=0": the words behind the patch's name */
static void parse_line(const char *line, int patch)
{
	const char *state, *fn;
	size_t len, i;

	state = line + strcspn(line, " ");
	state += *state == ' ';
	if (strstr(state, "BAD"))
		sim_wrong("a function of a patch found wrong data");
	len = strcspn(state, " \n");
	for (i = SIM_RAW_FREES; i < SIM_NR_FNS; i++)
		if (!strncmp(state, fn_names[i], len) && !fn_names[i][len])
			return add_call("", 0, i, patch);
	fn = state + len;
	fn += *fn == ' ';
	check_words(fn);
	if (!strncmp(fn, "dtor", 4))
		return sim_saw_dtor(state, len);
	for (i = 0; i < SIM_RAW_FREES; i++) {
		size_t n = strlen(fn_names[i]);

		if (!strncmp(fn, fn_names[i], n) && (!isalpha(fn[n]) && fn[n] != '_'))
			return add_call(state, len, i, patch);
	}
}

int _printk(const char *fmt, ...)
{
	static const char tp[] = "tp: ";
	const char *text = fmt + (fmt[0] == KERN_SOH_ASCII && fmt[1] ? 2 : 0);
	char line[256];
	va_list args;

	va_start(args, fmt);
	if (sim_verbose)
		log_line(text, args);
	if (!strncmp(text, tp, sizeof(tp) - 1)) {
		sim_vsnprintf(line, sizeof(line), text + sizeof(tp) - 1, args);
		/* The modules are compiled without tail calls */
		parse_line(line, sim_module_at(__builtin_return_address(0)));
	}
	va_end(args);
	return 0;
}

void __warn_printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(fmt, args);
	va_end(args);
}

/* Strings that libc lacks */
ssize_t sized_strscpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);

	if (!size)
		return -E2BIG;
	memcpy(dst, src, min(len, size - 1));
	dst[min(len, size - 1)] = '\0';
	return len < size ? len : -E2BIG;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
ssize_t strscpy(char *dst, const char *src, size_t size)
{
	return sized_strscpy(dst, src, size);
}
#endif

char *strim(char *s)
{
	size_t len;

	s += strspn(s, " \t\n");
	for (len = strlen(s); len && isspace(s[len - 1]); len--)
		;
	s[len] = '\0';
	return s;
}

bool sysfs_streq(const char *a, const char *b)
{
	size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

	return n == m && !memcmp(a, b, n);
}

int kstrtobool(const char *s, bool *res)
{
	if (*s != '0' && *s != '1')
		return -EINVAL;
	*res = *s == '1';
	return 0;
}

/* Decimal only */
int kstrtouint(const char *s, unsigned int base, unsigned int *res)
{
	unsigned int n = 0;
	const char *at;

	for (at = s; isdigit(*at); at++)
		n = n * 10 + *at - '0';
	if (at == s || (*at && *at != '\n'))
		return -EINVAL;
	*res = n;
	return 0;
}

unsigned long _find_next_bit(const unsigned long *addr, unsigned long nbits, unsigned long start)
{
	for (; start < nbits; start++)
		if (test_bit(start, addr))
			return start;
	return nbits;
}
