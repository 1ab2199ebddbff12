/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of --check. Private to check*.c. */
#ifndef DTCP_CLIENT_CONTROL_CHECK_PARTS_H
#define DTCP_CLIENT_CONTROL_CHECK_PARTS_H

#include "client/control/check.h"

/*
 * Ends the present step with this result, and begins the next one. More can be written into the
 * returned step.
 */
__attribute__((format(printf, 5, 6))) struct client_step *
check_say(struct check *check, struct check_actions *actions, enum client_step_result result,
	  int64_t now, const char *format, ...);

/* The same for a failure, whose status becomes the exit status unless it is irrelevant. */
__attribute__((format(printf, 5, 6))) struct client_step *
check_fail(struct check *check, struct check_actions *actions, enum client_exit status, int64_t now,
	   const char *format, ...);

/* Sets what to do about it. */
__attribute__((format(printf, 2, 3))) void check_advise(struct client_step *step,
							const char *format, ...);

/* Skips all remaining steps before end, for this reason. */
void check_skip(struct check *check, struct check_actions *actions, uint32_t end, int64_t now,
		const char *why);

/* Skips all remaining steps, since an earlier one has failed, or there is no login. */
void check_skip_rest(struct check *check, struct check_actions *actions, int64_t now);

/* The session has served its purpose: ends it. */
void check_leave(struct check *check, struct check_actions *actions);

/* Enters a phase and sets its deadline. */
void check_enter(struct check *check, enum check_phase phase, int64_t now, int64_t timeout);

/* The addresses that the server has granted. */
struct client_tunnel check_tunnel(const struct check *check);

/* --- check_login.c ------------------------------------------------------------------------ */

/* A valid greeting has come; event is its line. */
void check_on_greeting(struct check *check, const struct session_event *event, int64_t now,
		       struct check_actions *actions);

/* Logged in for the first time: login, type, NAT. */
void check_on_login(struct check *check, int64_t now, struct check_actions *actions);

/* The session's state machine has given up, in state before, because of that event. */
void check_on_failure(struct check *check, enum session_state before,
		      const struct session_event *event, int64_t now,
		      struct check_actions *actions);

/* The far end has not answered in time. */
void check_on_silence(struct check *check, int64_t now, struct check_actions *actions);

/* --- check_trial.c ------------------------------------------------------------------------ */

/* Begins with the path MTU. */
void check_try(struct check *check, int64_t now, struct check_actions *actions);

/* Continues with the result of the last trial. */
void check_tried(struct check *check, const struct forward_result *result, int64_t now,
		 struct check_actions *actions);

#endif
