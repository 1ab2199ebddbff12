/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root's side of the tunnel: what is done in which order, and what becomes of it when a step fails
 * or somebody removes the interface. The interface, the script, the LAN and the processes are
 * models, which write down what they are asked for.
 */
#include "client/root/tunnel_state.h"

#include "base/log.h"
#include "client/root/hook.h"
#include "client/tunnel.h"
#include "forward/msg.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/proto/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the models --------------------------------------------------------------------------- */

enum { DEVICE = 4711, SCRIPT_PID = 77 };

static struct {
	char trace[600]; /* what was asked for, a word each, with a blank behind it */
	struct client_options options;
	struct tunnel_state state;
	/* What becomes of it. */
	bool no_script; /* there is none */
	bool script_fails, lan_fails, interface_fails;
	enum drift drift;
	const char *renamed;   /* since the last look */
	int restored;	       /* what was put back, or -errno */
	const char *complaint; /* that restoring makes */
	/* Who waits for the script to end. */
	script_done done;
	void *done_arg;
	struct client_guard told; /* the script, or the guard */
	struct client_interface shown;
	struct interface_watch_owner watch;
	int64_t look_by;
} rig;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t used = strlen(rig.trace);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(rig.trace + used, sizeof(rig.trace) - used, format, ap);
	va_end(ap);
	(void)strlcat(rig.trace, " ", sizeof(rig.trace));
}

int __wrap_interface_up(struct interface *interface, const struct client_tunnel *tunnel);
int __wrap_interface_update(struct interface *interface, const struct client_tunnel *tunnel);
int __wrap_interface_restore(struct interface *interface, const struct client_tunnel *tunnel);
void __wrap_interface_down(struct interface *interface);
enum drift __wrap_drift_look(struct drift_interface *interface, char old_name[static IFNAMSIZ]);
bool __wrap_lan_prepare(struct lan *lan, const struct client_tunnel *tunnel, const char *interface);
void __wrap_lan_raise(struct lan *lan);
void __wrap_lan_rename(struct lan *lan, const char *interface);
void __wrap_lan_lower(struct lan *lan);
bool __wrap_lan_reaped(struct lan *lan, pid_t pid, int status);
bool __wrap_hook_wanted(const struct client_options *options);
struct script *__wrap_hook_start(struct event_base *base, const struct client_options *options,
				 const char *word, const struct client_guard *told,
				 script_done done, void *arg);
pid_t __wrap_script_pid(const struct script *script);
void __wrap_script_kill(struct script *script);
bool __wrap_script_reaped(struct script *script, pid_t pid, int status);
void __wrap_supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type,
			    const void *body, size_t size, int fd);
struct interface_watch *__wrap_interface_watch_new(struct event_base *base,
						   const struct interface_watch_owner *owner);
void __wrap_interface_watch_free(struct interface_watch *watch);
void __wrap_interface_watch_look_by(struct interface_watch *watch, int64_t when);
void __wrap_interface_watch_look_soon(struct interface_watch *watch);
void __wrap_interface_watch_repaired(struct interface_watch *watch);
int64_t __wrap_clock_ms(void);

int __wrap_interface_up(struct interface *interface, const struct client_tunnel *tunnel)
{
	assert_ptr_equal(tunnel, &rig.state.tunnel);
	assert_int_equal(interface->known.index, 0);
	note("up");
	if (rig.interface_fails) {
		log_warnx("no interface today");
		return -1;
	}
	interface->known.index = 5;
	return DEVICE;
}

int __wrap_interface_update(struct interface *interface, const struct client_tunnel *tunnel)
{
	(void)interface;
	assert_true(tunnel_same_for_script(tunnel, &rig.state.tunnel));
	note("update");
	return 0;
}

int __wrap_interface_restore(struct interface *interface, const struct client_tunnel *tunnel)
{
	(void)interface;
	(void)tunnel;
	note("restore");
	if (rig.complaint)
		log_warnx("%s", rig.complaint);
	return rig.restored;
}

void __wrap_interface_down(struct interface *interface)
{
	interface->known.index = 0;
	note("down");
}

enum drift __wrap_drift_look(struct drift_interface *interface, char old_name[static IFNAMSIZ])
{
	old_name[0] = '\0';
	if (rig.renamed) {
		(void)strlcpy(old_name, interface->name, IFNAMSIZ);
		(void)strlcpy(interface->name, rig.renamed, sizeof(interface->name));
	}
	rig.renamed = NULL;
	return rig.drift;
}

