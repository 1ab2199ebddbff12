/* SPDX-License-Identifier: BSD-2-Clause */
/* The program for packets that leave the TUN device. */
#ifndef DTCP_FASTPATH_ENCAP_BPF_H
#define DTCP_FASTPATH_ENCAP_BPF_H

#include "fastpath/packet.bpf.h"

struct outgoing {
	union fast_peer peer;
	__u32 local;
	__u32 len;     /* of the inner packet */
	__u32 headers; /* octets of inner headers, copied into each segment; 0: not segmented */
	__u32 size;    /* payload of each segment */
	__u32 count;
	__u32 overhead;
	__u32 longest; /* inner octets of the largest segment */
	bool df;
	__u8 tos;
	__u16 check; /* UDP checksum */
};

/* RFC 4213, section 3.2, as in encap_fit(). */
static __always_inline bool out_fits(const struct fast_session *session, __u64 now,
				     struct outgoing *out)
{
	__u32 limit = session->mtu;

	out->df = limit > INNER_MTU_MIN;
	if (now < session->path_until) {
		__u32 path = session->path;

		path = path > out->overhead ? path - out->overhead : 0;
		if (path <= INNER_MTU_MIN) {
			limit = INNER_MTU_MIN;
			out->df = false;
		} else if (path < limit) {
			limit = path;
		}
	}
	return out->longest <= limit;
}

/*
 * The outer UDP checksum, without reading the payload: TCP's own checksum makes the sum of
 * pseudo-header and segment 0xffff, so only the rest of the inner header remains. It is the same
 * for all segments of a large packet only if they have the same length, since the kernel copies the
 * value. 0, which IPv4 allows, for everything else.
 */
static __always_inline __u16 out_check(const struct ipv6 *inner, const struct outgoing *out,
				       __be16 source)
{
	__u32 len = out->longest + UDP;
	const __u16 *word = (const __u16 *)inner;
	__u64 sum;

	if (inner->next != NEXT_TCP)
		return 0;
	if (out->size && (out->len - out->headers) % out->size)
		return 0;
	sum = (__u64)out->local + out->peer.address;
	sum += (__u64)bpf_htons(NEXT_UDP) + 2 * (__u64)bpf_htons((__u16)len);
	sum += (__u64)source + out->peer.port;
	/* 0xffff for pseudo header and segment, but its addresses, length and protocol are... */
	sum += (__u64)word[0] + word[1] + word[3];
	/* ...in the inner header as well, and there the length counts once. */
	sum += 0xffff ^ (__u16)bpf_htons(NEXT_TCP);
	sum = sum_fold(sum) ^ 0xffff;
	return sum ? (__u16)sum : 0xffff;
}

static __always_inline void out_write(struct ipv4 *ip, const struct outgoing *out, __u16 ident)
{
	ip->version = IPV4_VERSION;
	ip->tos = out->tos;
	ip->len = bpf_htons((__u16)(out->len + out->overhead));
	ip->id = bpf_htons(ident);
	ip->fragment = out->df ? bpf_htons(IPV4_DF) : 0;
	ip->ttl = OUTER_TTL;
	ip->protocol = out->peer.transport == FAST_UDP ? NEXT_UDP : NEXT_IPV6;
	ip->check = 0;
	ip->source = out->local;
	ip->destination = out->peer.address;
	ip->check = (__u16)~ipv4_sum(ip);
}

