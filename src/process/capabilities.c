/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/capabilities.h"

#include "base/log.h"

#include <cap-ng.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

bool capabilities_hide(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return true;
	log_warn("cannot keep the process from being read by others");
	return false;
}

/* Of these it keeps what there is: a container may not have had all of them to begin with. */
static bool capabilities_wanted(enum capabilities_kind kind, unsigned int capability,
				capng_type_t type)
{
	if (capability == CAP_NET_ADMIN)
		return true;
	/* A program that is run as root has what is permitted. */
	if (type == CAPNG_EFFECTIVE || (kind != CAPABILITIES_ROOT && kind != CAPABILITIES_STARTER))
		return false;
	return capability == CAP_KILL || (kind == CAPABILITIES_STARTER &&
					  (capability == CAP_SETUID || capability == CAP_SETGID ||
					   capability == CAP_SETPCAP));
}

bool capabilities_limit(enum capabilities_kind kind, bool with_script)
{
	bool have[CAP_LAST_CAP + 1];
	int error = 0;

	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++)
		have[i] = capng_have_capability(CAPNG_PERMITTED, i);
	/* The inheritable and the ambient set stay empty in any case. */
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int i = 0; i <= CAP_LAST_CAP && !error; i++) {
		/* Under no_new_privs a program gets no more than what is permitted here. */
		if (have[i] && (with_script || capabilities_wanted(kind, i, CAPNG_PERMITTED)))
			error = capng_update(CAPNG_ADD, CAPNG_PERMITTED | CAPNG_BOUNDING_SET, i);
		if (have[i] && !error && capabilities_wanted(kind, i, CAPNG_EFFECTIVE))
			error = capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, i);
	}
	/* The bounding set stays as it is for a script. */
	if (error || capng_apply(with_script ? CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT
					     : CAPNG_SELECT_ALL) != 0) {
		log_warn("cannot give up capabilities");
		return false;
	}
	/* Otherwise root would get them back with each program that it runs. */
	if (!with_script && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		log_warn("cannot renounce new privileges");
		return false;
	}
	return true;
}

static void capabilities_set_kill(capng_act_t action)
{
	if (!capng_have_capability(CAPNG_PERMITTED, CAP_KILL))
		return;
	if (capng_update(action, CAPNG_EFFECTIVE, CAP_KILL) != 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0)
		log_warn("cannot take or leave the power to end other users' processes");
}

void capabilities_to_kill(void)
{
	capabilities_set_kill(CAPNG_ADD);
}

void capabilities_kill(pid_t pid)
{
	capabilities_set_kill(CAPNG_ADD);
	if (kill(pid, SIGKILL) == -1 && errno != ESRCH)
		log_warn("cannot kill process %d", (int)pid);
	capabilities_set_kill(CAPNG_DROP);
}
