/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcpclient's settings: command line and configuration file. dtcpclient(8), dtcpclient.conf(5). */
#ifndef DTCP_CLIENT_OPTIONS_H
#define DTCP_CLIENT_OPTIONS_H

#include "base/options.h"
#include "base/settings.h"
#include "client/control/session.h"
#include "config.h"
#include "fastpath/choice.h"
#include "proto/message.h"
#include "proto/prefix.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_ROUTES_MAX 32
#define CLIENT_OWN_MAX	  8

/* An address of the tunnel's interface, and what of it says who else is on the link. */
struct client_address {
	struct in6_addr addr;
	uint8_t len; /* 1 to 128 */
};

#define CLIENT_LANS_MAX	    16
#define CLIENT_LAN_DNS_MAX  4
#define CLIENT_LAN_OPEN_MAX 64

/* Ports that are open from outside. */
struct client_lan_port {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t first;
	uint16_t last;
};

/* --lan: the networks at home that get the prefix. */
struct client_lan {
	size_t n; /* 0: none */
	char names[CLIENT_LANS_MAX][IFNAMSIZ];
	bool dns_auto; /* those of the uplink are announced */
	size_t n_dns;
	struct in6_addr dns[CLIENT_LAN_DNS_MAX];
	bool no_firewall;
	size_t n_open;
	struct client_lan_port open[CLIENT_LAN_OPEN_MAX];
};

/* What stands between the words of -s. */
#define CLIENT_SCRIPT_BLANKS " \t"

/* Where "dtcpclient NAME" looks for the file NAME.conf. */
#define CLIENT_CONFIG_DIR DTCP_SYSCONFDIR "/dtcp"

/* What --check asks behind the server: a root name server, k.root-servers.net, in many places. */
#define CLIENT_CHECK_TARGET "2001:7fd::1"

/* What follows from the name of a configuration; options.c. */
struct client_named;

struct client_options {
	struct settings_source source;		 /* the file of a named configuration */
	struct client_named *named;		 /* NULL: all is on the command line */
	char *server_list;			 /* what servers of a list are in, or NULL */
	const char *servers[CLIENT_SERVERS_MAX]; /* in the order in which they were named */
	size_t n_servers;			 /* 1 or more */
	const char *login;			 /* -u: DTCP user, NULL for the login name */
	const char *run_as;    /* --user: for the unprivileged rooms, NULL for the default */
	const char *script;    /* -s, a command with its arguments, or the default, a path */
	bool script_named;     /* -s was given: its absence is an error */
	const char *pidfile;   /* NULL: none is kept */
	const char *interface; /* name of the TUN device */
	const char *auth_file;
	const char *control_socket; /* --control-socket: NULL for the default; ctl/listen.h */
	bool debug;
	bool log_json; /* --log-format */
	bool daemon;
	bool loop;		      /* -l: reconnect for ever */
	bool check_nat;		      /* off with -n */
	bool no_device;		      /* --tunnel none: the script makes the tunnel */
	bool check;		      /* --check, and what goes with it: */
	bool json;		      /* --json */
	bool force;		      /* --force */
	bool check_target_named;      /* --check-target was given */
	struct in6_addr check_target; /* something behind the server */
	enum session_transport transport;
	bool transport_named; /* -U or --transport was given */
	uint16_t udp_port;    /* -b: local port of a tunnel over UDP, 0 for any */
	bool udp_port_named;
	uint16_t nat_port;     /* -B: the port to tell the server, 0: none was given */
	uint32_t hold;	       /* seconds that the tunnel outlives its session */
	uint16_t port;	       /* host byte order */
	uint32_t mtu;	       /* FORWARD_MTU_MIN to FORWARD_MTU_MAX */
	uint32_t metric;       /* of our routes */
	enum fast_choice fast; /* --fast */
	uint32_t table;	       /* --table: 0 for one of its own, RULES_TABLE_MAIN for no other */
	enum tunnel_type type;
	bool type_named;    /* -t was given */
	bool routes_named;  /* --route was given */
	bool accept_ra;	    /* --accept-ra: router advertisements of the server are taken */
	size_t n_addresses; /* --address: several for tunnelonly, else 1 at most */
	struct client_address addresses[CLIENT_OWN_MAX];
	size_t n_routes; /* ::/0 for the default route has length 0 */
	struct prefix6 routes[CLIENT_ROUTES_MAX];
	struct client_lan lan;
	unsigned int keepalive;		/* seconds between pings */
	unsigned int keepalive_timeout; /* seconds to wait for the answer */
};

/*
 * True if the user has chosen the UDP port, by -b or for the sake of -B, so that it never changes.
 * With -b 0 any will do.
 */
bool client_options_keep_port(const struct client_options *options);

/* The table of settings, settings.c. */
extern const struct settings client_settings;

/*
 * Reads the arguments, which must stay valid, and the file of the configuration that they name, if
 * they do. Only OPTIONS_OK leaves something to free.
 */
enum options_result client_options_parse(struct client_options *options, int argc,
					 char *const argv[]);

/*
 * The same for another of our processes, from what client_options_words() has made: no file is
 * read, which may have changed since root's process did.
 */
enum options_result client_options_parse_room(struct client_options *options, int argc,
					      char *const argv[]);

void client_options_free(struct client_options *options);

/*
 * A command line that says all that options say, which client_options_parse() has read from argv.
 * Returns *argc_out words, to be freed, with a NULL behind them; NULL if memory is short.
 */
char **client_options_words(const struct client_options *options, int argc, char *const argv[],
			    int *argc_out);
void client_options_free_words(char **words);

/* The name of the configuration, "" if there is none; in root's process alone. */
const char *client_options_name(const struct client_options *options);

/* True if that server is given by a name, and so has to be looked up. */
bool client_options_named(const struct client_options *options, size_t server);

#endif