bool __wrap_lan_prepare(struct lan *lan, const struct client_tunnel *tunnel, const char *interface)
{
	(void)lan;
	(void)tunnel;
	assert_string_equal(interface, "dtcp0");
	note("prepare");
	return !rig.lan_fails;
}

void __wrap_lan_raise(struct lan *lan)
{
	(void)lan;
	note("announce");
}

void __wrap_lan_rename(struct lan *lan, const char *interface)
{
	(void)lan;
	note("lan:%s", interface);
}

void __wrap_lan_lower(struct lan *lan)
{
	(void)lan;
	note("withdraw");
}

bool __wrap_lan_reaped(struct lan *lan, pid_t pid, int status)
{
	(void)lan;
	(void)status;
	return pid == 1;
}

bool __wrap_hook_wanted(const struct client_options *options)
{
	(void)options;
	return !rig.no_script;
}

struct script *__wrap_hook_start(struct event_base *base, const struct client_options *options,
				 const char *word, const struct client_guard *told,
				 script_done done, void *arg)
{
	(void)base;
	(void)options;
	note("run:%s", word);
	rig.told = *told;
	if (rig.script_fails)
		return NULL;
	rig.done = done;
	rig.done_arg = arg;
	return (struct script *)(void *)&rig.done;
}

pid_t __wrap_script_pid(const struct script *script)
{
	assert_ptr_equal(script, &rig.done);
	return SCRIPT_PID;
}

void __wrap_script_kill(struct script *script)
{
	assert_ptr_equal(script, &rig.done);
	note("kill");
}

bool __wrap_script_reaped(struct script *script, pid_t pid, int status)
{
	(void)script;
	(void)status;
	note("reaped:%d", (int)pid);
	return false;
}

void __wrap_supervisor_send(struct supervisor *supervisor, size_t place, uint32_t type,
			    const void *body, size_t size, int fd)
{
	const struct client_script *script = body;

	(void)supervisor;
	assert_int_equal(fd, place == CLIENT_FORWARD && type == FORWARD_MSG_DEVICE ? DEVICE : -1);
	if (place == CLIENT_FORWARD) {
		note(type == FORWARD_MSG_DEVICE	     ? "device"
		     : type == FORWARD_MSG_NO_DEVICE ? "nodevice"
						     : "icmp");
		return;
	}
	if (place == CLIENT_CONTROL) {
		assert_int_equal(type, CLIENT_MSG_INTERFACE);
		assert_int_equal(size, sizeof(rig.shown));
		memcpy(&rig.shown, body, sizeof(rig.shown));
		return;
	}
	assert_int_equal(place, CLIENT_GUARD);
	if (type == CLIENT_MSG_SCRIPT) {
		assert_in_range(script->pid, 0, SCRIPT_PID);
		note(script->pid ? "script" : "noscript");
	} else if (type == CLIENT_MSG_GUARD) {
		assert_int_equal(size, sizeof(rig.told));
		memcpy(&rig.told, body, sizeof(rig.told));
		note("guard");
	} else {
		assert_int_equal(type, CLIENT_MSG_UNGUARD);
		note("unguard");
	}
}

struct interface_watch *__wrap_interface_watch_new(struct event_base *base,
						   const struct interface_watch_owner *owner)
{
	(void)base;
	rig.watch = *owner;
	return NULL;
}

void __wrap_interface_watch_free(struct interface_watch *watch)
{
	(void)watch;
}

void __wrap_interface_watch_look_by(struct interface_watch *watch, int64_t when)
{
	(void)watch;
	rig.look_by = when;
	note("later");
}

void __wrap_interface_watch_look_soon(struct interface_watch *watch)
{
	(void)watch;
	note("soon");
}

void __wrap_interface_watch_repaired(struct interface_watch *watch)
{
	(void)watch;
	note("repaired");
}

int64_t __wrap_clock_ms(void)
{
	return 1000;
}

static void on_raised(bool ok, void *arg)
{
	(void)arg;
	note(ok ? "RAISED" : "FAILED");
}

static void on_lowered(void *arg)
{
	(void)arg;
	note("LOWERED");
}

static void on_lost(void *arg)
{
	(void)arg;
	note("LOST");
}

/* --- what the tests say ------------------------------------------------------------------- */

