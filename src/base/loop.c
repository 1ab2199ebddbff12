/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include "base/log.h"

static void loop_fail(struct event_base *base)
{
	log_warnx("out of memory for an event");
	(void)event_base_loopbreak(base);
}

void loop_add(struct event *event, const struct timeval *timeout)
{
	if (event_add(event, timeout) == -1)
		loop_fail(event_get_base(event));
}

void loop_once(struct event_base *base, const struct timeval *wait, event_callback_fn callback,
	       void *arg)
{
	if (event_base_once(base, -1, EV_TIMEOUT, callback, arg, wait) == -1)
		loop_fail(base);
}
