/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/settings.h"

#include "base/options.h"
#include "config.h"
#include "forward/msg.h"
#include "netconf/tun.h"
#include "proto/message.h"
#include "server/root/device_pool.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest prefix of a user: one that has another address than its router's. */
enum { NETWORK_LENGTH_MAX = 126 };

/* Highest interface number that server_interface_name() has digits for; most sessions, and most
 * logins that are looked into at a time. */
enum { INTERFACE_NUMBER_MAX = 99999, SESSIONS_MAX = 65536, LOGINS_MAX = 4096 };

/* --- values ------------------------------------------------------------------------------- */

/* where: the origin of the value, as the user knows it. */
typedef bool (*setting_read)(void *field, const char *where, const char *value);

/* The text that the reader of the same field would take. */
typedef const char *(*setting_write)(const void *field, char *buf, size_t size);

static bool read_text(void *field, const char *where, const char *value)
{
	if (value[0] == '\0')
		return options_bad("%s: a value is needed", where);
	*(const char **)field = value;
	return true;
}

static const char *write_text(const void *field, char *buf, size_t size)
{
	const char *text = *(const char *const *)field;

	(void)buf;
	(void)size;
	return text ? text : "";
}

static bool read_bool(void *field, const char *where, const char *value)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return options_bad("%s: \"%s\": yes or no is needed", where, value);
	*(bool *)field = strcmp(value, "yes") == 0;
	return true;
}

static const char *write_bool(const void *field, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return *(const bool *)field ? "yes" : "no";
}

/* Which sources a tunnelonly client's packets may have. */
static bool read_sources(void *field, const char *where, const char *value)
{
	if (strcmp(value, "strict") != 0 && strcmp(value, "any") != 0)
		return options_bad("%s: \"%s\": strict or any is needed", where, value);
	*(bool *)field = strcmp(value, "any") == 0;
	return true;
}

static const char *write_sources(const void *field, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return *(const bool *)field ? "any" : "strict";
}

static bool read_port(void *field, const char *where, const char *value)
{
	uint32_t port = 0;

	if (!options_number(where, value, 1, UINT16_MAX, &port))
		return false;
	*(uint16_t *)field = (uint16_t)port;
	return true;
}

static const char *write_port(const void *field, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%u", *(const uint16_t *)field);
	return buf;
}

static const char *write_number(const void *field, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%u", *(const uint32_t *)field);
	return buf;
}

static bool read_address(void *field, const char *where, const char *value)
{
	if (inet_pton(AF_INET, value, field) != 1)
		return options_bad("%s: \"%s\" is not an IPv4 address", where, value);
	return true;
}

/* The tunnels' end; 0.0.0.0 is, for each client, the address that it came to. */
static bool read_end(void *field, const char *where, const char *value)
{
	const struct in_addr *end = field;

	if (!read_address(field, where, value))
		return false;
	if (end->s_addr != INADDR_ANY && !dtcp_endpoint_valid(*end))
		return options_bad("%s: %s cannot be the end of a tunnel", where, value);
	return true;
}

static const char *write_address(const void *field, char *buf, size_t size)
{
	return inet_ntop(AF_INET, field, buf, (socklen_t)size) ? buf : "";
}

static bool read_interface(void *field, const char *where, const char *value)
{
	/* The old server took a pattern for all interfaces that it might use. */
	if (value[strcspn(value, "[]()*?|,")] != '\0')
		return options_bad("%s: \"%s\" is a pattern; one name is needed, such as dtcps0, "
				   "and further interfaces are numbered from it",
				   where, value);
	if (!tun_name_valid(value))
		return options_bad("%s: \"%s\" is not a name for an interface: " TUN_NAME_RULE,
				   where, value);
	*(const char **)field = value;
	return true;
}

