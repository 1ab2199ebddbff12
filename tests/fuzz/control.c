/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's whole control process, with hostile clients on real socket pairs, with answers to
 * logins as the input says, late or never, and a forward process that also says what cannot be; and
 * with somebody at its control socket, to whom root's and the accounts process say too much.
 * What it asks of the others is compared with a model of what they hold for it: the end of every
 * login that was answered is told.
 */
#include "asker.h"
#include "fuzz.h"
#include "loop.h"

#include "ctl/request.h"
#include "fastpath/shared.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "server/control/control.h"
#include "server/msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 4, SESSIONS = 4, PENDING = 2 };

/* Its channels. */
enum { MONITOR, ACCOUNTS, FORWARD };

struct peer {
	int fd; /* -1: no connection */
	bool greeted;
	char heard[2 * DTCP_LINE_SIZE]; /* of the line that has begun */
	size_t n_heard;
};

static struct {
	struct fuzz_input *input;
	struct server_options options;
	int listener, waiting; /* a connection to be accepted, -1 for none */
	struct sockaddr_in from;
	bool exhausted;
	struct peer peers[CLIENTS];
	/* by session id: what accounts and forward have been asked */
	enum { IDLE, ASKED, REFUSED, GRANTED } login[SESSIONS];
	bool added[SESSIONS], confirmed[SESSIONS];
	bool up[SESSIONS];		 /* as the history has it */
	unsigned int removing[SESSIONS]; /* REMOVEs that forward has not answered */
	struct server_login asked[SESSIONS];
} world;

/* --- what is outside ---------------------------------------------------------------------- */

int __wrap_RAND_bytes(unsigned char *out, int size);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
const struct counters_page *__wrap_counters_map(int fd, uint32_t sessions_max);
void __wrap_counters_kernel_map(int fd, const struct counters_kernel_given *given,
				uint32_t sessions_max, struct counters_kernel *out);

int __wrap_RAND_bytes(unsigned char *out, int size)
{
	memset(out, 0x5a, (size_t)size);
	return 1;
}

/* The one that waits to be taken. */
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	int taken = world.waiting;

	FUZZ_CHECK(flags == (SOCK_CLOEXEC | SOCK_NONBLOCK));
	if (asker_is_socket(fd))
		return asker_accept();
	FUZZ_CHECK(fd == world.listener && *len == sizeof(world.from));
	world.waiting = -1;
	if (taken == -1)
		errno = EAGAIN;
	else if (world.exhausted)
		errno = EMFILE;
	if (taken == -1 || world.exhausted)
		return -1;
	memcpy(addr, &world.from, sizeof(world.from));
	return taken;
}

/* Memory that there is only once, for an input would not give it back. */
const struct counters_page *__wrap_counters_map(int fd, uint32_t sessions_max)
{
	static struct counters_page *page;

	FUZZ_CHECK(sessions_max == SESSIONS);
	if (!page)
		page = calloc(1, counters_size(sessions_max));
	(void)close(fd);
	return page;
}

void __wrap_counters_kernel_map(int fd, const struct counters_kernel_given *given,
				uint32_t sessions_max, struct counters_kernel *out)
{
	static struct fast_counters lanes[SESSIONS + 1];

	FUZZ_CHECK(sessions_max == SESSIONS && given->lanes == 1);
	(void)close(fd);
	*out = (struct counters_kernel){lanes, given->lanes};
}

/* --- what the room asks ------------------------------------------------------------------- */

static void on_login(const struct server_login *login)
{
	FUZZ_CHECK(login->id < SESSIONS && world.login[login->id] == IDLE);
	FUZZ_CHECK(memchr(login->user, '\0', sizeof(login->user)) && dtcp_user_valid(login->user));
	FUZZ_CHECK(memchr(login->challenge, '\0', sizeof(login->challenge)) &&
		   memchr(login->response, '\0', sizeof(login->response)) &&
		   digest_valid(login->response));
	FUZZ_CHECK(login->udp <= 1 && login->type <= TUNNEL_NETWORK && login->peer.s_addr);
	world.login[login->id] = ASKED;
	world.asked[login->id] = *login;
}

static void on_logout(const struct server_id *id)
{
	FUZZ_CHECK(id->id < SESSIONS && world.login[id->id] >= REFUSED && !world.up[id->id]);
	/* First its packets stop. */
	FUZZ_CHECK(!world.added[id->id]);
	world.login[id->id] = IDLE;
}

