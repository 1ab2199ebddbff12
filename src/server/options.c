/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/options.h"

#include "base/options.h"
#include "config.h"
#include "monitor/tun.h"
#include "proto/message.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_USER = OPTION_OTHER };

/* Highest interface number that server_interface_name() has digits for. */
enum { INTERFACE_NUMBER_MAX = 99999, SESSIONS_MAX = 65536 };

static const struct option long_options[] = {
	{"help", no_argument, NULL, OPTION_HELP},
	{"user", required_argument, NULL, OPTION_USER},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static const char usage[] =
	"usage: dtcps [-adDU] [-b udp-port] [-c config] [-f pidfile] [-g address] [-i interface]\n"
	"             [-o key=value] [-p port] [--user name] [--help] [--version] [prefix]\n";

/* where: the option or key, as the user knows it. */
typedef bool (*setting_read)(void *field, const char *where, const char *value);

static bool read_text(void *field, const char *where, const char *value)
{
	if (value[0] == '\0')
		return options_bad("%s: a value is needed", where);
	*(const char **)field = value;
	return true;
}

static bool read_bool(void *field, const char *where, const char *value)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return options_bad("%s: \"%s\": yes or no is needed", where, value);
	*(bool *)field = strcmp(value, "yes") == 0;
	return true;
}

static bool read_port(void *field, const char *where, const char *value)
{
	uint32_t port = 0;

	if (!options_number(where, value, 1, UINT16_MAX, &port))
		return false;
	*(uint16_t *)field = (uint16_t)port;
	return true;
}

static bool read_mtu(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1280, 1480, field);
}

static bool read_seconds(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1, 86400, field);
}

static bool read_length(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1, 126, field);
}

static bool read_sessions(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1, SESSIONS_MAX, field);
}

static bool read_attempts(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1, 1000, field);
}

static bool read_rate(void *field, const char *where, const char *value)
{
	return options_number(where, value, 0, 100000, field);
}

static bool read_connections(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1, 2 * SESSIONS_MAX, field);
}

static bool read_per_time(void *field, const char *where, const char *value)
{
	return options_number(where, value, 1, 10000, field);
}

static bool read_delay(void *field, const char *where, const char *value)
{
	return options_number(where, value, 0, 30, field);
}

static bool read_output(void *field, const char *where, const char *value)
{
	return options_number(where, value, 512, 1048576, field);
}

static bool read_address(void *field, const char *where, const char *value)
{
	if (inet_pton(AF_INET, value, field) != 1)
		return options_bad("%s: \"%s\" is not an IPv4 address", where, value);
	return true;
}

static bool read_interface(void *field, const char *where, const char *value)
{
	if (!tun_name_valid(value))
		return options_bad("%s: \"%s\" is not a name for an interface", where, value);
	*(const char **)field = value;
	return true;
}

static bool read_prefix(void *field, const char *where, const char *value)
{
	struct prefix6 *prefix = field;
	enum prefix_error error = prefix6_parse(value, prefix);

	if (error != PREFIX_OK)
		return options_bad("%s: \"%s\" %s", where, value, prefix_error_text(error));
	if (!prefix6_is_unicast(prefix))
		return options_bad("%s: %s is not global unicast or unique local space", where,
				   value);
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
	if (!read_prefix(field, where, value))
		return false;
	if (((const struct prefix6 *)field)->len != 64)
		return options_bad("%s: %s: a /64 is needed", where, value);
	return true;
}

#define FIELD(name) offsetof(struct server_options, name)
#define NO_FLAG	    SIZE_MAX

