/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs that the kernel runs for packets which need no thought: fast_encap where packets
 * leave the TUN device, fast_decap where they come in from outside. They have the rules of
 * docs/protocol.md, section 3, as forward has them. Whatever they cannot decide takes its usual
 * way (TC_ACT_UNSPEC), to forward: it is the reference, and the only one who answers, learns and
 * remembers. A packet that forward would drop is never passed here.
 */
#include "fastpath/shared.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Linux 6.3; Debian 12's headers are older than the kernels that it can run. */
#define ADJ_ROOM_DECAP_L3_IPV6 (1ull << 8)

#define AF_INET	 2
#define AF_INET6 10

#define NEXT_TCP      6
#define NEXT_UDP      17
#define NEXT_IPV6     41
#define NEXT_HOPOPTS  0
#define NEXT_ROUTING  43
#define NEXT_FRAGMENT 44
#define NEXT_AH	      51
#define NEXT_ICMPV6   58
#define NEXT_DSTOPTS  60

#define ICMP6_ERROR_LAST   4
#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_REPLY   129
#define ECHO_OWN_PAYLOAD   24 /* forward/echo.h */

#define IPV4_DF	      0x4000
#define IPV4_FRAGMENT 0x3fff
#define IPV4_VERSION  0x45 /* and no options */
#define OUTER_TTL     64
#define INNER_MTU_MIN 1280
#define OUTER_MAX     65535
#define ECN_MASK      3
#define ECN_CE	      3
#define CLASS_ECN     0x30 /* of the second octet */

struct ipv4 {
	__u8 version;
	__u8 tos;
	__be16 len;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__be32 source;
	__be32 destination;
};

struct udp {
	__be16 source;
	__be16 destination;
	__be16 len;
	__u16 check;
};

struct ipv6 {
	__u8 class[4]; /* version, traffic class, flow label */
	__be16 payload;
	__u8 next;
	__u8 hops;
	__u64 source[2];
	__u64 destination[2];
};

#define ETH	  ((__u32)sizeof(struct ethhdr))
#define IPV4	  ((__u32)sizeof(struct ipv4))
#define UDP	  ((__u32)sizeof(struct udp))
#define IPV6	  ((__u32)sizeof(struct ipv6))
#define TCP_LEAST 20

struct fast_state state;
struct fast_root root SEC(".data.root") = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fast_session);
} sessions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fast_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct fast_route);
	__type(value, __u32);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u64); /* union fast_peer */
	__type(value, __u32);
} peers SEC(".maps");

/* Those outside that the programs know how to deal with. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* The machine's own, which alone may be the source of what goes out. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __be32);
	__type(value, __u32);
} addresses SEC(".maps");

/* --- what both need ----------------------------------------------------------------------- */

#define HEADERS (ETH + IPV4 + UDP + IPV6 + TCP_LEAST)

static __always_inline bool is_alive(__u64 now)
{
	__u64 alive = *(volatile __u64 *)&state.alive;

	return alive && now - alive < FAST_ALIVE_NS;
}

static __always_inline struct fast_session *session_get(__u32 id)
{
	return bpf_map_lookup_elem(&sessions, &id);
}

static __always_inline struct fast_counters *counters_get(__u32 id)
{
	__u32 lanes = root.lanes;
	__u32 index = id * lanes + (bpf_get_smp_processor_id() & (lanes - 1));

	return bpf_map_lookup_elem(&counters, &index);
}

/* A packet that is neither what it was nor what it was to be is lost; rare, as when memory is. */
static __always_inline int lose(struct fast_counters *counts, bool out)
{
	struct fast_counters *all = counters_get(root.sessions_max);

	__sync_fetch_and_add(out ? &counts->not_sent : &counts->not_written, 1);
	if (all)
		__sync_fetch_and_add(out ? &all->not_sent : &all->not_written, 1);
	return TC_ACT_SHOT;
}

static __always_inline __u32 sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u32)sum;
}

/* Of the ten 16-bit words; 0xffff where the checksum in it is right. */
static __always_inline __u32 ipv4_sum(const struct ipv4 *ip)
{
	const __u16 *word = (const __u16 *)ip;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += word[i];
	return sum_fold(sum);
}

