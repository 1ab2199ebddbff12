/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

uint32_t rig_random, rig_random_below;

static uint32_t random_below(uint32_t n)
{
	rig_random_below = n;
	assert_true(rig_random < n);
	return rig_random;
}

void rig_init(struct rig *rig)
{
	const struct session_config config = {
		.servers = {RIG_SERVER},
		.n_servers = 1,
		.type = TUNNEL_ONLY,
		.check_nat = true,
		.keepalive = 60,
		.keepalive_timeout = 15,
		.forwards = true,
		.random = random_below,
	};

	*rig = (struct rig){.now = 1000000, .address = addr4(RIG_LOCAL)};
	rig_random = rig_random_below = 0;
	rig_configure(rig, &config);
}

void rig_configure(struct rig *rig, const struct session_config *config)
{
	session_init(&rig->session, config);
	session_account(&rig->session, RIG_USER);
	for (size_t i = 0; i < config->n_servers; i++)
		session_password(&rig->session, i, RIG_PASSWORD);
	assert_int_equal(rig->session.state, SESSION_IDLE);
}

void rig_init_udp(struct rig *rig, enum session_transport transport, bool loop, uint32_t hold)
{
	struct session_config config;

	rig_init(rig);
	config = rig->session.config;
	config.transport = transport;
	config.loop = loop;
	config.hold = hold;
	rig_configure(rig, &config);
}

/* What the event itself says about the world outside. */
static void before(struct rig *rig, const struct session_event *event)
{
	switch (event->input) {
	case SESSION_CONNECTED:
		assert_true(rig->connecting);
		rig->connecting = false;
		rig->connected = true;
		break;
	case SESSION_FAILED:
		assert_true(rig->connecting || rig->connected);
		rig->connecting = rig->connected = false;
		break;
	case SESSION_LINE:
	case SESSION_BAD_LINE:
	case SESSION_CLOSED:
		assert_true(rig->connected);
		break;
	case SESSION_RAISED:
	case SESSION_RAISE_ERROR:
		assert_true(rig->raise_asked);
		rig->raise_asked = false;
		rig->tunnel = event->input == SESSION_RAISED;
		if (event->input == SESSION_RAISE_ERROR)
			rig->forwarded = false;
		break;
	case SESSION_LOWERED:
		assert_true(rig->lower_asked);
		__attribute__((fallthrough));
	case SESSION_LOST:
		assert_true(rig->tunnel && !rig->raise_asked);
		rig->lower_asked = rig->tunnel = false;
		/* Unless the next session is there already. */
		if (rig->session.state != SESSION_TEST && rig->session.state != SESSION_RAISE)
			rig->forwarded = false;
		break;
	case SESSION_PATH:
	case SESSION_SILENT:
		assert_true(rig->forwarded);
		break;
	case SESSION_PORT:
		assert_true(rig->session.config.transport != SESSION_IPV6);
		assert_false(rig->session.config.keeps_port);
		rig->port = event->port;
		break;
	case SESSION_START:
	case SESSION_NETWORK:
	case SESSION_WOKE:
	case SESSION_RECONNECT:
	case SESSION_GO_DOWN:
	case SESSION_GO_UP:
	case SESSION_STOP:
	case SESSION_TIME:
		break;
	}
}

/* Does what the actions say, in their order. */
static void obey(struct rig *rig)
{
	const struct session_actions *actions = &rig->actions;

	assert_int_equal(actions->what & ~(SESSION_DO_EXIT * 2u - 1), 0);
	assert_true((actions->send[0] != '\0') == ((actions->what & SESSION_DO_SEND) != 0));
	if (actions->what & SESSION_DO_SEND)
		assert_true(rig->connected);
	if (actions->what & SESSION_DO_CLOSE) {
		rig->connecting = rig->connected = false;
		/* One that was only tried out is removed. */
		if (rig->session.tunnel == SESSION_TUNNEL_NONE)
			rig->forwarded = false;
	}
	if (actions->what & SESSION_DO_ADD) {
		assert_true(rig->connected);
		rig->forwarded = true;
	}
	if (actions->what & SESSION_DO_HELLO)
		assert_true(rig->forwarded && rig->tunnel);
	if (actions->what & SESSION_DO_PORT) {
		assert_true(rig->session.config.transport != SESSION_IPV6);
		assert_false(rig->session.config.keeps_port);
	}
	if (actions->what & SESSION_DO_RAISE) {
		assert_true(rig->forwarded);
		assert_false(rig->raise_asked || rig->lower_asked);
		rig->raise_asked = true;
		rig->told = rig->port;
	}
	if (actions->what & SESSION_DO_LOWER) {
		assert_true(rig->tunnel);
		assert_false(rig->raise_asked || rig->lower_asked);
		rig->lower_asked = true;
	}
	if (actions->what & SESSION_DO_CONNECT) {
		assert_false(rig->raise_asked);
		assert_false(rig->connecting || rig->connected);
		rig->connecting = true;
	}
	if (actions->what & SESSION_DO_EXIT) {
		assert_false(rig->tunnel || rig->raise_asked || rig->lower_asked);
		assert_false(rig->exited);
		rig->exited = true;
	}
}

