/* SPDX-License-Identifier: BSD-2-Clause */
#include "trio_parts.h"

#include "base/clock.h"
#include "forward/device.h"
#include "forward/forward.h"
#include "server/control/broker_forward.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUEUE = 512, FORWARD_CHANNELS = 2 };

struct message {
	uint32_t type;
	size_t size;
	int fd;
	_Alignas(16) unsigned char body[IPC_BODY_MAX];
};

static struct queue {
	struct message *messages[QUEUE];
	size_t count;
} queues[TRIO_CHANNELS];

/* Of forward: to monitor, to control. */
static struct room_channel {
	const struct ipc_row *rows;
	size_t n_rows;
	void *arg;
} room_channels[FORWARD_CHANNELS];

static unsigned int n_room_channels;
static char control_accounts, control_forward; /* addresses stand for control's channels */
static void (*trio_play)(void);

struct trio trio;

/* --- channels ----------------------------------------------------------------------------- */

struct ipc *__wrap_ipc_new(struct event_base *base, int fd, const char *name,
			   const struct ipc_row *rows, size_t n_rows, ipc_closed closed, void *arg);
int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd);
void __wrap_ipc_batch(struct ipc *ipc);
void __wrap_ipc_free(struct ipc **ipc);
int __wrap_event_base_dispatch(struct event_base *base);
struct table *__wrap_table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2]);
struct table *__real_table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2]);
struct devices *__wrap_devices_new(struct event_base *base, const uint64_t key[static 2],
				   device_readable readable, void *arg);
struct devices *__real_devices_new(struct event_base *base, const uint64_t key[static 2],
				   device_readable readable, void *arg);

/* Forward's own two. */
struct ipc *__wrap_ipc_new(struct event_base *base, int fd, const char *name,
			   const struct ipc_row *rows, size_t n_rows, ipc_closed closed, void *arg)
{
	(void)base;
	(void)fd;
	(void)name;
	(void)closed;
	assert_true(n_room_channels < FORWARD_CHANNELS);
	room_channels[n_room_channels] = (struct room_channel){rows, n_rows, arg};
	return (struct ipc *)(void *)&room_channels[n_room_channels++];
}

int __wrap_ipc_send(struct ipc *ipc, uint32_t type, const void *body, size_t size, int fd)
{
	const void *from = ipc;

	assert_int_equal(fd, -1);
	if (trio.no_memory && (from == &control_accounts || from == &control_forward))
		return -ENOMEM;
	if (from == &control_accounts) {
		trio_push(TRIO_CONTROL_ACCOUNTS, type, body, size, fd);
	} else if (from == &control_forward) {
		trio_push(TRIO_CONTROL_FORWARD, type, body, size, fd);
	} else {
		assert_ptr_equal(from, &room_channels[1]);
		trio_push(TRIO_FORWARD_CONTROL, type, body, size, fd);
	}
	return 0;
}

void __wrap_ipc_batch(struct ipc *ipc)
{
	(void)ipc;
}

void __wrap_ipc_free(struct ipc **ipc)
{
	*ipc = NULL;
}

struct table *__wrap_table_new(bool server, uint32_t sessions_max, const uint64_t key[static 2])
{
	trio.table = __real_table_new(server, sessions_max, key);
	return trio.table;
}

struct devices *__wrap_devices_new(struct event_base *base, const uint64_t key[static 2],
				   device_readable readable, void *arg)
{
	trio.devices = __real_devices_new(base, key, readable, arg);
	return trio.devices;
}

void trio_push(enum trio_channel channel, uint32_t type, const void *body, size_t size, int fd)
{
	struct queue *queue = &queues[channel];
	struct message *message = calloc(1, sizeof(*message));

	assert_non_null(message);
	assert_true(queue->count < QUEUE && size <= sizeof(message->body));
	message->type = type;
	message->size = size;
	message->fd = fd;
	if (size > 0)
		memcpy(message->body, body, size);
	queue->messages[queue->count++] = message;
}

size_t trio_waiting(enum trio_channel channel)
{
	return queues[channel].count;
}

