/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages of the forward process. All are structs of fixed size over a SOCK_SEQPACKET socket
 * pair (process/ipc.h); numbers are in host byte order, addresses in network byte order. Forward
 * trusts the root process, and trusts control with the sessions only.
 */
#ifndef DTCP_FORWARD_MSG_H
#define DTCP_FORWARD_MSG_H

#include "proto/prefix.h"
#include "proto/probe.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* A session's own addresses: me6, link-local, delegated prefixes. */
#define FORWARD_PREFIXES_MAX 10

enum forward_msg {
	/* root to forward */
	FORWARD_MSG_RAW = 1,   /* descriptor: the raw protocol 41 socket */
	FORWARD_MSG_COUNTERS,  /* descriptor: the counter page, writable */
	FORWARD_MSG_ICMP,      /* struct forward_icmp */
	FORWARD_MSG_DEVICE,    /* struct forward_device, descriptor: a TUN device */
	FORWARD_MSG_NO_DEVICE, /* struct forward_device: close it */
	FORWARD_MSG_UDP,       /* descriptor: the bound UDP socket */
	FORWARD_MSG_CANDIDATE, /* struct forward_port, descriptor: client: another UDP socket */
	FORWARD_MSG_ASSIGNED,  /* struct forward_prefix: assigned to a user without a session */
	FORWARD_MSG_SETTINGS,  /* struct forward_settings */
	FORWARD_MSG_FAST,      /* struct forward_fast, descriptor: a map of the fast path */
	FORWARD_MSG_ROUTES,    /* descriptor: the socket for route queries */
	/* control to forward */
	FORWARD_MSG_ADD = 32, /* struct forward_session */
	FORWARD_MSG_REMOVE,   /* struct forward_id */
	FORWARD_MSG_HELLO,    /* struct forward_id: client: probe the far end now */
	FORWARD_MSG_TRIAL,    /* struct forward_trial: client with --check: test the path */
	/* forward to control */
	FORWARD_MSG_ADDED = 64, /* struct forward_id: packets of this session now pass */
	FORWARD_MSG_REFUSED,	/* struct forward_id: no memory, or invalid fields */
	FORWARD_MSG_LEARNED, /* struct forward_learned: server: a UDP session's peer has changed */
	FORWARD_MSG_PATH,    /* struct forward_path: is the path alive; server: protocol 41 only */
	FORWARD_MSG_REMOVED, /* struct forward_id: the session is removed */
	FORWARD_MSG_SILENT,  /* struct forward_id: client: no hello was answered for 10 s */
	FORWARD_MSG_PORT,    /* struct forward_port: client: the CANDIDATE of this port is used */
	FORWARD_MSG_RESULT,  /* struct forward_result: the result of the last TRIAL */
};

/* Source of ICMPv6 errors; all zero: none are sent. */
struct forward_icmp {
	struct in6_addr source;
};

/* The fast path's maps (fastpath/shared.h); either all of them are sent, or none. */
struct forward_fast {
	uint32_t map;	   /* enum fast_map */
	uint32_t lanes;	   /* counters of each session */
	uint32_t receives; /* 1: the kernel receives as well */
};

/* Live settings. */
struct forward_settings {
	uint32_t icmp6_rate; /* ICMPv6 errors a second */
	uint32_t debug;	     /* 1: log debug lines */
};

/*
 * A TUN device. Index 0 is the one that all sessions with addresses share (the client's only
 * one); an index above it belongs to one tunnelonly session.
 */
struct forward_device {
	uint32_t index;
	uint32_t interface; /* interface index; required on the server, above index 0 */
};

/*
 * The tunnel MTU: at least the minimum of IPv6 links (RFC 8200, section 5); at most what is not
 * fragmented outside on Ethernet, 1500 less the 20 octets of IPv4, and the 8 of UDP.
 */
#define FORWARD_MTU_MIN	    1280
#define FORWARD_MTU_MAX	    1480
#define FORWARD_UDP_MTU_MAX 1472

enum forward_transport {
	FORWARD_PROTO41 = 1, /* IPv6 in IPv4, protocol 41 (RFC 4213) */
	FORWARD_UDP,	     /* IPv6 in UDP over IPv4, with probes (docs/protocol.md, 2) */
};

