/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps's settings: command line and -o key=value. dtcps(8). */
#ifndef DTCP_SERVER_OPTIONS_H
#define DTCP_SERVER_OPTIONS_H

#include "base/options.h"
#include "proto/prefix.h"
#include "server/crowd.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Digits of the number in a tunnelonly session's interface name. */
#define SERVER_INTERFACE_DIGITS 5

struct server_options {
	bool debug;
	bool daemon;
	const char *pidfile; /* NULL: none is kept */
	const char *database;
	const char *run_as; /* for the unprivileged rooms, NULL for the default */
	const char *interface;
	struct in_addr listen;
	uint16_t port;		/* host byte order */
	struct in_addr address; /* -g: the tunnel end to tell clients; 0: the one they came to */
	uint32_t mtu;
	bool has_host;
	struct prefix6 host_prefix; /* a /64 */
	bool has_pool;
	struct prefix6 pool;
	uint32_t network_length;
	bool numbered;		    /* -a */
	bool udp;		    /* -U */
	uint16_t udp_port;	    /* -b, host byte order */
	uint32_t attempts;	    /* limit.attempts: failed logins of one connection */
	uint32_t sessions_max;	    /* limit.sessions */
	struct crowd_config limits; /* limit.connections, pending, source.connections, .pending */
	uint32_t failures;	    /* limit.source.failures, a minute */
	uint32_t delay;		    /* limit.delay, seconds at most that a failed login waits */
	uint32_t lines;		    /* limit.lines, a second and connection */
	uint32_t log_lines;	    /* limit.log, a second, about failed logins */
	uint32_t output;	    /* limit.output, octets that wait in a connection */
	uint32_t icmp6_rate;	    /* limit.icmp6, a second */
	uint32_t timeout_login;	    /* seconds */
	uint32_t timeout_idle;
	uint32_t timeout_word;
};

/* Reads the arguments, which must stay valid. */
enum options_result server_options_parse(struct server_options *options, int argc, char **argv);

/* The name of the TUN device with that index: of "dtcps0" and 3, "dtcps3". */
void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ]);

#endif
