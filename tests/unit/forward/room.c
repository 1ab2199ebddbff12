/* SPDX-License-Identifier: BSD-2-Clause */
#include "room.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

bool room_network;

static void on_answer(struct room *room, const struct room_answer *answer)
{
	assert_true(room->n_answers < sizeof(room->answers) / sizeof(room->answers[0]));
	room->answers[room->n_answers++] = *answer;
}

static void on_id(struct room *room, uint32_t type, const struct forward_id *id)
{
	const struct room_answer answer = {.type = type, .id = id->id};

	on_answer(room, &answer);
}

static void on_added(const void *body, void *arg)
{
	on_id(arg, FORWARD_MSG_ADDED, body);
}

static void on_refused(const void *body, void *arg)
{
	on_id(arg, FORWARD_MSG_REFUSED, body);
}

static void on_removed(const void *body, void *arg)
{
	on_id(arg, FORWARD_MSG_REMOVED, body);
}

static void on_learned(const void *body, void *arg)
{
	const struct forward_learned *learned = body;
	const struct room_answer answer = {.type = FORWARD_MSG_LEARNED,
					   .id = learned->id,
					   .value = learned->port,
					   .peer = learned->peer};

	on_answer(arg, &answer);
}

static void on_path(const void *body, void *arg)
{
	const struct forward_path *path = body;
	const struct room_answer answer = {
		.type = FORWARD_MSG_PATH, .id = path->id, .value = path->alive};

	on_answer(arg, &answer);
}

/* A matter of time, which these tests do not wait for; on a slow machine it may come. */
static void on_silent(const void *body, void *arg)
{
	(void)body;
	(void)arg;
}

static void on_port(const void *body, void *arg)
{
	const struct forward_port *port = body;
	const struct room_answer answer = {.type = FORWARD_MSG_PORT, .value = port->port};

	on_answer(arg, &answer);
}

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)violated;
	(void)arg;
}

static const struct ipc_row rows[] = {
	IPC_BODY(FORWARD_MSG_ADDED, struct forward_id, on_added),
	IPC_BODY(FORWARD_MSG_REFUSED, struct forward_id, on_refused),
	IPC_BODY(FORWARD_MSG_REMOVED, struct forward_id, on_removed),
	IPC_BODY(FORWARD_MSG_LEARNED, struct forward_learned, on_learned),
	IPC_BODY(FORWARD_MSG_PATH, struct forward_path, on_path),
	IPC_BODY(FORWARD_MSG_SILENT, struct forward_id, on_silent),
	IPC_BODY(FORWARD_MSG_PORT, struct forward_port, on_port),
};

/* --- talking to the room ------------------------------------------------------------------ */

void to_monitor(struct room *room, uint32_t type, const void *body, size_t size, int fd)
{
	assert_int_equal(ipc_send(room->monitor, type, body, size, fd), 0);
}

void to_control(struct room *room, uint32_t type, const void *body, size_t size)
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

/* Until it is not 0 any more. */
static void room_wait(struct room *room, const size_t *count)
{
	const struct timeval patience = {.tv_sec = PATIENCE / 1000};
	struct event *timeout = evtimer_new(room->base, on_timeout, room);

	assert_non_null(timeout);
	event_add(timeout, &patience);
	while (*count == 0 && !room->timed_out)
		assert_int_equal(event_base_loop(room->base, EVLOOP_ONCE), 0);
	event_free(timeout);
	assert_false(room->timed_out);
}

static void on_pong(void *arg)
{
	*(size_t *)arg = 1;
}

void room_ping(struct room *room)
{
	size_t answered = 0;

	assert_int_equal(ipc_ping(room->monitor, on_pong, &answered), 0);
	room_wait(room, &answered);
}

struct room_answer room_next(struct room *room)
{
	room_wait(room, &room->n_answers);

	struct room_answer answer = room->answers[0];

	room->n_answers--;
	memmove(room->answers, room->answers + 1, sizeof(room->answers) - sizeof(room->answers[0]));
	return answer;
}

struct room_answer room_expect(struct room *room, uint32_t type, uint32_t id)
{
	struct room_answer answer = room_next(room);

