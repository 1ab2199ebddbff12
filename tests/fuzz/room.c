/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole forward room, with everything outside of it replaced: channels, sockets, devices and
 * the clock. The input is played in the room's own loop: messages of monitor and control, packets
 * from either side, errors of the sockets, and time. Packets must add up: each one that came is
 * found again, sent on or counted as dropped.
 */
#include "loop.h"
#include "packets.h"

#include "forward/counters.h"
#include "forward/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SESSIONS = 4, DEVICES = 4, MONITOR = 0, CONTROL = 1, OTHER_PORT = 50000, GATHERED = 70000 };

/* What a socket or a device has to read, one packet at a time. */
struct source {
	int fd; /* -1: the room does not have it */
	uint8_t *packet;
	size_t len;
};

static struct {
	struct fuzz_input *input;
	bool server;
	struct counters_page *page;
	struct source raw, udp, devices[DEVICES];
	struct source other; /* the client's other UDP socket */
	/* what the sockets and devices do next */
	int send_error, write_error, read_error;
	struct virtio_net_hdr offload; /* with the packet that was last read from TUN */
	uint16_t merged; /* octets of each datagram of those that come as one; 0: it comes alone */
	bool calm;	 /* nothing fails */
	/* sessions by what control has heard */
	bool live[SESSIONS], announced[SESSIONS];
	uint32_t asked; /* the message being handled */
	bool answered;
	/* what waits in the error queue of a socket */
	const struct source *reported; /* NULL: there is none */
	struct sockaddr_in report_peer;
	uint8_t report[512];
	size_t report_len;
	/* what happened, and how much of it was looked at */
	unsigned int written, sent, learned, paths, silences, ports;
	uint64_t reached[256];
	uint8_t last[1280]; /* the last packet written to a device, if it is short enough */
	size_t last_len;
} world;

/* --- numbers ------------------------------------------------------------------------------ */

uint32_t __wrap_arc4random(void);
void __wrap_arc4random_buf(void *buf, size_t size);

uint32_t __wrap_arc4random(void)
{
	return 0x1234;
}

void __wrap_arc4random_buf(void *buf, size_t size)
{
	memset(buf, 1, size);
}

/* --- sockets and devices ------------------------------------------------------------------ */

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec *wait);
int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_readv(int fd, const struct iovec *iov, int n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n);

static struct source *socket_of(int fd)
{
	struct source *sockets[] = {&world.raw, &world.udp, &world.other};

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (fd != -1 && sockets[i]->fd == fd)
			return sockets[i];
	}
	return NULL;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	(void)value;
	FUZZ_CHECK(socket_of(fd) && size == sizeof(int));
	FUZZ_CHECK(level == IPPROTO_IP ||
		   (level == IPPROTO_UDP && option == UDP_GRO && fd != world.raw.fd));
	return 0;
}

static int source_take(struct source *source, void *out, size_t size, size_t *len)
{
	if (!source->packet) {
		errno = EAGAIN;
		return -1;
	}
	*len = source->len < size ? source->len : size;
	if (*len)
		memcpy(out, source->packet, *len);
	free(source->packet);
	source->packet = NULL;
	return 0;
}

static void source_give(struct source *source, uint8_t *packet, size_t len)
{
	free(source->packet);
	source->packet = packet;
	source->len = len;
}

static struct sockaddr_in place(uint8_t who)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0xc6336402 + who % 4),
		.sin_port = htons((uint16_t)(who / 4 % 4 * 2014)),
	};
}

/* What the kernel tells with a datagram, or with several that it has merged. */
static void datagram_from(struct msghdr *msg, uint8_t who)
{
	int size = world.merged;
	const struct sockaddr_in peer = place(who);
	struct in_pktinfo info = {.ipi_addr = fuzz_ipv4("192.0.2.1")};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);

	FUZZ_CHECK(cmsg);
	memcpy(msg->msg_name, &peer, sizeof(peer));
	cmsg->cmsg_level = IPPROTO_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	cmsg = CMSG_NXTHDR(msg, cmsg);
	msg->msg_controllen = CMSG_SPACE(sizeof(info));
	if (!size)
		return;
	FUZZ_CHECK(cmsg);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_GRO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(cmsg), &size, sizeof(size));
	msg->msg_controllen += CMSG_SPACE(sizeof(size));
}

