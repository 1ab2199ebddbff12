/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels between the rooms, over real socket pairs. */
#include "process/ipc.h"

#include "base/log.h"
#include "process/ipc_wire.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NUMBER = 1, LARGE, PASS, ECHO, FREE, EVENT, HAND, UNKNOWN = 99 };

struct number {
	uint32_t value;
};

struct large {
	unsigned char bytes[IPC_BODY_MAX];
};

/* One end of a channel with what has come to it. */
struct end {
	struct ipc *ipc;
	unsigned int calls;   /* of handlers */
	unsigned int closed;  /* calls of the end's handler */
	bool violated;	      /* what it was told */
	bool free_in_handler; /* of FREE and of the end */
	uint32_t next;	      /* number expected next; UINT32_MAX after one that was not it */
	struct large large;
	int fd; /* the last one that came */
	uint32_t echo;
	unsigned int events;
	unsigned int pongs;
};

struct fixture {
	struct event_base *base;
	struct end a, b;
	int raw;		       /* b's socket, where b has no channel; -1 */
	struct ipc_wire_packet packet; /* the last one from there */
	unsigned int fds;
};

static void on_number(const void *body, void *arg)
{
	const struct number *number = body;
	struct end *end = arg;

	assert_int_equal((uintptr_t)body % 16, 0);
	end->calls++;
	end->next = number->value == end->next ? end->next + 1 : UINT32_MAX;
}

static void on_large(const void *body, void *arg)
{
	struct end *end = arg;

	end->calls++;
	memcpy(&end->large, body, sizeof(end->large));
}

static void on_pass(const void *body, int fd, void *arg)
{
	struct end *end = arg;

	(void)body;
	assert_true(fd >= 0);
	end->calls++;
	if (end->fd != -1)
		close(end->fd);
	end->fd = fd;
}

/* Answers with one less, until nothing is left. */
static void on_echo(const void *body, void *arg)
{
	struct number number = *(const struct number *)body;
	struct end *end = arg;

	end->calls++;
	end->echo = number.value;
	if (number.value-- > 0)
		assert_int_equal(ipc_send(end->ipc, ECHO, &number, sizeof(number), -1), 0);
}

static void on_free(const void *body, void *arg)
{
	struct end *end = arg;

	(void)body;
	end->calls++;
	ipc_free(&end->ipc);
	assert_null(end->ipc);
}

static void on_event(void *arg)
{
	struct end *end = arg;

	end->calls++;
	end->events++;
}

static void on_hand(int fd, void *arg)
{
	on_pass(NULL, fd, arg);
}

static void on_pong(void *arg)
{
	struct end *end = arg;

	end->calls++;
	end->pongs++;
}

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	struct end *end = arg;

	assert_ptr_equal(ipc, end->ipc);
	end->closed++;
	end->violated = violated;
	if (end->free_in_handler)
		ipc_free(&end->ipc);
}

static const struct ipc_row rows[] = {
	IPC_BODY(NUMBER, struct number, on_number),
	IPC_BODY(LARGE, struct large, on_large),
	IPC_BODY_FD(PASS, struct number, on_pass),
	IPC_BODY(ECHO, struct number, on_echo),
	IPC_BODY(FREE, struct number, on_free),
	IPC_EVENT(EVENT, on_event),
	IPC_FD(HAND, on_hand),
	IPC_ANSWERS_PINGS,
};

static struct ipc *channel(struct fixture *fixture, int fd, const char *name, struct end *end)
{
	struct ipc *ipc = ipc_new(fixture->base, fd, name, rows, sizeof(rows) / sizeof(rows[0]),
				  on_closed, end);

	assert_non_null(ipc);
	return ipc;
}

