/* SPDX-License-Identifier: BSD-2-Clause */
/* The program for packets that come in from outside. */
#ifndef DTCP_FASTPATH_DECAP_BPF_H
#define DTCP_FASTPATH_DECAP_BPF_H

#include "fastpath/packet.bpf.h"

/* RFC 6040, section 4.2, figure 4, as in tos.c; ECN_MASK + 1: drop. */
static __always_inline __u8 in_ecn(__u8 inner, __u8 outer)
{
	if (outer == ECN_CE)
		return inner ? ECN_CE : ECN_MASK + 1;
	/* Outer ECT(1) matters only with inner ECT(0). */
	return inner == 2 && outer == 1 ? 1 : inner;
}

/* Rejects sources that are never valid; on the server, all but the session's own. */
static __always_inline bool in_source_is_good(const struct fast_session *session,
					      const struct ipv6 *inner)
{
	__u64 high = inner->source[0];
	__u32 third = ((const __u32 *)inner->source)[2];

	/* ::/96, with :: and ::1; and ::ffff:0:0/96 */
	if (is_multicast(inner->source) || (!high && (!third || third == bpf_htonl(0xffff))))
		return false;
	return !root.ingress || source_is_own(session, inner);
}

/* Whether the destination may lead an automatic tunnel here (RFC 6324); forward decides. */
static __always_inline bool in_may_loop(const struct ipv6 *inner, __u32 address)
{
	const __u16 *word = (const __u16 *)inner->destination;
	const __u16 *part = (const __u16 *)&address;

	if (!address)
		return false;
	if (word[6] == part[0] && word[7] == part[1])
		return true;
	return word[0] == bpf_htons(0x2002) && word[1] == part[0] && word[2] == part[1];
}

