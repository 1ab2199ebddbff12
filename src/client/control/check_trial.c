/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures how large packets pass to the server, and whether an address behind it answers: trials
 * of the path through the tunnel, one at a time.
 */
#include "client/control/check_parts.h"

#include "client/tunnel.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { CHECK_IPV4 = 20, CHECK_UDP = 8 };

static uint32_t check_overhead(const struct check *check)
{
	return check->udp ? CHECK_IPV4 + CHECK_UDP : CHECK_IPV4;
}

static uint32_t check_largest(const struct check *check)
{
	return check->udp ? FORWARD_UDP_MTU_MAX : FORWARD_MTU_MAX;
}

static void check_send(struct check *check, int64_t now, struct check_actions *actions)
{
	check->trial.number++;
	check->deadline = now + CHECK_TRIAL_MS;
	actions->what |= CHECK_DO_TRIAL;
}

static void check_send_size(struct check *check, uint32_t size, bool df, int64_t now,
			    struct check_actions *actions)
{
	check->trial.size = size;
	check->trial.df = df;
	check->tries = 0;
	check_send(check, now, actions);
}

/* --- behind the server -------------------------------------------------------------------- */

static void check_beyond(struct check *check, int64_t now, struct check_actions *actions)
{
	const struct client_tunnel tunnel = check_tunnel(check);

	if (!tunnel_own_address(&tunnel, check->options, &check->trial.source)) {
		struct client_step *step =
			check_say(check, actions, CLIENT_STEP_SKIP, now,
				  "this machine gets no IPv6 address to ask from");

		check_advise(step, "-t host and -t network have addresses; or name one with "
				   "--address");
		check_leave(check, actions);
		return;
	}
	check->trial.target = check->options->check_target;
	check_enter(check, CHECK_BEYOND, now, CHECK_TRIAL_MS);
	check_send_size(check, FORWARD_TRIAL_MIN, false, now, actions);
}

static const char *const check_errors[FORWARD_ERRORS] = {
	[FORWARD_ERROR_OTHER] = "unreachable",
	[FORWARD_ERROR_NO_ROUTE] = "no route",
	[FORWARD_ERROR_FORBIDDEN] = "forbidden by a firewall",
	[FORWARD_ERROR_ADDRESS] = "address unreachable",
	[FORWARD_ERROR_HOPS] = "too many hops, in a loop of routes most likely",
};

static void check_beyond_tried(struct check *check, const struct forward_result *result,
			       int64_t now, struct check_actions *actions)
{
	static const char advice[] = "ask the server's operator to look with dtcps --check; "
				     "--check-target names another address";
	char target[INET6_ADDRSTRLEN];
	char from[INET6_ADDRSTRLEN];
	struct client_step *step;

	if (result->what != FORWARD_RESULT_ANSWER && result->what != FORWARD_RESULT_ERROR &&
	    ++check->tries < CHECK_TRIES) {
		check_send(check, now, actions);
		return;
	}
	(void)inet_ntop(AF_INET6, &check->trial.target, target, sizeof(target));
	(void)inet_ntop(AF_INET6, &result->from, from, sizeof(from));
	if (result->what == FORWARD_RESULT_ANSWER) {
		step = check_say(check, actions, CLIENT_STEP_OK, now, "%s answers, in %.1f ms",
				 target, result->rtt_us / 1000.0);
		step->rtt_us = result->rtt_us;
	} else if (result->what == FORWARD_RESULT_ERROR) {
		step = check_fail(check, actions, CLIENT_UNREACHABLE, now, "%s says of %s: %s",
				  from, target, check_errors[result->why]);
		check_advise(step, advice);
	} else {
		step = check_fail(check, actions, CLIENT_TIMEOUT, now,
				  "no answer from %s: the server does not forward to it, or "
				  "nothing leads back",
				  target);
		check_advise(step, advice);
	}
	step->own = check->trial.source;
	step->target = check->trial.target;
	check_leave(check, actions);
}

/* --- path MTU ----------------------------------------------------------------------------- */

void check_try(struct check *check, int64_t now, struct check_actions *actions)
{
	const struct client_tunnel tunnel = check_tunnel(check);
	const struct dtcp_reply *reply = &tunnel.reply;
	bool numbered = reply->has_me6 && reply->has_her6;

	/* The server's end of the link; on a link without addresses, all nodes. */
	check->trial.source =
		numbered ? reply->me6 : tunnel_link_local(&tunnel, check->session->user);
	check->trial.target =
		numbered ? reply->her6 : (struct in6_addr){.s6_addr = {0xff, 0x02, [15] = 1}};
	check->passed = 0;
	check->failed = check_largest(check) + 1;
	check_enter(check, CHECK_SIZE, now, CHECK_TRIAL_MS);
	check_send_size(check, FORWARD_TRIAL_MIN, false, now, actions);
}

