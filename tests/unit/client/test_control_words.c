/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who believes what, in the client: every message that forward and monitor can send to control and
 * that can come at the wrong time, in every state of the session. One that cannot be leads to a
 * line and to nothing else, whoever has taken forward over.
 */
#include "client/control/control.h"

#include "base/clock.h"
#include "client/control/control_parts.h"
#include "forward/msg.h"
#include "rig.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MONITOR, FORWARD, CHANNELS };

/* Where the session is, and what forward was told of it. */
enum situation {
	IDLE,	 /* no account yet */
	CONNECT, /* nothing has been added */
	LOGIN,
	TEST_UDP,   /* just added */
	TEST_41,    /* the same over protocol 41 */
	TEST_AGAIN, /* added in place of one that forward has not removed yet */
	RAISE_UDP,  /* the path lives */
	RAISE_41,   /* forward has not said anything yet */
	UP_UDP,
	UP_41,
	LOWER,	  /* monitor takes the tunnel down */
	GIVEN_UP, /* while monitor makes it */
	RETRY,	  /* forward has not said yet that it has removed it */
	RESTED,	  /* and now it has */
	HELD,	  /* connecting, with the tunnel of the session before */
	SITUATIONS,
};

static const char *const names[] = {
	[IDLE] = "idle",
	[CONNECT] = "connect",
	[LOGIN] = "login",
	[TEST_UDP] = "test, UDP",
	[TEST_41] = "test, 41",
	[TEST_AGAIN] = "test, again",
	[RAISE_UDP] = "raise, UDP",
	[RAISE_41] = "raise, 41",
	[UP_UDP] = "up, UDP",
	[UP_41] = "up, 41",
	[LOWER] = "lower",
	[GIVEN_UP] = "given up",
	[RETRY] = "retry",
	[RESTED] = "rested",
	[HELD] = "held",
};

enum outcome {
	WRONG,	/* a line, and nothing else */
	SILENT, /* not even that: an honest sender could not have known better */
	NOTED,	/* of forward only: the session goes on as it was */
	TAKEN,	/* it means what it says, and something follows */
};

enum word {
	ADDED,
	REFUSED,
	REMOVED,
	ALIVE,
	DEAD,
	HALF_DEAD, /* neither yes nor no */
	UNANSWERED,
	MOVED,
	MOVED_NOWHERE, /* no port */
	PASSWORD,
	PASSWORD_FAR, /* of a server that there is not */
	ACCOUNT,
	RAISED,
	NOT_RAISED,
	LOWERED,
	LOST,
	CHECK,	/* without --check */
	RESULT, /* and of what nobody has asked */
	WORDS,
};

#define W WRONG
#define S SILENT
#define N NOTED
#define T TAKEN

