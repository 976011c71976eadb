// SPDX-License-Identifier: GPL-2.0
/*
 * Locks, RCU, work items, completions and tasks. There is one CPU and nothing runs
 * beside an event, so a lock that is taken twice, or a wait for what only another
 * task could do, would be a deadlock and is called wrong. What is lost: all that is
 * concurrent. Work items run when the event ends, delayed ones when SIM_TICK says so.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/swait.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "kern.h"

unsigned long sim_irqs_off;
static int locks, mutexes, readers;

/*
 * Tasks: the one that does the events, and one that may sleep in a patched function. They
 * are large, and two fields of them are all that changes.
 */
struct task_struct init_task __sim_aside, sim_driver __sim_aside, sim_sleeper __sim_aside;
static struct task_struct *const tasks[] = { &init_task, &sim_driver, &sim_sleeper };
static u64 task_states[ARRAY_SIZE(tasks)];
static struct signal_struct signals[2];
static unsigned long sleeps_at;		/* in which version of a function; 0 if in none */
static int sleeps_in;			/* the function as it is called */

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
struct pcpu_hot pcpu_hot = {
	.current_task	= &sim_driver,
	.preempt_count	= PREEMPT_ENABLED,
};
asm(".globl const_pcpu_hot\n.set const_pcpu_hot, pcpu_hot");
#else
struct task_struct *current_task = &sim_driver;
int __preempt_count = PREEMPT_ENABLED;
#endif
unsigned long this_cpu_off;
unsigned int nr_cpu_ids = 1;
struct cpumask __cpu_possible_mask = { .bits = { 1 } };
struct cpumask __cpu_online_mask = { .bits = { 1 } };
rwlock_t tasklist_lock;
bool static_key_initialized = true;

asm(".globl preempt_schedule_thunk, preempt_schedule_notrace_thunk\n"
    "preempt_schedule_thunk:\npreempt_schedule_notrace_thunk:\nret");

static void add_task(struct task_struct *task, int nr)
{
	task->signal = &signals[nr];
	INIT_LIST_HEAD(&signals[nr].thread_head);
	list_add_tail(&task->thread_node, &signals[nr].thread_head);
	list_add_tail(&task->tasks, &init_task.tasks);
	task->group_leader = task;
}

static struct workqueue_struct *const no_queue = (struct workqueue_struct *)8;
struct workqueue_struct *system_wq, *system_percpu_wq;

void sim_sync_boot(void)
{
	INIT_LIST_HEAD(&init_task.tasks);
	init_task.patch_state = -1;
	sim_driver.patch_state = -1;
	sim_sleeper.patch_state = -1;
	add_task(&sim_driver, 0);
	add_task(&sim_sleeper, 1);
	system_wq = no_queue;
	system_percpu_wq = no_queue;
}

void sim_tasks_save(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		task_states[i] = (u32)tasks[i]->patch_state |
			(u64)test_tsk_thread_flag(tasks[i], TIF_PATCH_PENDING) << 32;
}

void sim_tasks_restore(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i]->patch_state = (int)task_states[i];
		update_tsk_thread_flag(tasks[i], TIF_PATCH_PENDING, task_states[i] >> 32);
	}
}

/* Locks */
static void lock(raw_spinlock_t *l)
{
	if (l->raw_lock.val.counter)
		sim_wrong("a spinlock is taken twice");
	l->raw_lock.val.counter = 1;
	locks++;
}

static void unlock(raw_spinlock_t *l)
{
	if (!l->raw_lock.val.counter)
		sim_wrong("a spinlock is released that nobody holds");
	l->raw_lock.val.counter = 0;
	locks--;
}

void _raw_spin_lock(raw_spinlock_t *l)
{
	lock(l);
}

void _raw_spin_unlock(raw_spinlock_t *l)
{
	unlock(l);
}

void _raw_spin_lock_bh(raw_spinlock_t *l)
{
	lock(l);
}

void _raw_spin_unlock_bh(raw_spinlock_t *l)
{
	unlock(l);
}