static int setup(void **state, bool raw)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fds[2];

	assert_non_null(fixture);
	log_init("test", NULL, false);
	/* The first base opens more than its own descriptors; it must not count. */
	event_base_free(event_base_new());
	fixture->fds = capture_count_fds();
	fixture->base = event_base_new();
	assert_non_null(fixture->base);
	assert_int_equal(ipc_pair(fds), 0);
	fixture->raw = -1;
	fixture->a.fd = fixture->b.fd = -1;
	fixture->a.ipc = channel(fixture, fds[0], "peer", &fixture->a);
	if (raw)
		fixture->raw = fds[1];
	else
		fixture->b.ipc = channel(fixture, fds[1], "a", &fixture->b);
	*state = fixture;
	return 0;
}

static int setup_pair(void **state)
{
	return setup(state, false);
}

static int setup_raw(void **state)
{
	return setup(state, true);
}

/* Also checks that no descriptor is left, whichever way it went. */
static int teardown(void **state)
{
	struct fixture *fixture = *state;
	unsigned int fds;

	ipc_free(&fixture->a.ipc);
	ipc_free(&fixture->b.ipc);
	if (fixture->raw != -1)
		close(fixture->raw);
	if (fixture->a.fd != -1)
		close(fixture->a.fd);
	if (fixture->b.fd != -1)
		close(fixture->b.fd);
	event_base_free(fixture->base);
	fds = fixture->fds;
	free(fixture);
	assert_int_equal(capture_count_fds(), fds);
	return 0;
}

/* Lets the channels work until nothing comes any more. */
static void settle(struct fixture *fixture)
{
	unsigned int idle = 0;

	while (idle < 4) {
		unsigned int before = fixture->a.calls + fixture->b.calls;

		assert_true(event_base_loop(fixture->base, EVLOOP_NONBLOCK) != -1);
		idle = fixture->a.calls + fixture->b.calls == before ? idle + 1 : 0;
	}
}

