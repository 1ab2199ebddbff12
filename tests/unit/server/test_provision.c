/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root believes of a login that accounts has granted: each field alone is made one that no
 * accounts process can rightly send. And what it makes. The kernel and its addresses are replaced.
 */
#include "server/root/provision.h"

#include "netconf/sockets.h"
#include "server/root/foreign.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SESSIONS = 4, PENDING = 2 };

/* --- the machine -------------------------------------------------------------------------- */

int64_t __wrap_clock_ms(void);
bool __wrap_sockets_is_here(struct in_addr addr);
void __wrap_links_link_local(struct links *links, struct in_addr her);
int __wrap_links_open(struct links *links, int64_t user, struct in_addr her,
		      const struct prefix6_set *prefixes, uint32_t *number);
void __wrap_links_close(struct links *links, uint32_t number);
int __wrap_links_route_add(struct links *links, const struct prefix6 *prefix);
void __wrap_links_route_remove(struct links *links, const struct prefix6 *prefix);
const struct foreign *__wrap_links_foreign(struct links *links);
const struct prefix6 *__wrap_links_reserved(const struct links *links, size_t *n);

static unsigned int link_locals;
static unsigned int devices;		    /* that are open */
static struct prefix6_set led;		    /* to the device */
static struct prefix6 shared[2 * SESSIONS]; /* what sessions have on the shared device */
static size_t n_shared;
static unsigned int route_fails; /* the one of that number, counted down to 1; 0: none */
static int kernel_error;	 /* of the next route or device */
static struct foreign foreign;	 /* what is somebody else's */
static struct prefix6 reserved;	 /* and what of host.prefix and the pool is; length 0: nothing */

static int64_t now = 1000;
static bool gone; /* the machine's address */

int64_t __wrap_clock_ms(void)
{
	return now;
}

bool __wrap_sockets_is_here(struct in_addr addr)
{
	return !gone && addr.s_addr == addr4("192.0.2.1").s_addr;
}

void __wrap_links_link_local(struct links *links, struct in_addr her)
{
	(void)links;
	(void)her;
	link_locals++;
}

int __wrap_links_open(struct links *links, int64_t user, struct in_addr her,
		      const struct prefix6_set *prefixes, uint32_t *number)
{
	(void)links;
	(void)her;
	assert_int_equal(user, 100);
	*number = 1;
	if (kernel_error)
		return kernel_error;
	led = *prefixes;
	devices++;
	return 0;
}

void __wrap_links_close(struct links *links, uint32_t number)
{
	(void)links;
	assert_int_equal(number, 1);
	assert_true(devices > 0);
	devices--;
	led.n = 0;
}

int __wrap_links_route_add(struct links *links, const struct prefix6 *prefix)
{
	(void)links;
	assert_true(prefix6_valid(prefix));
	assert_in_range(n_shared, 0, 2 * SESSIONS - 1);
	if (route_fails > 0 && --route_fails == 0)
		return -ENOMEM;
	shared[n_shared++] = *prefix;
	return 0;
}

void __wrap_links_route_remove(struct links *links, const struct prefix6 *prefix)
{
	size_t i = 0;

	(void)links;
	while (i < n_shared && !prefix6_equal(&shared[i], prefix))
		i++;
	assert_in_range(i, 0, n_shared - 1);
	shared[i] = shared[--n_shared];
}

const struct foreign *__wrap_links_foreign(struct links *links)
{
	(void)links;
	return &foreign;
}

const struct prefix6 *__wrap_links_reserved(const struct links *links, size_t *n)
{
	(void)links;
	*n = reserved.len > 0;
	return &reserved;
}

/* --- what is granted ---------------------------------------------------------------------- */

static struct server_options options;
static struct provision *provision;

