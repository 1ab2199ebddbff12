/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --check: its machine and the session's together, with a model of server, path and time, and a
 * client as it would be on the way.
 */
#include "client/control/check.h"

#include "rig.h"
#include "tests/unit/proto/addresses.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NETWORK_REPLY RIG_REPLY " 2001:db8:100:100::/56"
#define HOST_REPLY    RIG_REPLY " 2001:db8:1::2 2001:db8:1::1"
#define LAST	      "2001:db8:100:1ff::1" /* ::1 of the last /64 of the prefix */

enum { TRIALS_MAX = 100 };

/* What is outside. */
static struct {
	const char *greeting;
	const char *reply;     /* over protocol 41; without a prefix of its own over UDP: RIG_UDP */
	const char *udp_reply; /* NULL: the reply, with RIG_UDP */
	enum client_exit dial; /* why there is no connection */
	bool proto41, udp;     /* the far end answers */
	uint32_t path;	       /* octets of IPv4 packets that pass whole */
	bool told;	       /* by those on the way, if one is larger */
	bool fragments;	       /* pass */
	bool deaf;	       /* the far end, to a ping */
	enum forward_result_what beyond;
	bool lossy; /* every other trial is lost */
} world;

static struct {
	struct client_options options;
	struct session session;
	struct check check;
	int64_t now;
	bool starts, over;
	unsigned int logins, trials;
	bool trial_sent;
	bool trial_udp;		   /* of the last one */
	struct forward_trial size; /* the last one about the path MTU */
	uint32_t n_steps;
	struct client_step steps[CLIENT_STEPS];
} bench;

/* --- the client --------------------------------------------------------------------------- */

static void feed(const struct session_event *event);

static void apply(const struct check_actions *actions)
{
	const struct session_event stop = {.input = SESSION_STOP};
	const struct session_event start = {.input = SESSION_START};

	for (size_t i = 0; i < actions->n_steps; i++) {
		assert_true(bench.n_steps < CLIENT_STEPS);
		/* Each once, in their order, with the same words for all who read them. */
		assert_int_equal(actions->steps[i].step, bench.n_steps);
		assert_true(actions->steps[i].text[0] != '\0');
		bench.steps[bench.n_steps++] = actions->steps[i];
	}
	if (actions->what & CHECK_DO_TRIAL) {
		bench.trial_sent = true;
		bench.trials++;
		assert_true(bench.trials < TRIALS_MAX);
	}
	if (actions->what & CHECK_DO_LEAVE)
		feed(&stop);
	if (actions->what & CHECK_DO_START) {
		bench.session.config.transport = bench.check.udp ? SESSION_AUTO : SESSION_IPV6;
		bench.session.servers[0].udp = bench.check.udp;
		bench.logins++;
		feed(&start);
	}
	if (actions->what & CHECK_DO_END)
		bench.over = true;
}

static void feed(const struct session_event *event)
{
	enum session_state before = bench.session.state;
	struct session_actions done;
	struct check_actions actions;

	if (check_withholds(&bench.check, event)) {
		check_on_withheld(&bench.check, event, bench.now, &actions);
		apply(&actions);
		return;
	}
	session_feed(&bench.session, event, bench.now, &done);
	/* There is nothing that could make one. */
	assert_false(done.what & (SESSION_DO_RAISE | SESSION_DO_LOWER | SESSION_DO_PORT));
	check_on_session(&bench.check, before, event, bench.now, &actions);
	apply(&actions);
	if (!(done.what & SESSION_DO_EXIT))
		return;
	check_on_over(&bench.check, bench.now, &actions);
	apply(&actions);
}

/* --- the world ---------------------------------------------------------------------------- */

static void line(const char *text)
{
	const struct session_event event = {
		.input = SESSION_LINE, .line = text, .len = strlen(text)};

	feed(&event);
}

