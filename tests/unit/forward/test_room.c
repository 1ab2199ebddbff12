/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole room in a process of its own, with this one as monitor and control. Socket pairs stand
 * for TUN devices: they keep packets apart just the same. The outside is the loopback interface of
 * a network namespace that needs no privilege; where the system does not allow one, the tests that
 * send are skipped.
 */
#include "packets.h"

#include "base/ipc.h"
#include "base/log.h"
#include "forward/counters.h"
#include "forward/forward.h"
#include "forward/msg.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SESSIONS 8
#define PATIENCE 10000 /* milliseconds; only a failure takes as long */

static bool have_network;

struct room {
	pid_t pid;
	struct event_base *base;
	struct ipc *monitor;
	struct ipc *control;
	bool timed_out;
	size_t n_answers;
	struct {
		uint32_t type;
		uint32_t id;
	} answers[16];
	struct counters_page *counters;
	int peer; /* raw socket at 127.0.0.2, the sessions' peer */
};

static void on_answer(struct room *room, uint32_t type, const void *body)
{
	const struct forward_id *answer = body;

	assert_true(room->n_answers < 16);
	room->answers[room->n_answers].type = type;
	room->answers[room->n_answers++].id = answer->id;
}

static void on_added(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)fd;
	on_answer(arg, FORWARD_MSG_ADDED, body);
}

static void on_refused(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)fd;
	on_answer(arg, FORWARD_MSG_REFUSED, body);
}

static void on_removed(struct ipc *ipc, const void *body, int fd, void *arg)
{
	(void)ipc;
	(void)fd;
	on_answer(arg, FORWARD_MSG_REMOVED, body);
}

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)violated;
	(void)arg;
}

static const struct ipc_row rows[] = {
	{FORWARD_MSG_ADDED, sizeof(struct forward_id), false, on_added},
	{FORWARD_MSG_REFUSED, sizeof(struct forward_id), false, on_refused},
	{FORWARD_MSG_REMOVED, sizeof(struct forward_id), false, on_removed},
};

/* --- talking to the room ------------------------------------------------------------------ */

static void to_monitor(struct room *room, uint32_t type, const void *body, size_t size, int fd)
{
	assert_int_equal(ipc_send(room->monitor, type, body, size, fd), 0);
}

static void to_control(struct room *room, uint32_t type, const void *body, size_t size)
{
	assert_int_equal(ipc_send(room->control, type, body, size, -1), 0);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct room *room = arg;

	(void)fd;
	(void)what;
	room->timed_out = true;
}

/* The next answer must be this one. */
static void expect_answer(struct room *room, uint32_t type, uint32_t id)
{
	const struct timeval patience = {.tv_sec = PATIENCE / 1000};
	struct event *timeout = evtimer_new(room->base, on_timeout, room);

	assert_non_null(timeout);
	event_add(timeout, &patience);
	while (room->n_answers == 0 && !room->timed_out)
		assert_int_equal(event_base_loop(room->base, EVLOOP_ONCE), 0);
	event_free(timeout);
	assert_false(room->timed_out);
	assert_int_equal(room->answers[0].type, type);
	assert_int_equal(room->answers[0].id, id);
	room->n_answers--;
	memmove(room->answers, room->answers + 1, sizeof(room->answers) - sizeof(room->answers[0]));
}

static void start(struct room *room, bool server)
{
	const struct forward_config config = {
		.server = server, .sessions_max = SESSIONS, .icmp6_rate = 100000};
	int monitor[2];
	int control[2];

	memset(room, 0, sizeof(*room));
	room->peer = -1;
	assert_int_equal(ipc_pair(monitor), 0);
	assert_int_equal(ipc_pair(control), 0);
	room->pid = fork();
	assert_int_not_equal(room->pid, -1);
	if (room->pid == 0) {
		close(monitor[0]);
		close(control[0]);
		_exit(forward_run(&config, monitor[1], control[1]));
	}
	close(monitor[1]);
	close(control[1]);
	room->base = event_base_new();
	assert_non_null(room->base);
	room->monitor = ipc_new(room->base, monitor[0], "forward", NULL, 0, on_closed, room);
	room->control = ipc_new(room->base, control[0], "forward", rows,
				sizeof(rows) / sizeof(rows[0]), on_closed, room);
	assert_non_null(room->monitor);
	assert_non_null(room->control);
}

