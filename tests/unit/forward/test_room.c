/* SPDX-License-Identifier: BSD-2-Clause */
/* The room with protocol 41, and its channels. */
#include "room.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void peer_send_hex(const struct room *room, const char *text)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	uint8_t packet[256];
	size_t len = packet_hex(text, packet, sizeof(packet));

	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &here.sin_addr), 1);
	assert_int_equal(
		sendto(room->peer, packet, len, 0, (const struct sockaddr *)&here, sizeof(here)),
		len);
}

/* The next packet that the peer gets, with its IPv4 header. */
static size_t peer_receive(const struct room *room, uint8_t *packet, size_t size)
{
	await(room->peer);

	ssize_t n = recv(room->peer, packet, size, 0);

	assert_true(n >= 20);
	return (size_t)n;
}

static void peer_expect_hex(const struct room *room, uint8_t tos, const char *text)
{
	uint8_t want[256];
	uint8_t got[2048];
	size_t len = packet_hex(text, want, sizeof(want));

	assert_int_equal(peer_receive(room, got, sizeof(got)), 20 + len);
	assert_int_equal(got[0], 0x45);
	assert_int_equal(got[1], tos);
	assert_int_equal(got[6], 0); /* DF clear */
	assert_int_equal(got[8], 64);
	assert_int_equal(got[9], 41);
	assert_memory_equal(got + 12, "\xc0\0\2\1\xc0\0\2\2", 8);
	assert_memory_equal(got + 20, want, len);
}

/* --- without the outside ------------------------------------------------------------------ */

static void ends_with_its_channels(void **state)
{
	struct room room;

	(void)state;
	room_start(&room, true);
	room_stop(&room, 0);
}

/* A sign of life, whenever monitor wants one. */
static void answers_when_called(void **state)
{
	struct room room;

	(void)state;
	room_start(&room, true);
	for (int i = 0; i < 2; i++) {
		room_ping(&room);
	}
	room_stop(&room, 0);
}

static void a_message_of_wrong_form_ends_it(void **state)
{
	struct room room;

	(void)state;
	/* what only control may say; a descriptor missing; a size that is wrong */
	room_start(&room, true);
	to_monitor(&room, FORWARD_MSG_REMOVE, NULL, 0, -1);
	room_stop(&room, 1);
	room_start(&room, true);
	to_monitor(&room, FORWARD_MSG_RAW, NULL, 0, -1);
	room_stop(&room, 1);
	room_start(&room, true);
	to_control(&room, FORWARD_MSG_ADD, NULL, 0);
	room_stop(&room, 1);
}

/* The server's control asks for no hellos. */
static void a_clients_message_ends_the_servers(void **state)
{
	const struct forward_id id = {.id = 0};
	struct room room;

	(void)state;
	room_start(&room, true);
	to_control(&room, FORWARD_MSG_HELLO, &id, sizeof(id));
	room_stop(&room, 1);
	/* A client's may cross the refusal of its session. */
	room_start(&room, false);
	to_control(&room, FORWARD_MSG_HELLO, &id, sizeof(id));
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 0);
	room_stop(&room, 0);
}

/* Only one that checks lets control try paths. */
static void a_trial_ends_what_does_not_check(void **state)
{
	const struct forward_trial trial = {.id = 0};
	struct room room;

	(void)state;
	for (int server = 0; server < 2; server++) {
		room_start(&room, server);
		to_control(&room, FORWARD_MSG_TRIAL, &trial, sizeof(trial));
		room_stop(&room, 1);
	}
}

static void a_short_counter_page_ends_it(void **state)
{
	struct room room;
	int fd = memfd_create("counters", MFD_CLOEXEC);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)counters_size(SESSIONS) - 1), 0);
	room_start(&room, true);
	to_monitor(&room, FORWARD_MSG_COUNTERS, NULL, 0, fd);
	room_stop(&room, 1);
}