/* Of the history: each end has its beginning. */
static void on_up(uint32_t id, bool up)
{
	FUZZ_CHECK(id < SESSIONS && world.login[id] == GRANTED && world.up[id] != up);
	world.up[id] = up;
}

static void on_ended(const struct server_ended *ended)
{
	FUZZ_CHECK(memchr(ended->why, '\0', sizeof(ended->why)) && ended->why[0]);
	on_up(ended->id, false);
}

static void on_add(const struct forward_session *add)
{
	FUZZ_CHECK(add->id < SESSIONS && world.login[add->id] == GRANTED && !world.added[add->id]);
	FUZZ_CHECK(add->n_prefixes <= FORWARD_PREFIXES_MAX);
	FUZZ_CHECK(add->peer.s_addr == world.asked[add->id].peer.s_addr);
	world.added[add->id] = true;
	world.confirmed[add->id] = false;
}

void loop_sent(unsigned int channel, uint32_t type, const void *body, size_t size)
{
	if (asker_is_question(type)) {
		asker_asked(channel == ACCOUNTS, type, body, size);
	} else if (channel == ACCOUNTS && type == SERVER_MSG_LOGIN) {
		FUZZ_CHECK(size == sizeof(struct server_login));
		on_login(body);
	} else if (channel == ACCOUNTS && type == SERVER_MSG_LOGOUT) {
		FUZZ_CHECK(size == sizeof(struct server_id));
		on_logout(body);
	} else if (channel == ACCOUNTS && type == SERVER_MSG_BEGAN) {
		FUZZ_CHECK(size == sizeof(struct server_id));
		on_up(((const struct server_id *)body)->id, true);
	} else if (channel == ACCOUNTS && type == SERVER_MSG_ENDED) {
		FUZZ_CHECK(size == sizeof(struct server_ended));
		on_ended(body);
	} else if (type == FORWARD_MSG_ADD) {
		FUZZ_CHECK(channel == FORWARD);
		FUZZ_CHECK(size == sizeof(struct forward_session));
		on_add(body);
	} else {
		struct forward_id id;

		FUZZ_CHECK(channel == FORWARD && type == FORWARD_MSG_REMOVE && size == sizeof(id));
		memcpy(&id, body, sizeof(id));
		FUZZ_CHECK(id.id < SESSIONS && world.added[id.id]);
		world.added[id.id] = false;
		world.removing[id.id]++;
	}
}

static void tell(unsigned int channel, uint32_t type, const void *body)
{
	loop_deliver(channel, type, body, -1);
	loop_run();
}

/* --- clients ------------------------------------------------------------------------------ */

static void check_line(struct peer *peer)
{
	const char *why;
	size_t len = 0, used = 0;

	FUZZ_CHECK(line_next(peer->heard, peer->n_heard, &len, &used) == LINE_READY);
	FUZZ_CHECK(len + 2 == used && used == peer->n_heard);
	FUZZ_CHECK(answer_parse(peer->heard, len, &why) != REPLY_GARBAGE);
	if (!peer->greeted) {
		struct dtcp_greeting greeting;

		FUZZ_CHECK(greeting_parse(peer->heard, len, &greeting, &why) != REPLY_GARBAGE);
		peer->greeted = true;
	}
	peer->n_heard = 0;
}

static void go(struct peer *peer)
{
	if (peer->fd != -1)
		(void)close(peer->fd);
	peer->fd = -1;
	loop_run();
}

/* Reads what the server has said; each line must be one. */
static void hear(struct peer *peer)
{
	char buf[4096];
	ssize_t n;

	while (peer->fd != -1 && (n = read(peer->fd, buf, sizeof(buf))) != -1) {
		for (ssize_t i = 0; i < n; i++) {
			FUZZ_CHECK(peer->n_heard < sizeof(peer->heard));
			peer->heard[peer->n_heard++] = buf[i];
			if (buf[i] == '\n')
				check_line(peer);
		}
		if (n > 0)
			continue;
		go(peer);
	}
	loop_run();
}

static void come(struct peer *peer, struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	int fds[2];

	if (peer->fd != -1)
		return;
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	*peer = (struct peer){.fd = fds[0]};
	world.from = (struct sockaddr_in){.sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(0xc6336402 + what % 2)};
	world.waiting = fds[1];
	world.exhausted = what == 0xff;
	loop_run();
	/* It may be resting after it was exhausted. */
	if (world.waiting != -1 || world.exhausted) {
		(void)close(fds[1]);
		(void)close(peer->fd);
		peer->fd = -1;
	}
	world.waiting = -1;
}

