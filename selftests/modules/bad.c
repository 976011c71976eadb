// SPDX-License-Identifier: GPL-2.0
/*
 * A patch whose declaration is wrong, each time in a way of its own; the parameter says
 * in which. Without it, it is right.
 */
#include <linux/kallsyms.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <klp-sdk/klp-sdk.h>

/* Read by inject.h in the engine's objects. */
extern int tp_fail_alloc;
int tp_fail_alloc;

struct thing {
	int value;
};

struct parent {
	int value;
};

KLP_SDK_STATE(one, struct thing, .id = KLP_SDK_STATE_ID(601), .version = 1);
KLP_SDK_STATE(two, struct thing, .id = KLP_SDK_STATE_ID(602), .version = 1);
KLP_SDK_STATE(self, struct thing, .id = KLP_SDK_STATE_ID(603), .version = 1,
	      .object = KBUILD_MODNAME);
KLP_SDK_STATE(blank, struct thing, .id = KLP_SDK_STATE_ID(604), .version = 1,
	      .object = "tp_mod1\n");
KLP_SDK_STATE(empty, struct thing, .id = KLP_SDK_STATE_ID(605), .version = 1,
	      .object = "");

KLP_SDK_SHADOW(first, struct parent, struct thing,
	       .id = KLP_SDK_SHADOW_ID(0x601), .version = 1);
KLP_SDK_SHADOW(last, struct parent, struct thing,
	       .id = KLP_SDK_SHADOW_ID(0x602), .version = 1);
KLP_SDK_STATE(holes, struct thing, .id = KLP_SDK_STATE_ID(606), .version = 1,
	      .shadows = KLP_SDK_SHADOWS(&first, NULL, &last));

struct wider {
	int value;
	int more;
};

static void narrow(struct thing *s, const struct wider *old)
{
	s->value = old->value;
}

KLP_SDK_CONVERT_BACK(to_same, 2, struct thing, struct wider, narrow);
KLP_SDK_CONVERT_BACK(to_first, 1, struct thing, struct wider, narrow);
KLP_SDK_CONVERT_BACK(to_first_too, 1, struct thing, struct wider, narrow);
KLP_SDK_STATE(same, struct wider, .id = KLP_SDK_STATE_ID(607), .version = 2,
	      .back = { KLP_SDK_TO(to_same) });
KLP_SDK_STATE(both, struct wider, .id = KLP_SDK_STATE_ID(608), .version = 2,
	      .back = { KLP_SDK_TO(to_first), KLP_SDK_TO(to_first_too) });

/* Ways back to two versions, which is right. */
KLP_SDK_CONVERT_BACK(to_second, 2, struct thing, struct wider, narrow);
KLP_SDK_STATE(third, struct wider, .id = KLP_SDK_STATE_ID(609), .version = 3,
	      .back = { KLP_SDK_TO(to_second), KLP_SDK_TO(to_first) });

static void widen(struct wider *s, const struct thing *old)
{
	s->value = old->value;
}

KLP_SDK_CONVERT(from_first, 1, struct thing, struct wider, widen);
KLP_SDK_STATE(wide, struct wider, .id = KLP_SDK_STATE_ID(610), .version = 2,
	      .convert = { KLP_SDK_FROM(from_first) });
KLP_SDK_STATE(wide_too, struct wider, .id = KLP_SDK_STATE_ID(611), .version = 2,
	      .convert = { KLP_SDK_FROM(from_first) });

static int show(struct seq_file *m, void *v)
{
	seq_printf(m, "patch=%s\n", KBUILD_MODNAME);
	return 0;
}

static int __init show_early(struct seq_file *m, void *v)
{
	return 0;
}

/* One function in place of two. */
#define FUNCTIONS							\
	{ .old_name = "cmdline_proc_show", .new_func = show },		\
	{ .old_name = "loadavg_proc_show", .new_func = show },		\
	{ }