static void refusals(void **state)
{
	struct room room;
	struct forward_session config = room_session(1, "192.0.2.2");
	struct forward_id id = {.id = 1};

	(void)state;
	room_start(&room, true);
	/* No socket and no device: nothing is up, so nothing is said yet. */
	room_add(&room, &config);
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_REFUSED, 1);
	config.id = 2;
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_REFUSED, 2);
	config = room_session(SESSIONS, "192.0.2.3");
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_REFUSED, SESSIONS);
	/* Removing is always answered. */
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 1);
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 1);
	id.id = UINT32_MAX;
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, UINT32_MAX);
	room_stop(&room, 0);
}

/* --- with it ------------------------------------------------------------------------------ */

static void server(void **state)
{
	const struct forward_prefix down = {.prefix = packet_prefix("2001:db8:100:200::/56")};
	const struct forward_session config = room_session(1, "192.0.2.2");
	const struct forward_id id = {.id = 1};
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	to_monitor(&room, FORWARD_MSG_ASSIGNED, &down, sizeof(down), -1);
	/* The session first, then what it needs: only then is it there. */
	room_add(&room, &config);
	to_control(&room, FORWARD_MSG_REMOVE, &(struct forward_id){7}, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 7);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");

	int tun = give_device(&room, 0);

	give_raw(&room);
	room_expect(&room, FORWARD_MSG_ADDED, 1);

	/* Out, with the traffic class outside; and in. */
	tun_send_hex(tun, "6b800000 0008 3a 40" FAR SITE ECHO);
	peer_expect_hex(&room, 0xb8, "6b800000 0008 3a 40" FAR SITE ECHO);
	peer_send_hex(&room, HEAD_ECHO SITE FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO SITE FAR ECHO);

	/* Someone else's source is not passed on; the next packet is the next one seen. */
	peer_send_hex(&room, HEAD_ECHO FAR SITE ECHO);
	peer_send_hex(&room, HEAD_ECHO LINK_LOCAL FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO LINK_LOCAL FAR ECHO);
	assert_int_equal(room.counters->drops[DROP_SRC_INGRESS], 1);

	/* Assigned but down; never assigned; multicast, which is not answered. */
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010002000000000000000001" ECHO);
	tun_expect_icmp6(tun, 1, 3, 0);
	tun_send_hex(tun, HEAD_ECHO SITE "ff020000000000000000000000000001" ECHO);
	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	tun_expect_icmp6(tun, 1, 0, 0);
	assert_int_equal(room.counters->drops[DROP_NO_SESSION], 1);
	assert_int_equal(room.counters->drops[DROP_MULTICAST], 1);
	assert_int_equal(room.counters->drops[DROP_NO_ROUTE], 1);
	expect_count(&room.counters->icmp6_sent, 2);

	assert_int_equal(room.counters->magic, COUNTERS_MAGIC);
	assert_int_equal(room.counters->version, 1);
	assert_int_equal(room.counters->sessions_max, SESSIONS);
	expect_count(&room.counters->session[1].out_packets, 1);
	assert_int_equal(room.counters->session[1].out_bytes, 48);
	assert_int_equal(room.counters->session[1].in_packets, 2);
	assert_int_equal(room.counters->session[1].in_bytes, 96);
	assert_int_equal(room.counters->session[1].dropped, 1);

	/* After the session its prefix is down, and its peer is nobody. */
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	room_expect(&room, FORWARD_MSG_REMOVED, 1);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	tun_expect_icmp6(tun, 1, 3, 0);

	uint64_t before = room.counters->drops[DROP_OUTER_PEER];

	peer_send_hex(&room, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], before + 1);

	/* The same id again counts from zero. */
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	assert_int_equal(room.counters->session[1].in_packets, 0);
	peer_send_hex(&room, HEAD_ECHO SITE FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO SITE FAR ECHO);
	/* All together do not. */
	expect_count(&room.counters->carried.in_packets, 3);
	expect_count(&room.counters->carried.in_bytes, 144);
	expect_count(&room.counters->carried.out_packets, 1);
	expect_count(&room.counters->carried.out_bytes, 48);
	close(tun);
	room_stop(&room, 0);
}