static int begin(void **state)
{
	(void)state;
	options = (struct server_options){
		.sessions_max = SESSIONS,
		.limits = {.pending = PENDING},
		.has_host = true,
		.host_prefix = prefix("2001:db8:1::/64"),
		.has_pool = true,
		.pool = prefix("2001:db8:4000::/36"),
		.network_length = 48,
		.tunnelonly = true,
	};
	link_locals = devices = 0;
	led.n = 0;
	n_shared = route_fails = 0;
	kernel_error = 0;
	foreign = (struct foreign){.n = 0};
	reserved.len = 0;
	provision = provision_new(&options, NULL);
	assert_non_null(provision);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(devices, 0);
	assert_int_equal(n_shared, 0);
	provision_free(provision);
	return 0;
}

/* One that is right in everything. */
static struct server_grant good(uint32_t type)
{
	struct server_grant grant = {
		.verdict = {.result = SERVER_GRANTED, .user = 100, .session = 7, .key = {7}},
		.type = type,
		.local = addr4("192.0.2.1"),
	};

	if (type == TUNNEL_HOST) {
		grant.verdict.numbered = 1;
		grant.verdict.me6 = addr6("2001:db8:1::2");
		grant.verdict.her6 = addr6("2001:db8:1::1");
	} else if (type == TUNNEL_NETWORK) {
		grant.verdict.prefixes.n = 1;
		grant.verdict.prefixes.list[0] = prefix("2001:db8:4001::/48");
	}
	return grant;
}

static struct server_verdict expect_result(const struct server_grant *grant,
					   enum server_result result)
{
	static const uint8_t none[PROBE_KEY_SIZE];
	struct server_verdict verdict;

	assert_true(provision_grant(provision, grant, &verdict));
	assert_int_equal(verdict.id, grant->verdict.id);
	assert_int_equal(verdict.user, grant->verdict.user);
	assert_int_equal(verdict.result, result);
	/* The key is for whoever has the session, and nobody else. */
	if (result == SERVER_GRANTED)
		assert_memory_equal(verdict.key, grant->verdict.key, sizeof(none));
	else
		assert_memory_equal(verdict.key, none, sizeof(none));
	return verdict;
}

static void expect_lack(const struct server_grant *grant, enum server_lack lack)
{
	struct server_verdict verdict = expect_result(grant, SERVER_SOLD_OUT);

	assert_int_equal(verdict.lack, lack);
	assert_true(prefix6_equal(&verdict.prefixes.list[0], &grant->verdict.prefixes.list[0]));
	assert_int_equal(provision_count(provision), 0);
	assert_true(provision_end(provision, grant->verdict.id));
}

static void expect_granted(const struct server_grant *grant)
{
	expect_result(grant, SERVER_GRANTED);
	assert_int_equal(provision_count(provision), 1);
	assert_true(provision_end(provision, grant->verdict.id));
	assert_int_equal(provision_count(provision), 0);
}

/* --- fields ------------------------------------------------------------------------------- */

#define FIELD(f) #f, offsetof(struct server_grant, f), sizeof(((struct server_grant *)0)->f)

