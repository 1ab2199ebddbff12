/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/outbound.h"

#include "base/clock.h"
#include "base/log.h"
#include "forward/encap.h"
#include "forward/icmp6.h"
#include "forward/keepalive.h"
#include "forward/plane_session.h"
#include "forward/probing.h"

#include <errno.h>
#include <string.h>

/* Packets and octets read from a device per turn. */
#define OUTBOUND_PACKETS 256
#define OUTBOUND_OCTETS	 (1 << 20)

/* Octets in the arena for the headers of segments, behind the packet. */
#define OUTBOUND_HEADERS 32768

_Static_assert(OUTBOUND_HEADERS >= FORWARD_MTU_MAX, "what may be sent has shorter headers");

/* Sends an ICMPv6 error to the sender of a packet from this device, if allowed. */
static void outbound_answer(struct plane *plane, const struct device *device,
			    const struct encap *encap, uint64_t now)
{
	struct icmp6_limit *limit =
		encap->session ? &session_plane(encap->session)->icmp6 : &plane->icmp6;
	struct virtio_net_hdr plain = {0};
	uint8_t packet[ICMP6_ERROR_SIZE];
	struct iovec parts[2] = {{&plain, sizeof(plain)}, {packet, 0}};

	if (!icmp6_allowed(encap->error.kind, &encap->inner) ||
	    IN6_IS_ADDR_UNSPECIFIED(&plane->icmp_source) ||
	    !icmp6_limit_take(limit, encap->error.kind, now))
		return;
	parts[1].iov_len = icmp6_build(&encap->error, &plane->icmp_source, &encap->inner, packet);

	/* To the same device, so that link-local addresses keep their meaning. */
	if (device_write(device, parts, 2) == 0)
		plane->counters->icmp6_sent++;
	else
		plane_drop(plane, NULL, DROP_TUN_WRITE);
}

/* --- results of sending ------------------------------------------------------------------- */

void outbound_sent(struct plane *plane, const struct outer_packet *packet)
{
	struct session *session = table_by_id(plane->table, packet->session);

	if (!session || packet->own)
		return;

	struct session_counters *counters = plane_counters(plane, session);
	const struct plane_session *own = session_plane(session);

	counters->out_packets++;
	counters->out_bytes += packet->len;
	plane->counters->carried.out_packets++;
	plane->counters->carried.out_bytes += packet->len;
	if (own->probing)
		probing_packet_out(own->probing);
	if (own->keepalive)
		keepalive_packet_out(own->keepalive);
}

void outbound_refused(struct plane *plane, const struct outer_packet *packet)
{
	plane_drop(plane, table_by_id(plane->table, packet->session), DROP_SEND);
}

bool outbound_too_big(struct plane *plane, struct outer_packet *packet)
{
	static uint8_t whole[OUTER_PACKET_SIZE];
	struct session *session = table_by_id(plane->table, packet->session);
	uint64_t now = clock_us() / 1000;
	struct encap encap = {.session = session};

	memcpy(whole, packet->parts[0].iov_base, packet->parts[0].iov_len);
	if (packet->parts[1].iov_len)
		memcpy(whole + packet->parts[0].iov_len, packet->parts[1].iov_base,
		       packet->parts[1].iov_len);
	if (!session || inner_parse(whole, packet->len, &encap.inner) != DROP_NONE)
		return false;
	/* The report that has just been read may have lowered the path MTU. */
	encap_fit(session, packet->len, now, &encap);
	if (encap.drop == DROP_NONE) {
		packet->df = encap.df;
		return true;
	}
	plane_drop(plane, session, encap.drop);
	outbound_answer(plane, session_plane(session)->device, &encap, now);
	return false;
}

/* --- sending ------------------------------------------------------------------------------ */

static void outbound_push(struct plane *plane, struct outer *outer, struct session *session,
			  struct outer_packet *packet)
{
	const struct table_peer *peer = session_peer(session);

	if (!outer) {
		plane_drop(plane, session, DROP_SEND);
		return;
	}
	packet->len = packet->parts[0].iov_len + packet->parts[1].iov_len;
	if (!proof_spend(&session_plane(session)->proof, packet->len)) {
		plane_drop(plane, session, DROP_UNPROVEN);
		return;
	}
	packet->peer = peer->address;
	packet->port = peer->port;
	packet->session = session_config(session)->id;
	outer_push(outer, packet);
}