static int begin(void **test)
{
	(void)test;
	memset(&rig, 0, sizeof(rig));
	rig.drift = DRIFT_NONE;
	rig.options = (struct client_options){.servers = {"broker.example", "other.example"},
					      .n_servers = 2,
					      .interface = "dtcp0",
					      .type = TUNNEL_NETWORK,
					      .mtu = 1280};
	rig.state = (struct tunnel_state){.options = &rig.options,
					  .user = "alice",
					  .script_path = "/etc/script",
					  .on_raised = on_raised,
					  .on_lowered = on_lowered,
					  .on_lost = on_lost};
	tunnel_state_watch(&rig.state);
	return 0;
}

static struct client_tunnel tunnel(const char *delegated)
{
	struct client_tunnel tunnel = {.server = addr4("192.0.2.1"), .myaddr = addr4("192.0.2.2")};

	tunnel.reply.me = tunnel.myaddr;
	tunnel.reply.her = tunnel.server;
	tunnel.reply.n_prefixes = 1;
	tunnel.reply.prefixes[0] = prefix(delegated);
	return tunnel;
}

#define ONE tunnel("2001:db8:100::/56")
#define TWO tunnel("2001:db8:200::/56")

/* What was asked for since the last time, and whose turn it is. */
static void expect(const char *trace, enum tunnel_phase phase)
{
	assert_string_equal(rig.trace, trace);
	assert_int_equal(rig.state.phase, phase);
	/* While it is up, the script runs if the interface was made again. */
	if (phase != TUNNEL_STATE_UP)
		assert_true((rig.state.script != NULL) == (phase != TUNNEL_STATE_DOWN));
	rig.trace[0] = '\0';
}

static void raise_tunnel(const struct client_tunnel wanted)
{
	assert_true(tunnel_state_can_raise(&rig.state));
	tunnel_state_raise(&rig.state, &wanted);
}

static void lower_tunnel(void)
{
	assert_true(tunnel_state_can_lower(&rig.state));
	tunnel_state_lower(&rig.state);
}

/* The script ends. */
static void script_ends(void)
{
	assert_non_null(rig.done);

	script_done done = rig.done;

	rig.done = NULL;
	done(rig.done_arg);
}

static void reach_up(void)
{
	raise_tunnel(ONE);
	expect("guard prepare up announce icmp device run:up script ", TUNNEL_STATE_RAISING);
	script_ends();
	expect("noscript soon RAISED ", TUNNEL_STATE_UP);
}

/* Somebody removes the interface; it is made again, and the script runs. */
static void reach_again(void)
{
	reach_up();
	rig.drift = DRIFT_GONE;
	rig.watch.look(rig.watch.arg);
	rig.drift = DRIFT_NONE;
	expect("repaired down guard prepare up announce icmp device run:up script ",
	       TUNNEL_STATE_UP);
}

/* The same, and it cannot be made again. */
static void reach_lost(void)
{
	reach_up();
	rig.drift = DRIFT_GONE;
	rig.interface_fails = true;
	rig.watch.look(rig.watch.arg);
	rig.interface_fails = false;
	rig.drift = DRIFT_NONE;
	expect("repaired down guard prepare up run:down script ", TUNNEL_STATE_LOWERING);
}

/* --- up and down -------------------------------------------------------------------------- */

static void test_up_and_down(void **test)
{
	(void)test;
	reach_up();
	assert_string_equal(rig.told.script, "/etc/script");
	assert_string_equal(rig.told.user, "alice");
	assert_string_equal(rig.told.interface, "dtcp0");
	lower_tunnel();
	expect("run:down script ", TUNNEL_STATE_LOWERING);
	script_ends();
	expect("noscript withdraw down nodevice unguard LOWERED ", TUNNEL_STATE_DOWN);
}

static void test_without_script(void **test)
{
	(void)test;
	for (int fails = 0; fails <= 1; fails++) {
		rig.no_script = !fails;
		rig.script_fails = fails;
		raise_tunnel(ONE);
		expect(fails ? "guard prepare up announce icmp device run:up soon RAISED "
			     : "guard prepare up announce icmp device soon RAISED ",
		       TUNNEL_STATE_UP);
		lower_tunnel();
		expect(fails ? "run:down withdraw down nodevice unguard LOWERED "
			     : "withdraw down nodevice unguard LOWERED ",
		       TUNNEL_STATE_DOWN);
	}
}

