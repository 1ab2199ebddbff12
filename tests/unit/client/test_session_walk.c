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

static void random_line(struct rig *rig, struct dice *dice)
{
	static const char *const lines[] = {
		RIG_GREETING,
		RIG_REPLY,
		RIG_REPLY,
		RIG_REPLY " 2001:db8::2 2001:db8::1 2001:db8:1::/48",
		"+OK 203.0.113.7 192.0.2.1",
		"+OK pong",
		"-ERR authentication failed.",
		"-ERR superseded by a new session",
		"-ERR unsupported tunnel type host",
		"garbage",
		"",
	};
	/* Mostly what leads on, or no walk would ever get far. */
	if (rig->session.state == SESSION_GREETING && roll(dice, 8) > 0)
		rig_line(rig, RIG_GREETING);
	else if (rig->session.state == SESSION_LOGIN && roll(dice, 8) > 0)
		rig_line(rig, RIG_REPLY " 2001:db8::2 2001:db8::1 2001:db8:1::/48");
	else
		rig_line(rig, lines[roll(dice, sizeof(lines) / sizeof(lines[0]))]);
}

/* One event that could happen now. */
static void step(struct rig *rig, struct dice *dice)
{
	switch (roll(dice, 16)) {
	case 0:
		rig_input(rig, SESSION_RECONNECT);
		break;
	case 1:
	case 2:
		rig_wait(rig, roll(dice, 3000));
		/* The clock's own event is late at most, never left out. */
		rig_input(rig, SESSION_TIME);
		break;
	case 3:
		if (rig->session.deadline >= 0 && roll(dice, 2))
			rig->now = rig->session.deadline + roll(dice, 5);
		rig_input(rig, SESSION_TIME);
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
		assert_true(steps < 6);
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
		} else if (rig->session.deadline >= 0 && roll(dice, 2)) {
			rig->now = rig->session.deadline;
			rig_input(rig, SESSION_TIME);
		} else if (rig->lower_asked) {
			rig_input(rig, SESSION_LOWERED);
		} else if (rig->raise_asked) {
			rig_input(rig, roll(dice, 2) ? SESSION_RAISED : SESSION_RAISE_ERROR);
		} else {
			assert_true(rig->session.deadline >= 0);
			rig->now = rig->session.deadline;
			rig_input(rig, SESSION_TIME);
		}
	}
	rig_expect_exit(rig, CLIENT_OK);
}

static void walk(struct dice *dice, bool loop, unsigned int seen[static SESSION_DONE + 1])
{
	static const enum tunnel_type types[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};
	uint32_t steps = 1 + roll(dice, 120);
	struct rig rig;

	rig_init(&rig);
	rig.session.config.loop = loop;
	rig.session.config.type = types[roll(dice, 3)];
	rig_input(&rig, SESSION_START);
	while (steps-- > 0 && rig.session.state != SESSION_DONE) {
		step(&rig, dice);
		seen[rig.session.state]++;
	}
	if (rig.session.state == SESSION_DONE) {
		/* It had a reason to end, and said it. */
		assert_true(rig.actions.status != CLIENT_OK);
		assert_true(!loop || rig.actions.status == CLIENT_LOCAL);
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
	unsigned int seen[SESSION_DONE + 1] = {0};

	for (int i = 0; i < 20000; i++)
		walk(&dice, loop, seen);
	/* Every state was visited, or the walks prove little. */
	for (enum session_state i = SESSION_CONNECT; i <= SESSION_DONE; i++)
		assert_true((i == SESSION_WAIT && !loop) || seen[i] > 100);
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
