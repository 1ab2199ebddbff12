/* SPDX-License-Identifier: BSD-2-Clause */
/* Trials of a path: what is sent, and what counts as an answer to it. */
#include "packets.h"

#include "forward/checksum.h"
#include "forward/plane_session.h"
#include "forward/trial.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <string.h>

#define OWN    "2001:db8:100:100::1"
#define TARGET "2001:db8:ffff::1"

static struct {
	uint64_t now; /* microseconds */
	struct event_base *base;
	struct event *timer;
	uint64_t due;
	struct plane plane;
	struct session *session;
	struct trial *trial;
	/* the last packet */
	unsigned int sent;
	uint8_t packet[FORWARD_MTU_MAX];
	size_t len;
	bool df;
	/* the last result */
	unsigned int results;
	struct forward_result result;
} world;

uint64_t __wrap_clock_us(void);
void __wrap_loop_add(struct event *event, const struct timeval *after);
void __wrap_outbound_own_df(struct plane *plane, struct outer *outer, struct session *session,
			    struct in_addr source, bool df, const uint8_t *data, size_t len);

uint64_t __wrap_clock_us(void)
{
	return world.now;
}

void __wrap_loop_add(struct event *event, const struct timeval *after)
{
	world.timer = event;
	world.due = world.now + (uint64_t)after->tv_sec * 1000000 + (uint64_t)after->tv_usec;
}

void __wrap_outbound_own_df(struct plane *plane, struct outer *outer, struct session *session,
			    struct in_addr source, bool df, const uint8_t *data, size_t len)
{
	assert_ptr_equal(plane, &world.plane);
	assert_null(outer);
	assert_int_equal(source.s_addr, session_config(session)->local.s_addr);
	assert_ptr_equal(session, world.session);
	assert_true(len <= sizeof(world.packet));
	memcpy(world.packet, data, len);
	world.len = len;
	world.df = df;
	world.sent++;
}

static void on_result(const struct forward_result *result, void *arg)
{
	(void)arg;
	world.result = *result;
	world.results++;
}

static int begin(void **state)
{
	static const struct plane_reports reports = {.result = on_result};
	const struct forward_config config = {.server = false, .sessions_max = 2};
	struct forward_session session = packet_session();

	(void)state;
	memset(&world, 0, sizeof(world));
	world.now = 1000000000;
	world.base = event_base_new();
	assert_non_null(world.base);
	assert_int_equal(plane_open(&world.plane, &config, world.base, &reports, NULL), 0);
	assert_int_equal(table_add(world.plane.table, &session, &world.session), 0);
	world.trial = trial_new(&world.plane, world.session);
	assert_non_null(world.trial);
	return 0;
}

static int end(void **state)
{
	(void)state;
	trial_free(world.trial);
	plane_close(&world.plane);
	event_base_free(world.base);
	return 0;
}

static void ask(uint32_t number, uint32_t size, bool df)
{
	const struct forward_trial request = {
		.id = 1,
		.number = number,
		.source = packet_address(OWN),
		.target = packet_address(TARGET),
		.size = size,
		.df = df,
	};

	trial_begin(world.trial, &request);
}

/* What the far end makes of the request: an answer with len octets of ICMPv6. */
static size_t answer(uint8_t *out, size_t len)
{
	memcpy(out, world.packet, INNER_HEADER + len);
	memcpy(out + 8, world.packet + 24, 16);
	memcpy(out + 24, world.packet + 8, 16);
	out[4] = (uint8_t)(len >> 8);
	out[5] = (uint8_t)len;
	out[INNER_HEADER] = 129;
	return INNER_HEADER + len;
}

static bool takes(const uint8_t *packet, size_t len)
{
	struct inner inner;

	assert_int_equal(inner_parse(packet, len, &inner), DROP_NONE);
	return trial_takes(world.trial, &inner);
}

static void expect(uint32_t number, enum forward_result_what what)
{
	assert_int_equal(world.results, 1);
	assert_int_equal(world.result.id, 1);
	assert_int_equal(world.result.number, number);
	assert_int_equal(world.result.what, what);
	world.results = 0;
}

