/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What root does for --lan: in which order, what radvd and nft are told of, and what is left where
 * one of them fails.
 */
#include "client/root/lan.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/lan.h"
#include "home.h"
#include "netconf/sysctl.h"
#include "netconf/tun.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FORWARD "net/ipv6/conf/all/forwarding"
#define ONE	"2001:db8:100::/64"
#define ONES	"2001:db8:100::/56"
#define TWO	"2001:db8:200::/64"

/* The timer that it sets, and for when. */
static struct event *timer;
static int64_t deadline;
static int64_t later; /* so much time has passed */

void __wrap_clock_arm(struct event *event, int64_t when);
int64_t __wrap_clock_ms(void);
int64_t __real_clock_ms(void);

void __wrap_clock_arm(struct event *event, int64_t when)
{
	timer = event;
	deadline = when;
}

int64_t __wrap_clock_ms(void)
{
	return __real_clock_ms() + later;
}

struct rig {
	struct event_base *base;
	struct client_options options;
	struct lan *lan;
};

static struct rig rig;

static int begin(void **state)
{
	timer = NULL;
	deadline = later = 0;
	if (home_open(state) != 0)
		return -1;
	rig.base = event_base_new();
	assert_non_null(rig.base);
	rig.options = (struct client_options){.servers = {"broker.example"},
					      .n_servers = 1,
					      .interface = "dtcp0",
					      .type = TUNNEL_NETWORK,
					      .mtu = 1280,
					      .lan = {.n = 1, .names = {"lan0", "lan1"}}};
	rig.lan = lan_new(rig.base, &rig.options, home.netlink);
	assert_non_null(rig.lan);
	return 0;
}

/* Whatever was made is taken back. */
static int end(void **state)
{
	char name[IFNAMSIZ];
	bool up;

	lan_free(rig.lan);
	assert_int_equal(home_setting(FORWARD), 0);
	assert_int_equal(home_files(), 0);
	if (tun_look(home.index, name, &up) == 0)
		assert_false(up);
	assert_int_equal(event_base_loop(rig.base, EVLOOP_NONBLOCK), 1);
	event_base_free(rig.base);
	return home_close(state);
}

static bool prepare(const char *delegated)
{
	struct client_tunnel tunnel = {.reply.n_prefixes = 1};

	tunnel.reply.prefixes[0] = prefix(delegated);
	return lan_prepare(rig.lan, &tunnel, "dtcp0");
}

/* What goes to the log is not what a test is about. */
static void raise_lan(void)
{
	capture_begin(STDERR_FILENO);
	lan_raise(rig.lan);
	(void)capture_end();
}

static void bring_up(const char *delegated)
{
	assert_true(prepare(delegated));
	raise_lan();
	home_read_config();
}

/* The time has come that the timer was set for. */
static void ring(void)
{
	assert_non_null(timer);
	later += deadline - __wrap_clock_ms() + 1;
	event_active(timer, EV_TIMEOUT, 1);
	assert_true(event_base_loop(rig.base, EVLOOP_NONBLOCK) >= 0);
	home_read_config();
}

static bool has(const char *text)
{
	return strstr(home.config, text) != NULL;
}

/* Whether a network is announced as one to use, or as one that was. */
static bool announced(const char *net, const char *lifetime)
{
	const char *found = strstr(home.config, net);
	const char *close = found ? strchr(found, '}') : NULL;
	const char *preferred = found ? strstr(found, "AdvPreferredLifetime ") : NULL;

	return found && preferred && preferred < close &&
	       strncmp(preferred + strlen("AdvPreferredLifetime "), lifetime, strlen(lifetime)) ==
		       0;
}

/* --- up and down -------------------------------------------------------------------------- */