/* What the machine believes of the tunnel; and none stays for ever without its session. */
static void check_link(const struct rig *rig)
{
	const struct session *session = &rig->session;
	bool owned = session->state == SESSION_UP || session->state == SESSION_QUIT;

	switch (session->tunnel) {
	case SESSION_TUNNEL_NONE:
		assert_false(rig->tunnel || rig->raise_asked || rig->lower_asked);
		break;
	case SESSION_TUNNEL_RAISING:
		assert_true(rig->raise_asked && !rig->lower_asked);
		break;
	case SESSION_TUNNEL_UP:
		assert_true(rig->tunnel && !rig->raise_asked && !rig->lower_asked);
		assert_true(owned || session->hold_until >= 0);
		break;
	case SESSION_TUNNEL_LOWERING:
		assert_true(rig->tunnel && rig->lower_asked && !rig->raise_asked);
		break;
	}
	if (session->hold_until >= 0) {
		assert_int_equal(session->tunnel, SESSION_TUNNEL_UP);
		assert_int_not_equal(session->state, SESSION_UP);
		assert_true(session_deadline(session) <= session->hold_until);
	}
}

/* No state waits for ever: there is a deadline, or an answer of monitor is on its way. */
static void check_state(const struct rig *rig)
{
	/* A clock's event that ends the hold may find more that is due; it comes again at once. So
	 * it does after sleep. */
	bool timed = rig->session.deadline > rig->now ||
		     (rig->session.deadline >= 0 && (rig->hold_ended || rig->woken));

	switch (rig->session.state) {
	case SESSION_IDLE: /* for the account, which monitor sends */
		assert_int_equal(rig->session.deadline, -1);
		assert_false(rig->connecting || rig->connected || rig->tunnel);
		break;
	case SESSION_CONNECT:
		assert_true(timed && rig->connecting);
		break;
	case SESSION_GREETING:
	case SESSION_LOGIN:
		assert_true(timed && rig->connected);
		break;
	case SESSION_TEST:
		assert_true(timed && rig->connected && rig->forwarded);
		break;
	case SESSION_RAISE:
		assert_true(rig->connected && rig->forwarded);
		assert_true(rig->raise_asked != rig->lower_asked);
		assert_int_equal(rig->session.deadline, -1);
		break;
	case SESSION_UP:
		assert_true(timed && rig->connected && rig->forwarded);
		/* Monitor is told of a port that is new, as soon as it listens. */
		assert_int_equal(rig->session.tunnel,
				 rig->raise_asked ? SESSION_TUNNEL_RAISING : SESSION_TUNNEL_UP);
		assert_true(rig->raise_asked || !rig->session.udp || rig->told == rig->port);
		break;
	case SESSION_QUIT:
		assert_true(timed && rig->connected);
		break;
	case SESSION_LOWER:
		assert_true(rig->raise_asked != rig->lower_asked);
		assert_false(rig->connecting || rig->connected);
		assert_int_equal(rig->session.deadline, -1);
		break;
	case SESSION_WAIT:
	case SESSION_DONE:
		assert_true(timed == (rig->session.state == SESSION_WAIT));
		assert_false(rig->connecting || rig->connected || rig->raise_asked);
		break;
	case SESSION_DOWN:
		assert_int_equal(session_deadline(&rig->session), -1);
		assert_false(rig->connecting || rig->connected || rig->tunnel || rig->raise_asked);
		break;
	}
	assert_true(rig->exited == (rig->session.state == SESSION_DONE));
}