void outbound_own(struct plane *plane, struct session *session, struct in_addr source,
		  const uint8_t *data, size_t len)
{
	outbound_own_by(plane, plane_outer(plane, session), session, source, data, len);
}

void outbound_own_by(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, const uint8_t *data, size_t len)
{
	/* Small enough for every path, so the socket's present DF setting is kept. */
	outbound_own_df(plane, outer, session, source, session_config(session)->mtu > INNER_MTU_MIN,
			data, len);
}

void outbound_own_df(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, bool df, const uint8_t *data, size_t len)
{
	struct outer_packet packet = {.source = source, .df = df, .own = true};

	iovec_set(&packet.parts[0], data, len);
	outbound_push(plane, outer, session, &packet);
	if (outer)
		outer_flush(outer);
}

/* Sends each segment, whose headers are stored behind the packet. Returns their octets. */
static size_t outbound_send(struct plane *plane, const struct encap *encap, uint8_t *data)
{
	const struct segments *segments = &encap->segments;
	struct session *session = encap->session;
	struct outer *outer = plane_outer(plane, session);
	uint8_t *headers = data + encap->inner.len;
	const uint8_t *end = headers + OUTBOUND_HEADERS;
	struct outer_packet packet = {
		.source = session_config(session)->local,
		.tos = encap->tos,
		.df = encap->df,
	};

	if (segments->count == 1) {
		packet.parts[0] = (struct iovec){data, encap->inner.len};
		outbound_push(plane, outer, session, &packet);
		return encap->inner.len;
	}
	for (size_t i = 0; i < segments->count; i++) {
		if (headers + segments->headers > end) {
			if (outer)
				outer_flush(outer);
			headers = data + encap->inner.len;
		}
		segments_write(segments, i, headers);
		packet.parts[0] = (struct iovec){headers, segments->headers};
		packet.parts[1] = (struct iovec){data + segments->headers + i * segments->size,
						 segments_payload(segments, i)};
		outbound_push(plane, outer, session, &packet);
		headers += segments->headers;
	}
	return (size_t)(headers - data);
}

/* Returns the octets of the arena that are in use from data on. */
static size_t outbound_packet(struct plane *plane, struct device *device,
			      const struct virtio_net_hdr *header, uint8_t *data, size_t n,
			      uint64_t now)
{
	bool shared = plane->config.server && device->index == 0;
	struct encap encap;
	size_t count;

	encap_packet(plane->table, device_session(device), shared, header, data, n, now, &encap);
	count = encap.drop == DROP_TUN_MALFORMED ? 1 : encap.segments.count;
	if (encap.drop == DROP_NONE)
		return outbound_send(plane, &encap, data);
	for (size_t i = 0; i < count; i++)
		plane_drop(plane, encap.session, encap.drop);
	if (encap.drop == DROP_TUN_MALFORMED)
		return 0;
	if (count > 1) {
		/* The error is about the first segment. */
		segments_write(&encap.segments, 0, data);
		(void)inner_parse(data, n, &encap.inner);
	}
	outbound_answer(plane, device, &encap, now);
	return 0;
}

static void outbound_flush(struct plane *plane)
{
	for (enum forward_transport t = FORWARD_PROTO41; t <= FORWARD_UDP; t++) {
		if (plane->outer[t])
			outer_flush(plane->outer[t]);
	}
}

void outbound_read(struct plane *plane, struct device *device)
{
	uint64_t now = clock_us() / 1000;
	size_t octets = 0;
	size_t used = 0;

	for (int i = 0; i < OUTBOUND_PACKETS && octets < OUTBOUND_OCTETS; i++) {
		struct virtio_net_hdr header;

		if (OUTBOUND_ARENA - used < OUTER_PACKET_SIZE + OUTBOUND_HEADERS) {
			outbound_flush(plane);
			used = 0;
		}

		ssize_t n = device_read(device, &header, plane->arena + used, OUTER_PACKET_SIZE);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			/*
			 * The device has been deleted, as at the end of a session. Root will report
			 * it, but until then it would stay readable.
			 */
			errno = (int)-n;
			if (n == -EBADFD)
				log_debug("device %u is gone", device->index);
			else
				log_warn("device %u", device->index);
			device_stop(device);
			break;
		}
		used += outbound_packet(plane, device, &header, plane->arena + used, (size_t)n,
					now);
		octets += (size_t)n;
	}
	outbound_flush(plane);
}