/* Every setting, by key. flag: a bool that is set as well. */
static const struct setting {
	const char *key;
	size_t field;
	size_t flag;
	setting_read read;
} settings[] = {
	{"address", FIELD(address), NO_FLAG, read_address},
	{"database", FIELD(database), NO_FLAG, read_text},
	{"host.prefix", FIELD(host_prefix), FIELD(has_host), read_host_prefix},
	{"interface", FIELD(interface), NO_FLAG, read_interface},
	{"limit.attempts", FIELD(attempts), NO_FLAG, read_attempts},
	{"limit.connections", FIELD(limits.connections), NO_FLAG, read_connections},
	{"limit.delay", FIELD(delay), NO_FLAG, read_delay},
	{"limit.icmp6", FIELD(icmp6_rate), NO_FLAG, read_rate},
	{"limit.lines", FIELD(lines), NO_FLAG, read_per_time},
	{"limit.log", FIELD(log_lines), NO_FLAG, read_per_time},
	{"limit.output", FIELD(output), NO_FLAG, read_output},
	{"limit.pending", FIELD(limits.pending), NO_FLAG, read_sessions},
	{"limit.sessions", FIELD(sessions_max), NO_FLAG, read_sessions},
	{"limit.source.connections", FIELD(limits.source_connections), NO_FLAG, read_connections},
	{"limit.source.failures", FIELD(failures), NO_FLAG, read_per_time},
	{"limit.source.pending", FIELD(limits.source_pending), NO_FLAG, read_sessions},
	{"listen", FIELD(listen), NO_FLAG, read_address},
	{"mtu", FIELD(mtu), NO_FLAG, read_mtu},
	{"network.length", FIELD(network_length), NO_FLAG, read_length},
	{"network.numbered", FIELD(numbered), NO_FLAG, read_bool},
	{"network.pool", FIELD(pool), FIELD(has_pool), read_prefix},
	{"pidfile", FIELD(pidfile), NO_FLAG, read_text},
	{"port", FIELD(port), NO_FLAG, read_port},
	{"timeout.idle", FIELD(timeout_idle), NO_FLAG, read_seconds},
	{"timeout.login", FIELD(timeout_login), NO_FLAG, read_seconds},
	{"timeout.word", FIELD(timeout_word), NO_FLAG, read_seconds},
	{"udp.enable", FIELD(udp), NO_FLAG, read_bool},
	{"udp.port", FIELD(udp_port), NO_FLAG, read_port},
	{"user", FIELD(run_as), NO_FLAG, read_text},
};

/* Sets one key. where names its origin in messages: "-p" or "-o port". */
static bool set(struct server_options *options, const char *key, size_t key_len, const char *where,
		const char *value)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *setting = &settings[i];

		if (strlen(setting->key) != key_len || strncmp(setting->key, key, key_len) != 0)
			continue;
		if (!setting->read((char *)options + setting->field, where, value))
			return false;
		if (setting->flag != NO_FLAG)
			*(bool *)((char *)options + setting->flag) = true;
		return true;
	}
	return options_bad("%s: no such setting; dtcps(8) lists them", where);
}

static bool set_key(struct server_options *options, const char *key, const char *where,
		    const char *value)
{
	return set(options, key, strlen(key), where, value);
}

static bool set_pair(struct server_options *options, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char where[80];

	if (!equals)
		return options_bad("-o %s: key=value is needed", pair);
	(void)snprintf(where, sizeof(where), "-o %.*s", (int)(equals - pair), pair);
	return set(options, pair, (size_t)(equals - pair), where, equals + 1);
}

static bool parse_option(void *arg, int option)
{
	struct server_options *options = arg;

	switch (option) {
	case 'a':
		options->numbered = true;
		return true;
	case 'b':
		return set_key(options, "udp.port", "-b", optarg);
	case 'c':
		return options_bad(
			"-c %s: configuration files are not supported yet, use -o key=value",
			optarg);
	case 'd':
		options->debug = true;
		return true;
	case 'D':
		options->daemon = true;
		return true;
	case 'f':
		return set_key(options, "pidfile", "-f", optarg);
	case 'g':
		return set_key(options, "address", "-g", optarg);
	case 'i':
		return set_key(options, "interface", "-i", optarg);
	case 'o':
		return set_pair(options, optarg);
	case 'p':
		return set_key(options, "port", "-p", optarg);
	case 'U':
		options->udp = true;
		return true;
	case OPTION_USER:
		return set_key(options, "user", "--user", optarg);
	default:
		return false;
	}
}