unsigned long _raw_spin_lock_irqsave(raw_spinlock_t *l)
{
	unsigned long off = sim_irqs_off;

	sim_irqs_off = 1;
	lock(l);
	return off;
}

void _raw_spin_unlock_irqrestore(raw_spinlock_t *l, unsigned long off)
{
	unlock(l);
	sim_irqs_off = off;
}

void _raw_read_lock(rwlock_t *l)
{
	locks++;
}

void _raw_read_unlock(rwlock_t *l)
{
	locks--;
}

void __local_bh_enable_ip(unsigned long ip, unsigned int cnt)
{
	preempt_count_sub(cnt);
}

void __mutex_init(struct mutex *m, const char *name, struct lock_class_key *key)
{
	atomic_long_set(&m->owner, 0);
}

static void may_sleep(const char *what)
{
	if (locks || readers || sim_irqs_off)
		sim_wrong("%s sleeps with a spinlock held, as an RCU reader or with interrupts off",
			  what);
}

void mutex_lock(struct mutex *m)
{
	may_sleep("mutex_lock()");
	if (atomic_long_read(&m->owner))
		sim_wrong("a mutex is taken twice");
	atomic_long_set(&m->owner, 1);
	mutexes++;
}

void mutex_unlock(struct mutex *m)
{
	if (!atomic_long_read(&m->owner))
		sim_wrong("a mutex is released that nobody holds");
	atomic_long_set(&m->owner, 0);
	mutexes--;
}

void cpus_read_lock(void)
{
	may_sleep("cpus_read_lock()");
}

void cpus_read_unlock(void)
{
}

/* An event has ended */
void sim_check_idle(void)
{
	if (locks || mutexes || readers || sim_irqs_off || preempt_count())
		sim_wrong("%d spinlocks, %d mutexes, %d RCU readers, preemption %d, interrupts %s at the end",
			  locks, mutexes, readers, preempt_count(), sim_irqs_off ? "off" : "on");
}

/* RCU: callbacks wait for a grace period, in their order */
static struct rcu_head *waiting, **waiting_end = &waiting;

void __rcu_read_lock(void)
{
	readers++;
}

void __rcu_read_unlock(void)
{
	if (--readers < 0)
		sim_wrong("rcu_read_unlock() without a reader");
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	head->next = NULL;
	head->func = func;
	*waiting_end = head;
	waiting_end = &head->next;
}

/* kfree_rcu() is told by a function that is none */
static void free_later(struct rcu_head *head)
{
	sim_wrong("a callback of kfree_rcu() was called");
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
void kvfree_call_rcu(struct rcu_head *head, void *ptr)
#else
void kvfree_call_rcu(struct rcu_head *head, rcu_callback_t ptr)
#endif
{
	if (!head)
		return sim_wrong("kfree_rcu() without a head is not simulated");
	call_rcu(head, free_later);
}

void sim_grace(void)
{
	if (readers)
		sim_wrong("a grace period is waited for by a reader");
	while (waiting) {
		struct rcu_head *head = waiting;
		size_t size;
		void *start;

		waiting = head->next;
		if (!waiting)
			waiting_end = &waiting;
		if (head->func != free_later)
			head->func(head);
		else if (sim_object_at(head, &start, &size) >= 0)
			kfree(start);
		else
			sim_wrong("kfree_rcu() of what is no object");
	}
}

void synchronize_rcu(void)
{
	may_sleep("synchronize_rcu()");
	sim_grace();
}

/* Work items */
static LIST_HEAD(works);
static struct delayed_work *delayed;

bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)
{
	if (!wq)
		sim_wrong("a work item is queued nowhere");
	if (test_and_set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work)))
		return false;
	list_add_tail(&work->entry, &works);
	return true;
}

bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *work,
			   unsigned long delay)
{
	if (test_and_set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(&work->work)))
		return false;
	if (delayed)
		sim_wrong("a second delayed work item: only one is simulated");
	delayed = work;
	return true;
}

void delayed_work_timer_fn(struct timer_list *t)
{
}

