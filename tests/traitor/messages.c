/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages. tests/unit/forged.py sees to it that each is here that one process takes from
 * another which could be taken over.
 */
#include "tests/traitor/traitor.h"

#include "client/control/session.h"
#include "client/msg.h"
#include "forward/msg.h"
#include "process/ipc.h"
#include "process/ipc_wire.h"
#include "process/process.h"
#include "server/msg.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Channels beside that to monitor: of control and forward to each other, and of accounts to
 * control, are the first; that of the server's control to accounts is another one. */
enum { TRAITOR_BETWEEN = PROCESS_FD + 1, TRAITOR_ACCOUNTS = PROCESS_FD + 2, TRAITOR_MANY = 5000 };

/* Sends a message; an attacker waits until there is room for it. */
static void traitor_send(int channel, uint32_t type, const void *body, size_t size, size_t claimed,
			 int fd)
{
	const struct ipc_header header = {.type = type, .size = (uint32_t)claimed};
	struct pollfd writable = {.fd = channel, .events = POLLOUT};

	if (ipc_wire_send_one(channel, &header, body, size, fd) != 0 &&
	    poll(&writable, 1, 1000) == 1)
		(void)ipc_wire_send_one(channel, &header, body, size, fd);
}

#define SEND(channel, type, body)                                                                  \
	traitor_send(channel, type, &(body), sizeof(body), sizeof(body), -1)

static void traitor_raise(enum treason treason)
{
	struct client_tunnel tunnel = {
		.server = {htonl(0xc6336402)},
		.myaddr = {htonl(0xc0000202)},
		.reply = {.me = {htonl(0xc0000202)}, .her = {htonl(0xc6336402)}, .n_prefixes = 1},
	};
	struct dtcp_reply *reply = &tunnel.reply;

	reply->prefixes[0] = (struct prefix6){.addr = {.s6_addr = {0x20, 1, 0xd, 0xb8}}, .len = 48};
	if (treason == TREASON_RAISE_LOOPBACK) {
		reply->has_me6 = true;
		reply->me6 = in6addr_loopback;
	} else if (treason == TREASON_RAISE_MULTICAST) {
		reply->prefixes[0].addr.s6_addr[0] = 0xff;
	} else if (treason == TREASON_RAISE_BITS) {
		reply->prefixes[0].addr.s6_addr[15] = 1;
	} else if (treason == TREASON_RAISE_FLAG) {
		memset(&reply->has_me6, 2, 1);
	} else if (treason == TREASON_RAISE_SERVER) {
		tunnel.server.s_addr = INADDR_ANY;
	} else {
		SEND(PROCESS_FD, CLIENT_MSG_RAISE, tunnel);
	}
	SEND(PROCESS_FD, CLIENT_MSG_RAISE, tunnel);
}

static void traitor_login(enum treason treason)
{
	struct server_login login = {.type = TUNNEL_NETWORK,
				     .peer = {htonl(0xc0000202)},
				     .local = {htonl(0xc6336402)},
				     .user = "alice",
				     .challenge = "x",
				     .response = "00000000000000000000000000000000"};
	const struct server_id id = {.id = login.id};

	if (treason == TREASON_LOGIN_ID)
		login.id = UINT32_MAX;
	else if (treason == TREASON_LOGIN_TEXT)
		memset(login.user, 'a', sizeof(login.user));
	for (int i = treason == TREASON_LOGIN_FLOOD ? TRAITOR_MANY : 1; i > 0; i--) {
		SEND(TRAITOR_ACCOUNTS, SERVER_MSG_LOGIN, login);
		if (treason == TREASON_LOGIN_FLOOD)
			SEND(TRAITOR_ACCOUNTS, SERVER_MSG_LOGOUT, id);
	}
}