static void say(const struct peer *peer, const char *text, size_t len)
{
	if (peer->fd != -1 && write(peer->fd, text, len) == -1)
		return; /* its buffer is full, or nobody reads any more */
	loop_run();
}

static void say_line(const struct peer *peer, struct fuzz_input *input)
{
	size_t len;
	char *text = fuzz_line(input, &len);

	if (len > 0 && text[len - 1] == '\\')
		len--;
	else
		text[len++] = '\n';
	say(peer, text, len);
	free(text);
}

/* A request that is right as far as the room can see. */
static void log_in(const struct peer *peer, struct fuzz_input *input)
{
	static const char *const types[] = {"tunnelonly", "host", "network", "other"};
	static const char *const words[] = {"", " udp", " udp=4028", ""};
	uint8_t what = fuzz_byte(input);
	char line[200];

	(void)snprintf(line, sizeof(line), "tunnel user%d %032d %s%s\r\n", what / 64, what,
		       types[what % 4], words[what / 4 % 4]);
	say(peer, line, strlen(line));
}

/* --- the other processes ------------------------------------------------------------------ */

static void verdict(struct fuzz_input *input)
{
	uint32_t id = fuzz_below(input, SESSIONS);
	uint8_t what = fuzz_byte(input);
	struct server_verdict answer = {.id = id, .result = SERVER_GRANTED};
	uint32_t type = world.asked[id].type;

	if (world.login[id] != ASKED)
		return;
	if (what & 1)
		answer.result = SERVER_GRANTED + what / 2 % SERVER_FAILED;
	answer.user = 1 + what / 16 % 4;
	if (answer.result == SERVER_GRANTED) {
		answer.numbered = type == TUNNEL_HOST;
		answer.me6 = fuzz_ipv6("2001:db8:1::2");
		answer.her6 = fuzz_ipv6("2001:db8:1::1");
		answer.prefixes.n = type == TUNNEL_NETWORK;
		answer.prefixes.list[0] =
			(struct prefix6){.addr = fuzz_ipv6("2001:db8:100::"), .len = 48};
		answer.device = type == TUNNEL_ONLY ? id + 1 : 0;
		answer.session = 0x1111 * (uint64_t)(id + 1);
	}
	world.login[id] = answer.result == SERVER_GRANTED ? GRANTED : REFUSED;
	tell(MONITOR, SERVER_MSG_VERDICT, &answer);
}

static void forward_says(struct fuzz_input *input)
{
	const struct forward_id id = {fuzz_below(input, SESSIONS)};
	const struct forward_learned learned = {
		.id = id.id, .peer = {htonl(0xc6336402)}, .port = fuzz_16(input)};
	const struct forward_path path = {.id = id.id, .alive = learned.port >> 1 & 1};
	/* Else it is not forward's to say now, and changes nothing. */
	bool waits = world.added[id.id] && !world.confirmed[id.id] && !world.removing[id.id];

	switch (fuzz_below(input, 4)) {
	case 0:
		if (learned.port & 1)
			tell(FORWARD, FORWARD_MSG_PATH, &path);
		else
			tell(FORWARD, FORWARD_MSG_LEARNED, &learned);
		break;
	case 1:
		if (world.removing[id.id])
			world.removing[id.id]--;
		tell(FORWARD, FORWARD_MSG_REMOVED, &id);
		break;
	case 2:
		if (waits)
			world.added[id.id] = false;
		tell(FORWARD, FORWARD_MSG_REFUSED, &id);
		break;
	default:
		if (waits)
			world.confirmed[id.id] = true;
		tell(FORWARD, FORWARD_MSG_ADDED, &id);
		break;
	}
}

static void monitor_says(struct fuzz_input *input)
{
	const struct server_revoked revoked = {.id = fuzz_below(input, SESSIONS + 1),
					       .why = fuzz_below(input, SERVER_WHYS + 1)};
	struct server_setting setting = {0};

	switch (fuzz_below(input, 4)) {
	case 0:
	case 1:
		tell(MONITOR, SERVER_MSG_REPORT, NULL);
		break;
	case 2:
		setting.number = fuzz_byte(input);
		(void)snprintf(setting.value, sizeof(setting.value), "%d", fuzz_byte(input));
		tell(MONITOR, SERVER_MSG_SETTING, &setting);
		break;
	default:
		tell(MONITOR, SERVER_MSG_REVOKE, &revoked);
		break;
	}
}

