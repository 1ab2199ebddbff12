/* SPDX-License-Identifier: BSD-2-Clause */
/* dtcps's settings: command line and configuration file. dtcps(8), dtcps.conf(5). */
#ifndef DTCP_SERVER_OPTIONS_H
#define DTCP_SERVER_OPTIONS_H

#include "base/options.h"
#include "base/settings.h"
#include "config.h"
#include "ctl/listen.h"
#include "fastpath/choice.h"
#include "proto/prefix.h"
#include "server/control/connection_limits.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* The default name of the interface. */
#define SERVER_INTERFACE "dtcps0"

/* Digits of the number in a tunnelonly session's interface name. */
#define SERVER_INTERFACE_DIGITS 5

/* Read where it is there and no other one is named. */
#define SERVER_CONFIGFILE DTCP_SYSCONFDIR "/dtcps.conf"

/* What --help prints: every option, in groups. */
extern const char server_help[];

/* The values of the settings, and what only the command line says. */
struct server_options {
	struct settings_source source; /* the file: -c, or the default one */
	bool list;		       /* -o help: only say which settings there are */
	bool check;		       /* --check: only say whether all is right */
	bool suggest;		       /* --suggest: only write a configuration file */
	bool old_interface;	       /* -i named it as BSDs do */
	bool old_prefix;	       /* the prefix came without its length */
	bool daemon;

	struct in_addr address;
	const char *control_socket; /* ctl/listen.h; NULL: the default one */
	const char *database;
	bool debug;
	enum fast_choice fast;	  /* which path carries packets */
	uint32_t history_keep;	  /* days; 0: there is no history */
	const char *host_exclude; /* exclude.h; NULL: none */
	bool has_host;
	struct prefix6 host_prefix;
	const char *interface;
	uint32_t attempts;
	uint32_t delay;
	uint32_t icmp6_rate;
	uint32_t line_rate;
	uint32_t log_lines;
	uint32_t output;
	uint32_t sessions_max;
	uint32_t failures;
	struct connection_limits_config limits;
	struct in_addr listen;
	bool log_json; /* log.format */
	uint32_t mtu;
	const char *ndp_proxy;	   /* an interface, SERVER_NDP_AUTO or SERVER_NDP_OFF */
	const char *network_fixed; /* exclude.h; NULL: what is nobody's on this machine */
	uint32_t network_length;
	bool numbered;
	bool has_pool;
	struct prefix6 pool;
	const char *pidfile; /* NULL: none is kept */
	uint16_t port;	     /* host byte order */
	uint32_t timeout_idle;
	uint32_t timeout_login;
	uint32_t timeout_word;
	bool tunnelonly;
	uint32_t tunnelonly_keep;
	bool tunnelonly_ra;
	bool tunnelonly_any; /* tunnelonly.sources */
	bool udp;
	uint16_t udp_port;  /* host byte order */
	const char *run_as; /* NULL for the default */

	bool filters; /* no setting: the fast path has some that the guard has to remove */
};

/* The table of settings, settings.c. */
extern const struct settings server_settings;

/* What has no letter: --user, --control-socket and --log-format. */
enum { SERVER_OPTION_USER = OPTION_OTHER, SERVER_OPTION_CONTROL, SERVER_OPTION_LOG_FORMAT };

/* Values of ndp.proxy that are no interface. */
#define SERVER_NDP_AUTO "auto"
#define SERVER_NDP_OFF	"off"

/* Size of the text of a live setting: a number or a short word. */
#define SERVER_SETTING_LIVE_SIZE 16

/*
 * When all have been read: fills in what follows from others, and checks what they must be
 * together. False after options_bad().
 */
bool server_settings_finish(struct server_options *options);

/* The options as they are if nothing is said. */
void server_options_default(struct server_options *options);

/*
 * Reads the configuration file and the arguments, which must stay valid. Only OPTIONS_OK leaves
 * something to free.
 */
enum options_result server_options_parse(struct server_options *options, int argc,
					 char *const argv[]);

/*
 * The same for a process, from what server_options_words() has made: no file is read, which may
 * have changed since root did.
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

/* Whether neighbour solicitations are answered, now or when the interface is there. */
bool server_options_ndp(const struct server_options *options);

/* Where the control socket is; false: there is none. */
bool server_options_socket(const struct server_options *options, char path[static CTL_PATH_SIZE]);

/* The name of the TUN device with that index: of "dtcps0" and 3, "dtcps3". */
void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ]);

#endif
