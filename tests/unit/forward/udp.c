/* SPDX-License-Identifier: BSD-2-Clause */
#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

uint16_t udp_room_port = PORT;

/* --- sockets ------------------------------------------------------------------------------ */

struct sockaddr_in udp_address(const char *address, uint16_t port)
{
	struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, address, &out.sin_addr), 1);
	return out;
}

int udp_open(const char *address, uint16_t port)
{
	struct sockaddr_in here = udp_address(address, port);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
	return fd;
}

uint16_t udp_port(int fd)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &len), 0);
	return ntohs(here.sin_port);
}

void udp_send(int fd, const uint8_t *data, size_t len)
{
	struct sockaddr_in there = udp_address("192.0.2.1", udp_room_port);

	assert_int_equal(sendto(fd, data, len, 0, (const struct sockaddr *)&there, sizeof(there)),
			 len);
}

void udp_send_hex(int fd, const char *text)
{
	uint8_t packet[256];

	udp_send(fd, packet, packet_hex(text, packet, sizeof(packet)));
}

size_t udp_receive(int fd, uint8_t *data, size_t size, uint8_t *tos)
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
	struct sockaddr_in room = udp_address("192.0.2.1", udp_room_port);

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

void udp_expect_hex(int fd, uint8_t tos, const char *text)
{
	uint8_t want[256];
	uint8_t got[2048];
	uint8_t got_tos;
	size_t len = packet_hex(text, want, sizeof(want));

	assert_int_equal(udp_receive(fd, got, sizeof(got), &got_tos), len);
	assert_memory_equal(got, want, len);
	assert_int_equal(got_tos, tos);
}

void udp_expect_nothing(int fd)
{
	uint8_t got;

	assert_int_equal(recv(fd, &got, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

void report_too_big(const char *peer, uint16_t port, uint16_t mtu)
{
	struct sockaddr_in room = udp_address("192.0.2.1", 0);
	struct sockaddr_in there = udp_address(peer, port);
	/* "Fragmentation needed"; behind it the IPv4 and UDP headers of what was sent. */
	uint8_t report[8 + 20 + 8] = {3, 4, 0, 0, 0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu, 0x45};
	uint8_t *header = report + 8;
	uint32_t sum = 0;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	assert_int_not_equal(fd, -1);
	header[2] = 1500 >> 8;
	header[3] = 1500 & 0xff;
	header[8] = 64;
	header[9] = port ? IPPROTO_UDP : IPPROTO_IPV6;
	memcpy(header + 12, &room.sin_addr, 4);
	memcpy(header + 16, &there.sin_addr, 4);
	header[20] = PORT >> 8;
	header[21] = PORT & 0xff;
	memcpy(header + 22, &there.sin_port, 2);
	for (size_t i = 0; i < sizeof(report); i += 2)
		sum += (uint32_t)(report[i] << 8 | report[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	report[2] = (uint8_t)(sum >> 8);
	report[3] = (uint8_t)sum;
	assert_int_equal(
		sendto(fd, report, sizeof(report), 0, (const struct sockaddr *)&room, sizeof(room)),
		sizeof(report));
	close(fd);
}

void udp_drain(int fd)
{
	uint8_t got;

	while (recv(fd, &got, 1, MSG_DONTWAIT) != -1)
		continue;
	assert_int_equal(errno, EAGAIN);
}

void give_udp(struct room *room)
{
	to_monitor(room, FORWARD_MSG_UDP, NULL, 0, udp_open("0.0.0.0", PORT));
}

void give_candidate(struct room *room, uint16_t port)
{
	const struct forward_port body = {.port = port};

	to_monitor(room, FORWARD_MSG_CANDIDATE, &body, sizeof(body), udp_open("0.0.0.0", port));
}

uint16_t udp_next(int fd, uint8_t *first)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	await(fd);
	assert_int_equal(recvfrom(fd, first, 1, MSG_PEEK, (struct sockaddr *)&from, &len), 1);
	return ntohs(from.sin_port);
}

void udp_expect_closed(uint16_t port)
{
	struct sockaddr_in here = udp_address("0.0.0.0", port);
	int result = -1;

	/* Unlike udp_open(), this does not share a port. */
	for (int ms = 0; result == -1 && ms < PATIENCE; ms++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_int_not_equal(fd, -1);
		result = bind(fd, (const struct sockaddr *)&here, sizeof(here));
		close(fd);
		usleep(1000);
	}
	assert_int_equal(result, 0);
}

/* --- sessions and probes ------------------------------------------------------------------ */

struct forward_session udp_session(uint32_t id, uint32_t port)
{
	struct forward_session config = room_session(id, "192.0.2.2");

	config.transport = FORWARD_UDP;
	config.peer_port = port;
	config.session = SESSION + id;
	memset(config.key, 0x55, sizeof(config.key));
	config.prefixes[0].addr.s6_addr[6] = (uint8_t)id;
	return config;
}

void probe_send_proof(int fd, const struct forward_session *config, enum probe_type type,
		      uint64_t counter, uint32_t clock, uint32_t proof)
{
	const struct probe probe = {
		.type = type,
		.clock = clock,
		.session = config->session,
		.counter = counter,
		.proof = proof,
	};
	uint8_t octets[PROBE_SIZE];

	assert_true(probe_write(&probe, config->key, octets));
	udp_send(fd, octets, sizeof(octets));
}

void probe_send(int fd, const struct forward_session *config, enum probe_type type,
		uint64_t counter, uint32_t clock)
{
	probe_send_proof(fd, config, type, counter, clock, 0);
}

struct probe probe_expect(int fd, const struct forward_session *config, enum probe_type type)
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