static bool read_unicast(struct prefix6 *prefix, const char *where, const char *value)
{
	enum prefix_error error = prefix6_parse(value, prefix);

	if (error != PREFIX_OK)
		return options_bad("%s: \"%s\" %s", where, value, prefix_error_text(error));
	if (!prefix6_in_unicast(prefix))
		return options_bad("%s: %s is not global unicast or unique local space", where,
				   value);
	return true;
}

static bool read_pool(void *field, const char *where, const char *value)
{
	struct prefix6 *pool = field;

	if (!read_unicast(pool, where, value))
		return false;
	if (pool->len < PREFIX6_SITE_LEN_MIN || pool->len >= NETWORK_LENGTH_MAX)
		return options_bad("%s: %s is too %s: lengths from %d to %d are possible", where,
				   value, pool->len < PREFIX6_SITE_LEN_MIN ? "short" : "long",
				   PREFIX6_SITE_LEN_MIN, NETWORK_LENGTH_MAX - 1);
	return true;
}

static bool read_host_prefix(void *field, const char *where, const char *value)
{
	char full[PREFIX6_STRLEN];

	/* The old server took the prefix without its length. */
	if (!strchr(value, '/') && strlen(value) < INET6_ADDRSTRLEN) {
		(void)snprintf(full, sizeof(full), "%s/64", value);
		value = full;
	}
	if (!read_unicast(field, where, value))
		return false;
	if (((const struct prefix6 *)field)->len != 64)
		return options_bad("%s: %s: a /64 is needed", where, value);
	return true;
}

static const char *write_prefix(const void *field, char *buf, size_t size)
{
	char text[PREFIX6_STRLEN];

	(void)snprintf(buf, size, "%s", prefix6_format(field, text));
	return buf;
}

/* --- the table ---------------------------------------------------------------------------- */

/* When a new value takes effect: at the next start, or while the server runs. */
enum setting_when { START, LIVE };

struct setting {
	const char *key;
	size_t field;
	size_t flag;	   /* a bool that says whether there is a value, or NO_FLAG */
	setting_read read; /* NULL for a number */
	setting_write write;
	enum setting_when when;
	uint32_t min; /* of a number */
	uint32_t max;
};

#define FIELD(name) offsetof(struct server_options, name)
#define NO_FLAG	    SIZE_MAX
#define VALUE(key, name, flag, read, write, when)                                                  \
	{                                                                                          \
		key, FIELD(name), flag, read, write, when, 0, 0                                    \
	}
#define NUMBER(key, name, min, max, when)                                                          \
	{                                                                                          \
		key, FIELD(name), NO_FLAG, NULL, write_number, when, min, max                      \
	}

/*
 * Every setting, by key. What is LIVE has no flag and no text, and is read from the settings each
 * time that it is needed, or in control_configure(); it is sent to control by itself.
 */