static void connect_to_it(void)
{
	const struct session_event connected = {
		.input = SESSION_CONNECTED, .local = addr4(RIG_LOCAL), .remote = addr4(RIG_REMOTE)};
	const struct session_event failed = {
		.input = SESSION_FAILED, .status = world.dial, .text = "it was not to be"};
	const struct in_addr found = addr4(RIG_REMOTE);
	struct check_actions actions;

	if (world.dial != CLIENT_NAME) {
		check_on_found(&bench.check, &found, 1, bench.now, &actions);
		apply(&actions);
	}
	feed(world.dial ? &failed : &connected);
}

static void log_in(void)
{
	char reply[DTCP_LINE_SIZE];

	(void)strlcpy(reply, world.reply, sizeof(reply));
	if (bench.session.udp && world.udp_reply)
		(void)strlcpy(reply, world.udp_reply, sizeof(reply));
	else if (bench.session.udp && reply[0] == '+')
		(void)strlcat(reply, RIG_UDP, sizeof(reply));
	line(reply);
}

static void come_time(int64_t deadline)
{
	const struct session_event time = {.input = SESSION_TIME};
	struct check_actions actions;
	int64_t own = bench.check.deadline;

	assert_true(deadline >= 0 || own >= 0);
	bench.now = own < 0 || (deadline >= 0 && deadline < own) ? deadline : own;
	if (bench.now == own) {
		check_on_time(&bench.check, bench.now, &actions);
		apply(&actions);
	} else {
		feed(&time);
	}
}

/* What becomes of the trial. */
static void try(void)
{
	const struct forward_trial *trial = &bench.check.trial;
	bool udp = bench.check.udp;
	uint32_t size = trial->size + (udp ? 28 : 20);
	struct forward_result result = {.number = trial->number, .what = FORWARD_RESULT_ANSWER};
	struct check_actions actions;

	bench.trial_sent = false;
	bench.trial_udp = udp;
	if (bench.check.phase == CHECK_SIZE)
		bench.size = *trial;
	result.from = trial->target;
	if (world.lossy && bench.trials % 2)
		result.what = FORWARD_RESULT_SILENCE;
	else if (bench.check.phase == CHECK_BEYOND)
		result.what = world.beyond;
	else if (world.deaf)
		result.what = FORWARD_RESULT_SILENCE;
	else if (size > world.path && trial->df && world.told)
		result.what = FORWARD_RESULT_TOO_BIG;
	else if (size > world.path && (trial->df || !world.fragments))
		result.what = FORWARD_RESULT_SILENCE;
	if (result.what == FORWARD_RESULT_TOO_BIG)
		result.path_mtu = world.path;
	if (result.what == FORWARD_RESULT_ERROR)
		result.why = FORWARD_ERROR_NO_ROUTE;
	if (result.what == FORWARD_RESULT_ANSWER)
		result.rtt_us = 1500;
	bench.now += result.what == FORWARD_RESULT_SILENCE ? 1000 : 1;
	check_on_result(&bench.check, &result, bench.now, &actions);
	apply(&actions);
}

/* One thing that happens. */
static void happen(void)
{
	bool alive = bench.check.udp ? world.udp : world.proto41;
	struct check_actions actions;

	bench.now++;
	if (bench.session.state == SESSION_CONNECT) {
		connect_to_it();
	} else if (bench.session.state == SESSION_GREETING && world.greeting) {
		line(world.greeting);
	} else if (bench.session.state == SESSION_LOGIN) {
		log_in();
	} else if (bench.session.state == SESSION_QUIT) {
		line("+OK good bye");
	} else if (bench.trial_sent) {
		try();
	} else if (bench.check.phase == CHECK_PATH && alive) {
		check_on_path(&bench.check, true, bench.check.udp ? 2500 : 0, bench.now, &actions);
		apply(&actions);
	} else {
		come_time(session_deadline(&bench.session));
	}
}

static uint32_t least(uint32_t n)
{
	(void)n;
	return 0;
}