static void settings_change(struct room *room, uint32_t icmp6_rate)
{
	const struct forward_settings settings = {.icmp6_rate = icmp6_rate};

	to_monitor(room, FORWARD_MSG_SETTINGS, &settings, sizeof(settings), -1);
	/* So that what follows comes behind it. */
	room_ping(room);
}

/* The rate of ICMPv6 errors while it runs; 0 is none at all. */
static void settings_take_effect(void **state)
{
	struct room room;
	int tun;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");
	give_raw(&room);
	settings_change(&room, 0);
	tun = give_device(&room, 0);
	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_NO_ROUTE], 1);
	settings_change(&room, 10);
	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	tun_expect_icmp6(tun, 1, 0, 0);
	expect_count(&room.counters->icmp6_sent, 1);
	close(tun);
	room_stop(&room, 0);
}

/* With one error a second: none that is due for one reason, or session, takes that of another. */
static void errors_of_each_kind(void **state)
{
	struct forward_session narrow = room_session(1, "192.0.2.2");
	struct forward_session other = room_session(2, "192.0.2.3");
	struct forward_session gone = room_session(3, "192.0.2.4");
	uint8_t packet[1281];
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");
	give_raw(&room);
	settings_change(&room, 1);

	int tun = give_device(&room, 0);

	other.prefixes[0].addr.s6_addr[6] = 2;
	gone.prefixes[0].addr.s6_addr[6] = 3;
	narrow.n_prefixes = other.n_prefixes = gone.n_prefixes = 1;
	room_add(&room, &narrow);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &other);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	room_add(&room, &gone);
	room_expect(&room, FORWARD_MSG_ADDED, 3);
	to_control(&room, FORWARD_MSG_REMOVE, &(struct forward_id){3}, sizeof(struct forward_id));
	room_expect(&room, FORWARD_MSG_REMOVED, 3);
	/* A scan of what nobody has, and the first of many packets that are too big. */
	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	tun_expect_icmp6(tun, 1, 0, 0);
	tun_send_hex(tun, HEAD_ECHO FAR "20010db8010003000000000000000001" ECHO);
	tun_expect_icmp6(tun, 1, 3, 0);
	packet_fill(packet, sizeof(packet));
	tun_send(tun, packet, sizeof(packet));
	tun_expect_icmp6(tun, 2, 0, 1280);
	packet[24 + 6] = 2;
	tun_send(tun, packet, sizeof(packet));
	tun_expect_icmp6(tun, 2, 0, 1280);
	/* A session that comes later, or has been there when the settings changed, is no exception.
	 */
	settings_change(&room, 0);
	tun_send(tun, packet, sizeof(packet));
	room_add(&room, &gone);
	room_expect(&room, FORWARD_MSG_ADDED, 3);
	packet[24 + 6] = 3;
	tun_send(tun, packet, sizeof(packet));
	expect_count(&room.counters->drops[DROP_TOO_BIG], 4);
	assert_int_equal(room.counters->icmp6_sent, 4);
	close(tun);
	room_stop(&room, 0);
}

