/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/control/check.h"

#include "client/control/check_parts.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void check_init(struct check *check, const struct client_options *options,
		const struct session *session)
{
	*check = (struct check){.options = options, .session = session, .deadline = -1};
}

void check_enter(struct check *check, enum check_phase phase, int64_t now, int64_t timeout)
{
	check->phase = phase;
	check->deadline = timeout < 0 ? -1 : now + timeout;
}

/* --- texts of the steps ------------------------------------------------------------------- */

static __attribute__((format(printf, 5, 0))) struct client_step *
check_done(struct check *check, struct check_actions *actions, enum client_step_result result,
	   int64_t now, const char *format, va_list ap)
{
	struct client_step *step = &actions->steps[actions->n_steps++];

	step->step = check->next;
	step->result = result;
	step->milliseconds = (uint32_t)(now - check->began);
	(void)vsnprintf(step->text, sizeof(step->text), format, ap);
	check->results[check->next++] = result;
	check->began = now;
	return step;
}

struct client_step *check_say(struct check *check, struct check_actions *actions,
			      enum client_step_result result, int64_t now, const char *format, ...)
{
	struct client_step *step;
	va_list ap;

	va_start(ap, format);
	step = check_done(check, actions, result, now, format, ap);
	va_end(ap);
	return step;
}

struct client_step *check_fail(struct check *check, struct check_actions *actions,
			       enum client_exit status, int64_t now, const char *format, ...)
{
	struct client_step *step;
	va_list ap;

	check->statuses[check->next] = status;
	va_start(ap, format);
	step = check_done(check, actions, CLIENT_STEP_FAIL, now, format, ap);
	va_end(ap);
	return step;
}

void check_advise(struct client_step *step, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(step->advice, sizeof(step->advice), format, ap);
	va_end(ap);
}

void check_skip(struct check *check, struct check_actions *actions, uint32_t end, int64_t now,
		const char *why)
{
	while (check->next < end)
		(void)check_say(check, actions, CLIENT_STEP_SKIP, now, "%s", why);
}

void check_skip_rest(struct check *check, struct check_actions *actions, int64_t now)
{
	static const char *const needs[] = {
		[CLIENT_STEP_NAME] = "needs the server's address",
		[CLIENT_STEP_PORT] = "needs a connection",
		[CLIENT_STEP_GREETING] = "needs a tunnel server",
		[CLIENT_STEP_LOGIN] = "needs a login",
		[CLIENT_STEP_TYPE] = "needs a tunnel",
	};
	uint32_t failed = CLIENT_STEP_NAME;

	while (failed < CLIENT_STEP_TYPE && check->results[failed] != CLIENT_STEP_FAIL)
		failed++;
	if (failed >= check->next || check->results[failed] != CLIENT_STEP_FAIL)
		failed = CLIENT_STEP_LOGIN;
	check_skip(check, actions, CLIENT_STEPS, now, needs[failed]);
}

enum client_exit check_status(const struct check *check)
{
	bool either = check->options->transport == SESSION_AUTO &&
		      check->results[CLIENT_STEP_UDP] == CLIENT_STEP_OK;

	for (uint32_t i = 0; i < check->next; i++) {
		if (check->results[i] == CLIENT_STEP_FAIL && !(i == CLIENT_STEP_PROTO41 && either))
			return check->statuses[i];
	}
	return CLIENT_OK;
}

struct client_tunnel check_tunnel(const struct check *check)
{
	return (struct client_tunnel){
		.server = check->session->remote,
		.myaddr = check->session->local,
		.reply = check->session->reply,
	};
}

/* --- one login after the other ------------------------------------------------------------ */

static void check_start(struct check *check, bool udp, bool last, int64_t now,
			struct check_actions *actions)
{
	check->udp = udp;
	check->last = last;
	actions->what |= CHECK_DO_START;
	check_enter(check, CHECK_LOGIN, now, -1);
}

