/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the contract share: what the patched function shows now,
 * and the tests that have a file of their own.
 */
#ifndef _CONTRACT_H
#define _CONTRACT_H

#include <stdbool.h>
#include <sys/types.h>

#define BASE_LEVEL	5
#define RAISED_LEVEL	15

/* Read what the patched function shows, for val(), num() and ptr(). */
void show(void);
const char *shown(void);
const char *val(const char *key);
long num(const char *key);
unsigned long ptr(const char *key);

/* Steps of a test; each checks what it does. */
void check_works(const char *name);
void load(const char *name);
void load_over(const char *name, const char *old);
void disable(const char *name);
void refused(const char *name, const char *params, int error);
int exhaust(const char *name, int least);
/* Start to enable or disable while a task sleeps in the patched function. */
pid_t begin_load(const char *name);
pid_t begin_disable(const char *name);
void release(pid_t pid);
void reverse(const char *name, pid_t pid, bool gone);
/* Just these lines of the test patches came since the mark; ended by NULL. */
void events(const char *first, ...);
/* The one line of the SDK has all these words; ended by NULL. */
void says(const char *first, ...);
/* The list of live states that @patch shows has these; ended by NULL. */
void view(const char *patch, const char *first, ...);

/* Have the system's records say @value for @name, see modules/klp_sdk_poke.c. */
void poke(const char *name, const char *value);
/* With the value @wrong they are another release's; @right is restored. */
void refused_poked(const char *name, const char *wrong, const char *right);

/* A patch was forced out: what it held is leaked, and its module stays. */
extern bool forced;
/* Force the transition of @name. */
void force(const char *name);
/* The same, and let the tasks run on that hold it; @pid is one of them. */
void force_past(const char *name, pid_t pid);

/* Load tp_mod2 with "wait=1" in @params, until it waits in its init; and to the end. */
void begin_coming(char *params);
void end_coming(int status);

/* Memory that a module leaves behind is not accounted to it; skips if nothing is. */
void need_accounts(void);
void accounted(const char *module);

/* Nothing that outlives the patches leads into a module that is gone. */
void check_dangling(void);

/* The records agree with each other; no transition runs. */
void check_records(void);

/* What is looked at before an index says the same as the index. */
void check_fronts(void);

void test_random(void);
void test_19_random(void);

/* objects.c */
void test_17_comes_and_goes(void);
void test_17_loaded_before(void);
void test_17_init_fails(void);
void test_17_pre_patch_fails(void);
void test_17_no_memory(void);
void test_17_after_replace(void);
void test_17_refused_while_absent(void);
void test_17_stacked(void);
void test_18_order(void);
void test_18_enable(void);
void test_18_disable(void);
void test_18_replace_same_version(void);
void test_18_replace_older(void);
void test_18_downgrade(void);
void test_18_undeclared(void);
void test_18_retire(void);
void test_18_stacked(void);
void test_18_stacked_leave(void);
void test_18_replace_several(void);
void test_18_module_refused(void);
void test_23_many(void);
void test_23_each_fails(void);
void test_23_no_memory(void);
void test_23_reversed(void);
void test_24_object(void);
void test_25_objects_added(void);
void test_19_module_pinned(void);
void test_19_forced_then_raw(void);
void test_10_back_module(void);
void test_18_back(void);
void test_03_module(void);
void test_09_module(void);
void test_20_module(void);
void test_20_module_older(void);
void test_21_module(void);
void test_21_module_between(void);
void test_21_module_address(void);
void test_17_room(void);

/* corners.c */
void test_03_raw_no_memory(void);
void test_06_stacked_above(void);
void test_09_other_size(void);
void test_10_back_other_size(void);
void test_12_retire_newer(void);
void test_14_one_stackable(void);
void test_15_stacked_older(void);
void test_17_no_room(void);
void test_18_prev_gone(void);
void test_19_forced_back(void);
void test_19_forced_dropped(void);
void test_19_forced_together(void);
void test_19_forced_shrunk(void);
void test_20_raw_absent(void);
void test_20_raw_live(void);
void test_20_raw_reader(void);
void test_21_patch_address(void);
void test_21_patch_forged(void);
void test_22_shadow_parts(void);
void test_26_reads_nothing(void);
void test_18_stacked_blocked(void);

/* force.c */
void test_19_orphan_of_module(void);
void test_19_given_up(void);

/* back.c */
void test_10_back(void);
void test_10_back_shared(void);
void test_10_back_in_transition(void);
void test_10_back_reader(void);
void test_10_back_again(void);
void test_13_back_reversed(void);
void test_02_back_no_memory(void);
void test_10_named(void);
void test_10_saved_early(void);
void test_10_pre_patch_fails(void);
void test_11_saved_early(void);
void test_15_advice(void);
void test_16_back_several(void);
void test_19_back_forced(void);

/* shadows.c */
void test_shadow_lives_with_state(void);
void test_shadow_address_reused(void);
void test_shadow_retired(void);
void test_shadow_retire_reversed(void);
void test_27_dropped_type(void);
void test_27_added_type_reversed(void);
void test_shadow_convert(void);
void test_shadow_convert_twice(void);
void test_shadow_straggler_refused(void);
void test_shadow_grow(void);
void test_10_shadow(void);
void test_10_shadow_version(void);
void test_13_shadow_older(void);
void test_11_shadow(void);
void test_14_shadow(void);
void test_17_shadow(void);
void test_20_shadow(void);
void test_24_shadow(void);
void test_26_accounts_shadow(void);
void test_shadow_many(void);
void test_shadow_ctor_fails(void);
void test_02_shadow_no_memory(void);
void test_02_shadow_added(void);
void test_17_shadow_no_memory(void);
void test_19_shadow(void);
void test_19_shadow_absent(void);
void test_19_shadow_layout(void);
void test_19_shadow_older(void);
void test_19_shadow_lost(void);
void test_26_shadow(void);
void test_19_shadow_downgrade(void);
void test_02_shadow_downgrade(void);

/* examples.c */
void test_example_shadow_lock(void);
void test_example_paired_ops(void);

void test_failslab_enable(void);
void test_failslab_convert(void);
void test_failslab_downgrade(void);
void test_failslab_back(void);
void test_failslab_undeclared(void);
void test_failslab_retire(void);
void test_failslab_raw(void);
void test_failslab_raw_convert(void);
void test_failslab_share(void);
void test_failslab_many(void);
void test_failslab_module(void);
void test_failslab_shadow(void);
void test_failslab_shadow_convert(void);
void test_failslab_disable(void);

/* smp.c, and corners.c, in a guest with several CPUs */
void stop_workers(void);
void test_smp_plain(void);
void test_smp_indexed(void);
void test_smp_grow(void);
void test_smp_all(void);
void test_smp_grace(void);

#endif /* _CONTRACT_H */