/* Waits for the room's end and checks its status. */
static void stop(struct room *room, int want)
{
	int status;

	/* What should end by itself does so before it sees its channels end. */
	if (want)
		assert_int_equal(waitpid(room->pid, &status, 0), room->pid);
	ipc_free(room->monitor);
	ipc_free(room->control);
	if (!want)
		assert_int_equal(waitpid(room->pid, &status, 0), room->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want);
	event_base_free(room->base);
	if (room->counters)
		munmap(room->counters, counters_size(SESSIONS));
	if (room->peer != -1)
		close(room->peer);
}

static void give_counters(struct room *room)
{
	const struct forward_none none = {0};
	size_t size = counters_size(SESSIONS);
	int fd = memfd_create("counters", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	room->counters = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(room->counters, MAP_FAILED);
	to_monitor(room, FORWARD_MSG_COUNTERS, &none, sizeof(none), fd);
}

static void give_raw(struct room *room)
{
	const struct forward_none none = {0};
	struct sockaddr_in there = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 41);

	room->peer = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 41);
	assert_int_not_equal(fd, -1);
	assert_int_not_equal(room->peer, -1);
	assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &there.sin_addr), 1);
	assert_int_equal(bind(room->peer, (const struct sockaddr *)&there, sizeof(there)), 0);
	to_monitor(room, FORWARD_MSG_RAW, &none, sizeof(none), fd);
}

/* Returns our end. */
static int give_device(struct room *room, uint32_t index)
{
	const struct forward_device device = {.index = index};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	to_monitor(room, FORWARD_MSG_DEVICE, &device, sizeof(device), fds[1]);
	return fds[0];
}

static void give_icmp(struct room *room, const char *source)
{
	const struct forward_icmp icmp = {.source = packet_address(source)};

	to_monitor(room, FORWARD_MSG_ICMP, &icmp, sizeof(icmp), -1);
}

/* Session id from 127.0.0.1 to peer, with the prefix and link-local address of packets.h. */
static struct forward_session session(uint32_t id, const char *peer)
{
	struct forward_session config = packet_session();

	config.id = id;
	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &config.local), 1);
	assert_int_equal(inet_pton(AF_INET, peer, &config.peer), 1);
	return config;
}

static void add(struct room *room, const struct forward_session *config)
{
	to_control(room, FORWARD_MSG_ADD, config, sizeof(*config));
}

/* --- packets ------------------------------------------------------------------------------ */

static void await(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&poll_fd, 1, PATIENCE), 1);
}

/* Writes a packet as the kernel does on a TUN device. */
static void tun_send(int tun, const uint8_t *packet, size_t len)
{
	struct virtio_net_hdr header = {0};
	uint8_t copy[2048];
	struct iovec iov[2] = {{&header, sizeof(header)}, {copy, len}};

	assert_true(len <= sizeof(copy));
	memcpy(copy, packet, len);
	assert_int_equal(writev(tun, iov, 2), sizeof(header) + len);
}

static void tun_send_hex(int tun, const char *text)
{
	uint8_t packet[256];

	tun_send(tun, packet, packet_hex(text, packet, sizeof(packet)));
}

static size_t tun_receive(int tun, struct virtio_net_hdr *header, uint8_t *packet, size_t size)
{
	struct iovec iov[2] = {{header, sizeof(*header)}, {packet, size}};

	await(tun);

	ssize_t n = readv(tun, iov, 2);

	assert_true(n >= (ssize_t)sizeof(*header));
	return (size_t)n - sizeof(*header);
}

static void tun_expect_hex(int tun, const char *text)
{
	struct virtio_net_hdr header;
	uint8_t want[256];
	uint8_t got[2048];
	size_t len = packet_hex(text, want, sizeof(want));

	assert_int_equal(tun_receive(tun, &header, got, sizeof(got)), len);
	assert_memory_equal(got, want, len);
	assert_int_equal(header.flags, 0);
	assert_int_equal(header.gso_type, 0);
}