static int send_number(struct end *end, uint32_t type, uint32_t value)
{
	const struct number number = {.value = value};

	return ipc_send(end->ipc, type, &number, sizeof(number), -1);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void test_round_trip(void **state)
{
	struct fixture *fixture = *state;
	struct large large;

	for (size_t i = 0; i < sizeof(large.bytes); i++)
		large.bytes[i] = (unsigned char)(i * 7);
	assert_int_equal(send_number(&fixture->a, NUMBER, 0), 0);
	assert_int_equal(ipc_send(fixture->a.ipc, LARGE, &large, sizeof(large), -1), 0);
	assert_int_equal(send_number(&fixture->a, NUMBER, 1), 0);
	assert_int_equal(send_number(&fixture->b, NUMBER, 0), 0);
	settle(fixture);
	assert_int_equal(fixture->b.calls, 3);
	assert_int_equal(fixture->b.next, 2);
	assert_memory_equal(&fixture->b.large, &large, sizeof(large));
	assert_int_equal(fixture->a.calls, 1);
	assert_int_equal(fixture->a.next, 1);
	assert_int_equal(fixture->a.closed + fixture->b.closed, 0);
}

/* What a handler sends on goes out when this turn of the loop has ended, in its order. */
static void test_batch(void **state)
{
	struct fixture *fixture = *state;

	ipc_batch(fixture->a.ipc);
	assert_int_equal(send_number(&fixture->a, NUMBER, 0), 0);
	assert_int_equal(send_number(&fixture->a, NUMBER, 1), 0);
	assert_int_equal(ipc_backlog(fixture->a.ipc), 2);
	settle(fixture);
	assert_int_equal(ipc_backlog(fixture->a.ipc), 0);
	assert_int_equal(fixture->b.next, 2);
	/* Again, and without waiting for the turn to end. */
	assert_int_equal(send_number(&fixture->a, NUMBER, 2), 0);
	ipc_flush(fixture->a.ipc, 0);
	assert_int_equal(ipc_backlog(fixture->a.ipc), 0);
	assert_int_equal(send_number(&fixture->a, NUMBER, 3), 0);
	ipc_free(&fixture->a.ipc);
	settle(fixture);
	assert_int_equal(fixture->b.next, 4);
	assert_int_equal(fixture->b.closed, 1);
}

/* A packet has as many messages as fit, each aligned (on_number() looks), a descriptor the first.
 */
static void test_packets(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};
	const struct large large = {.bytes = {1}};
	const struct ipc_header *header;
	const void *body;
	static const unsigned int expected[] = {3, 1, 64, 39, 3};
	int fd;

	ipc_batch(fixture->a.ipc);
	assert_int_equal(ipc_send(fixture->a.ipc, EVENT, NULL, 0, -1), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	assert_int_equal(ipc_send(fixture->a.ipc, PASS, &number, sizeof(number), dup(0)), 0);
	assert_int_equal(ipc_send(fixture->a.ipc, PASS, &number, sizeof(number), dup(0)), 0);
	for (uint32_t i = 2; i < 101; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ipc_send(fixture->a.ipc, LARGE, &large, sizeof(large), -1), 0);
	ipc_flush(fixture->a.ipc, 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		unsigned int count = 0;

		assert_int_equal(ipc_wire_receive(fixture->raw, &fixture->packet, &fd), 1);
		while (ipc_wire_next(&fixture->packet, &header, &body) == 1) {
			assert_int_equal((uintptr_t)body % 16, 0);
			count++;
		}
		assert_int_equal(fixture->packet.at, fixture->packet.len);
		assert_int_equal(count, expected[i]);
		assert_int_equal(fd != -1, i == 1 || i == 2);
		if (fd != -1)
			close(fd);
	}
	assert_int_equal(ipc_wire_receive(fixture->raw, &fixture->packet, &fd), 0);
}

static void test_freed_within_a_packet(void **state)
{
	struct fixture *fixture = *state;

	ipc_batch(fixture->a.ipc);
	assert_int_equal(send_number(&fixture->a, NUMBER, 0), 0);
	assert_int_equal(send_number(&fixture->a, FREE, 0), 0);
	assert_int_equal(send_number(&fixture->a, NUMBER, 1), 0);
	settle(fixture);
	assert_int_equal(fixture->b.next, 1);
	assert_null(fixture->b.ipc);
}

static void test_answers_from_handlers(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(send_number(&fixture->a, ECHO, 1001), 0);
	settle(fixture);
	assert_int_equal(fixture->b.calls, 501);
	assert_int_equal(fixture->a.calls, 501);
	assert_int_equal(fixture->a.echo, 0);
	assert_int_equal(fixture->b.echo, 1);
}

static void test_descriptor(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};
	int pipe_fds[2];
	char got = 0;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(ipc_send(fixture->a.ipc, PASS, &number, sizeof(number), pipe_fds[1]), 0);
	assert_false(is_open(pipe_fds[1]));
	settle(fixture);
	assert_int_equal(fixture->b.calls, 1);
	assert_int_equal(fcntl(fixture->b.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fixture->b.fd, "!", 1), 1);
	assert_int_equal(read(pipe_fds[0], &got, 1), 1);
	assert_int_equal(got, '!');
	close(pipe_fds[0]);
}

static void test_pair_closes_on_exec(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(ipc_pair(fds), 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
}

/* As a guard sees it: it has one end, and whoever made the pair and has the other one ends. */
static void test_maker_that_has_ended(void **state)
{
	int fds[2];
	int answer[2];
	char nothing;
	pid_t told;
	int status;

	(void)state;
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);

	pid_t maker = fork();

	assert_int_not_equal(maker, -1);
	if (maker == 0) {
		if (ipc_pair(fds) || ipc_maker(fds[0]) != getpid())
			_exit(1);

		pid_t guard = fork();

		if (guard != 0)
			_exit(guard == -1);
		close(fds[0]);
		told = read(fds[1], &nothing, 1) == 0 ? ipc_maker(fds[1]) : -1;
		_exit(write(answer[1], &told, sizeof(told)) != sizeof(told));
	}
	close(answer[1]);
	assert_int_equal(waitpid(maker, &status, 0), maker);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(read(answer[0], &told, sizeof(told)), sizeof(told));
	assert_int_equal(told, maker);
	close(answer[0]);
}