/* A field of one that is granted, and what it is filled with. */
static const struct spoilt {
	uint32_t type;
	const char *name;
	size_t offset;
	size_t size;
	unsigned char octet;
} spoilt[] = {
	{TUNNEL_HOST, FIELD(verdict.id), 0xff},	    /* out of range */
	{TUNNEL_HOST, FIELD(verdict.result), 0xff}, /* none of the results */
	{TUNNEL_HOST, FIELD(verdict.result), 0x00},
	{TUNNEL_HOST, FIELD(type), 0x00}, /* none of the types */
	{TUNNEL_HOST, FIELD(type), 0xff},
	{TUNNEL_HOST, FIELD(local), 0x00}, /* no end of a tunnel */
	{TUNNEL_HOST, FIELD(local), 0xe0},
	{TUNNEL_HOST, FIELD(verdict.device), 0x01},   /* root's to say */
	{TUNNEL_HOST, FIELD(verdict.numbered), 0x00}, /* needs an address, */
	{TUNNEL_HOST, FIELD(verdict.numbered), 0x01},
	{TUNNEL_HOST, FIELD(verdict.me6), 0x20},  /* of host.prefix */
	{TUNNEL_HOST, FIELD(verdict.her6), 0x20}, /* and the server's */
	{TUNNEL_HOST, FIELD(verdict.prefixes.n), 0x01},
	{TUNNEL_NETWORK, FIELD(verdict.prefixes.n), 0x00},
	{TUNNEL_NETWORK, FIELD(verdict.prefixes.n), 0x02},
	{TUNNEL_NETWORK, FIELD(verdict.numbered), 0x01},
	{TUNNEL_NETWORK, FIELD(verdict.prefixes.list[0]), 0x00}, /* no length */
	{TUNNEL_NETWORK, FIELD(verdict.prefixes.list[0]), 0x20}, /* bits beyond it */
	{TUNNEL_NETWORK, FIELD(verdict.prefixes.list[0]), 0xff}, /* multicast */
	{TUNNEL_ONLY, FIELD(verdict.prefixes.n), 0x02},
	{TUNNEL_ONLY, FIELD(verdict.numbered), 0x01},
};

static void test_each_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		struct server_grant grant = good(spoilt[i].type);
		struct server_verdict verdict;

		memset((unsigned char *)&grant + spoilt[i].offset, spoilt[i].octet, spoilt[i].size);
		if (provision_grant(provision, &grant, &verdict))
			fail_msg("%s of 0x%02x is believed", spoilt[i].name, spoilt[i].octet);
		assert_false(provision_knows(provision, 0));
	}
	assert_int_equal(link_locals, 0);
}

/* Addresses of host.prefix that nobody can have, and the next ones that somebody can. */
static void test_addresses(void **state)
{
	static const char *const bad[] = {"2001:db8:1::", "2001:db8:1::1", "2001:db8:0:ffff::1",
					  "2001:db8:1:1::2", "fe80::2"};
	struct server_grant grant = good(TUNNEL_HOST);
	struct server_verdict verdict;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		grant.verdict.me6 = addr6(bad[i]);
		if (provision_grant(provision, &grant, &verdict))
			fail_msg("%s is believed", bad[i]);
	}
	grant.verdict.me6 = addr6("2001:db8:1:0:ffff:ffff:ffff:ffff");
	expect_granted(&grant);
	options.has_host = false;
	assert_false(provision_grant(provision, &grant, &verdict));
}

/* What is somebody's, whatever accounts says, which may not have heard of it yet. */
static void test_reserved(void **state)
{
	struct server_grant host = good(TUNNEL_HOST);
	struct server_grant network = good(TUNNEL_NETWORK);

	(void)state;
	reserved = prefix("2001:db8:1::2/128");
	expect_lack(&host, SERVER_ADDRESS_TAKEN);
	assert_int_equal(n_shared, 0);
	host.verdict.me6 = addr6("2001:db8:1::3");
	expect_granted(&host);
	/* A network of the machine's in the user's prefix, and one around it. */
	reserved = prefix("2001:db8:4001:7::/64");
	expect_lack(&network, SERVER_PREFIX_MACHINE);
	reserved = prefix("2001:db8:4000::/40");
	expect_lack(&network, SERVER_PREFIX_MACHINE);
	/* But an administrator can allow it, and says nothing about addresses of hosts by that. */
	options.network_fixed = "2001:db8:4000::/40,2001:db8:1::/64";
	expect_granted(&network);
	reserved = prefix("2001:db8:1::3/128");
	expect_lack(&host, SERVER_ADDRESS_TAKEN);
	options.network_fixed = "2001:db8:77::/48";
	expect_granted(&network);
	reserved = prefix("2001:db8:4001:7::1/128");
	expect_lack(&network, SERVER_PREFIX_MACHINE);
}

