/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/options.h"

#include "base/options.h"
#include "config.h"
#include "forward/msg.h"
#include "netconf/tun.h"
#include "proto/message.h"
#include "server/exclude.h"
#include "server/root/device_pool.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest prefix of a user: it must have an address other than its router's. */
enum { NETWORK_LENGTH_MAX = 126 };

/*
 * Limits: the interface number for which server_interface_name() has digits; sessions; and logins
 * being checked at a time.
 */
enum { INTERFACE_NUMBER_MAX = 99999, SESSIONS_MAX = 65536, LOGINS_MAX = 4096 };

/* A century. */
enum { HISTORY_DAYS_MAX = 36500 };

/* --- values ------------------------------------------------------------------------------- */

static const struct setting_choice sources = {"strict", "any", "strict or any"};

static bool read_prefix(void *field, const char *where, const char *value)
{
	enum prefix_error error = prefix6_parse(value, field);

	if (error != PREFIX_OK)
		return options_bad("%s: \"%s\" %s", where, value, prefix_error_text(error));
	if (!prefix6_in_unicast(field))
		return options_bad("%s: %s is not global unicast or unique local space", where,
				   value);
	return true;
}

/* The old server accepted the prefix without a length. */
static bool read_host_prefix(void *field, const char *where, const char *value)
{
	char full[PREFIX6_STRLEN];

	if (strchr(value, '/') || strlen(value) >= INET6_ADDRSTRLEN)
		return read_prefix(field, where, value);
	(void)snprintf(full, sizeof(full), "%s/64", value);
	return read_prefix(field, where, full);
}

static bool read_fast(void *field, const char *where, const char *value)
{
	return fast_choice_parse(value, field) ||
	       options_bad("%s: \"%s\": auto, on or off is needed", where, value);
}

static const char *write_fast(const void *field, char buf[static SETTINGS_TEXT_SIZE])
{
	(void)buf;
	return fast_choice_name(*(const enum fast_choice *)field);
}

static const char *write_prefix(const void *field, char buf[static SETTINGS_TEXT_SIZE])
{
	_Static_assert(PREFIX6_STRLEN <= SETTINGS_TEXT_SIZE, "every prefix fits");
	return prefix6_format(field, buf);
}

/* The far end of tunnels; 0.0.0.0: for each client the address that it connected to. */
static bool check_end(const void *field, const char *where, const char *value)
{
	const struct in_addr *end = field;

	if (end->s_addr != INADDR_ANY && !dtcp_endpoint_valid(*end))
		return options_bad("%s: %s cannot be the end of a tunnel", where, value);
	return true;
}

static bool check_socket(const void *field, const char *where, const char *value)
{
	(void)field;
	return ctl_listen_check(where, value);
}

static bool check_interface(const void *field, const char *where, const char *value)
{
	(void)field;
	/* The old server accepted a pattern for all interfaces that it could use. */
	if (value[strcspn(value, "[]()*?|,")] != '\0')
		return options_bad("%s: \"%s\" is a pattern; one name is needed, such as dtcps0, "
				   "and further interfaces are numbered from it",
				   where, value);
	if (!tun_name_valid(value))
		return options_bad("%s: \"%s\" is not a name for an interface: " TUN_NAME_RULE,
				   where, value);
	return true;
}

/* It is not ours: any name that the kernel accepts, if printable. */
static bool check_ndp_interface(const void *field, const char *where, const char *value)
{
	size_t len = 0;

	(void)field;
	while (isgraph((unsigned char)value[len]) && value[len] != '/' && value[len] != ':')
		len++;
	if (len == 0 || len >= IFNAMSIZ || value[len] != '\0')
		return options_bad("%s: \"%s\": auto, off or the name of an interface is needed",
				   where, value);
	return true;
}

static bool check_pool(const void *field, const char *where, const char *value)
{
	const struct prefix6 *pool = field;

	if (pool->len < PREFIX6_SITE_LEN_MIN || pool->len >= NETWORK_LENGTH_MAX)
		return options_bad("%s: %s is too %s: lengths from %d to %d are possible", where,
				   value, pool->len < PREFIX6_SITE_LEN_MIN ? "short" : "long",
				   PREFIX6_SITE_LEN_MIN, NETWORK_LENGTH_MAX - 1);
	return true;
}

