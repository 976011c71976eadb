// SPDX-License-Identifier: GPL-2.0
/*
 * Measures shadow variables: klp_shadow_*() as the kernel has it, and the plain and
 * the indexed types, side by side. A patch, for the types belong to a state; it
 * does what the guest writes to its parameter run, and shows the figures in
 * results, in tenths of a nanosecond.
 *
 * What is measured is type 1 of each backend. The raw calls have the id of the
 * plain type, so both find the same entries, which are made once. The types 2 to 4
 * are there to be in the way.
 *
 * Parents are addresses only, and are never read.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <klp-sdk/klp-sdk.h>

/* A batch fits ten times into the smallest number of shadows. */
#define BENCH_BATCH	100
#define BENCH_ROUNDS	96
#define BENCH_CHUNK	10000
#define BENCH_STRIDE	256
#define BENCH_PERIOD	(50 * NSEC_PER_USEC)
#define BENCH_KNOWN	(10 * NSEC_PER_MSEC)
#define BENCH_SPINS	2000000
/* A step that comes to all parents, and far apart. */
#define BENCH_PRIME	7919

#define BENCH_ID(_n)	(0xbe000 + (_n))

static unsigned int n = 1000;
module_param(n, uint, 0444);
MODULE_PARM_DESC(n, "shadow variables of each type");

static unsigned int ids = 1;
module_param(ids, uint, 0444);
MODULE_PARM_DESC(ids, "types of each backend that have them, 1 to 4");

static bool fastest;
module_param(fastest, bool, 0444);
MODULE_PARM_DESC(fastest, "take the fastest quarter of the batches, not the middle half");

struct bench_parent;

struct bench_value {
	u64 value;
};

#define BENCH_TYPES(_n)							\
	KLP_SDK_SHADOW(plain_##_n, struct bench_parent, struct bench_value, \
		       .id	= KLP_SDK_SHADOW_ID(BENCH_ID(_n)),	\
		       .version	= 1);					\
	KLP_SDK_SHADOW(indexed_##_n, struct bench_parent, struct bench_value, \
		       .id	= KLP_SDK_SHADOW_ID(BENCH_ID(0x10 + (_n))), \
		       .version	= 1,					\
		       .indexed	= true)

BENCH_TYPES(1);
BENCH_TYPES(2);
BENCH_TYPES(3);
BENCH_TYPES(4);

enum bench_backend {
	BENCH_RAW,
	BENCH_PLAIN,
	BENCH_INDEXED,
	BENCH_METHOD,		/* what the method itself takes and shows */
	BENCH_BACKENDS,
};

static const char *const bench_backends[] = { "raw", "plain", "indexed", "method" };

enum bench_op {
	BENCH_GET_HIT,
	BENCH_GET_MISS,
	BENCH_FREE,
	BENCH_ALLOC,
	BENCH_MEASURED,		/* by rounds, up to here */
	BENCH_FILL = BENCH_MEASURED,
	BENCH_FREE_ALL,
	BENCH_IRQS_OFF,
	BENCH_IRQS_OFF_LATER,	/* when the memory is freed, if not at once */
	/* of the method: */
	BENCH_LOOP,		/* around each call; not in the figures */
	BENCH_TICK,		/* of the watch; not in the figures */
	BENCH_IRQS_ON,		/* what the watch shows of no stretch */
	BENCH_IRQS_10_MS,	/* of a known one */
	BENCH_OPS,
};

static const char *const bench_ops[] = {
	"get_hit", "get_miss", "free", "alloc", "fill", "free_all", "irqs_off",
	"irqs_off_later",
	"loop", "tick", "irqs_on", "irqs_off_10_ms",
};

/* In tenths of a nanosecond; 0: not measured. */
static u64 bench_results[BENCH_OPS][BENCH_BACKENDS];

/*
 * The watch: a timer whose handler runs in hard interrupt context. By as much as it
 * comes late, interrupts were off; a stretch that began up to a period
 * before it was due is shown that much too short.
 */
static struct {
	struct hrtimer timer;
	struct task_struct *task;
	u64 latest;
	u64 ticks;		/* of these, while the task was running: */
	u64 mine;
	u64 cost;		/* of one tick, in nanoseconds */
	u64 ran;		/* the task, when the watch began */
} watch;

static enum hrtimer_restart bench_tick(struct hrtimer *timer)
{
	u64 late = ktime_get_ns() - ktime_to_ns(hrtimer_get_expires(timer));

	watch.latest = max(watch.latest, late);
	watch.ticks++;
	watch.mine += current == watch.task;
	hrtimer_forward_now(timer, BENCH_PERIOD);
	return HRTIMER_RESTART;
}

/* The CPU time of this task, which the scheduler adds up when it sleeps. */
static u64 bench_ran(void)
{
	schedule_timeout_uninterruptible(1);
	return current->se.sum_exec_runtime;
}

