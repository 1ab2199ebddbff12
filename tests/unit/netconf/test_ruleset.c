/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine's packet filter drops for certain. */
#include "netconf/ruleset_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct ruleset_packet tcp = {.protocol = IPPROTO_TCP, .port = 20200};
static const struct ruleset_packet udp = {.protocol = IPPROTO_UDP, .port = 4028};
static const struct ruleset_packet proto41 = {.protocol = IPPROTO_IPV6};
static const struct ruleset_packet out = {
	.forwarded = true, .ipv6 = true, .protocol = -1, .interface = "dtcps0"};

static bool drops(const char *text, const struct ruleset_packet *packet)
{
	struct ruleset_place place;

	return ruleset_drops(text, packet, &place);
}

/* A base chain that drops what none of these rules takes. */
static bool input_drops(const char *rules, const struct ruleset_packet *packet)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "table inet filter {\n"
		       "\tchain input {\n"
		       "\t\ttype filter hook input priority filter; policy drop;\n"
		       "\t\t%s\n"
		       "\t}\n"
		       "}\n",
		       rules);
	return drops(text, packet);
}

/* The same, forwarding. */
static bool forward_drops(const char *rules)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "table ip6 f {\n"
		       "\tchain fwd {\n"
		       "\t\ttype filter hook forward priority 0; policy drop;\n"
		       "\t\t%s\n"
		       "\t}\n"
		       "}\n",
		       rules);
	return drops(text, &out);
}

/* Each value by itself: what is not known may be so, and nothing else is said to be. */
static void test_values(void **state)
{
	static const struct {
		enum ruleset_field field;
		const struct ruleset_packet *packet;
		const char *value;
		enum ruleset_match match;
	} cases[] = {
		{RULESET_PORT, &tcp, "20200", RULESET_YES},
		{RULESET_PORT, &tcp, "20201", RULESET_NO},
		{RULESET_PORT, &tcp, "20000-20200", RULESET_YES},
		{RULESET_PORT, &tcp, "20201-65535", RULESET_NO},
		{RULESET_PORT, &tcp, "dtcp", RULESET_MAYBE},
		{RULESET_PORT, &tcp, "20200x", RULESET_MAYBE},
		{RULESET_PORT, &tcp, "1-", RULESET_MAYBE},
		{RULESET_PROTOCOL, &udp, "udp", RULESET_YES},
		{RULESET_PROTOCOL, &udp, "17", RULESET_YES},
		{RULESET_PROTOCOL, &udp, "tcp", RULESET_NO},
		{RULESET_PROTOCOL, &proto41, "ipv6", RULESET_YES},
		{RULESET_PROTOCOL, &udp, "carp", RULESET_MAYBE},
		{RULESET_PROTOCOL, &out, "udp", RULESET_MAYBE},
		{RULESET_STATE, &tcp, "new", RULESET_YES},
		{RULESET_STATE, &tcp, "established", RULESET_NO},
		{RULESET_STATE, &tcp, "snat", RULESET_MAYBE},
		{RULESET_INPUT, &tcp, "lo", RULESET_NO},
		{RULESET_INPUT, &tcp, "\"eth0", RULESET_MAYBE},
		{RULESET_INPUT, &out, "\"dtcps0", RULESET_YES},
		{RULESET_INPUT, &out, "dtcps*", RULESET_YES},
		{RULESET_INPUT, &out, "\"eth*", RULESET_NO},
		{RULESET_OUTPUT, &out, "lo", RULESET_NO},
		{RULESET_OUTPUT, &out, "eth0", RULESET_MAYBE},
		{RULESET_OUTPUT, &tcp, "lo", RULESET_MAYBE},
		{RULESET_FAMILY, &out, "ipv6", RULESET_YES},
		{RULESET_FAMILY, &tcp, "ip6", RULESET_NO},
		{RULESET_FAMILY, &tcp, "arp", RULESET_MAYBE},
		{RULESET_UNKNOWN, &tcp, "20200", RULESET_MAYBE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (ruleset_compare(cases[i].field, cases[i].packet, cases[i].value) !=
		    cases[i].match)
			fail_msg("field %d, value %s", (int)cases[i].field, cases[i].value);
	}
}

static void test_policies(void **state)
{
	(void)state;
	assert_false(drops("", &tcp));
	assert_true(input_drops("", &tcp));
	assert_true(input_drops("", &proto41));
	assert_false(input_drops("", &out));
	assert_true(forward_drops(""));
	assert_false(drops("table inet f {\n\tchain i {\n\t\ttype filter hook input priority 0; "
			   "policy accept;\n\t}\n}\n",
			   &tcp));
	/* At the end, instead of a policy. */
	assert_true(drops("table inet f {\n\tchain i {\n\t\ttype filter hook input priority 0; "
			  "policy accept;\n\t\treject with icmpx admin-prohibited\n\t}\n}\n",
			  &tcp));
	/* Turned off, of another family, or without a hook. */
	assert_false(drops("table inet f {\n\tflags dormant\n\n\tchain i {\n\t\ttype filter hook "
			   "input priority 0; policy drop;\n\t}\n}\n",
			   &tcp));
	assert_false(drops("table ip6 f {\n\tchain i {\n\t\ttype filter hook input priority 0; "
			   "policy drop;\n\t}\n}\n",
			   &tcp));
	assert_false(drops("table inet f {\n\tchain i {\n\t\tdrop\n\t}\n}\n", &tcp));
	assert_true(drops("table ip raw {\n\tchain p {\n\t\ttype filter hook prerouting priority "
			  "raw; policy accept;\n\t\tmeta l4proto 41 drop\n\t}\n}\n",
			  &proto41));
}

static void test_place(void **state)
{
	struct ruleset_place place;

	(void)state;
	assert_true(ruleset_drops("table ip nat {\n\tchain x {\n\t\taccept\n\t}\n}\n"
				  "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input "
				  "priority filter; policy drop;\n\t}\n}\n",
				  &tcp, &place));
	assert_string_equal(place.family, "ip");
	assert_string_equal(place.table, "filter");
	assert_string_equal(place.chain, "INPUT");
}

static void test_rules_that_others_pass(void **state)
{
	static const char *const rules[] = {
		"ct state established,related accept",
		"ct state { established, related } accept",
		"ct state vmap { invalid : drop, established : accept, related : accept }",
		"ct state invalid drop",
		"iif lo accept",
		"iifname \"lo\" accept",
		"meta iifname \"lo\" counter accept comment \"all of it: accept\"",
		"tcp dport 22 accept",
		"tcp dport { 22, 80-90, 443 } accept",
		"tcp dport 22 ct state new log prefix \"in: accept \" accept",
		"meta l4proto tcp tcp dport 22 counter packets 3 bytes 180 accept",
		"udp dport 53 accept",
		"tcp dport vmap { 22 : accept, 80-90 : jump web }",
		"ip protocol icmp accept",
		"meta l4proto { icmp, ipv6-icmp } accept",
		"icmp type echo-request accept",
		"ip6 saddr fe80::/10 accept",
		"meta nfproto ipv6 accept",
		"log prefix \"dropped: \" level debug flags all",
		"tcp sport 20200 tcp dport 1024-20000 accept",
		"limit rate 5/second burst 5 packets log prefix \"x\"",
		"# a comment: accept",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!input_drops(rules[i], &tcp))
			fail_msg("not certain: %s", rules[i]);
	}
}

