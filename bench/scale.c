/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the number of sessions costs the fast path.
 *
 *     fastpath-scale [-n RUNS] [-s SECONDS] [SESSIONS...]
 *
 * In a network namespace of its own this is a server's forward and root's part of the fast path in
 * one process, with real maps, programs and devices, and with so many sessions over UDP (1, 1,000
 * and 100,000) in the session table. Nobody is at their other ends: packets are put onto the TUN
 * device, or come in by the device outside, and the programs' own counters say how many were
 * carried. Each figure is the median of RUNS (3), with its ratio to the first size in the same run.
 * Needs root. bench/README.md has the method and figures.
 */
#include "fastpath/fastpath.h"
#include "forward/fast.h"
#include "forward/plane.h"
#include "netconf/netlink.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IPV4 = 20, UDP = 8, IPV6 = 40, TCP = 20, OUR_PORT = 4028, PEER_PORT = 40000 };
enum { SMALL = 64, SEGMENT = 1220, LARGE = IPV6 + TCP + 48 * SEGMENT, MTU = 1280 };
enum { BATCH = 64, CHANGES = 2000, RUNS_MAX = 99, SIZES_MAX = 8 };

#define HERE	0xc0000201u /* 192.0.2.1, and the router is 192.0.2.2 */
#define PEERS	0x0a000000u /* 10.0.0.0/8 has the clients */
#define SECOND	1000000000u
#define FOREVER INT64_MAX

enum figure {
	OUT_ONE,
	OUT_ALL,
	LARGE_ONE,
	LARGE_ALL,
	IN_ONE,
	IN_ALL,
	ADD,
	MOVE_ONE,
	MOVE_ALL,
	FIGURES
};

static const struct {
	const char *name;
	double unit;
	int decimals;
} figures[FIGURES] = {
	[OUT_ONE] = {"small packets out, all to one session, 1000/s", 1e3, 0},
	[OUT_ALL] = {"small packets out, to all sessions, 1000/s", 1e3, 0},
	[LARGE_ONE] = {"large packets out, all to one session, Gbit/s", 1e9, 2},
	[LARGE_ALL] = {"large packets out, to all sessions, Gbit/s", 1e9, 2},
	[IN_ONE] = {"small packets in, all of one session, 1000/s", 1e3, 0},
	[IN_ALL] = {"small packets in, of all sessions, 1000/s", 1e3, 0},
	[ADD] = {"a session is added and removed, µs", 1e-6, 1},
	[MOVE_ONE] = {"the same session moves to another peer, µs", 1e-6, 1},
	[MOVE_ALL] = {"any session moves to another peer, µs", 1e-6, 1},
};

static struct {
	uint32_t n;
	double seconds;
	int uplink;
	unsigned int uplink_index, tun_index;
	struct fastpath *fastpath;
	struct event_base *base;
	struct plane plane;
	struct fast_session *sessions;
	const struct fast_counters *counters;
	uint32_t lanes;
} world;

/* Processor time: whatever else this machine does, it does not count. */
static double now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == -1)
		err(1, "clock_gettime");
	return (double)time.tv_sec + (double)time.tv_nsec / SECOND;
}

static void must(int error, const char *what)
{
	if (error < 0)
		errx(1, "%s: %s", what, strerror(-error));
}

static uint32_t chance(uint32_t below)
{
	static uint64_t state = 20200;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static void put16(uint8_t *out, size_t number)
{
	out[0] = (uint8_t)(number >> 8);
	out[1] = (uint8_t)number;
}

static void put32(uint8_t *out, uint32_t number)
{
	put16(out, number >> 16);
	put16(out + 2, number & 0xffff);
}

/* --- the machine -------------------------------------------------------------------------- */

static struct sockaddr_in ipv4(uint32_t address)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
}

