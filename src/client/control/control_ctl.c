/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of the control socket: dtcpctl(8) PROTOCOL. */
#include "base/clock.h"
#include "client/control/control_parts.h"
#include "client/control/status_json.h"
#include "client/status.h"
#include "ctl/ctl.h"

#include <string.h>

/* The root process may be busy; then the answer is sent without its part. */
enum { CONTROL_CTL_ASK_MS = 2000 };

/* Timeout for a tunnel to go down: the root process may have to make it first, with scripts for
 * both. */
enum { CONTROL_CTL_DOWN_MS = 90000 };

static void control_ctl_tell_status(struct ctl_call *call, void *arg)
{
	struct client_status status;

	control_status(arg, &status);
	ctl_ok_with(call, json_pack("{s:o}", "status", status_json(&status)));
}

static void control_ctl_status(struct ctl_call *call, void *arg)
{
	struct control *control = arg;

	control_tell(control, control->root, CLIENT_MSG_ASK, NULL, 0);
	ctl_wait(call, CONTROL_CTL_ASK_MS, control_ctl_tell_status);
}

void control_ctl_on_interface(const void *body, void *arg)
{
	struct control *control = arg;

	memcpy(&control->interface, body, sizeof(control->interface));
	control->interface.name[sizeof(control->interface.name) - 1] = '\0';
	if (control->ctl)
		ctl_resume(control->ctl, control_ctl_tell_status);
}

/* False, after an error answer, if the program is starting or ending. */
static bool control_ctl_can(const struct control *control, struct ctl_call *call)
{
	if (session_can_be_asked(&control->session))
		return true;
	ctl_fail(call, CTL_FAILED,
		 control->session.state == SESSION_IDLE ? "it has not begun yet" : "it is ending");
	return false;
}

static void control_ctl_reconnect(struct ctl_call *call, void *arg)
{
	struct control *control = arg;

	if (!control_ctl_can(control, call))
		return;
	if (session_is_down(&control->session)) {
		ctl_fail(call, CTL_FAILED, "it is down on request; \"up\" connects again");
		return;
	}
	control_reconnect(control, false);
	ctl_ok(call);
}

static void control_ctl_on_down(struct ctl_call *call, void *arg)
{
	const struct control *control = arg;

	if (control->session.state == SESSION_DOWN)
		ctl_ok(call);
	else if (session_is_down(&control->session))
		ctl_fail(call, CTL_FAILED, "the tunnel is still being taken down");
	else
		ctl_fail(call, CTL_FAILED, "somebody else has asked for something else meanwhile");
}

static void control_ctl_down(struct ctl_call *call, void *arg)
{
	struct control *control = arg;

	if (!control_ctl_can(control, call))
		return;
	control_feed_input(control, SESSION_GO_DOWN);
	if (control->session.state == SESSION_DOWN)
		ctl_ok(call);
	else
		ctl_wait(call, CONTROL_CTL_DOWN_MS, control_ctl_on_down);
}

static void control_ctl_up(struct ctl_call *call, void *arg)
{
	struct control *control = arg;

	if (!control_ctl_can(control, call))
		return;
	control_feed_input(control, SESSION_GO_UP);
	ctl_ok(call);
}

static void control_ctl_log(struct ctl_call *call, void *arg)
{
	const char *level = ctl_text(call, "level");
	struct client_log log = {.debug = strcmp(level, "debug") == 0};
	struct control *control = arg;

	if (!log.debug && strcmp(level, "info") != 0) {
		ctl_fail(call, CTL_BAD, "\"level\": debug and info are possible");
		return;
	}
	log_info("log: %s lines on request", level);
	/* Here at once, where the dialogue is logged; elsewhere when the root process has passed it
	 * on. */
	log_set_debug(log.debug != 0);
	control_tell(control, control->root, CLIENT_MSG_LOG, &log, sizeof(log));
	ctl_ok(call);
}

static const struct ctl_command control_ctl_list[] = {
	{.name = "status", .answer = control_ctl_status},
	{.name = "reconnect", .root = true, .answer = control_ctl_reconnect},
	{.name = "down", .root = true, .answer = control_ctl_down},
	{.name = "up", .root = true, .answer = control_ctl_up},
	{.name = "log",
	 .root = true,
	 .answer = control_ctl_log,
	 .members = {{.name = "level", .type = CTL_TEXT, .required = true}}},
};

static const struct ctl_commands control_ctl_commands = {
	control_ctl_list, sizeof(control_ctl_list) / sizeof(control_ctl_list[0])};

void control_ctl_on_socket(const void *body, int fd, void *arg)
{
	const struct client_ctl *self = body;
	struct control *control = arg;

	control->self = *self;
	control->self.name[sizeof(control->self.name) - 1] = '\0';
	ctl_free(control->ctl);
	control->ctl = ctl_new(control->base, fd, &control_ctl_commands, control);
	if (!control->ctl)
		log_warnx("no memory for the control socket; nobody can ask");
}

void control_ctl_changed(struct control *control)
{
	bool going = session_is_down(&control->session) && control->session.state != SESSION_DOWN;

	if (control->ctl && !going)
		ctl_resume(control->ctl, control_ctl_on_down);
}

void control_ctl_free(struct control *control)
{
	ctl_free(control->ctl);
	control->ctl = NULL;
}
