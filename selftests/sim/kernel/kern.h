/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the simulation's kernel side have in common. They are compiled
 * with the kernel's headers; host.c alone sees those of libc.
 */
#ifndef _SIM_KERN_H
#define _SIM_KERN_H

#include <linux/ftrace.h>
#include <linux/kobject.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/types.h>
#include <linux/version.h>

#include "../sim.h"

/* Numbers of loads are told by their upper half */
#define SIM_LOAD_NR	0x5d0a5d0a00000000ULL

/* Not part of what is saved, restored and hashed: tools of the simulation itself */
#define __sim_aside	__section(".sim_aside")

/* A module that is linked into the program; image.c has the table */
struct sim_module {
	const char *name;
	char *text, *data, *end;	/* whole pages */
	char *init_text, *init_data;	/* behind data, what the loader would free */
	const struct kernel_param *params, *params_end;
	struct module *mod;		/* in its data */
	int (*init)(void);
	void (*exit)(void);
	bool livepatch;
};

extern const struct sim_module sim_modules[SIM_NR_MODULES];

/* The module that has @addr, loaded or not; -1 if none has */
int sim_module_at(const void *addr);
bool sim_is_live(int nr);
/* Is there something to read at @addr, as far as the kernel side is concerned? */
bool sim_readable(const void *addr);

/* The current event */
struct sim_current {
	struct sim_seen *seen;
	int fail_alloc;			/* counts down to the one that fails */
	bool fail_core;
};

extern struct sim_current sim_now;
extern bool sim_verbose;

/* A mistake that the machine would have reported, or died of */
__printf(1, 2) void sim_wrong(const char *fmt, ...);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
ssize_t sized_strscpy(char *dst, const char *src, size_t size);
#endif
int sim_vsnprintf(char *buf, size_t size, const char *fmt, va_list args);

/* memory.c */
void sim_memory_boot(void);
bool sim_arena_has(const void *addr);
int sim_allocated(void);
/* The object that has @addr, numbered from 0, and its offset; -1 if none or free */
int sim_object_at(const void *addr, void **start, size_t *size);
int sim_objects(void);
size_t sim_memory_save(char *to);
void sim_memory_restore(const char **from);

/* sync.c */
extern struct task_struct sim_driver, sim_sleeper;
void sim_sync_boot(void);
void sim_tasks_save(void);
void sim_tasks_restore(void);
void sim_run_works(void);
bool sim_run_delayed(void);
void sim_grace(void);
void sim_check_idle(void);		/* no lock is held, no reader, interrupts on */
void sim_enter(enum sim_func func);	/* the sleeper */
bool sim_entered_in(enum sim_func func);
void sim_leave(void);
bool sim_entered(void);
void sim_event_ends(void);

/* module.c */
void sim_module_boot(void);
void sim_modules_protect(void);	/* as sim_is_loaded[] says */
const void *sim_pristine(int nr);	/* its data before it was ever loaded */
extern unsigned char sim_is_loaded[SIM_NR_MODULES];
int sim_insmod(int nr);
int sim_rmmod(int nr);
int sim_coming(int nr);
int sim_init(int nr, bool fail);
int sim_param_set(int nr, const char *name, const char *val);
int sim_param_get(int nr, const char *name, char *page);
int sim_file_write(struct kobject *kobj, const char *name, const char *val);

/* view.c: what values and lists say, and pokes */
int sim_shadow(int nr, int par);
int sim_read(int nr);
void sim_saw_dtor(const char *type, size_t len);
extern struct seq_file *sim_seq;	/* of a function that is called */

/* reader.c: what functions of patches would find, before and after an event */
void sim_readers_begin(void);
void sim_readers_end(void);
void sim_readers_poked(void);

/* event.c */
extern struct list_head klp_patches;	/* the core's */
struct klp_patch *sim_patch_of(int nr);	/* as the core lists it, or NULL */

/* ftrace.c */
unsigned long sim_func(enum sim_func func);
int sim_call(enum sim_func func);		/* by the driver's task */
unsigned long sim_called(enum sim_func func, struct task_struct *task);

/* host.c, with libc */
void host_boot(void);
void host_die(const char *text);
void host_protect(void *start, unsigned long size, int on);
void *host_keep(const void *from, unsigned long size);	/* a copy for ever */
extern const bool sim_sanitized;	/* the next two do something */
void host_poison(void *addr, unsigned long size);	/* for AddressSanitizer */
void host_unpoison(void *addr, unsigned long size);
/* UD2 at @ip: 1 to go on behind it */
int sim_bug(unsigned long ip);

#endif /* _SIM_KERN_H */
