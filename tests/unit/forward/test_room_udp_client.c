/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's room over UDP: hellos and answers. */
#include "udp.h"

#include "base/clock.h"
#include "base/log.h"
#include "proto/probe.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A room with this session; returns the server's socket. */
static int client_start(struct room *room, struct forward_session *config)
{
	int server = udp_open("192.0.2.2", 5000);

	config->local.s_addr = 0;
	room_start(room, false);
	give_counters(room);
	give_udp(room);
	room_add(room, config);
	return server;
}

static void client_says_hello(void **state)
{
	struct forward_session config = udp_session(0, 5000);
	const struct forward_id id = {.id = 0};
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.local.s_addr = 0;

	int server = udp_open("192.0.2.2", 5000);
	int other = udp_open("192.0.2.3", 5000);

	room_start(&room, false);
	give_counters(&room);
	room_add(&room, &config);
	give_udp(&room);

	/* Before there is a device: at once, and again after half a second. */
	struct probe hello = probe_expect(server, &config, PROBE_HELLO);
	struct probe second = probe_expect(server, &config, PROBE_HELLO);

	assert_true(second.clock - hello.clock >= 500);
	assert_true(hello.counter > 0);
	assert_true(second.counter > hello.counter);

	/* Answers that are none. */
	struct forward_session forged = config;
	const uint64_t *drops = room.counters->drops;

	probe_send(other, &config, PROBE_ANSWER, 1, second.clock);
	expect_count(&drops[DROP_OUTER_PEER], 1);
	forged.session++;
	probe_send(server, &forged, PROBE_ANSWER, 1, second.clock);
	expect_count(&drops[DROP_PROBE_SESSION], 1);
	forged = config;
	forged.key[0]++;
	probe_send(server, &forged, PROBE_ANSWER, 1, second.clock);
	expect_count(&drops[DROP_PROBE_CODE], 1);
	probe_send(server, &config, PROBE_HELLO, 1, second.clock);
	expect_count(&drops[DROP_PROBE_CODE], 2);
	probe_send(server, &config, PROBE_ANSWER, 0, second.clock);
	expect_count(&drops[DROP_PROBE_OLD], 1);

	/* One that is: the first tells that the path lives, the next tell nothing new. */
	probe_send(server, &config, PROBE_ANSWER, 1, second.clock);
	assert_int_equal(room_expect(&room, FORWARD_MSG_PATH, 0).value, 1);
	probe_send(server, &config, PROBE_ANSWER, 1, second.clock);
	expect_count(&drops[DROP_PROBE_OLD], 2);
	assert_int_equal(room.counters->session[0].probes, 1);
	assert_in_range(room.counters->session[0].rtt_us, 1, 10000000);
	assert_in_range(room.counters->session[0].heard_us, 1, clock_us());

	int tun = give_device(&room, 0);

	room_expect(&room, FORWARD_MSG_ADDED, 0);
	/* The next one would be due in 20 s. */
	to_control(&room, FORWARD_MSG_HELLO, &id, sizeof(id));
	hello = probe_expect(server, &config, PROBE_HELLO);
	probe_send(server, &config, PROBE_ANSWER, 2, hello.clock);
	expect_count(&room.counters->session[0].probes, 2);

	/* Data from the server only. */
	udp_send_hex(other, HEAD_ECHO FAR SITE ECHO);
	expect_count(&drops[DROP_OUTER_PEER], 2);
	udp_send_hex(server, HEAD_ECHO FAR SITE ECHO);
	tun_expect_hex(tun, HEAD_ECHO FAR SITE ECHO);

	/* A packet goes out, and for 5 s none comes in. */
	uint64_t begin = milliseconds();

	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	udp_expect_hex(server, 0, HEAD_ECHO SITE FAR ECHO);
	probe_expect(server, &config, PROBE_HELLO);
	assert_in_range(milliseconds() - begin, 4990, 15000);
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 0);
	close(server);
	close(other);
	close(tun);
	room_stop(&room, 0);
}

/* The number in an answer is repeated at once, and until an answer has none. */
static void a_proof_is_given(void **state)
{
	struct forward_session config = udp_session(0, 5000);
	struct forward_session forged;
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.local.s_addr = 0;

	int server = udp_open("192.0.2.2", 5000);

	room_start(&room, false);
	give_counters(&room);
	room_add(&room, &config);
	give_udp(&room);

	struct probe hello = probe_expect(server, &config, PROBE_HELLO);

	assert_int_equal(hello.proof, 0);
	/* In an answer with a wrong code it is nobody's. */
	forged = config;
	forged.key[0]++;
	probe_send_proof(server, &forged, PROBE_ANSWER, 1, hello.clock, 0x654321);
	expect_count(&room.counters->drops[DROP_PROBE_CODE], 1);

	uint64_t begin = milliseconds();

	probe_send_proof(server, &config, PROBE_ANSWER, 1, hello.clock, 0xabcdef);
	do
		hello = probe_expect(server, &config, PROBE_HELLO);
	while (hello.proof == 0);
	assert_int_equal(hello.proof, 0xabcdef);
	/* It may be lost: the next comes soon, but not at once, and never as late as 20 s. */
	probe_send_proof(server, &config, PROBE_ANSWER, 2, hello.clock, 0xabcdef);
	hello = probe_expect(server, &config, PROBE_HELLO);
	assert_int_equal(hello.proof, 0xabcdef);
	assert_in_range(milliseconds() - begin, 400, 19000);
	/* Done. The next one is due in 20 s, or when it is asked for. */
	probe_send(server, &config, PROBE_ANSWER, 3, hello.clock);
	expect_count(&room.counters->session[0].probes, 3);
	to_control(&room, FORWARD_MSG_HELLO, &(struct forward_id){0}, sizeof(struct forward_id));
	do
		hello = probe_expect(server, &config, PROBE_HELLO);
	while (hello.proof != 0);
	close(server);
	room_stop(&room, 0);
}

