/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many paths of protocol 41 that are watched at once, with a clock that stands still until it is
 * moved, and a network that is only counted.
 */
#include "packets.h"

#include "base/log.h"
#include "forward/echo.h"
#include "forward/keepalive.h"
#include "forward/plane_session.h"
#include "forward/wheel.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 20000 };

static struct {
	uint64_t now; /* microseconds */
	struct event_base *base;
	struct event *timer; /* NULL: none waits */
	uint64_t due;
	struct plane plane;
	/* what was sent, and said */
	unsigned int sent, dead, alive;
	unsigned int largest; /* of the bursts */
	uint8_t last[ECHO_SIZE];
	struct session *sessions[MANY];
	bool answers; /* each of these, at once */
	bool loops;   /* the timer waits in the loop, and is due at once */
} world;

uint64_t __wrap_clock_us(void);
void __wrap_loop_add(struct event *event, const struct timeval *after);
void __wrap_outbound_own(struct plane *plane, struct session *session, struct in_addr source,
			 const uint8_t *data, size_t len);

static void answer(struct session *session, const char *from, enum drop_reason drop);

uint64_t __wrap_clock_us(void)
{
	return world.now;
}

void __wrap_loop_add(struct event *event, const struct timeval *after)
{
	const struct timeval now = {0};

	if (world.loops) {
		assert_int_equal(event_add(event, &now), 0);
		return;
	}
	world.timer = event;
	world.due = world.now + (uint64_t)after->tv_sec * 1000000 + (uint64_t)after->tv_usec;
}

void __wrap_outbound_own(struct plane *plane, struct session *session, struct in_addr source,
			 const uint8_t *data, size_t len)
{
	assert_ptr_equal(plane, &world.plane);
	assert_int_equal(source.s_addr, session_config(session)->local.s_addr);
	assert_int_equal(len, ECHO_SIZE);
	memcpy(world.last, data, len);
	world.sent++;
	if (world.answers)
		answer(world.sessions[session_config(session)->id], "fe80::2", DROP_NONE);
}

static void on_path(const struct session *session, bool alive, void *arg)
{
	(void)session;
	(void)arg;
	if (alive)
		world.alive++;
	else
		world.dead++;
}

