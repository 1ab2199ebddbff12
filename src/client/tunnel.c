/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/tunnel.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A bool in a message can hold any byte; reading one that is neither 0 nor 1 is undefined. */
static bool tunnel_bool_valid(const bool *value)
{
	unsigned char byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

static bool tunnel_ipv6_valid(const struct in6_addr *addr)
{
	return prefix6_is_unicast(&(const struct prefix6){.addr = *addr, .len = 128});
}

/* Whether it is a valid address of a connection. */
static bool tunnel_connects(struct in_addr addr)
{
	uint32_t host = ntohl(addr.s_addr);

	return host != INADDR_ANY && host != INADDR_BROADCAST && !IN_MULTICAST(host);
}

bool tunnel_check(const struct client_tunnel *tunnel, const struct client_options *options,
		  const char **why)
{
	const struct dtcp_reply *reply = &tunnel->reply;

	*why = "server";
	if (tunnel->server_index >= options->n_servers)
		return false;
	*why = "flags";
	if (!tunnel_bool_valid(&reply->has_me6) || !tunnel_bool_valid(&reply->has_her6))
		return false;
	*why = "IPv4 addresses";
	/* The connection can go through a relay on this machine; the tunnel cannot. */
	if (!tunnel_connects(tunnel->server) || !tunnel_connects(tunnel->myaddr))
		return false;
	if (!dtcp_endpoint_valid(reply->me) || !dtcp_endpoint_valid(reply->her) ||
	    reply->me.s_addr == reply->her.s_addr)
		return false;
	*why = "UDP ports";
	if (tunnel->my_port > UINT16_MAX ||
	    (reply->udp_port != 0 && options->transport == SESSION_IPV6))
		return false;
	*why = "IPv6 addresses";
	if ((reply->has_me6 && !tunnel_ipv6_valid(&reply->me6)) ||
	    (reply->has_her6 && !tunnel_ipv6_valid(&reply->her6)))
		return false;
	/* Recognized by form, the first address is ours, and the second a different one. */
	if (reply->has_her6 && (!reply->has_me6 || IN6_ARE_ADDR_EQUAL(&reply->me6, &reply->her6)))
		return false;
	if (options->type == TUNNEL_HOST && (!reply->has_me6 || !reply->has_her6))
		return false;
	*why = "prefixes";
	if (reply->n_prefixes > DTCP_PREFIXES_MAX ||
	    (options->type != TUNNEL_NETWORK && reply->n_prefixes > 0))
		return false;
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		const struct prefix6 *prefix = &reply->prefixes[i];

		if (!prefix6_valid(prefix) || !prefix6_is_unicast(prefix))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (prefix6_equal(&reply->prefixes[j], prefix))
				return false;
		}
	}
	return true;
}

enum tunnel_type tunnel_type(const struct client_tunnel *tunnel,
			     const struct client_options *options)
{
	bool bare = options->type == TUNNEL_NETWORK && tunnel->reply.n_prefixes == 0;

	return bare ? TUNNEL_ONLY : options->type;
}

struct in6_addr tunnel_router_address(const struct prefix6 *prefix)
{
	struct in6_addr addr = prefix6_last(prefix);

	if (prefix->len >= 127)
		return prefix->addr;
	if (prefix->len < 64) {
		memset(&addr.s6_addr[8], 0, 7);
		addr.s6_addr[15] = 1;
	} else {
		addr.s6_addr[15] &= 0xfe;
	}
	return addr;
}

size_t tunnel_routes(const struct client_tunnel *tunnel, const struct client_options *options)
{
	const struct dtcp_reply *reply = &tunnel->reply;
	bool bare = options->type == TUNNEL_ONLY || (!reply->has_me6 && reply->n_prefixes == 0);

	return bare && !options->routes_named ? 0 : options->n_routes;
}

bool tunnel_address_fits(const struct client_tunnel *tunnel, const struct client_options *options)
{
	const struct dtcp_reply *reply = &tunnel->reply;

	/* Numbered tunnels do not use it; tunnelonly leaves addresses to the administrator. */
	if (options->n_addresses == 0 || reply->has_me6 || reply->n_prefixes == 0)
		return true;
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		if (prefix6_has(&reply->prefixes[i], &options->addresses[0].addr))
			return true;
	}
	return false;
}

size_t tunnel_addresses(const struct client_tunnel *tunnel, const struct client_options *options,
			struct client_address out[static CLIENT_OWN_MAX])
{
	const struct dtcp_reply *reply = &tunnel->reply;

	if (!reply->has_me6 && options->n_addresses > 0) {
		memcpy(out, options->addresses, options->n_addresses * sizeof(*out));
		return options->n_addresses;
	}
	if (!reply->has_me6 && reply->n_prefixes == 0)
		return 0;
	out->addr = reply->has_me6 ? reply->me6 : tunnel_router_address(&reply->prefixes[0]);
	out->len = 128;
	return 1;
}