void check_leave(struct check *check, struct check_actions *actions)
{
	actions->what |= CHECK_DO_LEAVE;
	check_enter(check, CHECK_LEAVE, 0, -1);
}

static bool check_works(const struct check *check, bool udp)
{
	enum client_steps step = udp ? CLIENT_STEP_UDP : CLIENT_STEP_PROTO41;

	return check->next > step && check->results[step] == CLIENT_STEP_OK;
}

/* The transport for the remaining steps: the one that a tunnel would have, or the one that works.
 */
static bool check_prefers_udp(const struct check *check)
{
	bool udp = check->options->transport == SESSION_UDP;

	return check_works(check, udp) ? udp : !udp;
}

void check_begin(struct check *check, const struct client_check *given, int64_t now,
		 struct check_actions *actions)
{
	const char *server = check->options->servers[0];
	struct client_step *step;
	struct in_addr address;

	*actions = (struct check_actions){0};
	check->given = *given;
	check->began = now;
	if (inet_pton(AF_INET, server, &address) == 1) {
		step = check_say(check, actions, CLIENT_STEP_OK, now,
				 "%s is an address, there is nothing to look up", server);
		step->address = address;
	}
	check_start(check, false, false, now, actions);
}

void check_on_found(struct check *check, const struct in_addr *addresses, size_t count, int64_t now,
		    struct check_actions *actions)
{
	const char *server = check->options->servers[0];
	char text[INET_ADDRSTRLEN];
	struct client_step *step;
	char more[40] = "";

	*actions = (struct check_actions){0};
	if (check->next != CLIENT_STEP_NAME)
		return;
	if (count > 1)
		(void)snprintf(more, sizeof(more), " and %zu more", count - 1);
	step = check_say(check, actions, CLIENT_STEP_OK, now, "%s is %s%s", server,
			 inet_ntop(AF_INET, &addresses[0], text, sizeof(text)), more);
	step->address = addresses[0];
}

bool check_withholds(const struct check *check, const struct session_event *event)
{
	return check->given.login != CLIENT_CHECK_LOGIN &&
	       check->session->state == SESSION_GREETING && event->input == SESSION_LINE;
}

static void check_stay_out(struct check *check, int64_t now, struct check_actions *actions)
{
	const struct client_check *given = &check->given;
	bool interface = given->interface[0] != '\0';
	struct client_step *step;

	if (given->login == CLIENT_CHECK_NO_PASSWORD) {
		step = check_fail(check, actions, CLIENT_PASSWORD, now, "no password for user %s",
				  check->session->user);
		check_advise(step, "put a line %s:%s:PASSWORD into %s", check->options->servers[0],
			     check->session->user, check->options->auth_file);
		return;
	}
	step = check_say(check, actions, CLIENT_STEP_SKIP, now,
			 "%s%s is up on this machine, and to log in as the same user would end it",
			 interface ? "the tunnel " : "a tunnel", interface ? given->interface : "");
	check_advise(step, "end it first, or use --force");
}

void check_on_withheld(struct check *check, const struct session_event *event, int64_t now,
		       struct check_actions *actions)
{
	*actions = (struct check_actions){0};
	if (check->phase != CHECK_LOGIN)
		return;
	check_on_greeting(check, event, now, actions);
	if (check->results[CLIENT_STEP_GREETING] == CLIENT_STEP_OK)
		check_stay_out(check, now, actions);
	check_skip_rest(check, actions, now);
	check_leave(check, actions);
}

/* The session has reached its final state. */
static void check_on_test(struct check *check, int64_t now, struct check_actions *actions)
{
	if (check->last) {
		check_try(check, now, actions);
		return;
	}
	if (check->next <= CLIENT_STEP_TYPE)
		check_on_login(check, now, actions);
	check_enter(check, CHECK_PATH, now, CHECK_PATH_MS);
}

