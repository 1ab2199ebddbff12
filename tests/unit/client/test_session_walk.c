/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long random walks through the session's state machine. The rig checks after every step that the
 * actions fit what is outside and that no state waits for ever; a stop must lead out of anywhere.
 */
#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Small and the same everywhere, so that a failing walk can be walked again. */
struct dice {
	uint64_t seed;
};

static uint32_t roll(struct dice *dice, uint32_t n)
{
	dice->seed = dice->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice->seed >> 33) % n;
}

/* A good answer to the request; where the box has moved, often with a NAT in it. */
static void random_grant(struct rig *rig, struct dice *dice)
{
	char text[INET_ADDRSTRLEN];
	char line[200];

	(void)snprintf(line, sizeof(line),
		       "+OK %s " RIG_REMOTE " 2001:db8::2 2001:db8::1 2001:db8:1::/48%s",
		       roll(dice, 3) ? inet_ntop(AF_INET, &rig->address, text, sizeof(text))
				     : RIG_LOCAL,
		       rig->session.udp ? RIG_UDP : "");
	rig_line(rig, line);
}

static void random_line(struct rig *rig, struct dice *dice)
{
	static const char *const lines[] = {
		RIG_GREETING,
		RIG_REPLY,
		RIG_REPLY RIG_UDP,
		RIG_REPLY " 2001:db8::2 2001:db8::1 2001:db8:1::/48",
		RIG_NAT_REPLY,
		"+OK pong",
		"-ERR authentication failed.",
		"-ERR superseded by a new session",
		"-ERR unsupported tunnel type host",
		"-ERR unsupported transport udp",
		"-ERR address in use by another tunnel, use udp",
		"garbage",
		"",
	};
	/* Mostly what leads on, or no walk would ever get far. */
	if (rig->session.state == SESSION_GREETING && roll(dice, 8) > 0)
		rig_line(rig, RIG_GREETING);
	else if (rig->session.state == SESSION_LOGIN && roll(dice, 8) > 0)
		random_grant(rig, dice);
	else
		rig_line(rig, lines[roll(dice, sizeof(lines) / sizeof(lines[0]))]);
}

/* The clock fires as long as something is due: what a tunnel is kept for, and the state. */
static void time_passes(struct rig *rig)
{
	int64_t deadline;

	do {
		rig_input(rig, SESSION_TIME);
		deadline = session_deadline(&rig->session);
	} while (deadline >= 0 && deadline <= rig->now);
}

static void random_network(struct rig *rig, struct dice *dice)
{
	static const char *const addresses[] = {"0.0.0.0", RIG_LOCAL, "198.51.100.3", "10.1.2.3"};

	rig_network(rig, addresses[roll(dice, sizeof(addresses) / sizeof(addresses[0]))]);
}

/* What forward might say of the session that it has. */
static void random_report(struct rig *rig, struct dice *dice)
{
	if (!rig->forwarded)
		return;
	if (rig->session.state == SESSION_TEST && roll(dice, 3) == 0)
		return; /* nothing comes through */
	if (rig->session.config.transport != SESSION_IPV6 && roll(dice, 4) == 0)
		rig_input(rig, SESSION_SILENT);
	else if (rig->session.config.transport != SESSION_IPV6 && !rig->session.config.keeps_port &&
		 roll(dice, 4) == 0)
		rig_port(rig, (uint16_t)(1024 + roll(dice, 3)));
	else
		rig_path(rig, roll(dice, 4) != 0);
}

/* What somebody asks for. */
static void random_wish(struct rig *rig, struct dice *dice)
{
	switch (roll(dice, 4)) {
	case 0:
		rig_input(rig, SESSION_GO_DOWN);
		break;
	case 1:
	case 2:
		rig_input(rig, SESSION_GO_UP);
		break;
	default:
		rig_input(rig, SESSION_RECONNECT);
		break;
	}
}

/* One event that could happen now. */
static void step(struct rig *rig, struct dice *dice)
{
	switch (roll(dice, 19)) {
	case 0:
		random_wish(rig, dice);
		break;
	case 1:
	case 2:
		rig_wait(rig, roll(dice, 3000));
		/* The clock's own event is late at most, never left out. */
		time_passes(rig);
		break;
	case 3:
		if (session_deadline(&rig->session) >= 0 && roll(dice, 2))
			rig->now = session_deadline(&rig->session) + roll(dice, 5);
		time_passes(rig);
		break;
	case 16:
		if (roll(dice, 3) == 0)
			random_network(rig, dice);
		else if (roll(dice, 8) == 0) {
			rig_woke(rig, roll(dice, 100));
			time_passes(rig);
		}
		break;
	case 17:
	case 18:
		random_report(rig, dice);
		break;
	case 4:
		if (rig->connecting)
			rig_failed(rig, CLIENT_REFUSED, "refused");
		else if (rig->connected && roll(dice, 4) == 0)
			rig_failed(rig, CLIENT_UNREACHABLE, "out of everything");
		break;
	case 5:
		if (rig->connected)
			rig_closed(rig, "closed");
		break;
	case 6:
		if (rig->connected)
			rig_bad_line(rig, "a NUL byte in a line");
		break;
	case 7:
	case 8:
	case 9:
		if (rig->lower_asked)
			rig_input(rig, SESSION_LOWERED);
		else if (rig->raise_asked)
			rig_input(rig, roll(dice, 40) ? SESSION_RAISED : SESSION_RAISE_ERROR);
		else if (rig->tunnel && roll(dice, 40) == 0)
			rig_input(rig, SESSION_LOST);
		break;
	default:
		if (rig->connecting)
			rig_connected(rig);
		else if (rig->connected)
			random_line(rig, dice);
		break;
	}
}

