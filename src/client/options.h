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

/* An address of the tunnel's interface, with the length of the on-link prefix. */
struct client_address {
	struct in6_addr addr;
	uint8_t len; /* 1 to 128 */
};

#define CLIENT_LANS_MAX	    16
#define CLIENT_LAN_DNS_MAX  4
#define CLIENT_LAN_OPEN_MAX 64

/* Ports that can be reached from outside. */
struct client_lan_port {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t first;
	uint16_t last;
};

/* --lan: the networks at home that get the prefix. */
struct client_lan {
	size_t n; /* 0: none */
	char names[CLIENT_LANS_MAX][IFNAMSIZ];
	bool dns_auto; /* announce those of the uplink */
	size_t n_dns;
	struct in6_addr dns[CLIENT_LAN_DNS_MAX];
	bool no_firewall;
	size_t n_open;
	struct client_lan_port open[CLIENT_LAN_OPEN_MAX];
};

/* Separators of the words of -s. */
#define CLIENT_SCRIPT_BLANKS " \t"

/* Folder in which "dtcpclient NAME" looks for NAME.conf. */
#define CLIENT_CONFIG_DIR DTCP_SYSCONFDIR "/dtcp"

/* Address that --check pings behind the server: k.root-servers.net, an anycast root name server. */
#define CLIENT_CHECK_TARGET "2001:7fd::1"

/* Values derived from the name of a configuration; options.c. */
struct client_named;

struct client_options {
	struct settings_source source;		 /* the file of a named configuration */
	struct client_named *named;		 /* NULL: only the command line */
	char *server_list;			 /* memory of the servers of a list, or NULL */
	const char *servers[CLIENT_SERVERS_MAX]; /* in the order in which they were named */
	size_t n_servers;			 /* 1 or more */
	const char *login;			 /* -u: DTCP user, NULL for the login name */
	const char *run_as;    /* --user: of the unprivileged processes; NULL: the default */
	const char *script;    /* -s, a command with its arguments, or the default, a path */
	bool script_named;     /* -s was given: a missing script is an error */
	const char *pidfile;   /* NULL: none */
	const char *interface; /* name of the TUN device */
	const char *auth_file;
	const char *control_socket; /* --control-socket: NULL for the default; ctl/listen.h */
	bool debug;
	bool log_json; /* --log-format */
	bool daemon;
	bool loop;		      /* -l: keep reconnecting */
	bool check_nat;		      /* off with -n */
	bool no_device;		      /* --tunnel none: the script makes the tunnel */
	bool check;		      /* --check, and its options: */
	bool json;		      /* --json */
	bool force;		      /* --force */
	bool check_target_named;      /* --check-target was given */
	struct in6_addr check_target; /* address behind the server to ping */
	enum session_transport transport;
	bool transport_named; /* -U or --transport was given */
	uint16_t udp_port;    /* -b: local port of a tunnel over UDP, 0 for any */
	bool udp_port_named;
	uint16_t nat_port;     /* -B: the port to name to the server, 0: none given */
	uint32_t hold;	       /* seconds that the tunnel outlives its session */
	uint16_t port;	       /* host byte order */
	uint32_t mtu;	       /* FORWARD_MTU_MIN to FORWARD_MTU_MAX */
	uint32_t metric;       /* of our routes */
	enum fast_choice fast; /* --fast */
	uint32_t table;	       /* --table: 0: any free table; RULES_TABLE_MAIN: no separate table */
	enum tunnel_type type;
	bool type_named;    /* -t was given */
	bool routes_named;  /* --route was given */
	bool accept_ra;	    /* --accept-ra: accept the server's router advertisements */
	size_t n_addresses; /* --address: several for tunnelonly, otherwise 1 at most */
	struct client_address addresses[CLIENT_OWN_MAX];
	size_t n_routes; /* ::/0 for the default route has length 0 */
	struct prefix6 routes[CLIENT_ROUTES_MAX];
	struct client_lan lan;
	unsigned int keepalive;		/* seconds between pings */
	unsigned int keepalive_timeout; /* seconds to wait for the answer */
};

/*
 * True if the user has chosen the UDP port, by -b or implicitly by -B, so that it never changes.
 * With -b 0 any port may be used.
 */
bool client_options_keep_port(const struct client_options *options);

/* The table of settings, settings.c. */
extern const struct settings client_settings;

/*
 * Reads the arguments, which must stay valid, and the file of the configuration that they name, if
 * any. Only after OPTIONS_OK the options have to be freed.
 */
enum options_result client_options_parse(struct client_options *options, int argc,
					 char *const argv[]);

/*
 * The same for one of the other processes, from the output of client_options_words(): does not read
 * a file, which may have changed since the root process did.
 */
enum options_result client_options_parse_room(struct client_options *options, int argc,
					      char *const argv[]);

void client_options_free(struct client_options *options);

/*
 * Builds a command line with the values of all options, which client_options_parse() has read from
 * argv. Returns *argc_out words, to be freed, with a NULL after them; NULL if memory is short.
 */
char **client_options_words(const struct client_options *options, int argc, char *const argv[],
			    int *argc_out);
void client_options_free_words(char **words);

/* The name of the configuration, "" if there is none; only in the root process. */
const char *client_options_name(const struct client_options *options);

/* True if that server is given by name, which has to be looked up. */
bool client_options_named(const struct client_options *options, size_t server);

#endif