static void tun_expect_icmp6(int tun, uint8_t type, uint8_t code, uint32_t mtu)
{
	struct virtio_net_hdr header;
	uint8_t got[2048];
	size_t len = tun_receive(tun, &header, got, sizeof(got));

	assert_true(len >= 88);
	assert_int_equal(packet_checksum(got, 58, 40, len), 0);
	assert_int_equal(got[40], type);
	assert_int_equal(got[41], code);
	assert_int_equal(got[44] << 24 | got[45] << 16 | got[46] << 8 | got[47], mtu);
	/* from us to whoever is the source of the quoted packet */
	assert_memory_equal(got + 24, got + 48 + 8, 16);
}

static void peer_send_hex(const struct room *room, const char *text)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	uint8_t packet[256];
	size_t len = packet_hex(text, packet, sizeof(packet));

	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &here.sin_addr), 1);
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
	assert_memory_equal(got + 12, "\x7f\0\0\1\x7f\0\0\2", 8);
	assert_memory_equal(got + 20, want, len);
}

/* The counters are written by another process, which may not have come to it yet. */
static void expect_count(const uint64_t *counter, uint64_t want)
{
	const volatile uint64_t *now = counter;

	for (int ms = 0; *now < want && ms < PATIENCE; ms++)
		usleep(1000);
	assert_int_equal(*now, want);
}

static void fill(uint8_t *packet, size_t len)
{
	memset(packet, 0, len);
	(void)packet_hex("60000000 0000 3b 40" FAR SITE, packet, len);
	packet[4] = (uint8_t)((len - 40) >> 8);
	packet[5] = (uint8_t)(len - 40);
}

/* --- without the outside ------------------------------------------------------------------ */

static void ends_with_its_channels(void **state)
{
	struct room room;

	(void)state;
	start(&room, true);
	stop(&room, 0);
}

static void a_message_of_wrong_form_ends_it(void **state)
{
	const struct forward_none none = {0};
	struct room room;

	(void)state;
	/* what only control may say; a descriptor missing; a size that is wrong */
	start(&room, true);
	to_monitor(&room, FORWARD_MSG_REMOVE, &none, sizeof(none), -1);
	stop(&room, 1);
	start(&room, true);
	to_monitor(&room, FORWARD_MSG_RAW, &none, sizeof(none), -1);
	stop(&room, 1);
	start(&room, true);
	to_control(&room, FORWARD_MSG_ADD, &none, sizeof(none));
	stop(&room, 1);
}

static void a_short_counter_page_ends_it(void **state)
{
	const struct forward_none none = {0};
	struct room room;
	int fd = memfd_create("counters", MFD_CLOEXEC);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)counters_size(SESSIONS) - 1), 0);
	start(&room, true);
	to_monitor(&room, FORWARD_MSG_COUNTERS, &none, sizeof(none), fd);
	stop(&room, 1);
}

static void refusals(void **state)
{
	struct room room;
	struct forward_session config = session(1, "127.0.0.2");
	struct forward_id id = {.id = 1};

	(void)state;
	start(&room, true);
	/* No socket and no device: nothing is up, so nothing is said yet. */
	add(&room, &config);
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_REFUSED, 1);
	config.id = 2;
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_REFUSED, 2);
	config = session(SESSIONS, "127.0.0.3");
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_REFUSED, SESSIONS);
	/* Two sessions on a device that is not shared. */
	config = session(3, "127.0.0.3");
	config.device = 5;
	add(&room, &config);
	config = session(4, "127.0.0.4");
	config.device = 5;
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_REFUSED, 4);
	/* Removing is always answered. */
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	expect_answer(&room, FORWARD_MSG_REMOVED, 1);
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	expect_answer(&room, FORWARD_MSG_REMOVED, 1);
	id.id = UINT32_MAX;
	to_control(&room, FORWARD_MSG_REMOVE, &id, sizeof(id));
	expect_answer(&room, FORWARD_MSG_REMOVED, UINT32_MAX);
	stop(&room, 0);
}