/* An Ethernet device of which nobody reads what goes out, and the way to all clients by it. */
static void make_uplink(void)
{
	struct ifreq request = {.ifr_name = "up0", .ifr_flags = IFF_TAP | IFF_NO_PI};
	const struct sockaddr_in here = ipv4(HERE), router = ipv4(HERE + 1), peers = ipv4(PEERS),
				 mask = ipv4(0xff000000);
	struct arpreq neighbour = {.arp_flags = ATF_PERM | ATF_COM, .arp_dev = "up0"};
	struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	world.uplink = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (world.uplink == -1 || control == -1 || ioctl(world.uplink, TUNSETIFF, &request) == -1)
		err(1, "a device for what goes out");
	world.uplink_index = if_nametoindex("up0");
	memcpy(&request.ifr_addr, &here, sizeof(here));
	if (ioctl(control, SIOCSIFADDR, &request) == -1)
		err(1, "an address");
	request.ifr_flags = IFF_UP;
	if (ioctl(control, SIOCSIFFLAGS, &request) == -1)
		err(1, "up0");
	memcpy(&neighbour.arp_pa, &router, sizeof(router));
	neighbour.arp_ha.sa_family = ARPHRD_ETHER;
	neighbour.arp_ha.sa_data[0] = 2;
	memcpy(&route.rt_dst, &peers, sizeof(peers));
	memcpy(&route.rt_genmask, &mask, sizeof(mask));
	memcpy(&route.rt_gateway, &router, sizeof(router));
	if (ioctl(control, SIOCSARP, &neighbour) == -1 || ioctl(control, SIOCADDRT, &route) == -1)
		err(1, "a route");
	close(control);
}