/* With network.numbered both go together. */
static void test_numbered(void **state)
{
	struct server_grant grant = good(TUNNEL_NETWORK);
	struct server_verdict verdict;

	(void)state;
	options.numbered = true;
	assert_false(provision_grant(provision, &grant, &verdict));
	grant.verdict.numbered = 1;
	grant.verdict.me6 = addr6("2001:db8:1::2");
	grant.verdict.her6 = addr6("2001:db8:1::1");
	expect_granted(&grant);
}

/* A number has one session, from what accounts has said to its end. */
static void test_numbers(void **state)
{
	struct server_grant grant = good(TUNNEL_HOST);
	struct server_verdict verdict;

	(void)state;
	grant.verdict.id = SESSIONS + PENDING;
	assert_false(provision_grant(provision, &grant, &verdict));
	assert_false(provision_end(provision, grant.verdict.id));
	assert_false(provision_knows(provision, grant.verdict.id));
	assert_false(provision_knows(provision, UINT32_MAX));
	grant.verdict.id--;
	assert_false(provision_end(provision, grant.verdict.id));
	expect_result(&grant, SERVER_GRANTED);
	assert_true(provision_knows(provision, grant.verdict.id));
	assert_false(provision_grant(provision, &grant, &verdict));
	grant.verdict.result = SERVER_AUTH;
	assert_false(provision_grant(provision, &grant, &verdict));
	assert_true(provision_end(provision, grant.verdict.id));
	assert_false(provision_end(provision, grant.verdict.id));
	/* One that was not granted holds nothing. */
	assert_true(provision_grant(provision, &grant, &verdict));
	assert_int_equal(verdict.result, SERVER_AUTH);
	assert_false(provision_knows(provision, grant.verdict.id));
	/* One that was refused here does, until its end. */
	grant = good(TUNNEL_ONLY);
	options.tunnelonly = false;
	expect_result(&grant, SERVER_TYPE);
	assert_true(provision_knows(provision, 0));
	assert_false(provision_grant(provision, &grant, &verdict));
	assert_int_equal(provision_count(provision), 0);
	assert_true(provision_end(provision, 0));
}

/* What becomes an address of the tunnel is one of the machine's, or that of the settings. */
static void test_local_address(void **state)
{
	(void)state;
	for (uint32_t type = TUNNEL_ONLY; type <= TUNNEL_NETWORK; type++) {
		struct server_grant grant = good(type);

		grant.local = addr4("192.0.2.77");
		assert_int_equal(expect_result(&grant, SERVER_FAILED).lack, SERVER_NOT_HERE);
		assert_true(provision_end(provision, 0));
	}
	assert_int_equal(link_locals, 0);
	options.address = addr4("203.0.113.1");
	expect_granted(&(const struct server_grant){
		.verdict = good(TUNNEL_HOST).verdict,
		.type = TUNNEL_HOST,
		.local = addr4("192.0.2.77"),
	});
	assert_int_equal(link_locals, 1);
}

/* One that was there a moment ago is not looked for again; no other one, and not for long. */
static void test_local_address_again(void **state)
{
	const struct server_grant grant = good(TUNNEL_HOST);
	struct server_grant other = grant;

	(void)state;
	other.local = addr4("192.0.2.77");
	expect_granted(&grant);
	gone = true;
	expect_granted(&grant);
	assert_int_equal(expect_result(&other, SERVER_FAILED).lack, SERVER_NOT_HERE);
	assert_true(provision_end(provision, 0));
	now += 1000;
	assert_int_equal(expect_result(&grant, SERVER_FAILED).lack, SERVER_NOT_HERE);
	assert_true(provision_end(provision, 0));
	gone = false;
}

/* --- prefixes ----------------------------------------------------------------------------- */

