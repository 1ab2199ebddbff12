/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine lets the server have of the prefixes of its settings. */
#include "server/root/interface.h"

#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ETH0 = 2, DUMMY0, DTCPS };

struct rig {
	struct survey survey;
	struct survey_link links[3];
	struct survey_address addresses[4];
	struct survey_route routes[4];
};

/* eth0 has an address, and a default route by a router's link-local one. */
static void set_up(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->links[0] = (struct survey_link){.index = ETH0, .neighbours = true};
	rig->links[1] = (struct survey_link){.index = DUMMY0};
	rig->links[2] = (struct survey_link){.index = DTCPS};
	rig->addresses[0] =
		(struct survey_address){.index = ETH0, .addr = addr6("2001:db8:6::2"), .len = 64};
	rig->routes[0] = (struct survey_route){
		.index = ETH0, .main = true, .kernel = true, .prefix = prefix("2001:db8:6::/64")};
	rig->routes[1] = (struct survey_route){
		.index = ETH0, .main = true, .has_gateway = true, .gateway = addr6("fe80::1")};
	rig->survey = (struct survey){.links = rig->links,
				      .n_links = 3,
				      .addresses = rig->addresses,
				      .n_addresses = 1,
				      .routes = rig->routes,
				      .n_routes = 2};
}

static struct interface_plan plan(const struct rig *rig, const char *text)
{
	const struct prefix6 pool = prefix(text);

	return interface_plan(&rig->survey, DTCPS, &pool);
}

static void expect(const struct rig *rig, const char *text, bool own, bool waits, uint32_t metric)
{
	const struct interface_plan found = plan(rig, text);

	assert_int_equal(found.own, own);
	assert_int_equal(found.waits, waits);
	assert_int_equal(found.metric, metric);
}

static void test_routed(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	expect(&rig, "2001:db8:100::/40", true, false, INTERFACE_METRIC_BEST);
	/* What the device has already is no reason against it. */
	rig.addresses[1] = (struct survey_address){
		.index = DTCPS, .addr = addr6("2001:db8:100::1"), .len = 128};
	rig.survey.n_addresses = 2;
	rig.routes[2] = (struct survey_route){
		.index = DTCPS, .main = true, .ours = true, .prefix = prefix("2001:db8:100::/40")};
	rig.survey.n_routes = 3;
	expect(&rig, "2001:db8:100::/40", true, false, INTERFACE_METRIC_BEST);
	/* A router rejects what nobody has. */
	rig.routes[2] = (struct survey_route){
		.main = true, .rejects = true, .prefix = prefix("2001:db8:100::/40")};
	expect(&rig, "2001:db8:100::/40", true, false, INTERFACE_METRIC_BEST);
}

static void test_on_link(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	expect(&rig, "2001:db8:6::/64", false, false, INTERFACE_METRIC);
	/* The link's network is the first of the prefix, or another one. */
	expect(&rig, "2001:db8:6::/48", false, false, INTERFACE_METRIC_BEST);
	rig.routes[0].prefix = prefix("2001:db8:6:1::/64");
	rig.addresses[0].addr = addr6("2001:db8:6:1::2");
	expect(&rig, "2001:db8:6::/48", true, false, INTERFACE_METRIC_BEST);
	/* The prefix is in the network. */
	rig.routes[0].prefix = prefix("2001:db8:6::/48");
	expect(&rig, "2001:db8:6:7::/64", false, false, INTERFACE_METRIC_BEST);
	/* Nobody else is on a dummy interface. */
	rig.routes[0].index = DUMMY0;
	expect(&rig, "2001:db8:6::/48", true, false, INTERFACE_METRIC_BEST);
}

static void test_in_use(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	/* A router that is reached without a network. */
	rig.routes[1].gateway = addr6("2001:db8:100::1");
	expect(&rig, "2001:db8:100::/40", false, false, INTERFACE_METRIC_BEST);
	set_up(&rig);
	rig.addresses[0] = (struct survey_address){
		.index = DUMMY0, .addr = addr6("2001:db8:100::1"), .len = 128};
	expect(&rig, "2001:db8:100::/40", false, false, INTERFACE_METRIC_BEST);
}

