// SPDX-License-Identifier: GPL-2.0
/*
 * Replays sequences of the simulation in a VM, by the kernel's own user interface, and
 * compares what is seen after each event with what the simulation has shown. The file
 * /replay.txt is what sim --show prints:
 *
 *	= load a1; disable a1; unload a1	a sequence; '!' if something stays for good
 *	# load a1				an event of it
 *	ret 0					and what is seen after that, several lines
 *	...
 *
 * A transition that nothing blocks ends by itself, which the simulation writes as a tick
 * behind an event: here it is waited for after each event.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm/guest.h"
#include "sim/text.h"

#define FILE_NAME	"/replay.txt"
#define MAX_EVENTS	256	/* of a sequence */
#define LIMIT_MS	30000
/*
 * The worker of a transition looks every second. If a task still blocks it when it has
 * looked twice, it always will.
 */
#define BLOCKED_MS	2200

static const char *const func_files[SIM_NR_FUNCS] = {
	"/proc/cmdline", "/proc/version", "/proc/tp_mod1",
};

static struct sim_seen seen;
static char event_log[32768];		/* the kernel's messages since the event began */
static size_t log_len;
static pid_t held;			/* sleeps in a function */
static int held_in;
static pid_t loaders[SIM_NR_TARGETS];	/* insmod, as long as the target's init waits */

static const char *module_of(int patch, char *buf, size_t size)
{
	snprintf(buf, size, "tp_%s", patch_name(patch));
	return buf;
}

/* "tp_a1": its number, or -1 */
static int patch_called(const char *name, size_t len)
{
	int i;

	if (len < 3 || strncmp(name, "tp_", 3))
		return -1;
	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (strlen(patch_name(i)) == len - 3 &&
		    !strncmp(patch_name(i), name + 3, len - 3))
			return i;
	return -1;
}

/*
 * The kernel's messages. None is skipped between two events: what comes late is seen in
 * the next.
 */

static void add_call(int patch, const char *state, size_t len, int fn)
{
	struct sim_call *call = &seen.calls[seen.nr_calls];

	if (seen.nr_calls == SIM_MAX_CALLS) {
		seen.warned = 1;
		return;
	}
	seen.nr_calls++;
	*call = (struct sim_call){ .patch = patch, .fn = fn };
	memcpy(call->state, state, len < sizeof(call->state) ? len : sizeof(call->state));
}

/* "tp: tp_a1 alpha pre_patch live=0" */
static void take_line(const char *line)
{
	char word[3][32] = { "", "", "" };
	int patch, fn, i;

	if (strncmp(line, "tp: ", 4) || sscanf(line + 4, "%31s %31s %31s", word[0], word[1],
					       word[2]) < 2)
		return;
	if (strstr(line, "BAD"))
		seen.warned = 1;
	patch = patch_called(word[0], strlen(word[0]));
	if (patch < 0)
		return;
	for (i = 0; i < SIM_NR_TYPES && !strcmp(word[2], "dtor"); i++)
		seen.dtors[i] += !strcmp(word[1], type_names[i]);
	for (fn = 0; fn < SIM_NR_FNS; fn++) {
		if (fn >= SIM_RAW_FREES && !strcmp(word[1], fn_names[fn]))
			return add_call(patch, "", 0, fn);
		if (fn < SIM_RAW_FREES && !strcmp(word[2], fn_names[fn]))
			return add_call(patch, word[1], strlen(word[1]), fn);
	}
}

static void read_messages(void)
{
	static int fd = -1;
	char rec[8192], *line;
	ssize_t n;

	if (fd < 0) {
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		guest_must(fd >= 0, "/dev/kmsg cannot be read");
		lseek(fd, 0, SEEK_END);
	}
	while ((n = read(fd, rec, sizeof(rec) - 1)) > 0 || errno == EINTR) {
		if (n < 0)
			continue;
		rec[n] = '\0';
		line = strchr(rec, ';');
		line = line ? line + 1 : rec;
		line[strcspn(line, "\n")] = '\0';
		take_line(line);
		log_len += snprintf(event_log + log_len, sizeof(event_log) - log_len, "%s\n", line);
		if (log_len >= sizeof(event_log))
			log_len = sizeof(event_log) - 1;
	}
	guest_must(errno == EAGAIN, "messages of the kernel are lost: %s", strerror(errno));
}