/* It is led to the device of a tunnelonly session, in the pool and outside of it. */
static void test_prefix_of_tunnelonly(void **state)
{
	static const char *const prefixes[] = {"2001:db8:77::/48", "2001:db8:4abc::/48"};
	struct server_grant grant = good(TUNNEL_ONLY);
	struct server_verdict verdict;

	(void)state;
	verdict = expect_result(&grant, SERVER_GRANTED);
	assert_int_equal(verdict.device, 1);
	assert_int_equal(led.n, 0);
	assert_true(provision_end(provision, 0));
	for (size_t i = 0; i < 2; i++) {
		grant.verdict.prefixes.n = 1;
		grant.verdict.prefixes.list[0] = prefix(prefixes[i]);
		verdict = expect_result(&grant, SERVER_GRANTED);
		assert_int_equal(verdict.device, 1);
		assert_int_equal(verdict.prefixes.n, 1);
		assert_true(
			prefix6_equal(&verdict.prefixes.list[0], &grant.verdict.prefixes.list[0]));
		assert_true(prefix6_set_equal(&led, &grant.verdict.prefixes));
		assert_true(provision_end(provision, 0));
		assert_int_equal(led.n, 0);
	}
	kernel_error = -1;
	expect_result(&grant, SERVER_FAILED);
	assert_true(provision_end(provision, 0));
}

/* All of several are led somewhere, or none; the one that cannot be had is named. */
static void test_several_prefixes(void **state)
{
	struct server_grant network = good(TUNNEL_NETWORK);
	struct server_grant only = good(TUNNEL_ONLY);
	struct server_verdict verdict;

	(void)state;
	network.verdict.prefixes = (struct prefix6_set){.n = 3,
							.list = {prefix("2001:db8:4abc::/48"),
								 prefix("2001:db8:77::/48"),
								 prefix("2001:db8:78::/56")}};
	only.verdict.prefixes = network.verdict.prefixes;
	verdict = expect_result(&network, SERVER_GRANTED);
	assert_true(prefix6_set_equal(&verdict.prefixes, &network.verdict.prefixes));
	assert_int_equal(n_shared, 3);
	assert_true(provision_end(provision, 0));
	assert_int_equal(n_shared, 0);
	for (route_fails = 1; route_fails <= 3; route_fails++) {
		unsigned int at = route_fails;

		expect_result(&network, SERVER_FAILED);
		assert_int_equal(n_shared, 0);
		assert_true(provision_end(provision, 0));
		route_fails = at;
	}
	route_fails = 0;
	expect_result(&only, SERVER_GRANTED);
	assert_true(prefix6_set_equal(&led, &only.verdict.prefixes));
	assert_true(provision_end(provision, 0));
	network.verdict.prefixes.list[2] = prefix("2001:db8:1::/60");
	verdict = expect_result(&network, SERVER_SOLD_OUT);
	assert_int_equal(verdict.lack, SERVER_PREFIX_HOST);
	assert_int_equal(verdict.prefixes.n, 0);
	assert_true(prefix6_equal(&verdict.prefixes.list[0], &network.verdict.prefixes.list[2]));
	assert_int_equal(n_shared, 0);
	assert_true(provision_end(provision, 0));
}

/* One that would take the server's own addresses away is refused. */
static void test_prefix_that_takes(void **state)
{
	(void)state;
	for (uint32_t type = TUNNEL_ONLY; type <= TUNNEL_NETWORK; type += 2) {
		struct server_grant grant = good(type);

		grant.verdict.prefixes.n = 1;
		grant.verdict.prefixes.list[0] = prefix("2001:db8:1::/60");
		expect_lack(&grant, SERVER_PREFIX_HOST);
		/* The first of the pool, and all of it. */
		grant.verdict.prefixes.list[0] = prefix("2001:db8:4000::/48");
		expect_lack(&grant, SERVER_PREFIX_OWN);
		grant.verdict.prefixes.list[0] = prefix("2001:db8::/32");
		expect_lack(&grant, SERVER_PREFIX_OWN);
	}
}