static void make_tun(struct netlink *netlink)
{
	struct prefix6 inside = {.len = 32};

	memcpy(&inside.addr, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
	must(tun_open("scale0", &world.tun_index), "a TUN device");
	must(netlink_link_setup(netlink, world.tun_index, "scale", MTU), "scale0");
	must(netlink_link_forward_ipv4(netlink, world.tun_index), "scale0");
	/* This machine is no router: what comes out of a tunnel and goes back there is dropped. */
	must(netlink_route_add(netlink, world.tun_index, &inside, 1024), "a route");
}

static void join_fastpath(void)
{
	const struct fastpath_config config = {
		.sessions_max = world.n + 1,
		.routes_max = 2 * (world.n + 1),
		.server = true,
		.udp_port = OUR_PORT,
		.interface = "scale0",
	};
	char why[160] = "";

	world.fastpath = fastpath_open(&config, why, sizeof(why));
	if (!world.fastpath)
		errx(1, "the fast path: %s", why);
	world.lanes = fastpath_lanes(world.fastpath);
	must(fastpath_set_tun(world.fastpath, world.tun_index), "the fast path");
	must(fastpath_follow(world.fastpath), "the fast path");
}

static void *map_here(enum fast_map map, size_t size, int protection)
{
	void *memory =
		mmap(NULL, size, protection, MAP_SHARED, fastpath_map(world.fastpath, map), 0);

	if (memory == MAP_FAILED)
		err(1, "a map of the kernel's");
	return memory;
}

static void make_plane(void)
{
	static const struct plane_reports reports = {0};
	const struct forward_config config = {.server = true, .sessions_max = world.n + 1};

	world.base = event_base_new();
	if (!world.base)
		errx(1, "out of memory");
	must(plane_open(&world.plane, &config, world.base, &reports, NULL), "forward");
	for (enum fast_map map = FAST_STATE; map < FAST_MAPS; map++) {
		const struct forward_fast message = {
			.map = map,
			.lanes = world.lanes,
			.receives = fastpath_receives(world.fastpath),
		};
		int fd = fcntl(fastpath_map(world.fastpath, map), F_DUPFD_CLOEXEC, 0);

		if (fd == -1)
			err(1, "a map of the kernel's");
		must(fast_take(world.plane.fast, &message, fd), "forward");
	}
	world.sessions = map_here(FAST_SESSIONS, (world.n + 1) * sizeof(*world.sessions),
				  PROT_READ | PROT_WRITE);
	world.counters =
		map_here(FAST_COUNTERS,
			 (world.n + 2) * (size_t)world.lanes * sizeof(*world.counters), PROT_READ);
}

/* --- sessions ----------------------------------------------------------------------------- */

/* Each has 2001:db8:ID::/64, as an octet's worth of zeros in front of a 32-bit number. */
static void put_prefix(uint8_t out[static 8], uint32_t id)
{
	memcpy(out, (const uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
	put32(out + 4, id);
}

static struct session *add_session(uint32_t id)
{
	struct forward_session config = {
		.id = id,
		.transport = FORWARD_UDP,
		.mtu = MTU,
		.local.s_addr = htonl(HERE),
		.peer.s_addr = htonl(PEERS + id),
		.peer_port = PEER_PORT,
		.session = id + 1,
		.n_prefixes = 2,
	};
	struct session *session;

	put_prefix(config.prefixes[0].addr.s6_addr, id);
	config.prefixes[0].len = 64;
	memcpy(config.prefixes[1].addr.s6_addr, (const uint8_t[]){0xfe, 0x80}, 2);
	put32(config.prefixes[1].addr.s6_addr + 12, id);
	config.prefixes[1].len = 128;
	must(table_add(world.plane.table, &config, &session), "a session");
	table_set_up(world.plane.table, session);
	return session;
}

/* As if forward had seen a packet of each in both directions. */
static void begin_sessions(void)
{
	for (uint32_t id = 0; id < world.n; id++) {
		struct fast_session *session = &world.sessions[id];

		if (!(session->flags & FAST_OUT))
			errx(1, "session %" PRIu32 " is not the kernel's", id);
		session->told = 1;
		session->shown = FOREVER;
		session->seen = FOREVER;
		session->came = session->way = world.uplink_index;
	}
}

static double measure_add(void)
{
	double begun = now();

	for (uint32_t i = 0; i < CHANGES; i++)
		table_remove(world.plane.table, add_session(world.n));
	return (now() - begun) / CHANGES;
}

static double measure_move(uint32_t busy)
{
	double begun = now();

	for (uint32_t i = 0; i < CHANGES; i++) {
		struct session *session = table_by_id(world.plane.table, chance(busy));
		struct table_peer peer = *session_peer(session);

		peer.port = (uint16_t)(peer.port == PEER_PORT ? PEER_PORT + 1 : PEER_PORT);
		(void)table_change_peer(world.plane.table, session, &peer, true);
	}
	return (now() - begun) / CHANGES;
}

/* --- packets ------------------------------------------------------------------------------ */

struct carried {
	uint64_t packets, octets;
};

static struct carried count(bool out)
{
	struct carried sum = {0};

	for (size_t i = 0; i < (size_t)world.n * world.lanes; i++) {
		const struct fast_counters *lane = &world.counters[i];

		sum.packets += out ? lane->out_packets : lane->in_packets;
		sum.octets += out ? lane->out_bytes : lane->in_bytes;
	}
	return sum;
}

static void write_ipv6(uint8_t *packet, size_t n, uint8_t next)
{
	packet[0] = 0x60;
	put16(packet + 4, n - IPV6);
	packet[6] = next;
	packet[7] = 64;
	put_prefix(packet + 8, 0xffffff06);
	packet[23] = 1;
	put_prefix(packet + 24, 0xffffff06);
	packet[39] = 2;
}

/* One batch onto the TUN device, as if the kernel had routed it there. */
static void send_out(int fd, uint32_t busy, uint8_t *data, size_t n,
		     const struct virtio_net_hdr *header)
{
	static uint8_t headers[BATCH][IPV6];
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IPV6),
				 .sll_ifindex = (int)world.tun_index};
	struct virtio_net_hdr copy = *header;
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH][3];

	for (int i = 0; i < BATCH; i++) {
		memcpy(headers[i], data, IPV6);
		put_prefix(headers[i] + 24, chance(busy));
		parts[i][0] = (struct iovec){&copy, sizeof(copy)};
		parts[i][1] = (struct iovec){headers[i], IPV6};
		parts[i][2] = (struct iovec){data + IPV6, n - IPV6};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to,
						      .msg_namelen = sizeof(to),
						      .msg_iov = parts[i],
						      .msg_iovlen = 3};
	}
	if (sendmmsg(fd, messages, BATCH, 0) != BATCH)
		err(1, "sendmmsg");
}

