// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of tpc-pool.h, with a file in /proc for each worker, which the test
 * patches put to use, and one to check it when no worker runs.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "tpc-pool.h"

/* A worker in this many stays in the patched function, and old code is in use. */
#define TPC_LINGER	3
#define TPC_LINGER_MS	100

struct tpc_pool tpc_pool;
EXPORT_SYMBOL_GPL(tpc_pool);

module_param_named(types, tpc_pool.types, uint, 0444);
MODULE_PARM_DESC(types, "the types of shadow variables that are used, as bits");

static noinline int tpc_show(struct seq_file *m, void *v)
{
	int i, type, tokens = 0;

	if (m->private)
		return 0;
	for (i = 0; i < TPC_PARENTS; i++)
		for (type = 0; type < TPC_TYPES; type++)
			tokens += !!atomic_read(&tpc_pool.parents[i].tokens[type]);
	seq_printf(m, "patch=none bad=%d tokens=%d\n",
		   atomic_read(&tpc_pool.bad), tokens);
	return 0;
}

static int __init tpc_init(void)
{
	struct proc_dir_entry *dir = proc_mkdir("tp_smp", NULL);
	struct tpc_worker *w;
	char name[8];
	int i;

	if (!dir)
		return -ENOMEM;
	for (i = 0; i < TPC_PARENTS; i++)
		tpc_pool.parents[i].nr = i;
	if (!proc_create_single("check", 0444, dir, tpc_show))
		goto no_memory;
	for (i = 0; i < TPC_WORKERS; i++) {
		w = &tpc_pool.workers[i];
		w->nr = i;
		w->linger = i % TPC_LINGER ? 0 : TPC_LINGER_MS;
		w->random = i + 1;
		snprintf(name, sizeof(name), "%d", i);
		if (!proc_create_single_data(name, 0444, dir, tpc_show, w))
			goto no_memory;
	}
	return 0;

no_memory:
	remove_proc_subtree("tp_smp", NULL);
	return -ENOMEM;
}
module_init(tpc_init);

static void __exit tpc_exit(void)
{
	remove_proc_subtree("tp_smp", NULL);
}
module_exit(tpc_exit);

MODULE_DESCRIPTION("klp-sdk test: parents of shadow variables");
MODULE_LICENSE("GPL");