/* The script makes the tunnel: there is nothing else to make, nor to look at. */
static void test_made_by_the_script(void **test)
{
	(void)test;
	rig.options.no_device = true;
	rig.watch = (struct interface_watch_owner){.arg = NULL};
	tunnel_state_watch(&rig.state);
	assert_null(rig.watch.look);
	raise_tunnel(ONE);
	expect("guard run:up script ", TUNNEL_STATE_RAISING);
	script_ends();
	expect("noscript soon RAISED ", TUNNEL_STATE_UP);
	raise_tunnel(ONE);
	expect("guard soon RAISED ", TUNNEL_STATE_UP);
	raise_tunnel(TWO);
	expect("run:down script ", TUNNEL_STATE_LOWERING);
	script_ends();
	expect("noscript withdraw down nodevice unguard guard run:up script ",
	       TUNNEL_STATE_RAISING);
}

/* The guard is told before anything is there, and forward of nothing that is not. */
static void test_cannot_be_made(void **test)
{
	(void)test;
	rig.lan_fails = true;
	raise_tunnel(ONE);
	expect("guard prepare unguard FAILED ", TUNNEL_STATE_DOWN);
	rig.lan_fails = false;
	rig.interface_fails = true;
	raise_tunnel(ONE);
	expect("guard prepare up unguard FAILED ", TUNNEL_STATE_DOWN);
	assert_false(tunnel_state_can_lower(&rig.state));
	rig.interface_fails = false;
	reach_up();
}

/* --- another session ---------------------------------------------------------------------- */

static void test_same_inside(void **test)
{
	struct client_tunnel other = ONE;

	(void)test;
	reach_up();
	raise_tunnel(ONE);
	expect("guard update icmp soon RAISED ", TUNNEL_STATE_UP);
	/* The script hears of what is new to it. */
	other.server_index = 1;
	raise_tunnel(other);
	expect("guard update icmp run:up script ", TUNNEL_STATE_RAISING);
	assert_int_equal(rig.told.tunnel.server_index, 1);
	assert_false(tunnel_state_can_raise(&rig.state));
	script_ends();
	expect("noscript soon RAISED ", TUNNEL_STATE_UP);
}

static void test_other_inside(void **test)
{
	(void)test;
	reach_up();
	raise_tunnel(TWO);
	expect("run:down script ", TUNNEL_STATE_LOWERING);
	assert_true(prefix6_equal(&rig.told.tunnel.reply.prefixes[0], &ONE.reply.prefixes[0]));
	/* Control has asked, and waits for its answer. */
	assert_false(tunnel_state_can_raise(&rig.state) || tunnel_state_can_lower(&rig.state));
	script_ends();
	expect("noscript withdraw down nodevice unguard guard prepare up announce icmp device "
	       "run:up script ",
	       TUNNEL_STATE_RAISING);
	assert_true(prefix6_equal(&rig.told.tunnel.reply.prefixes[0], &TWO.reply.prefixes[0]));
	script_ends();
	expect("noscript soon RAISED ", TUNNEL_STATE_UP);
}

/* The old one is gone, and the new one cannot be made. */
static void test_other_cannot_be_made(void **test)
{
	(void)test;
	reach_up();
	raise_tunnel(TWO);
	expect("run:down script ", TUNNEL_STATE_LOWERING);
	rig.interface_fails = true;
	script_ends();
	expect("noscript withdraw down nodevice unguard guard prepare up unguard FAILED ",
	       TUNNEL_STATE_DOWN);
}

/* --- what others do to the interface ------------------------------------------------------ */

static void test_removed(void **test)
{
	(void)test;
	reach_again();
	assert_true(tunnel_state_can_raise(&rig.state) && tunnel_state_can_lower(&rig.state));
	script_ends();
	/* Control has not asked for it, and hears nothing. */
	expect("noscript soon ", TUNNEL_STATE_UP);
}