bool tunnel_own_address(const struct client_tunnel *tunnel, const struct client_options *options,
			struct in6_addr *out)
{
	struct client_address addresses[CLIENT_OWN_MAX];

	if (tunnel_addresses(tunnel, options, addresses) == 0)
		return false;
	*out = addresses[0].addr;
	return true;
}

struct in6_addr tunnel_link_local(const struct client_tunnel *tunnel, const char *user)
{
	return tunnel->reply.udp_port != 0 ? dtcp_link_local_user(user)
					   : dtcp_link_local(tunnel->reply.me);
}

static bool tunnel_same_address(bool a_there, const struct in6_addr *a, bool b_there,
				const struct in6_addr *b)
{
	return a_there == b_there && (!a_there || IN6_ARE_ADDR_EQUAL(a, b));
}

bool tunnel_same_inside(const struct client_tunnel *a, const struct client_tunnel *b)
{
	const struct dtcp_reply *x = &a->reply;
	const struct dtcp_reply *y = &b->reply;

	if (!tunnel_same_address(x->has_me6, &x->me6, y->has_me6, &y->me6) ||
	    !tunnel_same_address(x->has_her6, &x->her6, y->has_her6, &y->her6) ||
	    x->n_prefixes != y->n_prefixes)
		return false;
	for (size_t i = 0; i < x->n_prefixes; i++) {
		if (!prefix6_equal(&x->prefixes[i], &y->prefixes[i]))
			return false;
	}
	return true;
}

bool tunnel_same_for_script(const struct client_tunnel *a, const struct client_tunnel *b)
{
	return tunnel_same_inside(a, b) && a->server_index == b->server_index &&
	       a->server.s_addr == b->server.s_addr && a->myaddr.s_addr == b->myaddr.s_addr &&
	       a->my_port == b->my_port && a->reply.me.s_addr == b->reply.me.s_addr &&
	       a->reply.her.s_addr == b->reply.her.s_addr && a->reply.udp_port == b->reply.udp_port;
}

/* Appends to a comma-separated list; whatever does not fit is cut. */
static void tunnel_append(char *list, size_t size, const char *text)
{
	(void)strlcat(list, list[0] ? "," : "", size);
	(void)strlcat(list, text, size);
}

void tunnel_describe(const struct client_tunnel *tunnel, const struct client_options *options,
		     const char *interface, struct log_record *record)
{
	const struct dtcp_reply *reply = &tunnel->reply;
	char text[PREFIX6_STRLEN];
	char list[LOG_VALUE_SIZE] = "";
	struct client_address addresses[CLIENT_OWN_MAX];
	size_t n_addresses = tunnel_addresses(tunnel, options, addresses);

	log_record_text(record, "server", "%s", options->servers[tunnel->server_index]);
	log_record_text(record, "server_address", "%s",
			inet_ntop(AF_INET, &tunnel->server, text, sizeof(text)));
	log_record_text(record, "transport", reply->udp_port ? "udp" : "ipv6");
	log_record_text(record, "type", "%s", tunnel_type_name(tunnel_type(tunnel, options)));
	log_record_text(record, "local", "%s",
			inet_ntop(AF_INET, &tunnel->myaddr, text, sizeof(text)));
	if (tunnel->myaddr.s_addr != reply->me.s_addr)
		log_record_text(record, "seen_as", "%s",
				inet_ntop(AF_INET, &reply->me, text, sizeof(text)));
	log_record_text(record, "remote", "%s",
			inet_ntop(AF_INET, &reply->her, text, sizeof(text)));
	if (reply->udp_port) {
		log_record_number(record, "port", tunnel->my_port);
		log_record_number(record, "remote_port", reply->udp_port);
	}
	for (size_t i = 0; i < reply->n_prefixes; i++)
		tunnel_append(list, sizeof(list), prefix6_format(&reply->prefixes[i], text));
	if (list[0])
		log_record_text(record, "prefix", "%s", list);
	list[0] = '\0';
	for (size_t i = 0; i < n_addresses; i++)
		tunnel_append(list, sizeof(list),
			      inet_ntop(AF_INET6, &addresses[i].addr, text, sizeof(text)));
	if (list[0])
		log_record_text(record, "address", "%s", list);
	if (reply->has_her6)
		log_record_text(record, "far_address", "%s",
				inet_ntop(AF_INET6, &reply->her6, text, sizeof(text)));
	if (!options->no_device)
		log_record_text(record, "interface", "%s", interface);
	log_record_number(record, "mtu", options->mtu);
}