struct forward_session {
	uint32_t id; /* chosen by control, below forward_config.sessions_max; also its counter slot
		      */
	uint32_t device;    /* index of its TUN device */
	uint32_t transport; /* enum forward_transport */
	uint32_t mtu;	    /* FORWARD_MTU_MIN to FORWARD_MTU_MAX, or FORWARD_UDP_MTU_MAX */
	struct in_addr
		local; /* source of its outer packets; client with UDP: 0, the kernel's choice */
	struct in_addr peer;  /* their destination, and the only source accepted */
	struct in_addr alias; /* the address that peers send to if that is not local (1:1 NAT) */
	/* UDP, host byte order. Server: 0 if it has to be learned. */
	uint32_t peer_port;
	uint64_t session;	     /* UDP: its number in probes */
	uint8_t key[PROBE_KEY_SIZE]; /* UDP: key of its probes */
	/*
	 * Protocol 41: the ends of the link, ours and the other one, for monitoring its path. near
	 * unspecified: not monitored; far unspecified: address unknown.
	 */
	struct in6_addr near;
	struct in6_addr far;
	uint32_t answers; /* the other end is known to answer: silence means a dead path */
	uint32_t n_prefixes;
	struct prefix6 prefixes[FORWARD_PREFIXES_MAX]; /* inner sources accepted, inner routes */
	/* tunnelonly, 0 or 1 each. */
	uint32_t any_source; /* server: accept every source, whatever the routes are */
	uint32_t adverts;    /* pass router advertisements from the server to the client */
	/* client, 0 or 1: outgoing packets with a source outside of prefixes are answered with an
	 * error. */
	uint32_t own_sources;
};

/* True if all fields but the id are in range, for a server's forward process or a client's. */
bool forward_session_valid(const struct forward_session *config, bool server);

struct forward_learned {
	uint32_t id;
	struct in_addr peer;
	uint32_t port; /* host byte order; 0: unknown again, as another session has it now */
};

struct forward_path {
	uint32_t id;
	/*
	 * 1: the first answer came, or a packet after silence; 0: nothing for 60 s, or 8 s from the
	 * start
	 */
	uint32_t alive;
};

struct forward_id {
	uint32_t id;
};

/* Smallest size of a trial's packet, octets; the largest is FORWARD_MTU_MAX, or
 * FORWARD_UDP_MTU_MAX. */
#define FORWARD_TRIAL_MIN 128

/* An echo request through the tunnel. */
struct forward_trial {
	uint32_t id;
	uint32_t number; /* repeated in the result */
	struct in6_addr source;
	struct in6_addr target;
	uint32_t size; /* of the IPv6 packet */
	uint32_t df;   /* 1: the IPv4 packet must not be fragmented */
};

/* True if a client can send it in this session. */
bool forward_trial_valid(const struct forward_trial *trial, const struct forward_session *config);

enum forward_result_what {
	FORWARD_RESULT_ANSWER,	/* rtt_us is set */
	FORWARD_RESULT_SILENCE, /* no answer for a second */
	FORWARD_RESULT_TOO_BIG, /* with DF: reported by a router, or by this machine */
	FORWARD_RESULT_ERROR,	/* an ICMPv6 error came: from and why are set */
	FORWARD_RESULTS,
};

/* RFC 4443, section 3. */
enum forward_error {
	FORWARD_ERROR_OTHER,
	FORWARD_ERROR_NO_ROUTE,
	FORWARD_ERROR_FORBIDDEN,
	FORWARD_ERROR_ADDRESS, /* unreachable */
	FORWARD_ERROR_HOPS,    /* exceeded */
	FORWARD_ERRORS,
};

struct forward_result {
	uint32_t id;
	uint32_t number;
	uint32_t what;	   /* enum forward_result_what */
	uint32_t rtt_us;   /* round-trip time in microseconds */
	uint32_t path_mtu; /* octets of IPv4 packets, as last reported; 0: not reported */
	uint32_t why;	   /* enum forward_error */
	struct in6_addr from;
};

/* A UDP port of ours. */
struct forward_port {
	uint32_t port; /* host byte order, not 0 */
};

struct forward_prefix {
	struct prefix6 prefix;
};

#endif
