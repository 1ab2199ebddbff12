/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room with UDP sockets on loopback. The room's socket is at 127.0.0.1 port 4028; those of the
 * test play clients and servers at other loopback addresses.
 */
#include "room.h"

#include "base/log.h"
#include "proto/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PORT	4028
#define SESSION UINT64_C(0x1122334455667788)

/* --- sockets ------------------------------------------------------------------------------ */

static struct sockaddr_in at(const char *address, uint16_t port)
{
	struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, address, &out.sin_addr), 1);
	return out;
}

static int udp_open(const char *address, uint16_t port)
{
	struct sockaddr_in here = at(address, port);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
	return fd;
}

static uint16_t udp_port(int fd)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &len), 0);
	return ntohs(here.sin_port);
}

/* To the room. */
static void udp_send(int fd, const uint8_t *data, size_t len)
{
	struct sockaddr_in there = at("127.0.0.1", PORT);

	assert_int_equal(sendto(fd, data, len, 0, (const struct sockaddr *)&there, sizeof(there)),
			 len);
}

static void udp_send_hex(int fd, const char *text)
{
	uint8_t packet[256];

	udp_send(fd, packet, packet_hex(text, packet, sizeof(packet)));
}

/* From the room, with its TOS octet. */
static size_t udp_receive(int fd, uint8_t *data, size_t size, uint8_t *tos)
{
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))];
	struct sockaddr_in from;
	struct iovec iov = {data, size};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	await(fd);

	ssize_t n = recvmsg(fd, &msg, 0);
	struct sockaddr_in room = at("127.0.0.1", PORT);

	assert_true(n >= 0);
	assert_int_equal(from.sin_addr.s_addr, room.sin_addr.s_addr);
	assert_int_equal(from.sin_port, room.sin_port);

	/* Nothing else was asked for. */
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	*tos = 0xff;
	if (cmsg)
		*tos = *CMSG_DATA(cmsg);
	return (size_t)n;
}

static void udp_expect_hex(int fd, uint8_t tos, const char *text)
{
	uint8_t want[256];
	uint8_t got[2048];
	uint8_t got_tos;
	size_t len = packet_hex(text, want, sizeof(want));

	assert_int_equal(udp_receive(fd, got, sizeof(got), &got_tos), len);
	assert_memory_equal(got, want, len);
	assert_int_equal(got_tos, tos);
}