static const struct setting settings[] = {
	VALUE("address", address, NO_FLAG, read_end, write_address, START),
	VALUE("database", database, NO_FLAG, read_text, write_text, START),
	VALUE("debug", debug, NO_FLAG, read_bool, write_bool, LIVE),
	VALUE("host.prefix", host_prefix, FIELD(has_host), read_host_prefix, write_prefix, START),
	VALUE("interface", interface, NO_FLAG, read_interface, write_text, START),
	NUMBER("limit.attempts", attempts, 1, 1000, LIVE),
	NUMBER("limit.connections", limits.connections, 1, 2 * SESSIONS_MAX, START),
	NUMBER("limit.delay", delay, 0, 30, LIVE),
	NUMBER("limit.icmp6", icmp6_rate, 0, 100000, LIVE),
	NUMBER("limit.lines", line_rate, 1, 10000, LIVE),
	NUMBER("limit.log", log_lines, 1, 10000, LIVE),
	NUMBER("limit.output", output, 512, 1048576, LIVE),
	NUMBER("limit.pending", limits.pending, 1, SESSIONS_MAX, START),
	NUMBER("limit.sessions", sessions_max, 1, SESSIONS_MAX, START),
	NUMBER("limit.source.connections", limits.source_connections, 1, 2 * SESSIONS_MAX, LIVE),
	NUMBER("limit.source.failures", failures, 1, 10000, LIVE),
	NUMBER("limit.source.pending", limits.source_pending, 1, SESSIONS_MAX, LIVE),
	VALUE("listen", listen, NO_FLAG, read_address, write_address, START),
	NUMBER("mtu", mtu, FORWARD_MTU_MIN, FORWARD_MTU_MAX, START),
	NUMBER("network.length", network_length, 1, NETWORK_LENGTH_MAX, START),
	VALUE("network.numbered", numbered, NO_FLAG, read_bool, write_bool, START),
	VALUE("network.pool", pool, FIELD(has_pool), read_pool, write_prefix, START),
	VALUE("pidfile", pidfile, NO_FLAG, read_text, write_text, START),
	VALUE("port", port, NO_FLAG, read_port, write_port, START),
	NUMBER("timeout.idle", timeout_idle, 1, 86400, LIVE),
	NUMBER("timeout.login", timeout_login, 1, 86400, LIVE),
	NUMBER("timeout.word", timeout_word, 1, 86400, LIVE),
	VALUE("tunnelonly.enable", tunnelonly, NO_FLAG, read_bool, write_bool, LIVE),
	NUMBER("tunnelonly.keep", tunnelonly_keep, 0, 86400, LIVE),
	VALUE("tunnelonly.ra", tunnelonly_ra, NO_FLAG, read_bool, write_bool, LIVE),
	VALUE("tunnelonly.sources", tunnelonly_any, NO_FLAG, read_sources, write_sources, LIVE),
	VALUE("udp.enable", udp, NO_FLAG, read_bool, write_bool, START),
	VALUE("udp.port", udp_port, NO_FLAG, read_port, write_port, START),
	VALUE("user", run_as, NO_FLAG, read_text, write_text, START),
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

_Static_assert(SETTINGS <= SERVER_SETTINGS_MAX, "struct server_options has a line for each");

void settings_default(struct server_options *options)
{
	*options = (struct server_options){
		.database = DTCP_DATABASE,
		.interface = "dtcps0",
		.port = DTCP_PORT,
		.udp_port = DTCP_UDP_PORT,
		.mtu = FORWARD_MTU_MIN,
		.network_length = 56,
		.sessions_max = 16384,
		.attempts = 3,
		.limits = {.pending = 4096, .source_connections = 1024, .source_pending = 512},
		.failures = 30,
		.delay = 5,
		.line_rate = 10,
		.log_lines = 50,
		.output = 2048,
		.icmp6_rate = 100,
		.timeout_login = 60,
		.timeout_idle = 300,
		.timeout_word = 1,
		.tunnelonly = true,
		.tunnelonly_keep = 300,
	};
}

size_t settings_count(void)
{
	return SETTINGS;
}

const char *settings_key(size_t number)
{
	return settings[number].key;
}

size_t settings_find(const char *key, size_t key_len)
{
	size_t number = 0;

	while (number < SETTINGS && (strlen(settings[number].key) != key_len ||
				     strncmp(settings[number].key, key, key_len) != 0))
		number++;
	return number;
}

bool settings_set(struct server_options *options, size_t number, const char *where,
		  const char *value, uint32_t line)
{
	const struct setting *setting = &settings[number];
	void *field = (char *)options + setting->field;

	if (setting->read ? !setting->read(field, where, value)
			  : !options_number(where, value, setting->min, setting->max, field))
		return false;
	if (setting->flag != NO_FLAG)
		*(bool *)((char *)options + setting->flag) = true;
	options->lines[number] = line;
	return true;
}

const char *settings_text(const struct server_options *options, size_t number, char *buf,
			  size_t size)
{
	const struct setting *setting = &settings[number];

	if (setting->flag != NO_FLAG && !*(const bool *)((const char *)options + setting->flag))
		return "";
	return setting->write((const char *)options + setting->field, buf, size);
}

bool settings_is_live(size_t number)
{
	return settings[number].when == LIVE;
}

/* --- together ----------------------------------------------------------------------------- */

/* Where a value has come from: its place in the file, else the option, short where there is one. */
static const char *settings_where(const struct server_options *options, const char *key,
				  const char *option, char buf[static SETTINGS_WHERE_SIZE])
{
	uint32_t line = options->lines[settings_find(key, strlen(key))];

	if (line > 0)
		(void)snprintf(buf, SETTINGS_WHERE_SIZE, "%s:%u: %s", options->file, line, key);
	else
		(void)snprintf(buf, SETTINGS_WHERE_SIZE, "%s", option);
	return buf;
}

/* The length of the interface's name without the number at its end. */
static size_t settings_stem(const char *name)
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

uint32_t server_options_devices(const struct server_options *options)
{
	uint32_t devices = server_options_ids(options) + DEVICE_POOL_SPARE;

	/* With so many sessions, logins leave some of their numbers unused. */
	return devices < SESSIONS_MAX + LOGINS_MAX ? devices : SESSIONS_MAX + LOGINS_MAX;
}

void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ])
{
	size_t stem = settings_stem(options->interface);
	const char *error = NULL;
	long long first = strtonum(options->interface + stem, 0, INTERFACE_NUMBER_MAX, &error);

	(void)snprintf(name, IFNAMSIZ, "%.*s%lld", (int)stem, options->interface, first + index);
}