/* Only the clock and monitor are sure to go on; the server may say anything. */
static void run_out(struct rig *rig, struct dice *dice)
{
	for (int steps = 0; rig->session.state != SESSION_DONE; steps++) {
		assert_true(steps < 8);
		if (rig->connected && roll(dice, 3) == 0) {
			switch (roll(dice, 4)) {
			case 0:
				rig_bad_line(rig, "a NUL byte in a line");
				break;
			case 1:
				rig_failed(rig, CLIENT_LOCAL, "out of everything");
				break;
			case 2:
				rig_closed(rig, "closed");
				break;
			default:
				random_line(rig, dice);
				break;
			}
		} else if (session_deadline(&rig->session) >= 0 && roll(dice, 2)) {
			rig->now = session_deadline(&rig->session);
			rig_input(rig, SESSION_TIME);
		} else if (rig->lower_asked) {
			rig_input(rig, SESSION_LOWERED);
		} else if (rig->raise_asked) {
			rig_input(rig, roll(dice, 2) ? SESSION_RAISED : SESSION_RAISE_ERROR);
		} else {
			assert_true(session_deadline(&rig->session) >= 0);
			rig->now = session_deadline(&rig->session);
			rig_input(rig, SESSION_TIME);
		}
	}
	rig_expect_exit(rig, CLIENT_OK);
}

static void random_config(struct session_config *config, struct dice *dice)
{
	static const enum tunnel_type types[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};

	config->type = types[roll(dice, 3)];
	config->transport = (enum session_transport)roll(dice, 3);
	config->forwards = roll(dice, 8) > 0;
	config->check_nat = roll(dice, 4) > 0;
	config->hold = roll(dice, 3) * 15;
	config->keeps_port = roll(dice, 4) == 0;
	config->n_servers = 1 + roll(dice, 3);
	config->servers[1] = "b.example";
	config->servers[2] = "c.example";
}

/* How often each state was seen, and a tunnel that was kept. */
struct visits {
	unsigned int states[SESSION_DONE + 1];
	unsigned int held;
};

static void walk(struct dice *dice, bool loop, struct visits *seen)
{
	uint32_t steps = 1 + roll(dice, 120);
	struct session_config config;
	struct rig rig;

	rig_init(&rig);
	config = rig.session.config;
	config.loop = loop;
	random_config(&config, dice);
	rig_configure(&rig, &config);
	rig_input(&rig, SESSION_START);
	while (steps-- > 0 && rig.session.state != SESSION_DONE) {
		step(&rig, dice);
		seen->states[rig.session.state]++;
		seen->held += rig.session.hold_until >= 0;
	}
	if (rig.session.state == SESSION_DONE) {
		/* It had a reason to end, and said it. */
		assert_true(rig.session.status != CLIENT_OK);
		assert_false(loop);
		return;
	}
	rig_input(&rig, SESSION_STOP);
	if (rig.session.state != SESSION_DONE)
		run_out(&rig, dice);
	else
		rig_expect_exit(&rig, CLIENT_OK);
}

static void walks(bool loop)
{
	struct dice dice = {.seed = 20200};
	struct visits seen = {.held = 0};
	/* Under a checker that makes everything fifty times slower, a twentieth has to do. */
	const unsigned count = getenv("DTCP_TESTS_SMALL") ? 1000 : 20000;

	for (unsigned i = 0; i < count; i++)
		walk(&dice, loop, &seen);
	/* Every state was visited, or the walks prove little. */
	for (enum session_state i = SESSION_CONNECT; i < SESSION_DONE; i++)
		assert_true((i == SESSION_WAIT && !loop) || seen.states[i] > count / 200);
	assert_true(loop || seen.states[SESSION_DONE] > count / 400);
	assert_true(seen.held > count / 200);
}

static void test_with_loop(void **state)
{
	(void)state;
	walks(true);
}

static void test_without_loop(void **state)
{
	(void)state;
	walks(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_loop),
		cmocka_unit_test(test_without_loop),
	};

	return cmocka_run_group_tests_name("client session walk", tests, NULL, NULL);
}
