/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the kernel's programs (programs.bpf.c) and the processes: the contents of the maps.
 * Forward writes sessions, peers and routes; the root process writes devices, their addresses and
 * struct fast_root; the programs write counters, and the fields of a session that are marked as
 * theirs.
 *
 * Addresses and ports are in network byte order, times in nanoseconds of CLOCK_MONOTONIC, from the
 * kernel's coarse clock.
 */
#ifndef DTCP_FASTPATH_SHARED_H
#define DTCP_FASTPATH_SHARED_H

#include <linux/types.h>

/* The maps that forward and the readers of counters get; sessions are indexed by id. */
enum fast_map { FAST_STATE, FAST_SESSIONS, FAST_COUNTERS, FAST_ROUTES, FAST_PEERS, FAST_MAPS };

/* As in forward/msg.h. */
#define FAST_PREFIXES_MAX 10
#define FAST_PROTO41	  1
#define FAST_UDP	  2

/* Without an update by forward for this time, the programs carry nothing. */
#define FAST_ALIVE_NS 5000000000ull

/* Without an incoming packet for this time, the next outgoing one goes through forward. */
#define FAST_QUIET_NS 1000000000ull

/*
 * Interval at which an outgoing packet goes through forward: a connection-tracking filter of this
 * machine (2 minutes for UDP) would otherwise forget the flow, and drop packets for forward.
 */
#define FAST_SHOWN_NS 60000000000ull

/* Resolution of the time of the last incoming packet. */
#define FAST_HEARD_NS 250000000ull

/* Without a packet of the peer for this time, a session's outgoing packets go through forward. */
#define FAST_SEEN_NS 120000000000ull

/* Time after a train (datagrams that the kernel has merged) in which all packets go to forward. */
#define FAST_TRAIN_NS 5000000000ull

/* Flags of a session. */
enum fast_flags {
	FAST_OUT = 1, /* encapsulate */
	FAST_IN = 2,  /* decapsulate */
};

/* Flags of an outer device. */
enum fast_device {
	FAST_JOINED = 1,
	FAST_FINISHES = 2, /* segmentation and checksums are done before the device */
};

struct fast_prefix {
	__u64 address[2];
	__u64 mask[2];
};

/* A peer; read and written as one number. */
union fast_peer {
	struct {
		__u32 address;
		__u16 port;	 /* protocol 41: 0 */
		__u16 transport; /* host byte order */
	};
	__u64 whole;
};

struct fast_session {
	/* written by forward: */
	union fast_peer peer;
	__u32 flags;
	__u32 local;
	__u32 alias; /* 0: none */
	__u32 mtu;   /* of the tunnel */
	__u64 path_until;
	__u32 path; /* the outer path MTU, valid until path_until */
	__u32 n_prefixes;
	struct fast_prefix prefixes[FAST_PREFIXES_MAX];
	/* written by the programs, and by forward for packets that it receives: */
	__u64 heard; /* the last incoming packet, with resolution FAST_HEARD_NS */
	__u32 told;  /* forward has seen an outgoing packet since heard */
	/* written by the programs: */
	__u32 way; /* index of the device of the route to the peer */
	__u64 train_until;
	__u64 shown;  /* when an outgoing packet last went through forward */
	__u32 ident;  /* of the next outer packet that may be fragmented */
	__u32 came;   /* index of the device on which the peer's packets arrive */
	__u64 seen;   /* the last of these, with resolution FAST_HEARD_NS */
	__u64 lonely; /* the first outgoing packet after heard; none if earlier than that */
};

/*
 * On its own cache line. A session has one for each lane, a group of processors; the sums of all
 * sessions follow the last session. Values only grow.
 */
struct fast_counters {
	__u64 in_packets;
	__u64 in_bytes;
	__u64 out_packets;
	__u64 out_bytes;
	__u64 not_sent;
	__u64 not_written;
	__u64 unused[2];
};

/* No session: forward decides. */
#define FAST_NOBODY 0xffffffffu

struct fast_route {
	__u32 len;
	__u8 address[16];
};

/* Written by forward, for all sessions. */
struct fast_state {
	__u64 alive; /* last update by forward */
	__u32 udp_port;
	__u32 unused;
};

/* Written by the root process only, since a compromised forward must not control these. */
struct fast_root {
	__u32 tun;   /* index of the device that all sessions share; 0: none */
	__u32 lanes; /* a power of two */
	__u32 sessions_max;
	__u32 ingress; /* check inner sources of incoming packets, not of outgoing ones */
	__u32 paused;  /* the programs carry nothing */
};

#endif