static void test_up_and_down(void **state)
{
	char name[IFNAMSIZ];
	bool up;

	(void)state;
	rig.options.lan.n = 2;
	assert_true(prepare(ONES));
	/* Nobody is let in before there is somebody to guard, and nothing is announced. */
	assert_non_null(strstr(home.nft, "iifname \"dtcp0\" goto to_lan\n"));
	assert_int_equal(home_setting(FORWARD), 1);
	assert_int_equal(home.starts, 0);
	assert_false(home_has_address("lan0", "2001:db8:100::1"));
	raise_lan();
	home_read_config();
	assert_int_equal(home.starts, 1);
	assert_true(announced(ONE, "2700"));
	assert_true(announced("2001:db8:100:1::/64", "2700"));
	assert_true(home_has_address("lan0", "2001:db8:100::1"));
	assert_int_equal(tun_look(home.index, name, &up), 0);
	assert_true(up);
	/* radvd goes on, and says that it is not to be used. */
	lan_lower(rig.lan);
	home_read_config();
	assert_int_equal(home.starts, 1);
	assert_int_equal(home.reloads, 1);
	assert_true(announced(ONE, "0;"));
	assert_true(has("AdvDefaultLifetime 0;"));
	assert_true(home_has_address("lan0", "2001:db8:100::1"));
	lan_lower(rig.lan);
	assert_int_equal(home.reloads, 1);
	/* The same again: nobody need know that it was gone. */
	bring_up(ONES);
	assert_true(announced(ONE, "2700"));
	assert_false(has("AdvPreferredLifetime 0;"));
	assert_int_equal(home.reloads, 2);
}

/* Another prefix: the old one is told of until nobody can have it any more. */
static void test_another_prefix(void **state)
{
	(void)state;
	bring_up(ONE);
	lan_lower(rig.lan);
	bring_up(TWO);
	assert_true(announced(ONE, "0;"));
	assert_true(announced(TWO, "2700"));
	assert_true(home_has_address("lan0", "2001:db8:100::1"));
	assert_true(home_has_address("lan0", "2001:db8:200::1"));
	assert_int_equal(deadline / 1000, (__wrap_clock_ms() + LAN_VALID * 1000LL) / 1000);
	ring();
	assert_false(has(ONE));
	assert_true(announced(TWO, "2700"));
	assert_false(home_has_address("lan0", "2001:db8:100::1"));
	assert_true(home_has_address("lan0", "2001:db8:200::1"));
}

/* Nothing that was asked for becomes of it: what there was before goes on to be told. */
static void test_tunnel_fails_after_it_was_prepared(void **state)
{
	(void)state;
	bring_up(ONE);
	lan_lower(rig.lan);
	assert_true(prepare(TWO));
	/* No tunnel follows. radvd dies, and comes again. */
	capture_begin(STDERR_FILENO);
	assert_true(lan_reaped(rig.lan, HOME_RADVD, 0));
	(void)capture_end();
	ring();
	assert_int_equal(home.starts, 2);
	assert_true(announced(ONE, "0;"));
	assert_false(has(TWO));
	assert_true(has("AdvDefaultLifetime 0;"));
	/* The next one is another one again: nobody has ever had the second. */
	bring_up("2001:db8:300::/64");
	assert_true(announced("2001:db8:300::/64", "2700"));
	assert_false(has(TWO));
}

/* --- what fails --------------------------------------------------------------------------- */

static void test_firewall_fails(void **state)
{
	const char *said;
	bool prepared;

	(void)state;
	home.nft_fails = true;
	capture_begin(STDERR_FILENO);
	prepared = prepare(ONES);
	said = capture_end();
	assert_false(prepared);
	assert_string_equal(said,
			    "test: --lan: the firewall cannot be loaded, so nothing is let in\n");
	/* Without it, nothing is forwarded. */
	assert_int_equal(home_setting(FORWARD), 0);
	assert_int_equal(home.starts, 0);
	home.nft_fails = false;
	bring_up(ONE);
	assert_true(announced(ONE, "2700"));
}

static void test_without_firewall(void **state)
{
	(void)state;
	rig.options.lan.no_firewall = true;
	bring_up(ONE);
	lan_rename(rig.lan, "six0");
	assert_string_equal(home.nft, "");
}

static void test_radvd_cannot_be_started(void **state)
{
	(void)state;
	home.radvd_fails = true;
	assert_true(prepare(ONE));
	raise_lan();
	assert_int_equal(home.starts, 0);
	home.radvd_fails = false;
	/* Tried again, and nothing else of it is lost. */
	assert_true(deadline > __wrap_clock_ms());
	later += 10000;
	event_active(timer, EV_TIMEOUT, 1);
	assert_true(event_base_loop(rig.base, EVLOOP_NONBLOCK) >= 0);
	home_read_config();
	assert_int_equal(home.starts, 1);
	assert_true(announced(ONE, "2700"));
}

