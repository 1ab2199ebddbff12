/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the client's monitor does with the one message of weight that its control room sends: the
 * tunnel to make. Whatever passes the check must be something that a server could have said.
 */
#include "fuzz.h"

#include "client/tunnel.h"

#include <stdlib.h>
#include <string.h>

static void configure(struct client_options *options, struct fuzz_input *input)
{
	static const enum tunnel_type types[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};
	uint8_t what = fuzz_byte(input);

	*options = (struct client_options){
		.servers = {"broker.example", "192.0.2.9"},
		.n_servers = 2,
		.interface = "dtcp0",
		.type = types[what % 3],
		.transport = (enum session_transport)(what / 4 % 3),
		.no_device = what & 16,
		.n_addresses = what & 32 ? 1 : 0,
		.addresses = {{.addr = fuzz_ipv6("2001:db8:100::1"), .len = 128}},
		.mtu = 1280,
	};
}

/* A reply that is right, to be spoilt here and there. */
static void fill(struct client_tunnel *tunnel, struct fuzz_input *input)
{
	static const char *const lines[] = {
		"+OK 198.51.100.2 192.0.2.1",
		"+OK 198.51.100.2 192.0.2.1 udp=4028 session=0123456789abcdef",
		"+OK 198.51.100.2 192.0.2.1 2001:db8::2 2001:db8::1",
		"+OK 198.51.100.2 192.0.2.1 2001:db8:100::/48 2001:db8:200::/40",
		"+OK 198.51.100.2 192.0.2.1 2001:db8::2 2001:db8::1 2001:db8:100::/48",
	};
	const char *line = lines[fuzz_below(input, 5)];
	size_t spoils = fuzz_below(input, 8);
	const char *why;

	memset(tunnel, 0, sizeof(*tunnel));
	FUZZ_CHECK(reply_parse(line, strlen(line), TUNNEL_ONLY, &tunnel->reply, &why) == REPLY_OK);
	tunnel->server = fuzz_ipv4("192.0.2.1");
	tunnel->myaddr = fuzz_ipv4("198.51.100.2");
	tunnel->my_port = tunnel->reply.udp_port;
	for (size_t i = 0; i < spoils; i++)
		fuzz_spoil(input, tunnel, sizeof(*tunnel));
}

static void check_good(const struct client_tunnel *tunnel, const struct client_options *options)
{
	struct dtcp_reply reply = tunnel->reply;
	char line[DTCP_LINE_SIZE];
	static const struct log_source source = {"dtcpclient", NULL};
	struct log_record record;
	char text[LOG_LINE_SIZE];
	struct in6_addr own, link;
	const char *why;
	size_t len;

	/* The number is no part of what monitor makes. */
	reply.session = reply.udp_port ? 1 : 0;
	len = reply_format(&reply, line, sizeof(line));
	FUZZ_CHECK(len > 0);
	FUZZ_CHECK(reply_parse(line, len, options->type, &reply, &why) == REPLY_OK);
	FUZZ_CHECK(options->transport != SESSION_IPV6 || reply.udp_port == 0);
	FUZZ_CHECK(tunnel_same_for_script(tunnel, tunnel));
	log_record_begin(&record, LOG_INFO, "tunnel-up", "tunnel up");
	tunnel_describe(tunnel, options, options->interface, &record);
	(void)log_record_line(&record, &source, text);
	FUZZ_CHECK(line_is_text(text, strlen(text)));
	/* Whole, and not cut at the end of the record. */
	FUZZ_CHECK(strstr(text, " mtu=1280"));
	FUZZ_CHECK(!strstr(text, "..."));
	if (tunnel_address_fits(tunnel, options) && tunnel_own_address(tunnel, options, &own))
		FUZZ_CHECK((own.s6_addr[0] & 0xe0) == 0x20 || (own.s6_addr[0] & 0xfe) == 0xfc);
	link = tunnel_link_local(tunnel, "alice");
	FUZZ_CHECK(IN6_IS_ADDR_LINKLOCAL(&link));
	for (size_t i = 0; i < reply.n_prefixes; i++) {
		own = tunnel_router_address(&tunnel->reply.prefixes[i]);
		FUZZ_CHECK(prefix6_has(&tunnel->reply.prefixes[i], &own));
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct client_options options;
	struct client_tunnel *tunnel;
	const char *why = NULL;
	bool good;

	configure(&options, &input);
	tunnel = malloc(sizeof(*tunnel));
	FUZZ_CHECK(tunnel);
	if (fuzz_bool(&input))
		fuzz_fill(&input, tunnel, sizeof(*tunnel));
	else
		fill(tunnel, &input);
	good = tunnel_check(tunnel, &options, &why);
	FUZZ_CHECK(good || (why && *why));
	if (good)
		check_good(tunnel, &options);
	free(tunnel);
}
