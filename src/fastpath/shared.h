/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's programs (programs.bpf.c) and the processes around them have in common: the
 * maps' contents. Forward writes sessions, peers and routes; root's process writes devices and
 * their addresses and what is in struct fast_root; the programs write counters, and in a session
 * what is said to be theirs.
 *
 * Addresses and ports are in network byte order, times in nanoseconds of CLOCK_MONOTONIC as the
 * kernel's coarse clock has them.
 */
#ifndef DTCP_FASTPATH_SHARED_H
#define DTCP_FASTPATH_SHARED_H

#include <linux/types.h>

/* The maps that forward and the readers of counters get; sessions by their ids. */
enum fast_map { FAST_STATE, FAST_SESSIONS, FAST_COUNTERS, FAST_ROUTES, FAST_PEERS, FAST_MAPS };

/* As in forward/msg.h. */
#define FAST_PREFIXES_MAX 10
#define FAST_PROTO41	  1
#define FAST_UDP	  2

/* The programs carry nothing unless they have heard from forward for so long. */
#define FAST_ALIVE_NS 5000000000ull

/* Without a packet in for so long, forward sees the next one out. */
#define FAST_QUIET_NS 1000000000ull

/*
 * As often, forward sends a packet: a filter on this machine that tracks flows (UDP for 2 minutes)
 * would else forget this one, and drop what comes in for forward.
 */
#define FAST_SHOWN_NS 60000000000ull

/* How exactly the time of the last packet in is known. */
#define FAST_HEARD_NS 250000000ull

/* Without a packet of its peer for so long, what a session sends is forward's. */
#define FAST_SEEN_NS 120000000000ull

/* So long after a train (datagrams that the kernel has merged), all goes to forward. */
#define FAST_TRAIN_NS 5000000000ull

/* Of a session. */
enum fast_flags {
	FAST_OUT = 1, /* encapsulate */
	FAST_IN = 2,  /* decapsulate */
};

/* Of a device outside. */
enum fast_device {
	FAST_JOINED = 1,
	FAST_FINISHES = 2, /* packets are cut, and all checksums made, before it gets them */
};

struct fast_prefix {
	__u64 address[2];
	__u64 mask[2];
};

/* Where packets go; read and written as one number. */
union fast_peer {
	struct {
		__u32 address;
		__u16 port;	 /* protocol 41: 0 */
		__u16 transport; /* host byte order */
	};
	__u64 whole;
};

struct fast_session {
	/* forward's: */
	union fast_peer peer;
	__u32 flags;
	__u32 local;
	__u32 alias; /* 0: none */
	__u32 mtu;   /* of the tunnel */
	__u64 path_until;
	__u32 path; /* the path's MTU outside, until then */
	__u32 n_prefixes;
	struct fast_prefix prefixes[FAST_PREFIXES_MAX];
	/* the programs', and forward's where it has heard something: */
	__u64 heard; /* the last packet in, to FAST_HEARD_NS */
	__u32 told;  /* forward has seen a packet out since then */
	/* the programs': */
	__u32 way; /* device that leads to the peer */
	__u64 train_until;
	__u64 shown;  /* when a packet out was left to forward last */
	__u32 ident;  /* of the next outer packet that may be cut */
	__u32 came;   /* device by which the peer's packets come in, to our address and port */
	__u64 seen;   /* the last of these, to FAST_HEARD_NS */
	__u64 lonely; /* the first packet out after heard; before that: there has been none */
};

/*
 * On a cache line of its own. A session has one for each lane, a group of processors, and behind
 * the last session all sessions together have. Only grows.
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

/* Nobody's session: forward decides. */
#define FAST_NOBODY 0xffffffffu

struct fast_route {
	__u32 len;
	__u8 address[16];
};

/* Forward's, one for all sessions. */
struct fast_state {
	__u64 alive; /* when it was last seen to be */
	__u32 udp_port;
	__u32 unused;
};

/* Root's alone: a forward that was taken over must not say where packets come in. */
struct fast_root {
	__u32 tun;   /* the device that all sessions share; 0: none */
	__u32 lanes; /* a power of two */
	__u32 sessions_max;
	__u32 ingress; /* look at inner sources of what comes in, and not of what goes out */
	__u32 paused;  /* carry nothing */
};

#endif