/*
 * What would happen by itself
 */

/* A transition runs; a patch that has left is still to be freed */
static void look(bool *busy, bool *leaves)
{
	char path[160];
	bool moves;
	size_t i;
	glob_t g;

	*busy = *leaves = false;
	if (!glob("/sys/kernel/livepatch/*/transition", 0, NULL, &g))
		for (i = 0; i < g.gl_pathc; i++) {
			moves = file_int(g.gl_pathv[i]) == 1;
			snprintf(path, sizeof(path), "%.*s/enabled",
				 (int)(strrchr(g.gl_pathv[i], '/') - g.gl_pathv[i]),
				 g.gl_pathv[i]);
			*busy |= moves;
			*leaves |= !moves && !file_int(path);
		}
	globfree(&g);
}

/* The idle class lets whatever is ready to run do so first. */
static void settle(void)
{
	const struct sched_param param = { 0 };
	long begin = now_ms();
	bool busy, leaves;

	sched_setscheduler(0, SCHED_IDLE, &param);
	for (;;) {
		sleep_ms(1);
		look(&busy, &leaves);
		if (!busy && !leaves)
			break;
		if (held && !leaves && now_ms() - begin >= BLOCKED_MS)
			break;
		guest_must(now_ms() - begin < LIMIT_MS, "a transition does not end");
		sleep_ms(held ? 50 : 10);
	}
	/* The reference on a patch's module is put after its folder is gone. */
	sleep_ms(2);
	sched_setscheduler(0, SCHED_OTHER, &param);
}

/*
 * Events
 */

/* While @fails the core finds no function that it may patch. */
static void fail_core(bool fails)
{
	int err;

	err = fails ? mod_load("klp_sdk_block", "coming=1 symbol=") : mod_unload("klp_sdk_block");
	guest_must(!err, "klp_sdk_block: %s", strerror(-err));
}

static int load(const struct sim_event *e)
{
	char name[64], params[64] = "";
	int ret;

	if (e->par == SIM_PAR_RAW_STACKED)
		snprintf(params, sizeof(params), "stacked=1");
	else if (e->par >= SIM_PAR_STATE)
		snprintf(params, sizeof(params), "fail_state=%s",
			 sim_pool[e->arg].states[e->par - SIM_PAR_STATE]);
	if (e->par == SIM_PAR_CORE)
		fail_core(true);
	ret = mod_load(module_of(e->arg, name, sizeof(name)), params);
	if (e->par == SIM_PAR_CORE)
		fail_core(false);
	return ret;
}

static int unload(int patch)
{
	char name[64];

	return mod_unload(module_of(patch, name, sizeof(name)));
}

static int write_attr(int patch, const char *attr, const char *value)
{
	char name[64];

	return klp_write(module_of(patch, name, sizeof(name)), attr, value);
}

static int enter(int func)
{
	pid_t pid;

	if (held)
		return -EBUSY;
	if (access(func_files[func], F_OK))
		return -ENOENT;
	pid = hold_start(func_files[func]);
	guest_must(pid > 0, "no task sleeps in %s: %s", func_files[func], strerror(-pid));
	held = pid;
	held_in = func;
	return 0;
}

static int leave(void)
{
	if (!held)
		return -ENOENT;
	guest_must(!hold_release_all() && !hold_finish(held, NULL, 0),
		   "the task in %s fails", func_files[held_in]);
	held = 0;
	return 0;
}

static const char *target_module(int target)
{
	return target == SIM_MOD1 ? "tp_mod1" : "tp_mod2";
}

struct insmod {
	int target;
	bool fails;
};

static void insmod(void *arg)
{
	const struct insmod *how = arg;

	_exit(-mod_load(target_module(how->target), how->fails ? "wait=1 fail=-19" : "wait=1"));
}

/* How a target's insmod ended; 0 is also that it waits in the target's init */
static int coming(int target, bool core, bool fails)
{
	struct insmod how = { target, fails };
	int status, ret = 0;

	/* Beside one that waits in its init, insmod would wait as well. */
	if (loaders[target])
		return -EEXIST;
	if (mod_loaded(target_module(target)))
		return mod_load(target_module(target), "");
	if (core)
		fail_core(true);
	loaders[target] = spawn(insmod, &how);
	guest_must(loaders[target] > 0, "no process for insmod");
	while (!mod_loaded(target_module(target))) {
		if (waitpid(loaders[target], &status, WNOHANG) == loaders[target]) {
			ret = -WEXITSTATUS(status);
			loaders[target] = 0;
			break;
		}
		sleep_ms(1);
	}
	if (core)
		fail_core(false);
	return ret;
}