static void test_request(void **state)
{
	const struct in6_addr own = packet_address(OWN);
	const struct in6_addr target = packet_address(TARGET);

	(void)state;
	ask(7, 1400, true);
	assert_int_equal(world.sent, 1);
	assert_int_equal(world.len, 1400);
	assert_true(world.df);
	/* IPv6, 1360 octets of ICMPv6, 64 hops */
	assert_memory_equal(world.packet, "\x60\0\0\0\x05\x50\x3a\x40", 8);
	assert_memory_equal(world.packet + 8, &own, 16);
	assert_memory_equal(world.packet + 24, &target, 16);
	assert_int_equal(world.packet[40], 128);
	assert_int_equal(packet_checksum(world.packet, IPPROTO_ICMPV6, INNER_HEADER, 1400), 0);
	assert_int_equal(world.results, 0);
}

static void test_answer(void **state)
{
	uint8_t packet[FORWARD_MTU_MAX];
	size_t len;

	(void)state;
	ask(7, 128, false);
	assert_false(world.df);
	len = answer(packet, 88);
	/* Of another request, or for somebody else, or no answer. */
	packet[44]++;
	assert_false(takes(packet, len));
	packet[44]--;
	packet[60]++;
	assert_false(takes(packet, len));
	packet[60]--;
	packet[39]++;
	assert_false(takes(packet, len));
	packet[39]--;
	packet[40] = 128;
	assert_false(takes(packet, len));
	packet[40] = 129;
	packet[5] = 20;
	assert_false(takes(packet, len));
	packet[5] = 88;
	world.now += 2500;
	assert_true(takes(packet, len));
	expect(7, FORWARD_RESULT_ANSWER);
	assert_int_equal(world.result.rtt_us, 2500);
	assert_int_equal(plane_counters(&world.plane, world.session)->probes, 1);
	/* Once. */
	assert_false(takes(packet, len));
	assert_int_equal(world.results, 0);
}

/* A large answer comes in fragments through a smaller tunnel: the first shows that it came. */
static void test_answer_in_fragments(void **state)
{
	uint8_t whole[FORWARD_MTU_MAX];
	uint8_t packet[FORWARD_MTU_MAX] = {0};

	(void)state;
	ask(7, 1480, true);
	(void)answer(whole, 1440);
	memcpy(packet, whole, INNER_HEADER);
	/* Next header 44; fragment header: ICMPv6, offset 0, more follow. */
	packet[6] = 44;
	packet[40] = 58;
	packet[43] = 1;
	memcpy(packet + 48, whole + 40, 1000);
	packet[4] = 1008 >> 8;
	packet[5] = 1008 & 0xff;
	/* The second one has no beginning. */
	packet[42] = 1;
	assert_false(takes(packet, 1048));
	packet[42] = 0;
	assert_true(takes(packet, 1048));
	expect(7, FORWARD_RESULT_ANSWER);
}

/* What others say about the request, which they quote. */
static void test_error(void **state)
{
	const struct in6_addr router = packet_address("2001:db8:aaaa::1");
	uint8_t packet[256] = {0};

	(void)state;
	ask(7, 128, false);
	(void)answer(packet, 88);
	memcpy(packet + 8, &router, 16);
	packet[5] = 8 + 128;
	/* Destination unreachable, no route; then the packet, one hop on. */
	memcpy(packet + 40, "\1\0\0\0\0\0\0\0", 8);
	memcpy(packet + 48, world.packet, 128);
	packet[48 + 7]--;
	packet[48 + 70]++;
	assert_true(takes(packet, 40 + 8 + 128));
	expect(7, FORWARD_RESULT_ERROR);
	assert_int_equal(world.result.why, FORWARD_ERROR_NO_ROUTE);
	assert_memory_equal(&world.result.from, &router, 16);
	/* About another packet; too short to tell. */
	ask(8, 128, false);
	memcpy(packet + 48, world.packet, 128);
	packet[48 + 50]++;
	assert_false(takes(packet, 40 + 8 + 128));
	packet[48 + 50]--;
	packet[5] = 8 + 63;
	assert_false(takes(packet, 40 + 8 + 63));
	packet[5] = 8 + 64;
	assert_true(takes(packet, 40 + 8 + 64));
	assert_int_equal(world.result.why, FORWARD_ERROR_NO_ROUTE);
	/* Forbidden; hop limit exceeded; packet too big. */
	static const struct {
		uint8_t type, code;
		enum forward_error why;
	} errors[] = {{1, 1, FORWARD_ERROR_FORBIDDEN},
		      {1, 3, FORWARD_ERROR_ADDRESS},
		      {1, 4, FORWARD_ERROR_OTHER},
		      {3, 0, FORWARD_ERROR_HOPS},
		      {2, 0, FORWARD_ERROR_OTHER}};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		ask(9, 128, false);
		memcpy(packet + 48, world.packet, 128);
		packet[40] = errors[i].type;
		packet[41] = errors[i].code;
		assert_true(takes(packet, 40 + 8 + 64));
		assert_int_equal(world.result.why, errors[i].why);
	}
}

