// SPDX-License-Identifier: GPL-2.0
/*
 * The functions that patches change, their names, and ftrace: a function that is called
 * asks the handler of the core which version is to run. What is lost: real call sites and
 * their patching, and that a handler can be running while it is taken away.
 */
#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/seq_file.h>
#include <linux/version.h>

#include "kern.h"

/* The originals; that of tp_mod1 is the module's own. */
static noinline int cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "original\n");
	return 0;
}

static noinline int version_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "original\n");
	return 1;
}

static noinline int loadavg_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "original\n");
	return 2;
}

extern int sim_mod1_show(struct seq_file *m, void *v);

/* What only stories change: nobody sleeps in there. */
#define SIM_LOADAVG	SIM_NR_FUNCS
#define NR_FUNCS	(SIM_NR_FUNCS + 1)

static const struct {
	const char *name, *object;
	int (*fn)(struct seq_file *m, void *v);
} funcs[NR_FUNCS] = {
	[SIM_CMDLINE]	= { "cmdline_proc_show", NULL, cmdline_proc_show },
	[SIM_VERSION]	= { "version_proc_show", NULL, version_proc_show },
	[SIM_LOADAVG]	= { "loadavg_proc_show", NULL, loadavg_proc_show },
	[SIM_MOD1_SHOW]	= { "tp_mod1_show", "tp_mod1", sim_mod1_show },
};

static struct {
	struct ftrace_ops *ops;
	bool registered;
} traced[NR_FUNCS];

unsigned long sim_func(enum sim_func func)
{
	return (unsigned long)funcs[func].fn;
}

static int func_at(unsigned long ip)
{
	int i;

	for (i = 0; i < NR_FUNCS; i++)
		if (sim_func(i) == ip)
			return i;
	return -1;
}

unsigned long ftrace_location(unsigned long ip)
{
	return func_at(ip) < 0 ? 0 : ip;
}

int ftrace_set_filter_ip(struct ftrace_ops *ops, unsigned long ip, int remove, int reset)
{
	int func = func_at(ip);

	if (func < 0)
		return -EINVAL;
	if (traced[func].ops && traced[func].ops != ops)
		sim_wrong("two sets of ftrace_ops for one function");
	traced[func].ops = remove ? NULL : ops;
	return 0;
}

static int of_ops(struct ftrace_ops *ops)
{
	int i;

	for (i = 0; i < NR_FUNCS; i++)
		if (traced[i].ops == ops)
			return i;
	return -1;
}

int register_ftrace_function(struct ftrace_ops *ops)
{
	int func = of_ops(ops);

	if (sim_now.fail_core) {
		sim_now.seen->injected = 2;
		return -EBUSY;
	}
	if (func < 0 || traced[func].registered)
		return -EINVAL;
	traced[func].registered = true;
	return 0;
}

int unregister_ftrace_function(struct ftrace_ops *ops)
{
	int func = of_ops(ops);

	if (func < 0 || !traced[func].registered)
		return -EINVAL;
	traced[func].registered = false;
	return 0;
}

/* What runs if @task calls @func now */
unsigned long sim_called(enum sim_func func, struct task_struct *task)
{
	struct ftrace_ops *ops = traced[func].ops;
	unsigned long ip = sim_func(func);
	struct task_struct *before = current;
	struct pt_regs regs = { .ip = ip };

	if (!ops || !traced[func].registered)
		return ip;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	pcpu_hot.current_task = task;
	ops->func(ip, 0, ops, (struct ftrace_regs *)&regs);
	pcpu_hot.current_task = before;
#else
	current_task = task;
	ops->func(ip, 0, ops, (struct ftrace_regs *)&regs);
	current_task = before;
#endif
	return regs.ip;
}

/* As by a task that reads the file; what the function says is in the log then. */
int sim_call(enum sim_func func)
{
	static char text[1024] __sim_aside;
	struct seq_file m = { .buf = text, .size = sizeof(text) - 1 };
	int (*fn)(struct seq_file *m, void *v);

	if (func == SIM_MOD1_SHOW && !sim_is_live(SIM_NR_PATCHES + SIM_MOD1))
		return -ENOENT;
	fn = (void *)sim_called(func, &sim_driver);
	fn(&m, NULL);
	text[m.count] = '\0';
	if (strstr(text, "BAD") || strstr(text, "magic=0"))
		sim_wrong("a patched function found wrong data: %s", text);
	return 0;
}

/* Symbols. A function in the program is 16 bytes long for all that matters here. */
int kallsyms_lookup_size_offset(unsigned long addr, unsigned long *size, unsigned long *offset)
{
	*size = 16;
	if (offset)
		*offset = 0;
	return 1;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
int kallsyms_on_each_match_symbol(int (*fn)(void *, unsigned long), const char *name, void *data)
{
	int i, ret;

	for (i = 0; i < NR_FUNCS; i++) {
		ret = !funcs[i].object && !strcmp(funcs[i].name, name) ?
		      fn(data, sim_func(i)) : 0;
		if (ret)
			return ret;
	}
	return 0;
}

int module_kallsyms_on_each_symbol(const char *modname,
				   int (*fn)(void *, const char *, unsigned long), void *data)
{
	int i, ret;

	for (i = 0; i < NR_FUNCS; i++) {
		ret = funcs[i].object && !strcmp(funcs[i].object, modname) ?
		      fn(data, funcs[i].name, sim_func(i)) : 0;
		if (ret)
			return ret;
	}
	return 0;
}
#else
int kallsyms_on_each_symbol(int (*fn)(void *, const char *, struct module *, unsigned long),
			    void *data)
{
	int i, ret;

	for (i = 0; i < NR_FUNCS; i++) {
		ret = funcs[i].object ? 0 : fn(data, funcs[i].name, NULL, sim_func(i));
		if (ret)
			return ret;
	}
	return 0;
}

int module_kallsyms_on_each_symbol(int (*fn)(void *, const char *, struct module *,
					     unsigned long), void *data)
{
	struct module *mod;
	int i, ret;

	for (i = 0; i < NR_FUNCS; i++) {
		mod = funcs[i].object ? find_module(funcs[i].object) : NULL;
		ret = mod ? fn(data, funcs[i].name, mod, sim_func(i)) : 0;
		if (ret)
			return ret;
	}
	return 0;
}
#endif
