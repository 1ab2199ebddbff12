/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/requests.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/control/overview.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Time to wait for other processes, after which an answer is sent without their part. */
enum { REQUESTS_WAIT_MS = 1000 };

/* Time after which a pending query counts as lost, and another one may be sent. */
enum { REQUESTS_ANSWER_MS = 10000 };

/* Longest time for which logins can be refused: 30 days. */
enum { REQUESTS_REFUSE_MAX = 30 * 24 * 3600 };

/* True if it was sent. */
static bool requests_send(struct ipc *ipc, uint32_t type, const void *body, size_t size)
{
	int error = ipc_send(ipc, type, body, size, -1);

	if (error)
		log_warnx("cannot pass a request on: %s", strerror(-error));
	return error == 0;
}

/* Whether its answer is pending and wanted. */
static bool requests_waits(const struct requests_question *question)
{
	return question->open && clock_ms() - question->at < REQUESTS_ANSWER_MS;
}

static bool requests_question(struct requests_question *question, struct ipc *ipc, uint32_t type,
			      const void *body, size_t size)
{
	if (!requests_send(ipc, type, body, size))
		return false;
	question->open = true;
	question->at = clock_ms();
	question->owed++;
	return true;
}

/* Counts an answer of a process. False after logging one without a query. */
static bool requests_expect(const struct requests *requests, struct requests_question *question,
			    const char *who)
{
	if (question->owed > 0) {
		question->owed--;
		return true;
	}
	log_limited(&requests->broker->wrong, clock_ms(),
		    "%s answered a request that there was not: not believed", who);
	return false;
}

/* --- status and drops --------------------------------------------------------------------- */

static void requests_look(const struct requests *requests, struct overview *overview)
{
	overview_take(requests->broker, requests->admission, requests->started, overview);
}

static void requests_say_status(struct ctl_call *call, void *arg)
{
	const struct requests *requests = arg;
	struct overview overview;

	requests_look(requests, &overview);
	if (requests->knows_state && !requests->root_state.open)
		overview.root = &requests->state;
	if (requests->knows_usage && !requests->accounts_usage.open)
		overview.accounts = &requests->usage;
	ctl_ok_with(call, json_pack("{s:o}", "status", overview_json(&overview)));
}

/* A process with a pending query does not get another one. */
static void requests_on_status(struct ctl_call *call, void *arg)
{
	struct requests *requests = arg;

	if (!requests_waits(&requests->root_state))
		(void)requests_question(&requests->root_state, *requests->root, SERVER_MSG_ASK,
					NULL, 0);
	if (!requests_waits(&requests->accounts_usage))
		(void)requests_question(&requests->accounts_usage, requests->broker->accounts,
					SERVER_MSG_ASK, NULL, 0);
	ctl_wait(call, REQUESTS_WAIT_MS, requests_say_status);
}

static void requests_answered(struct requests *requests)
{
	if (requests->ctl && !requests->root_state.open && !requests->accounts_usage.open)
		ctl_resume(requests->ctl, requests_say_status);
}

void requests_on_state(struct requests *requests, const struct server_state *state)
{
	if (!requests_expect(requests, &requests->root_state, "monitor"))
		return;
	requests->root_state.open = false;
	requests->knows_state = true;
	requests->state = *state;
	requests->state.warning[sizeof(state->warning) - 1] = '\0';
	requests_answered(requests);
}

void requests_on_usage(struct requests *requests, const struct server_usage *usage)
{
	if (!requests_expect(requests, &requests->accounts_usage, "accounts"))
		return;
	requests->accounts_usage.open = false;
	requests->knows_usage = true;
	requests->usage = *usage;
	requests->usage.error[sizeof(usage->error) - 1] = '\0';
	requests_answered(requests);
}

static void requests_on_drops(struct ctl_call *call, void *arg)
{
	struct overview overview;

	requests_look(arg, &overview);
	ctl_ok_with(call, json_pack("{s:o, s:I, s:I}", "drops", overview_drops_json(&overview),
				    "icmp_errors", (json_int_t)overview.icmp_errors, "icmp6_sent",
				    (json_int_t)overview.icmp6_sent));
}

void requests_report(const struct requests *requests)
{
	struct overview overview;

	requests_look(requests, &overview);
	overview_log(&overview);
}

/* --- sessions ----------------------------------------------------------------------------- */

/* The filter of sessions, and the progress of the answer. */
struct requests_walk {
	uint32_t id; /* the next id */
	int64_t limit;
	int64_t rows; /* rows so far */
	const char *user;
	const char *transport;
	bool has_peer;
	struct in_addr peer;
	struct prefix6 within; /* overlaps it; length 0: any */
};