	assert_int_equal(answer.type, type);
	assert_int_equal(answer.id, id);
	return answer;
}

/* Routes as of a kernel that has one for FAR only, to the interface of device 3. */
static bool ask(int fd, const struct in6_addr *addr, unsigned int interface)
{
	const struct in6_addr far = packet_address("2001:db8:ffff::1");

	(void)fd;
	return interface == ROOM_INTERFACE + 3 && IN6_ARE_ADDR_EQUAL(addr, &far);
}

void room_start(struct room *room, bool server)
{
	const struct forward_config config = {
		.server = server, .sessions_max = SESSIONS, .icmp6_rate = 100000, .ask = ask};
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

void room_stop(struct room *room, int want)
{
	int status;

	/* What should end by itself does so before it sees its channels end. */
	if (want)
		assert_int_equal(waitpid(room->pid, &status, 0), room->pid);
	ipc_free(&room->monitor);
	ipc_free(&room->control);
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

void give_counters(struct room *room)
{
	size_t size = counters_size(SESSIONS);
	int fd = memfd_create("counters", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	room->counters = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(room->counters, MAP_FAILED);
	to_monitor(room, FORWARD_MSG_COUNTERS, NULL, 0, fd);
}

void give_raw(struct room *room)
{
	struct sockaddr_in there = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 41);

	room->peer = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 41);
	assert_int_not_equal(fd, -1);
	assert_int_not_equal(room->peer, -1);
	assert_int_equal(inet_pton(AF_INET, "192.0.2.2", &there.sin_addr), 1);
	assert_int_equal(bind(room->peer, (const struct sockaddr *)&there, sizeof(there)), 0);
	to_monitor(room, FORWARD_MSG_RAW, NULL, 0, fd);
}

int give_device(struct room *room, uint32_t index)
{
	const struct forward_device device = {.index = index, .interface = ROOM_INTERFACE + index};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	to_monitor(room, FORWARD_MSG_DEVICE, &device, sizeof(device), fds[1]);
	return fds[0];
}

void give_icmp(struct room *room, const char *source)
{
	const struct forward_icmp icmp = {.source = packet_address(source)};

	to_monitor(room, FORWARD_MSG_ICMP, &icmp, sizeof(icmp), -1);
}

struct forward_session room_session(uint32_t id, const char *peer)
{
	struct forward_session config = packet_session();

	config.id = id;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &config.local), 1);
	assert_int_equal(inet_pton(AF_INET, peer, &config.peer), 1);
	return config;
}

void room_add(struct room *room, const struct forward_session *config)
{
	to_control(room, FORWARD_MSG_ADD, config, sizeof(*config));
}

/* --- packets ------------------------------------------------------------------------------ */

void await(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&poll_fd, 1, PATIENCE), 1);
}

void tun_send(int tun, const uint8_t *packet, size_t len)
{
	struct virtio_net_hdr header = {0};
	uint8_t copy[2048];
	struct iovec iov[2] = {{&header, sizeof(header)}, {copy, len}};

	assert_true(len <= sizeof(copy));
	memcpy(copy, packet, len);
	assert_int_equal(writev(tun, iov, 2), sizeof(header) + len);
}

void tun_send_hex(int tun, const char *text)
{
	uint8_t packet[256];

	tun_send(tun, packet, packet_hex(text, packet, sizeof(packet)));
}

size_t tun_receive(int tun, struct virtio_net_hdr *header, uint8_t *packet, size_t size)
{
	struct iovec iov[2] = {{header, sizeof(*header)}, {packet, size}};

	await(tun);

	ssize_t n = readv(tun, iov, 2);

	assert_true(n >= (ssize_t)sizeof(*header));
	return (size_t)n - sizeof(*header);
}

void tun_expect_hex(int tun, const char *text)
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

void tun_expect_icmp6(int tun, uint8_t type, uint8_t code, uint32_t mtu)
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

void expect_count(const uint64_t *counter, uint64_t want)
{
	const volatile uint64_t *now = counter;

	for (int ms = 0; *now < want && ms < PATIENCE; ms++)
		usleep(1000);
	assert_int_equal(*now, want);
}

void set_loopback_mtu(int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
	close(fd);
}
