/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/capabilities.h"

#include "base/log.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>

bool capabilities_hide(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return true;
	log_warn("cannot keep the process from being read by others");
	return false;
}

#define CAPABILITY(name) (UINT64_C(1) << CAP_##name)

/* The capabilities of each kind. A program that is run as root gets those permitted. */
static const struct {
	uint64_t effective;
	uint64_t permitted; /* in addition */
} capabilities_kept[] = {
	[CAPABILITIES_NETWORK] = {CAPABILITY(NET_ADMIN), 0},
	[CAPABILITIES_ROOT] = {CAPABILITY(NET_ADMIN), CAPABILITY(KILL)},
	[CAPABILITIES_STARTER] = {CAPABILITY(NET_ADMIN), CAPABILITY(KILL) | CAPABILITY(SETUID) |
								 CAPABILITY(SETGID) |
								 CAPABILITY(SETPCAP)},
	[CAPABILITIES_PROGRAM] = {CAPABILITY(NET_ADMIN) | CAPABILITY(NET_RAW), 0},
};

/*
 * Keeps those of these that exist: a container may lack some from the start. all: the others stay
 * permitted. The inheritable and the ambient set stay empty in any case.
 */
static bool capabilities_keep(enum capabilities_kind kind, bool all, capng_select_t sets)
{
	const uint64_t effective = capabilities_kept[kind].effective;
	const uint64_t permitted = capabilities_kept[kind].permitted | effective;
	uint64_t have = 0;
	int error = 0;

	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++)
		have |= (uint64_t)capng_have_capability(CAPNG_PERMITTED, i) << i;
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int i = 0; i <= CAP_LAST_CAP && !error; i++) {
		/* Under no_new_privs a program gets no more than what is permitted here. */
		if ((all ? have : have & permitted) >> i & 1)
			error = capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_BOUNDING_SET, i);
		if (!error && (have & effective) >> i & 1)
			error = capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, i);
	}
	return !error && capng_apply(sets) == 0;
}

bool capabilities_renounce(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		return true;
	log_warn("cannot renounce new privileges");
	return false;
}

bool capabilities_limit(enum capabilities_kind kind, bool with_script)
{
	/* The bounding set is unchanged for a script. */
	if (!capabilities_keep(kind, with_script,
			       with_script ? CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT
					   : CAPNG_SELECT_ALL)) {
		log_warn("cannot give up capabilities");
		return false;
	}
	/* Otherwise root would get them back with each program that it runs. */
	return with_script || capabilities_renounce();
}

bool capabilities_limit_program(void)
{
	/* Then the bounding set does not matter. */
	return capng_get_caps_process() == 0 &&
	       capabilities_keep(CAPABILITIES_PROGRAM, false, CAPNG_SELECT_CAPS) &&
	       capabilities_renounce();
}

static void capabilities_set_kill(capng_act_t action)
{
	if (!capng_have_capability(CAPNG_PERMITTED, CAP_KILL))
		return;
	if (capng_update(action, CAPNG_EFFECTIVE, CAP_KILL) != 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0)
		log_warn("cannot take or leave the power to end other users' processes");
}

void capabilities_kill(pid_t pid)
{
	capabilities_set_kill(CAPNG_ADD);
	if (kill(pid, SIGKILL) == -1 && errno != ESRCH)
		log_warn("cannot kill process %d", (int)pid);
	capabilities_set_kill(CAPNG_DROP);
}