static void test_maker_of_no_socket(void **state)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ipc_maker(fd), -ENOTSOCK);
	close(fd);
}

static void expect_violated(struct fixture *fixture, const char *line)
{
	capture_begin(STDERR_FILENO);
	settle(fixture);
	assert_string_equal(capture_end(), line);
	assert_int_equal(fixture->a.calls, 0);
	assert_int_equal(fixture->a.closed, 1);
	assert_true(fixture->a.violated);
}

static void test_unknown_type(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(send_number(&fixture->b, UNKNOWN, 0), 0);
	/* After the first violation nothing is taken any more. */
	assert_int_equal(send_number(&fixture->b, NUMBER, 0), 0);
	expect_violated(fixture, "test: unexpected message 99 from peer\n");
}

static void test_too_short_for_its_type(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};

	assert_int_equal(ipc_send(fixture->b.ipc, NUMBER, &number, sizeof(number) - 1, -1), 0);
	expect_violated(fixture, "test: message 1 from peer has the wrong form\n");
}

static void test_too_long_for_its_type(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t number = 0;

	assert_int_equal(ipc_send(fixture->b.ipc, NUMBER, &number, sizeof(number), -1), 0);
	expect_violated(fixture, "test: message 1 from peer has the wrong form\n");
}

static void test_descriptor_missing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(send_number(&fixture->b, PASS, 0), 0);
	expect_violated(fixture, "test: message 3 from peer has the wrong form\n");
}

static void test_descriptor_unasked(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};

	assert_int_equal(ipc_send(fixture->b.ipc, NUMBER, &number, sizeof(number), dup(0)), 0);
	expect_violated(fixture, "test: message 1 from peer has the wrong form\n");
}

static void test_no_body(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ipc_send(fixture->a.ipc, EVENT, NULL, 0, -1), 0);
	assert_int_equal(ipc_send(fixture->a.ipc, HAND, NULL, 0, dup(0)), 0);
	settle(fixture);
	assert_int_equal(fixture->b.events, 1);
	assert_int_equal(fixture->b.calls, 2);
	assert_true(is_open(fixture->b.fd));
	/* Where none belongs, one is too much. */
	assert_int_equal(send_number(&fixture->b, EVENT, 0), 0);
	expect_violated(fixture, "test: message 6 from peer has the wrong form\n");
	assert_int_equal(fixture->a.events, 0);
}

static void test_ping(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned int i = 1; i <= 2; i++) {
		assert_int_equal(ipc_ping(fixture->a.ipc, on_pong, &fixture->a), 0);
		settle(fixture);
		assert_int_equal(fixture->a.pongs, i);
	}
	assert_int_equal(fixture->b.calls, 0);
	assert_int_equal(fixture->a.closed + fixture->b.closed, 0);
}

/* Behind what was sent before it, so the process has come so far. */
static void test_ping_waits_its_turn(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	assert_int_equal(ipc_ping(fixture->a.ipc, on_pong, &fixture->a), 0);
	while (fixture->a.pongs == 0)
		assert_true(event_base_loop(fixture->base, EVLOOP_NONBLOCK) != -1);
	assert_int_equal(fixture->b.next, 1000);
}

/* Who answers pings logs as much as it is told. */
static void test_log_level(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ipc_send(fixture->b.ipc, IPC_DEBUG, NULL, 0, -1), 0);
	settle(fixture);
	assert_true(log_is_debug());
	assert_int_equal(ipc_send(fixture->b.ipc, IPC_INFO, NULL, 0, -1), 0);
	settle(fixture);
	assert_false(log_is_debug());
	assert_int_equal(ipc_send(fixture->b.ipc, IPC_DEBUG, "x", 1, -1), 0);
	expect_violated(fixture, "test: message 2147483645 from peer has the wrong form\n");
	assert_false(log_is_debug());
}