static void devices_of_their_own(void **state)
{
	const struct forward_device gone = {.index = 3};
	struct forward_session config = room_session(2, "192.0.2.2");
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.device = 3;
	config.n_prefixes = 0;
	room_start(&room, true);
	give_counters(&room);
	give_raw(&room);

	int shared = give_device(&room, 0);
	int own = give_device(&room, 3);

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	/* Everything on it goes to its session, multicast as well. */
	tun_send_hex(own, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000001" ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000001" ECHO);
	/* Any link-local source comes in, on this device. */
	peer_send_hex(&room, HEAD_ECHO "fe800000000000000000000000000099" LINK_LOCAL ECHO);
	tun_expect_hex(own, HEAD_ECHO "fe800000000000000000000000000099" LINK_LOCAL ECHO);

	/* Of others the routes decide, as soon as it is possible to ask for them. */
	peer_send_hex(&room, HEAD_ECHO FAR LINK_LOCAL ECHO);
	expect_count(&room.counters->drops[DROP_SRC_INGRESS], 1);
	to_monitor(&room, FORWARD_MSG_ROUTES, NULL, 0, dup(STDERR_FILENO));
	room_ping(&room);
	peer_send_hex(&room, HEAD_ECHO FAR LINK_LOCAL ECHO);
	tun_expect_hex(own, HEAD_ECHO FAR LINK_LOCAL ECHO);
	peer_send_hex(&room, HEAD_ECHO SITE LINK_LOCAL ECHO);
	expect_count(&room.counters->drops[DROP_SRC_INGRESS], 2);

	/* Without the device its packets are lost and counted; with a new one they pass again. */
	to_monitor(&room, FORWARD_MSG_NO_DEVICE, &gone, sizeof(gone), -1);
	await(own);
	assert_int_equal(read(own, &(char){0}, 1), 0);
	close(own);
	peer_send_hex(&room, HEAD_ECHO LINK_LOCAL LINK_LOCAL ECHO);
	expect_count(&room.counters->drops[DROP_TUN_WRITE], 1);
	own = give_device(&room, 3);
	tun_send_hex(own, HEAD_ECHO LINK_LOCAL LINK_LOCAL ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO LINK_LOCAL LINK_LOCAL ECHO);

	/* One that ends by itself does not disturb the others. */
	close(own);
	config = room_session(1, "192.0.2.3");
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	close(shared);
	room_stop(&room, 0);
}

static void client(void **state)
{
	struct forward_session config = room_session(0, "192.0.2.2");
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, false);
	give_counters(&room);
	give_raw(&room);

	int tun = give_device(&room, 0);

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 0);
	config.id = 1;
	config.peer.s_addr = htonl(0xc0000203);
	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_REFUSED, 1);
	/* Whatever the destination; and any good source from the server. */
	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO SITE FAR ECHO);
	tun_send_hex(tun, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000002" ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000002" ECHO);
	peer_send_hex(&room, HEAD_ECHO FAR SITE ECHO);
	tun_expect_hex(tun, HEAD_ECHO FAR SITE ECHO);
	close(tun);
	room_stop(&room, 0);
}

/* A packet of 64 octets with ICMPv6, whose checksum is put in. */
static void peer_send_icmp6(const struct room *room, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char whole[129] = "";
	uint8_t packet[64];

	assert_int_equal(packet_hex(text, packet, sizeof(packet)), sizeof(packet));
	packet[42] = packet[43] = 0;

	uint16_t check = packet_checksum(packet, 58, 40, sizeof(packet));

	packet[42] = (uint8_t)(check >> 8);
	packet[43] = (uint8_t)check;
	for (size_t i = 0; i < sizeof(packet); i++) {
		whole[2 * i] = digits[packet[i] >> 4];
		whole[2 * i + 1] = digits[packet[i] & 15];
	}
	peer_send_hex(room, whole);
}

/* The next request that the peer gets, as hex of its id, number, mark and cookie. */
static void peer_expect_request(const struct room *room, const char *ends, char tail[static 41])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t want[32];
	uint8_t got[2048];

	assert_int_equal(peer_receive(room, got, sizeof(got)), 20 + 64);
	assert_int_equal(packet_checksum(got + 20, 58, 40, 64), 0);
	assert_int_equal(packet_hex(ends, want, sizeof(want)), sizeof(want));
	assert_memory_equal(got + 20 + 8, want, sizeof(want));
	assert_int_equal(got[20 + 40], 128);
	for (size_t i = 0; i < 20; i++) {
		tail[2 * i] = digits[got[20 + 44 + i] >> 4];
		tail[2 * i + 1] = digits[got[20 + 44 + i] & 15];
	}
	tail[40] = '\0';
}

#define WATCHED	  "60000000 0018 3a ff"
#define ALL_NODES "ff020000000000000000000000000001"

/*
 * The path is watched without the kernel's help: what is asked and answered never comes to the
 * device. A user's pings do, and what a peer may not send is dropped as ever.
 */
