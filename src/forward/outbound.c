/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/outbound.h"

#include "base/clock.h"
#include "base/log.h"
#include "forward/encap.h"
#include "forward/icmp6.h"
#include "forward/keepalive.h"
#include "forward/probing.h"

#include <errno.h>
#include <string.h>

/* Tells the sender of a packet that came from this device, where that is right and due. */
static void outbound_answer(struct plane *plane, const struct device *device,
			    const struct encap *encap, uint64_t now)
{
	static const struct virtio_net_hdr plain;
	struct icmp6_limit *limit = encap->session ? &encap->session->icmp6 : &plane->icmp6;
	uint8_t packet[ICMP6_ERROR_SIZE];

	if (!icmp6_allowed(encap->error.kind, &encap->inner) ||
	    IN6_IS_ADDR_UNSPECIFIED(&plane->icmp_source) ||
	    !icmp6_limit_take(limit, encap->error.kind, now))
		return;

	size_t len = icmp6_build(&encap->error, &plane->icmp_source, &encap->inner, packet);

	/* Back to where it came from, so that a link-local address means what it meant. */
	if (device_write(device, &plain, packet, len) == 0)
		plane->counters->icmp6_sent++;
	else
		plane_drop(plane, NULL, DROP_TUN_WRITE);
}

/* --- what became of it -------------------------------------------------------------------- */

void outbound_sent(struct plane *plane, const struct outer_packet *packet)
{
	struct session *session = table_by_id(plane->table, packet->session);

	if (!session || packet->own)
		return;

	struct session_counters *counters = plane_counters(plane, session);

	counters->out_packets++;
	counters->out_bytes += packet->len;
	if (session->probing)
		probing_packet_out(session->probing);
	if (session->keepalive)
		keepalive_packet_out(session->keepalive);
}

void outbound_refused(struct plane *plane, const struct outer_packet *packet)
{
	plane_drop(plane, table_by_id(plane->table, packet->session), DROP_SEND);
}

bool outbound_too_big(struct plane *plane, struct outer_packet *packet)
{
	struct session *session = table_by_id(plane->table, packet->session);
	uint64_t now = clock_us() / 1000;
	struct encap encap = {.session = session};

	if (!session || inner_parse(packet->data, packet->len, &encap.inner) != DROP_NONE)
		return false;
	/* The kernel's report, which has just been read, may have lowered the path MTU. */
	encap_fit(session, packet->len, now, &encap);
	if (encap.drop == DROP_NONE) {
		packet->df = encap.df;
		return true;
	}
	plane_drop(plane, session, encap.drop);
	outbound_answer(plane, session->device, &encap, now);
	return false;
}

/* --- sending ------------------------------------------------------------------------------ */

static void outbound_push(struct plane *plane, struct outer *outer, struct session *session,
			  struct outer_packet *packet)
{
	if (!proof_spend(&session->proof, packet->len)) {
		plane_drop(plane, session, DROP_UNPROVEN);
		return;
	}
	packet->peer = session->peer.address;
	packet->port = session->peer.port;
	packet->session = session->config.id;
	outer_push(outer);
}

void outbound_own(struct plane *plane, struct session *session, struct in_addr source,
		  const uint8_t *data, size_t len)
{
	outbound_own_by(plane, plane_outer(plane, session), session, source, data, len);
}

void outbound_own_by(struct plane *plane, struct outer *outer, struct session *session,
		     struct in_addr source, const uint8_t *data, size_t len)
{
	struct outer_packet *packet = outer ? outer_slot(outer) : NULL;

	if (!packet) {
		plane_drop(plane, session, DROP_SEND);
		return;
	}
	memcpy(packet->data, data, len);
	packet->len = len;
	packet->source = source;
	packet->tos = 0;
	/* Every path takes what is so small, so it goes as the socket stands. */
	packet->df = session->config.mtu > INNER_MTU_MIN;
	packet->own = true;
	outbound_push(plane, outer, session, packet);
	outer_flush(outer);
}

/* packet is a slot of the last socket, most likely the right one. */
static void outbound_send(struct plane *plane, const struct encap *encap,
			  struct outer_packet *packet)
{
	struct session *session = encap->session;
	struct outer *outer = plane_outer(plane, session);

	if (!outer) {
		plane_drop(plane, session, DROP_SEND);
		return;
	}
	if (outer != plane->outer[plane->last_out]) {
		struct outer_packet *other = outer_slot(outer);

		memcpy(other->data, packet->data, encap->inner.len);
		packet = other;
		plane->last_out = session->config.transport;
	}
	packet->len = encap->inner.len;
	packet->source = session->config.local;
	packet->tos = encap->tos;
	packet->df = encap->df;
	packet->own = false;
	outbound_push(plane, outer, session, packet);
}

static void outbound_packet(struct plane *plane, struct device *device,
			    const struct virtio_net_hdr *header, struct outer_packet *packet,
			    size_t n, uint64_t now)
{
	bool shared = plane->config.server && device->index == 0;
	struct encap encap;

	encap_packet(plane->table, TAILQ_FIRST(&device->sessions), shared, header, packet->data, n,
		     now, &encap);
	if (encap.drop == DROP_NONE) {
		outbound_send(plane, &encap, packet);
		return;
	}
	plane_drop(plane, encap.session, encap.drop);
	outbound_answer(plane, device, &encap, now);
}

/*
 * Whose session the next packet is for shows only when it has been read, so every socket must have
 * room for it. Returns a slot of the one that the last packet went to; NULL where one is full.
 */
static struct outer_packet *outbound_slot(struct plane *plane)
{
	struct outer_packet *slot = NULL;

	for (enum forward_transport t = FORWARD_PROTO41; t <= FORWARD_UDP; t++) {
		struct outer_packet *packet;

		if (!plane->outer[t])
			continue;
		packet = outer_slot(plane->outer[t]);
		if (!packet)
			return NULL;
		if (!plane->outer[plane->last_out])
			plane->last_out = t;
		if (t == plane->last_out)
			slot = packet;
	}
	return slot;
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

	for (int i = 0; i < OUTER_BATCH; i++) {
		struct virtio_net_hdr header;
		struct outer_packet *packet = outbound_slot(plane);

		if (!packet) {
			/* What the socket does not take waits in the device's own queue. */
			device_pause(device);
			break;
		}

		ssize_t n = device_read(device, &header, packet->data, OUTER_PACKET_SIZE);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			/* Deleted under us, as at every session's end; monitor will tell, but until
			 * then it would always be readable. */
			errno = (int)-n;
			if (n == -EBADFD)
				log_debug("device %u is gone", device->index);
			else
				log_warn("device %u", device->index);
			device_stop(device);
			break;
		}
		outbound_packet(plane, device, &header, packet, (size_t)n, now);
	}
	outbound_flush(plane);
}
