/* SPDX-License-Identifier: BSD-2-Clause */
#include "held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void held_begin(struct rig *rig, enum session_state state)
{
	rig_init_udp(rig, SESSION_IPV6, true, 30);
	rig_reach(rig, state);
}

void held_lose(struct rig *rig)
{
	held_begin(rig, SESSION_UP);
	rig_closed(rig, "gone");
	rig_expect(rig, SESSION_WAIT, SESSION_DO_CLOSE, NULL, HELD_LOST);
	assert_true(rig->actions.warning);
	assert_int_equal(rig->session.tunnel, SESSION_TUNNEL_UP);
	assert_int_equal(rig->session.hold_until, rig->now + 30000);
}

void held_reach(struct rig *rig, enum session_state state)
{
	held_lose(rig);
	if (state == SESSION_WAIT)
		return;
	rig_deadline(rig, 500);
	rig_expect(rig, SESSION_CONNECT, SESSION_DO_CONNECT, NULL, "");
	if (state == SESSION_CONNECT)
		return;
	rig_wait(rig, HELD_CONNECT);
	rig_connected(rig);
	if (state == SESSION_GREETING)
		return;
	rig_line(rig, RIG_GREETING);
	assert_int_equal(state, SESSION_LOGIN);
}

void held_wait_end(struct rig *rig)
{
	enum session_state state = rig->session.state;

	rig_wait(rig, rig->session.hold_until - rig->now - 1);
	rig_input(rig, SESSION_TIME);
	rig_expect(rig, state, 0, NULL, "");
	rig_wait(rig, 1);
	rig_input(rig, SESSION_TIME);
	rig_expect(rig, state, SESSION_DO_LOWER, NULL, HELD_OVER);
	assert_true(rig->actions.warning);
	assert_int_equal(rig->session.hold_until, -1);
}