static void room_take(unsigned int channel, const struct message *message)
{
	const struct room_channel *room = &room_channels[channel];

	for (size_t i = 0; i < room->n_rows; i++) {
		const struct ipc_row *row = &room->rows[i];

		if (row->type != message->type)
			continue;
		assert_int_equal(row->size, message->size);
		assert_true(ipc_row_with_fd(row) == (message->fd != -1));
		ipc_row_handle(row, message->body, message->fd, room->arg);
		return;
	}
	fail_msg("forward does not know message %u", message->type);
}

static void accounts_takes(const struct message *message)
{
	const struct server_id *id = (const void *)message->body;
	const struct server_login *asked;
	struct logins_granted said;
	bool granted;

	switch (message->type) {
	case SERVER_MSG_LOGOUT:
		assert_false(history_is_up(trio.history, id->id));
		assert_true(logins_end(trio.accounts, id->id, &granted));
		if (granted)
			trio_push(TRIO_ACCOUNTS_ROOT, SERVER_MSG_LOGOUT, id, sizeof(*id), -1);
		break;
	case SERVER_MSG_BEGAN:
		assert_true(logins_granted(trio.accounts, id->id, &asked, &said));
		assert_true(history_begin(trio.history, asked, &said));
		break;
	case SERVER_MSG_ENDED:
		assert_true(history_end(trio.history, (const void *)message->body));
		break;
	default:
		assert_int_equal(message->type, SERVER_MSG_LOGIN);
		assert_true(logins_ask(trio.accounts, (const void *)message->body));
	}
}

static void root_takes(const struct message *message)
{
	const struct server_id *id = (const void *)message->body;
	struct server_verdict verdict;

	switch (message->type) {
	case SERVER_MSG_LOGOUT:
		assert_true(provision_end(trio.provision, id->id));
		break;
	case SERVER_MSG_REVOKE:
		assert_true(provision_knows(trio.provision, id->id));
		trio_push(TRIO_ROOT_CONTROL, SERVER_MSG_REVOKE, message->body,
			  sizeof(struct server_revoked), -1);
		break;
	default:
		assert_int_equal(message->type, SERVER_MSG_GRANT);
		assert_true(provision_grant(trio.provision, (const void *)message->body, &verdict));
		trio_push(TRIO_ROOT_CONTROL, SERVER_MSG_VERDICT, &verdict, sizeof(verdict), -1);
		break;
	}
}

static void note_grant(const struct server_verdict *verdict)
{
	for (size_t i = 0; i < TRIO_CLIENTS; i++) {
		struct trio_client *client = &trio.clients[i];
		const struct server_session *session = client->client.session;

		if (client->here && session && session->id == verdict->id)
			client->granted = verdict->result == SERVER_GRANTED;
	}
}

void trio_hear_forward(uint32_t type, const void *body)
{
	const struct ipc_row *rows = broker_forward_rows.list;

	for (size_t i = 0; i < broker_forward_rows.count; i++) {
		if (rows[i].type == type) {
			ipc_row_handle(&rows[i], body, -1, &trio.broker);
			return;
		}
	}
	fail_msg("control does not know message %u", type);
}

static void control_takes(const struct message *message)
{
	const void *body = message->body;

	switch (message->type) {
	case SERVER_MSG_VERDICT:
		note_grant(body);
		broker_verdict(&trio.broker, body);
		break;
	case SERVER_MSG_REVOKE:
		broker_revoke(&trio.broker, body);
		break;
	default:
		trio.refused += message->type == FORWARD_MSG_REFUSED;
		trio_hear_forward(message->type, body);
		break;
	}
}

static void spoil(struct message *message)
{
	struct forward_session *add = (void *)message->body;

	if (!trio.spoil || message->type != FORWARD_MSG_ADD)
		return;
	trio.spoil = false;
	trio.spoilt++;
	add->mtu = 0;
}

void trio_deliver(enum trio_channel channel)
{
	struct queue *queue = &queues[channel];
	struct message *message = queue->messages[0];

	assert_true(queue->count > 0);
	queue->count--;
	memmove(queue->messages, queue->messages + 1, queue->count * sizeof(queue->messages[0]));
	switch (channel) {
	case TRIO_CONTROL_ACCOUNTS:
		accounts_takes(message);
		break;
	case TRIO_ACCOUNTS_ROOT:
		root_takes(message);
		break;
	case TRIO_CONTROL_FORWARD:
		spoil(message);
		room_take(1, message);
		break;
	case TRIO_ROOT_FORWARD:
		room_take(0, message);
		break;
	case TRIO_ROOT_CONTROL:
	case TRIO_FORWARD_CONTROL:
	case TRIO_CHANNELS:
		control_takes(message);
		break;
	}
	free(message);
}