static int begin(void **state)
{
	const struct session_config config = {
		.servers = {RIG_SERVER},
		.n_servers = 1,
		.type = TUNNEL_NETWORK,
		.forwards = true,
		.check = true,
		.keepalive = 60,
		.keepalive_timeout = 15,
		.random = least,
	};

	(void)state;
	memset(&world, 0, sizeof(world));
	world.greeting = RIG_GREETING;
	world.reply = NETWORK_REPLY;
	world.proto41 = world.udp = world.fragments = true;
	world.told = true;
	world.path = 1500;
	world.beyond = FORWARD_RESULT_ANSWER;
	memset(&bench, 0, sizeof(bench));
	bench.now = 1000000;
	bench.options = (struct client_options){
		.servers = {RIG_SERVER},
		.n_servers = 1,
		.type = TUNNEL_NETWORK,
		.check = true,
		.check_nat = true,
		.port = 20200,
		.mtu = 1280,
		.auth_file = "/etc/auth",
		.transport = SESSION_IPV6,
	};
	assert_int_equal(inet_pton(AF_INET6, CLIENT_CHECK_TARGET, &bench.options.check_target), 1);
	session_init(&bench.session, &config);
	session_account(&bench.session, RIG_USER);
	session_password(&bench.session, 0, RIG_PASSWORD);
	check_init(&bench.check, &bench.options, &bench.session);
	return 0;
}

/* To the end; o, F and s are what is to be said of each step. */
static void run_with(enum client_check_login login, const char *interface, const char *want,
		     enum client_exit status)
{
	struct client_check given = {.login = login};
	struct check_actions actions;
	char got[CLIENT_STEPS + 1] = "";

	(void)strlcpy(given.interface, interface, sizeof(given.interface));
	check_begin(&bench.check, &given, bench.now, &actions);
	apply(&actions);
	while (!bench.over)
		happen();
	for (uint32_t i = 0; i < bench.n_steps; i++)
		got[i] = "oFs"[bench.steps[i].result];
	assert_string_equal(got, want);
	assert_int_equal(check_status(&bench.check), status);
	for (uint32_t i = 0; i < CLIENT_STEPS; i++) {
		/* What fails has a remedy, unless it is only one of several logins that fails. */
		if (bench.steps[i].result == CLIENT_STEP_FAIL && i < CLIENT_STEP_UDP)
			assert_true(bench.steps[i].advice[0] != '\0');
	}
}

static void run(const char *want, enum client_exit status)
{
	run_with(CLIENT_CHECK_LOGIN, "", want, status);
}

static void says(enum client_steps step, const char *text, const char *advice)
{
	assert_non_null(strstr(bench.steps[step].text, text));
	assert_non_null(strstr(bench.steps[step].advice, advice));
}

/* --- what passes -------------------------------------------------------------------------- */

static void test_all(void **state)
{
	const struct client_step *steps = bench.steps;
	struct in6_addr own;

	(void)state;
	run("oooooooooo", CLIENT_OK);
	/* The rest goes over what the tunnel would have. */
	assert_int_equal(bench.logins, 3);
	assert_false(bench.trial_udp);
	assert_string_equal(steps[CLIENT_STEP_NAME].text, RIG_SERVER " is " RIG_REMOTE);
	assert_int_equal(steps[CLIENT_STEP_PORT].port, 20200);
	assert_int_equal(steps[CLIENT_STEP_TYPE].prefix.len, 56);
	assert_int_equal(steps[CLIENT_STEP_UDP].rtt_us, 2500);
	assert_int_equal(steps[CLIENT_STEP_MTU].path_mtu, 1500);
	assert_int_equal(steps[CLIENT_STEP_MTU].mtu, 1480);
	assert_int_equal(inet_pton(AF_INET6, LAST, &own), 1);
	assert_memory_equal(&steps[CLIENT_STEP_BEYOND].own, &own, sizeof(own));
	assert_memory_equal(&steps[CLIENT_STEP_BEYOND].target, &bench.options.check_target,
			    sizeof(own));
}