/* What control asks for meanwhile waits until the script is done, and is asked for once. */
static void test_asked_while_it_is_made_again(void **test)
{
	(void)test;
	reach_again();
	lower_tunnel();
	expect("", TUNNEL_STATE_UP);
	assert_false(tunnel_state_can_raise(&rig.state) || tunnel_state_can_lower(&rig.state));
	script_ends();
	expect("noscript soon run:down script ", TUNNEL_STATE_LOWERING);
	script_ends();
	expect("noscript withdraw down nodevice unguard LOWERED ", TUNNEL_STATE_DOWN);

	reach_again();
	raise_tunnel(ONE);
	expect("", TUNNEL_STATE_UP);
	assert_false(tunnel_state_can_raise(&rig.state) || tunnel_state_can_lower(&rig.state));
	script_ends();
	expect("noscript soon guard update icmp soon RAISED ", TUNNEL_STATE_UP);
}

/* Control hears of a loss that it has not asked for. */
static void test_lost(void **test)
{
	(void)test;
	reach_lost();
	script_ends();
	expect("noscript withdraw down nodevice unguard LOST ", TUNNEL_STATE_DOWN);
	/* What it asked for before it heard is answered; once. */
	lower_tunnel();
	expect("LOWERED ", TUNNEL_STATE_DOWN);
	assert_false(tunnel_state_can_lower(&rig.state));
	reach_lost();
	script_ends();
	expect("noscript withdraw down nodevice unguard LOST ", TUNNEL_STATE_DOWN);
	reach_up();
	lower_tunnel();
	expect("run:down script ", TUNNEL_STATE_LOWERING);
}

/* It asks while the script still says good-bye. */
static void test_asked_while_it_is_lost(void **test)
{
	(void)test;
	reach_lost();
	lower_tunnel();
	expect("", TUNNEL_STATE_LOWERING);
	script_ends();
	expect("noscript withdraw down nodevice unguard LOWERED ", TUNNEL_STATE_DOWN);
	reach_lost();
	raise_tunnel(TWO);
	expect("", TUNNEL_STATE_LOWERING);
	script_ends();
	expect("noscript withdraw down nodevice unguard guard prepare up announce icmp device "
	       "run:up script ",
	       TUNNEL_STATE_RAISING);
	script_ends();
	expect("noscript soon RAISED ", TUNNEL_STATE_UP);
}

/* Nobody looks while the script runs: it may be the one who does it. */
static void test_look_while_the_script_runs(void **test)
{
	(void)test;
	raise_tunnel(ONE);
	expect("guard prepare up announce icmp device run:up script ", TUNNEL_STATE_RAISING);
	rig.watch.look(rig.watch.arg);
	expect("", TUNNEL_STATE_RAISING);
	script_ends();
	expect("noscript soon RAISED ", TUNNEL_STATE_UP);
	rig.watch.look(rig.watch.arg);
	expect("restore ", TUNNEL_STATE_UP);
	rig.drift = DRIFT_SET_DOWN;
	rig.watch.look(rig.watch.arg);
	expect("", TUNNEL_STATE_UP);
}

static void test_touched(void **test)
{
	(void)test;
	reach_up();
	rig.watch.touched(6, rig.watch.arg);
	expect("", TUNNEL_STATE_UP);
	rig.watch.touched(5, rig.watch.arg);
	expect("soon ", TUNNEL_STATE_UP);
	rig.watch.touched(0, rig.watch.arg);
	expect("soon ", TUNNEL_STATE_UP);
}

/* The same trouble each minute is worth one line. */
static void test_cannot_be_put_back(void **test)
{
	const char *said;

	(void)test;
	reach_up();
	rig.restored = -1;
	rig.complaint = "no route today";
	capture_begin(STDERR_FILENO);
	for (int i = 0; i < 3; i++)
		rig.watch.look(rig.watch.arg);
	said = capture_end();
	assert_string_equal(said, "test: no route today\n");
	expect("restore later restore later restore later ", TUNNEL_STATE_UP);
	assert_int_equal(rig.look_by, 61000);
	/* It goes well, and then again not. */
	rig.restored = 2;
	rig.complaint = NULL;
	rig.watch.look(rig.watch.arg);
	expect("restore repaired ", TUNNEL_STATE_UP);
	rig.restored = -1;
	rig.complaint = "no route today";
	capture_begin(STDERR_FILENO);
	rig.watch.look(rig.watch.arg);
	said = capture_end();
	assert_string_equal(said, "test: no route today\n");
}

static void expect_shown(const char *name)
{
	tunnel_state_tell_interface(&rig.state);
	assert_string_equal(rig.shown.name, name);
	assert_int_equal(rig.shown.kernel, 0);
}

