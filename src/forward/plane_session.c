/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/plane_session.h"

#include "base/clock.h"
#include "base/log.h"
#include "forward/fast.h"
#include "forward/keepalive.h"
#include "forward/plane.h"
#include "forward/probing.h"
#include "forward/trial.h"

#include <errno.h>

/* Reports to control about moves of a session, per second. */
enum { PLANE_SESSION_REPORTS_RATE = 5 };

/* Makes what keeps the session's path alive, and monitors it. */
static bool plane_session_watch(struct plane *plane, struct session *session)
{
	const struct forward_session *config = session_config(session);
	struct plane_session *own = session_plane(session);

	if (!plane->config.server) {
		own->probing = probing_new(plane, session);
		if (!own->probing)
			return false;
	}
	if (config->transport == FORWARD_PROTO41 && !IN6_IS_ADDR_UNSPECIFIED(&config->near)) {
		own->keepalive = keepalive_new(plane->keepers, session);
		if (!own->keepalive)
			return false;
	}
	return true;
}

void plane_session_stop(struct session *session)
{
	const struct plane_session *own = session_plane(session);

	probing_free(own->probing);
	keepalive_free(own->keepalive);
	trial_free(own->trial);
}

int plane_session_add(struct plane *plane, const struct forward_session *config)
{
	struct device *device = devices_get(plane->devices, config->device);
	struct session *session;
	struct plane_session *own;
	int error;

	if (!device)
		return -ENOMEM;
	/* Only on the server may a user's new session use the device of the session that it
	 * replaces. */
	if (!plane->config.server && device_session(device))
		return -EBUSY;
	error = table_add(plane->table, config, &session);
	if (error) {
		device_release(device);
		return error;
	}
	if (!plane_session_watch(plane, session)) {
		plane_session_stop(session);
		table_remove(plane->table, session);
		device_release(device);
		return -ENOMEM;
	}
	fast_reset_counters(plane->fast, config->id, plane_counters(plane, session));
	own = session_plane(session);
	own->added = clock_us() / 1000;
	rate_init(&own->reports, PLANE_SESSION_REPORTS_RATE, own->added);
	icmp6_limit_init(&own->icmp6, plane->config.icmp6_rate, own->added);
	/* The newest session on a device gets its packets. */
	device_join(device, session);
	plane_session_look(plane, session);
	/* Even without a device: the far end can learn this peer meanwhile. */
	if (plane_outer(plane, session))
		plane_session_hurry(session);
	return 0;
}

void plane_session_remove(struct plane *plane, struct session *session)
{
	struct device *device = session_plane(session)->device;

	device_leave(session);
	plane_session_stop(session);
	table_remove(plane->table, session);
	device_release(device);
}

void plane_session_look(struct plane *plane, struct session *session)
{
	if (session_is_up(session) || session_plane(session)->device->fd == -1 ||
	    !plane_outer(plane, session))
		return;
	table_set_up(plane->table, session);
	log_debug("session %u is up", session_config(session)->id);
	plane->reports->up(session, plane->reports_arg);
}

void plane_session_hurry(struct session *session)
{
	const struct plane_session *own = session_plane(session);

	if (!own->probing)
		return;
	probing_start(own->probing);
	if (own->keepalive)
		keepalive_hurry(own->keepalive);
}