SEC("tc")
int fast_decap(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 len = skb->len;
	union fast_peer peer = {};
	struct fast_session *session;
	struct fast_counters *counts;
	struct ipv4 *ip;
	struct udp *udp;
	struct ipv6 *inner;
	__u32 flags;
	__u32 overhead = IPV4;
	__u32 size = skb->gso_size;
	__u32 tun = *(volatile __u32 *)&root.tun;
	__u32 count;
	__u32 *id;
	__u8 ecn;
	__u8 class;
	bool checked = false;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present || skb->pkt_type != 0 ||
	    !tun || !is_alive(now))
		return TC_ACT_UNSPEC;
	ip = data + ETH;
	if ((void *)(ip + 1) > end) {
		if (len < ETH + IPV4 + IPV6 || bpf_skb_pull_data(skb, ETH + IPV4))
			return TC_ACT_UNSPEC;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		ip = data + ETH;
		if ((void *)(ip + 1) > end)
			return TC_ACT_UNSPEC;
	}
	if (ip->version != IPV4_VERSION ||
	    (ip->protocol != NEXT_IPV6 && ip->protocol != NEXT_UDP) ||
	    ip->fragment & bpf_htons(IPV4_FRAGMENT))
		return TC_ACT_UNSPEC;
	peer.address = ip->source;
	peer.transport = FAST_PROTO41;
	if (ip->protocol == NEXT_UDP)
		peer.transport = FAST_UDP;

	/* All headers that have to be accessible. */
	if (data + HEADERS > end) {
		if (bpf_skb_pull_data(skb, len < HEADERS ? len : HEADERS))
			return TC_ACT_UNSPEC;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		ip = data + ETH;
	}
	if (data + ETH + IPV4 + UDP > end)
		return TC_ACT_UNSPEC;
	inner = (void *)(ip + 1);
	if (peer.transport == FAST_UDP) {
		udp = (void *)(ip + 1);
		if (udp->destination != (__be16)state.udp_port)
			return TC_ACT_UNSPEC;
		peer.port = udp->source;
		overhead += UDP;
		checked = udp->check != 0;
		inner = (void *)(udp + 1);
	}
	id = bpf_map_lookup_elem(&peers, &peer.whole);
	if (!id)
		return TC_ACT_UNSPEC;
	session = session_get(*id);
	if (!session)
		return TC_ACT_UNSPEC;
	flags = *(volatile __u32 *)&session->flags;
	if (!flags || session->peer.whole != peer.whole ||
	    (ip->destination != session->local &&
	     (!session->alias || ip->destination != session->alias)))
		return TC_ACT_UNSPEC;
	/* Packets for addresses or ports without a socket of forward do not get here. */
	if (session->came != skb->ifindex || now - session->seen > FAST_HEARD_NS) {
		session->came = skb->ifindex;
		session->seen = now;
	}

	/*
	 * Received on another device than the route to the peer: the kernel's reverse path filter
	 * may reject it.
	 */
	if (!(flags & FAST_IN) || now < session->train_until || session->way != skb->ifindex)
		return TC_ACT_UNSPEC;
	if ((void *)(inner + 1) > end || ipv4_sum(ip) != 0xffff)
		return TC_ACT_UNSPEC;
	if (ETH + overhead + IPV6 + bpf_ntohs(inner->payload) != len ||
	    ETH + bpf_ntohs(ip->len) != len || inner->class[0] >> 4 != 6) {
		/*
		 * A train of datagrams that the kernel has merged; each has its own inner header.
		 * Forward handles the whole train; single datagrams must not overtake it.
		 */
		if (peer.transport == FAST_UDP && size)
			session->train_until = now + FAST_TRAIN_NS;
		return TC_ACT_UNSPEC;
	}
	if (peer.transport == FAST_UDP) {
		udp = (void *)(ip + 1);
		if (ETH + IPV4 + bpf_ntohs(udp->len) != len)
			return TC_ACT_UNSPEC;
	}
	if (is_multicast(inner->destination) || !inner_is_plain(inner, inner + 1, end) ||
	    !in_source_is_good(session, inner) || in_may_loop(inner, session->local) ||
	    in_may_loop(inner, session->alias))
		return TC_ACT_UNSPEC;
	ecn = in_ecn(inner->class[1] >> 4 & ECN_MASK, ip -> tos &ECN_MASK);
	if (ecn > ECN_MASK)
		return TC_ACT_UNSPEC;
	class = (__u8)((inner->class[1] & ~CLASS_ECN) | ecn << 4);
	ecn = class != inner->class[1];

	count = 1;
	len -= ETH + overhead;
	if (size) {
		const __u8 *tcp = (const __u8 *)(inner + 1);

		if (inner->next != NEXT_TCP || (void *)tcp + TCP_LEAST > end)
			return TC_ACT_UNSPEC;
		count = IPV6 + (tcp[12] >> 4) * 4;
		if (len <= count)
			return TC_ACT_UNSPEC;
		size = segments(len - count, size);
		len += (size - 1) * count;
		count = size;
	}
	counts = counters_get(*id);
	if (!counts)
		return TC_ACT_UNSPEC;
	if (bpf_skb_adjust_room(skb, -(__s32)overhead, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET |
					ADJ_ROOM_DECAP_L3_IPV6))
		return TC_ACT_UNSPEC;

	/* From here on the packet is modified, and cannot be left to forward. */
	if (ecn && bpf_skb_store_bytes(skb, ETH + 1, &class, 1, BPF_F_RECOMPUTE_CSUM))
		return lose(counts, false);
	/* The network card has verified the UDP checksum, not the inner one. */
	if (checked)
		(void)bpf_csum_level(skb, BPF_CSUM_LEVEL_DEC);
	bpf_set_hash_invalid(skb);
	if (now - session->heard > FAST_HEARD_NS) {
		session->heard = now;
		session->told = 0;
	}
	count_in(counts, count, len);
	return bpf_redirect(tun, BPF_F_INGRESS);
}

#endif