int __wrap_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags, struct timespec *wait)
{
	struct source *source = socket_of(fd);
	struct msghdr *msg = &msgs[0].msg_hdr;
	size_t len;

	FUZZ_CHECK(source && n > 0 && flags == MSG_DONTWAIT && !wait);
	if (source_take(source, msg->msg_iov->iov_base, msg->msg_iov->iov_len, &len) == -1)
		return -1;
	msgs[0].msg_len = (unsigned int)len;
	if (source != &world.raw)
		datagram_from(msg, fuzz_byte(world.input));
	return 1;
}

static bool somebody_is_live(void)
{
	for (size_t i = 0; i < SESSIONS; i++) {
		if (world.live[i])
			return true;
	}
	return false;
}

/* One that nobody has sent into the tunnel. */
static bool is_trial(const uint8_t *data, size_t len)
{
	static const uint8_t numbers[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	return len == FORWARD_TRIAL_MIN && data[6] == IPPROTO_ICMPV6 && data[40] == 128 &&
	       memcmp(data + 48, numbers, sizeof(numbers)) == 0;
}

static void check_packet(const uint8_t *data, size_t len, const struct source *source)
{
	if (data[0] >> 4 == 0xd) {
		FUZZ_CHECK(source != &world.raw && len == PROBE_SIZE);
		FUZZ_CHECK(data[0] == (world.server ? PROBE_ANSWER : PROBE_HELLO));
		return;
	}
	/* Packets go by one socket. */
	FUZZ_CHECK(source != &world.other);
	FUZZ_CHECK(data[0] >> 4 == 6 && len >= 40 && len <= 1480);
	FUZZ_CHECK(len == 40 + (size_t)(data[4] << 8 | data[5]));
	if (is_trial(data, len))
		return;
	world.sent++;
}

/* Puts the parts one behind the other; returns how long that is. */
static size_t gather(const struct iovec *parts, size_t n, uint8_t out[static GATHERED])
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		FUZZ_CHECK(parts[i].iov_len <= GATHERED - len);
		if (parts[i].iov_len)
			memcpy(out + len, parts[i].iov_base, parts[i].iov_len);
		len += parts[i].iov_len;
	}
	return len;
}

/* The packets' size, if the message is a train. */
static size_t train_size(struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		uint16_t size;

		if (cmsg->cmsg_level != IPPROTO_UDP)
			continue;
		FUZZ_CHECK(cmsg->cmsg_type == UDP_SEGMENT);
		FUZZ_CHECK(cmsg->cmsg_len == CMSG_LEN(sizeof(size)));
		memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
		return size;
	}
	return 0;
}

static void check_sent(struct mmsghdr *msg, const struct source *source)
{
	static uint8_t data[GATHERED];
	bool udp = source != &world.raw;
	size_t len = gather(msg->msg_hdr.msg_iov, msg->msg_hdr.msg_iovlen, data);
	size_t size = train_size(&msg->msg_hdr);
	struct sockaddr_in peer;

	memcpy(&peer, msg->msg_hdr.msg_name, sizeof(peer));
	FUZZ_CHECK(peer.sin_addr.s_addr != 0 && (peer.sin_port != 0) == udp);
	FUZZ_CHECK(somebody_is_live());
	/* What the kernel takes: two packets at least, 64 at most, in one datagram. */
	FUZZ_CHECK(!size || (udp && size < len && len <= 65507 && (len - 1) / size < 64));
	for (size_t at = 0; at < len; at += size ? size : len)
		check_packet(data + at, size && len - at > size ? size : len - at, source);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
	FUZZ_CHECK(socket_of(fd) && n > 0 && n <= 256);
	FUZZ_CHECK(flags == (MSG_DONTWAIT | MSG_NOSIGNAL));
	if (world.send_error && fuzz_bool(world.input)) {
		errno = world.send_error;
		return -1;
	}
	for (unsigned int i = 0; i < n; i++)
		check_sent(&msgs[i], socket_of(fd));
	return (int)n;
}