/* The length of the interface's name without the number at its end. */
static size_t interface_stem(const char *name)
{
	size_t len = strlen(name);

	while (len > 0 && isdigit((unsigned char)name[len - 1]))
		len--;
	return len;
}

void server_interface_name(const struct server_options *options, uint32_t index,
			   char name[static IFNAMSIZ])
{
	size_t stem = interface_stem(options->interface);
	const char *error = NULL;
	long long first = strtonum(options->interface + stem, 0, INTERFACE_NUMBER_MAX, &error);

	(void)snprintf(name, IFNAMSIZ, "%.*s%lld", (int)stem, options->interface, first + index);
}

/* What the settings must be together. */
static bool check(const struct server_options *options)
{
	const char *name = options->interface;
	size_t stem = interface_stem(name);
	const char *error = NULL;
	char text[PREFIX6_STRLEN];
	long long first = 0;

	if (name[stem] != '\0')
		first = strtonum(name + stem, 0, INTERFACE_NUMBER_MAX - SESSIONS_MAX, &error);
	if (error || stem + SERVER_INTERFACE_DIGITS >= IFNAMSIZ || first < 0)
		return options_bad(
			"-i %s: too long; tunnelonly sessions get the same name with a number "
			"of up to %d digits",
			name, SERVER_INTERFACE_DIGITS);
	/* Else nobody could log in to replace a session that was lost. */
	if (options->limits.connections <= options->sessions_max)
		return options_bad(
			"-o limit.connections: %u: must be larger than limit.sessions, %u",
			options->limits.connections, options->sessions_max);
	if (options->numbered && !options->has_host)
		return options_bad(
			"-a: numbered network tunnels take their addresses from host.prefix, "
			"which is not set");
	if (options->has_pool && options->network_length <= options->pool.len)
		return options_bad("-o network.length: %u: must be larger than the length of "
				   "network.pool, %s",
				   options->network_length, prefix6_format(&options->pool, text));
	if (options->has_pool && options->has_host &&
	    prefix6_overlaps(&options->pool, &options->host_prefix))
		return options_bad("-o host.prefix: %s overlaps network.pool",
				   prefix6_format(&options->host_prefix, text));
	return true;
}

enum options_result server_options_parse(struct server_options *options, int argc, char **argv)
{
	static const struct options_table table = {
		.letters = ":ab:c:dDf:g:i:o:p:U",
		.words = long_options,
		.usage = usage,
		.version = "dtcps " DTCP_VERSION,
		.take = parse_option,
	};
	enum options_result result;

	*options = (struct server_options){
		.database = DTCP_DATABASE,
		.interface = "dtcps0",
		.port = DTCP_PORT,
		.udp_port = DTCP_UDP_PORT,
		.mtu = 1280,
		.network_length = 56,
		.sessions_max = 16384,
		.attempts = 3,
		.limits = {.pending = 1024, .source_connections = 1024, .source_pending = 512},
		.failures = 30,
		.delay = 5,
		.lines = 10,
		.log_lines = 50,
		.output = 2048,
		.icmp6_rate = 100,
		.timeout_login = 60,
		.timeout_idle = 300,
		.timeout_word = 1,
	};
	result = options_read(&table, argc, argv, options);
	if (result != OPTIONS_OK)
		return result;
	if (argc - optind > 1) {
		(void)options_bad("%s: at most one prefix; see --help", argv[optind + 1]);
		return OPTIONS_ERROR;
	}
	if (argc > optind && !set_key(options, "host.prefix", "prefix", argv[optind]))
		return OPTIONS_ERROR;
	if (options->limits.connections == 0)
		options->limits.connections = options->sessions_max + options->limits.pending;
	if (!check(options))
		return OPTIONS_ERROR;
	if (options->daemon && !options->pidfile)
		options->pidfile = DTCP_RUNDIR "/dtcps.pid";
	return OPTIONS_OK;
}