static void test_udp_is_preferred(void **state)
{
	(void)state;
	bench.options.transport = SESSION_UDP;
	run("oooooooooo", CLIENT_OK);
	/* In the session that has shown that it works. */
	assert_int_equal(bench.logins, 2);
	assert_true(bench.trial_udp);
	assert_int_equal(bench.steps[CLIENT_STEP_MTU].mtu, 1472);
}

static void test_address_in_place_of_a_name(void **state)
{
	(void)state;
	bench.options.servers[0] = RIG_REMOTE;
	run("oooooooooo", CLIENT_OK);
	says(CLIENT_STEP_NAME, "nothing to look up", "");
}

/* The far end of a numbered tunnel has an address, that of a bare link has none that is known. */
static void test_whom_a_trial_asks(void **state)
{
	struct in6_addr far = {.s6_addr = {0xff, 0x02, [15] = 1}};
	struct in6_addr near;

	(void)state;
	bench.options.type = bench.session.config.type = TUNNEL_ONLY;
	world.reply = RIG_REPLY;
	run("ooooooooos", CLIENT_OK);
	says(CLIENT_STEP_BEYOND, "no IPv6 address", "--address");
	assert_memory_equal(&bench.size.target, &far, sizeof(far));
	assert_true(IN6_IS_ADDR_LINKLOCAL(&bench.size.source));
	(void)begin(state);
	bench.options.type = bench.session.config.type = TUNNEL_HOST;
	world.reply = HOST_REPLY;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:1::1", &far), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:1::2", &near), 1);
	run("oooooooooo", CLIENT_OK);
	assert_memory_equal(&bench.size.target, &far, sizeof(far));
	assert_memory_equal(&bench.size.source, &near, sizeof(near));
	assert_memory_equal(&bench.check.trial.source, &near, sizeof(near));
}

/* --- before the login --------------------------------------------------------------------- */

static void test_before_the_login(void **state)
{
	static const struct {
		enum client_exit dial;
		const char *greeting;
		const char *want;
		enum client_exit status;
	} cases[] = {
		{CLIENT_NAME, RIG_GREETING, "Fsssssssss", CLIENT_NAME},
		{CLIENT_REFUSED, RIG_GREETING, "oFssssssss", CLIENT_REFUSED},
		{CLIENT_UNREACHABLE, RIG_GREETING, "oFssssssss", CLIENT_UNREACHABLE},
		{CLIENT_TIMEOUT, RIG_GREETING, "oFssssssss", CLIENT_TIMEOUT},
		{CLIENT_OK, "220 mail", "ooFsssssss", CLIENT_GARBAGE},
		{CLIENT_OK, "-ERR too many connections, try again later", "ooFsssssss",
		 CLIENT_SERVER},
		{CLIENT_OK, NULL, "ooFsssssss", CLIENT_TIMEOUT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)begin(state);
		world.dial = cases[i].dial;
		world.greeting = cases[i].greeting;
		run(cases[i].want, cases[i].status);
		assert_int_equal(bench.logins, 1);
	}
}

/* A session of the user that is there would end by it; or it is known that it cannot work. */
static void test_no_login(void **state)
{
	(void)state;
	run_with(CLIENT_CHECK_TUNNEL, "dtcp0", "ooosssssss", CLIENT_OK);
	says(CLIENT_STEP_LOGIN, "dtcp0 is up", "--force");
	assert_string_equal(bench.session.challenge, "");
	(void)begin(state);
	run_with(CLIENT_CHECK_TUNNEL, "", "ooosssssss", CLIENT_OK);
	(void)begin(state);
	run_with(CLIENT_CHECK_NO_PASSWORD, "", "oooFssssss", CLIENT_PASSWORD);
	says(CLIENT_STEP_LOGIN, "no password for user " RIG_USER, RIG_SERVER ":" RIG_USER);
	(void)begin(state);
	world.greeting = "220 mail";
	run_with(CLIENT_CHECK_TUNNEL, "dtcp0", "ooFsssssss", CLIENT_GARBAGE);
}