void check_on_session(struct check *check, enum session_state before,
		      const struct session_event *event, int64_t now, struct check_actions *actions)
{
	struct client_step *step;
	char text[INET_ADDRSTRLEN];

	*actions = (struct check_actions){0};
	if (check->session->state == before || check->phase == CHECK_LEAVE)
		return;
	switch (check->session->state) {
	case SESSION_GREETING:
		if (check->next != CLIENT_STEP_PORT)
			return;
		step = check_say(check, actions, CLIENT_STEP_OK, now, "connected to %s port %u",
				 inet_ntop(AF_INET, &event->remote, text, sizeof(text)),
				 check->options->port);
		step->address = event->remote;
		step->here = event->local;
		step->port = check->options->port;
		break;
	case SESSION_LOGIN:
		if (check->next == CLIENT_STEP_GREETING)
			check_on_greeting(check, event, now, actions);
		break;
	case SESSION_TEST:
		check_on_test(check, now, actions);
		break;
	case SESSION_IDLE:
	case SESSION_CONNECT:
	case SESSION_RAISE:
	case SESSION_UP:
	case SESSION_DOWN:
		break;
	case SESSION_QUIT:
	case SESSION_LOWER:
	case SESSION_WAIT:
	case SESSION_DONE:
		check_on_failure(check, before, event, now, actions);
		check_enter(check, CHECK_LEAVE, now, -1);
		break;
	}
}

/* The far end has answered, or not. */
static void check_go_on(struct check *check, int64_t now, struct check_actions *actions)
{
	if (check->udp && check_works(check, true) && check_prefers_udp(check))
		check_try(check, now, actions);
	else
		check_leave(check, actions);
}

void check_on_path(struct check *check, bool alive, uint32_t rtt_us, int64_t now,
		   struct check_actions *actions)
{
	struct client_step *step;
	char text[INET_ADDRSTRLEN];
	char more[40] = "";

	*actions = (struct check_actions){0};
	if (check->phase != CHECK_PATH || !alive)
		return;
	if (rtt_us)
		(void)snprintf(more, sizeof(more), ", in %.1f ms", rtt_us / 1000.0);
	step = check_say(check, actions, CLIENT_STEP_OK, now, "%s answers%s",
			 inet_ntop(AF_INET, &check->session->reply.her, text, sizeof(text)), more);
	step->address = check->session->reply.her;
	step->port = check->session->reply.udp_port;
	step->rtt_us = rtt_us;
	check_go_on(check, now, actions);
}

void check_on_result(struct check *check, const struct forward_result *result, int64_t now,
		     struct check_actions *actions)
{
	*actions = (struct check_actions){0};
	if ((check->phase == CHECK_SIZE || check->phase == CHECK_BEYOND) &&
	    result->number == check->trial.number)
		check_tried(check, result, now, actions);
}

void check_on_time(struct check *check, int64_t now, struct check_actions *actions)
{
	const struct forward_result silence = {.number = check->trial.number,
					       .what = FORWARD_RESULT_SILENCE};

	*actions = (struct check_actions){0};
	if (check->deadline < 0 || now < check->deadline)
		return;
	check->deadline = -1;
	if (check->phase == CHECK_PATH) {
		check_on_silence(check, now, actions);
		check_go_on(check, now, actions);
	} else {
		check_tried(check, &silence, now, actions);
	}
}

void check_on_over(struct check *check, int64_t now, struct check_actions *actions)
{
	*actions = (struct check_actions){0};
	check->deadline = -1;
	if (check->next == CLIENT_STEP_UDP ||
	    (check->next == CLIENT_STEP_TYPE && check->refused[0]))
		check_start(check, true, false, now, actions);
	else if (check->next == CLIENT_STEP_MTU &&
		 (check_works(check, false) || check_works(check, true)))
		check_start(check, check_prefers_udp(check), true, now, actions);
	else
		check_skip(check, actions, CLIENT_STEPS, now, "nothing passes the tunnel");
	if (check->next == CLIENT_STEPS && !(actions->what & CHECK_DO_START))
		actions->what |= CHECK_DO_END;
}