/* The error queue. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	FUZZ_CHECK(socket_of(fd) && flags == (MSG_ERRQUEUE | MSG_DONTWAIT));
	if (!world.reported || world.reported->fd != fd) {
		errno = EAGAIN;
		return -1;
	}
	world.reported = NULL;
	FUZZ_CHECK(msg->msg_controllen >= world.report_len);
	memcpy(msg->msg_control, world.report, world.report_len);
	msg->msg_controllen = world.report_len;
	memcpy(msg->msg_name, &world.report_peer, sizeof(world.report_peer));
	return 0;
}

static struct source *device_of(int fd)
{
	for (size_t i = 0; i < DEVICES; i++) {
		if (world.devices[i].fd == fd)
			return &world.devices[i];
	}
	return NULL;
}

ssize_t __wrap_readv(int fd, const struct iovec *iov, int n)
{
	struct source *device = device_of(fd);
	size_t len;

	FUZZ_CHECK(device && n == 2 && iov[1].iov_len == 65536);
	if (world.read_error) {
		errno = world.read_error;
		return -1;
	}
	if (source_take(device, iov[1].iov_base, iov[1].iov_len, &len) == -1)
		return -1;
	memset(iov[0].iov_base, 0, iov[0].iov_len);
	if (fuzz_bool(world.input))
		fuzz_fill(world.input, iov[0].iov_base, iov[0].iov_len);
	memcpy(&world.offload, iov[0].iov_base, sizeof(world.offload));
	return (ssize_t)(iov[0].iov_len + len);
}

/* What was joined here: headers, and then the payload of each packet. */
static void check_joined(const struct virtio_net_hdr *header, const struct iovec *iov, int n,
			 const uint8_t *packet, size_t len)
{
	bool tcp = packet[6] == IPPROTO_TCP;
	size_t check = tcp ? 56 : 46;

	FUZZ_CHECK(n > 3 && n <= 2 + 64 && header->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	FUZZ_CHECK(header->csum_start == 40 && header->csum_offset + 40u == check);
	FUZZ_CHECK((packet[check] << 8 | packet[check + 1]) ==
		   packets_sum_pseudo(packet, packet[6], len - 40));
	FUZZ_CHECK(header->hdr_len == iov[1].iov_len);
	for (int i = 2; i < n; i++)
		FUZZ_CHECK(i + 1 < n ? iov[i].iov_len == header->gso_size
				     : iov[i].iov_len <= header->gso_size);
}

ssize_t __wrap_writev(int fd, const struct iovec *iov, int n)
{
	static uint8_t packet[GATHERED];
	struct virtio_net_hdr header;
	bool joined;
	size_t len;

	FUZZ_CHECK(device_of(fd) && n >= 2 && iov[0].iov_len == sizeof(header));
	memcpy(&header, iov[0].iov_base, sizeof(header));
	len = gather(iov + 1, (size_t)(n - 1), packet);
	FUZZ_CHECK(len >= 40 && packet[0] >> 4 == 6);
	FUZZ_CHECK(len == 40 + (size_t)(packet[4] << 8 | packet[5]));
	joined = n > 2 && header.gso_type;
	if (joined)
		check_joined(&header, iov, n, packet, len);
	else
		packets_check_header(&header, packet, len);
	if (world.write_error) {
		errno = world.write_error;
		return -1;
	}
	world.last_len = len;
	if (len <= sizeof(world.last))
		memcpy(world.last, packet, len);
	world.written += joined ? (unsigned int)n - 2 : 1;
	return (ssize_t)(sizeof(header) + len);
}

/* --- what the room says ------------------------------------------------------------------- */

void loop_sent(unsigned int channel, uint32_t type, const void *body, size_t size)
{
	struct forward_id id;

	/* Nothing is for monitor but the channel's own answers to pings. */
	FUZZ_CHECK(channel == CONTROL);
	FUZZ_CHECK(size >= sizeof(id));
	memcpy(&id, body, sizeof(id));
	if (type == FORWARD_MSG_REFUSED) {
		FUZZ_CHECK(world.asked == FORWARD_MSG_ADD && !world.answered);
		world.answered = true;
		return;
	}
	if (type == FORWARD_MSG_REMOVED) {
		FUZZ_CHECK(world.asked == FORWARD_MSG_REMOVE && !world.answered);
		world.answered = true;
		return;
	}
	if (type == FORWARD_MSG_PORT) {
		FUZZ_CHECK(!world.server && size == sizeof(struct forward_port));
		FUZZ_CHECK(id.id == OTHER_PORT && world.other.fd != -1);
		free(world.udp.packet);
		world.udp = world.other;
		world.other = (struct source){.fd = -1};
		world.ports++;
		return;
	}
	/* The others are of a session that is there. */
	FUZZ_CHECK(id.id < SESSIONS && world.live[id.id]);
	if (type == FORWARD_MSG_ADDED) {
		FUZZ_CHECK(!world.announced[id.id]);
		world.announced[id.id] = true;
	} else if (type == FORWARD_MSG_LEARNED) {
		FUZZ_CHECK(world.server && size == sizeof(struct forward_learned));
		FUZZ_CHECK(world.announced[id.id]);
		world.learned++;
	} else if (type == FORWARD_MSG_SILENT) {
		FUZZ_CHECK(!world.server);
		world.silences++;
	} else if (type == FORWARD_MSG_RESULT) {
		FUZZ_CHECK(!world.server && size == sizeof(struct forward_result));
	} else {
		FUZZ_CHECK(type == FORWARD_MSG_PATH && size == sizeof(struct forward_path));
		world.paths++;
	}
}

/* --- what the room hears ------------------------------------------------------------------ */

/* Always readable, so that the loop asks each time. */
static int make_fd(void)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	FUZZ_CHECK(fd != -1);
	return fd;
}