static struct klp_func funcs[] = { FUNCTIONS };
static struct klp_func others[] = { FUNCTIONS };
static struct klp_func early[] __initdata = { FUNCTIONS };
static char long_name[KSYM_NAME_LEN + 1];

/* An author may have written this by hand. */
static const struct klp_sdk_object own_objects[] = {
	KLP_SDK_OBJECT(NULL, funcs), { },
};

static struct klp_sdk_state *const own_states[] = { &one, NULL };

/* Lists that have a mistake, by the names of the cases. */
static const struct {
	const char *name;
	struct klp_sdk_patch patch;
} lists[] = {
	{ "object-twice", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp_mod1", funcs),
						    KLP_SDK_OBJECT("tp_mod1", others)) } },
	{ "object-self", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT(KBUILD_MODNAME, funcs)) } },
	{ "object-dash", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp-mod1", funcs)) } },
	{ "object-vmlinux", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("vmlinux", funcs)) } },
	{ "object-blank", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp_mod1 ", funcs)) } },
	{ "object-bare", { .objs = KLP_SDK_OBJECTS({ .name = "tp_mod1" },
						   KLP_SDK_OBJECT(NULL, funcs)) } },
	{ "object-empty", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp_mod1", others), { },
						    KLP_SDK_OBJECT(NULL, funcs)) } },
	{ "object-own", { .objs = own_objects } },
	{ "array-shared", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp_mod1", funcs),
						    KLP_SDK_OBJECT("tp_mod2", funcs)) } },
	{ "array-tail", { .objs = KLP_SDK_OBJECTS(KLP_SDK_OBJECT("tp_mod1", funcs),
						  { "tp_mod2", funcs + 1, 2 }) } },
	{ "array-head", { .objs = KLP_SDK_OBJECTS({ "tp_mod2", funcs + 1, 2 },
						  KLP_SDK_OBJECT("tp_mod1", funcs)) } },
	{ "state-null", { .states = KLP_SDK_STATES(&one, NULL, &two) } },
	{ "state-last", { .states = KLP_SDK_STATES(&one, NULL) } },
	{ "state-none", { .states = KLP_SDK_STATES(NULL) } },
	{ "state-first", { .states = KLP_SDK_STATES(NULL, &one) } },
	{ "state-twice", { .states = KLP_SDK_STATES(&one, &two, &one) } },
	{ "state-self", { .states = KLP_SDK_STATES(&self) } },
	{ "state-blank", { .states = KLP_SDK_STATES(&blank) } },
	{ "state-empty", { .states = KLP_SDK_STATES(&empty) } },
	{ "state-own", { .states = own_states } },
	{ "back-same", { .states = KLP_SDK_STATES(&same) } },
	{ "back-twice", { .states = KLP_SDK_STATES(&both) } },
	{ "back-two", { .states = KLP_SDK_STATES(&third) } },
	{ "convert-shared", { .states = KLP_SDK_STATES(&wide, &wide_too) } },
	{ "shadow-null", { .states = KLP_SDK_STATES(&holes) } },
	{ "nothing", { } },
};

KLP_SDK_PATCH(.objs	= KLP_SDK_OBJECTS(KLP_SDK_OBJECT(NULL, funcs)),
	      .states	= KLP_SDK_STATES(&one, &two));

/* A patch that is enabled when its module runs already. */
static struct klp_sdk_patch late = {
	.patch.mod	= THIS_MODULE,
	.replace	= true,
};

static bool spoil_list(const char *as)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(as, lists[i].name))
			continue;
		klp_sdk_patch.objs = lists[i].patch.objs;
		klp_sdk_patch.nr_objs = lists[i].patch.nr_objs;
		klp_sdk_patch.states = lists[i].patch.states;
		klp_sdk_patch.nr_listed = lists[i].patch.nr_listed;
		return true;
	}

	return false;
}

