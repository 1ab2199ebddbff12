/* SPDX-License-Identifier: BSD-2-Clause */
/* Which network at home gets what, and what radvd and nft are told. */
#include "client/lan.h"

#include "tests/unit/base/capture.h"
#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct client_options options_for(size_t n)
{
	struct client_options options = {.type = TUNNEL_NETWORK, .n_routes = 1, .lan.n = n};

	for (size_t i = 0; i < n; i++)
		(void)snprintf(options.lan.names[i], IFNAMSIZ, "lan%zu", i);
	return options;
}

static struct client_tunnel tunnel_with(const char *first, const char *second)
{
	struct client_tunnel tunnel = {.reply.n_prefixes = second ? 2 : 1};

	tunnel.reply.prefixes[0] = prefix(first);
	if (second)
		tunnel.reply.prefixes[1] = prefix(second);
	return tunnel;
}

/* "lan0 2001:db8::/64 2001:db8::1", for each net. */
static void expect(const struct lan_plan *plan, size_t n, const char *const texts[])
{
	assert_int_equal(plan->n, n);
	for (size_t i = 0; i < n; i++) {
		char net[PREFIX6_STRLEN], router[INET6_ADDRSTRLEN], all[160];

		(void)snprintf(all, sizeof(all), "lan%zu %s %s", plan->nets[i].interface,
			       prefix6_format(&plan->nets[i].prefix, net),
			       inet_ntop(AF_INET6, &plan->nets[i].router, router, sizeof(router)));
		assert_string_equal(all, texts[i]);
	}
}

static void test_plan(void **state)
{
	static struct lan_plan plan;
	struct client_options options = options_for(3);
	struct client_tunnel tunnel = tunnel_with("2001:db8:100:ff00::/56", NULL);

	(void)state;
	lan_plan(&tunnel, &options, &plan);
	expect(&plan, 3,
	       (const char *const[]){"lan0 2001:db8:100:ff00::/64 2001:db8:100:ff00::1",
				     "lan1 2001:db8:100:ff01::/64 2001:db8:100:ff01::1",
				     "lan2 2001:db8:100:ff02::/64 2001:db8:100:ff02::1"});
	/* Out of each prefix, in the prefixes' order; the same one only once. */
	options = options_for(2);
	tunnel = tunnel_with("2001:db8:1::/48", "fd00:1::/48");
	lan_plan(&tunnel, &options, &plan);
	expect(&plan, 4,
	       (const char *const[]){"lan0 2001:db8:1::/64 2001:db8:1::1",
				     "lan1 2001:db8:1:1::/64 2001:db8:1:1::1",
				     "lan0 fd00:1::/64 fd00:1::1",
				     "lan1 fd00:1:0:1::/64 fd00:1:0:1::1"});
	tunnel = tunnel_with("2001:db8:1::/48", "2001:db8:1::/64");
	options = options_for(1);
	lan_plan(&tunnel, &options, &plan);
	expect(&plan, 1, (const char *const[]){"lan0 2001:db8:1::/64 2001:db8:1::1"});
	/* The last /64 is where the tunnel's own ::1 is. */
	tunnel = tunnel_with("2001:db8:1::/63", NULL);
	options = options_for(2);
	lan_plan(&tunnel, &options, &plan);
	expect(&plan, 2,
	       (const char *const[]){"lan0 2001:db8:1::/64 2001:db8:1::1",
				     "lan1 2001:db8:1:1::/64 2001:db8:1:1::2"});
}

static void test_too_long(void **state)
{
	static struct lan_plan plan;
	const struct client_options options = options_for(2);
	struct client_tunnel tunnel = tunnel_with("2001:db8:1::/64", NULL);

	(void)state;
	capture_begin(STDERR_FILENO);
	lan_plan(&tunnel, &options, &plan);
	lan_plan_log(&plan, &options);
	assert_string_equal(capture_end(),
			    "dtcp: --lan: 2001:db8:1::/64 has no /64 for lan1: a shorter prefix is "
			    "needed, of which the operator of the server has to know\n");
	expect(&plan, 1, (const char *const[]){"lan0 2001:db8:1::/64 2001:db8:1::1"});
	tunnel = tunnel_with("2001:db8:1::/65", NULL);
	capture_begin(STDERR_FILENO);
	lan_plan(&tunnel, &options, &plan);
	lan_plan_log(&plan, &options);
	assert_non_null(strstr(capture_end(), "2001:db8:1::/65 has no /64 for lan0"));
	expect(&plan, 0, NULL);
}

static void test_dns(void **state)
{
	static char text[] = "# nameserver 2001:db8::1\n"
			     "nameserver 127.0.0.53\n"
			     "nameserver fe80::1%eth0\n"
			     "nameserver fd00::53\n"
			     "search example.net\n"
			     "nameserver\t2001:db8::53\n"
			     "nameserver 2001:db8::54 # the other one\n"
			     "nameserver 2001:db8::55\n";
	FILE *file = fmemopen(text, sizeof(text) - 1, "r");
	struct in6_addr found[2];
	const struct in6_addr first = addr6("2001:db8::53"), second = addr6("2001:db8::54");

	(void)state;
	assert_non_null(file);
	assert_int_equal(lan_dns(file, found, 2), 2);
	assert_memory_equal(&found[0], &first, sizeof(first));
	assert_memory_equal(&found[1], &second, sizeof(second));
	(void)fclose(file);
}

/* Two networks, of which the second had another prefix before, and open ports. */
struct rig {
	struct client_options options;
	struct lan_plan plan;
	struct lan_stale stale[2];
	struct in6_addr dns;
	struct lan_announcement what;
};