static void test_silence(void **state)
{
	(void)state;
	ask(7, 128, false);
	assert_int_equal(world.due - world.now, 1000000);
	event_active(world.timer, EV_TIMEOUT, 1);
	assert_int_equal(event_base_loop(world.base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
	expect(7, FORWARD_RESULT_SILENCE);
	assert_int_equal(world.result.path_mtu, 0);
}

static void test_too_big(void **state)
{
	(void)state;
	/* Only of what may not be cut. */
	ask(7, 1400, false);
	trial_too_big(world.trial);
	assert_int_equal(world.results, 0);
	ask(8, 1400, true);
	table_lower_pmtu(world.plane.table, world.session, 1300, world.now / 1000);
	trial_too_big(world.trial);
	expect(8, FORWARD_RESULT_TOO_BIG);
	assert_int_equal(world.result.path_mtu, 1300);
	trial_too_big(world.trial);
	assert_int_equal(world.results, 0);
}

/* Whoever has taken control over floods nobody with it. */
static void test_rate(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		ask(i, 128, false);
	assert_int_equal(world.sent, TRIAL_RATE);
	world.now += 1000000;
	for (uint32_t i = 0; i < 1000; i++)
		ask(i, 128, false);
	assert_int_equal(world.sent, 2 * TRIAL_RATE);
}

static void test_valid(void **state)
{
	struct forward_session config = packet_session();
	const struct forward_trial good = {
		.source = packet_address(OWN), .target = packet_address(TARGET), .size = 128};
	struct forward_trial trial = good;

	(void)state;
	config.own_sources = 1;
	config.transport = FORWARD_PROTO41;
	assert_true(forward_trial_valid(&trial, &config));
	trial.size = FORWARD_TRIAL_MIN - 1;
	assert_false(forward_trial_valid(&trial, &config));
	trial.size = 1480;
	assert_true(forward_trial_valid(&trial, &config));
	trial.size = 1481;
	assert_false(forward_trial_valid(&trial, &config));
	trial.size = 1473;
	config.transport = FORWARD_UDP;
	assert_false(forward_trial_valid(&trial, &config));
	trial = good;
	trial.df = 2;
	assert_false(forward_trial_valid(&trial, &config));
	trial = good;
	trial.source = packet_address(TARGET);
	assert_false(forward_trial_valid(&trial, &config));
	/* A bare link, whose addresses only others know. */
	config.own_sources = 0;
	assert_true(forward_trial_valid(&trial, &config));
	trial.source = packet_address("fe80::1");
	config.own_sources = 1;
	assert_true(forward_trial_valid(&trial, &config));
	trial.source = packet_address("ff02::1");
	assert_false(forward_trial_valid(&trial, &config));
	trial.source = packet_address("::");
	assert_false(forward_trial_valid(&trial, &config));
	trial.source = packet_address("::1");
	assert_false(forward_trial_valid(&trial, &config));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request, begin, end),
		cmocka_unit_test_setup_teardown(test_answer, begin, end),
		cmocka_unit_test_setup_teardown(test_answer_in_fragments, begin, end),
		cmocka_unit_test_setup_teardown(test_error, begin, end),
		cmocka_unit_test_setup_teardown(test_silence, begin, end),
		cmocka_unit_test_setup_teardown(test_too_big, begin, end),
		cmocka_unit_test_setup_teardown(test_rate, begin, end),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests_name("forward trial", tests, NULL, NULL);
}