/* --- at the login ------------------------------------------------------------------------- */

static void test_refused(void **state)
{
	static const struct {
		const char *reply;
		const char *want;
		enum client_exit status;
		enum client_steps step;
		const char *advice;
	} cases[] = {
		{"-ERR authentication failed.", "oooFssssss", CLIENT_AUTH, CLIENT_STEP_LOGIN,
		 "case counts"},
		{"-ERR too many failed logins, try again later", "oooFssssss", CLIENT_SERVER,
		 CLIENT_STEP_LOGIN, "wait"},
		{"-ERR unsupported tunnel type network", "ooooFsssss", CLIENT_TYPE,
		 CLIENT_STEP_TYPE, "-t"},
		{"-ERR account disabled", "oooFssssss", CLIENT_AUTH, CLIENT_STEP_LOGIN, "operator"},
		{"-ERR tunnel interface sold out", "ooooFsssss", CLIENT_SERVER, CLIENT_STEP_TYPE,
		 "operator"},
		{"-ERR no \033[31m such thing", "oooFssssss", CLIENT_SERVER, CLIENT_STEP_LOGIN,
		 "operator"},
		{"nonsense", "oooFssssss", CLIENT_GARBAGE, CLIENT_STEP_LOGIN, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)begin(state);
		world.reply = cases[i].reply;
		run(cases[i].want, cases[i].status);
		says(cases[i].step, "", cases[i].advice);
		assert_null(strchr(bench.steps[cases[i].step].text, '\033'));
	}
}

/* It is not the password then, and the login for UDP shows the rest. */
static void test_no_protocol_41(void **state)
{
	static const struct {
		const char *reply;
		const char *udp_reply;
		enum session_transport transport;
		const char *want;
		enum client_exit status;
	} cases[] = {
		{"-ERR address in use by another tunnel, use udp", NETWORK_REPLY RIG_UDP,
		 SESSION_IPV6, "ooooooFooo", CLIENT_SERVER},
		{"-ERR address in use by another tunnel, use udp", NETWORK_REPLY RIG_UDP,
		 SESSION_AUTO, "ooooooFooo", CLIENT_OK},
		{"-ERR unsupported transport ipv6, use udp", NETWORK_REPLY RIG_UDP, SESSION_IPV6,
		 "ooooooFooo", CLIENT_TYPE},
		{"-ERR unsupported transport ipv6, use udp", NETWORK_REPLY RIG_UDP, SESSION_UDP,
		 "oooooosooo", CLIENT_OK},
		{"-ERR unsupported transport ipv6, use udp", RIG_REPLY RIG_UDP, SESSION_UDP,
		 "ooooFosoos", CLIENT_TYPE},
		{"-ERR unsupported transport ipv6, use udp", "-ERR unsupported tunnel type network",
		 SESSION_UDP, "ooooFsssss", CLIENT_TYPE},
		{"-ERR address in use by another tunnel, use udp", "-ERR unsupported transport udp",
		 SESSION_AUTO, "oooossFFss", CLIENT_SERVER},
		{"-ERR address in use by another tunnel, use udp", "-ERR unsupported transport udp",
		 SESSION_UDP, "oooosssFss", CLIENT_TYPE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)begin(state);
		bench.options.transport = cases[i].transport;
		world.reply = cases[i].reply;
		world.udp_reply = cases[i].udp_reply;
		run(cases[i].want, cases[i].status);
		assert_true(bench.logins == 2);
	}
	says(CLIENT_STEP_PROTO41, "in use", "");
}

static void test_types(void **state)
{
	(void)state;
	world.reply = RIG_REPLY;
	run("ooooFoooos", CLIENT_TYPE);
	(void)begin(state);
	bench.options.n_addresses = 1;
	bench.options.addresses[0].addr.s6_addr[0] = 0xfd;
	run("ooooFooooo", CLIENT_LOCAL);
	says(CLIENT_STEP_TYPE, "2001:db8:100:100::/56", "--address");
}