static void make(struct rig *rig, size_t n, bool up)
{
	const struct client_tunnel tunnel = tunnel_with("2001:db8:1::/56", NULL);

	*rig = (struct rig){.options = options_for(n), .dns = addr6("2001:db8::53")};
	if (up)
		lan_plan(&tunnel, &rig->options, &rig->plan);
	rig->stale[0] = (struct lan_stale){
		.net = {.interface = 1, .prefix = prefix("2001:db8:2:1::/64")}, .until = 61000};
	/* Its time is over. */
	rig->stale[1] = (struct lan_stale){
		.net = {.interface = 1, .prefix = prefix("2001:db8:3:1::/64")}, .until = 1000};
	rig->what = (struct lan_announcement){.lan = &rig->options.lan,
					      .mtu = 1280,
					      .plan = &rig->plan,
					      .stale = rig->stale,
					      .n_stale = n > 1 ? 2 : 0,
					      .dns = &rig->dns,
					      .n_dns = 1,
					      .now = 1000};
}

static char *radvd(const struct rig *rig)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	lan_write_radvd(out, &rig->what);
	assert_int_equal(fclose(out), 0);
	return text;
}

#define HEAD(name)                                                                                 \
	"interface " name " {\n"                                                                   \
	"\tAdvSendAdvert on;\n"                                                                    \
	"\tIgnoreIfMissing on;\n"                                                                  \
	"\tMinRtrAdvInterval 30;\n"                                                                \
	"\tMaxRtrAdvInterval 100;\n"                                                               \
	"\tAdvLinkMTU 1280;\n"
#define NET(text)                                                                                  \
	"\tprefix " text " {\n"                                                                    \
	"\t\tAdvPreferredLifetime 2700;\n"                                                         \
	"\t\tAdvValidLifetime 5400;\n"                                                             \
	"\t\tDeprecatePrefix on;\n"                                                                \
	"\t};\n"
#define OLD                                                                                        \
	"\tprefix 2001:db8:2:1::/64 {\n"                                                           \
	"\t\tAdvPreferredLifetime 0;\n"                                                            \
	"\t\tAdvValidLifetime 60;\n"                                                               \
	"\t\tDeprecatePrefix on;\n"                                                                \
	"\t};\n"
#define ROUTER "\tAdvDefaultPreference low;\n\tRDNSS 2001:db8::53 {\n\t};\n};\n"

static void test_radvd(void **state)
{
	static struct rig rig;
	char *text;

	(void)state;
	make(&rig, 2, true);
	text = radvd(&rig);
	assert_string_equal(text, "# written by dtcpclient, gone with it\n" HEAD("lan0")
					  NET("2001:db8:1::/64") ROUTER HEAD("lan1")
						  NET("2001:db8:1:1::/64") OLD ROUTER);
	free(text);
	/* Without a tunnel it is no router, and has no name servers for anybody. */
	make(&rig, 2, false);
	text = radvd(&rig);
	assert_string_equal(text, "# written by dtcpclient, gone with it\n" HEAD(
					  "lan0") "\tAdvDefaultLifetime 0;\n};\n" HEAD("lan1") OLD
			    "\tAdvDefaultLifetime 0;\n};\n");
	free(text);
}

static char *firewall(const struct rig *rig)
{
	char name[LAN_TABLE_SIZE];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	lan_write_firewall(out, lan_table("dtcp0", name), "wan6", &rig->what);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_firewall(void **state)
{
	static struct rig rig;
	char *text;

	(void)state;
	make(&rig, 2, true);
	rig.options.lan.n_open = 2;
	rig.options.lan.open[0] = (struct client_lan_port){IPPROTO_TCP, 443, 443};
	rig.options.lan.open[1] = (struct client_lan_port){IPPROTO_UDP, 5000, 5010};
	text = firewall(&rig);
	/* One transaction, in which the old one goes. */
	assert_ptr_equal(strstr(text, "add table ip6 dtcpclient-dtcp0\n"
				      "delete table ip6 dtcpclient-dtcp0\n"
				      "table ip6 dtcpclient-dtcp0 {\n"),
			 text);
	/* What is open is so for the networks, not for this machine. */
	assert_non_null(strstr(text, "\tchain to_lan {\n"
				     "\t\tjump allowed\n"
				     "\t\ttcp dport 443-443 accept\n"
				     "\t\tudp dport 5000-5010 accept\n"
				     "\t\treject with icmpv6 type admin-prohibited\n"));
	assert_null(strstr(strstr(text, "chain to_router"), "dport"));
	assert_non_null(
		strstr(text, "\t\tip6 saddr 2001:db8:2:1::/64 reject with icmpv6 type policy-fail\n"
			     "\t\tip6 saddr 2001:db8:3:1::/64 reject with icmpv6 type policy-fail\n"
			     "\t\tiifname { \"lan0\", \"lan1\" } accept\n"
			     "\t\tiifname \"wan6\" goto to_lan\n"
			     "\t\tip6 daddr 2001:db8:1::/56 goto to_lan\n"));
	assert_non_null(strstr(text, "\t\tiifname { \"lan0\", \"lan1\", \"lo\" } accept\n"
				     "\t\tiifname \"wan6\" goto to_router\n"
				     "\t\tip6 daddr 2001:db8:1::/56 goto to_router\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),	 cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_dns),	 cmocka_unit_test(test_radvd),
		cmocka_unit_test(test_firewall),
	};

	return cmocka_run_group_tests_name("client lan", tests, NULL, NULL);
}