static void from_monitor(struct fuzz_input *input)
{
	struct forward_icmp icmp = {.source = fuzz_ipv6("2001:db8::1")};
	struct forward_prefix assigned = {{fuzz_ipv6("2001:db8:200::"), 40}};
	struct forward_device device = {.index = fuzz_byte(input) % DEVICES, .interface = 7};
	const struct forward_port port = {OTHER_PORT};

	struct forward_settings settings = {.icmp6_rate = device.index * 1000, .debug = 1};

	switch (fuzz_below(input, 9)) {
	case 0:
		world.raw.fd = make_fd();
		loop_deliver(MONITOR, FORWARD_MSG_RAW, NULL, world.raw.fd);
		break;
	case 1:
		world.udp.fd = make_fd();
		loop_deliver(MONITOR, FORWARD_MSG_UDP, NULL, world.udp.fd);
		break;
	case 2:
		if (fuzz_bool(input))
			fuzz_fill(input, &icmp, sizeof(icmp));
		loop_deliver(MONITOR, FORWARD_MSG_ICMP, &icmp, -1);
		break;
	case 3:
		if (fuzz_bool(input))
			fuzz_fill(input, &assigned, sizeof(assigned));
		loop_deliver(MONITOR, FORWARD_MSG_ASSIGNED, &assigned, -1);
		break;
	case 4:
		world.devices[device.index].fd = make_fd();
		loop_deliver(MONITOR, FORWARD_MSG_DEVICE, &device, world.devices[device.index].fd);
		break;
	case 5:
		loop_deliver(MONITOR, FORWARD_MSG_NO_DEVICE, &device, -1);
		world.devices[device.index].fd = -1;
		break;
	case 6:
		loop_deliver(MONITOR, FORWARD_MSG_SETTINGS, &settings, -1);
		break;
	case 7:
		if (world.server)
			break;
		source_give(&world.other, NULL, 0);
		world.other.fd = make_fd();
		loop_deliver(MONITOR, FORWARD_MSG_CANDIDATE, &port, world.other.fd);
		break;
	default:
		break;
	}
}