/* --- with it ------------------------------------------------------------------------------ */

#define NEED_NETWORK()                                                                             \
	if (!have_network)                                                                         \
		skip();

static void server(void **state)
{
	const struct forward_prefix down = {.prefix = packet_prefix("2001:db8:100:200::/56")};
	const struct forward_session config = session(1, "127.0.0.2");
	const struct forward_id id = {.id = 1};
	struct room room;

	(void)state;
	NEED_NETWORK();
	start(&room, true);
	to_monitor(&room, FORWARD_MSG_ASSIGNED, &down, sizeof(down), -1);
	/* The session first, then what it needs: only then is it there. */
	add(&room, &config);
	to_control(&room, FORWARD_MSG_REMOVE, &(struct forward_id){7}, sizeof(id));
	expect_answer(&room, FORWARD_MSG_REMOVED, 7);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");

	int tun = give_device(&room, 0);

	give_raw(&room);
	expect_answer(&room, FORWARD_MSG_ADDED, 1);

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
	expect_answer(&room, FORWARD_MSG_REMOVED, 1);
	tun_send_hex(tun, HEAD_ECHO FAR SITE ECHO);
	tun_expect_icmp6(tun, 1, 3, 0);

	uint64_t before = room.counters->drops[DROP_OUTER_PEER];

	peer_send_hex(&room, HEAD_ECHO SITE FAR ECHO);
	expect_count(&room.counters->drops[DROP_OUTER_PEER], before + 1);

	/* The same id again counts from zero. */
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_ADDED, 1);
	assert_int_equal(room.counters->session[1].in_packets, 0);
	peer_send_hex(&room, HEAD_ECHO SITE FAR ECHO);
	tun_expect_hex(tun, HEAD_ECHO SITE FAR ECHO);
	close(tun);
	stop(&room, 0);
}

static void devices_of_their_own(void **state)
{
	const struct forward_device gone = {.index = 3};
	struct forward_session config = session(2, "127.0.0.2");
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.device = 3;
	config.n_prefixes = 0;
	start(&room, true);
	give_counters(&room);
	give_raw(&room);

	int shared = give_device(&room, 0);
	int own = give_device(&room, 3);

	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_ADDED, 2);
	/* Everything on it goes to its session, multicast as well. */
	tun_send_hex(own, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000001" ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000001" ECHO);
	/* Any link-local source comes in, on this device. */
	peer_send_hex(&room, HEAD_ECHO "fe800000000000000000000000000099" LINK_LOCAL ECHO);
	tun_expect_hex(own, HEAD_ECHO "fe800000000000000000000000000099" LINK_LOCAL ECHO);

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
	config = session(1, "127.0.0.3");
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_ADDED, 1);
	close(shared);
	stop(&room, 0);
}

static void client(void **state)
{
	struct forward_session config = session(0, "127.0.0.2");
	struct room room;

	(void)state;
	NEED_NETWORK();
	start(&room, false);
	give_counters(&room);
	give_raw(&room);

	int tun = give_device(&room, 0);

	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_ADDED, 0);
	config.id = 1;
	config.peer.s_addr = htonl(0x7f000003);
	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_REFUSED, 1);
	/* Whatever the destination; and any good source from the server. */
	tun_send_hex(tun, HEAD_ECHO SITE FAR ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO SITE FAR ECHO);
	tun_send_hex(tun, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000002" ECHO);
	peer_expect_hex(&room, 0, HEAD_ECHO LINK_LOCAL "ff020000000000000000000000000002" ECHO);
	peer_send_hex(&room, HEAD_ECHO FAR SITE ECHO);
	tun_expect_hex(tun, HEAD_ECHO FAR SITE ECHO);
	close(tun);
	stop(&room, 0);
}

static void set_loopback_mtu(int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
	close(fd);
}