/* Guard, firewall, script and those who ask are told of the name that it has. */
static void test_renamed(void **test)
{
	(void)test;
	expect_shown("dtcp0");
	reach_up();
	expect_shown("dtcp0");
	rig.renamed = "six0";
	rig.watch.look(rig.watch.arg);
	expect("guard lan:six0 restore ", TUNNEL_STATE_UP);
	assert_string_equal(rig.told.interface, "six0");
	expect_shown("six0");
	rig.renamed = "six1";
	lower_tunnel();
	expect("guard lan:six1 run:down script ", TUNNEL_STATE_LOWERING);
	assert_string_equal(rig.told.interface, "six1");
	script_ends();
	expect("noscript withdraw down nodevice unguard LOWERED ", TUNNEL_STATE_DOWN);
	/* The next one has the name that was wanted. */
	expect_shown("dtcp0");
	raise_tunnel(ONE);
	assert_string_equal(rig.told.interface, "dtcp0");
}

/* --- children ----------------------------------------------------------------------------- */

static void test_children(void **test)
{
	(void)test;
	tunnel_state_hurry(&rig.state);
	tunnel_state_reaped(&rig.state, SCRIPT_PID, 0);
	expect("", TUNNEL_STATE_DOWN);
	raise_tunnel(ONE);
	expect("guard prepare up announce icmp device run:up script ", TUNNEL_STATE_RAISING);
	tunnel_state_hurry(&rig.state);
	expect("kill ", TUNNEL_STATE_RAISING);
	tunnel_state_reaped(&rig.state, SCRIPT_PID, 0);
	/* The first is the LAN's. */
	tunnel_state_reaped(&rig.state, 1, 0);
	expect("reaped:77 ", TUNNEL_STATE_RAISING);
}

/* --- what control can ask for ------------------------------------------------------------- */

/* Any other question ends the program. While control waits for an answer, it can ask nothing. */
static const struct {
	enum tunnel_phase phase;
	bool lost, raise, lower;
} can[] = {
	{TUNNEL_STATE_DOWN, false, true, false},      {TUNNEL_STATE_UP, false, true, true},
	{TUNNEL_STATE_RAISING, false, false, false},  {TUNNEL_STATE_LOWERING, true, true, true},
	{TUNNEL_STATE_LOWERING, false, false, false}, {TUNNEL_STATE_DOWN, true, true, true},
};

static void test_each_state(void **test)
{
	(void)test;
	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
		const struct tunnel_state state = {.phase = can[i].phase, .lost = can[i].lost};

		assert_true(tunnel_state_can_raise(&state) == can[i].raise);
		assert_true(tunnel_state_can_lower(&state) == can[i].lower);
	}
}

/* While the script runs for what control has not asked for, it can ask once. */
static void test_asked_already(void **test)
{
	struct tunnel_state state = {0};

	(void)test;
	for (int i = 0; i < 4; i++) {
		state.phase = i % 2 ? TUNNEL_STATE_UP : TUNNEL_STATE_LOWERING;
		state.lost = state.phase == TUNNEL_STATE_LOWERING;
		state.want = i / 2 ? TUNNEL_WANT_RAISE : TUNNEL_WANT_LOWER;
		assert_false(tunnel_state_can_raise(&state) || tunnel_state_can_lower(&state));
	}
}

/* Nor in the middle of a replacement. */
static void test_replacing(void **test)
{
	const struct tunnel_state state = {.phase = TUNNEL_STATE_LOWERING,
					   .want = TUNNEL_WANT_RAISE};

	(void)test;
	assert_false(tunnel_state_can_raise(&state) || tunnel_state_can_lower(&state));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_up_and_down),
		TEST(test_without_script),
		TEST(test_made_by_the_script),
		TEST(test_cannot_be_made),
		TEST(test_same_inside),
		TEST(test_other_inside),
		TEST(test_other_cannot_be_made),
		TEST(test_removed),
		TEST(test_asked_while_it_is_made_again),
		TEST(test_lost),
		TEST(test_asked_while_it_is_lost),
		TEST(test_look_while_the_script_runs),
		TEST(test_touched),
		TEST(test_cannot_be_put_back),
		TEST(test_renamed),
		TEST(test_children),
		TEST(test_each_state),
		TEST(test_asked_already),
		TEST(test_replacing),
	};

	log_init("test", NULL, false);
	return cmocka_run_group_tests_name("client tunnel state", tests, NULL, NULL);
}
