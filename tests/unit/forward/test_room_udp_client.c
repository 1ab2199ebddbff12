/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's room over UDP: hellos and answers. */
#include "udp.h"

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

	assert_in_range(second.clock - hello.clock, 500, 5000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_says_hello),
		cmocka_unit_test(a_proof_is_given),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	room_network = network_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