/* Control's requests; each is answered where an answer is due. */
static void ask(uint32_t type, const void *body)
{
	world.asked = type;
	world.answered = false;
	loop_deliver(CONTROL, type, body, -1);
	world.asked = 0;
}

static void add(struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	struct forward_session add = packets_session((what & 3u) % 3u, what & 4, world.server);

	if (what & 8)
		add.id = fuzz_byte(input);
	if (what & 16)
		add.peer_port = fuzz_16(input);
	if (what & 32)
		add.peer.s_addr = fuzz_32(input);
	if (what & 64)
		add.prefixes[add.n_prefixes++] =
			(struct prefix6){fuzz_ipv6("2001:db8:1ff::"), fuzz_byte(input)};
	/* Whatever a taken-over control room would say. */
	if (what & 128)
		fuzz_fill(input, &add, sizeof(add));

	bool fresh = add.id < SESSIONS && !world.live[add.id];

	if (fresh)
		world.live[add.id] = true;
	ask(FORWARD_MSG_ADD, &add);
	FUZZ_CHECK(world.answered || fresh);
	if (world.answered && fresh) {
		FUZZ_CHECK(!world.announced[add.id]);
		world.live[add.id] = false;
	}
}

static void from_control(struct fuzz_input *input)
{
	struct forward_id id = {fuzz_byte(input) % (SESSIONS + 1)};
	struct forward_trial trial = {
		.source = fuzz_ipv6("2001:db8:100::1"),
		.target = fuzz_ipv6("2001:db8:6::2"),
		.size = FORWARD_TRIAL_MIN,
		.df = id.id & 1,
	};

	uint32_t what = fuzz_below(input, 3);

	/* A server's forward does not take this. */
	if (world.server && what == 1)
		return;
	switch (what) {
	case 0:
		ask(FORWARD_MSG_REMOVE, &id);
		FUZZ_CHECK(world.answered);
		if (id.id < SESSIONS)
			world.live[id.id] = world.announced[id.id] = false;
		break;
	case 1:
		ask(FORWARD_MSG_HELLO, &id);
		trial.id = id.id;
		ask(FORWARD_MSG_TRIAL, &trial);
		break;
	default:
		add(input);
		break;
	}
}

/* --- packets ------------------------------------------------------------------------------ */

static uint64_t drops(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < DROP_REASONS; i++)
		sum += world.page->drops[i];
	return sum;
}

static uint64_t probes(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SESSIONS; i++)
		sum += world.page->session[i].probes;
	return sum;
}

/* True where what happens next is of the next packet alone. */
static bool is_calm(void)
{
	for (size_t i = 0; i < DEVICES; i++) {
		if (world.devices[i].packet)
			return false;
	}
	return world.calm;
}

/* A probe that is right, or nearly. */
static uint8_t *make_probe(struct fuzz_input *input, size_t *len)
{
	uint8_t what = fuzz_byte(input);
	struct forward_session config = packets_session((what & 3u) % 3u, true, world.server);
	struct probe probe = {
		.type = world.server != ((what & 8) != 0) ? PROBE_HELLO : PROBE_ANSWER,
		.session = config.session,
		.counter = fuzz_byte(input),
		/* The sessions' numbers are random: those that repeat one are in probe.c. */
		.proof = what >> 5,
	};
	uint8_t octets[PROBE_SIZE];

	FUZZ_CHECK(probe_write(&probe, config.key, octets));
	if (what & 16)
		fuzz_spoil(input, octets, sizeof(octets));
	*len = sizeof(octets);
	return fuzz_copy(octets, sizeof(octets));
}

static uint8_t *make_raw(struct fuzz_input *input, uint8_t what, size_t *len)
{
	uint8_t *inner = packets_make(input, len);
	uint8_t *packet = calloc(1, *len + 20);

	FUZZ_CHECK(packet);
	memcpy(packet + 20, inner, *len);
	free(inner);
	packet[0] = 0x45;
	packet[1] = what;
	memcpy(packet + 12, &(struct in_addr){htonl(0xc6336402 + what % 4)}, 4);
	memcpy(packet + 16, &(struct in_addr){htonl(0xc0000201)}, 4);
	*len += 20;
	return packet;
}

