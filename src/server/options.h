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

/* Read if it exists and no other one is named. */
#define SERVER_CONFIGFILE DTCP_SYSCONFDIR "/dtcps.conf"

/* What --help prints: every option, in groups. */
extern const char server_help[];

/* The values of the settings, and those given only on the command line. */
struct server_options {
	struct settings_source source; /* the file: -c, or the default one */
	bool list;		       /* -o help: only list the settings */
	bool check;		       /* --check: only report problems */
	bool suggest;		       /* --suggest: only write a configuration file */
	bool old_interface;	       /* -i was a name as on BSD systems */
	bool old_prefix;	       /* the prefix was given without a length */
	bool daemon;

	struct in_addr address;
	const char *control_socket; /* ctl/listen.h; NULL: the default one */
	const char *database;
	bool debug;
	enum fast_choice fast;	  /* whether the kernel carries packets */
	uint32_t history_keep;	  /* days; 0: no history */
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
	const char *network_fixed; /* exclude.h; NULL: whatever is unused on this machine */
	uint32_t network_length;
	bool numbered;
	bool has_pool;
	struct prefix6 pool;
	const char *pidfile; /* NULL: none */
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

	bool filters; /* not a setting: the fast path has filters that the guard has to remove */
};

/* The table of settings, settings.c. */
extern const struct settings server_settings;

/* Options without a letter: --user, --control-socket and --log-format. */
enum { SERVER_OPTION_USER = OPTION_OTHER, SERVER_OPTION_CONTROL, SERVER_OPTION_LOG_FORMAT };

/* Values of ndp.proxy other than an interface. */
#define SERVER_NDP_AUTO "auto"
#define SERVER_NDP_OFF	"off"

/* Size of the text of a live setting: a number or a short word. */
#define SERVER_SETTING_LIVE_SIZE 16

/*
 * Called when all settings have been read: sets those that follow from others, and checks their
 * combination. False after options_bad().
 */
bool server_settings_finish(struct server_options *options);

/* Sets the defaults. */
void server_options_default(struct server_options *options);

/*
 * Reads the configuration file and the arguments, which must stay valid. Only after OPTIONS_OK the
 * options have to be freed.
 */
enum options_result server_options_parse(struct server_options *options, int argc,
					 char *const argv[]);

/*
 * The same for a process, from the output of server_options_words(): does not read a file, which
 * may have changed since the root process did.
 */
enum options_result server_options_parse_room(struct server_options *options, int argc,
					      char *const argv[]);

void server_options_free(struct server_options *options);

/*
 * Builds a command line with the values of all options. Returns *argc words, to be freed with
 * server_options_free_words(), with a NULL after them; NULL if memory is short.
 */
char **server_options_words(const struct server_options *options, const char *program, int *argc);
void server_options_free_words(char **words, int argc);

/*
 * Number of session ids: for sessions that are up, and for logins being checked, so that logins
 * without the password do not use up sessions.
 */
uint32_t server_options_ids(const struct server_options *options);

/*
 * Largest number of TUN devices: one for each session, and those kept for their users' next
 * sessions.
 */
uint32_t server_options_devices(const struct server_options *options);

/* Whether neighbour solicitations are answered, now or when the interface appears. */
bool server_options_ndp(const struct server_options *options);

/* The path of the control socket; false: there is none. */
bool server_options_socket(const struct server_options *options, char path[static CTL_PATH_SIZE]);

/* The name of the TUN device with that index: of "dtcps0" and 3, "dtcps3". */
void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ]);

#endif
