/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wall clock timer with TFD_TIMER_CANCEL_ON_SET is also cancelled at each resume. The two clocks
 * that cannot be set tell whether the machine slept or the time was set: only one of them continues
 * during sleep.
 */
#include "netconf/wake.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct wake {
	int fd;
	struct event *readable;
	struct clock_sleep sleep;
	wake_woken woken;
	void *arg;
};

static bool wake_arm(const struct wake *wake)
{
	/* In the year 2255: never. */
	static const struct itimerspec never = {.it_value = {.tv_sec = 9000000000}};

	return timerfd_settime(wake->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
			       NULL) == 0;
}

static void wake_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct wake *wake = arg;
	uint64_t expirations;
	int64_t slept;

	(void)what;
	if (read(fd, &expirations, sizeof(expirations)) == -1 && errno != ECANCELED)
		return;
	if (!wake_arm(wake)) {
		log_warn("cannot watch for sleep any more");
		(void)event_del(wake->readable);
	}
	slept = clock_slept(&wake->sleep);
	if (slept > 0)
		wake->woken((uint32_t)slept, wake->arg);
}

struct wake *wake_new(struct event_base *base, wake_woken woken, void *arg)
{
	struct wake *wake = calloc(1, sizeof(*wake));

	if (!wake)
		goto failed;
	wake->woken = woken;
	wake->arg = arg;
	(void)clock_slept(&wake->sleep);
	wake->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (wake->fd == -1 || !wake_arm(wake))
		goto failed;
	wake->readable = event_new(base, wake->fd, EV_READ | EV_PERSIST, wake_on_readable, wake);
	if (!wake->readable || event_add(wake->readable, NULL) == -1)
		goto failed;
	return wake;
failed:
	log_warn("cannot watch for sleep");
	wake_free(wake);
	return NULL;
}

void wake_free(struct wake *wake)
{
	if (!wake)
		return;
	if (wake->readable)
		event_free(wake->readable);
	if (wake->fd != -1)
		close(wake->fd);
	free(wake);
}
