/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the kernel's filter from a list of system calls. */
#include "process/sandbox_lists.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The kernel uses 32 bits of the arguments in conditions, and so do the conditions. */
static struct scmp_arg_cmp sandbox_compare(const struct sandbox_condition *condition)
{
	return (struct scmp_arg_cmp){
		.arg = condition->argument,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = condition->mask,
		.datum_b = condition->value,
	};
}

static int sandbox_add(scmp_filter_ctx filter, uint32_t action, const struct sandbox_rule *rule)
{
	struct scmp_arg_cmp args[SANDBOX_CONDITIONS];
	char calls[SANDBOX_CALLS_SIZE];
	char *rest = calls;
	unsigned int count = 0;
	const char *call;
	int error = 0;

	for (; count < SANDBOX_CONDITIONS && rule->conditions[count].mask; count++)
		args[count] = sandbox_compare(&rule->conditions[count]);
	if (strlcpy(calls, rule->calls, sizeof(calls)) >= sizeof(calls))
		return -ENAMETOOLONG;
	while (!error && (call = strsep(&rest, " "))) {
		int number = seccomp_syscall_resolve_name(call);

		/* The library is older than the call: then nothing here makes it either. */
		if (number != __NR_SCMP_ERROR)
			error = seccomp_rule_add_array(filter, action, number, count, args);
		/* This machine does not have the call. */
		if (error == -EDOM)
			error = 0;
	}
	return error;
}

/* abort(): no other process and no other signal. */
static int sandbox_allow_abort(scmp_filter_ctx filter)
{
	const struct sandbox_rule rule = {
		.calls = "tgkill",
		.conditions = {{.argument = 0, .mask = UINT32_MAX, .value = (uint32_t)getpid()},
			       {.argument = 2, .mask = UINT32_MAX, .value = SIGABRT}},
	};

	return sandbox_add(filter, SCMP_ACT_ALLOW, &rule);
}

/* Calls that a process may make about itself, but not about others of the same user. */
static int sandbox_deny_others(scmp_filter_ctx filter)
{
	/* The first argument is the process; 0 means this one only for the last call. */
	const struct {
		int call;
		pid_t self;
	} calls[] = {
		{SCMP_SYS(kill), getpid()},
		{SCMP_SYS(tgkill), getpid()},
		{SCMP_SYS(rt_sigqueueinfo), getpid()},
		{SCMP_SYS(rt_tgsigqueueinfo), getpid()},
		{SCMP_SYS(prlimit64), 0},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i].call, 1,
					 SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)calls[i].self));
	return error;
}

int sandbox_filter(enum sandbox_kind kind)
{
	const struct sandbox_rule *const *group = sandbox_groups(kind);
	bool others =
		kind == SANDBOX_CLIENT_RESOLVER; /* calls that are not in the list are allowed */
	bool tool = kind == SANDBOX_LOOK || kind == SANDBOX_WATCH;
	uint32_t action = others ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW;
	uint32_t rest = others ? SCMP_ACT_ALLOW
			: tool ? SCMP_ACT_ERRNO(EPERM)
			       : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(rest);
	int error;

	if (!filter)
		return -ENOMEM;
	/* Calls by the numbers of another architecture (32 bits on 64) also kill it. */
	error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A search tree instead of a linear list, if the library supports it. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (; *group && !error; group++) {
		for (const struct sandbox_rule *rule = *group; rule->calls && !error; rule++)
			error = sandbox_add(filter, action, rule);
	}
	if (!error)
		error = others ? sandbox_deny_others(filter) : sandbox_allow_abort(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}