static int begin(void **state)
{
	static const struct plane_reports reports = {.path = on_path};
	const struct forward_config config = {.server = true, .sessions_max = MANY};

	(void)state;
	memset(&world, 0, sizeof(world));
	world.now = 1000000000;
	world.base = event_base_new();
	assert_non_null(world.base);
	assert_int_equal(plane_open(&world.plane, &config, world.base, &reports, NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	plane_close(&world.plane);
	event_base_free(world.base);
	return 0;
}

static void pass(uint64_t ms)
{
	uint64_t until = world.now + ms * 1000;

	while (world.timer && world.due <= until) {
		struct event *timer = world.timer;
		unsigned int before = world.sent;

		if (world.due > world.now)
			world.now = world.due;
		world.timer = NULL;
		event_active(timer, EV_TIMEOUT, 1);
		assert_int_equal(event_base_loop(world.base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
		if (world.sent - before > world.largest)
			world.largest = world.sent - before;
	}
	world.now = until;
}

static struct keepalive *keepalive_of(struct session *session)
{
	return session_plane(session)->keepalive;
}

static struct session *unheard_with(uint32_t id, uint32_t answers)
{
	struct forward_session config = packet_session();
	struct session *session;

	config.id = id;
	config.peer.s_addr = htonl(0x0a000000 + id);
	config.near = packet_address("fe80::198.51.100.2");
	config.answers = answers;
	assert_int_equal(table_add(world.plane.table, &config, &session), 0);
	session_plane(session)->keepalive = keepalive_new(world.plane.keepers, session);
	assert_non_null(keepalive_of(session));
	return session;
}

static struct session *unheard(uint32_t id)
{
	return unheard_with(id, 0);
}

static struct session *watched(uint32_t id)
{
	struct session *session = unheard(id);

	keepalive_hurry(keepalive_of(session));
	return session;
}

static void forget(struct session *session)
{
	keepalive_free(keepalive_of(session));
	table_remove(world.plane.table, session);
}

static bool arrives(struct session *session, const uint8_t *packet, size_t len,
		    enum drop_reason drop)
{
	struct decap decap = {.drop = drop, .session = session};

	assert_int_equal(inner_parse(packet, len, &decap.inner), DROP_NONE);
	return keepalive_takes(&decap, world.now / 1000);
}

/* Something of the session's own, which is none of our business. */
static void data(struct session *session)
{
	uint8_t packet[ECHO_SIZE];

	packet_fill(packet, sizeof(packet));
	assert_false(arrives(session, packet, sizeof(packet), DROP_NONE));
}

/* The last request is answered, from that address. */
static void answer(struct session *session, const char *from, enum drop_reason drop)
{
	const struct in6_addr source = packet_address(from);
	uint8_t packet[ECHO_SIZE];
	uint16_t check;

	assert_int_equal(world.last[40], 128);
	memcpy(packet, world.last, sizeof(packet));
	memcpy(packet + 8, &source, 16);
	memcpy(packet + 24, world.last + 8, 16);
	packet[40] = 129;
	packet[42] = packet[43] = 0;
	check = packet_checksum(packet, 58, 40, sizeof(packet));
	packet[42] = (uint8_t)(check >> 8);
	packet[43] = (uint8_t)check;
	assert_true(arrives(session, packet, sizeof(packet), drop));
}

/*
 * A server that spoke first would make a NAT take the tunnel for its own, and shut the client out.
 * So it waits for the first packet; and leaves a dead path to the client.
 */
static void spoken_to(void **state)
{
	struct session *session = unheard(0);
	unsigned int before;

	(void)state;
	keepalive_packet_out(keepalive_of(session));
	pass(100000);
	assert_int_equal(world.sent, 0);
	data(session);
	pass(WHEEL_TICK);
	assert_int_equal(world.sent, 1);
	answer(session, "fe80::2", DROP_NONE);
	pass(60000 + 2 * WHEEL_TICK);
	assert_int_equal(world.dead, 1);
	before = world.sent;
	pass(1000000);
	assert_int_equal(world.sent, before);
	data(session);
	pass(20000 + WHEEL_TICK);
	assert_true(world.sent > before);
	forget(session);
}

static void lives_and_dies(void **state)
{
	struct session *session = watched(0);

	(void)state;
	pass(WHEEL_TICK);
	assert_int_equal(world.sent, 1);
	/* Some other system's own address on the link; the server would not let it pass. */
	answer(session, "fe80::1", DROP_SRC_INGRESS);
	assert_int_equal(world.alive, 1);
	pass(19000);
	assert_int_equal(world.sent, 1);
	pass(1000 + WHEEL_TICK);
	assert_int_equal(world.sent, 2);
	answer(session, "fe80::1", DROP_NONE);
	assert_int_equal(world.alive, 1);
	pass(59000);
	assert_int_equal(world.dead, 0);
	pass(1000 + 2 * WHEEL_TICK);
	assert_int_equal(world.dead, 1);
	/* What is dropped for other reasons does not count. */
	uint8_t packet[ECHO_SIZE];

	pass(60000);
	packet_fill(packet, sizeof(packet));
	assert_false(arrives(session, packet, sizeof(packet), DROP_SRC_INGRESS));
	assert_int_equal(world.alive, 1);
	data(session);
	assert_int_equal(world.alive, 2);
	assert_int_equal(world.dead, 1);
	forget(session);
}

/*
 * A request of the peer's is answered, and shows nothing but that the peer would answer as well;
 * too many are left to the kernel.
 */
static void measured(void **state)
{
	struct session *session = unheard(0);
	const struct session_counters *counters = plane_counters(&world.plane, session);
	uint8_t earlier[ECHO_SIZE];
	uint8_t latest[ECHO_SIZE];

	(void)state;
	keepalive_hurry(keepalive_of(session));
	pass(0);
	world.now += 12345;
	assert_int_equal(counters->heard_us, 0);
	answer(session, "fe80::2", DROP_NONE);
	assert_int_equal(counters->rtt_us, 12345);
	assert_int_equal(counters->heard_us, world.now);
	/* The same one again comes from nowhere. */
	world.now += 1000;
	answer(session, "fe80::2", DROP_NONE);
	assert_int_equal(counters->rtt_us, 12345);
	assert_int_equal(counters->heard_us, world.now);
	/* An answer to an earlier request says that the other end is there, and no time. */
	keepalive_hurry(keepalive_of(session));
	pass(WHEEL_TICK);
	memcpy(earlier, world.last, sizeof(earlier));
	pass(5000);
	memcpy(latest, world.last, sizeof(latest));
	assert_memory_not_equal(earlier, latest, sizeof(latest));
	memcpy(world.last, earlier, sizeof(earlier));
	answer(session, "fe80::2", DROP_NONE);
	assert_int_equal(counters->rtt_us, 12345);
	assert_int_equal(counters->heard_us, world.now);
	memcpy(world.last, latest, sizeof(latest));
	world.now += 7;
	answer(session, "fe80::2", DROP_NONE);
	assert_in_range(counters->rtt_us, 7, 5000007);
	assert_int_not_equal(counters->rtt_us, 12345);
	forget(session);
}

static void requests_of_the_peer(void **state)
{
	struct session *session = watched(0);
	const struct in6_addr near = session_config(session)->near;
	const struct in6_addr far = packet_address("fe80::2");
	struct echo theirs;
	uint8_t packet[ECHO_SIZE];
	unsigned int answered = 0;

	(void)state;
	pass(WHEEL_TICK);
	echo_begin(&theirs, &far, &near);
	/* The path from us to there is dead, and the other end asks and asks. */
	for (int i = 0; i < 20; i++) {
		pass(3000);
		echo_request(&theirs, packet);
		assert_true(arrives(session, packet, sizeof(packet), DROP_NONE));
		assert_int_equal(world.last[40], 129);
		/* Nobody whose packets are dropped is answered. */
		assert_false(arrives(session, packet, sizeof(packet), DROP_SRC_INGRESS));
	}
	pass(1000);
	assert_int_equal(world.dead, 1);
	assert_int_equal(world.alive, 0);
	for (int i = 0; i < 100; i++) {
		echo_request(&theirs, packet);
		answered += arrives(session, packet, sizeof(packet), DROP_NONE);
	}
	assert_int_equal(answered, 10);
	forget(session);
}

/* One that has answered in an earlier session is missed from the beginning. */
static void known_to_answer(void **state)
{
	(void)state;
	for (uint32_t answers = 0; answers <= 1; answers++) {
		struct session *session = unheard_with(0, answers);

		keepalive_hurry(keepalive_of(session));
		pass(60000 + 2 * WHEEL_TICK);
		assert_int_equal(world.dead, answers);
		data(session);
		assert_int_equal(world.alive, answers);
		forget(session);
	}
}

static void lonely_packets(void **state)
{
	struct session *session = watched(0);

	(void)state;
	keepalive_packet_out(keepalive_of(session));
	pass(WHEEL_TICK);
	answer(session, "fe80::2", DROP_NONE);
	pass(3000);
	keepalive_packet_out(keepalive_of(session));
	pass(4900);
	assert_int_equal(world.sent, 1);
	pass(100 + WHEEL_TICK);
	assert_int_equal(world.sent, 2);
	forget(session);
}

/* It was asked seldom, and is watched like any other once it answers, or asks. */
static void answers_late(void **state)
{
	(void)state;
	for (int by_asking = 0; by_asking <= 1; by_asking++) {
		struct session *session = watched(0);
		unsigned int before;

		pass(10000);
		if (by_asking) {
			struct echo theirs;
			uint8_t packet[ECHO_SIZE];

			echo_begin(&theirs, &session_config(session)->near,
				   &session_config(session)->near);
			echo_request(&theirs, packet);
			assert_true(arrives(session, packet, sizeof(packet), DROP_NONE));
		} else {
			answer(session, "fe80::2", DROP_NONE);
		}
		before = world.sent;
		pass(20000 + WHEEL_TICK);
		assert_true(world.sent > before);
		forget(session);
	}
}

/* Those who come later do not put off what is due of others. */
static void others_come(void **state)
{
	(void)state;
	world.answers = true;
	for (uint32_t i = 0; i < 3; i++) {
		world.sessions[i] = watched(i);
		pass(6900);
	}
	/* Each at once, and the first again after 20 s. */
	assert_int_equal(world.sent, 3 + 1);
	for (uint32_t i = 0; i < 3; i++)
		forget(world.sessions[i]);
}

/* The machine has slept, and libevent's clock has stood still: asked at once, and not called dead.
 */
static void asleep(void **state)
{
	struct session *session = watched(0);
	unsigned int before;

	(void)state;
	pass(WHEEL_TICK);
	answer(session, "fe80::2", DROP_NONE);
	pass(15000);
	world.now += UINT64_C(3600000000);
	world.due += UINT64_C(3600000000);
	before = world.sent;
	keepalive_hurry(keepalive_of(session));
	pass(WHEEL_TICK);
	assert_int_equal(world.sent - before, 1);
	pass(59000);
	assert_int_equal(world.dead, 0);
	pass(2000);
	assert_int_equal(world.dead, 1);
	forget(session);
}

static void on_packets(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	data(session);
	keepalive_packet_out(keepalive_of(session));
}

/* Whatever the load: packets that are always there, both ways, do not keep the timer waiting. */
static void under_load(void **state)
{
	struct event *packets;
	struct session *session;
	int pipe_fds[2];

	(void)state;
	world.loops = true;
	session = watched(0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	packets = event_new(world.base, pipe_fds[0], EV_READ | EV_PERSIST, on_packets, session);
	assert_non_null(packets);
	assert_int_equal(event_add(packets, NULL), 0);
	world.now += UINT64_C(2000) * WHEEL_TICK;
	for (int turns = 0; turns < 100; turns++)
		assert_int_equal(event_base_loop(world.base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
	assert_int_equal(world.sent, 1);
	event_free(packets);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	forget(session);
}

/* As many as a server has: what is idle costs the same at any moment. */
static void many(void **state)
{
	unsigned int before;

	(void)state;
	world.answers = true;
	for (uint32_t i = 0; i < MANY; i++) {
		world.sessions[i] = watched(i);
		pass(1);
	}
	pass(20000);
	assert_int_equal(world.alive, MANY);
	before = world.sent;
	world.largest = 0;
	pass(40000);
	assert_in_range(world.sent - before, 2 * MANY - 100, 2 * MANY + 100);
	assert_in_range(world.largest, 1, 2 * WHEEL_TICK);

	/* Stopped for an hour, nothing is missed; nor is all said at once afterwards. */
	world.answers = false;
	world.now += UINT64_C(3600000000);
	world.largest = 0;
	pass(59000);
	assert_int_equal(world.dead, 0);
	assert_in_range(world.largest, 1, 256);
	pass(5000);
	assert_int_equal(world.dead, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		forget(world.sessions[i]);
	world.timer = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(spoken_to, begin, end),
		cmocka_unit_test_setup_teardown(lives_and_dies, begin, end),
		cmocka_unit_test_setup_teardown(measured, begin, end),
		cmocka_unit_test_setup_teardown(requests_of_the_peer, begin, end),
		cmocka_unit_test_setup_teardown(known_to_answer, begin, end),
		cmocka_unit_test_setup_teardown(lonely_packets, begin, end),
		cmocka_unit_test_setup_teardown(answers_late, begin, end),
		cmocka_unit_test_setup_teardown(others_come, begin, end),
		cmocka_unit_test_setup_teardown(asleep, begin, end),
		cmocka_unit_test_setup_teardown(under_load, begin, end),
		cmocka_unit_test_setup_teardown(many, begin, end),
	};

	log_init("test", "forward", false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