/* Advice for the tunnel's MTU. */
static void check_size_known(struct check *check, bool fragments, int64_t now,
			     struct check_actions *actions)
{
	uint32_t mtu = check->options->mtu;
	uint32_t whole = check->passed;
	uint32_t path = whole + check_overhead(check);
	struct client_step *step;

	if (mtu > FORWARD_MTU_MIN && mtu > whole) {
		step = check_fail(check, actions, CLIENT_TIMEOUT, now,
				  "IPv4 packets pass whole up to %u octets, too few for the MTU "
				  "%u of the tunnel (-m)",
				  path, mtu);
		if (whole >= FORWARD_MTU_MIN)
			check_advise(step, "use -m %u", whole);
		else
			check_advise(step, "leave -m out: packets may be fragmented then");
	} else if (whole >= FORWARD_MTU_MIN) {
		step = check_say(check, actions, CLIENT_STEP_OK, now,
				 "IPv4 packets pass whole up to %u octets%s: -m %u is possible",
				 path, whole == check_largest(check) ? " and perhaps more" : "",
				 whole);
	} else if (fragments) {
		step = check_say(check, actions, CLIENT_STEP_OK, now,
				 "IPv4 packets pass whole up to %u octets only, and larger ones in "
				 "fragments",
				 path);
	} else {
		step = check_fail(check, actions, CLIENT_TIMEOUT, now,
				  "IPv4 packets pass whole up to %u octets only, and larger ones "
				  "not at all",
				  path);
		check_advise(step, "a firewall on the way drops fragments; let them pass");
	}
	step->path_mtu = path;
	step->mtu = whole;
	check_beyond(check, now, actions);
}

/* The next size, or the end. hint: a reported MTU, or 0. */
static void check_size_next(struct check *check, uint32_t hint, int64_t now,
			    struct check_actions *actions)
{
	uint32_t size;

	if (check->failed - check->passed <= 1 && check->passed >= FORWARD_MTU_MIN) {
		check_size_known(check, true, now, actions);
		return;
	}
	if (check->failed - check->passed <= 1) {
		/* Then the tunnel allows fragmentation. */
		check_send_size(check, FORWARD_MTU_MIN, false, now, actions);
		return;
	}
	/* Likely values, so that it takes few steps. */
	if (check->failed > check_largest(check))
		size = check_largest(check);
	else if (hint > check->passed && hint < check->failed)
		size = hint;
	else if (check->passed < FORWARD_MTU_MIN && check->failed > FORWARD_MTU_MIN)
		size = FORWARD_MTU_MIN;
	else
		size = check->passed + (check->failed - check->passed) / 2;
	check_send_size(check, size, true, now, actions);
}

static void check_size_tried(struct check *check, const struct forward_result *result, int64_t now,
			     struct check_actions *actions)
{
	bool answered = result->what == FORWARD_RESULT_ANSWER;
	bool sure = answered || result->what == FORWARD_RESULT_TOO_BIG;
	uint32_t hint = 0;

	if (!sure && ++check->tries < (check->passed ? CHECK_TRIES_SIZE : CHECK_TRIES)) {
		check_send(check, now, actions);
		return;
	}
	if (!answered && check->passed == 0) {
		(void)check_say(check, actions, CLIENT_STEP_SKIP, now,
				"the server's end of the tunnel does not answer a ping, so it "
				"cannot be found out");
		check_beyond(check, now, actions);
		return;
	}
	if (check->passed > 0 && !check->trial.df) {
		check_size_known(check, answered, now, actions);
		return;
	}
	if (answered)
		check->passed = check->trial.size;
	else
		check->failed = check->trial.size;
	if (result->path_mtu > check_overhead(check))
		hint = result->path_mtu - check_overhead(check);
	check_size_next(check, hint, now, actions);
}

void check_tried(struct check *check, const struct forward_result *result, int64_t now,
		 struct check_actions *actions)
{
	if (check->phase == CHECK_SIZE)
		check_size_tried(check, result, now, actions);
	else
		check_beyond_tried(check, result, now, actions);
}