/* Nobody else is told. */
static void test_log_level_of_another(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	assert_int_equal(ipc_pair(fds), 0);
	ipc_free(&fixture->a.ipc);
	ipc_free(&fixture->b.ipc);
	fixture->a.ipc = ipc_new(fixture->base, fds[0], "peer", rows, 1, on_closed, &fixture->a);
	fixture->b.ipc = channel(fixture, fds[1], "a", &fixture->b);
	assert_non_null(fixture->a.ipc);
	assert_int_equal(ipc_send(fixture->b.ipc, IPC_DEBUG, NULL, 0, -1), 0);
	expect_violated(fixture, "test: unexpected message 2147483645 from peer\n");
	assert_false(log_is_debug());
}

static void test_pong_unasked(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ipc_send(fixture->b.ipc, IPC_PONG, NULL, 0, -1), 0);
	expect_violated(fixture, "test: peer answered what it was not asked\n");
	assert_int_equal(fixture->a.pongs, 0);
}

/* One that answers twice. */
static void test_pong_again(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ipc_ping(fixture->a.ipc, on_pong, &fixture->a), 0);
	settle(fixture);
	fixture->a.calls = 0;
	assert_int_equal(ipc_send(fixture->b.ipc, IPC_PONG, NULL, 0, -1), 0);
	expect_violated(fixture, "test: peer answered what it was not asked\n");
	assert_int_equal(fixture->a.pongs, 1);
}

/* What was before the wrong one in a packet is handled, and nothing behind it. */
static void test_wrong_in_a_packet(void **state)
{
	struct fixture *fixture = *state;

	ipc_batch(fixture->b.ipc);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(send_number(&fixture->b, NUMBER, i), 0);
	assert_int_equal(send_number(&fixture->b, UNKNOWN, 0), 0);
	assert_int_equal(send_number(&fixture->b, NUMBER, 3), 0);
	capture_begin(STDERR_FILENO);
	settle(fixture);
	assert_string_equal(capture_end(), "test: unexpected message 99 from peer\n");
	assert_int_equal(fixture->a.next, 3);
	assert_true(fixture->a.violated);
}

/* Whose table says nothing of pings is not asked: root by its own processes. */
static void test_ping_of_who_does_not_answer(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	assert_int_equal(ipc_pair(fds), 0);
	ipc_free(&fixture->a.ipc);
	ipc_free(&fixture->b.ipc);
	fixture->a.ipc = ipc_new(fixture->base, fds[0], "peer", rows, 1, on_closed, &fixture->a);
	fixture->b.ipc = channel(fixture, fds[1], "a", &fixture->b);
	assert_non_null(fixture->a.ipc);
	assert_int_equal(ipc_ping(fixture->b.ipc, on_pong, &fixture->b), 0);
	expect_violated(fixture, "test: unexpected message 2147483646 from peer\n");
	assert_int_equal(fixture->b.pongs, 0);
}

/* What ipc_send() puts on the wire for a message, so that it can be spoilt. */
static size_t wire_form(struct fixture *fixture, uint32_t type, unsigned char *wire, size_t size)
{
	ssize_t n;

	assert_int_equal(send_number(&fixture->a, type, 0), 0);
	n = recv(fixture->raw, wire, size, 0);
	assert_true(n > (ssize_t)sizeof(struct number));
	return (size_t)n;
}

static void send_raw(int socket, void *bytes, size_t len, unsigned int n_fds)
{
	struct iovec iov = {.iov_base = bytes, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr align;
		unsigned char room[CMSG_SPACE(8 * sizeof(int))];
	} control = {.room = {0}};

	if (n_fds > 0) {
		struct cmsghdr *cmsg = &control.align;

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (size_t i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &(int){0}, sizeof(int));
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(socket, &msg, 0), (ssize_t)len);
}