static void traitor_grant(enum treason treason)
{
	struct server_grant grant = {
		.verdict = {.result = SERVER_GRANTED, .user = 1, .prefixes.n = 1},
		.type = TUNNEL_NETWORK,
		.local = {htonl(0xc6336402)},
	};
	struct server_verdict *verdict = &grant.verdict;

	verdict->prefixes.list[0] =
		(struct prefix6){.addr = {.s6_addr = {0x20, 1, 0xd, 0xb8}}, .len = 48};
	if (treason == TREASON_GRANT_ID) {
		verdict->id = UINT32_MAX;
	} else if (treason == TREASON_GRANT_PREFIX) {
		verdict->prefixes.list[0].addr.s6_addr[0] = 0xff;
	} else {
		grant.type = TUNNEL_HOST;
		verdict->prefixes.n = 0;
		verdict->numbered = 1;
		verdict->me6 = in6addr_loopback;
	}
	SEND(PROCESS_FD, SERVER_MSG_GRANT, grant);
}

/* Of nobody, or of what there cannot be. */
static const struct server_id traitor_login_id = {.id = 3};
static const struct server_revoked traitor_revoked = {.id = 3, .why = SERVER_WHY_DELETED};
static const struct server_ended traitor_ended = {.id = 3, .why = "x"};
static const struct server_order traitor_order;
static const struct server_order traitor_level = {.debug = 2};
static const struct server_usage traitor_usage = {.users = 4711};
static const struct forward_prefix traitor_assigned = {
	.prefix = {.addr = {.s6_addr = {0xff, 2}}, .len = 16}};
static const struct client_session traitor_no_state = {.state = CLIENT_STATES};
static const struct client_session traitor_up = {.state = CLIENT_STATE_UP};
static const struct client_server traitor_server;
static const struct client_server traitor_no_server = {.server = CLIENT_SERVERS_MAX};
static const struct client_log traitor_log = {.debug = 2};
static const struct client_step traitor_step = {.step = CLIENT_STEPS};
static const struct client_addresses traitor_addresses = {.count = CLIENT_ADDRESSES_MAX + 1};
static const struct forward_session traitor_session;
static const struct forward_trial traitor_trial;
static const struct forward_id traitor_first;
static const struct forward_id traitor_far = {.id = 4711};
static const struct forward_learned traitor_learned = {.peer = {0x020000c0}, .port = 4028};
static const struct forward_path traitor_path = {.alive = 2};
static const struct forward_port traitor_port;
static const struct forward_result traitor_result = {.what = FORWARD_RESULTS};

#define EVENT(to, t)                                                                               \
	{                                                                                          \
		.channel = (to), .type = (t)                                                       \
	}
#define BODY(to, t, b)                                                                             \
	{                                                                                          \
		.channel = (to), .type = (t), .body = &(b), .size = sizeof(b)                      \
	}
#define MANY(to, t)                                                                                \
	{                                                                                          \
		.channel = (to), .type = (t), .times = TRAITOR_MANY                                \
	}