/* What sessions have is known as long as they have it, also if a login fails half-way. */
static void test_shared(void **state)
{
	struct server_grant host = good(TUNNEL_HOST);
	struct server_grant network = good(TUNNEL_NETWORK);

	(void)state;
	options.numbered = true;
	network.verdict.id = 1;
	network.verdict.numbered = 1;
	network.verdict.me6 = addr6("2001:db8:1::3");
	network.verdict.her6 = addr6("2001:db8:1::1");
	expect_result(&host, SERVER_GRANTED);
	assert_int_equal(n_shared, 1);
	assert_int_equal(shared[0].len, 128);
	assert_true(prefix6_contains(&options.host_prefix, &shared[0]));
	for (unsigned int fails = 1; fails <= 2; fails++) {
		route_fails = fails;
		expect_result(&network, SERVER_FAILED);
		assert_int_equal(n_shared, 1);
		assert_true(provision_end(provision, 1));
		assert_int_equal(n_shared, 1);
		route_fails = 0;
	}
	/* In the pool or not. */
	expect_result(&network, SERVER_GRANTED);
	assert_int_equal(n_shared, 3);
	assert_true(prefix6_contains(&options.pool, &shared[2]));
	assert_true(provision_end(provision, 1));
	assert_int_equal(n_shared, 1);
	network.verdict.prefixes.list[0] = prefix("2001:db8:77::/48");
	expect_result(&network, SERVER_GRANTED);
	assert_true(prefix6_equal(&shared[2], &network.verdict.prefixes.list[0]));
	assert_true(provision_end(provision, 1));
	assert_true(provision_end(provision, 0));
	assert_int_equal(n_shared, 0);
}

/* Outside the pool: what network.fixed says, or else what is nobody's on this machine. */
static void test_fixed(void **state)
{
	struct foreign_part lan = {.prefix = prefix("2001:db8:77:1::/64"), .network = true};
	struct server_grant grant = good(TUNNEL_NETWORK);
	struct server_grant pool = good(TUNNEL_NETWORK);

	(void)state;
	grant.verdict.prefixes.list[0] = prefix("2001:db8:77::/48");
	expect_granted(&grant);
	foreign = (struct foreign){.parts = &lan, .n = 1};
	expect_lack(&grant, SERVER_PREFIX_MACHINE);
	expect_granted(&pool);
	options.network_fixed = "2001:db8:70::/48, 2001:db8:77::/48";
	expect_granted(&grant);
	expect_granted(&pool);
	options.network_fixed = "2001:db8:77::/49";
	expect_lack(&grant, SERVER_PREFIX_FIXED);
	expect_granted(&pool);
	grant.verdict.prefixes.list[0] = prefix("2001:db8:77:7000::/52");
	expect_granted(&grant);
	/* Nor is the server's own anybody's by this. */
	options.network_fixed = "2001:db8::/32";
	grant.verdict.prefixes.list[0] = prefix("2001:db8:1::/60");
	expect_lack(&grant, SERVER_PREFIX_HOST);
}

/* --- what is somebody else's -------------------------------------------------------------- */

enum { LO = 1, ETH0, WG0, DTCPS0, LINKS };

static struct survey_link survey_links[] = {
	{.index = LO, .name = "lo", .loopback = true},
	{.index = ETH0, .name = "eth0", .neighbours = true},
	{.index = WG0, .name = "wg0"},
	{.index = DTCPS0, .name = "dtcps0", .alias = "dtcps"},
};

static bool touches(const char *text)
{
	const struct prefix6 asked = prefix(text);

	return foreign_touches(&foreign, &asked);
}

