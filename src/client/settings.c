/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/options_parts.h"

#include "base/options.h"
#include "ctl/listen.h"
#include "forward/msg.h"
#include "netconf/tun.h"
#include "process/user.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- values ------------------------------------------------------------------------------- */

static const struct setting_choice tunnels = {"tun", "none", "tun or none"};
/* The flag stored is the opposite. */
static const struct setting_choice firewalls = {"on", "off", "on or off"};

static bool take_address(struct client_options *options, const char *where, const char *text)
{
	char where_length[SETTINGS_WHERE_SIZE + sizeof(" length")];
	char word[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct client_address address = {.len = 128};
	uint32_t bits = 128;
	struct in6_addr masked;

	if (len < sizeof(word))
		(void)strlcpy(word, text, len + 1);
	if (inet_pton(AF_INET6, word, &address.addr) != 1 ||
	    !prefix6_is_unicast(&(const struct prefix6){.addr = address.addr, .len = 128}))
		return options_bad("%s %s: a global IPv6 unicast address is needed", where, text);
	(void)snprintf(where_length, sizeof(where_length), "%s length", where);
	if (slash && !options_number(where_length, slash + 1, 1, 128, &bits))
		return false;
	address.len = (uint8_t)bits;
	masked = prefix6_mask(&address.addr, address.len);
	if (bits < 127 && IN6_ARE_ADDR_EQUAL(&masked, &address.addr))
		return options_bad("%s %s: a prefix; an address in it is needed, such as %s1/%u",
				   where, text, word, bits);
	for (size_t i = 0; i < options->n_addresses; i++) {
		if (IN6_ARE_ADDR_EQUAL(&options->addresses[i].addr, &address.addr))
			return options_bad("%s %s: named twice", where, text);
	}
	if (options->n_addresses == CLIENT_OWN_MAX)
		return options_bad("%s: at most %d addresses", where, CLIENT_OWN_MAX);
	options->addresses[options->n_addresses++] = address;
	return true;
}

bool options_address(void *options, const char *where, const char *text)
{
	return options_each_word(options, where, text, take_address);
}

static bool read_fast(void *field, const char *where, const char *value)
{
	return fast_choice_parse(value, field) ||
	       options_bad("%s %s: auto, on and off are possible", where, value);
}

static bool read_keepalive(void *arg, const char *where, const char *value)
{
	struct client_options *options = arg;
	char where_timeout[SETTINGS_WHERE_SIZE + sizeof(" timeout")];
	char interval[16];
	const char *comma = strchr(value, ',');
	size_t len = comma ? (size_t)(comma - value) : strlen(value);

	if (len >= sizeof(interval))
		return options_bad("%s %s: seconds from 1 to 3600 are needed", where, value);
	(void)strlcpy(interval, value, len + 1);
	(void)snprintf(where_timeout, sizeof(where_timeout), "%s timeout", where);
	return options_number(where, interval, 1, 3600, &options->keepalive) &&
	       (!comma ||
		options_number(where_timeout, comma + 1, 1, 600, &options->keepalive_timeout));
}

static bool read_transport(void *field, const char *where, const char *value)
{
	enum session_transport *transport = field;

	if (strcmp(value, "ipv6") == 0)
		*transport = SESSION_IPV6;
	else if (strcmp(value, "udp") == 0)
		*transport = SESSION_UDP;
	else if (strcmp(value, "auto") == 0)
		*transport = SESSION_AUTO;
	else
		return options_bad("%s %s: auto, ipv6 and udp are possible", where, value);
	return true;
}

static bool read_type(void *field, const char *where, const char *value)
{
	enum tunnel_type *type = field;

	*type = tunnel_type_parse(value);
	if (*type == TUNNEL_NONE)
		return options_bad("%s %s: tunnelonly, host and network are possible", where,
				   value);
	return true;
}

static bool check_control_socket(const void *field, const char *where, const char *value)
{
	(void)field;
	return ctl_listen_check(where, value);
}

static bool check_interface(const void *field, const char *where, const char *value)
{
	(void)field;
	return tun_name_valid(value) ||
	       options_bad("%s %s: not a name for an interface: " TUN_NAME_RULE, where, value);
}

static bool check_login(const void *field, const char *where, const char *value)
{
	(void)field;
	return dtcp_user_valid(value) ||
	       options_bad("%s %s: a user name has 1 to %d printable characters, no blank and no "
			   "colon",
			   where, value, DTCP_USER_MAX);
}

static bool check_script(const void *field, const char *where, const char *value)
{
	(void)field;
	return value[strspn(value, CLIENT_SCRIPT_BLANKS)] != '\0' ||
	       options_bad("%s: a command is needed", where);
}

/* --- the table ---------------------------------------------------------------------------- */

#define FIELD(name)	   offsetof(struct client_options, name)
#define RANGE(least, most) .min = (least), .max = (most)
#define DEFAULT(number)	   DEFAULT_TEXT(number)
#define DEFAULT_TEXT(text) .initial = #text
#define SETTING(name, kind, value, text, ...)                                                      \
	{                                                                                          \
		.key = (name), .type = SETTING_##kind, .field = FIELD(value),                      \
		.size = sizeof(((struct client_options *)NULL)->value), .help = (text),            \
		__VA_ARGS__                                                                        \
	}
#define NUMBER(name, value, text, ...) SETTING(name, NUMBER, value, text, __VA_ARGS__)
#define YES_NO(name, value, text, ...)                                                             \
	SETTING(name, CHOICE, value, text, .choice = &setting_yes_no, __VA_ARGS__)
/* A setting of several fields, which is parsed into the options as a whole. */
#define FIELDS(name, text, function, ...)                                                          \
	{                                                                                          \
		.key = (name), .type = SETTING_OTHER, .read = (function), .help = (text),          \
		__VA_ARGS__                                                                        \
	}

/* Every setting, by key, which is also its long option. */
static const struct setting list[] = {
	YES_NO("accept-ra", accept_ra, "accept the server's router advertisements (tunnelonly)",
	       .initial = "no"),
	FIELDS("address", "address of the tunnel interface", options_address,
	       .count = FIELD(n_addresses)),
	SETTING("auth-file", TEXT, auth_file, "file with the passwords",
		.initial = DTCP_SYSCONFDIR "/dtcpclient.auth"),
	SETTING("control-socket", TEXT, control_socket, "socket for dtcpctl: a path, or off",
		.check = check_control_socket),
	YES_NO("debug", debug, "show the dialogue with the server", .initial = "no", .letter = 'd'),
	SETTING("fast", OTHER, fast, "let the kernel forward packets: auto, on or off",
		.initial = "auto", .read = read_fast),
	NUMBER("hold", hold, "seconds that the tunnel outlives its session", .initial = "30",
	       RANGE(0, 3600)),
	SETTING("interface", TEXT, interface, "name of the tunnel interface", .initial = "dtcp0",
		.check = check_interface),
	FIELDS("keepalive", "seconds between pings, and to wait for the answer", read_keepalive,
	       .initial = "60,15"),
	FIELDS("lan", "interfaces of the networks that get the prefix", options_lan,
	       .count = FIELD(lan.n)),
	FIELDS("lan-dns", "name servers to announce to these networks: auto, none or addresses",
	       options_lan_dns, .initial = "auto"),
	SETTING("lan-firewall", CHOICE, lan.no_firewall, "firewall for these networks",
		.initial = "on", .choice = &firewalls),
	FIELDS("lan-open", "ports that this firewall opens", options_lan_open,
	       .count = FIELD(lan.n_open)),
	SETTING("log-format", CHOICE, log_json, "format of the log: text or json",
		.initial = "text", .choice = &setting_log_format),
	SETTING("login", TEXT, login, "user to log in as", .check = check_login, .letter = 'u'),
	NUMBER("metric", metric, "metric of the routes through the tunnel", .initial = "1024",
	       RANGE(1, INT32_MAX)),
	NUMBER("mtu", mtu, "MTU of the tunnel", DEFAULT(FORWARD_MTU_MIN),
	       RANGE(FORWARD_MTU_MIN, FORWARD_MTU_MAX), .letter = 'm'),
	YES_NO("nat-check", check_nat, "end if a NAT is found", .initial = "yes"),
	NUMBER("nat-port", nat_port, "UDP port that a NAT forwards to this machine",
	       RANGE(1, UINT16_MAX), .letter = 'B'),
	SETTING("pidfile", TEXT, pidfile, "file for the process id", .letter = 'f'),
	NUMBER("port", port, "TCP port of the server", DEFAULT(DTCP_PORT), RANGE(1, UINT16_MAX),
	       .letter = 'p'),
	YES_NO("reconnect", loop, "reconnect when the connection closes", .initial = "no",
	       .letter = 'l'),
	FIELDS("route", "what is routed into the tunnel: default, none or prefixes", options_route,
	       .flag = FIELD(routes_named)),
	SETTING("script", TEXT, script, "command to run when the tunnel comes up or goes down",
		.flag = FIELD(script_named), .check = check_script, .letter = 's'),
	FIELDS("server", "servers to connect to", options_servers),
	FIELDS("table", "routing table for sources of the tunnel: auto, main or a number",
	       options_table, .initial = "auto"),
	SETTING("transport", OTHER, transport, "what carries the packets: auto, ipv6 or udp",
		.flag = FIELD(transport_named), .read = read_transport),
	SETTING("tunnel", CHOICE, no_device, "who makes the interface: tun, or none for the script",
		.initial = "tun", .choice = &tunnels),
	SETTING("type", OTHER, type, "type of the tunnel: tunnelonly, host or network",
		.flag = FIELD(type_named), .read = read_type, .letter = 't'),
	NUMBER("udp-port", udp_port, "local UDP port", .flag = FIELD(udp_port_named),
	       RANGE(0, UINT16_MAX), .letter = 'b'),
	SETTING("user", TEXT, run_as, "system user of the unprivileged processes"),
};

_Static_assert(sizeof(list) / sizeof(list[0]) <= SETTINGS_MAX, "each has its line in the file");

const struct settings client_settings = {list, sizeof(list) / sizeof(list[0]), "dtcpclient.conf(5)",
					 "--"};

/* --- together ----------------------------------------------------------------------------- */

/* Defaults that depend on other settings. */
static void settings_follow(struct client_options *options)
{
	/* Home networks need a prefix, over any transport. */
	if (!options->type_named)
		options->type = options->lan.n > 0 ? TUNNEL_NETWORK : TUNNEL_ONLY;
	if (!options->transport_named)
		options->transport = options->lan.n > 0 ? SESSION_AUTO : SESSION_IPV6;
	/* The default route, if it makes sense: tunnel_routes(). */
	if (!options->routes_named)
		options->n_routes = 1;
	/* If no port was given, any port that the server can learn is possible. */
	if (!options->udp_port_named)
		options->udp_port = options->transport == SESSION_AUTO ? 0 : DTCP_UDP_PORT;
	if (!options->script_named)
		options->script = DTCP_SYSCONFDIR "/dtcpclient.script";
	if (!options->check_target_named)
		(void)inet_pton(AF_INET6, CLIENT_CHECK_TARGET, &options->check_target);
	if ((options->daemon || options->check) && !options->pidfile)
		options->pidfile = DTCP_RUNDIR "/dtcpclient.pid";
}

/* Checks the type, and options for some types only. */
static bool settings_check_type(const struct client_options *options)
{
	if (options->type == TUNNEL_ONLY)
		return true;
	if (options->accept_ra)
		return settings_bad(
			&client_settings, options, "accept-ra",
			": only with -t tunnelonly; with %s the server says what addresses "
			"there are",
			tunnel_type_name(options->type));
	if (options->n_addresses > 1)
		return settings_bad(&client_settings, options, "address",
				    ": more than one only with -t tunnelonly");
	if (options->n_addresses > 0 && options->addresses[0].len != 128)
		return settings_bad(&client_settings, options, "address",
				    ": a length only with -t tunnelonly");
	return true;
}

bool client_settings_finish(struct client_options *options)
{
	struct user_ids user;

	settings_follow(options);
	if (!options->check && (options->json || options->force || options->check_target_named))
		return options_bad("%s: only with --check", options->json    ? "--json"
							    : options->force ? "--force"
									     : "--check-target");
	if (!options_lan_check(options) || !settings_check_type(options))
		return false;
	if (options->transport == SESSION_IPV6 && options->nat_port)
		return settings_bad(&client_settings, options, "nat-port",
				    " %u: only with UDP (-U)", options->nat_port);
	if (options->transport != SESSION_IPV6 && options->mtu > FORWARD_UDP_MTU_MAX)
		return settings_bad(&client_settings, options, "mtu", " %u: with UDP at most %u",
				    options->mtu, FORWARD_UDP_MTU_MAX);
	/* Last, since a wrong name here is usually meant for login. */
	return !options->run_as || user_find(options->run_as, false, &user) ||
	       settings_bad(&client_settings, options, "user",
			    ": no user %s to run as on this machine; whom to log in as is said by "
			    "-u or login",
			    options->run_as);
}