static bool requests_fits(const struct requests_walk *walk, const struct overview_session *row)
{
	const struct prefix6 address = {.addr = row->address, .len = 128};

	if (walk->user && strcmp(walk->user, row->user) != 0)
		return false;
	if (walk->transport && (strcmp(walk->transport, "udp") == 0) != row->udp)
		return false;
	if (walk->has_peer && walk->peer.s_addr != row->peer.s_addr)
		return false;
	if (walk->within.len == 0 ||
	    (row->has_address && prefix6_overlaps(&walk->within, &address)))
		return true;
	for (size_t i = 0; i < row->n_prefixes; i++) {
		if (prefix6_overlaps(&walk->within, &row->prefixes[i]))
			return true;
	}
	return false;
}

static enum ctl_row requests_next(void *state, json_t **row, void *arg)
{
	const struct requests *requests = arg;
	struct requests_walk *walk = state;
	const struct server_session *session;
	struct overview_session found;

	if (walk->id >= sessions_top(requests->broker->sessions) || walk->rows == walk->limit)
		return CTL_END;
	session = sessions_get(requests->broker->sessions, walk->id++);
	if (!session || session->state != SLOT_UP)
		return CTL_LOOK;
	overview_take_session(requests->broker, session, &found);
	if (!requests_fits(walk, &found))
		return CTL_LOOK;
	walk->rows++;
	*row = overview_session_json(&found);
	return CTL_ROW;
}

/* An address is the client's, or one of the session's. */
static bool requests_read_address(const char *text, struct requests_walk *walk)
{
	walk->has_peer = inet_pton(AF_INET, text, &walk->peer) == 1;
	if (walk->has_peer)
		return true;
	walk->within.len = 128;
	return inet_pton(AF_INET6, text, &walk->within.addr) == 1;
}

/* Parses the filter. False after an error answer. */
static bool requests_read_walk(struct ctl_call *call, struct requests_walk *walk)
{
	const char *address = ctl_text(call, "address");
	const char *prefix = ctl_text(call, "prefix");
	enum prefix_error error = PREFIX_OK;
	int64_t after;

	*walk = (struct requests_walk){
		.limit = -1,
		.user = ctl_text(call, "user"),
		.transport = ctl_text(call, "transport"),
	};
	(void)ctl_number(call, "limit", &walk->limit);
	if (ctl_number(call, "after", &after))
		walk->id = (uint32_t)after + 1;
	if (walk->transport && strcmp(walk->transport, "udp") != 0 &&
	    strcmp(walk->transport, "ipv6") != 0)
		ctl_fail(call, CTL_BAD, "\"transport\": \"ipv6\" or \"udp\" is needed");
	else if (address && prefix)
		ctl_fail(call, CTL_BAD, "\"address\" or \"prefix\", not both");
	else if (address && !requests_read_address(address, walk))
		ctl_fail(call, CTL_BAD, "\"address\": an IPv4 or IPv6 address is needed");
	else if (prefix && (error = prefix6_parse(prefix, &walk->within)) != PREFIX_OK)
		ctl_fail(call, CTL_BAD, "\"prefix\": it %s", prefix_error_text(error));
	else
		return true;
	return false;
}

static void requests_on_sessions(struct ctl_call *call, void *arg)
{
	struct requests_walk *walk = calloc(1, sizeof(*walk));

	(void)arg;
	if (!walk)
		ctl_fail(call, CTL_FAILED, "out of memory");
	else if (requests_read_walk(call, walk))
		ctl_rows(call, requests_next, free, walk);
	else
		free(walk);
}

static void requests_on_session(struct ctl_call *call, void *arg)
{
	const struct requests *requests = arg;

	if (broker_has_user(requests->broker, ctl_text(call, "user")))
		requests_on_sessions(call, arg);
	else
		ctl_fail(call, CTL_MISSING, "%s has no session", ctl_text(call, "user"));
}

/* --- commands that change something ------------------------------------------------------- */

static void requests_on_kick(struct ctl_call *call, void *arg)
{
	const struct requests *requests = arg;
	struct broker *broker = requests->broker;
	const char *user = ctl_text(call, "user");
	int64_t now = clock_ms();
	unsigned int ended;
	bool known = false;
	int64_t seconds = 0;

	if (!dtcp_user_valid(user)) {
		ctl_fail(call, CTL_BAD, "\"user\": no user can have this name");
		return;
	}
	if (ctl_number(call, "seconds", &seconds) && seconds == 0)
		known = refusals_remove(&broker->refusals, user, now);
	if (seconds > 0) {
		known = refusals_add(&broker->refusals, user, now, now + seconds * 1000);
		if (!known) {
			ctl_fail(
				call, CTL_BUSY,
				"logins of %d users are refused already; dtcpauth can disable more",
				REFUSALS_MAX);
			return;
		}
		log_info("logins of user %s are refused for %" PRId64 " s", user, seconds);
	}
	ended = broker_kick(broker, user);
	if (ended == 0 && !known)
		ctl_fail(call, CTL_MISSING, "%s has no session", user);
	else
		ctl_ok_with(call, json_pack("{s:I}", "ended", (json_int_t)ended));
}