static bool check_host_prefix(const void *field, const char *where, const char *value)
{
	char text[PREFIX6_STRLEN];

	(void)value;
	if (((const struct prefix6 *)field)->len != 64)
		return options_bad("%s: %s: a /64 is needed", where, prefix6_format(field, text));
	return true;
}

/* Addresses and prefixes. */
static bool check_list(const void *field, const char *where, const char *value)
{
	const char *rest = value;
	unsigned int count = 0;

	(void)field;
	for (;;) {
		char word[PREFIX6_STRLEN];
		struct prefix6 prefix;
		enum prefix_error error = exclude_next(&rest, &prefix, word);

		if (error != PREFIX_OK)
			return options_bad("%s: \"%s\" %s", where, word, prefix_error_text(error));
		if (prefix.len == 0)
			return true;
		if (++count > EXCLUDE_MAX)
			return options_bad("%s: more than %d addresses and prefixes", where,
					   EXCLUDE_MAX);
	}
}

/* --- the table ---------------------------------------------------------------------------- */

#define FIELD(name)	   offsetof(struct server_options, name)
#define RANGE(least, most) .min = (least), .max = (most)
#define LIVE		   .live = true
#define DEFAULT(number)	   DEFAULT_TEXT(number)
#define DEFAULT_TEXT(text) .initial = #text
#define SETTING(name, kind, value, text, ...)                                                      \
	{                                                                                          \
		.key = (name), .type = SETTING_##kind, .field = FIELD(value),                      \
		.size = sizeof(((struct server_options *)NULL)->value), .help = (text),            \
		__VA_ARGS__                                                                        \
	}
#define NUMBER(name, value, text, ...) SETTING(name, NUMBER, value, text, __VA_ARGS__)
#define YES_NO(name, value, text, ...)                                                             \
	SETTING(name, CHOICE, value, text, .choice = &setting_yes_no, __VA_ARGS__)

/*
 * Every setting, by key. LIVE settings have no flag, and are read from the options each time they
 * are needed, or in control_configure(); they are sent to control automatically, except for texts.
 */
