/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet headers, maps, and functions for both directions of the kernel's programs. */
#ifndef DTCP_FASTPATH_PACKET_BPF_H
#define DTCP_FASTPATH_PACKET_BPF_H

#include "fastpath/shared.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Linux 6.3; the headers of Debian 12 are older than the kernels that may run there. */
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
#define IPV4_VERSION  0x45 /* no options */
#define OUTER_TTL     64
#define INNER_MTU_MIN 1280
#define OUTER_MAX     65535
#define ECN_MASK      3
#define ECN_CE	      3
#define CLASS_ECN     0x30 /* in the second octet */

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

/* Outer devices, by index. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

/* The machine's own addresses, the only valid sources of outer packets. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __be32);
	__type(value, __u32);
} addresses SEC(".maps");

#define HEADERS (ETH + IPV4 + UDP + IPV6 + TCP_LEAST)

static __always_inline bool is_alive(__u64 now)
{
	__u64 alive = *(volatile __u64 *)&state.alive;

	return alive && now - alive < FAST_ALIVE_NS && !*(volatile __u32 *)&root.paused;
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

/* Counts for a session, and in the sums of all sessions. */
static __always_inline void count_out(struct fast_counters *counts, __u64 packets, __u64 bytes)
{
	struct fast_counters *all = counters_get(root.sessions_max);

	__sync_fetch_and_add(&counts->out_packets, packets);
	__sync_fetch_and_add(&counts->out_bytes, bytes);
	if (!all)
		return;
	__sync_fetch_and_add(&all->out_packets, packets);
	__sync_fetch_and_add(&all->out_bytes, bytes);
}

static __always_inline void count_in(struct fast_counters *counts, __u64 packets, __u64 bytes)
{
	struct fast_counters *all = counters_get(root.sessions_max);

	__sync_fetch_and_add(&counts->in_packets, packets);
	__sync_fetch_and_add(&counts->in_bytes, bytes);
	if (!all)
		return;
	__sync_fetch_and_add(&all->in_packets, packets);
	__sync_fetch_and_add(&all->in_bytes, bytes);
}

/* Drops a partly modified packet; rare, for example when memory is short. */
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

/* Sum of the ten 16-bit words; 0xffff if the checksum is right. */
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
 * Whether the first header decides everything: no extension headers, no fragment, and no ICMPv6
 * except errors and foreign echoes.
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

/* Number of packets that a large one will be cut into, or was merged from. */
static __always_inline __u32 segments(__u32 payload, __u32 size)
{
	return size ? (payload + size - 1) / size : 1;
}

#endif