static void test_foreign(void **state)
{
	struct survey_address addresses[] = {
		{.index = ETH0, .addr = addr6("2001:db8:5:5::5"), .len = 64},
		{.index = LO, .addr = addr6("2001:db8:6::6"), .len = 128},
		{.index = DTCPS0, .addr = addr6("2001:db8:4000::1"), .len = 128},
	};
	struct survey_route routes[] = {
		{.index = ETH0, .prefix = {.len = 0}, .has_gateway = true, .main = true},
		{.index = ETH0, .prefix = prefix("2000::/3"), .has_gateway = true, .main = true},
		{.index = ETH0, .prefix = prefix("fe80::/64"), .main = true},
		{.index = ETH0, .prefix = prefix("2001:db8:5:5::/64"), .main = true},
		{.index = ETH0,
		 .prefix = prefix("2001:db8:5:5::/64"),
		 .main = true,
		 .has_gateway = true},
		{.index = ETH0,
		 .prefix = prefix("2001:db8::/32"),
		 .main = true,
		 .has_gateway = true},
		{.index = WG0, .prefix = prefix("2001:db8:8:8::/64"), .main = true},
		{.index = DTCPS0, .prefix = prefix("2001:db8:9::/48"), .main = true, .ours = true},
		{.index = LO, .prefix = prefix("2001:db8:a::/48"), .main = true, .rejects = true},
	};
	const struct survey survey = {
		.links = survey_links,
		.n_links = LINKS - 1,
		.addresses = addresses,
		.n_addresses = sizeof(addresses) / sizeof(addresses[0]),
		.routes = routes,
		.n_routes = sizeof(routes) / sizeof(routes[0]),
	};

	(void)state;
	assert_false(touches("2001:db8:5::/48"));
	assert_int_equal(foreign_take(&foreign, &survey, "auto"), 0);
	/* Around a network, all of it, and a part that nobody has yet. */
	assert_true(touches("2001:db8:5::/48"));
	assert_true(touches("2001:db8:5:5::/64"));
	assert_true(touches("2001:db8:5:5:8000::/65"));
	assert_true(touches("2001:db8:5:5::77/128"));
	assert_false(touches("2001:db8:5:6::/64"));
	assert_false(touches("2001:db8:5:4::/64"));
	/* An address alone. */
	assert_true(touches("2001:db8:6::/48"));
	assert_true(touches("2001:db8:6::6/128"));
	assert_false(touches("2001:db8:6::8/125"));
	/* A route that has others at its far end: all of it, but not a part. */
	assert_true(touches("2001:db8:8::/48"));
	assert_true(touches("2001:db8:8:8::/64"));
	assert_false(touches("2001:db8:8:8:1::/80"));
	assert_true(touches("2001:db8::/32"));
	assert_false(touches("2001:db8:b::/48"));
	/* What is ours, and what rejects. */
	assert_false(touches("2001:db8:4000::/48"));
	assert_false(touches("2001:db8:9::/48"));
	assert_false(touches("2001:db8:a::/48"));
	/* Where neighbours are told of what sessions have, a part can be given away, but not all.
	 */
	assert_int_equal(foreign_take(&foreign, &survey, "eth0"), 0);
	assert_false(touches("2001:db8:5:5:8000::/65"));
	assert_true(touches("2001:db8:5:5::4/126"));
	assert_true(touches("2001:db8:5:5::/64"));
	/* Another look has what there is then. */
	assert_int_equal(foreign_take(&foreign, &(const struct survey){.n_links = 0}, "auto"), 0);
	assert_false(touches("2001:db8::/32"));
	foreign_free(&foreign);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_field),
		TEST(test_addresses),
		TEST(test_reserved),
		TEST(test_numbered),
		TEST(test_numbers),
		TEST(test_local_address),
		TEST(test_local_address_again),
		TEST(test_prefix_of_tunnelonly),
		TEST(test_several_prefixes),
		TEST(test_prefix_that_takes),
		TEST(test_shared),
		TEST(test_fixed),
		TEST(test_foreign),
	};

	return cmocka_run_group_tests_name("server provision", tests, NULL, NULL);
}