SEC("tc")
int fast_encap(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ipv6 *inner = data;
	struct fast_session *session;
	struct fast_counters *counts;
	struct bpf_fib_lookup fib = {.family = AF_INET};
	struct bpf_redir_neigh next = {.nh_family = AF_INET};
	struct outgoing out = {};
	struct fast_route route = {.len = 128};
	struct {
		struct ipv4 ip;
		struct udp udp;
	} outer = {};
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4;
	__u32 device;
	__u32 *id;
	__u32 *joined;
	__u16 ident;
	bool udp;
	long found;

	if (skb->protocol != bpf_htons(ETH_P_IPV6) || !is_alive(now))
		return TC_ACT_UNSPEC;
	out.len = skb->len;
	if (data + IPV6 + TCP_LEAST > end) {
		if (bpf_skb_pull_data(skb, out.len < IPV6 + TCP_LEAST ? out.len : IPV6 + TCP_LEAST))
			return TC_ACT_UNSPEC;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		inner = data;
	}
	if (data + IPV6 > end || inner->class[0] >> 4 != 6 ||
	    bpf_ntohs(inner->payload) + IPV6 != out.len || is_multicast(inner->destination) ||
	    !inner_is_plain(inner, inner + 1, end))
		return TC_ACT_UNSPEC;
	__builtin_memcpy(route.address, inner->destination, sizeof(route.address));
	id = bpf_map_lookup_elem(&routes, &route);
	if (!id || *id == FAST_NOBODY)
		return TC_ACT_UNSPEC;
	session = session_get(*id);
	if (!session || !(*(volatile __u32 *)&session->flags & FAST_OUT))
		return TC_ACT_UNSPEC;

	/* A client sends only its own sources; forward answers the others. */
	if (!root.ingress && session->n_prefixes > 0 && !source_is_own(session, inner))
		return TC_ACT_UNSPEC;

	/*
	 * Forward has to check whether the peer is alive, and connection tracking has to see
	 * packets of forward.
	 */
	if ((now - session->heard > FAST_QUIET_NS && !session->told) ||
	    (__s64)(now - session->shown) > (__s64)FAST_SHOWN_NS) {
		session->told = 1;
		session->shown = now;
		return TC_ACT_UNSPEC;
	}

	out.peer.whole = *(volatile __u64 *)&session->peer.whole;
	out.local = session->local;
	if (!bpf_map_lookup_elem(&addresses, &out.local))
		return TC_ACT_UNSPEC;
	udp = out.peer.transport == FAST_UDP;
	out.overhead = udp ? IPV4 + UDP : IPV4;
	out.size = skb->gso_size;
	out.longest = out.len;
	if (out.size) {
		const __u8 *tcp = (const __u8 *)(inner + 1);

		if (inner->next != NEXT_TCP || (void *)tcp + TCP_LEAST > end)
			return TC_ACT_UNSPEC;
		out.headers = IPV6 + (tcp[12] >> 4) * 4;
		if (out.len <= out.headers)
			return TC_ACT_UNSPEC;
		if (out.len - out.headers > out.size)
			out.longest = out.headers + out.size;
		else
			out.size = out.len - out.headers;
	}
	out.count = segments(out.len - out.headers, out.size);
	if (!out_fits(session, now, &out) || out.len + out.overhead > OUTER_MAX)
		return TC_ACT_UNSPEC;
	out.tos = (__u8)(inner->class[0] << 4 | inner->class[1] >> 4);

	fib.tos = out.tos & 0xfc;
	fib.l4_protocol = udp ? NEXT_UDP : NEXT_IPV6;
	fib.sport = udp ? (__be16)state.udp_port : 0;
	fib.dport = out.peer.port;
	fib.tot_len = (__u16)(out.longest + out.overhead);
	fib.ifindex = skb->ifindex;
	fib.ipv4_src = out.local;
	fib.ipv4_dst = out.peer.address;
	found = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	if (found != BPF_FIB_LKUP_RET_SUCCESS && found != BPF_FIB_LKUP_RET_NO_NEIGH)
		return TC_ACT_UNSPEC;
	device = fib.ifindex;
	/*
	 * Only if packets of the peer arrive on the same device, for the same address and port.
	 * Otherwise forward's packets take another path than these would: this machine translates
	 * addresses, or routes by marks, by user or by a VRF that the sockets are bound to.
	 */
	if (session->came != device || (__s64)(now - session->seen) > (__s64)FAST_SEEN_NS)
		return TC_ACT_UNSPEC;
	joined = bpf_map_lookup_elem(&devices, &device);
	if (!joined)
		return TC_ACT_UNSPEC;
	/*
	 * A NAT on the path (such as the host of a container) may mistake an open inner checksum
	 * for the outer one, so such a packet gets no UDP checksum.
	 */
	if (udp && *joined & FAST_FINISHES)
		out.check = out_check(inner, &out, (__be16)state.udp_port);
	next.nh_family = fib.family;
	if (fib.family == AF_INET6)
		__builtin_memcpy(next.ipv6_nh, fib.ipv6_dst, sizeof(next.ipv6_nh));
	else
		next.ipv4_nh = fib.ipv4_dst;

	/* A packet that cannot be fragmented needs no identification (RFC 6864). */
	ident = out.df ? 0 : (__u16)__sync_fetch_and_add(&session->ident, out.count);
	if (udp)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	counts = counters_get(*id);
	if (!counts)
		return TC_ACT_UNSPEC;
	/*
	 * Fails for a packet that was decapsulated here, which still counts as encapsulated: left
	 * to forward.
	 */
	if (bpf_skb_adjust_room(skb, (__s32)out.overhead, BPF_ADJ_ROOM_MAC, flags))
		return TC_ACT_UNSPEC;

	/* From here on the packet is modified, and cannot be left to forward. */
	out_write(&outer.ip, &out, ident);
	outer.udp.source = (__be16)state.udp_port;
	outer.udp.destination = out.peer.port;
	outer.udp.len = bpf_htons((__u16)(out.len + UDP));
	outer.udp.check = out.check;
	if (bpf_skb_change_head(skb, ETH, 0) ||
	    (udp ? bpf_skb_store_bytes(skb, ETH, &outer, IPV4 + UDP, 0)
		 : bpf_skb_store_bytes(skb, ETH, &outer, IPV4, 0)))
		return lose(counts, true);
	if (session->way != device)
		session->way = device;
	if (session->lonely < session->heard)
		session->lonely = now;
	count_out(counts, out.count, out.len + (out.count - 1) * out.headers);
	return bpf_redirect_neigh(device, &next, sizeof(next), 0);
}

#endif