static void test_raw_form_is_taken(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[4096];
	size_t len = wire_form(fixture, NUMBER, wire, sizeof(wire));

	send_raw(fixture->raw, wire, len, 0);
	len = wire_form(fixture, PASS, wire, sizeof(wire));
	send_raw(fixture->raw, wire, len, 1);
	settle(fixture);
	assert_int_equal(fixture->a.calls, 2);
	assert_int_equal(fixture->a.closed, 0);
}

/* The header names the right size, but fewer bytes came. */
static void test_cut(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[4096] = {0};
	size_t len = wire_form(fixture, NUMBER, wire, sizeof(wire));

	send_raw(fixture->raw, wire, len - 1, 0);
	expect_violated(fixture, "test: message 1 from peer has the wrong form\n");
}

static void test_stretched(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[4096] = {0};
	size_t len = wire_form(fixture, NUMBER, wire, sizeof(wire));

	send_raw(fixture->raw, wire, len + 1, 0);
	expect_violated(fixture, "test: message 1 from peer has the wrong form\n");
}

static void test_shorter_than_a_header(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[1] = {NUMBER};

	send_raw(fixture->raw, wire, 1, 0);
	expect_violated(fixture, "test: malformed message from peer\n");
}

static void test_longer_than_any(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[IPC_WIRE_PACKET_MAX + 1] = {0};

	(void)wire_form(fixture, NUMBER, wire, sizeof(wire));
	send_raw(fixture->raw, wire, sizeof(wire), 0);
	expect_violated(fixture, "test: malformed message from peer\n");
}

static void test_two_descriptors(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[4096];
	size_t len = wire_form(fixture, PASS, wire, sizeof(wire));

	send_raw(fixture->raw, wire, len, 2);
	expect_violated(fixture, "test: malformed message from peer\n");
}

/* More than the receiver has room for: the kernel cuts them off, those that came are closed. */
static void test_eight_descriptors(void **state)
{
	struct fixture *fixture = *state;
	unsigned char wire[4096];
	size_t len = wire_form(fixture, PASS, wire, sizeof(wire));

	send_raw(fixture->raw, wire, len, 8);
	expect_violated(fixture, "test: malformed message from peer\n");
}

#define MANY 5000

static void test_peer_that_does_not_read(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	assert_int_equal(fixture->b.calls, 0);
	/* The socket has taken some. */
	assert_in_range(ipc_backlog(fixture->a.ipc), MANY / 2, MANY - 1);
	settle(fixture);
	assert_int_equal(ipc_backlog(fixture->a.ipc), 0);
	assert_int_equal(fixture->b.calls, MANY);
	assert_int_equal(fixture->b.next, MANY);
	/* The queue is empty again, so this goes straight out. */
	assert_int_equal(send_number(&fixture->a, NUMBER, MANY), 0);
	settle(fixture);
	assert_int_equal(fixture->b.next, MANY + 1);
	assert_int_equal(fixture->b.closed, 0);
}

/* The value of the next message on the raw socket; UINT32_MAX if there is none. */
static uint32_t take_raw(struct fixture *fixture)
{
	const struct ipc_header *header;
	const void *body;
	int fd;

	if (fixture->packet.at == fixture->packet.len &&
	    ipc_wire_receive(fixture->raw, &fixture->packet, &fd) != 1)
		return UINT32_MAX;
	assert_int_equal(ipc_wire_next(&fixture->packet, &header, &body), 1);
	assert_int_equal(header->size, sizeof(struct number));
	return ((const struct number *)body)->value;
}