static const struct {
	const char *who;
	const char *name;
	enum outcome outcome[SITUATIONS];
} words[] = {
	/* idle, connect, login | test: UDP, 41, again | raise: UDP, 41 | up: UDP, 41 | lower,
	 * given up | retry, rested, held */
	[ADDED] = {"forward", "added", {W, W, W, N, N, S, N, N, W, W, W, N, S, W, W}},
	[REFUSED] = {"forward", "refused", {W, W, W, T, T, S, W, T, W, W, W, W, S, W, W}},
	[REMOVED] = {"forward", "removed", {W, W, W, W, W, N, W, W, W, W, W, W, N, W, W}},
	[ALIVE] = {"forward", "path", {W, W, W, T, T, S, N, T, N, T, N, N, S, W, N}},
	[DEAD] = {"forward", "path", {W, W, W, T, T, S, T, T, T, T, N, N, S, W, N}},
	[HALF_DEAD] = {"forward", "path", {W, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
	[UNANSWERED] = {"forward", "silent", {W, W, W, T, W, S, T, W, T, W, T, T, S, W, T}},
	[MOVED] = {"forward", "port", {W, W, W, N, W, T, T, W, T, W, N, T, N, W, T}},
	[MOVED_NOWHERE] = {"forward", "port", {W, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
	[PASSWORD] = {"monitor", "password", {T, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
	[PASSWORD_FAR] = {"monitor", "password", {W, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
	[ACCOUNT] = {"monitor", "account", {T, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
	[RAISED] = {"monitor", "raised", {W, W, W, W, W, W, T, T, W, W, W, T, W, W, W}},
	[NOT_RAISED] = {"monitor", "raised", {W, W, W, W, W, W, T, T, W, W, W, T, W, W, W}},
	[LOWERED] = {"monitor", "lowered", {W, W, W, W, W, W, W, W, W, W, T, W, W, W, W}},
	[LOST] = {"monitor", "lost", {W, W, W, W, W, T, S, S, T, T, T, S, W, W, T}},
	[CHECK] = {"monitor", "check", {W, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
	[RESULT] = {"forward", "result", {W, W, W, W, W, W, W, W, W, W, W, W, W, W, W}},
};

#undef W
#undef S
#undef N
#undef T

/* --- the room without its channels, its connection and its log ----------------------------- */

static struct {
	struct client_options options;
	const struct ipc_row *rows[CHANNELS];
	size_t n_rows[CHANNELS];
	unsigned int n_channels;
	struct control *control;
	unsigned int done; /* what it has sent, connected, closed */
	bool ended;
	unsigned int lines;
	char said[300];
	enum situation situation;
	enum word word;
	uint32_t id; /* of the session that it names */
} room;

static void play(void);

struct ipc *__wrap_ipc_new(struct event_base *base, int fd, const char *name,
			   const struct ipc_row *rows, size_t n_rows, ipc_closed closed, void *arg);
int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);
void __wrap_ipc_free(struct ipc **ipc);
void __wrap_ipc_flush(struct ipc *ipc, int timeout_ms);
int __wrap_event_base_dispatch(struct event_base *base);
int __wrap_event_base_loopbreak(struct event_base *base);
void __wrap_clock_arm(struct event *timer, int64_t deadline);
struct connection *__wrap_connection_new(struct event_base *base, uint32_t patience,
					 connection_feed feed, void *arg);
void __wrap_connection_free(struct connection *connection);
void __wrap_connection_open(struct connection *connection, uint16_t port, struct in_addr address);
void __wrap_connection_send(struct connection *connection, const char *line);
void __wrap_connection_close(struct connection *connection);
void __wrap_log_event(const struct log_record *record);
void __wrap_log_warnx(const char *format, ...);
void __wrap_log_limited(struct log_limit *limit, int64_t now, const char *format, ...);

struct ipc *__wrap_ipc_new(struct event_base *base, int fd, const char *name,
			   const struct ipc_row *rows, size_t n_rows, ipc_closed closed, void *arg)
{
	(void)base;
	(void)fd;
	(void)name;
	(void)closed;
	assert_true(room.n_channels < CHANNELS);
	room.rows[room.n_channels] = rows;
	room.n_rows[room.n_channels] = n_rows;
	room.control = arg;
	return (struct ipc *)(void *)&room.rows[room.n_channels++];
}

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	(void)ipc;
	(void)type;
	(void)body;
	(void)size;
	assert_int_equal(fd, -1);
	room.done++;
	return 0;
}

void __wrap_ipc_free(struct ipc **ipc)
{
	*ipc = NULL;
}

void __wrap_ipc_flush(struct ipc *ipc, int timeout_ms)
{
	(void)ipc;
	(void)timeout_ms;
}

int __wrap_event_base_dispatch(struct event_base *base)
{
	(void)base;
	play();
	return 0;
}

int __wrap_event_base_loopbreak(struct event_base *base)
{
	(void)base;
	room.ended = true;
	return 0;
}

void __wrap_clock_arm(struct event *timer, int64_t deadline)
{
	(void)timer;
	(void)deadline;
}

struct connection *__wrap_connection_new(struct event_base *base, uint32_t patience,
					 connection_feed feed, void *arg)
{
	(void)base;
	(void)patience;
	(void)feed;
	(void)arg;
	return (struct connection *)(void *)&room;
}

void __wrap_connection_free(struct connection *connection)
{
	(void)connection;
}

void __wrap_connection_open(struct connection *connection, uint16_t port, struct in_addr address)
{
	(void)connection;
	(void)port;
	(void)address;
	room.done++;
}

void __wrap_connection_send(struct connection *connection, const char *line)
{
	(void)connection;
	(void)line;
	room.done++;
}

void __wrap_connection_close(struct connection *connection)
{
	(void)connection;
	room.done++;
}

void __wrap_log_event(const struct log_record *record)
{
	(void)record;
}

void __wrap_log_warnx(const char *format, ...)
{
	(void)format;
}

void __wrap_log_limited(struct log_limit *limit, int64_t now, const char *format, ...)
{
	va_list ap;

	(void)now;
	assert_ptr_equal(limit, &room.control->wrong);
	room.lines++;
	va_start(ap, format);
	(void)vsnprintf(room.said, sizeof(room.said), format, ap);
	va_end(ap);
}

/* --- what others say ---------------------------------------------------------------------- */

static void tell(unsigned int channel, uint32_t type, const void *body, size_t size)
{
	for (size_t i = 0; i < room.n_rows[channel]; i++) {
		const struct ipc_row *row = &room.rows[channel][i];

		if (row->type != type)
			continue;
		assert_int_equal(row->size, size);
		ipc_row_handle(row, body, -1, room.control);
		return;
	}
	fail_msg("control does not know message %u", type);
}

static void say_of(uint32_t number, enum word word)
{
	const struct forward_id id = {.id = number};
	const struct forward_path path = {.id = number,
					  .alive = word == ALIVE  ? 1
						   : word == DEAD ? 0
								  : 2};
	const struct client_password password = {.server = word == PASSWORD ? 0 : 1, .text = "x"};
	const struct forward_port port = {.port = word == MOVED ? 40000 : 0};
	const struct client_account account = {.user = "somebody", .udp_port = 4028};
	const struct client_raised raised = {.ok = word == RAISED};
	const struct client_check check = {.login = CLIENT_CHECK_LOGIN};
	const struct forward_result result = {.id = number, .what = FORWARD_RESULT_ANSWER};

	switch (word) {
	case ADDED:
		tell(FORWARD, FORWARD_MSG_ADDED, &id, sizeof(id));
		break;
	case REFUSED:
		tell(FORWARD, FORWARD_MSG_REFUSED, &id, sizeof(id));
		break;
	case REMOVED:
		tell(FORWARD, FORWARD_MSG_REMOVED, &id, sizeof(id));
		break;
	case ALIVE:
	case DEAD:
	case HALF_DEAD:
		tell(FORWARD, FORWARD_MSG_PATH, &path, sizeof(path));
		break;
	case UNANSWERED:
		tell(FORWARD, FORWARD_MSG_SILENT, &id, sizeof(id));
		break;
	case MOVED:
	case MOVED_NOWHERE:
		tell(FORWARD, FORWARD_MSG_PORT, &port, sizeof(port));
		break;
	case PASSWORD:
	case PASSWORD_FAR:
		tell(MONITOR, CLIENT_MSG_PASSWORD, &password, sizeof(password));
		break;
	case ACCOUNT:
		tell(MONITOR, CLIENT_MSG_ACCOUNT, &account, sizeof(account));
		break;
	case RAISED:
	case NOT_RAISED:
		tell(MONITOR, CLIENT_MSG_RAISED, &raised, sizeof(raised));
		break;
	case LOWERED:
		tell(MONITOR, CLIENT_MSG_LOWERED, NULL, 0);
		break;
	case LOST:
		tell(MONITOR, CLIENT_MSG_LOST, NULL, 0);
		break;
	case CHECK:
		tell(MONITOR, CLIENT_MSG_CHECK, &check, sizeof(check));
		break;
	case RESULT:
	case WORDS:
		tell(FORWARD, FORWARD_MSG_RESULT, &result, sizeof(result));
		break;
	}
}

static void say(enum word word)
{
	say_of(0, word);
}

/* --- the way into a situation ------------------------------------------------------------- */

static void line(const char *text)
{
	const struct session_event event = {
		.input = SESSION_LINE, .line = text, .len = strlen(text)};

	control_feed(&event, room.control);
}

static void connected(void)
{
	const struct session_event event = {
		.input = SESSION_CONNECTED, .local = addr4(RIG_LOCAL), .remote = addr4(RIG_REMOTE)};

	control_feed(&event, room.control);
	line(RIG_GREETING);
}

static void lose(void)
{
	const struct session_event event = {.input = SESSION_CLOSED, .text = "closed"};

	control_feed(&event, room.control);
}

static void time_comes(void)
{
	const int64_t later = session_deadline(&room.control->session);
	struct session_actions actions;

	/* By itself, as the room's clock cannot be moved. */
	session_feed(&room.control->session, &(struct session_event){.input = SESSION_TIME}, later,
		     &actions);
	assert_int_equal(actions.what, SESSION_DO_CONNECT);
}

static void log_in(bool udp)
{
	connected();
	line(udp ? RIG_REPLY RIG_UDP : RIG_REPLY);
}

static void come_up(bool udp)
{
	log_in(udp);
	if (udp)
		say(ALIVE);
	say(RAISED);
	say(ADDED);
	assert_int_equal(room.control->session.state, SESSION_UP);
}

static void reach(void)
{
	if (room.situation == IDLE)
		return;
	say(PASSWORD);
	say(ACCOUNT);
	switch (room.situation) {
	case IDLE:
	case CONNECT:
		break;
	case LOGIN:
		connected();
		break;
	case TEST_UDP:
	case TEST_41:
		log_in(room.situation == TEST_UDP);
		break;
	case TEST_AGAIN:
		come_up(true);
		lose();
		time_comes();
		log_in(true);
		break;
	case RAISE_UDP:
		log_in(true);
		say(ALIVE);
		break;
	case RAISE_41:
		log_in(false);
		break;
	case UP_UDP:
	case UP_41:
		come_up(room.situation == UP_UDP);
		break;
	case LOWER:
		come_up(true);
		lose();
		break;
	case GIVEN_UP:
		log_in(true);
		say(ALIVE);
		lose();
		break;
	case RETRY:
	case RESTED:
		come_up(true);
		lose();
		say(LOWERED);
		if (room.situation == RESTED)
			say(REMOVED);
		break;
	case HELD:
	case SITUATIONS:
		come_up(true);
		lose();
		time_comes();
		break;
	}
}

static const enum session_state states[] = {
	[IDLE] = SESSION_IDLE,	     [CONNECT] = SESSION_CONNECT, [LOGIN] = SESSION_LOGIN,
	[TEST_UDP] = SESSION_TEST,   [TEST_41] = SESSION_TEST,	  [TEST_AGAIN] = SESSION_TEST,
	[RAISE_UDP] = SESSION_RAISE, [RAISE_41] = SESSION_RAISE,  [UP_UDP] = SESSION_UP,
	[UP_41] = SESSION_UP,	     [LOWER] = SESSION_LOWER,	  [GIVEN_UP] = SESSION_LOWER,
	[RETRY] = SESSION_WAIT,	     [RESTED] = SESSION_WAIT,	  [HELD] = SESSION_CONNECT,
};

/* --- what becomes of it ------------------------------------------------------------------- */

/* All that control knows and has done. */
struct picture {
	struct session session;
	struct dialog dialog;
	unsigned int done;
	bool ended;
};

static void take_picture(struct picture *picture)
{
	memset(picture, 0, sizeof(*picture));
	memcpy(&picture->session, &room.control->session, sizeof(picture->session));
	memcpy(&picture->dialog, &room.control->dialog, sizeof(picture->dialog));
	picture->done = room.done;
	picture->ended = room.ended;
}

static void play(void)
{
	enum outcome want = words[room.word].outcome[room.situation];
	struct picture before, after;
	char said[120];

	if (room.id != 0)
		want = WRONG;
	reach();
	assert_int_equal(room.control->session.state, states[room.situation]);
	assert_int_equal(room.lines, 0);
	take_picture(&before);
	say_of(room.id, room.word);
	take_picture(&after);
	assert_int_equal(room.lines, want == WRONG);
	if (want == NOTED) {
		after.dialog = before.dialog;
		after.session.servers[0].answers = before.session.servers[0].answers;
	}
	if (want == TAKEN)
		assert_memory_not_equal(&before, &after, sizeof(after));
	else
		assert_memory_equal(&before, &after, sizeof(after));
	if (want != WRONG)
		return;
	(void)snprintf(said, sizeof(said), "%s said \"%s\" in state %s (", words[room.word].who,
		       words[room.word].name, session_state_name(states[room.situation]));
	assert_memory_equal(room.said, said, strlen(said));
}

static void try(enum situation situation, enum word word, uint32_t id)
{
	bool plain = situation == RAISE_41 || situation == UP_41;

	print_message("%s: %s of %u (%u)\n", names[situation], words[word].name, id, word);
	memset(&room, 0, sizeof(room));
	room.situation = situation;
	room.word = word;
	room.id = id;
	room.options = (struct client_options){
		.servers = {"192.0.2.1"},
		.n_servers = 1,
		.interface = "dtcp0",
		.type = TUNNEL_ONLY,
		.loop = true,
		.transport = plain		    ? SESSION_IPV6
			     : situation == TEST_41 ? SESSION_AUTO
						    : SESSION_UDP,
		.hold = situation == HELD || situation == TEST_AGAIN ? 60 : 0,
		.mtu = 1280,
		.keepalive = 60,
		.keepalive_timeout = 15,
	};
	(void)client_control_run(&room.options, -1, 1);
}

static void test_each_in_each_state(void **state)
{
	(void)state;
	for (enum situation situation = IDLE; situation < SITUATIONS; situation++) {
		for (enum word word = ADDED; word < WORDS; word++)
			try(situation, word, 0);
	}
}

static void test_another_session(void **state)
{
	(void)state;
	for (enum situation situation = IDLE; situation < SITUATIONS; situation++) {
		for (enum word word = ADDED; word <= HALF_DEAD; word++)
			try(situation, word, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_in_each_state),
		cmocka_unit_test(test_another_session),
	};

	return cmocka_run_group_tests_name("client words", tests, NULL, NULL);
}