static void udp_expect_nothing(int fd)
{
	uint8_t got;

	assert_int_equal(recv(fd, &got, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void give_udp(struct room *room)
{
	const struct forward_none none = {0};

	to_monitor(room, FORWARD_MSG_UDP, &none, sizeof(none), udp_open("0.0.0.0", PORT));
}

/* --- sessions and probes ------------------------------------------------------------------ */

/* Session id of the address 127.0.0.2, or the client's with a server there. */
static struct forward_session udp_session(uint32_t id, uint32_t port)
{
	struct forward_session config = room_session(id, "127.0.0.2");

	config.transport = FORWARD_UDP;
	config.peer_port = port;
	config.session = SESSION + id;
	memset(config.key, 0x55, sizeof(config.key));
	config.prefixes[0].addr.s6_addr[6] = (uint8_t)id;
	return config;
}

static void probe_send(int fd, const struct forward_session *config, enum probe_type type,
		       uint64_t counter, uint32_t clock)
{
	const struct probe probe = {type, clock, config->session, counter};
	uint8_t octets[PROBE_SIZE];

	assert_true(probe_write(&probe, config->key, octets));
	udp_send(fd, octets, sizeof(octets));
}

static struct probe probe_expect(int fd, const struct forward_session *config, enum probe_type type)
{
	uint8_t got[2048];
	uint8_t tos;
	struct probe probe;
	size_t len = udp_receive(fd, got, sizeof(got), &tos);

	assert_true(probe_read(got, len, &probe));
	assert_true(probe_verify(got, config->key));
	assert_int_equal(probe.type, type);
	assert_int_equal(probe.session, config->session);
	assert_int_equal(tos, 0);
	return probe;
}

static void expect_learned(struct room *room, uint32_t id, const char *address, uint16_t port)
{
	struct sockaddr_in there = at(address, port);
	struct room_answer answer = room_expect(room, FORWARD_MSG_LEARNED, id);

	assert_int_equal(answer.value, port);
	assert_int_equal(answer.peer.s_addr, there.sin_addr.s_addr);
}

/* --- the server --------------------------------------------------------------------------- */

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

	int home = udp_open("127.0.0.2", 5000);

	udp_send_hex(home, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 1);
	probe_send(home, &config, PROBE_HELLO, 1, 1234);
	expect_learned(&room, 1, "127.0.0.2", 5000);

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

	int away = udp_open("127.0.0.3", 0);

	udp_send_hex(away, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], 2);
	probe_send(away, &config, PROBE_HELLO, 3, 6);
	expect_learned(&room, 1, "127.0.0.3", udp_port(away));
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
	const struct probe probe = {PROBE_HELLO, 1, config.session, 10};
	uint8_t octets[PROBE_SIZE + 1] = {0};
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_udp(&room);

	int tun = give_device(&room, 0);
	int good = udp_open("127.0.0.2", 5000);
	int bad = udp_open("127.0.0.3", 5000);
	const uint64_t *drops = room.counters->drops;

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	assert_true(probe_write(&probe, config.key, octets));
	udp_send(good, octets, PROBE_SIZE);
	expect_learned(&room, 1, "127.0.0.2", 5000);
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

static void several_at_one_address(void **state)
{
	const struct forward_session raw_config = room_session(1, "127.0.0.2");
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
	int two = udp_open("127.0.0.2", 5002);
	int three = udp_open("127.0.0.2", 5003);
	uint8_t got[2048];

	room_add(&room, &raw_config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &named);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	room_add(&room, &again);
	room_expect(&room, FORWARD_MSG_ADDED, 3);

	/* A named port counts at once, for the first who names it. One batch for both sockets. */
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010002000000000000000002" ECHO);
	udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
	udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010002000000000000000002" ECHO);
	await(room.peer);
	assert_int_equal(recv(room.peer, got, sizeof(got), 0), 20 + 48);
	udp_send_hex(two, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);

	/* The other one says hello from there: it has the key, so there it is. */
	probe_send(two, &again, PROBE_HELLO, 1, 0);
	expect_learned(&room, 2, "127.0.0.2", 0);
	expect_learned(&room, 3, "127.0.0.2", 5002);
	(void)probe_expect(two, &again, PROBE_ANSWER);
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010003000000000000000001" ECHO);
	udp_expect_hex(two, 0, HEAD_ECHO FAR "20010db8010003000000000000000001" ECHO);
	probe_send(three, &named, PROBE_HELLO, 1, 0);
	expect_learned(&room, 2, "127.0.0.2", 5003);
	(void)probe_expect(three, &named, PROBE_ANSWER);
	close(two);
	close(three);
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
	int first = udp_open("127.0.0.2", 5001);
	int second = udp_open("127.0.0.2", 5002);
	int third = udp_open("127.0.0.3", 5001);

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
	expect_learned(&room, 2, "127.0.0.2", 5002);
	tun_expect_hex(tun, HEAD_ECHO "20010db8010002000000000000000001" FAR ECHO);
	udp_send_hex(first, HEAD_ECHO LINK_LOCAL FAR ECHO);
	expect_learned(&room, 1, "127.0.0.2", 5001);
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
	int two = udp_open("127.0.0.2", 5002);

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
	int peer = udp_open("127.0.0.2", 5001);

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

/* --- the client --------------------------------------------------------------------------- */

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

	int server = udp_open("127.0.0.2", 5000);
	int other = udp_open("127.0.0.3", 5000);

	room_start(&room, false);
	give_counters(&room);
	room_add(&room, &config);
	give_udp(&room);

	/* Before there is a device: at once, and again after half a second. */
	struct probe hello = probe_expect(server, &config, PROBE_HELLO);
	uint64_t begin = milliseconds();
	struct probe second = probe_expect(server, &config, PROBE_HELLO);

	assert_in_range(milliseconds() - begin, 400, 5000);
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
	begin = milliseconds();
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

/* Reads an echo request, hellos left aside, and makes the reply to it. */
static size_t echo_expect(int server, uint8_t *packet, size_t size)
{
	uint8_t tos;
	size_t len;

	do
		len = udp_receive(server, packet, size, &tos);
	while (packet[0] == PROBE_HELLO);
	assert_int_equal(len, 48);
	assert_int_equal(packet_checksum(packet, 58, 40, len), 0);
	assert_int_equal(packet[40], 128);
	return len;
}

static void echo_reply(uint8_t *packet, size_t len)
{
	const struct in6_addr us = packet_address("fe80::7f00:2");
	uint16_t check;

	memcpy(packet + 24, packet + 8, 16);
	memcpy(packet + 8, &us, 16);
	packet[40] = 129;
	packet[42] = 0;
	packet[43] = 0;
	check = packet_checksum(packet, 58, 40, len);
	packet[42] = (uint8_t)(check >> 8);
	packet[43] = (uint8_t)check;
}

static void the_far_end_answers(void **state)
{
	struct forward_session config = udp_session(0, 5000);
	const struct forward_echo echo = {
		.id = 0,
		.source = packet_address("fe80::198.51.100.2"),
		.destination = packet_address("ff02::1"),
	};
	uint8_t packet[2048];
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.local.s_addr = 0;

	int server = udp_open("127.0.0.2", 5000);

	room_start(&room, false);
	give_counters(&room);
	give_udp(&room);
	room_add(&room, &config);
	to_control(&room, FORWARD_MSG_ECHO, &echo, sizeof(echo));

	/* There is no device yet. The first one is lost; then there is an answer to another. */
	size_t len = echo_expect(server, packet, sizeof(packet));

	assert_memory_equal(packet + 8, &echo.source, 16);
	assert_memory_equal(packet + 24, &echo.destination, 16);
	packet[44]++;
	echo_reply(packet, len);
	udp_send(server, packet, len);
	expect_count(&room.counters->drops[DROP_TUN_WRITE], 1);
	len = echo_expect(server, packet, sizeof(packet));
	echo_reply(packet, len);
	udp_send(server, packet, len);
	room_expect(&room, FORWARD_MSG_ECHOED, 0);

	/* Once only: what comes later is for the device. */
	int tun = give_device(&room, 0);
	struct virtio_net_hdr header;
	uint8_t got[2048];

	room_expect(&room, FORWARD_MSG_ADDED, 0);
	udp_send(server, packet, len);
	assert_int_equal(tun_receive(tun, &header, got, sizeof(got)), len);
	assert_memory_equal(got, packet, len);
	expect_count(&room.counters->session[0].in_packets, 1);
	assert_int_equal(room.counters->session[0].out_packets, 0);
	close(server);
	close(tun);
	room_stop(&room, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_learned_and_roams),
		cmocka_unit_test(forgeries_change_nothing),
		cmocka_unit_test(several_at_one_address),
		cmocka_unit_test(a_peer_without_probes),
		cmocka_unit_test(port_unreachable),
		cmocka_unit_test(path_mtu),
		cmocka_unit_test(client_says_hello),
		cmocka_unit_test(the_far_end_answers),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	room_make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