static void test_rules_by_which_it_may_pass(void **state)
{
	static const char *const rules[] = {
		"accept",
		"ct state new accept",
		"ct state vmap { established : accept, new : accept }",
		"tcp dport 20200 accept",
		"tcp dport { 22, 20000-21000 } accept",
		"tcp dport != 22 accept",
		"tcp dport != { 22, 23 } accept",
		"tcp dport > 1023 accept",
		"tcp dport @open accept",
		"tcp dport ssh accept",
		"tcp dport vmap { 22 : accept, 20200 : accept }",
		"tcp dport vmap @ports",
		"th dport 20200 accept",
		"meta l4proto tcp accept",
		"meta l4proto 6 accept",
		"ip protocol tcp accept",
		"ip protocol { icmp, tcp } accept",
		"ip protocol != icmp accept",
		"ip saddr 198.51.100.0/24 accept",
		"ip saddr . tcp dport { 198.51.100.7 . 22 } accept",
		"iif eth0 accept",
		"iifname { \"lo\", \"eth0\" } accept",
		"iifname != \"lo\" accept",
		"meta nfproto ipv4 accept",
		"fib daddr . iif type local accept",
		"limit rate 5/second accept",
		"meta mark & 0x0000ffff == 0x00000001 accept",
		"queue to 1",
		"jump elsewhere",
		"goto elsewhere",
		"xt match \"conntrack\" accept",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (input_drops(rules[i], &tcp))
			fail_msg("said to be dropped: %s", rules[i]);
	}
}