static void test_nat(void **state)
{
	(void)state;
	world.reply = RIG_NAT_REPLY " 2001:db8:100:100::/56";
	run("oooooFoooo", CLIENT_NAT);
	says(CLIENT_STEP_NAT, "the server sees " RIG_NAT, "--transport auto");
	(void)begin(state);
	world.reply = RIG_NAT_REPLY " 2001:db8:100:100::/56";
	bench.options.transport = SESSION_UDP;
	run("oooooFoooo", CLIENT_NAT);
	says(CLIENT_STEP_NAT, "", "use -n");
	/* With -n it is no matter, nor with auto. */
	(void)begin(state);
	world.reply = RIG_NAT_REPLY " 2001:db8:100:100::/56";
	bench.options.check_nat = false;
	run("oooooooooo", CLIENT_OK);
	(void)begin(state);
	world.reply = RIG_NAT_REPLY " 2001:db8:100:100::/56";
	bench.options.transport = SESSION_AUTO;
	run("oooooooooo", CLIENT_OK);
}

/* --- the way ------------------------------------------------------------------------------ */

static void test_transports(void **state)
{
	static const struct {
		enum session_transport transport;
		bool proto41, udp;
		const char *want;
		enum client_exit status;
	} cases[] = {
		{SESSION_IPV6, false, true, "ooooooFooo", CLIENT_TIMEOUT},
		{SESSION_IPV6, true, false, "ooooooosoo", CLIENT_OK},
		{SESSION_IPV6, false, false, "ooooooFFss", CLIENT_TIMEOUT},
		{SESSION_AUTO, false, true, "ooooooFooo", CLIENT_OK},
		{SESSION_AUTO, true, false, "ooooooosoo", CLIENT_OK},
		{SESSION_AUTO, false, false, "ooooooFFss", CLIENT_TIMEOUT},
		{SESSION_UDP, false, true, "oooooosooo", CLIENT_OK},
		{SESSION_UDP, true, false, "oooooooFoo", CLIENT_TIMEOUT},
		{SESSION_UDP, false, false, "oooooosFss", CLIENT_TIMEOUT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)begin(state);
		bench.options.transport = cases[i].transport;
		world.proto41 = cases[i].proto41;
		world.udp = cases[i].udp;
		run(cases[i].want, cases[i].status);
		assert_true(bench.now - 1000000 < 12000);
	}
}

/* An old server takes the word for a wrong password, or passes over it. */
static void test_udp_is_not_offered(void **state)
{
	static const char *const replies[] = {"-ERR unsupported transport udp",
					      "-ERR authentication failed.", NETWORK_REPLY};

	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		(void)begin(state);
		world.udp_reply = replies[i];
		run("ooooooosoo", CLIENT_OK);
		says(CLIENT_STEP_UDP,
		     "does not offer tunnels over UDP, or not to this user; not needed", "");
		(void)begin(state);
		bench.options.transport = SESSION_UDP;
		world.udp_reply = replies[i];
		run("oooooooFoo", CLIENT_TYPE);
		says(CLIENT_STEP_UDP, "does not offer", "-U");
	}
}

/* Somewhere else the same user logs in: a login more would end that one in turn. */
static void test_superseded(void **state)
{
	struct client_check given = {.login = CLIENT_CHECK_LOGIN};
	struct check_actions actions;

	(void)state;
	check_begin(&bench.check, &given, bench.now, &actions);
	apply(&actions);
	while (bench.check.phase != CHECK_PATH)
		happen();
	line("-ERR superseded by a new session");
	assert_true(bench.over);
	assert_int_equal(bench.logins, 1);
	assert_int_equal(bench.n_steps, CLIENT_STEPS);
	says(CLIENT_STEP_PROTO41, "superseded", "another place");
	assert_int_equal(check_status(&bench.check), CLIENT_SERVER);
}