static void test_radvd_dies(void **state)
{
	const char *said;
	bool ours, again;

	(void)state;
	assert_false(lan_reaped(rig.lan, HOME_RADVD, 0));
	assert_false(lan_reaped(NULL, HOME_RADVD, 0));
	bring_up(ONE);
	assert_false(lan_reaped(rig.lan, HOME_RADVD + 1, 0));
	capture_begin(STDERR_FILENO);
	ours = lan_reaped(rig.lan, HOME_RADVD, 9);
	again = lan_reaped(rig.lan, HOME_RADVD, 9);
	said = capture_end();
	assert_true(ours);
	assert_false(again);
	assert_string_equal(said, "test: radvd was ended by signal 9; starting it again\n");
	ring();
	assert_int_equal(home.starts, 2);
	capture_begin(STDERR_FILENO);
	ours = lan_reaped(rig.lan, HOME_RADVD, 3 << 8);
	said = capture_end();
	assert_true(ours);
	assert_string_equal(said, "test: radvd has ended with status 3; starting it again\n");
	/* At the end there is none to be ended. */
	lan_free(rig.lan);
	assert_string_equal(home.ended, "radvd:4711? radvd:4711? ");
	rig.lan = NULL;
}

/* --- what others do ----------------------------------------------------------------------- */

/* An interface that comes later gets its part when it comes, and one that lost it gets it back. */
static void test_interfaces_come_and_go(void **state)
{
	const struct in6_addr lost = addr6("2001:db8:100::1");
	int64_t limit;
	unsigned int index;
	int fd;

	(void)state;
	rig.options.lan.n = 2;
	bring_up(ONES);
	fd = tun_open("lan1", &index);
	assert_true(fd >= 0);
	assert_int_equal(netlink_address_delete(home.netlink, home.index, &lost, 64), 0);
	/* What the kernel has told of was told before the answer; the look is the next timer. */
	limit = __real_clock_ms() + 20000;
	capture_begin(STDERR_FILENO);
	while (!home_has_address("lan1", "2001:db8:100:1::1") && __real_clock_ms() < limit) {
		(void)event_base_loop(rig.base, EVLOOP_NONBLOCK);
		event_active(timer, EV_TIMEOUT, 1);
	}
	(void)capture_end();
	assert_true(__real_clock_ms() < limit);
	assert_true(home_has_address("lan0", "2001:db8:100::1"));
	assert_int_equal(close(fd), 0);
}

/* The firewall knows the tunnel by its name. */
static void test_renamed(void **state)
{
	(void)state;
	lan_rename(rig.lan, "six0");
	assert_string_equal(home.nft, "");
	bring_up(ONE);
	lan_rename(rig.lan, "six0");
	assert_non_null(strstr(home.nft, "iifname \"six0\" goto to_lan\n"));
	assert_null(strstr(home.nft, "dtcp0\" goto"));
	/* What is loaded already need not be loaded. */
	home.nft[0] = '\0';
	lan_rename(rig.lan, "six0");
	assert_string_equal(home.nft, "");
}

/* With --lan off, all of it is nothing. */
static void test_none(void **state)
{
	const struct client_tunnel tunnel = {.reply.n_prefixes = 0};

	(void)state;
	assert_true(lan_prepare(NULL, &tunnel, "dtcp0"));
	lan_raise(NULL);
	lan_rename(NULL, "six0");
	lan_lower(NULL);
	lan_free(NULL);
	assert_int_equal(home_files(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_down),
		TEST(test_another_prefix),
		TEST(test_tunnel_fails_after_it_was_prepared),
		TEST(test_firewall_fails),
		TEST(test_without_firewall),
		TEST(test_radvd_cannot_be_started),
		TEST(test_radvd_dies),
		TEST(test_interfaces_come_and_go),
		TEST(test_renamed),
		TEST(test_none),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("client lan root", tests, NULL, NULL);
}
