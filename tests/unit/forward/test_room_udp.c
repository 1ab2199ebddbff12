/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's room over UDP. */
#include "udp.h"

#include "base/log.h"
#include "proto/probe.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void expect_learned(struct room *room, uint32_t id, const char *address, uint16_t port)
{
	struct sockaddr_in there = udp_address(address, port);
	struct room_answer answer = room_expect(room, FORWARD_MSG_LEARNED, id);

	assert_int_equal(answer.value, port);
	assert_int_equal(answer.peer.s_addr, there.sin_addr.s_addr);
}

static void a_client_is_learned_and_roams(void **state)
{
	const struct forward_session config = udp_session(1, 0);
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");

	int tun = give_device(&room, 0);

	/* Protocol 41 is no help: it is up when its own socket is there. */
	give_raw(&room);
	room_add(&room, &config);
	to_control(&room, FORWARD_MSG_REMOVE, &(struct forward_id){7}, sizeof(struct forward_id));
	room_expect(&room, FORWARD_MSG_REMOVED, 7);
	give_udp(&room);
	room_expect(&room, FORWARD_MSG_ADDED, 1);

	/* Nobody knows where it is yet. */
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	tun_expect_icmp6(tun, 1, 3, 0);

	int home = udp_open("192.0.2.2", 5000);

	udp_send_hex(home, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 1);
	probe_send(home, &config, PROBE_HELLO, 1, 1234);
	expect_learned(&room, 1, "192.0.2.2", 5000);

	struct probe answer = probe_expect(home, &config, PROBE_ANSWER);

	assert_int_equal(answer.clock, 1234);
	assert_int_equal(answer.counter, 1);
	udp_send_hex(home, HEAD_ECHO SITE FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO SITE FAR ECHO);
	tun_send_hex(tun, "6b800000 0008 3a 40" FAR SITE ECHO);
	udp_expect_hex(home, 0xb8, "6b800000 0008 3a 40" FAR SITE ECHO);

	/* A hello that moves nothing is answered, and not told. Another address is. */
	probe_send(home, &config, PROBE_HELLO, 2, 5);
	assert_int_equal(probe_expect(home, &config, PROBE_ANSWER).counter, 2);

	int away = udp_open("192.0.2.3", 0);

	udp_send_hex(away, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 2);
	probe_send(away, &config, PROBE_HELLO, 3, 6);
	expect_learned(&room, 1, "192.0.2.3", udp_port(away));
	(void)probe_expect(away, &config, PROBE_ANSWER);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	udp_expect_hex(away, 0, HEAD_ECHO FAR SITE ECHO);
	udp_send_hex(home, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 3);
	udp_expect_nothing(home);
	expect_count(&room.counters->session[1].out_packets, 2);
	assert_int_equal(room.counters->session[1].probes, 3);
	assert_int_equal(room.counters->session[1].in_packets, 1);
	close(home);
	close(away);
	close(tun);
	room_stop(&room, 0);
}

static void forgeries_change_nothing(void **state)
{
	const struct forward_session config = udp_session(1, 0);
	struct forward_session stranger = udp_session(2, 0);
	const struct probe probe = {.type = PROBE_HELLO, .session = config.session, .counter = 10};
	uint8_t octets[PROBE_SIZE + 1] = {0};
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	int tun = give_device(&room, 0);
	int good = udp_open("192.0.2.2", 5000);
	int bad = udp_open("192.0.2.3", 5000);
	const uint64_t *drops = room.counters->drops;

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	assert_true(probe_write(&probe, config.key, octets));
	udp_send(good, octets, PROBE_SIZE);
	expect_learned(&room, 1, "192.0.2.2", 5000);
	(void)probe_expect(good, &config, PROBE_ANSWER);

	udp_send(bad, octets, PROBE_SIZE);
	expect_count(&drops[DROP_PROBE_OLD], 1);
	probe_send(bad, &config, PROBE_HELLO, 9, 1);
	expect_count(&drops[DROP_PROBE_OLD], 2);
	octets[23]++;
	udp_send(bad, octets, PROBE_SIZE);
	expect_count(&drops[DROP_PROBE_CODE], 1);
	probe_send(bad, &config, PROBE_ANSWER, 11, 1);
	expect_count(&drops[DROP_PROBE_CODE], 2);
	probe_send(bad, &stranger, PROBE_HELLO, 11, 1);
	expect_count(&drops[DROP_PROBE_SESSION], 1);
	octets[23]--;
	udp_send(bad, octets, PROBE_SIZE - 1);
	expect_count(&drops[DROP_UDP_MALFORMED], 1);
	udp_send(bad, octets, PROBE_SIZE + 1);
	expect_count(&drops[DROP_UDP_MALFORMED], 2);
	udp_send(bad, octets, 0);
	expect_count(&drops[DROP_UDP_MALFORMED], 3);
	udp_send_hex(bad, HEAD_ECHO SITE FAR ECHO);
	expect_count(&drops[DROP_OUTER_PEER], 1);

	/* Nobody was answered, and the session is where it was. */
	udp_expect_nothing(bad);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	udp_expect_hex(good, 0, HEAD_ECHO FAR SITE ECHO);
	assert_int_equal(room.counters->session[1].probes, 1);
	assert_int_equal(room.counters->session[1].dropped, 0);
	probe_send(good, &config, PROBE_HELLO, 11, 1);
	assert_int_equal(probe_expect(good, &config, PROBE_ANSWER).counter, 2);
	close(good);
	close(bad);
	close(tun);
	room_stop(&room, 0);
}