/* --- path MTU ----------------------------------------------------------------------------- */

static void test_path_mtu(void **state)
{
	static const uint32_t paths[] = {1500, 1499, 1492, 1460, 1400, 1301, 1300, 1299, 1280, 576};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		for (int told = 0; told < 2; told++) {
			(void)begin(state);
			world.path = paths[i];
			world.told = told;
			run("oooooooooo", CLIENT_OK);
			assert_int_equal(bench.steps[CLIENT_STEP_MTU].path_mtu, paths[i]);
			/* A guess more than what somebody says costs nothing, a silent one two
			 * seconds. */
			assert_true(bench.now - 1000000 < (told ? 100 : 25000));
		}
	}
}

/* Lost packets do not make it smaller. */
static void test_path_mtu_with_losses(void **state)
{
	(void)state;
	world.path = 1400;
	world.lossy = true;
	run("oooooooooo", CLIENT_OK);
	assert_int_equal(bench.steps[CLIENT_STEP_MTU].path_mtu, 1400);
}

static void test_path_mtu_and_the_tunnels(void **state)
{
	(void)state;
	bench.options.mtu = 1440;
	world.path = 1400;
	run("ooooooooFo", CLIENT_TIMEOUT);
	says(CLIENT_STEP_MTU, "1400", "-m 1380");
	(void)begin(state);
	bench.options.mtu = 1380;
	world.path = 1400;
	run("oooooooooo", CLIENT_OK);
	(void)begin(state);
	bench.options.mtu = 1300;
	world.path = 1200;
	run("ooooooooFo", CLIENT_TIMEOUT);
	says(CLIENT_STEP_MTU, "1200", "leave -m out");
	/* The least MTU of IPv6 needs fragments then. */
	(void)begin(state);
	world.path = 1200;
	world.fragments = false;
	run("ooooooooFo", CLIENT_TIMEOUT);
	says(CLIENT_STEP_MTU, "1200", "fragments");
}

static void test_far_end_that_answers_no_ping(void **state)
{
	(void)state;
	world.deaf = true;
	run("ooooooooso", CLIENT_OK);
}

/* A forward that says nothing at all is not waited for. */
static void test_trials_without_a_result(void **state)
{
	struct client_check given = {.login = CLIENT_CHECK_LOGIN};
	struct check_actions actions;

	(void)state;
	check_begin(&bench.check, &given, bench.now, &actions);
	apply(&actions);
	while (!bench.over) {
		bench.trial_sent = false;
		happen();
	}
	assert_int_equal(bench.steps[CLIENT_STEP_MTU].result, CLIENT_STEP_SKIP);
	assert_int_equal(bench.steps[CLIENT_STEP_BEYOND].result, CLIENT_STEP_FAIL);
}

/* One that comes late is about another trial. */
static void test_late_result(void **state)
{
	const struct client_check given = {.login = CLIENT_CHECK_LOGIN};
	struct forward_result late = {.what = FORWARD_RESULT_ANSWER};
	struct check_actions actions;

	(void)state;
	check_begin(&bench.check, &given, bench.now, &actions);
	apply(&actions);
	while (bench.check.phase != CHECK_SIZE)
		happen();
	late.number = bench.check.trial.number - 1;
	check_on_result(&bench.check, &late, bench.now, &actions);
	assert_int_equal(actions.what, 0);
	assert_int_equal(bench.check.passed, 0);
}

/* --- behind the server -------------------------------------------------------------------- */

static void test_nothing_beyond(void **state)
{
	(void)state;
	world.beyond = FORWARD_RESULT_SILENCE;
	run("oooooooooF", CLIENT_TIMEOUT);
	says(CLIENT_STEP_BEYOND, CLIENT_CHECK_TARGET, "dtcps --check");
	(void)begin(state);
	world.beyond = FORWARD_RESULT_ERROR;
	run("oooooooooF", CLIENT_UNREACHABLE);
	says(CLIENT_STEP_BEYOND, "no route", "--check-target");
}