static const struct {
	int channel;
	uint32_t type;
	const void *body;
	size_t size;
	int times; /* 0: once */
} traitor_messages[TREASONS] = {
	[TREASON_UNKNOWN_TYPE] = EVENT(PROCESS_FD, 4711),
	[TREASON_PONG] = EVENT(PROCESS_FD, IPC_PONG),
	[TREASON_PING] = EVENT(PROCESS_FD, IPC_PING),
	[TREASON_LOWER] = EVENT(PROCESS_FD, CLIENT_MSG_LOWER),
	[TREASON_SESSION] = BODY(PROCESS_FD, CLIENT_MSG_SESSION, traitor_no_state),
	[TREASON_SESSION_UP] = BODY(PROCESS_FD, CLIENT_MSG_SESSION, traitor_up),
	[TREASON_LOOKUP_SERVER] = BODY(PROCESS_FD, CLIENT_MSG_LOOKUP, traitor_no_server),
	[TREASON_LOOKUP_FLOOD] = {PROCESS_FD, CLIENT_MSG_LOOKUP, &traitor_server,
				  sizeof(traitor_server), TRAITOR_MANY},
	[TREASON_PORT] = EVENT(PROCESS_FD, CLIENT_MSG_PORT),
	[TREASON_PORT_FLOOD] = MANY(PROCESS_FD, CLIENT_MSG_PORT),
	[TREASON_ASK_FLOOD] = MANY(PROCESS_FD, CLIENT_MSG_ASK),
	[TREASON_LOG] = BODY(PROCESS_FD, CLIENT_MSG_LOG, traitor_log),
	[TREASON_STEP] = BODY(PROCESS_FD, CLIENT_MSG_STEP, traitor_step),
	[TREASON_TRIAL] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_TRIAL, traitor_trial),
	[TREASON_ADDRESSES] = BODY(PROCESS_FD, CLIENT_MSG_ADDRESSES, traitor_addresses),
	[TREASON_STATE_FLOOD] = MANY(PROCESS_FD, SERVER_MSG_ASK),
	[TREASON_RELOAD_FLOOD] = {PROCESS_FD, SERVER_MSG_RELOAD, &traitor_order,
				  sizeof(traitor_order), TRAITOR_MANY},
	[TREASON_LEVEL] = BODY(PROCESS_FD, SERVER_MSG_LEVEL, traitor_level),
	[TREASON_LOGOUT] = BODY(TRAITOR_ACCOUNTS, SERVER_MSG_LOGOUT, traitor_login_id),
	[TREASON_USAGE_FLOOD] = MANY(TRAITOR_ACCOUNTS, SERVER_MSG_ASK),
	[TREASON_BEGAN] = BODY(TRAITOR_ACCOUNTS, SERVER_MSG_BEGAN, traitor_login_id),
	[TREASON_ENDED] = BODY(TRAITOR_ACCOUNTS, SERVER_MSG_ENDED, traitor_ended),
	[TREASON_ADD] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_ADD, traitor_session),
	[TREASON_REMOVE] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_REMOVE, traitor_far),
	[TREASON_HELLO] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_HELLO, traitor_far),
	[TREASON_REVOKE] = BODY(PROCESS_FD, SERVER_MSG_REVOKE, traitor_revoked),
	[TREASON_GRANTED_LOGOUT] = BODY(PROCESS_FD, SERVER_MSG_LOGOUT, traitor_login_id),
	[TREASON_ASSIGNED] = BODY(PROCESS_FD, SERVER_MSG_ASSIGNED, traitor_assigned),
	[TREASON_READY] = EVENT(PROCESS_FD, SERVER_MSG_READY),
	[TREASON_USAGE] = BODY(TRAITOR_BETWEEN, SERVER_MSG_USAGE, traitor_usage),
	[TREASON_ADDED] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_ADDED, traitor_first),
	[TREASON_REFUSED] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_REFUSED, traitor_first),
	[TREASON_REMOVED] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_REMOVED, traitor_first),
	[TREASON_LEARNED] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_LEARNED, traitor_learned),
	[TREASON_PATH] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_PATH, traitor_path),
	[TREASON_SILENT] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_SILENT, traitor_first),
	[TREASON_OTHER_PORT] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_PORT, traitor_port),
	[TREASON_RESULT] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_RESULT, traitor_result),
	[TREASON_REFUSED_FAR] = BODY(TRAITOR_BETWEEN, FORWARD_MSG_REFUSED, traitor_far),
};

void traitor_tell(enum treason treason)
{
	static const uint32_t piece[] = {CLIENT_MSG_LOWER};

	if (treason == TREASON_WRONG_SIZE)
		traitor_send(PROCESS_FD, CLIENT_MSG_LOWER, NULL, 0, 2048, -1);
	else if (treason == TREASON_WITH_DESCRIPTOR)
		traitor_send(PROCESS_FD, CLIENT_MSG_LOWER, NULL, 0, 0, STDIN_FILENO);
	else if (treason == TREASON_SHORT)
		(void)!write(PROCESS_FD, piece, sizeof(piece));
	else if (treason <= TREASON_RAISE_TWICE)
		traitor_raise(treason);
	else if (treason <= TREASON_LOGIN_FLOOD)
		traitor_login(treason);
	else if (treason <= TREASON_GRANT_ADDRESS)
		traitor_grant(treason);
	for (int i = 0; traitor_messages[treason].type != 0 && i <= traitor_messages[treason].times;
	     i++)
		traitor_send(traitor_messages[treason].channel, traitor_messages[treason].type,
			     traitor_messages[treason].body, traitor_messages[treason].size,
			     traitor_messages[treason].size, -1);
}