/*
 * Whether forward has nothing to find in the packet but what is in its first header: no
 * extension headers, no part of a packet, and no ICMPv6 but errors and the echoes of others.
 */
static __always_inline bool inner_is_plain(const struct ipv6 *inner, const void *upper,
					   const void *end)
{
	const __u8 *type = upper;

	switch (inner->next) {
	case NEXT_HOPOPTS:
	case NEXT_ROUTING:
	case NEXT_FRAGMENT:
	case NEXT_AH:
	case NEXT_DSTOPTS:
		return false;
	case NEXT_ICMPV6:
		if (upper + 1 > end)
			return false;
		if (*type == ICMP6_ECHO_REQUEST || *type == ICMP6_ECHO_REPLY)
			return inner->payload != bpf_htons(ECHO_OWN_PAYLOAD);
		return *type <= ICMP6_ERROR_LAST;
	default:
		return true;
	}
}

static __always_inline bool is_multicast(const __u64 address[2])
{
	return *(const __u8 *)address == 0xff;
}

/* How many packets a large one will be cut into, or was made of. */
static __always_inline __u32 segments(__u32 payload, __u32 size)
{
	return size ? (payload + size - 1) / size : 1;
}

/* --- out ---------------------------------------------------------------------------------- */

struct outgoing {
	union fast_peer peer;
	__u32 local;
	__u32 len;     /* of the inner packet */
	__u32 headers; /* inner ones, of which each segment has a copy; 0: not to be cut */
	__u32 size;    /* payload of each segment */
	__u32 count;
	__u32 overhead;
	__u32 longest; /* inner octets of the largest segment */
	bool df;
	__u8 tos;
	__u16 check; /* of UDP */
};

/* RFC 4213, section 3.2, as encap_fit() has it. */
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
 * The checksum of UDP outside, without a look at the payload: TCP's own makes the sum of pseudo
 * header and segment 0xffff, so all that is left of the inner packet is the rest of its header.
 * One value for all segments of a large packet, if they have one length: the kernel copies what
 * stands here. 0, which IPv4 allows, for everything else.
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