bool cancel_work_sync(struct work_struct *work)
{
	if (!test_and_clear_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work)))
		return false;
	list_del_init(&work->entry);
	return true;
}

int schedule_on_each_cpu(work_func_t func)
{
	struct work_struct work;

	may_sleep("schedule_on_each_cpu()");
	func(&work);
	return 0;
}

void sim_run_works(void)
{
	struct work_struct *work;

	while (!list_empty(&works)) {
		work = list_first_entry(&works, struct work_struct, entry);
		cancel_work_sync(work);
		work->func(work);
	}
}

bool sim_run_delayed(void)
{
	struct delayed_work *work = delayed;

	if (!work)
		return false;
	delayed = NULL;
	clear_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(&work->work));
	work->work.func(&work->work);
	return true;
}

void irq_work_sync(struct irq_work *work)
{
}

bool irq_work_queue(struct irq_work *work)
{
	return true;
}

/* Completions */
void __init_swait_queue_head(struct swait_queue_head *q, const char *name,
			     struct lock_class_key *key)
{
	INIT_LIST_HEAD(&q->task_list);
}

void complete(struct completion *x)
{
	if (x->done != UINT_MAX)
		x->done++;
}

void complete_all(struct completion *x)
{
	x->done = UINT_MAX;
}

void wait_for_completion(struct completion *x)
{
	may_sleep("wait_for_completion()");
	if (!x->done)
		return sim_wrong("a wait for what nobody completes");
	if (x->done != UINT_MAX)
		x->done--;
}

/* Waiting: an event would have to end what another one has begun */
void init_wait_entry(struct wait_queue_entry *entry, int flags)
{
}

long prepare_to_wait_event(struct wait_queue_head *head, struct wait_queue_entry *entry, int state)
{
	return 0;
}

void schedule(void)
{
	host_die("a task would wait for ever");
}

/* Tasks */
struct task_struct *idle_task(int cpu)
{
	return &init_task;
}

int task_curr(const struct task_struct *task)
{
	return task == &sim_driver;
}

int task_call_func(struct task_struct *task, task_call_f func, void *arg)
{
	return func(task, arg);
}

/* The sleeper's stack: the function that it is in, as a return address */
int stack_trace_save_tsk_reliable(struct task_struct *task, unsigned long *store,
				  unsigned int size)
{
	if (task != &sim_sleeper || !sleeps_at)
		return 0;
	store[0] = sleeps_at + 1;
	return 1;
}

void sim_enter(enum sim_func func)
{
	sleeps_at = sim_called(func, &sim_sleeper);
	sleeps_in = func;
}

/* The file in /proc that it reads is one of the module's */
bool sim_entered_in(enum sim_func func)
{
	return sleeps_at && sleeps_in == func;
}

bool sim_entered(void)
{
	return sleeps_at;
}

/* Back to user space, where the core has its hook */
static void exit_to_user(struct task_struct *task)
{
	if (test_tsk_thread_flag(task, TIF_PATCH_PENDING))
		klp_update_patch_state(task);
}

void sim_leave(void)
{
	sleeps_at = 0;
	exit_to_user(&sim_sleeper);
}

/* Of the task that does the events */
void sim_event_ends(void)
{
	exit_to_user(&sim_driver);
}

void kick_process(struct task_struct *task)
{
}

int wake_up_state(struct task_struct *task, unsigned int state)
{
	return 0;
}

void wake_up_if_idle(int cpu)
{
}

void msleep(unsigned int msecs)
{
	may_sleep("msleep()");
}

signed long schedule_timeout_uninterruptible(signed long timeout)
{
	may_sleep("schedule_timeout_uninterruptible()");
	sim_run_works();	/* meanwhile */
	return 0;
}

void __const_udelay(unsigned long xloops)
{
}

unsigned long round_jiffies_relative(unsigned long j)
{
	return j;
}

/* Nothing depends on it but where a table has its entries */
u32 get_random_u32(void)
{
	return 4;
}

int ___ratelimit(struct ratelimit_state *rs, const char *func)
{
	return 1;
}
