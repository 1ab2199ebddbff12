/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter page: written by one forward process, mapped read-only by readers. Every number has
 * 64 bits and only grows, so a reader needs no lock.
 */
#ifndef DTCP_FORWARD_COUNTERS_H
#define DTCP_FORWARD_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

enum drop_reason {
	DROP_NONE,	      /* not dropped */
	DROP_OUTER_SHORT,     /* outer packet without room for an inner header */
	DROP_OUTER_PEER,      /* no session has this outer source with this destination */
	DROP_NOT_IPV6,	      /* inner version is not 6 */
	DROP_TRUNCATED,	      /* inner packet shorter than its header says */
	DROP_SRC_MULTICAST,   /* inner source multicast */
	DROP_SRC_UNSPECIFIED, /* inner source ::, and not neighbour discovery */
	DROP_SRC_LOOPBACK,    /* inner source ::1 */
	DROP_SRC_MAPPED,      /* inner source ::ffff:0:0/96 */
	DROP_SRC_COMPATIBLE,  /* inner source ::/96 */
	DROP_SRC_INGRESS,     /* inner source not the session's own (RFC 2827, 3704) */
	DROP_LOOP,	      /* inner destination leads back into this tunnel (RFC 6324) */
	DROP_ROUTER,	      /* inner redirect, or unwanted router advertisement */
	DROP_ECN,	      /* outer congestion mark on a flow without ECN (RFC 6040) */
	DROP_UDP_MALFORMED,   /* UDP payload that is neither IPv6 nor a probe */
	DROP_PROBE_SESSION,   /* probe for an unknown session */
	DROP_PROBE_CODE,      /* probe with a wrong code */
	DROP_PROBE_OLD,	      /* probe with a counter that is not higher than any before */
	DROP_TUN_MALFORMED,   /* read from TUN: not a complete IPv6 packet */
	DROP_MULTICAST,	 /* read from the shared TUN: multicast, which belongs to no single session
			  */
	DROP_REDIRECT,	 /* read from the shared TUN: ICMPv6 redirect to another session */
	DROP_NO_ROUTE,	 /* read from TUN: no session and never assigned */
	DROP_NO_SESSION, /* read from TUN: assigned, its session is down */
	DROP_TOO_BIG,	 /* read from TUN: larger than the path MTU */
	DROP_UNPROVEN,	 /* read from TUN: exceeds the limit for an unproven address */
	DROP_TUN_WRITE,	 /* write to the TUN device failed */
	DROP_SEND,	 /* sending on the socket failed */
	DROP_REASONS,
};

/* A short name for each reason, as shown to operators ("src-ingress"). */
const char *drop_reason_name(enum drop_reason reason);

/* A short description of each reason. */
const char *drop_reason_text(enum drop_reason reason);

struct fast_counters;

struct session_counters {
	uint64_t in_packets;  /* decapsulated and written to TUN */
	uint64_t in_bytes;    /* of the inner packets */
	uint64_t out_packets; /* read from TUN, encapsulated and sent */
	uint64_t out_bytes;
	uint64_t dropped;     /* for any reason, in either direction */
	uint64_t icmp_errors; /* ICMPv4 errors received for this tunnel */
	uint64_t rtt_us;      /* the last round-trip time measured, microseconds */
	uint64_t probes;      /* UDP: valid probes received; protocol 41: requests and answers */
	uint64_t heard_us;    /* time of the last answer to one of our probes, clock_us(); 0 */
};

/* Traffic of all sessions together, including those that have ended. */
struct carried_counters {
	uint64_t in_packets;
	uint64_t in_bytes;
	uint64_t out_packets;
	uint64_t out_bytes;
};

#define COUNTERS_MAGIC 0x64746370u

struct counters_page {
	uint32_t magic;
	uint32_t version;      /* 1 */
	uint32_t sessions_max; /* length of session[] */
	uint32_t unused;
	uint64_t drops[32]; /* by enum drop_reason */
	uint64_t icmp_errors;
	uint64_t icmp6_sent;
	struct carried_counters carried;   /* by forward; the kernel counts separately */
	struct session_counters session[]; /* by session id; zeroed when an id is added */
};

_Static_assert(DROP_REASONS <= 32, "drops[] has room");

/* Size of a page for this many sessions, in bytes. */
size_t counters_size(uint32_t sessions_max);

/*
 * For a reader: maps the page of that descriptor, which is closed. NULL after logging: then no
 * counters can be shown.
 */
const struct counters_page *counters_map(int fd, uint32_t sessions_max);

/* The counters of the kernel's programs, for a reader; zero: none. */
struct counters_kernel {
	const struct fast_counters *lane;
	uint32_t lanes;
};

/* Sent with their descriptor. */
struct counters_kernel_given {
	uint32_t lanes;
};

/* Maps them for a reader; closes fd. */
void counters_kernel_map(int fd, const struct counters_kernel_given *given, uint32_t sessions_max,
			 struct counters_kernel *out);

/* Adds the kernel's counters of a session. */
void counters_kernel_add(const struct counters_kernel *kernel, uint32_t id,
			 struct session_counters *sum);

/* Octets of both directions that the kernel has ever counted for a session id. */
uint64_t counters_kernel_octets(const struct counters_kernel *kernel, uint32_t id);

/* Traffic of all sessions carried by the kernel. */
void counters_kernel_carried(const struct counters_kernel *kernel, uint32_t sessions_max,
			     struct carried_counters *sum);

/* The drops of all sessions by reason, with those of the kernel. */
void counters_drops(const struct counters_page *page, const struct counters_kernel *kernel,
		    uint64_t drops[static DROP_REASONS]);

/* Logs one line. */
void counters_log(const char *name, uint64_t number);

/* Logs one line, unless the number is zero. */
void counters_log_some(const char *name, uint64_t number);

/* Logs a line for each drop reason, and for ICMP, that is not zero. */
void counters_log_page(const struct counters_page *page, const struct counters_kernel *kernel);

/* Logs a session's traffic, and its round-trip time if known. */
void counters_log_session(const struct session_counters *session);

#endif