static void watches_the_path(void **state)
{
	struct forward_session config = room_session(0, "192.0.2.2");
	const struct forward_id id = {.id = 0};
	char text[256];
	char tail[41];
	struct room room;

	(void)state;
	NEED_NETWORK();
	for (int server = 0; server <= 1; server++) {
		config.near = packet_address("fe80::198.51.100.2");
		room_start(&room, server);
		give_counters(&room);
		room_add(&room, &config);
		give_raw(&room);
		/* The client's before there is a device: that is how auto tries the way. */
		if (!server)
			peer_expect_request(&room, LINK_LOCAL ALL_NODES, tail);

		int tun = give_device(&room, 0);

		room_expect(&room, FORWARD_MSG_ADDED, 0);
		/* The server waits until it is spoken to. */
		if (server) {
			peer_send_hex(&room, HEAD_ECHO SITE LINK_LOCAL ECHO);
			tun_expect_hex(tun, HEAD_ECHO SITE LINK_LOCAL ECHO);
			peer_expect_request(&room, LINK_LOCAL ALL_NODES, tail);
		}
		/* From whatever address the peer has on the link. */
		(void)snprintf(text, sizeof(text), "%s%s81 00 0000%s", WATCHED FAR, LINK_LOCAL,
			       tail);
		peer_send_icmp6(&room, text);
		assert_int_equal(room_expect(&room, FORWARD_MSG_PATH, 0).value, 1);

		/* It is asked by the other end; and by a user there, and one who is not on the
		 * link. */
		tail[0] = tail[0] == '0' ? '1' : '0';
		(void)snprintf(text, sizeof(text), "%s%s80 00 0000%s", WATCHED SITE, ALL_NODES,
			       tail);
		peer_send_icmp6(&room, text);
		do
			assert_int_equal(peer_receive(&room, (uint8_t[2048]){0}, 2048), 84);
		while (room.counters->session[0].probes < 2);
		peer_send_hex(&room, HEAD_ECHO SITE LINK_LOCAL ECHO);
		tun_expect_hex(tun, HEAD_ECHO SITE LINK_LOCAL ECHO);
		expect_count(&room.counters->session[0].in_packets, server ? 2 : 1);
		assert_int_equal(room.counters->session[0].out_packets, 0);

		/* Asked again, at once. */
		if (!server) {
			to_control(&room, FORWARD_MSG_HELLO, &id, sizeof(id));
			peer_expect_request(&room, LINK_LOCAL ALL_NODES, tail);
		}
		to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
		room_expect(&room, FORWARD_MSG_REMOVED, 0);
		close(tun);
		room_stop(&room, 0);
	}
}

/* A router's "fragmentation needed", about a packet from 192.0.2.1 to 192.0.2.2. */
static void send_needs_fragmentation(uint16_t mtu)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	uint8_t packet[64];
	size_t len = packet_hex("0304 0000 0000 0000"
				"4500 05be 0000 4000 4029 0000 c0000201 c0000202"
				"60000000 0596 3b40",
				packet, sizeof(packet));
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	uint32_t sum = 0;

	assert_int_not_equal(fd, -1);
	packet[6] = (uint8_t)(mtu >> 8);
	packet[7] = (uint8_t)mtu;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	packet[2] = (uint8_t)(sum >> 8);
	packet[3] = (uint8_t)sum;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &here.sin_addr), 1);
	assert_int_equal(sendto(fd, packet, len, 0, (const struct sockaddr *)&here, sizeof(here)),
			 len);
	close(fd);
}