/* A router's "fragmentation needed", about a packet from 127.0.0.1 to 127.0.0.2. */
static void send_needs_fragmentation(uint16_t mtu)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	uint8_t packet[64];
	size_t len = packet_hex("0304 0000 0000 0000"
				"4500 05be 0000 4000 4029 0000 7f000001 7f000002"
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
	assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &here.sin_addr), 1);
	assert_int_equal(sendto(fd, packet, len, 0, (const struct sockaddr *)&here, sizeof(here)),
			 len);
	close(fd);
}

static void path_mtu(void **state)
{
	struct forward_session config = session(1, "127.0.0.2");
	uint8_t packet[1480];
	uint8_t got[2048];
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.mtu = 1480;
	start(&room, true);
	give_counters(&room);
	give_icmp(&room, "2001:db8:100::1");
	give_raw(&room);

	int tun = give_device(&room, 0);

	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_ADDED, 1);
	fill(packet, sizeof(packet));
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
	fill(packet, 1381);
	tun_send(tun, packet, 1381);
	tun_expect_icmp6(tun, 2, 0, 1380);
	fill(packet, 1380);
	tun_send(tun, packet, 1380);
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1400);
	assert_int_equal(got[6], 0x40);

	/* Less than IPv6 needs: 1280 still pass, in fragments, which the peer puts together. */
	send_needs_fragmentation(600);
	expect_count(&room.counters->icmp_errors, 2);
	set_loopback_mtu(600);
	fill(packet, 1280);
	tun_send(tun, packet, 1280);
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1300);
	assert_memory_equal(got + 20, packet, 1280);
	tun_send(tun, packet, 40); /* which is truncated */
	fill(packet, 1281);
	tun_send(tun, packet, 1281);
	tun_expect_icmp6(tun, 2, 0, 1280);
	set_loopback_mtu(65536);
	close(tun);
	stop(&room, 0);
}

/* The path is found too small for DF only by sending: the packet goes all the same. */
static void the_first_packet_is_not_lost(void **state)
{
	struct forward_session config = session(1, "127.0.0.2");
	uint8_t packet[1280];
	uint8_t got[2048];
	struct room room;

	(void)state;
	NEED_NETWORK();
	config.mtu = 1480;
	start(&room, true);
	give_raw(&room);

	int tun = give_device(&room, 0);

	add(&room, &config);
	expect_answer(&room, FORWARD_MSG_ADDED, 1);
	set_loopback_mtu(1000);
	fill(packet, sizeof(packet));
	tun_send(tun, packet, sizeof(packet));
	assert_int_equal(peer_receive(&room, got, sizeof(got)), 1300);
	assert_memory_equal(got + 20, packet, 1280);
	set_loopback_mtu(65536);
	close(tun);
	stop(&room, 0);
}

static void one_bad_peer_does_not_hurt_others(void **state)
{
	struct forward_session good = session(1, "127.0.0.2");
	struct forward_session bad = session(2, "198.51.100.99");
	struct room room;

	(void)state;
	NEED_NETWORK();
	start(&room, true);
	give_counters(&room);
	give_raw(&room);

	int tun = give_device(&room, 0);

	bad.prefixes[0] = packet_prefix("2001:db8:100:300::/56");
	bad.n_prefixes = 1;
	add(&room, &good);
	expect_answer(&room, FORWARD_MSG_ADDED, 1);
	add(&room, &bad);
	expect_answer(&room, FORWARD_MSG_ADDED, 2);
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
	stop(&room, 0);
}

static bool make_network(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (unshare(CLONE_NEWNET) == -1 && unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		return false;

	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;

	bool up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	close(fd);
	return up;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_with_its_channels),
		cmocka_unit_test(a_message_of_wrong_form_ends_it),
		cmocka_unit_test(a_short_counter_page_ends_it),
		cmocka_unit_test(refusals),
		cmocka_unit_test(server),
		cmocka_unit_test(devices_of_their_own),
		cmocka_unit_test(client),
		cmocka_unit_test(path_mtu),
		cmocka_unit_test(the_first_packet_is_not_lost),
		cmocka_unit_test(one_bad_peer_does_not_hurt_others),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	log_init("test", "forward", false);
	have_network = make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
