/* SPDX-License-Identifier: BSD-2-Clause */
#include "packets.h"

#include "forward/sources.h"

#include <fcntl.h>
#include <unistd.h>

#define NOW 100000

static const uint64_t key[2] = {1, 2};

/* What the kernel would say: addresses of 2001:db8:77::/48 are behind interface 5. */
static bool routed;
static unsigned int asked;

static bool ask(int fd, const struct in6_addr *addr, unsigned int interface)
{
	const struct prefix6 prefix = packet_prefix("2001:db8:77::/48");

	assert_true(fcntl(fd, F_GETFD) != -1);
	asked++;
	return routed && interface == 5 && prefix6_has(&prefix, addr);
}

static struct sources *make_sources(void)
{
	struct sources *sources = sources_new(key, ask);
	int fd = dup(STDERR_FILENO);

	assert_non_null(sources);
	assert_int_not_equal(fd, -1);
	sources_set_socket(sources, fd);
	routed = true;
	asked = 0;
	return sources;
}

static bool leads(struct sources *sources, const char *text, unsigned int interface, uint64_t now)
{
	const struct in6_addr addr = packet_address(text);

	return sources_lead_to(sources, &addr, interface, now);
}

static void the_kernel_decides(void **state)
{
	struct sources *sources = make_sources();

	(void)state;
	assert_true(leads(sources, "2001:db8:77::1", 5, NOW));
	assert_false(leads(sources, "2001:db8:78::1", 5, NOW));
	/* the same address on somebody else's device, and on one whose number is not known */
	assert_false(leads(sources, "2001:db8:77::1", 6, NOW));
	assert_false(leads(sources, "2001:db8:77::1", 0, NOW));
	sources_free(sources);
}

static void answers_are_remembered_for_a_moment(void **state)
{
	struct sources *sources = make_sources();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_true(leads(sources, "2001:db8:77::1", 5, NOW));
		assert_false(leads(sources, "2001:db8:78::1", 5, NOW + SOURCES_LIFETIME - 1));
	}
	assert_int_equal(asked, 2);
	/* The route has gone, which shows when the answer is old; and has come back. */
	routed = false;
	assert_true(leads(sources, "2001:db8:77::1", 5, NOW + SOURCES_LIFETIME - 1));
	assert_false(leads(sources, "2001:db8:77::1", 5, NOW + SOURCES_LIFETIME));
	routed = true;
	assert_false(leads(sources, "2001:db8:77::1", 5, NOW + 2 * SOURCES_LIFETIME - 1));
	assert_true(leads(sources, "2001:db8:77::1", 5, NOW + 2 * SOURCES_LIFETIME));
	sources_free(sources);
}

/* More than there is room for: each costs a question at most, and gets its own answer. */
static void many_sources(void **state)
{
	struct sources *sources = make_sources();
	struct in6_addr addr = packet_address("2001:db8:77::");

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		addr.s6_addr[14] = (uint8_t)(i >> 8);
		addr.s6_addr[15] = (uint8_t)i;
		addr.s6_addr[5] = i % 3 ? 0x77 : 0x78;
		assert_true(sources_lead_to(sources, &addr, 5, NOW) == (i % 3 != 0));
	}
	assert_int_equal(asked, 20000);
	sources_free(sources);
}

static void without_a_socket_nothing_leads_anywhere(void **state)
{
	struct sources *sources = sources_new(key, ask);
	struct sources *mute = sources_new(key, NULL);

	(void)state;
	assert_non_null(sources);
	assert_non_null(mute);
	routed = true;
	assert_false(leads(sources, "2001:db8:77::1", 5, NOW));
	sources_set_socket(sources, dup(STDERR_FILENO));
	assert_true(leads(sources, "2001:db8:77::1", 5, NOW));
	sources_set_socket(mute, dup(STDERR_FILENO));
	assert_false(leads(mute, "2001:db8:77::1", 5, NOW));
	sources_free(sources);
	sources_free(mute);
	sources_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_decides),
		cmocka_unit_test(answers_are_remembered_for_a_moment),
		cmocka_unit_test(many_sources),
		cmocka_unit_test(without_a_socket_nothing_leads_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
