/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who believes what, on the server: every message that forward and monitor can send to control, in
 * every state of the session that it names. A forward that has been taken over says it when it
 * cannot be; then a line says so, and the session goes on as if nothing had been said.
 */
#include "trio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Of session 0. In the last three a session that had the number before has just gone. */
enum situation {
	NOBODY,	    /* nobody has had the number yet */
	CHECK,	    /* root looks at the login */
	DESERTED,   /* the same, and the client has hung up */
	ADD,	    /* forward has been asked */
	UP,	    /* over protocol 41 */
	UP_UDP,	    /* over UDP */
	OVER,	    /* it is over, and forward has said so */
	LATE,	    /* it is over, and forward has not said so yet */
	LATE_CHECK, /* the number is another session's again */
	LATE_ADD,   /* and forward has been asked for that one */
	SITUATIONS,
};

static const char *const situation_names[] = {
	[NOBODY] = "nobody",
	[CHECK] = "check",
	[DESERTED] = "deserted",
	[ADD] = "add",
	[UP] = "up",
	[UP_UDP] = "up, UDP",
	[OVER] = "over",
	[LATE] = "late",
	[LATE_CHECK] = "late, check",
	[LATE_ADD] = "late, add",
};

/* What becomes of a message. */
enum outcome {
	WRONG,	/* a line, and nothing else */
	SILENT, /* not even that: an honest sender could not have known better */
	TAKEN,	/* it means what it says */
};

enum word {
	ADDED,
	REFUSED,
	REMOVED,
	LEARNED,
	LEARNED_PORT,
	DEAD,
	HALF_DEAD, /* neither yes nor no */
	GRANTED,
	DENIED,
	REVOKE,
	REVOKE_IDLY, /* for no reason */
	WORDS
};

static const struct {
	const char *who;
	const char *name;
	enum outcome outcome[SITUATIONS];
} words[] = {
	/* nobody, check, deserted, add, up, up with UDP, over, late, late check, late add */
	[ADDED] = {"forward",
		   "added",
		   {WRONG, WRONG, WRONG, TAKEN, WRONG, WRONG, WRONG, SILENT, SILENT, SILENT}},
	[REFUSED] = {"forward",
		     "refused",
		     {WRONG, WRONG, WRONG, TAKEN, WRONG, WRONG, WRONG, SILENT, SILENT, SILENT}},
	[REMOVED] = {"forward",
		     "removed",
		     {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, TAKEN, TAKEN, TAKEN}},
	[LEARNED] = {"forward",
		     "learned",
		     {WRONG, WRONG, WRONG, WRONG, WRONG, TAKEN, WRONG, SILENT, SILENT, SILENT}},
	[LEARNED_PORT] = {"forward",
			  "learned",
			  {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, SILENT, SILENT,
			   SILENT}},
	[DEAD] = {"forward",
		  "path",
		  {WRONG, WRONG, WRONG, WRONG, TAKEN, WRONG, WRONG, SILENT, SILENT, SILENT}},
	[HALF_DEAD] = {"forward",
		       "path",
		       {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, SILENT, SILENT, SILENT}},
	[GRANTED] = {"monitor",
		     "verdict",
		     {WRONG, TAKEN, TAKEN, WRONG, WRONG, WRONG, WRONG, WRONG, TAKEN, WRONG}},
	[DENIED] = {"monitor",
		    "verdict",
		    {WRONG, TAKEN, TAKEN, WRONG, WRONG, WRONG, WRONG, WRONG, TAKEN, WRONG}},
	[REVOKE] = {"monitor",
		    "revoke",
		    {SILENT, SILENT, SILENT, TAKEN, TAKEN, TAKEN, SILENT, SILENT, SILENT, TAKEN}},
	[REVOKE_IDLY] = {"monitor",
			 "revoke",
			 {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG}},
};

static enum situation situation;
static enum word word;
static uint32_t number; /* that the message names */

static struct trio_client *log_in(const char *kind)
{
	return trio_log_in(0, "198.51.100.2", kind);
}

static void come_up(const char *kind)
{
	(void)log_in(kind);
	trio_settle();
	assert_int_equal(trio.clients[0].client.conn.state, CONN_UP);
}

/* Somebody has been up and has gone; forward does not know yet. */
static void come_and_go(void)
{
	come_up("network");
	trio_leave(&trio.clients[0]);
	trio_forget(&trio.clients[0]);
	/* For the history, and then that it is over. */
	trio_deliver(TRIO_CONTROL_ACCOUNTS);
	trio_deliver(TRIO_CONTROL_ACCOUNTS);
	trio_deliver(TRIO_ACCOUNTS_ROOT);
}

static void reach(void)
{
	switch (situation) {
	case NOBODY:
		break;
	case CHECK:
		(void)log_in("network");
		break;
	case DESERTED:
		trio_leave(log_in("network"));
		break;
	case ADD:
		(void)log_in("network");
		trio_deliver(TRIO_CONTROL_ACCOUNTS);
		trio_deliver(TRIO_ACCOUNTS_ROOT);
		trio_deliver(TRIO_ROOT_CONTROL);
		break;
	case UP:
		come_up("network");
		break;
	case UP_UDP:
		come_up("network udp");
		break;
	case OVER:
		come_and_go();
		trio_settle();
		break;
	case LATE:
		come_and_go();
		break;
	case LATE_CHECK:
		come_and_go();
		(void)log_in("network");
		break;
	case LATE_ADD:
	case SITUATIONS:
		come_and_go();
		(void)log_in("network");
		trio_deliver(TRIO_CONTROL_ACCOUNTS);
		trio_deliver(TRIO_ACCOUNTS_ROOT);
		trio_deliver(TRIO_ROOT_CONTROL);
		break;
	}
}

