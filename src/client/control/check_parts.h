/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of --check share. Private to check*.c. */
#ifndef DTCP_CLIENT_CONTROL_CHECK_PARTS_H
#define DTCP_CLIENT_CONTROL_CHECK_PARTS_H

#include "client/control/check.h"

/*
 * The step that comes now is done, with this result; more can be written into what is returned. The
 * step behind it has begun.
 */
__attribute__((format(printf, 5, 6))) struct client_step *
check_say(struct check *check, struct check_actions *actions, enum client_step_result result,
	  int64_t now, const char *format, ...);

/* The same of one that has failed, which is the program's exit status unless it does not matter. */
__attribute__((format(printf, 5, 6))) struct client_step *
check_fail(struct check *check, struct check_actions *actions, enum client_exit status, int64_t now,
	   const char *format, ...);

/* What to do about it. */
__attribute__((format(printf, 2, 3))) void check_advise(struct client_step *step,
							const char *format, ...);

/* All steps that are not done, up to that one and without it, are not tried, for this reason. */
void check_skip(struct check *check, struct check_actions *actions, uint32_t end, int64_t now,
		const char *why);

/* The same of all that are left, for want of what has failed, or of a login. */
void check_skip_rest(struct check *check, struct check_actions *actions, int64_t now);

/* The session has shown what it was for. */
void check_leave(struct check *check, struct check_actions *actions);

/* Sets how long the phase may take. */
void check_enter(struct check *check, enum check_phase phase, int64_t now, int64_t timeout);

/* What the server has given, as far as addresses are concerned. */
struct client_tunnel check_tunnel(const struct check *check);

/* --- check_login.c ------------------------------------------------------------------------ */

/* The greeting has come, and is good; event is its line. */
void check_on_greeting(struct check *check, const struct session_event *event, int64_t now,
		       struct check_actions *actions);

/* Logged in for the first time: login, type, NAT. */
void check_on_login(struct check *check, int64_t now, struct check_actions *actions);

/* The session's machine has given up, in state before, because of that event. */
void check_on_failure(struct check *check, enum session_state before,
		      const struct session_event *event, int64_t now,
		      struct check_actions *actions);

/* The far end has been silent for long enough. */
void check_on_silence(struct check *check, int64_t now, struct check_actions *actions);

/* --- check_trial.c ------------------------------------------------------------------------ */

/* Begins with the path MTU. */
void check_try(struct check *check, int64_t now, struct check_actions *actions);

/* Goes on with what has become of the last trial. */
void check_tried(struct check *check, const struct forward_result *result, int64_t now,
		 struct check_actions *actions);

#endif
