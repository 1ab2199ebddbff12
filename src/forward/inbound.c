/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/inbound.h"

#include "base/clock.h"
#include "forward/decap.h"
#include "forward/fast.h"
#include "forward/keepalive.h"
#include "forward/learn.h"
#include "forward/outbound.h"
#include "forward/plane_session.h"
#include "forward/probing.h"
#include "forward/trial.h"
#include "proto/probe.h"

#include <string.h>

/* On the server: handles a hello of a client, or a forged one. */
static void inbound_hello(struct plane *plane, const struct arrival *arrival,
			  const struct probe *probe)
{
	uint64_t now = clock_us() / 1000;
	struct session *evicted;
	struct learn learn;

	learn_from_probe(plane->table, arrival, probe, now, &learn);
	if (learn.drop != DROP_NONE) {
		/* Not counted for the session, whose number may be forged. */
		plane_drop(plane, NULL, learn.drop);
		return;
	}
	plane_counters(plane, learn.session)->probes++;
	while ((evicted = learn_evict(plane->table, learn.session, now)))
		plane->reports->learned(evicted, plane->reports_arg);
	if (learn.moved)
		plane->reports->learned(learn.session, plane->reports_arg);
	outbound_own(plane, learn.session, arrival->local, learn.answer, sizeof(learn.answer));
}

/* On a client: handles an answer of its server, or a forged one. */
static void inbound_answer(struct plane *plane, const struct arrival *arrival,
			   const struct probe *probe)
{
	struct session *session = table_by_peer(plane->table, &arrival->peer);
	enum drop_reason drop = DROP_OUTER_PEER;

	if (session)
		drop = probing_answered(session_plane(session)->probing, arrival, probe);
	if (drop == DROP_NONE) {
		plane_counters(plane, session)->probes++;
		fast_heard(plane->fast, session);
	} else {
		plane_drop(plane, NULL, drop);
	}
}

static void inbound_packet(struct plane *plane, const struct arrival *arrival)
{
	uint64_t now = clock_us() / 1000;
	struct plane_session *own;
	struct decap decap;

	decap_packet(plane->table, plane->config.server, arrival, now, &decap);
	if (decap.drop == DROP_NONE && decap.ask &&
	    !sources_lead_to(plane->sources, &decap.inner.src,
			     session_plane(decap.session)->device->interface, now))
		decap.drop = DROP_SRC_INGRESS;
	if (decap.drop == DROP_NONE && decap.learned &&
	    table_change_peer(plane->table, decap.session, &arrival->peer,
			      session_is_proven(decap.session)))
		plane->reports->learned(decap.session, plane->reports_arg);
	if (keepalive_takes(&decap, now))
		return;
	if (decap.drop != DROP_NONE) {
		plane_drop(plane, decap.session, decap.drop);
		return;
	}
	own = session_plane(decap.session);
	if (own->trial && trial_takes(own->trial, &decap.inner))
		return;
	if (own->probing)
		probing_packet_in(own->probing);
	fast_heard(plane->fast, decap.session);
	proof_credit(&own->proof, arrival->len);
	coalesce_add(plane->coalesce, decap.session, &decap.inner, &decap.vnet);
}

static void inbound_count(struct plane *plane, const struct coalesced *coalesced, int error)
{
	struct session_counters *counters = plane_counters(plane, coalesced->session);

	for (size_t i = 0; error && i < coalesced->packets; i++)
		plane_drop(plane, coalesced->session, DROP_TUN_WRITE);
	if (error)
		return;
	counters->in_packets += coalesced->packets;
	counters->in_bytes += coalesced->octets;
	plane->counters->carried.in_packets += coalesced->packets;
	plane->counters->carried.in_bytes += coalesced->octets;
}

/* Writes the packets one by one, since kernels before Linux 6.2 do not take UDP trains. */
static void inbound_write_singly(struct plane *plane, const struct coalesced *coalesced)
{
	const struct device *device = session_plane(coalesced->session)->device;

	for (int i = 2; i < coalesced->n_parts; i++) {
		struct virtio_net_hdr plain = {0};
		struct iovec payload = coalesced->parts[i];
		struct iovec parts[2] = {
			{&plain, sizeof(plain)},
			{(uint8_t *)payload.iov_base - coalesced->headers,
			 payload.iov_len + coalesced->headers},
		};
		const struct coalesced one = {
			.session = coalesced->session, .packets = 1, .octets = parts[1].iov_len};

		inbound_count(plane, &one, device_write(device, parts, 2));
	}
}

void inbound_write(struct plane *plane, const struct coalesced *coalesced)
{
	const struct virtio_net_hdr *header = coalesced->parts[0].iov_base;
	const struct device *device = session_plane(coalesced->session)->device;
	int error = device_write(device, coalesced->parts, coalesced->n_parts);

	if (error == -EINVAL && header->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4) {
		coalesce_without_udp(plane->coalesce);
		inbound_write_singly(plane, coalesced);
		return;
	}
	inbound_count(plane, coalesced, error);
}

void inbound_received(struct plane *plane, const struct arrival *arrival)
{
	struct probe probe;

	if (arrival->peer.transport != FORWARD_UDP ||
	    !probe_read(arrival->payload, arrival->len, &probe))
		inbound_packet(plane, arrival);
	else if (plane->config.server)
		inbound_hello(plane, arrival, &probe);
	else
		inbound_answer(plane, arrival, &probe);
}

void inbound_report(struct plane *plane, enum forward_transport transport,
		    const struct errqueue_report *report)
{
	const struct table_peer peer = {transport, report->peer, report->port};
	uint64_t now = clock_us() / 1000;

	if (report->icmp)
		plane->counters->icmp_errors++;
	/* Sessions without a learned peer have sent nothing that could be reported. */
	if (!table_by_peer(plane->table, &peer))
		return;
	for (struct session *session = table_at_peer(plane->table, &peer, NULL); session;
	     session = table_at_peer(plane->table, &peer, session)) {
		if (report->icmp)
			plane_counters(plane, session)->icmp_errors++;
		if (!report->too_big)
			continue;
		table_lower_pmtu(plane->table, session, report->mtu, now);
		if (session_plane(session)->trial)
			trial_too_big(session_plane(session)->trial);
	}
}