/* Until the time is over; forward has to be seen to be alive meanwhile. */
static double measure_out(uint32_t busy, bool large)
{
	static uint8_t data[LARGE];
	struct virtio_net_hdr header = {0};
	size_t n = large ? LARGE : SMALL;
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint64_t sent = 0;

	if (fd == -1 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == -1)
		err(1, "a packet socket");
	memset(data, 0, sizeof(data));
	write_ipv6(data, n, large ? IPPROTO_TCP : IPPROTO_UDP);
	data[IPV6 + 12] = TCP / 4 << 4;
	if (large)
		header = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						 .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
						 .hdr_len = IPV6 + TCP,
						 .gso_size = SEGMENT,
						 .csum_start = IPV6,
						 .csum_offset = 16};

	struct carried before = count(true);
	double begun = now();

	while (now() - begun < world.seconds) {
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		send_out(fd, busy, data, n, &header);
		sent += BATCH;
	}

	double took = now() - begun;
	struct carried after = count(true);
	uint64_t carried = after.packets - before.packets;

	close(fd);
	if (carried < sent * 99 / 100)
		errx(1, "of %" PRIu64 " packets out the kernel has carried %" PRIu64, sent,
		     carried);
	return large ? (double)(after.octets - before.octets) * 8 / took : (double)carried / took;
}