void trio_settle(void)
{
	bool more;

	do {
		more = false;
		for (enum trio_channel channel = 0; channel < TRIO_CHANNELS; channel++) {
			while (trio_waiting(channel) > 0) {
				trio_deliver(channel);
				more = true;
			}
		}
	} while (more);
}

/* --- clients ------------------------------------------------------------------------------ */

void __wrap_client_feed(struct client *client, const struct conn_event *event);

/* As in server/control/client.c, with a line to read instead of a connection. */
void __wrap_client_feed(struct client *client, const struct conn_event *event)
{
	const unsigned int owners = CONN_DO_LOGIN | CONN_DO_ADD | CONN_DO_UP | CONN_DO_DENIED;
	struct trio_client *of = (void *)((char *)client - offsetof(struct trio_client, client));
	struct conn_actions actions;

	if (of->closed || of->left)
		return;
	conn_feed(&client->conn, event, clock_ms(), &actions);
	if (actions.what & CONN_DO_SEND)
		(void)strlcpy(of->last, actions.send, sizeof(of->last));
	if (actions.what & owners)
		broker_act(&trio.broker, client, actions.what & owners);
	if (actions.what & CONN_DO_CLOSE) {
		of->closed = true;
		broker_ended(&trio.broker, client);
	}
}

struct trio_client *trio_log_in(unsigned int user, const char *peer, const char *words)
{
	const struct conn_event start = {.input = CONN_START};
	struct conn_event request = {.input = CONN_LINE};
	struct trio_client *client = trio.clients;
	char response[DTCP_RESPONSE_SIZE];
	char name[DTCP_USER_MAX + 1];
	char line[DTCP_LINE_SIZE];

	while (client->here)
		client++;
	assert_true(client < trio.clients + TRIO_CLIENTS);
	*client = (struct trio_client){.here = true, .user = user, .number = ++trio.logins};
	client->client.owner = &trio.owner;
	(void)strlcpy(client->client.peer_text, peer, sizeof(client->client.peer_text));
	conn_init(&client->client.conn, &trio.conn, "0B1517C87D516A5FA65BED722D51A04F", addr4(peer),
		  addr4("192.0.2.1"));
	__wrap_client_feed(&client->client, &start);
	(void)snprintf(name, sizeof(name), "user%u", user);
	assert_true(digest_response(name, client->client.conn.challenge, trio_password(user),
				    response));
	(void)snprintf(line, sizeof(line), "tunnel %s %s %s", name, response, words);
	request.line = line;
	request.len = strlen(line);
	__wrap_client_feed(&client->client, &request);
	return client;
}

void trio_leave(struct trio_client *client)
{
	assert_true(client->here && !client->left);
	client->left = true;
	if (client->closed)
		return;
	conn_lost(&client->client.conn, "client closed the connection");
	broker_ended(&trio.broker, &client->client);
}

void trio_forget(struct trio_client *client)
{
	assert_true(client->here && (client->left || client->closed));
	assert_null(client->client.session);
	client->here = false;
}

/* --- what forward has --------------------------------------------------------------------- */

static const struct session *by_address(struct in6_addr address)
{
	struct session *session = NULL;

	return table_by_address(trio.table, &address, &session) == TABLE_UP ? session : NULL;
}

bool trio_leads(unsigned int user, const struct server_session *session)
{
	const struct session *want = session ? table_by_id(trio.table, session->id) : NULL;
	const struct device *device = devices_find(trio.devices, user + 1);
	const struct session *on_device = device ? device_session(device) : NULL;
	const struct session *network = by_address(trio_network_of(user).addr);
	const struct session *host = by_address(trio_host_of(user));

	if (!session)
		return !network && !host && !on_device;
	if (!want)
		return false;

	const struct forward_session *config = session_config(want);

	if (config->device != 0)
		return on_device == want && !network && !host;
	/* One of them, with whatever the kind of the tunnel is, and its link-local address. */
	return !on_device && (network == want || host == want) && (!network || network == want) &&
	       (!host || host == want) &&
	       by_address(config->prefixes[config->n_prefixes - 1].addr) == want;
}