static void test_early(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	rig.survey.n_addresses = 0;
	rig.survey.n_routes = 0;
	expect(&rig, "2001:db8:100::/40", false, true, INTERFACE_METRIC_BEST);
	/* Where no provider's router is. */
	expect(&rig, "fd00:100::/40", true, false, INTERFACE_METRIC_BEST);
	rig.survey.n_addresses = 1;
	expect(&rig, "2001:db8:100::/40", true, false, INTERFACE_METRIC_BEST);
	rig.addresses[0].addr = addr6("fd00::2");
	expect(&rig, "2001:db8:100::/40", false, true, INTERFACE_METRIC_BEST);
	rig.survey.n_routes = 2;
	expect(&rig, "2001:db8:100::/40", true, false, INTERFACE_METRIC_BEST);
}

/* The texts of a list, in their order, each with a blank behind it; the list is freed. */
static const char *texts_of(struct prefix6 *list, ssize_t n)
{
	static char all[1024];

	assert_true(n >= 0);
	all[0] = '\0';
	for (ssize_t i = 0; i < n; i++) {
		char text[PREFIX6_STRLEN];

		(void)strlcat(all, prefix6_format(&list[i], text), sizeof(all));
		(void)strlcat(all, " ", sizeof(all));
	}
	free(list);
	return all;
}

static const char *reserved(const struct rig *rig, const struct server_options *options)
{
	struct prefix6 *list = NULL;
	ssize_t n = interface_reserved(&rig->survey, DTCPS, options, &list);

	return texts_of(list, n);
}

static const char *somebodys(const struct rig *rig, const struct server_options *options)
{
	struct prefix6 *list = NULL;
	ssize_t n = interface_in_use(&rig->survey, options, &list);

	return texts_of(list, n);
}

static void test_reserved(void **state)
{
	struct server_options options = {.has_pool = true, .pool = prefix("2001:db8:100::/40")};
	struct rig rig;

	(void)state;
	set_up(&rig);
	assert_string_equal(reserved(&rig, &options), "");
	/* A routed prefix with the link's network in it, and a router there. */
	options.pool = prefix("2001:db8:6::/48");
	rig.routes[1].gateway = addr6("2001:db8:6::1");
	assert_string_equal(reserved(&rig, &options),
			    "2001:db8:6::2/128 2001:db8:6::/64 2001:db8:6::1/128 ");
	/* An on-link network as a whole: what is known of it. */
	options.has_pool = false;
	options.has_host = true;
	options.host_prefix = prefix("2001:db8:6::/64");
	assert_string_equal(reserved(&rig, &options), "2001:db8:6::2/128 2001:db8:6::1/128 ");
	options.host_exclude = "2001:db8:6::10/124, 2001:db8:6::ff";
	assert_string_equal(reserved(&rig, &options), "2001:db8:6::2/128 2001:db8:6::1/128 "
						      "2001:db8:6::10/124 2001:db8:6::ff/128 ");
	options.host_exclude = NULL;
	/* Several routes by one router, and what is somebody's beside the prefixes. */
	rig.routes[2] = rig.routes[1];
	rig.routes[2].metric = 7;
	rig.survey.n_routes = 3;
	assert_string_equal(reserved(&rig, &options), "2001:db8:6::2/128 2001:db8:6::1/128 ");
	options.host_prefix = prefix("2001:db8:7::/64");
	assert_string_equal(reserved(&rig, &options), "");
	assert_string_equal(somebodys(&rig, &options), "2001:db8:6::2/128 2001:db8:6::1/128 ");
	options.host_prefix = prefix("2001:db8:6::/64");
	/* On an interface of a user's, it is for that user. */
	rig.addresses[0].index = DTCPS;
	(void)strlcpy(rig.links[2].alias, "dtcps", sizeof(rig.links[2].alias));
	assert_string_equal(reserved(&rig, &options), "2001:db8:6::1/128 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routed),	 cmocka_unit_test(test_on_link),
		cmocka_unit_test(test_in_use),	 cmocka_unit_test(test_early),
		cmocka_unit_test(test_reserved),
	};

	return cmocka_run_group_tests_name("interface", tests, NULL, NULL);
}