static int init(int target)
{
	char path[96];
	int err;

	if (!loaders[target])
		return -ENOENT;
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/go", target_module(target));
	err = file_write(path, "1");
	guest_must(!err, "%s: %s", path, strerror(-err));
	err = -reap(loaders[target]);
	loaders[target] = 0;
	return err;
}

/* Its exit would wait for the task that reads its file. */
static int rmmod(int target)
{
	if (target == SIM_MOD1 && held && held_in == SIM_MOD1_SHOW)
		return -EBUSY;
	return mod_unload(target_module(target));
}

/* The target's init, which is to come after @e, fails */
static bool init_fails(const struct sim_event *e, const struct sim_event *end)
{
	const struct sim_event *next;

	for (next = e + 1; next < end; next++)
		if (next->op == SIM_INIT && next->arg == e->arg)
			return next->par;
	return false;
}

/* Shadow variables: the patch performs the call, and shows what it has found. */

static int shadow(int patch, int par)
{
	char name[64], path[128], text[256];
	int ret;

	if (SIM_SHADOW_CALL(par) == SIM_AGAIN) {
		snprintf(text, sizeof(text), "%d", SIM_SHADOW_PARENT(par));
		return file_write("/sys/module/tp_pool/parameters/again", text);
	}
	/* Without, it has no functions that run. */
	if (!klp_present(module_of(patch, name, sizeof(name))))
		return -ENOENT;
	value_call(par, text, sizeof(text));
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/op", name);
	ret = file_write(path, text);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/seen", name);
	ret = file_read(path, text, sizeof(text));
	guest_must(ret > 0, "%s cannot be read", path);
	if (!value_seen(par, text, &seen.value))
		seen.warned = 1;
	return 0;
}

static int perform(const struct sim_event *e, const struct sim_event *end)
{
	switch (e->op) {
	case SIM_LOAD:
		return load(e);
	case SIM_UNLOAD:
		return unload(e->arg);
	case SIM_ENABLE:
		return write_attr(e->arg, "enabled", "1");
	case SIM_DISABLE:
		return write_attr(e->arg, "enabled", "0");
	case SIM_FORCE:
		return write_attr(e->arg, "force", "1");
	case SIM_ENTER:
		return enter(e->arg);
	case SIM_LEAVE:
		return leave();
	case SIM_COMING:
		return coming(e->arg, e->par == SIM_PAR_CORE, init_fails(e, end));
	case SIM_INIT:
		return init(e->arg);
	case SIM_RMMOD:
		return rmmod(e->arg);
	case SIM_SHADOW:
		return shadow(e->arg, e->par);
	default:
		guest_must(0, "an event that a VM cannot do");
		return 0;
	}
}

/*
 * What can be seen
 */

/* "tp_a1 57344 1 - Live 0xffffffffc0000000" */
static void see_module(const char *line)
{
	char name[64], state[16];
	int refs, i;

	if (sscanf(line, "%63s %*u %d %*s %15s", name, &refs, state) != 3)
		return;
	i = patch_called(name, strlen(name));
	if (i >= 0) {
		seen.loaded[i] = 1;
		seen.refs[i] = refs;
		return;
	}
	for (i = 0; i < SIM_NR_TARGETS; i++)
		if (!strcmp(name, target_module(i))) {
			seen.target[i] = strcmp(state, "Live") ? 1 : 2;
			seen.target_refs[i] = refs;
		}
}

static void see_modules(void)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen("/proc/modules", "re");

	guest_must(!!file, "/proc/modules cannot be read");
	while (getline(&line, &size, file) > 0)
		see_module(line);
	free(line);
	fclose(file);
}

