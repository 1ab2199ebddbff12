/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/options.h"

#include "base/options.h"
#include "client/options_parts.h"
#include "config.h"
#include "forward/msg.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	OPTION_ACCEPT_RA = OPTION_OTHER,
	OPTION_ADDRESS,
	OPTION_AUTH_FILE,
	OPTION_FAST,
	OPTION_HOLD,
	OPTION_INTERFACE,
	OPTION_KEEPALIVE,
	OPTION_LAN,
	OPTION_LAN_DNS,
	OPTION_LAN_FIREWALL,
	OPTION_LAN_OPEN,
	OPTION_METRIC,
	OPTION_ROUTE,
	OPTION_TABLE,
	OPTION_TRANSPORT,
	OPTION_TUNNEL,
	OPTION_USER,
};

/* RFC 1035 */
enum { SERVER_NAME_MAX = 253 };

static const struct option long_options[] = {
	{"accept-ra", no_argument, NULL, OPTION_ACCEPT_RA},
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"auth-file", required_argument, NULL, OPTION_AUTH_FILE},
	{"fast", required_argument, NULL, OPTION_FAST},
	{"help", no_argument, NULL, OPTION_HELP},
	{"hold", required_argument, NULL, OPTION_HOLD},
	{"interface", required_argument, NULL, OPTION_INTERFACE},
	{"keepalive", required_argument, NULL, OPTION_KEEPALIVE},
	{"lan", required_argument, NULL, OPTION_LAN},
	{"lan-dns", required_argument, NULL, OPTION_LAN_DNS},
	{"lan-firewall", required_argument, NULL, OPTION_LAN_FIREWALL},
	{"lan-open", required_argument, NULL, OPTION_LAN_OPEN},
	{"metric", required_argument, NULL, OPTION_METRIC},
	{"route", required_argument, NULL, OPTION_ROUTE},
	{"table", required_argument, NULL, OPTION_TABLE},
	{"transport", required_argument, NULL, OPTION_TRANSPORT},
	{"tunnel", required_argument, NULL, OPTION_TUNNEL},
	{"user", required_argument, NULL, OPTION_USER},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* Options of the older client dtcpc. */
static const struct options_hint hints[] = {
	{'a', "--lan decides which networks are told of the prefix"},
	{'A', "--address names the address of the tunnel interface"},
	{'c', "the interface is made and removed without an option"},
	{'F', "--table names the routing table for what has a source of the tunnel"},
	{'i', "--interface names the tunnel interface"},
	{'o', "the interface is made and removed without an option"},
	{'P', "--lan gives the prefix to a network"},
	{'r', "--route says what is routed into the tunnel"},
	{'R', "--route says what is routed into the tunnel"},
	{'\0', NULL},
};

static bool parse_keepalive(struct client_options *options, const char *text)
{
	char interval[16];
	const char *comma = strchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : strlen(text);

	if (len >= sizeof(interval))
		return options_bad("--keepalive %s: seconds from 1 to 3600 are needed", text);
	memcpy(interval, text, len);
	interval[len] = '\0';
	return options_number("--keepalive", interval, 1, 3600, &options->keepalive) &&
	       (!comma || options_number("--keepalive timeout", comma + 1, 1, 600,
					 &options->keepalive_timeout));
}

static bool parse_type(struct client_options *options, const char *text)
{
	options->type_named = true;
	options->type = tunnel_type_parse(text);
	if (options->type == TUNNEL_NONE)
		return options_bad("-t %s: tunnelonly, host and network are possible", text);
	return true;
}

static bool parse_transport(struct client_options *options, const char *text)
{
	options->transport_named = true;
	if (strcmp(text, "ipv6") == 0)
		options->transport = SESSION_IPV6;
	else if (strcmp(text, "udp") == 0)
		options->transport = SESSION_UDP;
	else if (strcmp(text, "auto") == 0)
		options->transport = SESSION_AUTO;
	else
		return options_bad("--transport %s: auto, ipv6 and udp are possible", text);
	return true;
}

/* A network at home needs a prefix, in whatever way the tunnel comes about. */
static void default_for_lan(struct client_options *options)
{
	if (options->lan.n == 0)
		return;
	if (!options->type_named)
		options->type = TUNNEL_NETWORK;
	if (!options->transport_named)
		options->transport = SESSION_AUTO;
}

/* What the options must be together. */
static bool check(const struct client_options *options)
{
	if (!options_lan_check(options))
		return false;
	if (options->transport == SESSION_IPV6 && options->nat_port)
		return options_bad("-B %u: only with UDP (-U)", options->nat_port);
	if (options->transport != SESSION_IPV6 && options->mtu > FORWARD_UDP_MTU_MAX)
		return options_bad("-m %u: with UDP at most %u", options->mtu, FORWARD_UDP_MTU_MAX);
	if (options->type == TUNNEL_ONLY)
		return true;
	if (options->accept_ra)
		return options_bad("--accept-ra: only with -t tunnelonly; with %s the server says "
				   "what addresses there are",
				   tunnel_type_name(options->type));
	if (options->n_addresses > 1)
		return options_bad("--address: more than one only with -t tunnelonly");
	if (options->n_addresses > 0 && options->addresses[0].len != 128)
		return options_bad("--address: a length only with -t tunnelonly");
	return true;
}