static void say(void)
{
	const struct forward_id id = {.id = number};
	const struct forward_learned learned = {.id = number,
						.peer = {htonl(0xc6336402)},
						.port = word == LEARNED_PORT ? 65536 : 4028};
	const struct forward_path path = {.id = number, .alive = word == DEAD ? 0 : 2};
	const struct server_revoked revoked = {
		.id = number, .why = word == REVOKE ? SERVER_WHY_DELETED : SERVER_WHYS};
	const struct server_verdict verdict = {
		.id = number,
		.result = word == GRANTED ? SERVER_GRANTED : SERVER_TYPE,
		.user = 100,
	};

	switch (word) {
	case ADDED:
		trio_hear_forward(FORWARD_MSG_ADDED, &id);
		break;
	case REFUSED:
		trio_hear_forward(FORWARD_MSG_REFUSED, &id);
		break;
	case REMOVED:
		trio_hear_forward(FORWARD_MSG_REMOVED, &id);
		break;
	case LEARNED:
	case LEARNED_PORT:
		trio_hear_forward(FORWARD_MSG_LEARNED, &learned);
		break;
	case DEAD:
	case HALF_DEAD:
		trio_hear_forward(FORWARD_MSG_PATH, &path);
		break;
	case GRANTED:
	case DENIED:
		broker_verdict(&trio.broker, &verdict);
		break;
	case REVOKE:
	case REVOKE_IDLY:
	case WORDS:
		broker_revoke(&trio.broker, &revoked);
		break;
	}
}

/* All that control knows and has said. */
struct picture {
	struct server_session session;
	bool used;
	struct dialog dialog;
	enum conn_state conn;
	bool closed;
	char last[DTCP_LINE_SIZE];
	size_t waiting[TRIO_CHANNELS];
};

static struct picture take_picture(void)
{
	const struct server_session *session = sessions_get(trio.broker.sessions, 0);
	struct picture picture;

	memset(&picture, 0, sizeof(picture));
	picture.used = session != NULL;
	if (session)
		memcpy(&picture.session, session, sizeof(picture.session));
	memcpy(&picture.dialog, sessions_dialog(trio.broker.sessions, 0), sizeof(picture.dialog));
	picture.conn = trio.clients[0].client.conn.state;
	picture.closed = trio.clients[0].closed;
	(void)strlcpy(picture.last, trio.clients[0].last, sizeof(picture.last));
	for (enum trio_channel channel = 0; channel < TRIO_CHANNELS; channel++)
		picture.waiting[channel] = trio_waiting(channel);
	return picture;
}

static void check_line(void)
{
	static const char *const states[] = {
		[CHECK] = "check", [DESERTED] = "check",   [ADD] = "add",      [UP] = "up",
		[UP_UDP] = "up",   [LATE_CHECK] = "check", [LATE_ADD] = "add",
	};
	const char *state = number == 0 && situation <= LATE_ADD ? states[situation] : NULL;
	char want[120];

	(void)snprintf(want, sizeof(want), "%s said \"%s\" of session %u in state %s: not believed",
		       words[word].who, words[word].name, number, state ? state : "none");
	assert_string_equal(trio.said, want);
	assert_int_equal(trio.not_believed, 1);
}

static bool has_client(void)
{
	return situation == CHECK || situation == ADD || situation == UP || situation == UP_UDP ||
	       situation == LATE_CHECK || situation == LATE_ADD;
}

/* Nothing has happened, and nothing will. */
static void check_unharmed(const struct picture *before)
{
	const struct picture after = take_picture();

	assert_memory_equal(&after, before, sizeof(after));
	trio_settle();
	if (has_client()) {
		assert_int_equal(trio.clients[0].client.conn.state, CONN_UP);
		assert_true(trio_leads(0, trio.clients[0].client.session));
		trio_leave(&trio.clients[0]);
		trio_settle();
	}
	trio_expect_empty();
}

static void play(void)
{
	enum outcome want = number == 0 ? words[word].outcome[situation] : WRONG;
	struct picture before, after;

	if (word == REVOKE && number != 0)
		want = SILENT;
	reach();
	before = take_picture();
	say();
	if (want != TAKEN) {
		if (want == WRONG)
			check_line();
		else
			assert_int_equal(trio.not_believed, 0);
		check_unharmed(&before);
		return;
	}
	assert_int_equal(trio.not_believed, 0);
	after = take_picture();
	/* Of a move there is but a line in the log. */
	assert_true(word == LEARNED || memcmp(&after, &before, sizeof(after)) != 0);
}

static void try_all(void)
{
	for (situation = NOBODY; situation < SITUATIONS; situation++) {
		for (word = ADDED; word < WORDS; word++) {
			print_message("%s: %s %u\n", situation_names[situation], words[word].name,
				      number);
			trio_run(1, 0, play);
		}
	}
}

static void test_each_in_each_state(void **state)
{
	(void)state;
	number = 0;
	try_all();
}

static void test_no_such_number(void **state)
{
	(void)state;
	number = 1;
	try_all();
	number = UINT32_MAX;
	try_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_in_each_state),
		cmocka_unit_test(test_no_such_number),
	};

	return cmocka_run_group_tests_name("server words", tests, NULL, NULL);
}
