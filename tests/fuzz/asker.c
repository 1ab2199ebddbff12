/* SPDX-License-Identifier: BSD-2-Clause */
#include "asker.h"

#include "loop.h"
#include "server/msg.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ASKERS = 2 };

/* Microseconds after which control asks again. */
#define ANSWER_US 10000000

struct question {
	bool open; /* not answered yet */
	uint64_t at;
};

struct asker {
	int fd; /* -1: no connection */
	size_t n_heard;
};

/* Of a line that has begun: an answer has no end that others know. */
static char asker_heard[ASKERS][1 << 16];

static struct {
	int ctl, asking; /* the control socket, and a connection to it that is to be accepted */
	bool asks_as_root, was_root;
	struct question state, usage, steering;
	uint32_t order; /* the last one's number */
	struct asker askers[ASKERS];
} world;

void asker_reset(void)
{
	memset(&world, 0, sizeof(world));
	world.asking = -1;
	for (size_t i = 0; i < ASKERS; i++)
		world.askers[i].fd = -1;
}

/* --- the socket --------------------------------------------------------------------------- */

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

int asker_socket(void)
{
	world.ctl = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	FUZZ_CHECK(world.ctl != -1);
	return world.ctl;
}

bool asker_is_socket(int fd)
{
	return fd == world.ctl;
}

int asker_accept(void)
{
	int taken = world.asking;

	world.asking = -1;
	errno = EAGAIN;
	return taken;
}

/* Whose a connection is depends on who runs this. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct ucred *peer = value;

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return __real_getsockopt(fd, level, name, value, size);
	FUZZ_CHECK(*size == sizeof(*peer));
	*peer = (struct ucred){.pid = 1, .uid = world.asks_as_root ? 0 : 1000};
	return 0;
}

/* --- the other processes ------------------------------------------------------------------ */

bool asker_is_question(uint32_t type)
{
	return type == SERVER_MSG_ASK || type == SERVER_MSG_RELOAD || type == SERVER_MSG_LEVEL;
}

/* One question at a time, unless there is no answer for long; and who changes anything is root. */
void asker_asked(bool accounts, uint32_t type, const void *body, size_t size)
{
	const struct server_order *order = body;
	struct question *question = accounts ? &world.usage : &world.state;

	if (type == SERVER_MSG_ASK) {
		FUZZ_CHECK(size == 0);
	} else {
		FUZZ_CHECK(!accounts && world.was_root);
		FUZZ_CHECK(size == sizeof(*order) && order->debug <= 1);
		world.order = order->number;
		question = &world.steering;
	}
	FUZZ_CHECK(!question->open || loop_now() - question->at >= ANSWER_US);
	*question = (struct question){.open = true, .at = loop_now()};
}

static void asker_tell(unsigned int channel, uint32_t type, const void *body)
{
	loop_deliver(channel, type, body, -1);
	loop_run();
}

/* Whether it was asked for them or not. */
void asker_answered(unsigned int root, unsigned int accounts, struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	struct server_state state = {.pid = what, .fast = what / 8 % 2};
	struct server_usage usage = {.failed = what / 8 % 2, .users = what};
	const struct server_done done = {.number = world.order - what / 64,
					 .result = what / 8 % (SERVER_DONE_BUSY + 2)};

	/* Texts without an end. */
	if (what & 16) {
		memset(state.warning, what, sizeof(state.warning));
		memset(usage.error, what, sizeof(usage.error));
	}
	switch (what % 4) {
	case 0:
		world.state.open = false;
		asker_tell(root, SERVER_MSG_STATE, &state);
		break;
	case 1:
		world.usage.open = false;
		asker_tell(accounts, SERVER_MSG_USAGE, &usage);
		break;
	default:
		world.steering.open = false;
		asker_tell(root, SERVER_MSG_DONE, &done);
		break;
	}
}

/* --- who asks ----------------------------------------------------------------------------- */

static void asker_go(struct asker *asker)
{
	if (asker->fd != -1)
		(void)close(asker->fd);
	*asker = (struct asker){.fd = -1};
	loop_run();
}

/* Each line is an object. */
static void asker_hear(struct asker *asker)
{
	char *heard = asker_heard[asker - world.askers];
	ssize_t n = 0;

	while (asker->fd != -1 && (n = read(asker->fd, heard + asker->n_heard,
					    sizeof(asker_heard[0]) - asker->n_heard)) > 0) {
		const char *line = heard, *end;

		asker->n_heard += (size_t)n;
		while ((end = memchr(line, '\n', asker->n_heard - (size_t)(line - heard)))) {
			json_t *object = json_loadb(line, (size_t)(end - line), 0, NULL);

			FUZZ_CHECK(json_is_object(object));
			json_decref(object);
			line = end + 1;
		}
		asker->n_heard -= (size_t)(line - heard);
		memmove(heard, line, asker->n_heard);
		FUZZ_CHECK(asker->n_heard < sizeof(asker_heard[0]));
		loop_run();
	}
	if (n == 0)
		asker_go(asker);
}

static void asker_ask(struct asker *asker, struct fuzz_input *input)
{
	bool root = fuzz_bool(input);
	size_t len;
	char *line = fuzz_line(input, &len);
	int fds[2];

	if (asker->fd == -1) {
		FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				      fds) == 0);
		asker->fd = fds[0];
		world.asking = fds[1];
		world.asks_as_root = root;
		world.was_root |= root;
		loop_run();
		FUZZ_CHECK(world.asking == -1);
	}
	line[len] = '\n';
	/* It may have been let go, or not have read for long. */
	if (write(asker->fd, line, len + 1) == -1)
		FUZZ_CHECK(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
	free(line);
	loop_pass(0);
}

void asker_step(char what, struct fuzz_input *input)
{
	struct asker *asker = &world.askers[fuzz_below(input, ASKERS)];

	if (what == 'C')
		asker_ask(asker, input);
	else if (what == 'H')
		asker_hear(asker);
	else
		asker_go(asker);
}

void asker_end(void)
{
	for (size_t i = 0; i < ASKERS; i++) {
		asker_hear(&world.askers[i]);
		asker_go(&world.askers[i]);
	}
}