static bool parse_tunnel(struct client_options *options, const char *text)
{
	if (strcmp(text, "none") != 0 && strcmp(text, "tun") != 0)
		return options_bad("--tunnel %s: tun and none are possible", text);
	options->no_device = strcmp(text, "none") == 0;
	return true;
}

static bool parse_address(struct client_options *options, const char *text)
{
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
		return options_bad("--address %s: a global IPv6 unicast address is needed", text);
	if (slash && !options_number("--address length", slash + 1, 1, 128, &bits))
		return false;
	address.len = (uint8_t)bits;
	masked = prefix6_mask(&address.addr, address.len);
	if (bits < 127 && IN6_ARE_ADDR_EQUAL(&masked, &address.addr))
		return options_bad("--address %s: a prefix; an address in it is needed, such as "
				   "%s1/%u",
				   text, word, bits);
	for (size_t i = 0; i < options->n_addresses; i++) {
		if (IN6_ARE_ADDR_EQUAL(&options->addresses[i].addr, &address.addr))
			return options_bad("--address %s: named twice", text);
	}
	if (options->n_addresses == CLIENT_OWN_MAX)
		return options_bad("--address: at most %d addresses", CLIENT_OWN_MAX);
	options->addresses[options->n_addresses++] = address;
	return true;
}

static bool parse_long(struct client_options *options, int option)
{
	switch (option) {
	case OPTION_ACCEPT_RA:
		options->accept_ra = true;
		return true;
	case OPTION_ADDRESS:
		return parse_address(options, optarg);
	case OPTION_AUTH_FILE:
		options->auth_file = optarg;
		return true;
	case OPTION_FAST:
		return fast_choice_parse(optarg, &options->fast) ||
		       options_bad("--fast %s: auto, on and off are possible", optarg);
	case OPTION_HOLD:
		return options_number("--hold", optarg, 0, 3600, &options->hold);
	case OPTION_INTERFACE:
		options->interface = optarg;
		return tun_name_valid(optarg) ||
		       options_bad("--interface %s: not a name for an interface: " TUN_NAME_RULE,
				   optarg);
	case OPTION_KEEPALIVE:
		return parse_keepalive(options, optarg);
	case OPTION_LAN:
		return options_lan(&options->lan, optarg);
	case OPTION_LAN_DNS:
		return options_lan_dns(&options->lan, optarg);
	case OPTION_LAN_FIREWALL:
		return options_lan_firewall(&options->lan, optarg);
	case OPTION_LAN_OPEN:
		return options_lan_open(&options->lan, optarg);
	case OPTION_METRIC:
		return options_number("--metric", optarg, 1, INT32_MAX, &options->metric);
	case OPTION_ROUTE:
		return options_route(options, optarg);
	case OPTION_TABLE:
		return options_table(options, optarg);
	case OPTION_TRANSPORT:
		return parse_transport(options, optarg);
	case OPTION_TUNNEL:
		return parse_tunnel(options, optarg);
	case OPTION_USER:
		options->run_as = optarg;
		return true;
	default:
		return false;
	}
}

static bool parse_short(void *arg, int option)
{
	struct client_options *options = arg;
	uint32_t value = 0;

	switch (option) {
	case 'b':
		if (!options_number("-b", optarg, 0, UINT16_MAX, &value))
			return false;
		options->udp_port = (uint16_t)value;
		options->udp_port_named = true;
		return true;
	case 'B':
		if (!options_number("-B", optarg, 1, UINT16_MAX, &value))
			return false;
		options->nat_port = (uint16_t)value;
		return true;
	case 'd':
		options->debug = true;
		return true;
	case 'D':
		options->daemon = true;
		return true;
	case 'f':
		options->pidfile = optarg;
		return true;
	case 'l':
		options->loop = true;
		return true;
	case 'm':
		return options_number("-m", optarg, FORWARD_MTU_MIN, FORWARD_MTU_MAX,
				      &options->mtu);
	case 'n':
		options->check_nat = false;
		return true;
	case 'p':
		if (!options_number("-p", optarg, 1, UINT16_MAX, &value))
			return false;
		options->port = (uint16_t)value;
		return true;
	case 's':
		options->script = optarg;
		options->script_named = true;
		return optarg[strspn(optarg, CLIENT_SCRIPT_BLANKS)] != '\0' ||
		       options_bad("-s: a command is needed");
	case 't':
		return parse_type(options, optarg);
	case 'u':
		options->login = optarg;
		return dtcp_user_valid(optarg) ||
		       options_bad("-u %s: a user name has 1 to %d printable characters, no blank "
				   "and no "
				   "colon",
				   optarg, DTCP_USER_MAX);
	case 'U':
		options->transport = SESSION_UDP;
		options->transport_named = true;
		return true;
	default:
		return parse_long(options, option);
	}
}