/* A message sent while others still wait does not overtake them, although there is room again. */
static void test_no_overtaking(void **state)
{
	struct fixture *fixture = *state;
	uint32_t sent = 0;
	uint32_t taken = 0;
	unsigned int passes = 0;

	while (sent < MANY)
		assert_int_equal(send_number(&fixture->a, NUMBER, sent++), 0);
	for (; taken < 20; taken++)
		assert_int_equal(take_raw(fixture), taken);
	assert_int_equal(send_number(&fixture->a, NUMBER, sent++), 0);
	while (taken < sent) {
		uint32_t value = take_raw(fixture);

		if (value != UINT32_MAX) {
			assert_int_equal(value, taken++);
			continue;
		}
		/* Each pass refills the socket, or one is lost. */
		assert_true(passes++ < MANY);
		assert_true(event_base_loop(fixture->base, EVLOOP_NONBLOCK) != -1);
	}
	settle(fixture);
	assert_int_equal(take_raw(fixture), UINT32_MAX);
}

static void test_queued_descriptors(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};
	unsigned int passed = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
		if (i % 100 == 99) {
			assert_int_equal(
				ipc_send(fixture->a.ipc, PASS, &number, sizeof(number), dup(0)), 0);
			passed++;
		}
	}
	settle(fixture);
	assert_int_equal(fixture->b.calls, MANY + passed);
	assert_int_equal(fixture->b.next, MANY);
	assert_true(is_open(fixture->b.fd));
}

/* What never went out is given up with the channel: teardown counts the descriptors. */
static void test_freed_with_a_queue(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};

	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ipc_send(fixture->a.ipc, PASS, &number, sizeof(number), dup(0)),
				 0);
}