/* Nothing but these two leads out of it, and nothing else is done. */
static void check_down(const struct rig *rig, enum session_input input)
{
	if (input == SESSION_GO_UP || input == SESSION_STOP)
		return;
	assert_int_equal(rig->session.state, SESSION_DOWN);
	assert_int_equal(rig->actions.what, 0);
}

/* For those who look: up is what is up, and of a pause it is known when it ends. */
static void check_report(const struct rig *rig)
{
	const struct session *session = &rig->session;
	enum client_state state = session_client_state(session);

	assert_int_equal(state == CLIENT_STATE_UP, session->state == SESSION_UP);
	assert_true(state != CLIENT_STATE_HELD || rig->tunnel);
	if (rig->tunnel && session->state < SESSION_QUIT && !rig->lower_asked)
		assert_true(state == CLIENT_STATE_UP || state == CLIENT_STATE_HELD);
	assert_int_equal(session_next_try(session) >= 0, session->state == SESSION_WAIT);
	assert_true(session_why(session) < SESSION_WHYS);
}

void rig_feed(struct rig *rig, const struct session_event *event)
{
	bool was_down = rig->session.state == SESSION_DOWN;

	rig->hold_ended = event->input == SESSION_TIME && rig->session.hold_until >= 0 &&
			  rig->now >= rig->session.hold_until;
	rig->woken = event->input == SESSION_WOKE;
	before(rig, event);
	/* Whatever was in there must not shine through. */
	memset(&rig->actions, 'x', sizeof(rig->actions));
	session_feed(&rig->session, event, rig->now, &rig->actions);
	obey(rig);
	check_state(rig);
	check_link(rig);
	check_report(rig);
	if (was_down)
		check_down(rig, event->input);
	/* Everything that goes wrong is said, in one line. */
	assert_non_null(memchr(rig->actions.message, '\0', sizeof(rig->actions.message)));
	assert_null(strchr(rig->actions.message, '\n'));
}

void rig_input(struct rig *rig, enum session_input input)
{
	rig_feed(rig, &(const struct session_event){.input = input});
}

void rig_renew(struct rig *rig)
{
	rig_feed(rig, &(const struct session_event){.input = SESSION_RECONNECT, .keep = true});
}

void rig_connected(struct rig *rig)
{
	rig_feed(rig, &(const struct session_event){.input = SESSION_CONNECTED,
						    .local = rig->address,
						    .remote = addr4(RIG_REMOTE)});
}

void rig_failed(struct rig *rig, enum client_exit status, const char *text)
{
	rig_feed(rig, &(const struct session_event){
			      .input = SESSION_FAILED, .status = status, .text = text});
}

void rig_line(struct rig *rig, const char *line)
{
	rig_feed(rig, &(const struct session_event){
			      .input = SESSION_LINE, .line = line, .len = strlen(line)});
}

void rig_bad_line(struct rig *rig, const char *text)
{
	rig_feed(rig, &(const struct session_event){.input = SESSION_BAD_LINE, .text = text});
}

void rig_closed(struct rig *rig, const char *text)
{
	rig_feed(rig, &(const struct session_event){.input = SESSION_CLOSED, .text = text});
}

void rig_path(struct rig *rig, bool alive)
{
	rig_feed(rig, &(const struct session_event){.input = SESSION_PATH, .alive = alive});
}

void rig_port(struct rig *rig, uint16_t port)
{
	rig_feed(rig, &(const struct session_event){.input = SESSION_PORT, .port = port});
}

void rig_network(struct rig *rig, const char *text)
{
	rig->address = addr4(text);
	rig_feed(rig,
		 &(const struct session_event){.input = SESSION_NETWORK, .local = rig->address});
}

void rig_woke(struct rig *rig, uint32_t seconds)
{
	rig_wait(rig, (int64_t)seconds * 1000);
	rig_feed(rig, &(const struct session_event){.input = SESSION_WOKE, .seconds = seconds});
}

void rig_wait(struct rig *rig, int64_t milliseconds)
{
	rig->now += milliseconds;
}