void trio_expect_empty(void)
{
	assert_int_equal(provision_count(trio.provision), 0);
	assert_int_equal(sessions_count(trio.broker.sessions), 0);
	for (uint32_t id = 0; id < server_options_ids(&trio.options); id++) {
		const struct dialog *dialog = sessions_dialog(trio.broker.sessions, id);

		bool granted;

		/* Nor is a number in use for one that was refused. */
		assert_false(logins_end(trio.accounts, id, &granted));
		assert_false(provision_knows(trio.provision, id));
		assert_null(table_by_id(trio.table, id));
		assert_null(sessions_get(trio.broker.sessions, id));
		assert_int_equal(dialog->state, DIALOG_NONE);
		assert_int_equal(dialog->removing, 0);
	}
	for (unsigned int user = 0; user < TRIO_USERS; user++) {
		assert_true(trio_leads(user, NULL));
		assert_true(trio_world_holds_nothing(user));
	}
}

/* --- all together ------------------------------------------------------------------------- */

static void on_revoked(uint32_t id, enum server_why why, void *arg)
{
	const struct server_revoked message = {.id = id, .why = why};

	(void)arg;
	trio_push(TRIO_ACCOUNTS_ROOT, SERVER_MSG_REVOKE, &message, sizeof(message), -1);
}

static void on_answer(const struct server_grant *grant, void *arg)
{
	(void)arg;
	trio_push(TRIO_ACCOUNTS_ROOT, SERVER_MSG_GRANT, grant, sizeof(*grant), -1);
}

static void on_failed(void *arg)
{
	(void)arg;
	assert_true(trio.no_memory);
	trio.failures++;
}

/* In forward's loop; its sockets and the shared device are silent. */
int __wrap_event_base_dispatch(struct event_base *base)
{
	int shared;

	(void)base;
	trio_push_fd(FORWARD_MSG_DEVICE, 0, trio_open_tun(&shared));
	trio_push_fd(FORWARD_MSG_RAW, 0, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	trio_push_fd(FORWARD_MSG_UDP, 0, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	trio_settle();
	trio_play();
	trio_settle();
	close(shared);
	return 0;
}

void trio_run(uint32_t sessions, uint32_t pending, void (*play)(void))
{
	const struct logins_owner owner = {
		.options = &trio.options, .answer = on_answer, .revoked = on_revoked};
	struct forward_config config = {.server = true, .sessions_max = sessions + pending};
	static const uint64_t key[2] = {1, 2};

	memset(&trio, 0, sizeof(trio));
	trio.find = trio.lease = USERS_OK;
	trio_world_reset();
	memset(room_channels, 0, sizeof(room_channels));
	n_room_channels = 0;
	trio.options = (struct server_options){
		.mtu = 1280,
		.sessions_max = sessions,
		.history_keep = 90,
		.limits = {.pending = pending},
		.has_host = true,
		.host_prefix = prefix("2001:db8:1::/64"),
		.udp = true,
		.tunnelonly = true,
	};
	trio.conn = (struct conn_config){.timeout_login = 60,
					 .timeout_idle = 300,
					 .attempts = 3,
					 .lines = 1000000,
					 .udp_port = 4028};
	trio.broker = (struct broker){
		.options = &trio.options,
		.accounts = (struct ipc *)(void *)&control_accounts,
		.forward = (struct ipc *)(void *)&control_forward,
		.sessions = sessions_new(sessions + pending, key),
		.failed = on_failed,
	};
	broker_init(&trio.broker);
	trio.accounts = logins_new(&owner);
	trio.history = history_new(&trio.options, NULL);
	trio.provision = provision_new(&trio.options, NULL);
	assert_non_null(trio.broker.sessions);
	assert_non_null(trio.accounts);
	assert_non_null(trio.history);
	assert_non_null(trio.provision);
	trio_play = play;
	assert_int_equal(forward_run(&config, -1, -1), 0);
	sessions_free(trio.broker.sessions);
	history_free(trio.history, 0);
	logins_free(trio.accounts);
	provision_free(trio.provision);
}