static void test_each_packet(void **state)
{
	(void)state;
	assert_true(input_drops("tcp dport 20200 accept", &udp));
	assert_false(input_drops("udp dport 4028 accept", &udp));
	assert_true(input_drops("udp dport 4028 accept", &proto41));
	assert_false(input_drops("meta l4proto 41 accept", &proto41));
	assert_false(input_drops("meta l4proto ipv6 accept", &proto41));
	assert_false(input_drops("ip protocol ipv6 accept", &proto41));
	assert_false(input_drops("ip protocol { gre, ipv6 } accept", &proto41));
	assert_true(input_drops("meta l4proto ipv6-icmp accept", &proto41));
	/* A rule that drops what comes, before one that would take it. */
	assert_true(input_drops("tcp dport 1-65535 drop\n\t\ttcp dport 20200 accept", &tcp));
	assert_false(input_drops("ip saddr 192.0.2.1 drop\n\t\ttcp dport 20200 accept", &tcp));
}

static void test_forwarding(void **state)
{
	(void)state;
	assert_true(forward_drops("ct state established,related accept"));
	assert_true(forward_drops("iifname \"eth1\" accept"));
	assert_true(forward_drops("iifname \"eth*\" accept"));
	assert_true(forward_drops("ip protocol ipv6 accept"));
	assert_false(forward_drops("iifname \"dtcps0\" accept"));
	assert_false(forward_drops("iifname \"dtcps*\" accept"));
	assert_false(forward_drops("oifname \"eth0\" accept"));
	assert_false(forward_drops("ip6 saddr 2001:db8::/32 accept"));
	assert_false(forward_drops("meta l4proto icmpv6 accept"));
	assert_false(forward_drops("tcp dport 443 accept"));
	assert_false(forward_drops("icmpv6 type echo-request accept"));
	assert_false(forward_drops("fib daddr . iif type local accept"));
}

static void test_calls(void **state)
{
	static const char form[] = "table ip filter {\n"
				   "\tset open {\n"
				   "\t\ttype inet_service\n"
				   "\t\tflags interval\n"
				   "\t}\n"
				   "\n"
				   "\tchain ours {\n"
				   "\t\t%s\n"
				   "\t}\n"
				   "\n"
				   "\tchain INPUT {\n"
				   "\t\ttype filter hook input priority filter; policy drop;\n"
				   "\t\tcounter %s ours\n"
				   "\t\t%s\n"
				   "\t}\n"
				   "}\n";
	static const struct {
		const char *called;
		const char *call;
		const char *then;
		bool drops;
	} tries[] = {
		{"tcp dport 22 accept", "jump", "", true},
		{"tcp dport 20200 accept", "jump", "", false},
		{"return", "jump", "accept", false},
		{"tcp dport 20200 return", "jump", "drop", true},
		{"drop", "jump", "accept", true},
		{"tcp dport 22 accept", "goto", "accept", true},
		{"jump ours", "jump", "", false}, /* the kernel allows no such thing */
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		(void)snprintf(text, sizeof(text), form, tries[i].called, tries[i].call,
			       tries[i].then);
		if (drops(text, &tcp) != tries[i].drops)
			fail_msg("%s, %s, %s", tries[i].called, tries[i].call, tries[i].then);
	}
}

/* Another port that is open can lead to ours. */
static void test_redirected(void **state)
{
	static const char text[] = "table ip nat {\n\tchain p {\n\t\ttype nat hook prerouting "
				   "priority dstnat; policy accept;\n\t\ttcp dport 443 redirect to "
				   ":20200\n\t}\n}\n"
				   "table ip f {\n\tchain i {\n\t\ttype filter hook input priority "
				   "0; policy drop;\n\t}\n}\n";

	(void)state;
	assert_false(drops(text, &tcp));
	assert_true(drops(text, &udp));
}

/* Whatever is cut off or strange ends. */
static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"table",
		"table inet f {",
		"table inet f {\n\tchain i {",
		"}\n}\n}",
		"\"",
		"chain x {\n",
		"table inet f {\n\tchain "
		"i {\n\t\ttype filter hook input priority 0; policy "
		"accept;\n\t\ttcp dport {\n\t\tct state vmap {\n\t\tlog "
		"prefix\n\t\tjump\n\t\ttcp\n\t\ttcp dport"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(drops(texts[i], &tcp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_rules_that_others_pass),
		cmocka_unit_test(test_rules_by_which_it_may_pass),
		cmocka_unit_test(test_each_packet),
		cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