static void test_freed_in_handler(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	assert_int_equal(send_number(&fixture->a, FREE, 0), 0);
	for (uint32_t i = 3; i < 6; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	settle(fixture);
	assert_int_equal(fixture->b.calls, 4);
	assert_int_equal(fixture->b.next, 3);
	assert_int_equal(fixture->b.closed, 0);
	assert_null(fixture->b.ipc);
	/* With data unread, the other end hears of it as of any end. */
	assert_int_equal(fixture->a.closed, 1);
	assert_false(fixture->a.violated);
}

static void test_freed_in_closed(void **state)
{
	struct fixture *fixture = *state;

	fixture->a.free_in_handler = true;
	assert_int_equal(send_number(&fixture->b, UNKNOWN, 0), 0);
	capture_begin(STDERR_FILENO);
	settle(fixture);
	assert_string_equal(capture_end(), "test: unexpected message 99 from peer\n");
	assert_int_equal(fixture->a.closed, 1);
	assert_null(fixture->a.ipc);
	assert_int_equal(fixture->b.closed, 1);
}

/* What was sent before the end still comes, all of it, and then the end, once. */
static void test_peer_closed(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 150; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	ipc_flush(fixture->a.ipc, 0);
	settle(fixture);
	assert_int_equal(fixture->b.calls, 150);
	ipc_free(&fixture->a.ipc);
	settle(fixture);
	settle(fixture);
	assert_int_equal(fixture->b.calls, 150);
	assert_int_equal(fixture->b.next, 150);
	assert_int_equal(fixture->b.closed, 1);
	assert_false(fixture->b.violated);
}

static void test_closed_behind_messages(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	ipc_free(&fixture->a.ipc);
	settle(fixture);
	assert_int_equal(fixture->b.next, 5);
	assert_int_equal(fixture->b.closed, 1);
	assert_false(fixture->b.violated);
}

static void test_send_to_closed_channel(void **state)
{
	struct fixture *fixture = *state;
	const struct number number = {.value = 0};
	int fd = dup(0);

	close(fixture->raw);
	fixture->raw = -1;
	/* No SIGPIPE, which would end this process; and no error, because closed() tells. */
	assert_int_equal(ipc_send(fixture->a.ipc, PASS, &number, sizeof(number), fd), 0);
	assert_false(is_open(fd));
	settle(fixture);
	assert_int_equal(fixture->a.closed, 1);
	assert_false(fixture->a.violated);
}

static void test_body_too_large(void **state)
{
	struct fixture *fixture = *state;
	static const unsigned char body[IPC_BODY_MAX + 1];
	int fd = dup(0);

	assert_int_equal(ipc_send(fixture->a.ipc, LARGE, body, sizeof(body), fd), -EMSGSIZE);
	assert_false(is_open(fd));
	settle(fixture);
	assert_int_equal(fixture->b.calls, 0);
	assert_int_equal(fixture->b.closed, 0);
}

/* Whoever reads, gets everything before the last word's sender ends. */
static void test_flush(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid;
	int status;

	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	pid = fork();
	assert_true(pid != -1);
	if (pid == 0) {
		struct pollfd readable = {.fd = fixture->raw, .events = POLLIN};
		uint32_t count = 0;

		while (count < MANY && poll(&readable, 1, 20000) == 1) {
			while (take_raw(fixture) == count)
				count++;
		}
		_exit(count == MANY ? 0 : 1);
	}
	ipc_flush(fixture->a.ipc, 20000);
	ipc_free(&fixture->a.ipc);
	close(fixture->raw);
	fixture->raw = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_flush_without_reader(void **state)
{
	struct fixture *fixture = *state;

	ipc_flush(fixture->a.ipc, 20000); /* nothing to wait for */
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(send_number(&fixture->a, NUMBER, i), 0);
	ipc_flush(fixture->a.ipc, 0);
	close(fixture->raw);
	fixture->raw = -1;
	ipc_flush(fixture->a.ipc, 20000); /* nobody to wait for */
}

static void test_free_nothing(void **state)
{
	struct ipc *ipc = NULL;

	(void)state;
	ipc_free(&ipc);
	assert_null(ipc);
}

#define PAIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup_pair, teardown)
#define RAW_TEST(f)  cmocka_unit_test_setup_teardown(f, setup_raw, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_round_trip),
		PAIR_TEST(test_batch),
		RAW_TEST(test_packets),
		PAIR_TEST(test_wrong_in_a_packet),
		PAIR_TEST(test_freed_within_a_packet),
		PAIR_TEST(test_answers_from_handlers),
		PAIR_TEST(test_descriptor),
		cmocka_unit_test(test_pair_closes_on_exec),
		cmocka_unit_test(test_maker_that_has_ended),
		cmocka_unit_test(test_maker_of_no_socket),
		PAIR_TEST(test_unknown_type),
		PAIR_TEST(test_too_short_for_its_type),
		PAIR_TEST(test_too_long_for_its_type),
		PAIR_TEST(test_descriptor_missing),
		PAIR_TEST(test_descriptor_unasked),
		PAIR_TEST(test_no_body),
		PAIR_TEST(test_ping),
		PAIR_TEST(test_ping_waits_its_turn),
		PAIR_TEST(test_log_level),
		PAIR_TEST(test_log_level_of_another),
		PAIR_TEST(test_pong_unasked),
		PAIR_TEST(test_pong_again),
		PAIR_TEST(test_ping_of_who_does_not_answer),
		RAW_TEST(test_raw_form_is_taken),
		RAW_TEST(test_cut),
		RAW_TEST(test_stretched),
		RAW_TEST(test_shorter_than_a_header),
		RAW_TEST(test_longer_than_any),
		RAW_TEST(test_two_descriptors),
		RAW_TEST(test_eight_descriptors),
		PAIR_TEST(test_peer_that_does_not_read),
		RAW_TEST(test_no_overtaking),
		PAIR_TEST(test_queued_descriptors),
		PAIR_TEST(test_freed_with_a_queue),
		PAIR_TEST(test_freed_in_handler),
		PAIR_TEST(test_freed_in_closed),
		PAIR_TEST(test_peer_closed),
		PAIR_TEST(test_closed_behind_messages),
		RAW_TEST(test_send_to_closed_channel),
		PAIR_TEST(test_body_too_large),
		RAW_TEST(test_flush),
		RAW_TEST(test_flush_without_reader),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests_name("base ipc", tests, NULL, NULL);
}