static void sum_ipv4(uint8_t *ip)
{
	uint32_t sum = 0;

	put16(ip + 10, 0);
	for (int i = 0; i < IPV4; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

static double measure_in(uint32_t busy)
{
	uint8_t frame[ETH_HLEN + IPV4 + UDP + SMALL] = {[12] = 0x08, [ETH_HLEN] = 0x45};
	uint8_t *ip = frame + ETH_HLEN;
	uint8_t *inner = ip + IPV4 + UDP;
	struct ifreq request = {.ifr_name = "up0"};
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t sent = 0;

	/* Ours, else the kernel takes it for somebody else's. */
	if (control == -1 || ioctl(control, SIOCGIFHWADDR, &request) == -1)
		err(1, "up0");
	close(control);
	memcpy(frame, request.ifr_hwaddr.sa_data, ETH_ALEN);
	put16(ip + 2, sizeof(frame) - ETH_HLEN);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	put32(ip + 16, HERE);
	put16(ip + IPV4, PEER_PORT);
	put16(ip + IPV4 + 2, OUR_PORT);
	put16(ip + IPV4 + 4, UDP + SMALL);
	write_ipv6(inner, SMALL, IPPROTO_UDP);

	struct carried before = count(false);
	double begun = now();

	while (now() - begun < world.seconds) {
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
		for (int i = 0; i < BATCH; i++) {
			uint32_t id = chance(busy);

			put32(ip + 12, PEERS + id);
			sum_ipv4(ip);
			put_prefix(inner + 8, id);
			if (write(world.uplink, frame, sizeof(frame)) != sizeof(frame))
				err(1, "up0");
		}
		sent += BATCH;
	}

	double took = now() - begun;
	uint64_t carried = count(false).packets - before.packets;

	if (carried < sent * 99 / 100)
		errx(1, "of %" PRIu64 " packets in the kernel has carried %" PRIu64, sent, carried);
	return (double)carried / took;
}

/* --- all of it ---------------------------------------------------------------------------- */

static void measure(double out[static FIGURES])
{
	struct netlink *netlink;

	if (unshare(CLONE_NEWNET) == -1)
		err(1, "a network namespace");
	must(netlink_open(&netlink), "netlink");
	make_uplink();
	make_tun(netlink);
	join_fastpath();
	make_plane();
	for (uint32_t id = 0; id < world.n; id++)
		(void)add_session(id);
	begin_sessions();
	out[OUT_ONE] = measure_out(1, false);
	out[OUT_ALL] = measure_out(world.n, false);
	out[LARGE_ONE] = measure_out(1, true);
	out[LARGE_ALL] = measure_out(world.n, true);
	if (fastpath_receives(world.fastpath)) {
		out[IN_ONE] = measure_in(1);
		out[IN_ALL] = measure_in(world.n);
	}
	out[ADD] = measure_add();
	out[MOVE_ONE] = measure_move(1);
	out[MOVE_ALL] = measure_move(world.n);
}

/* In a process of its own, which leaves nothing behind. */
static void measure_apart(double out[static FIGURES])
{
	int pipes[2];
	int status;
	pid_t pid;

	if (pipe(pipes) == -1 || (pid = fork()) == -1)
		err(1, "a process");
	if (pid == 0) {
		memset(out, 0, FIGURES * sizeof(*out));
		measure(out);
		_exit(write(pipes[1], out, FIGURES * sizeof(*out)) == -1);
	}
	close(pipes[1]);
	if (read(pipes[0], out, FIGURES * sizeof(*out)) != (ssize_t)(FIGURES * sizeof(*out)) ||
	    waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "no figures for %" PRIu32 " sessions", world.n);
	close(pipes[0]);
}

static int by_size(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

static double median(double values[static RUNS_MAX], int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_size);
	return values[n / 2];
}

static uint32_t number(const char *text, uint32_t max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value == 0 || value > max)
		errx(2, "not a number from 1 to %" PRIu32 ": %s", max, text);
	return (uint32_t)value;
}

int main(int argc, char **argv)
{
	static double found[SIZES_MAX][FIGURES][RUNS_MAX];
	uint32_t sizes[SIZES_MAX] = {1, 1000, 100000};
	int n_sizes = 3;
	int runs = 3;
	int option;

	world.seconds = 1;
	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			runs = (int)number(optarg, RUNS_MAX);
		else if (option == 's')
			world.seconds = number(optarg, 3600);
		else
			return 2;
	}
	if (argc - optind > SIZES_MAX)
		errx(2, "%d sizes at most", SIZES_MAX);
	for (int i = optind; i < argc; i++) {
		n_sizes = i - optind + 1;
		sizes[n_sizes - 1] = number(argv[i], 10000000);
	}
	for (int run = 0; run < runs; run++) {
		for (int i = 0; i < n_sizes; i++) {
			double out[FIGURES];

			world.n = sizes[i];
			measure_apart(out);
			for (int f = 0; f < FIGURES; f++)
				found[i][f][run] = out[f];
		}
	}
	printf("| sessions");
	for (int i = 0; i < n_sizes; i++)
		printf(" | %" PRIu32, sizes[i]);
	printf(" |\n| ---");
	for (int i = 0; i < n_sizes; i++)
		printf(" | ---");
	for (int f = 0; f < FIGURES; f++) {
		double base[RUNS_MAX];

		memcpy(base, found[0][f], sizeof(base));
		printf(" |\n| %s", figures[f].name);
		for (int i = 0; i < n_sizes; i++) {
			double ratios[RUNS_MAX] = {0};

			for (int run = 0; run < runs; run++)
				ratios[run] = base[run] > 0 ? found[i][f][run] / base[run] : 0;
			printf(" | %.*f (%.2f)", figures[f].decimals,
			       median(found[i][f], runs) / figures[f].unit, median(ratios, runs));
		}
	}
	printf(" |\n");
	return 0;
}