/* Whether a source is in the session's prefixes. */
static __always_inline bool source_is_own(const struct fast_session *session,
					  const struct ipv6 *inner)
{
	__u32 n = session->n_prefixes;

	for (__u32 i = 0; i < FAST_PREFIXES_MAX; i++) {
		const struct fast_prefix *prefix = &session->prefixes[i];

		if (i >= n)
			break;
		if ((inner->source[0] & prefix->mask[0]) == prefix->address[0] &&
		    (inner->source[1] & prefix->mask[1]) == prefix->address[1])
			return true;
	}
	return false;
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

	/* A client's own sources alone may go; forward tells the others. */
	if (!root.ingress && session->n_prefixes > 0 && !source_is_own(session, inner))
		return TC_ACT_UNSPEC;

	/* Whether anybody is there is for forward to find out. */
	if (now - session->heard > FAST_QUIET_NS && !session->told) {
		session->told = 1;
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
	joined = bpf_map_lookup_elem(&devices, &device);
	if (!joined)
		return TC_ACT_UNSPEC;
	/*
	 * A packet that is not finished when it leaves can meet a NAT which takes the open checksum
	 * for the outer one (as on the machine of a container): only none at all comes through
	 * that.
	 */
	if (udp && *joined & FAST_FINISHES)
		out.check = out_check(inner, &out, (__be16)state.udp_port);
	next.nh_family = fib.family;
	if (fib.family == AF_INET6)
		__builtin_memcpy(next.ipv6_nh, fib.ipv6_dst, sizeof(next.ipv6_nh));
	else
		next.ipv4_nh = fib.ipv4_dst;

	/* What cannot be in several pieces needs no number (RFC 6864). */
	ident = out.df ? 0 : (__u16)__sync_fetch_and_add(&session->ident, out.count);
	if (udp)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	counts = counters_get(*id);
	if (!counts)
		return TC_ACT_UNSPEC;
	/* A packet that was decapsulated here is taken for one that is encapsulated: forward's. */
	if (bpf_skb_adjust_room(skb, (__s32)out.overhead, BPF_ADJ_ROOM_MAC, flags))
		return TC_ACT_UNSPEC;

	/* From here on the packet is another one, and there is no way back. */
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
	__sync_fetch_and_add(&counts->out_packets, out.count);
	__sync_fetch_and_add(&counts->out_bytes, out.len + (out.count - 1) * out.headers);
	return bpf_redirect_neigh(device, &next, sizeof(next), 0);
}

/* --- in ----------------------------------------------------------------------------------- */

/* RFC 6040, section 4.2, figure 4, as tos.c has it; ECN_MASK + 1: drop. */
static __always_inline __u8 in_ecn(__u8 inner, __u8 outer)
{
	if (outer == ECN_CE)
		return inner ? ECN_CE : ECN_MASK + 1;
	/* ECT(1) outside means something only where ECT(0) is inside. */
	return inner == 2 && outer == 1 ? 1 : inner;
}

/* Sources that no packet may have; on the server, all but the session's own. */
static __always_inline bool in_source_is_good(const struct fast_session *session,
					      const struct ipv6 *inner)
{
	__u64 high = inner->source[0];
	__u64 low = inner->source[1];
	__u32 third = ((const __u32 *)inner->source)[2];

	/* ::/96, with :: and ::1; and ::ffff:0:0/96 */
	if (is_multicast(inner->source) || (!high && (!third || third == bpf_htonl(0xffff))))
		return false;
	return !root.ingress || source_is_own(session, inner);
}

/* Whether the destination may lead an automatic tunnel here (RFC 6324); forward knows better. */
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

	/* All headers that are to be seen. */
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
	if (!session || !(*(volatile __u32 *)&session->flags & FAST_IN) ||
	    session->peer.whole != peer.whole || now < session->train_until)
		return TC_ACT_UNSPEC;

	/* Another way in than the one out: the kernel's filter of reverse paths may object. */
	if (session->way != skb->ifindex ||
	    (ip->destination != session->local &&
	     (!session->alias || ip->destination != session->alias)))
		return TC_ACT_UNSPEC;
	if ((void *)(inner + 1) > end || ipv4_sum(ip) != 0xffff)
		return TC_ACT_UNSPEC;
	if (ETH + overhead + IPV6 + bpf_ntohs(inner->payload) != len ||
	    ETH + bpf_ntohs(ip->len) != len || inner->class[0] >> 4 != 6) {
		/* Many datagrams that the kernel has merged; each has an inner header of its own.
		 * Forward takes these at once; single ones must not overtake them. */
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

	/* From here on the packet is another one, and there is no way back. */
	if (ecn && bpf_skb_store_bytes(skb, ETH + 1, &class, 1, BPF_F_RECOMPUTE_CSUM))
		return lose(counts, false);
	/* What the network card has said of UDP's checksum says nothing of the one inside. */
	if (checked)
		(void)bpf_csum_level(skb, BPF_CSUM_LEVEL_DEC);
	bpf_set_hash_invalid(skb);
	if (now - session->heard > FAST_HEARD_NS) {
		session->heard = now;
		session->told = 0;
	}
	__sync_fetch_and_add(&counts->in_packets, count);
	__sync_fetch_and_add(&counts->in_bytes, len);
	return bpf_redirect(tun, BPF_F_INGRESS);
}

/*
 * Where packets come out of the TUN device: nothing but IPv6. fast_encap asks the routing table on
 * behalf of this device, which the kernel answers only for one that forwards IPv4; and forward,
 * which writes into the device, is not to gain anything by that.
 */
SEC("tc")
int fast_guard(struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IPV6) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* Whether this kernel knows how to take IPv4 away from around IPv6: run once, on a made-up packet.
 */
SEC("tc")
int fast_try_decap(struct __sk_buff *skb)
{
	return bpf_skb_adjust_room(skb, -(__s32)IPV4, BPF_ADJ_ROOM_MAC,
				   BPF_F_ADJ_ROOM_FIXED_GSO | ADJ_ROOM_DECAP_L3_IPV6)
		       ? 0
		       : 1;
}

const char fast_license[] SEC("license") = "Dual BSD/GPL";