static void bench_watch(void)
{
	watch.task = current;
	watch.latest = 0;
	watch.ticks = 0;
	watch.mine = 0;
	watch.ran = bench_ran();
	hrtimer_init(&watch.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	watch.timer.function = bench_tick;
	hrtimer_start(&watch.timer, BENCH_PERIOD, HRTIMER_MODE_REL_PINNED_HARD);
}

/* Returns the task's CPU time without that of the watch. */
static u64 bench_unwatch(void)
{
	u64 ran;

	hrtimer_cancel(&watch.timer);
	ran = bench_ran() - watch.ran;
	return ran - min(ran, watch.mine * watch.cost);
}

static void bench_freed_all(enum bench_backend backend)
{
	bench_results[BENCH_FREE_ALL][backend] = div_u64(bench_unwatch() * 10, n);
	bench_results[BENCH_IRQS_OFF][backend] = watch.latest * 10;
}

static noinline void bench_spin(void)
{
	unsigned int i;

	for (i = 0; i < BENCH_SPINS; i++)
		barrier();
}

/* What the watch takes, what it shows of nothing, and of a known stretch. */
static void bench_calibrate(void)
{
	unsigned long flags;
	u64 ran, end;

	ran = bench_ran();
	bench_spin();
	ran = bench_ran() - ran;

	watch.cost = 0;
	bench_watch();
	bench_spin();
	watch.cost = bench_unwatch();
	watch.cost -= min(watch.cost, ran);
	watch.cost = div64_u64(watch.cost, max(watch.mine, 1ULL));
	bench_results[BENCH_TICK][BENCH_METHOD] = watch.cost * 10;
	bench_results[BENCH_IRQS_ON][BENCH_METHOD] = watch.latest * 10;

	bench_watch();
	local_irq_save(flags);
	end = ktime_get_ns() + BENCH_KNOWN;
	while (ktime_get_ns() < end)
		cpu_relax();
	local_irq_restore(flags);
	bench_unwatch();
	bench_results[BENCH_IRQS_10_MS][BENCH_METHOD] = watch.latest * 10;
}

/*
 * The states, undone in reverse: the types that are measured go first, each alone
 * under the watch, which the functions that run after it stop. The index is first,
 * for it leaves nothing to be freed later.
 */
struct bench_nothing {
	int unused;
};

static void bench_begins(struct bench_nothing *s)
{
	bench_watch();
}

static void bench_indexed_gone(struct bench_nothing *s)
{
	bench_freed_all(BENCH_INDEXED);
	bench_watch();
}

static void bench_plain_gone(struct bench_nothing *s)
{
	bench_freed_all(BENCH_PLAIN);
}

KLP_SDK_STATE(bench_others, struct bench_nothing,
	      .id		= KLP_SDK_STATE_ID(BENCH_ID(1)),
	      .version		= 1,
	      .shadows		= KLP_SDK_SHADOWS(&plain_2, &plain_3, &plain_4,
						  &indexed_2, &indexed_3,
						  &indexed_4));

KLP_SDK_STATE(bench_plain, struct bench_nothing,
	      .id		= KLP_SDK_STATE_ID(BENCH_ID(2)),
	      .version		= 1,
	      .post_unpatch	= bench_plain_gone,
	      .shadows		= KLP_SDK_SHADOWS(&plain_1));

KLP_SDK_STATE(bench_indexed, struct bench_nothing,
	      .id		= KLP_SDK_STATE_ID(BENCH_ID(3)),
	      .version		= 1,
	      .post_unpatch	= bench_indexed_gone,
	      .shadows		= KLP_SDK_SHADOWS(&indexed_1));

KLP_SDK_STATE(bench_begin, struct bench_nothing,
	      .id		= KLP_SDK_STATE_ID(BENCH_ID(4)),
	      .version		= 1,
	      .post_unpatch	= bench_begins);

static struct bench_parent *bench_parent(unsigned int i)
{
	return (void *)(PAGE_OFFSET + (unsigned long)i * BENCH_STRIDE);
}

static void *bench_raw_alloc(struct bench_parent *parent, unsigned int id)
{
	return klp_shadow_alloc(parent, BENCH_ID(id), sizeof(struct bench_value),
				GFP_KERNEL, NULL, NULL);
}

/* Filling. Values of all ids follow each other, as they would in use. */

static bool bench_fill_raw(struct bench_parent *parent)
{
	unsigned int id;

	for (id = 1; id <= ids; id++)
		if (!bench_raw_alloc(parent, id))
			return false;
	return true;
}

static bool bench_refill_raw(struct bench_parent *parent)
{
	return bench_raw_alloc(parent, 1);
}

static bool bench_fill_indexed(struct bench_parent *parent)
{
	return klp_sdk_shadow_alloc(indexed_1, parent, GFP_KERNEL, NULL) &&
	       (ids < 2 || klp_sdk_shadow_alloc(indexed_2, parent, GFP_KERNEL, NULL)) &&
	       (ids < 3 || klp_sdk_shadow_alloc(indexed_3, parent, GFP_KERNEL, NULL)) &&
	       (ids < 4 || klp_sdk_shadow_alloc(indexed_4, parent, GFP_KERNEL, NULL));
}

/* Parents from @from on, as many as fit into a call that others wait for. */
static int bench_fill(bool (*fill)(struct bench_parent *parent),
		      enum bench_backend backend, unsigned int from)
{
	unsigned int i, to = min(from + BENCH_CHUNK, n);
	u64 start = ktime_get_ns();

	for (i = from; i < to; i++) {
		if (!fill(bench_parent(i)))
			return -ENOMEM;
		cond_resched();
	}
	/* The sum, until all are there. */
	bench_results[BENCH_FILL][backend] += (ktime_get_ns() - start) * 10;
	if (to == n)
		bench_results[BENCH_FILL][backend] =
			div_u64(bench_results[BENCH_FILL][backend], n * ids);
	return 0;
}

/* One batch of each call; how many parents gave what @_call is true for. */
static struct bench_parent *bench_batch[BENCH_BATCH];

#define BENCH_CALLS(_name, _call)					\
	static noinline unsigned int _name(void)			\
	{								\
		unsigned int i, yes = 0;				\
									\
		for (i = 0; i < BENCH_BATCH; i++) {			\
			struct bench_parent *parent = READ_ONCE(bench_batch[i]); \
									\
			yes += !!(_call);				\
		}							\
		return yes;						\
	}								\
	static_assert(1, "")

BENCH_CALLS(bench_calls_none, parent);
BENCH_CALLS(bench_get_raw, klp_shadow_get(parent, BENCH_ID(1)));
BENCH_CALLS(bench_get_plain, klp_sdk_shadow_get(plain_1, parent));
BENCH_CALLS(bench_get_indexed, klp_sdk_shadow_get(indexed_1, parent));
BENCH_CALLS(bench_alloc_raw,
	    klp_shadow_alloc(parent, BENCH_ID(1), sizeof(struct bench_value),
			     GFP_KERNEL, NULL, NULL));
BENCH_CALLS(bench_alloc_plain,
	    klp_sdk_shadow_alloc(plain_1, parent, GFP_KERNEL, NULL));
BENCH_CALLS(bench_alloc_indexed,
	    klp_sdk_shadow_alloc(indexed_1, parent, GFP_KERNEL, NULL));
BENCH_CALLS(bench_free_raw, (klp_shadow_free(parent, BENCH_ID(1), NULL), true));
BENCH_CALLS(bench_free_plain, (klp_sdk_shadow_free(plain_1, parent), true));
BENCH_CALLS(bench_free_indexed, (klp_sdk_shadow_free(indexed_1, parent), true));

static unsigned int (*const bench_calls[BENCH_MEASURED][BENCH_METHOD])(void) = {
	[BENCH_GET_HIT]	 = { bench_get_raw, bench_get_plain, bench_get_indexed },
	[BENCH_GET_MISS] = { bench_get_raw, bench_get_plain, bench_get_indexed },
	[BENCH_ALLOC]	 = { bench_alloc_raw, bench_alloc_plain, bench_alloc_indexed },
	[BENCH_FREE]	 = { bench_free_raw, bench_free_plain, bench_free_indexed },
};

/*
 * The parents of one round: some that have none, or any of those that have. What
 * is freed and allocated again comes first in its chain after that, so each backend
 * has parents of its own for it.
 */
static void bench_choose(enum bench_op op, enum bench_backend backend,
			 unsigned int round)
{
	unsigned int i, k;

	if (op == BENCH_FREE || op == BENCH_ALLOC)
		round += (backend + 1) * BENCH_ROUNDS;
	for (i = 0; i < BENCH_BATCH; i++) {
		k = round * BENCH_BATCH + i;
		bench_batch[i] = bench_parent(op == BENCH_GET_MISS ? n + k :
					      k * BENCH_PRIME % n);
	}
}

static u64 bench_time(unsigned int (*calls)(void), unsigned int *yes)
{
	u64 start = ktime_get_ns();

	*yes = calls();
	return ktime_get_ns() - start;
}

static int bench_compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

/*
 * The mean of the middle half: a median would take or leave the new slab that
 * most batches of allocations need, but not all. In real time, of the
 * fastest quarter: what else the host did is in the others.
 */
static u64 bench_mean(u64 *times)
{
	unsigned int i, from = fastest ? 0 : BENCH_ROUNDS / 4;
	unsigned int to = from + BENCH_ROUNDS / (fastest ? 4 : 2);
	u64 sum = 0;

	sort(times, BENCH_ROUNDS, sizeof(*times), bench_compare, NULL);
	for (i = from; i < to; i++)
		sum += times[i];
	return div_u64(sum, to - from);
}

static u64 bench_times[BENCH_MEASURED][BENCH_BACKENDS][BENCH_ROUNDS];

/* One batch of each operation; what was freed is allocated again. */
static int bench_round(unsigned int round, enum bench_backend backend)
{
	enum bench_op op;
	unsigned int yes;

	for (op = 0; op < BENCH_MEASURED; op++) {
		bench_choose(op, backend, round);
		bench_times[op][backend][round] =
			bench_time(bench_calls[op][backend], &yes);
		if (yes != (op == BENCH_GET_MISS ? 0 : BENCH_BATCH)) {
			pr_err("bench: %s of %s: %u of %u\n", bench_ops[op],
			       bench_backends[backend], yes, BENCH_BATCH);
			return -EIO;
		}
	}

	return 0;
}

static int bench_measure(void)
{
	unsigned int round, i, yes;
	enum bench_backend backend;
	enum bench_op op;
	u64 none;
	int ret;

	/* In turn, so that whatever disturbs one disturbs all. */
	for (round = 0; round < BENCH_ROUNDS; round++) {
		bench_times[0][BENCH_METHOD][round] =
			bench_time(bench_calls_none, &yes);
		for (i = 0; i < BENCH_METHOD; i++) {
			ret = bench_round(round, (round + i) % BENCH_METHOD);
			if (ret)
				return ret;
		}
		cond_resched();
	}

	none = bench_mean(bench_times[0][BENCH_METHOD]);
	bench_results[BENCH_LOOP][BENCH_METHOD] = div_u64(none * 10, BENCH_BATCH);
	for (op = 0; op < BENCH_MEASURED; op++)
		for (backend = 0; backend < BENCH_METHOD; backend++)
			bench_results[op][backend] =
				div_u64((bench_mean(bench_times[op][backend]) -
					 none) * 10, BENCH_BATCH);
	return 0;
}

static int bench_run(const char *val, const struct kernel_param *kp)
{
	unsigned int from = 0;
	char what[16];
	int ret;

	if (!klp_sdk_live(bench_begin))
		return -EAGAIN;
	if (sscanf(val, "%15s %u", what, &from) < 1)
		return -EINVAL;

	if (!strcmp(what, "fill")) {
		ret = bench_fill(bench_fill_raw, BENCH_RAW, from);
		return ret ? : bench_fill(bench_fill_indexed, BENCH_INDEXED, from);
	}
	if (!strcmp(what, "refill"))
		return bench_fill(bench_refill_raw, BENCH_METHOD, from);
	if (!strcmp(what, "calibrate")) {
		bench_calibrate();
		return 0;
	}
	if (!strcmp(what, "measure"))
		return bench_measure();
	if (!strcmp(what, "free_all")) {
		bench_watch();
		klp_shadow_free_all(BENCH_ID(1), NULL);
		bench_freed_all(BENCH_RAW);
		/* kfree_rcu() takes some seconds. */
		bench_watch();
		ssleep(10);
		bench_unwatch();
		bench_results[BENCH_IRQS_OFF_LATER][BENCH_RAW] = watch.latest * 10;
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops bench_run_ops = {
	.set = bench_run,
};

module_param_cb(run, &bench_run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "what to do: calibrate, fill FROM, measure, free_all, refill FROM");

static int bench_show_results(char *buf, const struct kernel_param *kp)
{
	enum bench_backend backend;
	enum bench_op op;
	int len = 0;

	for (op = 0; op < BENCH_OPS; op++)
		for (backend = 0; backend < BENCH_BACKENDS; backend++)
			if (bench_results[op][backend])
				len += scnprintf(buf + len, PAGE_SIZE - len,
						 "%s %s %llu\n",
						 bench_backends[backend],
						 bench_ops[op],
						 bench_results[op][backend]);
	return len;
}

static const struct kernel_param_ops bench_results_ops = {
	.get = bench_show_results,
};

module_param_cb(results, &bench_results_ops, NULL, 0444);
MODULE_PARM_DESC(results, "backend, operation, tenths of a nanosecond");

/* A patch must change something. */
static int bench_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "bench\n");
	return 0;
}

static struct klp_func bench_funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = bench_cmdline_proc_show },
	{ }
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, bench_funcs)),
	      .states	= KLP_SDK_STATES(&bench_others, &bench_plain,
					 &bench_indexed, &bench_begin),
	      .replace	= true);

MODULE_DESCRIPTION("klp-sdk: measures shadow variables");
MODULE_LICENSE("GPL");