void rig_deadline(struct rig *rig, int64_t milliseconds)
{
	enum session_state state = rig->session.state;

	assert_int_equal(session_deadline(&rig->session) - rig->now, milliseconds);
	/* A timer that fires too early changes nothing. */
	rig_wait(rig, milliseconds - 1);
	rig_input(rig, SESSION_TIME);
	rig_expect(rig, state, 0, NULL, "");
	rig_wait(rig, 1);
	rig_input(rig, SESSION_TIME);
}

void rig_request(struct rig *rig)
{
	rig_connected(rig);
	rig_line(rig, RIG_GREETING);
	assert_int_equal(rig->session.state, SESSION_LOGIN);
}

/* The server's answer to the request, as it would be without a NAT. */
static void rig_reply(struct rig *rig)
{
	char text[INET_ADDRSTRLEN];
	char line[120];

	(void)snprintf(line, sizeof(line), "+OK %s " RIG_REMOTE "%s",
		       inet_ntop(AF_INET, &rig->address, text, sizeof(text)),
		       rig->session.udp ? RIG_UDP : "");
	rig_line(rig, line);
}

/* What is tried out works. */
static void rig_pass_test(struct rig *rig)
{
	if (rig->session.state == SESSION_TEST)
		rig_path(rig, true);
}

void rig_come_up(struct rig *rig)
{
	char message[300] = "";

	rig_request(rig);
	rig_reply(rig);
	rig_pass_test(rig);
	if (rig->lower_asked)
		rig_input(rig, SESSION_LOWERED);
	if (rig->session.path.known == CLIENT_PATH_ALIVE && !rig->session.udp)
		(void)snprintf(message, sizeof(message), "%s: the far end answers over protocol 41",
			       session_server_name(&rig->session));
	rig_input(rig, SESSION_RAISED);
	rig_expect(rig, SESSION_UP, 0, NULL, message);
}

void rig_reach(struct rig *rig, enum session_state state)
{
	if (state == SESSION_IDLE)
		return;
	rig_input(rig, SESSION_START);
	if (state == SESSION_CONNECT)
		return;
	if (state == SESSION_WAIT) {
		assert_true(rig->session.config.loop);
		rig_failed(rig, CLIENT_REFUSED, "no");
		assert_int_equal(rig->session.state, SESSION_WAIT);
		return;
	}
	if (state == SESSION_DOWN) {
		rig_input(rig, SESSION_GO_DOWN);
		assert_int_equal(rig->session.state, SESSION_DOWN);
		return;
	}
	if (state == SESSION_DONE) {
		rig_input(rig, SESSION_STOP);
		assert_int_equal(rig->session.state, SESSION_DONE);
		return;
	}
	rig_connected(rig);
	if (state == SESSION_GREETING)
		return;
	rig_line(rig, RIG_GREETING);
	if (state == SESSION_LOGIN)
		return;
	rig_reply(rig);
	if (state == SESSION_TEST) {
		assert_int_equal(rig->session.state, SESSION_TEST);
		return;
	}
	rig_pass_test(rig);
	assert_int_equal(rig->session.state, SESSION_RAISE);
	if (state == SESSION_RAISE)
		return;
	rig_input(rig, SESSION_RAISED);
	assert_int_equal(rig->session.state, SESSION_UP);
	if (state == SESSION_UP)
		return;
	if (state == SESSION_QUIT) {
		rig_input(rig, SESSION_STOP);
		assert_int_equal(rig->session.state, SESSION_QUIT);
		return;
	}
	rig_closed(rig, "gone");
	assert_int_equal(state, SESSION_LOWER);
	assert_int_equal(rig->session.state, SESSION_LOWER);
}

void rig_expect(const struct rig *rig, enum session_state state, unsigned int what,
		const char *send, const char *message)
{
	assert_string_equal(rig->actions.message, message);
	assert_string_equal(session_state_name(rig->session.state), session_state_name(state));
	assert_int_equal(rig->actions.what, what);
	assert_string_equal(rig->actions.send, send ? send : "");
}

void rig_expect_exit(const struct rig *rig, enum client_exit status)
{
	assert_true(rig->actions.what & SESSION_DO_EXIT);
	assert_int_equal(rig->session.state, SESSION_DONE);
	assert_int_equal(rig->session.status, status);
}