/* What is found again of packets that came from outside. */
static uint64_t found_inside(void)
{
	return world.written + drops() + probes();
}

static void from_outside(struct fuzz_input *input, struct source *source)
{
	uint64_t before = found_inside(), refused = world.page->drops[DROP_SEND];
	uint8_t what = fuzz_byte(input);
	bool calm = is_calm();
	size_t len;
	uint8_t *packet;

	if (source->fd == -1)
		return;
	if (source == &world.raw)
		packet = make_raw(input, what, &len);
	else if (what & 1)
		packet = make_probe(input, &len);
	else
		packet = packets_make(input, &len);
	world.merged = 0;
	if (what & 32 && len > 1)
		world.merged = (uint16_t)(1 + fuzz_16(input) % (len - 1));
	source_give(source, packet, len);
	loop_run();
	FUZZ_CHECK(!source->packet || loop_ended());
	if (!calm || (world.merged && source != &world.raw))
		return;
	/* A good hello or request and its answer are two, of which the second can be lost; or the
	 * hello came from where nothing can be sent. */
	refused = world.page->drops[DROP_SEND] - refused;
	FUZZ_CHECK(found_inside() - before == 1 + refused ||
		   (found_inside() - before == 1 && refused == 1));
}

/* What the kernel has asked to complete is quoted as completed. */
static void expect_checksum(uint8_t *packet, size_t len)
{
	size_t at = (size_t)world.offload.csum_start + world.offload.csum_offset;

	if (!(world.offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	for (size_t i = at; i < at + 2 && i < len && 48 + i < world.last_len; i++)
		packet[i] = world.last[48 + i];
}

static void from_tun(struct fuzz_input *input)
{
	struct source *device = &world.devices[fuzz_below(input, DEVICES)];
	unsigned int sent = world.sent, written = world.written;
	uint64_t before = drops(), errors = world.page->icmp6_sent;
	bool calm = is_calm();
	uint8_t *packet, *copy;
	size_t len;

	if (device->fd == -1 || device->packet)
		return;
	packet = packets_make(input, &len);
	copy = fuzz_copy(packet, len);
	source_give(device, packet, len);
	loop_run();
	/* A device is not read while no socket is there. */
	if (calm && !device->packet && world.offload.gso_type) {
		/* A large one: as many as it is cut into; and at most one error for all. */
		FUZZ_CHECK(world.sent - sent + drops() - before >= 1);
		FUZZ_CHECK(world.sent - sent + drops() - before <= 128);
		FUZZ_CHECK(world.written - written <= 1);
	} else if (calm && !device->packet) {
		FUZZ_CHECK(world.sent - sent + drops() - before == 1);
		FUZZ_CHECK(world.written - written == world.page->icmp6_sent - errors);
		FUZZ_CHECK(world.written - written <= 1);
		if (world.written > written) {
			FUZZ_CHECK(drops() > before && len >= 40);
			expect_checksum(copy, len);
			packets_check_error(world.last, world.last_len, copy,
					    40 + (size_t)(copy[4] << 8 | copy[5]));
		}
	}
	free(copy);
}

/* --- the script --------------------------------------------------------------------------- */

static void trouble(struct fuzz_input *input)
{
	static const int errors[] = {EAGAIN, EMSGSIZE, ECONNREFUSED, ENOBUFS, EINTR, EPERM};
	uint8_t what = fuzz_byte(input);

	world.send_error = errors[what % (sizeof(errors) / sizeof(errors[0]))];
	world.write_error = what & 128 ? EIO : 0;
	world.read_error = what == 255 ? EBADFD : 0;
	world.calm = false;
}

static void no_trouble(void)
{
	world.send_error = world.write_error = world.read_error = 0;
	/* What waited goes out now. */
	loop_run();
	loop_run();
	world.calm = true;
}

/* Something for an error queue, which the room finds when it next looks there. */
static void report(struct fuzz_input *input)
{
	struct msghdr msg = {.msg_control = world.report, .msg_controllen = sizeof(world.report)};
	uint8_t who = fuzz_byte(input);

	packets_control(input, &msg);
	world.report_len = msg.msg_controllen;
	world.report_peer = place(who);
	world.reported = who & 64 ? &world.udp : &world.raw;
}

/* A seed says that this has happened since it was last asked about. */
static void must_have_reached(uint8_t what)
{
	uint64_t count;

	switch (what) {
	case 'h':
		count = probes();
		break;
	case 'i':
		count = world.page->icmp6_sent;
		break;
	case 'l':
		count = world.learned;
		break;
	case 'n':
		count = world.ports;
		break;
	case 'p':
		count = world.paths;
		break;
	case 'r':
		count = world.page->drops[DROP_SEND];
		break;
	case 's':
		count = world.sent;
		break;
	case 'w':
		count = world.written;
		break;
	case 'x':
		count = world.page->icmp_errors;
		break;
	case 'z':
		count = world.silences;
		break;
	default:
		return;
	}
	FUZZ_CHECK(!fuzz_replays || count > world.reached[what]);
	world.reached[what] = count;
}

static void step(struct fuzz_input *input)
{
	switch (fuzz_byte(input)) {
	case 'm':
		from_monitor(input);
		break;
	case 'c':
		from_control(input);
		break;
	case 'a':
		add(input);
		break;
	case 'r':
		from_outside(input, &world.raw);
		break;
	case 'u':
		from_outside(input, &world.udp);
		break;
	case 'v':
		from_outside(input, &world.other);
		break;
	case 't':
		from_tun(input);
		break;
	case 'e':
		trouble(input);
		break;
	case 'q':
		report(input);
		break;
	case '=':
		must_have_reached(fuzz_byte(input));
		break;
	case 'o':
		no_trouble();
		break;
	case 'w':
		loop_pass((uint64_t)fuzz_16(input) * 1000);
		break;
	default:
		break;
	}
}

static void give_counters(void)
{
	size_t size = counters_size(SESSIONS);
	int fd = memfd_create("counters", MFD_CLOEXEC);

	FUZZ_CHECK(fd != -1 && ftruncate(fd, (off_t)size) == 0);
	world.page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	FUZZ_CHECK(world.page != MAP_FAILED);
	loop_deliver(MONITOR, FORWARD_MSG_COUNTERS, NULL, fd);
	FUZZ_CHECK(world.page->magic == COUNTERS_MAGIC);
}

void loop_play(void)
{
	give_counters();
	loop_deliver(MONITOR, FORWARD_MSG_ROUTES, NULL, make_fd());
	world.calm = true;
	while (world.input->left > 0 && !loop_ended()) {
		step(world.input);
		/* The room has decided for the one that it had before. */
		if (world.other.fd != -1 && fcntl(world.other.fd, F_GETFD) == -1)
			world.other.fd = -1;
	}
}

/* Routes lead wherever. */
static bool ask_routes(int fd, const struct in6_addr *addr, unsigned int interface)
{
	FUZZ_CHECK(world.server && fd != -1 && interface == 7);
	return addr->s6_addr[15] & 1;
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct forward_config config = {
		.sessions_max = SESSIONS, .icmp6_rate = 1000, .ask = ask_routes};

	memset(&world, 0, sizeof(world));
	world.input = &input;
	world.raw.fd = world.udp.fd = world.other.fd = -1;
	for (size_t i = 0; i < DEVICES; i++)
		world.devices[i].fd = -1;
	config.server = world.server = fuzz_bool(&input);
	config.trials = !config.server;
	loop_reset(1000000000);
	(void)forward_run(&config, -1, -1);
	FUZZ_CHECK(loop_timers() == 0);
	(void)munmap(world.page, counters_size(SESSIONS));
	free(world.raw.packet);
	free(world.udp.packet);
	free(world.other.packet);
	for (size_t i = 0; i < DEVICES; i++)
		free(world.devices[i].packet);
}