/* The hellos of a room that has two ports at times. All have one counter. */
struct heard {
	struct probe hello;
	uint16_t port;	 /* that it came from */
	uint16_t before; /* and the one before it */
};

static void hear(int server, const struct forward_session *config, struct heard *heard)
{
	uint64_t last = heard->hello.counter;
	uint8_t first;

	heard->before = heard->port;
	heard->port = udp_room_port = udp_next(server, &first);
	heard->hello = probe_expect(server, config, PROBE_HELLO);
	assert_int_equal(heard->hello.counter, last + 1);
}

/* With two ports, each in its turn, one first; of two from the same port the other has gone. */
static void hear_both(int server, const struct forward_session *config, struct heard *heard,
		      uint16_t one, uint16_t other)
{
	do
		hear(server, config, heard);
	while (heard->port != other);
	assert_int_equal(heard->before, one);
}

static void hear_one(int server, const struct forward_session *config, struct heard *heard,
		     uint16_t port)
{
	do
		hear(server, config, heard);
	while (heard->port != port || heard->before != port);
}

/* A packet from inside goes out by this port. */
static void goes_by(int server, const struct forward_session *config, struct heard *heard, int tun,
		    uint16_t port)
{
	uint8_t first;

	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	while (udp_next(server, &first) && first == PROBE_HELLO)
		hear(server, config, heard);
	udp_room_port = udp_next(server, &first);
	assert_int_equal(udp_room_port, port);
	udp_expect_hex(server, 0, HEAD_ECHO SITE FAR ECHO);
}

/* One from outside is taken that comes to this port. */
static void comes_to(int server, int tun, uint16_t port)
{
	udp_room_port = port;
	udp_send_hex(server, HEAD_ECHO FAR SITE ECHO);
	tun_expect_hex(tun, HEAD_ECHO FAR SITE ECHO);
}

static void answer_to(int server, const struct forward_session *config, const struct heard *heard,
		      uint16_t port, uint64_t counter)
{
	udp_room_port = port;
	probe_send(server, config, PROBE_ANSWER, counter, heard->hello.clock);
}

static void another_port(void **state)
{
	struct forward_session config = udp_session(0, 5000);
	const struct forward_id id = {.id = 0};
	struct heard heard = {0};
	struct room room;

	(void)state;
	NEED_NETWORK();

	int server = client_start(&room, &config);
	int tun = give_device(&room, 0);

	room_expect(&room, FORWARD_MSG_ADDED, 0);
	hear(server, &config, &heard);
	assert_int_equal(heard.port, PORT);

	/* Hellos go by both, packets by the first, and what comes to either is taken. */
	give_candidate(&room, 4029);
	hear_both(server, &config, &heard, PORT, 4029);
	goes_by(server, &config, &heard, tun, PORT);
	comes_to(server, tun, 4029);
	comes_to(server, tun, PORT);

	/*
	 * The other is answered. Its port is told before the path is; and as it is not always the
	 * one that said hello last, it does so at once.
	 */
	answer_to(server, &config, &heard, 4029, 1);
	assert_int_equal(room_expect(&room, FORWARD_MSG_PORT, 0).value, 4029);
	assert_int_equal(room_expect(&room, FORWARD_MSG_PATH, 0).value, 1);
	hear_one(server, &config, &heard, 4029);
	answer_to(server, &config, &heard, 4029, 2);
	expect_count(&room.counters->session[0].probes, 2);
	udp_expect_closed(PORT);
	goes_by(server, &config, &heard, tun, 4029);
	comes_to(server, tun, 4029);

	/* While all is well, no other port is needed. */
	give_candidate(&room, 4030);
	udp_expect_closed(4030);

	/* One that is not answered either makes room for the next; then the old one is. */
	to_control(&room, FORWARD_MSG_HELLO, &id, sizeof(id));
	hear_one(server, &config, &heard, 4029);
	give_candidate(&room, 4031);
	hear_both(server, &config, &heard, 4029, 4031);
	give_candidate(&room, 4032);
	hear_both(server, &config, &heard, 4029, 4032);
	udp_expect_closed(4031);
	answer_to(server, &config, &heard, 4029, 3);
	hear_one(server, &config, &heard, 4029);
	udp_expect_closed(4032);
	goes_by(server, &config, &heard, tun, 4029);

	/* A session that follows, and a candidate from the time between: both say hello. */
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 0);
	udp_drain(server);
	heard = (struct heard){0};
	give_candidate(&room, 4033);
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 0);
	hear_both(server, &config, &heard, 4029, 4033);
	close(server);
	close(tun);
	room_stop(&room, 0);
	udp_room_port = PORT;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_says_hello),
		cmocka_unit_test(a_proof_is_given),
		cmocka_unit_test(another_port),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	room_network = network_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
