/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter page: written by one forward process, mapped read-only by whoever wants to know.
 * Every number is 64 bit and only grows, so a reader needs no lock.
 */
#ifndef DTCP_FORWARD_COUNTERS_H
#define DTCP_FORWARD_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

enum drop_reason {
	DROP_NONE,	      /* not dropped */
	DROP_OUTER_SHORT,     /* outer packet without room for an inner header */
	DROP_OUTER_PEER,      /* no session has this outer source, or not with this destination */
	DROP_NOT_IPV6,	      /* inner version is not 6 */
	DROP_TRUNCATED,	      /* inner packet shorter than its header says */
	DROP_SRC_MULTICAST,   /* inner source multicast */
	DROP_SRC_UNSPECIFIED, /* inner source ::, and not neighbour discovery */
	DROP_SRC_LOOPBACK,    /* inner source ::1 */
	DROP_SRC_MAPPED,      /* inner source ::ffff:0:0/96 */
	DROP_SRC_COMPATIBLE,  /* inner source ::/96 */
	DROP_SRC_INGRESS,     /* inner source not the session's own (RFC 2827, 3704) */
	DROP_LOOP,	      /* inner destination leads back into this tunnel (RFC 6324) */
	DROP_ROUTER,	      /* inner redirect, or router advertisement that is not wanted */
	DROP_ECN,	    /* outer congestion mark on a flow that does not know ECN (RFC 6040) */
	DROP_UDP_MALFORMED, /* UDP payload that is neither IPv6 nor a probe */
	DROP_PROBE_SESSION, /* probe of no session here */
	DROP_PROBE_CODE,    /* probe with a wrong code */
	DROP_PROBE_OLD,	    /* probe with a counter that is not higher than any before */
	DROP_TUN_MALFORMED, /* read from TUN: no whole IPv6 packet */
	DROP_MULTICAST,	    /* read from the shared TUN: multicast, which has no one session */
	DROP_REDIRECT,	    /* read from the shared TUN: ICMPv6 redirect to another session */
	DROP_NO_ROUTE,	    /* read from TUN: no session and never assigned */
	DROP_NO_SESSION,    /* read from TUN: assigned, its session is down */
	DROP_TOO_BIG,	    /* read from TUN: larger than the path takes */
	DROP_UNPROVEN,	    /* read from TUN: more than may go to an address without proof */
	DROP_TUN_WRITE,	    /* the TUN device refused it */
	DROP_SEND,	    /* the socket refused it */
	DROP_REASONS,
};

/* A short name for each reason, as shown to operators ("src-ingress"). */
const char *drop_reason_name(enum drop_reason reason);

/* The same in a few words. */
const char *drop_reason_text(enum drop_reason reason);

struct fast_counters;

struct session_counters {
	uint64_t in_packets;  /* decapsulated and written to TUN */
	uint64_t in_bytes;    /* of the inner packets */
	uint64_t out_packets; /* read from TUN, encapsulated and sent */
	uint64_t out_bytes;
	uint64_t dropped;     /* for whatever reason, either way */
	uint64_t icmp_errors; /* ICMPv4 errors that came for this tunnel */
	uint64_t rtt_us;      /* the last round-trip time that was measured, in microseconds */
	uint64_t probes;      /* UDP: good probes heard; protocol 41: requests and answers */
	uint64_t heard_us;    /* when the last answer to a question of ours came, clock_us(); 0 */
};

/* What all sessions together have carried, those that have ended as well. */
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
	struct carried_counters carried;   /* by forward; the kernel counts for itself */
	struct session_counters session[]; /* by session id; zeroed when an id is added */
};

_Static_assert(DROP_REASONS <= 32, "drops[] has room");

/* Bytes of a page for so many sessions. */
size_t counters_size(uint32_t sessions_max);

/*
 * For a reader: the page of that descriptor, which is closed. NULL after logging: then there is
 * nothing to be shown.
 */
const struct counters_page *counters_map(int fd, uint32_t sessions_max);

/* The counters of the kernel's programs, for a reader; zero: there are none. */
struct counters_kernel {
	const struct fast_counters *lane;
	uint32_t lanes;
};

/* What comes with their descriptor. */
struct counters_kernel_given {
	uint32_t lanes;
};

/* Maps them for a reader; closes fd. */
void counters_kernel_map(int fd, const struct counters_kernel_given *given, uint32_t sessions_max,
			 struct counters_kernel *out);

/* Adds what the kernel has counted for a session. */
void counters_kernel_add(const struct counters_kernel *kernel, uint32_t id,
			 struct session_counters *sum);

/* Octets of both directions that it has ever counted for a session's id. */
uint64_t counters_kernel_octets(const struct counters_kernel *kernel, uint32_t id);

/* What the kernel has carried of all sessions. */
void counters_kernel_carried(const struct counters_kernel *kernel, uint32_t sessions_max,
			     struct carried_counters *sum);

/* The drops of all sessions by reason, with those of the kernel. */
void counters_drops(const struct counters_page *page, const struct counters_kernel *kernel,
		    uint64_t drops[static DROP_REASONS]);

/* One line for the log. */
void counters_log(const char *name, uint64_t number);

/* One line for the log, unless the number is zero. */
void counters_log_some(const char *name, uint64_t number);

/* A line for each drop reason, and for ICMP, that is not zero. */
void counters_log_page(const struct counters_page *page, const struct counters_kernel *kernel);

/* What a session has carried, and its round-trip time if there is one. */
void counters_log_session(const struct session_counters *session);

#endif