static void see_patches(void)
{
	const char *name;
	size_t k;
	glob_t g;
	int i;

	if (!glob("/sys/kernel/livepatch/*", 0, NULL, &g))
		for (k = 0; k < g.gl_pathc; k++) {
			name = strrchr(g.gl_pathv[k], '/') + 1;
			i = patch_called(name, strlen(name));
			if (i < 0)
				continue;
			seen.present[i] = 1;
			seen.enabled[i] = klp_enabled(name) == 1;
			seen.transition[i] = klp_transition(name) == 1;
		}
	globfree(&g);
}

static void see_functions(void)
{
	char text[4096];
	int i;

	for (i = 0; i < SIM_NR_FUNCS; i++) {
		seen.runs[i] = -2;
		if (file_read(func_files[i], text, sizeof(text)) <= 0)
			continue;
		seen.runs[i] = strncmp(text, "patch=", 6) ? -1 :
			patch_called(text + 6, strcspn(text + 6, " \n"));
	}
}

static int phase_called(const char *name)
{
	int i;

	for (i = 0; i < SIM_NR_PHASES; i++)
		if (!strcmp(name, phase_names[i]))
			return i;
	return SIM_NONE;
}

static void see_holders(struct sim_record *r, char *words)
{
	char *word, *save, *phase;
	int patch;

	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		phase = strchr(word, ':');
		if (*word == '+' || !phase)
			continue;
		patch = patch_called(word, phase - word);
		if (patch < 0 || !phase_called(phase + 1))
			seen.warned = 1;
		else
			r->phase[patch] = phase_called(phase + 1);
	}
}

/* "101 1 40 F vmlinux alpha tp_a1:live" */
static void see_record(char *line)
{
	struct sim_record *r = &seen.records[seen.nr_records];
	char flags[8], object[64], name[32];
	int version, end;

	if (sscanf(line, "%*u %d %*u %7s %63s %31s%n", &version, flags, object, name, &end) != 4 ||
	    seen.nr_records == SIM_MAX_RECORDS || strlen(name) > sizeof(r->name)) {
		seen.warned = 1;
		return;
	}
	memset(r, 0, sizeof(*r));
	memcpy(r->name, name, strlen(name));
	r->version = version;
	r->forced = !!strchr(flags, 'F');
	r->target = !strcmp(object, "vmlinux") ? -1 :
		!strcmp(object, target_module(SIM_MOD1)) ? SIM_MOD1 : SIM_MOD2;
	see_holders(r, line + end);
	seen.nr_records++;
}

static void see_records(void)
{
	char path[128], name[64], list[8192], *line, *save;
	int i;

	seen.nr_records = -1;
	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (seen.loaded[i] && i != SIM_raw && i != SIM_rawm)
			break;
	if (i == SIM_NR_PATCHES)
		return;
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/klp_sdk_states",
		 module_of(i, name, sizeof(name)));
	guest_must(file_read(path, list, sizeof(list)) > 0, "%s cannot be read", path);
	seen.nr_records = 0;
	strtok_r(list, "\n", &save);
	while ((line = strtok_r(NULL, "\n", &save)))
		see_record(line);
}

static void see(void)
{
	see_modules();
	see_patches();
	see_functions();
	see_records();
	seen.level = file_int("/proc/sys/kernel/printk");
	read_messages();
}

/*
 * Sequences
 */

static void put_text(const char *of, const char *text, const char *other)
{
	char copy[32768], *line, *save, *at;
	size_t len;

	snprintf(copy, sizeof(copy), "%s", text);
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		len = strlen(line);
		for (at = strstr(other, line); at; at = strstr(at + 1, line))
			if ((at == other || at[-1] == '\n') && at[len] == '\n')
				break;
		out("# %s%s %s", of, at ? " " : "!", line);
	}
}

/* One event and the ticks behind it; true if all that is seen is as in the simulation */
static bool same(const char *name, const struct sim_event *e, const struct sim_event *end,
		 const char *want)
{
	static char text[32768];
	int ret;

	memset(&seen, 0, sizeof(seen));
	log_len = 0;
	event_log[0] = '\0';
	ret = perform(e, end);
	settle();
	see();
	seen.ret = ret;
	text_seen(&seen, text, sizeof(text));
	if (!strcmp(text, want))
		return true;
	out("# after '%s' the simulation and the VM differ:", name);
	put_text("sim", want, text);
	put_text("vm ", text, want);
	put_text("log", event_log, event_log);
	return false;
}