static void pages_come(void)
{
	const struct counters_kernel_given given = {.lanes = 1};
	int fd = dup(world.listener), kernel = dup(world.listener);

	FUZZ_CHECK(fd != -1 && kernel != -1);
	loop_deliver(MONITOR, SERVER_MSG_COUNTERS, NULL, fd);
	loop_deliver(MONITOR, SERVER_MSG_FAST, &given, kernel);
}

/* --- the script --------------------------------------------------------------------------- */

static void step_client(char what, struct peer *peer, struct fuzz_input *input)
{
	switch (what) {
	case 'n':
		come(peer, input);
		break;
	case 'l':
		say_line(peer, input);
		break;
	case 'L':
		log_in(peer, input);
		break;
	case 'd':
		hear(peer);
		break;
	case 's':
		if (peer->fd != -1)
			(void)shutdown(peer->fd, SHUT_WR);
		loop_run();
		break;
	default:
		go(peer);
		break;
	}
}

static void step(struct fuzz_input *input)
{
	char what = (char)fuzz_byte(input);

	switch (what) {
	case 'n':
	case 'l':
	case 'L':
	case 'd':
	case 's':
	case 'x':
		step_client(what, &world.peers[fuzz_below(input, CLIENTS)], input);
		break;
	case 'v':
		verdict(input);
		break;
	case 'f':
		forward_says(input);
		break;
	case 'm':
		monitor_says(input);
		break;
	case 'A':
		asker_answered(MONITOR, ACCOUNTS, input);
		break;
	case 'P':
		pages_come();
		break;
	case 'C':
	case 'H':
	case 'X':
		asker_step(what, input);
		break;
	case 'w':
		loop_pass((uint64_t)fuzz_16(input) * 4000);
		break;
	default:
		break;
	}
}

/* Everybody goes; then nobody may hold anything any more. */
static void end(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		hear(&world.peers[i]);
		go(&world.peers[i]);
	}
	asker_end();
	/* That a client has gone shows when it is read, or when its time is over. */
	for (int i = 0; i < 3; i++)
		loop_pass(400 * UINT64_C(1000000));
	/* Each request that is still in a buffer has a turn of its own, and may wait for an answer.
	 */
	for (int i = 0; i < 2 * CTL_REQUEST_MAX && loop_timers() > 1; i++)
		loop_pass(1000000);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		const struct server_verdict answer = {
			.id = id, .result = id % 2 ? SERVER_GRANTED : SERVER_AUTH};

		if (world.login[id] != ASKED)
			continue;
		world.login[id] = id % 2 ? GRANTED : REFUSED;
		tell(MONITOR, SERVER_MSG_VERDICT, &answer);
	}
	for (uint32_t id = 0; id < SESSIONS; id++)
		FUZZ_CHECK(world.login[id] == IDLE && !world.added[id]);
	/* One tells now and then what was left out of the log. */
	FUZZ_CHECK(loop_timers() == 1);
	tell(MONITOR, SERVER_MSG_STOP, NULL);
	FUZZ_CHECK(loop_ended());
}

void loop_play(void)
{
	world.waiting = -1;
	/* Always readable. */
	world.listener = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	FUZZ_CHECK(world.listener != -1);
	loop_deliver(MONITOR, SERVER_MSG_LISTENER, NULL, world.listener);
	loop_deliver(MONITOR, SERVER_MSG_CTL, NULL, asker_socket());
	while (world.input->left > 0 && !loop_ended())
		step(world.input);
	FUZZ_CHECK(!loop_ended());
	end();
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char name[] = "dtcps";
	char *argv[] = {name, NULL};

	(void)signal(SIGPIPE, SIG_IGN);
	memset(&world, 0, sizeof(world));
	world.input = &input;
	for (size_t i = 0; i < CLIENTS; i++)
		world.peers[i].fd = -1;
	asker_reset();
	optind = 0;
	FUZZ_CHECK(server_options_parse_room(&world.options, 1, argv) == OPTIONS_OK);
	/* A number for each session, and for each login that is looked into. */
	world.options.sessions_max = SESSIONS - PENDING;
	world.options.limits = (struct connection_limits_config){3, PENDING, 3, 2};
	world.options.udp = true;
	loop_reset(1000000000);
	FUZZ_CHECK(server_control_run(&world.options, -1, -1, -1) == 0);
	FUZZ_CHECK(loop_timers() == 0);
	server_options_free(&world.options);
}