/* What the macros do not let through, as an author may write it by hand. */
static bool spoil_state(const char *as)
{
	static struct klp_sdk_state_props props;

	props = *wide.props;
	if (!strcmp(as, "state-id"))
		props.id = KLP_SDK_STATE_ID(0);
	else if (!strcmp(as, "state-version"))
		props.version = 0;
	else if (!strcmp(as, "state-size"))
		wide.size = 0;
	else if (!strcmp(as, "state-name"))
		wide.name = "a_name_of_a_state_that_is_longer_than_any_name_of_a_state_should_ever_be";
	else if (!strcmp(as, "state-retire"))
		props.retire = true;
	else if (!strcmp(as, "convert-hole"))
		swap(props.convert[0], props.convert[1]);
	else if (!strcmp(as, "convert-twice"))
		props.convert[1] = props.convert[0];
	else
		return false;

	wide.props = &props;
	one = wide;
	return true;
}

static void same_name(unsigned long pos, unsigned long other)
{
	funcs[1].old_name = funcs[0].old_name;
	funcs[0].old_sympos = pos;
	funcs[1].old_sympos = other;
}

static int __ref spoil(const char *as)
{
	static struct klp_sdk_object object[] __refdata = { KLP_SDK_OBJECT(NULL, early), { } };

	if (spoil_list(as) || spoil_state(as))
		return 0;
	if (!strcmp(as, "no-old")) {
		funcs[1].old_name = NULL;
	} else if (!strcmp(as, "empty-old")) {
		funcs[1].old_name = "";
	} else if (!strcmp(as, "long-old")) {
		memset(long_name, 'x', KSYM_NAME_LEN);
		funcs[1].old_name = long_name;
	} else if (!strcmp(as, "no-new")) {
		funcs[1].new_func = NULL;
	} else if (!strcmp(as, "data")) {
		funcs[1].new_func = funcs;
	} else if (!strcmp(as, "init")) {
		funcs[1].new_func = show_early;
	} else if (!strcmp(as, "initdata")) {
		klp_sdk_patch.objs = object;
	} else if (!strcmp(as, "nop")) {
		funcs[1].new_func = NULL;
		funcs[1].nop = true;
	} else if (!strcmp(as, "nop-too")) {
		funcs[1].nop = true;
	} else if (!strcmp(as, "old-func")) {
		funcs[1].old_func = show;
	} else if (!strcmp(as, "twice")) {
		same_name(0, 0);
	} else if (!strcmp(as, "twice-first")) {
		same_name(0, 1);
	} else if (!strcmp(as, "twice-third")) {
		same_name(3, 3);
	} else if (!strcmp(as, "half-numbered")) {
		same_name(0, 2);
	} else if (!strcmp(as, "second")) {
		same_name(1, 2);
	} else if (!strcmp(as, "unknown")) {
		funcs[1].old_name = "tp_no_such_function";
	} else if (!strcmp(as, "middle")) {
		memset(&funcs[0], 0, sizeof(funcs[0]));
	} else if (!strcmp(as, "patch")) {
		klp_sdk_patch.patch.replace = true;
	} else if (!strcmp(as, "no-module")) {
		klp_sdk_patch.patch.mod = NULL;
	} else if (!strcmp(as, "again")) {
		return klp_sdk_enable_patch(&klp_sdk_patch);
	} else if (!strcmp(as, "late")) {
		return klp_sdk_enable_patch(&late);
	} else {
		return -ENOENT;
	}

	return 0;
}

/* Called before the module's init, and when the parameter is written. */
static int as_set(const char *val, const struct kernel_param *kp)
{
	char as[32];

	strscpy(as, val, sizeof(as));
	return spoil(strim(as));
}

static const struct kernel_param_ops as_ops = {
	.set = as_set,
};
module_param_cb(as, &as_ops, NULL, 0200);
MODULE_PARM_DESC(as, "what is wrong with the patch");

MODULE_DESCRIPTION("klp-sdk test patch");
MODULE_LICENSE("GPL");