static void path_mtu(void **state)
{
	struct forward_session config = room_session(1, "192.0.2.2");
	uint8_t packet[1480];
	uint8_t got[2048];
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.mtu = 1480;
	room_start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");
	give_raw(&room);

	int tun = give_device(&room, 0);

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	packet_fill(packet, sizeof(packet));
	tun_send(tun, packet, sizeof(packet));
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1500);
	assert_int_equal(got[6], 0x40); /* DF */

	/* The interface here takes less than we thought: the kernel says so when we send. */
	set_loopback_mtu(1450);
	tun_send(tun, packet, sizeof(packet));
	tun_expect_icmp6(tun, 2, 0, 1430);
	expect_count(&room.counters->drops[DROP_TOO_BIG], 1);
	assert_int_equal(room.counters->icmp_errors, 0);

	/* A router further on takes still less, and its word arrives later. */
	send_needs_fragmentation(1400);
	expect_count(&room.counters->session[1].icmp_errors, 1);
	assert_int_equal(room.counters->icmp_errors, 1);
	packet_fill(packet, 1381);
	tun_send(tun, packet, 1381);
	tun_expect_icmp6(tun, 2, 0, 1380);
	packet_fill(packet, 1380);
	tun_send(tun, packet, 1380);
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1400);
	assert_int_equal(got[6], 0x40);

	/* Less than IPv6 needs: 1280 still pass, in fragments, which the peer puts together. */
	send_needs_fragmentation(600);
	expect_count(&room.counters->icmp_errors, 2);
	set_loopback_mtu(600);
	packet_fill(packet, 1280);
	tun_send(tun, packet, 1280);
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1300);
	assert_memory_equal(got + 20, packet, 1280);
	tun_send(tun, packet, 40); /* which is truncated */
	packet_fill(packet, 1281);
	tun_send(tun, packet, 1281);
	tun_expect_icmp6(tun, 2, 0, 1280);
	set_loopback_mtu(65536);
	close(tun);
	room_stop(&room, 0);
}

/* The path is found too small for DF only by sending: the packet goes all the same. */
static void the_first_packet_is_not_lost(void **state)
{
	struct forward_session config = room_session(1, "192.0.2.2");
	uint8_t packet[1280];
	uint8_t got[2048];
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.mtu = 1480;
	room_start(&room, true);
	give_raw(&room);

	int tun = give_device(&room, 0);

	room_add(&room, &config);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	set_loopback_mtu(1000);
	packet_fill(packet, sizeof(packet));
	tun_send(tun, packet, sizeof(packet));
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1300);
	assert_memory_equal(got + 20, packet, 1280);
	set_loopback_mtu(65536);
	close(tun);
	room_stop(&room, 0);
}

static void one_bad_peer_does_not_hurt_others(void **state)
{
	struct forward_session good = room_session(1, "192.0.2.2");
	struct forward_session bad = room_session(2, "198.51.100.99");
	struct room room;

	(void)state;
	NEED_NETWORK();
	room_start(&room, true);
	give_counters(&room);
	give_raw(&room);

	int tun = give_device(&room, 0);

	bad.prefixes[0] = packet_prefix("2001:db8:100:300::/56");
	bad.n_prefixes = 1;
	room_add(&room, &good);
	room_expect(&room, FORWARD_MSG_ADDED, 1);
	room_add(&room, &bad);
	room_expect(&room, FORWARD_MSG_ADDED, 2);
	for (int i = 0; i < 100; i++) {
		/* There is no route to the second peer. */
		tun_send_hex(tun, HEAD_ECHO FAR "20010db8010003000000000000000001" ECHO);
		tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
		peer_expect_hex(&room, 0, HEAD_ECHO FAR SITE ECHO);
	}
	expect_count(&room.counters->drops[DROP_SEND], 100);
	assert_int_equal(room.counters->session[2].dropped, 100);
	expect_count(&room.counters->session[1].out_packets, 100);
	close(tun);
	room_stop(&room, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_with_its_channels),
		cmocka_unit_test(answers_when_called),
		cmocka_unit_test(a_message_of_wrong_form_ends_it),
		cmocka_unit_test(a_clients_message_ends_the_servers),
		cmocka_unit_test(a_trial_ends_what_does_not_check),
		cmocka_unit_test(a_short_counter_page_ends_it),
		cmocka_unit_test(refusals),
		cmocka_unit_test(settings_take_effect),
		cmocka_unit_test(errors_of_each_kind),
		cmocka_unit_test(server),
		cmocka_unit_test(devices_of_their_own),
		cmocka_unit_test(client),
		cmocka_unit_test(watches_the_path),
		cmocka_unit_test(path_mtu),
		cmocka_unit_test(the_first_packet_is_not_lost),
		cmocka_unit_test(one_bad_peer_does_not_hurt_others),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	room_network = network_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