static const struct setting list[] = {
	SETTING("address", ADDRESS, address,
		"far end of the tunnels, instead of the address that a client connected to",
		.check = check_end, .letter = 'g'),
	SETTING("control.socket", TEXT, control_socket, "path of the socket for dtcpctl, or off",
		.check = check_socket, .letter = SERVER_OPTION_CONTROL),
	SETTING("database", TEXT, database, "file with the users", .initial = DTCP_DATABASE),
	YES_NO("debug", debug, "log the dialogue with each client", .initial = "no", .letter = 'd',
	       LIVE),
	SETTING("fast", OTHER, fast, "let the kernel forward packets: auto, on or off",
		.initial = "auto", .read = read_fast, .write = write_fast),
	NUMBER("history.keep", history_keep, "days for which sessions are recorded; 0: not at all",
	       .initial = "90", RANGE(0, HISTORY_DAYS_MAX)),
	SETTING("host.exclude", TEXT, host_exclude,
		"addresses and prefixes that no host tunnel gets", .check = check_list, LIVE),
	SETTING("host.prefix", OTHER, host_prefix, "/64 for the addresses of host tunnels",
		.flag = FIELD(has_host), .read = read_host_prefix, .write = write_prefix,
		.check = check_host_prefix),
	SETTING("interface", TEXT, interface, "name of the tunnel interface",
		.initial = SERVER_INTERFACE, .check = check_interface, .letter = 'i'),
	NUMBER("limit.attempts", attempts, "failed logins that end a connection", .initial = "3",
	       RANGE(1, 1000), LIVE),
	NUMBER("limit.connections", limits.connections, "connections", RANGE(1, 2 * SESSIONS_MAX)),
	NUMBER("limit.delay", delay, "longest delay in seconds of the answer to a failed login",
	       .initial = "5", RANGE(0, 30), LIVE),
	NUMBER("limit.icmp6", icmp6_rate, "ICMPv6 errors a second and session", .initial = "100",
	       RANGE(0, 100000), LIVE),
	NUMBER("limit.lines", line_rate, "lines a second that are accepted from one connection",
	       .initial = "10", RANGE(1, 10000), LIVE),
	NUMBER("limit.log", log_lines, "log lines a second about failed logins", .initial = "50",
	       RANGE(1, 10000), LIVE),
	NUMBER("limit.output", output, "bytes of answers that may wait for one client to read them",
	       .initial = "2048", RANGE(512, 1048576), LIVE),
	NUMBER("limit.pending", limits.pending, "connections that are not logged in",
	       .initial = "4096", RANGE(1, SESSIONS_MAX)),
	NUMBER("limit.sessions", sessions_max, "sessions", .initial = "16384",
	       RANGE(1, SESSIONS_MAX)),
	NUMBER("limit.source.connections", limits.source_connections,
	       "connections from one IPv4 address", .initial = "1024", RANGE(1, 2 * SESSIONS_MAX),
	       LIVE),
	NUMBER("limit.source.failures", failures, "failed logins a minute from one IPv4 address",
	       .initial = "30", RANGE(1, 10000), LIVE),
	NUMBER("limit.source.pending", limits.source_pending,
	       "connections from one IPv4 address that are not logged in", .initial = "512",
	       RANGE(1, SESSIONS_MAX), LIVE),
	SETTING("listen", ADDRESS, listen, "IPv4 address to listen on", .initial = "0.0.0.0"),
	SETTING("log.format", CHOICE, log_json, "format of the log: text or json",
		.initial = "text", .choice = &setting_log_format,
		.letter = SERVER_OPTION_LOG_FORMAT, LIVE),
	NUMBER("mtu", mtu, "MTU of the tunnels", DEFAULT(FORWARD_MTU_MIN),
	       RANGE(FORWARD_MTU_MIN, FORWARD_MTU_MAX)),
	SETTING("ndp.proxy", TEXT, ndp_proxy,
		"interface for answers to neighbour solicitations: auto, its name, off",
		.initial = SERVER_NDP_AUTO, .check = check_ndp_interface),
	SETTING("network.fixed", TEXT, network_fixed,
		"prefixes allowed for users' fixed prefixes outside of network.pool",
		.check = check_list),
	NUMBER("network.length", network_length, "length of the prefixes assigned from the pool",
	       .initial = "56", RANGE(1, NETWORK_LENGTH_MAX)),
	YES_NO("network.numbered", numbered,
	       "give addresses of host.prefix to both ends of network tunnels", .initial = "no",
	       .letter = 'a'),
	SETTING("network.pool", OTHER, pool,
		"prefix from which users get theirs for network tunnels", .flag = FIELD(has_pool),
		.read = read_prefix, .write = write_prefix, .check = check_pool),
	SETTING("pidfile", TEXT, pidfile, "file for the process id", .letter = 'f'),
	NUMBER("port", port, "TCP port to listen on", DEFAULT(DTCP_PORT), RANGE(1, UINT16_MAX),
	       .letter = 'p'),
	NUMBER("timeout.idle", timeout_idle,
	       "seconds without a line after which a session is ended", .initial = "300",
	       RANGE(1, 86400), LIVE),
	NUMBER("timeout.login", timeout_login, "seconds that a client has to log in",
	       .initial = "60", RANGE(1, 86400), LIVE),
	NUMBER("timeout.word", timeout_word,
	       "seconds after which a word without a line end is accepted as a line",
	       .initial = "1", RANGE(1, 86400), LIVE),
	YES_NO("tunnelonly.enable", tunnelonly, "offer tunnelonly tunnels", .initial = "yes", LIVE),
	NUMBER("tunnelonly.keep", tunnelonly_keep,
	       "seconds that an interface is kept for its user's next session", .initial = "300",
	       RANGE(0, 86400), LIVE),
	YES_NO("tunnelonly.ra", tunnelonly_ra, "pass router advertisements to tunnelonly clients",
	       .initial = "no", LIVE),
	SETTING("tunnelonly.sources", CHOICE, tunnelonly_any,
		"source addresses accepted from tunnelonly clients: strict or any",
		.initial = "strict", .choice = &sources, LIVE),
	YES_NO("udp.enable", udp, "offer tunnels over UDP", .initial = "no", .letter = 'U'),
	NUMBER("udp.port", udp_port, "UDP port of all tunnels over UDP", DEFAULT(DTCP_UDP_PORT),
	       RANGE(1, UINT16_MAX), .letter = 'b'),
	SETTING("user", TEXT, run_as, "system user of the unprivileged processes",
		.letter = SERVER_OPTION_USER),
};