static bool settings_check_interface(const struct server_options *options)
{
	const char *name = options->interface;
	size_t stem = settings_stem(name);
	const char *error = NULL;
	char where[SETTINGS_WHERE_SIZE];
	long long first = 0;

	if (name[stem] != '\0')
		first = strtonum(name + stem, 0, INTERFACE_NUMBER_MAX - SESSIONS_MAX - LOGINS_MAX,
				 &error);
	if (error || stem + SERVER_INTERFACE_DIGITS >= IFNAMSIZ || first < 0)
		return options_bad(
			"%s %s: too long; tunnelonly sessions get the same name with a number "
			"of up to %d digits",
			settings_where(options, "interface", "-i", where), name,
			SERVER_INTERFACE_DIGITS);
	return true;
}

static bool settings_check(const struct server_options *options)
{
	char where[SETTINGS_WHERE_SIZE];
	char text[PREFIX6_STRLEN];

	if (!settings_check_interface(options))
		return false;
	/* Else nobody could log in to replace a session that was lost. */
	if (options->limits.connections <= options->sessions_max)
		return options_bad(
			"%s: %u: must be larger than limit.sessions, %u",
			settings_where(options, "limit.connections", "-o limit.connections", where),
			options->limits.connections, options->sessions_max);
	if (options->numbered && !options->has_host)
		return options_bad(
			"%s: numbered network tunnels take their addresses from host.prefix, "
			"which is not set",
			settings_where(options, "network.numbered", "-a", where));
	if (options->has_pool && options->network_length <= options->pool.len)
		return options_bad(
			"%s: %u: must be larger than the length of network.pool, %s",
			settings_where(options, "network.length", "-o network.length", where),
			options->network_length, prefix6_format(&options->pool, text));
	if (options->has_pool && options->has_host &&
	    prefix6_overlaps(&options->pool, &options->host_prefix))
		return options_bad("%s: %s overlaps network.pool",
				   settings_where(options, "host.prefix", "-o host.prefix", where),
				   prefix6_format(&options->host_prefix, text));
	return true;
}

bool settings_finish(struct server_options *options)
{
	if (options->limits.connections == 0)
		options->limits.connections = options->sessions_max + options->limits.pending;
	return settings_check(options);
}