static void requests_on_steered(struct ctl_call *call, void *arg)
{
	struct requests *requests = arg;

	if (requests->steering.open) {
		requests->steering.open = false;
		ctl_fail(call, CTL_FAILED,
			 "monitor does not answer; it may do this later nevertheless");
		return;
	}
	if (requests->done == SERVER_DONE)
		ctl_ok(call);
	else if (requests->done == SERVER_DONE_BUSY)
		ctl_fail(call, CTL_BUSY, "too often");
	else
		ctl_fail(call, CTL_FAILED, "the settings have errors, see the log");
}

/* One request at a time. */
static void requests_steer(struct requests *requests, struct ctl_call *call, uint32_t type,
			   bool debug)
{
	const struct server_order order = {.number = requests->order + 1, .debug = debug};

	if (requests_waits(&requests->steering)) {
		ctl_fail(call, CTL_BUSY, "another request is not done yet");
		return;
	}
	/* Waiters for an earlier query that is lost get an error now, not the next answer. */
	ctl_resume(requests->ctl, requests_on_steered);
	requests->order = order.number;
	if (requests_question(&requests->steering, *requests->root, type, &order, sizeof(order)))
		ctl_wait(call, REQUESTS_ANSWER_MS, requests_on_steered);
	else
		ctl_fail(call, CTL_FAILED, "monitor cannot be asked");
}

void requests_on_done(struct requests *requests, const struct server_done *done)
{
	if (!requests_expect(requests, &requests->steering, "monitor"))
		return;
	/* A late answer must not be taken for that to the next query. */
	if (!requests->steering.open || done->number != requests->order)
		return;
	requests->steering.open = false;
	requests->done = done->result;
	ctl_resume(requests->ctl, requests_on_steered);
}

static void requests_on_reload(struct ctl_call *call, void *arg)
{
	requests_steer(arg, call, SERVER_MSG_RELOAD, false);
}

static void requests_on_log(struct ctl_call *call, void *arg)
{
	const char *level = ctl_text(call, "level");
	bool debug = strcmp(level, "debug") == 0;

	if (!debug && strcmp(level, "info") != 0)
		ctl_fail(call, CTL_BAD, "\"level\": \"debug\" or \"info\" is needed");
	else
		requests_steer(arg, call, SERVER_MSG_LEVEL, debug);
}

/* --- the table ------------------------------------------------------------------------------ */

#define TEXT(member)                                                                               \
	{                                                                                          \
		.name = (member), .type = CTL_TEXT                                                 \
	}
#define NEEDED(member)                                                                             \
	{                                                                                          \
		.name = (member), .type = CTL_TEXT, .required = true                               \
	}
#define NUMBER(member, most)                                                                       \
	{                                                                                          \
		.name = (member), .type = CTL_NUMBER, .max = (most)                                \
	}

static const struct ctl_command requests_list[] = {
	{.name = "status", .answer = requests_on_status},
	{.name = "sessions",
	 .answer = requests_on_sessions,
	 .members = {TEXT("user"), TEXT("address"), TEXT("prefix"), TEXT("transport"),
		     NUMBER("after", UINT32_MAX - 1), NUMBER("limit", UINT32_MAX)}},
	{.name = "session", .answer = requests_on_session, .members = {NEEDED("user")}},
	{.name = "drops", .answer = requests_on_drops},
	{.name = "kick",
	 .root = true,
	 .answer = requests_on_kick,
	 .members = {NEEDED("user"), NUMBER("seconds", REQUESTS_REFUSE_MAX)}},
	{.name = "reload", .root = true, .answer = requests_on_reload},
	{.name = "log", .root = true, .answer = requests_on_log, .members = {NEEDED("level")}},
};

const struct ctl_commands requests_commands = {requests_list,
					       sizeof(requests_list) / sizeof(requests_list[0])};

bool requests_open(struct requests *requests, struct event_base *base, int fd)
{
	requests_close(requests);
	requests->ctl = ctl_new(base, fd, &requests_commands, requests);
	return requests->ctl;
}

void requests_close(struct requests *requests)
{
	ctl_free(requests->ctl);
	requests->ctl = NULL;
}