_Static_assert(sizeof(list) / sizeof(list[0]) <= SETTINGS_MAX, "each has its line in the file");

const struct settings server_settings = {list, sizeof(list) / sizeof(list[0]), "dtcps.conf(5)",
					 "-o "};

/* --- together ----------------------------------------------------------------------------- */

/* The length of the interface's name without the number at its end. */
static size_t interface_stem(const char *name)
{
	size_t len = strlen(name);

	while (len > 0 && isdigit((unsigned char)name[len - 1]))
		len--;
	return len;
}

uint32_t server_options_ids(const struct server_options *options)
{
	uint32_t logins = options->limits.pending;

	return options->sessions_max + (logins < LOGINS_MAX ? logins : LOGINS_MAX);
}

bool server_options_ndp(const struct server_options *options)
{
	const char *proxy = options->ndp_proxy;

	/* The default applies to the prefixes of the settings. */
	if (strcmp(proxy, SERVER_NDP_AUTO) == 0)
		return options->has_host || options->has_pool;
	return strcmp(proxy, SERVER_NDP_OFF) != 0;
}

bool server_options_socket(const struct server_options *options, char path[static CTL_PATH_SIZE])
{
	bool usual = strcmp(options->interface, SERVER_INTERFACE) == 0;

	return ctl_listen_path(options->control_socket, "dtcps", usual ? NULL : options->interface,
			       path);
}

uint32_t server_options_devices(const struct server_options *options)
{
	uint32_t devices = server_options_ids(options) + DEVICE_POOL_SPARE;

	/* With this many sessions, logins leave some numbers unused. */
	return devices < SESSIONS_MAX + LOGINS_MAX ? devices : SESSIONS_MAX + LOGINS_MAX;
}

void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ])
{
	size_t stem = interface_stem(options->interface);
	const char *error = NULL;
	long long first = strtonum(options->interface + stem, 0, INTERFACE_NUMBER_MAX, &error);

	(void)snprintf(name, IFNAMSIZ, "%.*s%lld", (int)stem, options->interface, first + index);
}

static bool server_settings_check_interface(const struct server_options *options)
{
	const char *name = options->interface;
	size_t stem = interface_stem(name);
	const char *error = NULL;

	if (name[stem] != '\0')
		(void)strtonum(name + stem, 0, INTERFACE_NUMBER_MAX - SESSIONS_MAX - LOGINS_MAX,
			       &error);
	if (error || stem + SERVER_INTERFACE_DIGITS >= IFNAMSIZ)
		return settings_bad(&server_settings, options, "interface",
				    " %s: too long; tunnelonly sessions get the same name with a "
				    "number of up to %d digits",
				    name, SERVER_INTERFACE_DIGITS);
	return true;
}

bool server_settings_finish(struct server_options *options)
{
	char text[PREFIX6_STRLEN];

	if (options->limits.connections == 0)
		options->limits.connections = options->sessions_max + options->limits.pending;
	if (!server_settings_check_interface(options))
		return false;
	/* Otherwise nobody could log in to replace a lost session. */
	if (options->limits.connections <= options->sessions_max)
		return settings_bad(&server_settings, options, "limit.connections",
				    ": %u: must be larger than limit.sessions, %u",
				    options->limits.connections, options->sessions_max);
	if (options->numbered && !options->has_host)
		return settings_bad(&server_settings, options, "network.numbered",
				    ": numbered network tunnels take their addresses from "
				    "host.prefix, which is not set");
	if (options->has_pool && options->network_length <= options->pool.len)
		return settings_bad(&server_settings, options, "network.length",
				    ": %u: must be larger than the length of network.pool, %s",
				    options->network_length, prefix6_format(&options->pool, text));
	if (options->has_pool && options->has_host &&
	    prefix6_overlaps(&options->pool, &options->host_prefix))
		return settings_bad(&server_settings, options, "host.prefix",
				    ": %s overlaps network.pool",
				    prefix6_format(&options->host_prefix, text));
	return true;
}