/* Its objects count how often they were born. */
static void renew_pool(void)
{
	if (!mod_unload("tp_pool"))
		guest_must(!mod_load("tp_pool", ""), "tp_pool does not load again");
}

/* All that can leave does; true if nothing stays */
static bool clean(void)
{
	char name[64];
	bool left = false;
	int i;

	leave();
	for (i = 0; i < SIM_NR_TARGETS; i++)
		init(i);
	settle();
	for (i = 0; i < SIM_NR_PATCHES; i++)
		if (klp_enabled(module_of(i, name, sizeof(name))) == 1) {
			write_attr(i, "enabled", "0");
			settle();
		}
	for (i = 0; i < SIM_NR_PATCHES; i++)
		unload(i);
	for (i = 0; i < SIM_NR_TARGETS; i++)
		rmmod(i);
	renew_pool();
	memset(&seen, 0, sizeof(seen));
	see();
	for (i = 0; i < SIM_NR_PATCHES; i++)
		left |= seen.loaded[i];
	for (i = 0; i < SIM_NR_TARGETS; i++)
		left |= seen.target[i];
	return !left && seen.level == 7;
}

static int nr_events;

/* @text: the sequence's lines behind its name */
static bool replay(char *text)
{
	struct sim_event events[MAX_EVENTS], *at = events, now[MAX_EVENTS];
	char *name, *want, *next;
	int nr = 0, n;

	/* The names of all events, to look ahead */
	for (name = text; name; name = next ? next + 1 : NULL) {
		name += *name == '#';
		want = strchr(name, '\n');
		*want = '\0';
		n = text_parse(name, now, MAX_EVENTS - nr);
		*want = '\n';
		guest_must(n > 0, FILE_NAME " is no output of sim --show");
		memcpy(events + nr, now, n * sizeof(*now));
		nr += n;
		next = strstr(want, "\n#");
	}
	for (name = text; name; name = next) {
		name += 2;
		want = strchr(name, '\n');
		*want++ = '\0';
		next = strstr(want, "\n#");
		if (next)
			*++next = '\0';
		nr_events++;
		if (!same(name, at, events + nr, want))
			return false;
		at += text_parse(name, now, MAX_EVENTS);
		if (next)
			*next = '#';
	}
	return true;
}

/* Where the next sequence begins, or the end of the text */
static char *next_sequence(char *text)
{
	char *is = strstr(text, "\n= "), *stays = strstr(text, "\n! ");

	if (!is || (stays && stays < is))
		is = stays;
	return is ? is + 1 : NULL;
}

static char *read_file(const char *path)
{
	struct stat st;
	char *text;

	guest_must(!stat(path, &st), "no file %s", path);
	text = malloc(st.st_size + 1);
	guest_must(text && file_read(path, text, st.st_size + 1) == st.st_size,
		   "%s cannot be read", path);
	return text;
}

static bool run(char *sequence, int number)
{
	bool good, stays = *sequence == '!';
	char *events = strchr(sequence, '\n');

	*events++ = '\0';
	out("# klp-sdk: run %s", sequence + 2);
	good = replay(events);
	out("%sok %d - %s", good ? "" : "not ", number, sequence + 2);
	return clean() || stays;
}

int main(void)
{
	char *text, *at, *next, *sequence;
	int nr = 0, number = 0;
	bool stops;
	long began;

	guest_boot();
	guest_must(!mod_load("klp_sdk_hold", "") && !mod_load("tp_pool", ""),
		   "klp_sdk_hold or tp_pool does not load");
	file_write("/proc/sys/kernel/printk", "7");
	text = read_file(FILE_NAME);
	guest_must(*text == '=' || *text == '!', FILE_NAME " is no output of sim --show");
	for (at = text; at; at = next_sequence(at))
		nr++;
	out("KTAP version 1");
	out("1..%d", nr);
	read_messages();
	began = now_ms();
	for (at = text; at; at = next) {
		next = next_sequence(at);
		sequence = next ? strndup(at, next - at) : strdup(at);
		guest_must(!!sequence, "no memory for a sequence");
		stops = !run(sequence, ++number);
		free(sequence);
		if (stops && next) {
			out("# something stays: the other sequences need another VM");
			break;
		}
	}
	out("# klp-sdk: events %d in %ld ms of the guest's time", nr_events, now_ms() - began);
	guest_end();
}