/* What stands around a port in "host:20200" and "[host]:20200"; false without one. */
static bool server_split(const char *server, char host[static SERVER_NAME_MAX + 1], uint32_t *port)
{
	const char *colon = strrchr(server, ':');
	const char *error = NULL;
	size_t len = colon ? (size_t)(colon - server) : 0;

	if (len == 0)
		return false;
	*port = (uint32_t)strtonum(colon + 1, 1, UINT16_MAX, &error);
	if (server[0] == '[' && server[len - 1] == ']') {
		server++;
		len -= 2;
	}
	(void)snprintf(host, SERVER_NAME_MAX + 1, "%.*s", (int)len, server);
	return !error && host[0] != '\0' && !strchr(host, ':') && !strchr(host, '[');
}

static bool server_is_ipv6(const char *server)
{
	size_t brackets = server[0] == '[';
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t len = strcspn(server + brackets, "]%");

	if (len >= sizeof(text))
		return false;
	memcpy(text, server + brackets, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool parse_server(const char *server)
{
	char host[SERVER_NAME_MAX + 1];
	uint32_t port;

	if (server[0] == '\0' || strlen(server) > SERVER_NAME_MAX)
		return options_bad("server: not a host name or an IPv4 address");
	if (server_is_ipv6(server))
		return options_bad("server %s: an IPv6 address; a server is reached over IPv4, and "
				   "its port is named with -p",
				   server);
	if (server_split(server, host, &port))
		return options_bad("server %s: a port is named with -p, as in: -p %u %s", server,
				   port, host);
	if (strpbrk(server, ":[]"))
		return options_bad("server %s: not a host name or an IPv4 address; a port is named "
				   "with -p",
				   server);
	return true;
}

static bool parse_servers(struct client_options *options, int argc, char *const argv[])
{
	if (argc == 0)
		return options_bad("the server's name is missing; see --help");
	if (argc > CLIENT_SERVERS_MAX)
		return options_bad("more than %d servers; see --help", CLIENT_SERVERS_MAX);
	for (int i = 0; i < argc; i++) {
		if (!parse_server(argv[i]))
			return false;
		for (size_t j = 0; j < options->n_servers; j++) {
			if (strcasecmp(options->servers[j], argv[i]) == 0)
				return options_bad("server %s: named twice", argv[i]);
		}
		options->servers[options->n_servers++] = argv[i];
	}
	return true;
}

bool client_options_named(const struct client_options *options, size_t server)
{
	struct in_addr address;

	return inet_pton(AF_INET, options->servers[server], &address) != 1;
}

bool client_options_keep_port(const struct client_options *options)
{
	return (options->udp_port_named && options->udp_port != 0) || options->nat_port != 0;
}

enum options_result client_options_parse(struct client_options *options, int argc,
					 char *const argv[])
{
	static const struct options_table table = {
		.letters = ":b:B:dDf:lm:np:s:t:u:U",
		.words = long_options,
		.usage = options_help,
		.version = "dtcpclient " DTCP_VERSION,
		.hints = hints,
		.take = parse_short,
	};
	enum options_result result;

	*options = (struct client_options){
		.script = DTCP_SYSCONFDIR "/dtcpclient.script",
		.interface = "dtcp0",
		.auth_file = DTCP_SYSCONFDIR "/dtcpclient.auth",
		.check_nat = true,
		.port = DTCP_PORT,
		.transport = SESSION_IPV6,
		.udp_port = DTCP_UDP_PORT,
		.hold = 30,
		.mtu = FORWARD_MTU_MIN,
		.metric = 1024,
		.type = TUNNEL_ONLY,
		.n_routes = 1, /* the default route */
		.lan = {.dns_auto = true},
		.keepalive = 60,
		.keepalive_timeout = 15,
	};
	result = options_read(&table, argc, argv, options);
	if (result != OPTIONS_OK)
		return result;
	default_for_lan(options);
	if (!parse_servers(options, argc - optind, argv + optind) || !check(options))
		return OPTIONS_ERROR;
	/* Where no port was asked for, any will do that the server can find out. */
	if (options->transport == SESSION_AUTO && !options->udp_port_named)
		options->udp_port = 0;
	if (options->daemon && !options->pidfile)
		options->pidfile = DTCP_RUNDIR "/dtcpclient.pid";
	return OPTIONS_OK;
}