/* --- whatever comes ----------------------------------------------------------------------- */

/* All steps are told of, in a bearable time, and no failure that matters is passed over. */
static void try_world(void)
{
	const struct client_check given = {.login = CLIENT_CHECK_LOGIN};
	enum session_transport transport = bench.options.transport;
	bool works = transport == SESSION_UDP	 ? world.udp
		     : transport == SESSION_IPV6 ? world.proto41
						 : world.udp || world.proto41;
	struct check_actions actions;

	check_begin(&bench.check, &given, bench.now, &actions);
	apply(&actions);
	while (!bench.over)
		happen();
	assert_int_equal(bench.n_steps, CLIENT_STEPS);
	assert_true(bench.now - 1000000 < 45000);
	if (check_status(&bench.check) != CLIENT_OK)
		return;
	assert_true(works);
	for (uint32_t i = 0; i < CLIENT_STEPS; i++) {
		if (transport != SESSION_AUTO || i != CLIENT_STEP_PROTO41)
			assert_int_not_equal(bench.steps[i].result, CLIENT_STEP_FAIL);
	}
}

static void test_any_world(void **state)
{
	static const char *const replies[] = {
		NETWORK_REPLY,
		RIG_REPLY,
		HOST_REPLY,
		RIG_NAT_REPLY " 2001:db8:100:100::/56",
		"-ERR address in use by another tunnel, use udp",
		"-ERR tunnel interface sold out",
	};
	static const uint32_t paths[] = {1500, 1400, 1000};

	for (unsigned int i = 0; i < 6 * 3 * 3 * 256; i++) {
		unsigned int bits = i / (6 * 3 * 3);

		(void)begin(state);
		world.reply = replies[i % 6];
		world.udp_reply = i % 6 == 4 ? NETWORK_REPLY RIG_UDP : NULL;
		world.path = paths[i / 6 % 3];
		bench.options.transport = (enum session_transport)(i / 18 % 3);
		world.proto41 = bits & 1;
		world.udp = bits & 2;
		world.told = bits & 4;
		world.fragments = bits & 8;
		world.deaf = bits & 16;
		world.lossy = bits & 32;
		world.beyond = bits & 64 ? FORWARD_RESULT_SILENCE : FORWARD_RESULT_ANSWER;
		bench.options.mtu = bits & 128 ? 1440 : 1280;
		try_world();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all, begin),
		cmocka_unit_test_setup(test_udp_is_preferred, begin),
		cmocka_unit_test_setup(test_address_in_place_of_a_name, begin),
		cmocka_unit_test_setup(test_whom_a_trial_asks, begin),
		cmocka_unit_test_setup(test_before_the_login, begin),
		cmocka_unit_test_setup(test_no_login, begin),
		cmocka_unit_test_setup(test_refused, begin),
		cmocka_unit_test_setup(test_no_protocol_41, begin),
		cmocka_unit_test_setup(test_types, begin),
		cmocka_unit_test_setup(test_nat, begin),
		cmocka_unit_test_setup(test_transports, begin),
		cmocka_unit_test_setup(test_udp_is_not_offered, begin),
		cmocka_unit_test_setup(test_superseded, begin),
		cmocka_unit_test_setup(test_path_mtu, begin),
		cmocka_unit_test_setup(test_path_mtu_with_losses, begin),
		cmocka_unit_test_setup(test_path_mtu_and_the_tunnels, begin),
		cmocka_unit_test_setup(test_far_end_that_answers_no_ping, begin),
		cmocka_unit_test_setup(test_trials_without_a_result, begin),
		cmocka_unit_test_setup(test_late_result, begin),
		cmocka_unit_test_setup(test_nothing_beyond, begin),
		cmocka_unit_test(test_any_world),
	};

	return cmocka_run_group_tests_name("client check", tests, NULL, NULL);
}