/* Each move counts at once, but control, and so the log, is spared most of a flood of them. */
static void a_client_that_moves_all_the_time(void **state)
{
	const struct forward_session config = udp_session(1, 0);
	struct timespec begin, end;
	struct room room;
	int64_t reports = 0;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	int tun = give_device(&room, 0);
	int places[2] = {udp_open("192.0.2.2", 5000), udp_open("192.0.2.3", 5000)};

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (uint64_t i = 1; i <= 40; i++) {
		probe_send(places[i % 2], &config, PROBE_HELLO, i, 0);
		assert_int_equal(probe_expect(places[i % 2], &config, PROBE_ANSWER).counter, i);
		tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
		udp_expect_hex(places[i % 2], 0, HEAD_ECHO FAR SITE ECHO);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	to_control(&room, FORWARD_MSG_REMOVE, &(struct forward_id){1}, sizeof(struct forward_id));
	while (room_next(&room).type == FORWARD_MSG_LEARNED)
		reports++;
	assert_in_range(reports, 5, 5 + 5 * (end.tv_sec - begin.tv_sec + 1));
	close(places[0]);
	close(places[1]);
	close(tun);
	room_stop(&room, 0);
}

/* A place that may have been forged gets three times what it sent, until it has proven itself. */
static void a_place_without_proof(void **state)
{
	const struct forward_session config = udp_session(1, 0);
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	const uint64_t *unproven = &room.counters->drops[DROP_UNPROVEN];
	int tun = give_device(&room, 0);
	int home = udp_open("192.0.2.2", 5000);
	int away = udp_open("192.0.2.3", 5000);

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	probe_send(home, &config, PROBE_HELLO, 1, 0);
	expect_learned(&room, 1, "192.0.2.2", 5000);
	assert_int_equal(probe_expect(home, &config, PROBE_ANSWER).proof, 0);
	probe_send(away, &config, PROBE_HELLO, 2, 0);
	expect_learned(&room, 1, "192.0.2.3", 5000);

	uint32_t number = probe_expect(away, &config, PROBE_ANSWER).proof;

	assert_int_not_equal(number, 0);
	/* 3 * 40 octets, less 40 for the answer: one of 48, but no second one. */
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	expect_count(unproven, 1);
	udp_expect_hex(away, 0, HEAD_ECHO FAR SITE ECHO);
	/* Whatever comes from there counts: 3 * 48 and 32 left. */
	udp_send_hex(away, HEAD_ECHO SITE FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO SITE FAR ECHO);
	for (int i = 0; i < 4; i++)
		tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	expect_count(unproven, 2);
	for (int i = 0; i < 3; i++)
		udp_expect_hex(away, 0, HEAD_ECHO FAR SITE ECHO);
	assert_int_equal(room.counters->session[1].dropped, 2);
	/* The proof, and no limit any more. */
	probe_send_proof(away, &config, PROBE_HELLO, 3, 0, number);
	assert_int_equal(probe_expect(away, &config, PROBE_ANSWER).proof, 0);
	for (int i = 0; i < 20; i++) {
		tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
		udp_expect_hex(away, 0, HEAD_ECHO FAR SITE ECHO);
	}
	assert_int_equal(*unproven, 2);
	udp_expect_nothing(home);
	close(home);
	close(away);
	close(tun);
	room_stop(&room, 0);
}

static void several_at_one_address(void **state)
{
	const struct forward_session raw_config = room_session(1, "192.0.2.2");
	const struct forward_session named = udp_session(2, 5002);
	const struct forward_session again = udp_session(3, 5002);
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);
	give_raw(&room);

	int tun = give_device(&room, 0);
	int two = udp_open("192.0.2.2", 5002);
	int three = udp_open("192.0.2.2", 5003);
	uint8_t got[2048];

	room_add(&room, &raw_config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &named);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	room_add(&room, &again);
	room_expect(&room, FORWARD_MSG_ADDED, 3);

	/* A named port counts at once, also for the second. One batch for both sockets. */
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010003000000000000000002" ECHO);
	udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
	udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010003000000000000000002" ECHO);
	await(room.peer);
	assert_int_equal(recv(room.peer, got, sizeof(got), 0), 20 + 48);
	udp_send_hex(two, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	udp_send_hex(two, HEAD_ECHO "20010db8010003000000000000000001" FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010003000000000000000001" FAR ECHO);

	/* One says hello from there, which the other has never done: the place is that one's. */
	probe_send(two, &again, PROBE_HELLO, 1, 0);
	expect_learned(&room, 2, "192.0.2.2", 0);
	(void)probe_expect(two, &again, PROBE_ANSWER);
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010003000000000000000001" ECHO);
	udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010003000000000000000001" ECHO);
	probe_send(three, &named, PROBE_HELLO, 1, 0);
	expect_learned(&room, 2, "192.0.2.2", 5003);
	(void)probe_expect(three, &named, PROBE_ANSWER);
	/* Now both have: they can be in one place. */
	probe_send(two, &named, PROBE_HELLO, 2, 0);
	expect_learned(&room, 2, "192.0.2.2", 5002);
	(void)probe_expect(two, &named, PROBE_ANSWER);
	udp_send_hex(two, HEAD_ECHO "20010db8010003000000000000000001" FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010003000000000000000001" FAR ECHO);
	udp_send_hex(two, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	close(two);
	close(three);
	close(tun);
	room_stop(&room, 0);
}

/* A user's new session gets the device of the one that it replaces, which is still there. */
static void a_device_is_handed_over(void **state)
{
	struct forward_session old = udp_session(1, 5001);
	struct forward_session new = udp_session(2, 5002);
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	int tun = give_device(&room, 5);
	int there = udp_open("192.0.2.2", 5001);
	int here = udp_open("192.0.2.2", 5002);

	old.device = new.device = 5;
	old.n_prefixes = new.n_prefixes = 0;
	room_add(&room, &old);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	udp_send_hex(there, HEAD_ECHO LINK_LOCAL FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO LINK_LOCAL FAR ECHO);
	room_add(&room, &new);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	tun_send_hex(tun, HEAD_ECHO FAR LINK_LOCAL ECHO);
	udp_expect_hex(here, 0, HEAD_ECHO FAR LINK_LOCAL ECHO);
	udp_send_hex(there, HEAD_ECHO LINK_LOCAL FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO LINK_LOCAL FAR ECHO);
	to_control(&room, FORWARD_MSG_REMOVE, &(struct forward_id){1}, sizeof(struct forward_id));
	room_expect(&room, FORWARD_MSG_REMOVED, 1);
	udp_send_hex(here, HEAD_ECHO LINK_LOCAL FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO LINK_LOCAL FAR ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR LINK_LOCAL ECHO);
	udp_expect_hex(here, 0, HEAD_ECHO FAR LINK_LOCAL ECHO);
	close(there);
	close(here);
	close(tun);
	room_stop(&room, 0);
}

static void a_peer_without_probes(void **state)
{
	const struct forward_session one = udp_session(1, 0);
	const struct forward_session two = udp_session(2, 0);
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	int tun = give_device(&room, 0);
	int first = udp_open("192.0.2.2", 5001);
	int second = udp_open("192.0.2.2", 5002);
	int third = udp_open("192.0.2.3", 5001);

	room_add(&room, &one);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &two);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	udp_send_hex(first, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 1);

	/* Five seconds: they cannot be had for less, the clock is the room's. */
	struct timespec end;
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 5;
	do {
		usleep(10000);
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec <= end.tv_nsec));

	/* Two wait: the inner source tells which. Then one waits, and it is that. */
	udp_send_hex(third, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 2);
	udp_send_hex(second, HEAD_ECHO LINK_LOCAL FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 3);
	udp_send_hex(second, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	expect_learned(&room, 2, "192.0.2.2", 5002);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	udp_send_hex(first, HEAD_ECHO LINK_LOCAL FAR ECHO);
	expect_learned(&room, 1, "192.0.2.2", 5001);
	tun_expect_hex(tun, HEAD_ECHO LINK_LOCAL FAR ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	udp_expect_hex(first, 0, HEAD_ECHO FAR SITE ECHO);
	close(first);
	close(second);
	close(third);
	close(tun);
	room_stop(&room, 0);
}

/* What the network says about one peer is counted, and the others notice nothing. */
static void port_unreachable(void **state)
{
	const struct forward_session gone = udp_session(1, 5001);
	const struct forward_session here = udp_session(2, 5002);
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	int tun = give_device(&room, 0);
	int two = udp_open("192.0.2.2", 5002);

	room_add(&room, &gone);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &here);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	for (int i = 0; i < 100; i++) {
		tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
		tun_send_hex(tun, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
		udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
	}
	expect_count(&room.counters->session[2].out_packets, 100);
	assert_int_equal(room.counters->session[2].dropped, 0);
	assert_int_equal(room.counters->session[2].icmp_errors, 0);
	expect_count(&room.counters->session[1].icmp_errors, room.counters->icmp_errors);
	assert_true(room.counters->icmp_errors > 0);
	close(two);
	close(tun);
	room_stop(&room, 0);
}

static void path_mtu(void **state)
{
	struct forward_session config = udp_session(1, 5001);
	uint8_t packet[1472];
	uint8_t got[2048];
	uint8_t tos;
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.mtu = 1472;
	room_start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");
	give_udp(&room);

	int tun = give_device(&room, 0);
	int peer = udp_open("192.0.2.2", 5001);

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	packet_fill(packet, 1472);
	tun_send(tun, packet, 1472);
	assert_int_equal(udp_receive(peer, got, sizeof(got), &tos), 1472);
	/* 28 octets less than the path takes */
	set_loopback_mtu(1400);
	tun_send(tun, packet, 1472);
	tun_expect_icmp6(tun, 2, 0, 1372);
	packet_fill(packet, 1372);
	tun_send(tun, packet, 1372);
	assert_int_equal(udp_receive(peer, got, sizeof(got), &tos), 1372);
	/* Less than IPv6 needs: in pieces. */
	set_loopback_mtu(1000);
	packet_fill(packet, 1280);
	tun_send(tun, packet, 1280);
	assert_int_equal(udp_receive(peer, got, sizeof(got), &tos), 1280);
	assert_memory_equal(got, packet, 1280);
	set_loopback_mtu(65536);
	close(peer);
	close(tun);
	room_stop(&room, 0);
}

/* Others share the socket: what they are sent just then takes no report away. */
static void every_report_counts(void **state)
{
	struct forward_session large = udp_session(1, 5001);
	struct forward_session narrow = udp_session(2, 5002);
	struct forward_session raw_config = room_session(3, "192.0.2.2");
	uint8_t packet[1280];
	uint8_t got[2048];
	uint8_t tos;
	struct room room;

	(void)state;
	NEED_NETWORK();
	large.mtu = narrow.mtu = raw_config.mtu = 1472;
	raw_config.prefixes[0].addr.s6_addr[6] = 3;
	room_start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");
	give_udp(&room);
	give_raw(&room);

	int tun = give_device(&room, 0);
	int one = udp_open("192.0.2.2", 5001);
	int two = udp_open("192.0.2.2", 5002);

	room_add(&room, &large);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &narrow);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	room_add(&room, &raw_config);
	room_expect(&room, FORWARD_MSG_ADDED, 3);

	/* Its packets may be cut from now on. */
	report_too_big("192.0.2.2", 5002, 1000);
	expect_count(&room.counters->session[2].icmp_errors, 1);
	packet_fill(packet, 1280);
	packet[24 + 6] = 2;
	for (uint64_t i = 1; i <= 20; i++) {
		probe_send(two, &narrow, PROBE_HELLO, i, 0);
		(void)probe_expect(two, &narrow, PROBE_ANSWER);
		report_too_big("192.0.2.2", 5001, (uint16_t)(1420 - i));
		expect_count(&room.counters->session[1].icmp_errors, 2 * i - 1);
		tun_send(tun, packet, 1280);
		assert_int_equal(udp_receive(two, got, sizeof(got), &tos), 1280);
		report_too_big("192.0.2.2", 5001, (uint16_t)(1420 - i));
		expect_count(&room.counters->session[1].icmp_errors, 2 * i);
	}
	packet_fill(packet, 1280);
	tun_send(tun, packet, 1280);
	assert_int_equal(udp_receive(one, got, sizeof(got), &tos), 1280);
	/* The raw socket, which has never sent with DF. */
	report_too_big("192.0.2.2", 0, 1400);
	expect_count(&room.counters->session[3].icmp_errors, 1);
	close(one);
	close(two);
	close(tun);
	room_stop(&room, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_handed_over),
		cmocka_unit_test(a_client_is_learned_and_roams),
		cmocka_unit_test(forgeries_change_nothing),
		cmocka_unit_test(a_client_that_moves_all_the_time),
		cmocka_unit_test(a_place_without_proof),
		cmocka_unit_test(several_at_one_address),
		cmocka_unit_test(a_peer_without_probes),
		cmocka_unit_test(port_unreachable),
		cmocka_unit_test(path_mtu),
		cmocka_unit_test(every_report_counts),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	room_network = network_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
