/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps's settings: command line and configuration file. dtcps(8), dtcps.conf(5). */
#ifndef DTCP_SERVER_OPTIONS_H
#define DTCP_SERVER_OPTIONS_H

#include "base/options.h"
#include "config.h"
#include "proto/prefix.h"
#include "server/control/connection_limits.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Digits of the number in a tunnelonly session's interface name. */
#define SERVER_INTERFACE_DIGITS 5

/* Read where it is there and no other one is named. */
#define SERVER_CONFIGFILE DTCP_SYSCONFDIR "/dtcps.conf"

/* More than there are settings (settings.h). */
#define SERVER_SETTINGS_MAX 64

struct configfile;

struct server_options {
	const char *file;		     /* -c, or the default one, which may not be there */
	struct configfile *values;	     /* what texts of the file point into, NULL: nothing */
	uint32_t lines[SERVER_SETTINGS_MAX]; /* of each setting in the file; 0: not from there */
	bool check;			     /* --check: only say whether all is right */
	bool old_interface;		     /* -i named it as BSDs do */
	bool old_prefix;		     /* the prefix came without its length */
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
	bool numbered;		  /* -a */
	bool tunnelonly;	  /* tunnelonly.enable */
	uint32_t tunnelonly_keep; /* seconds that a device stays for its user's next session */
	bool tunnelonly_ra;	  /* tunnelonly.ra */
	bool tunnelonly_any;	  /* tunnelonly.sources is any */
	bool udp;		  /* -U */
	uint16_t udp_port;	  /* -b, host byte order */
	uint32_t attempts;	  /* limit.attempts: failed logins of one connection */
	uint32_t sessions_max;	  /* limit.sessions */
	struct connection_limits_config
		limits;		/* limit.connections, pending, source.connections, .pending */
	uint32_t failures;	/* limit.source.failures, a minute */
	uint32_t delay;		/* limit.delay, seconds at most that a failed login waits */
	uint32_t line_rate;	/* limit.lines, a second and connection */
	uint32_t log_lines;	/* limit.log, a second, about failed logins */
	uint32_t output;	/* limit.output, octets that wait in a connection */
	uint32_t icmp6_rate;	/* limit.icmp6, a second */
	uint32_t timeout_login; /* seconds */
	uint32_t timeout_idle;
	uint32_t timeout_word;
};

/*
 * Reads the configuration file and the arguments, which must stay valid. Only OPTIONS_OK leaves
 * something to free.
 */
enum options_result server_options_parse(struct server_options *options, int argc,
					 char *const argv[]);

/*
 * The same for a room, from what server_options_words() has made: no file is read, which may have
 * changed since monitor did.
 */
enum options_result server_options_parse_room(struct server_options *options, int argc,
					      char *const argv[]);

void server_options_free(struct server_options *options);

/*
 * A command line that says all that options say. Returns *argc words, to be freed, with a NULL
 * behind them; NULL where memory is short.
 */
char **server_options_words(const struct server_options *options, const char *program, int *argc);
void server_options_free_words(char **words, int argc);

/*
 * How many numbers of sessions there are: for those that are up, and for logins that are looked
 * into, so that those without a password take nothing away from the others.
 */
uint32_t server_options_ids(const struct server_options *options);

/* The highest number of a TUN device: one for each session, and for those that wait for the next.
 */
uint32_t server_options_devices(const struct server_options *options);

/* The name of the TUN device with that index: of "dtcps0" and 3, "dtcps3". */
void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ]);

#endif
