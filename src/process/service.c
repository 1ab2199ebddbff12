/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/service.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Limits: watched processes; length of a status; shortest interval between keep-alives. */
enum { SERVICE_WATCHED_MAX = 8, SERVICE_STATUS_MAX = 1000, SERVICE_TICK_MIN_US = 10000 };

/* A process that is pinged. */
struct service_watched {
	struct service *service;
	const char *name;
	struct ipc *const *ipc; /* its owner's pointer; NULL: unused */
	bool asked;		/* a ping is unanswered */
};

struct service {
	const struct notify *notify;
	struct event *tick;  /* at half of the watchdog's interval; NULL: no watchdog */
	struct event *later; /* pending while the rate limit applies */
	struct service_watched watched[SERVICE_WATCHED_MAX];
	bool overdue; /* a keep-alive waits for a pong */
	bool unsaid;  /* a keep-alive could not be sent */
	bool stopping;
	char status[SERVICE_STATUS_MAX];
	char told[SERVICE_STATUS_MAX];
};

static void service_wait(struct service *service)
{
	const struct timeval second = {.tv_sec = 1};

	(void)evtimer_add(service->later, &second);
}

/* Sends the status if it has changed, at most once a second. */
static void service_tell_status(struct service *service)
{
	if (evtimer_pending(service->later, NULL) || strcmp(service->status, service->told) == 0)
		return;
	if (notify_try(service->notify, "STATUS=%s", service->status))
		(void)strlcpy(service->told, service->status, sizeof(service->told));
	service_wait(service);
}

static void service_beat(struct service *service)
{
	service->unsaid = !notify_try(service->notify, "WATCHDOG=1");
	/* Waiting for the next interval would be too long. */
	if (service->unsaid)
		service_wait(service);
}

static void service_on_later(evutil_socket_t fd, short what, void *arg)
{
	struct service *service = arg;

	(void)fd;
	(void)what;
	if (service->unsaid)
		service_beat(service);
	service_tell_status(service);
}

static void service_on_pong(void *arg);

/* Whether the channel is open: the process exists, and the channel was not closed. */
static bool service_is_there(const struct service_watched *watched)
{
	return watched->ipc && *watched->ipc;
}

static void service_ask(struct service_watched *watched)
{
	if (!service_is_there(watched))
		return;
	watched->asked = true;
	/* A ping that cannot be sent counts as unanswered. */
	(void)ipc_ping(*watched->ipc, service_on_pong, watched);
}

/* The first process that has not answered; NULL if all have that are still there. */
static const struct service_watched *service_silent(const struct service *service)
{
	for (size_t i = 0; i < SERVICE_WATCHED_MAX; i++) {
		if (service->watched[i].asked && service_is_there(&service->watched[i]))
			return &service->watched[i];
	}
	return NULL;
}

/* Sends the keep-alive, and pings for the next one unless the program is ending. */
static void service_alive(struct service *service)
{
	service_beat(service);
	for (size_t i = 0; i < SERVICE_WATCHED_MAX && !service->stopping; i++)
		service_ask(&service->watched[i]);
}

static void service_on_pong(void *arg)
{
	struct service_watched *watched = arg;
	struct service *service = watched->service;

	watched->asked = false;
	if (!service->overdue || service_silent(service))
		return;
	/* Sent late rather than at the next tick, which may be too late. */
	service->overdue = false;
	log_info("all rooms answer again");
	service_alive(service);
}

static void service_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct service *service = arg;
	const struct service_watched *silent = service_silent(service);

	(void)fd;
	(void)what;
	if (service->stopping) {
		/* The duration of the end is limited by other means. */
		service_beat(service);
	} else if (!silent) {
		service_alive(service);
	} else if (!service->overdue) {
		service->overdue = true;
		log_warnx("room %s has not answered for %" PRIu64
			  " ms; until it does, the service manager does not hear that we live",
			  silent->name, service->notify->watchdog_us / 2000);
	}
}

struct service *service_new(struct event_base *base, const struct notify *notify)
{
	uint64_t half = notify->watchdog_us / 2;
	struct service *service = calloc(1, sizeof(*service));
	struct timeval period;

	if (!service)
		return NULL;
	service->notify = notify;
	service->later = evtimer_new(base, service_on_later, service);
	if (!service->later)
		goto failed;
	if (notify->watchdog_us) {
		if (half < SERVICE_TICK_MIN_US)
			half = SERVICE_TICK_MIN_US;
		period.tv_sec = (time_t)(half / 1000000);
		period.tv_usec = (suseconds_t)(half % 1000000);
		service->tick = event_new(base, -1, EV_PERSIST, service_on_tick, service);
		if (!service->tick || event_add(service->tick, &period) == -1)
			goto failed;
	}
	if (getpid() != notify->pid)
		notify_must(notify, "MAINPID=%d", (int)getpid());
	return service;
failed:
	service_free(service);
	return NULL;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	if (service->tick)
		event_free(service->tick);
	if (service->later)
		event_free(service->later);
	free(service);
}

void service_watch(struct service *service, const char *name, struct ipc *const *ipc)
{
	size_t i = 0;

	while (i < SERVICE_WATCHED_MAX && service->watched[i].ipc)
		i++;
	if (!service->tick || i == SERVICE_WATCHED_MAX)
		return;
	service->watched[i] = (struct service_watched){service, name, ipc, false};
	service_ask(&service->watched[i]);
}

void service_status(struct service *service, const char *format, ...)
{
	char text[SERVICE_STATUS_MAX];
	va_list ap;

	if (service->stopping)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* A newline would begin another message. */
	(void)log_escape(text, strlen(text), service->status, sizeof(service->status));
	service_tell_status(service);
}

/* Sends something urgent, together with the status. */
static void service_say(struct service *service, const char *what)
{
	notify_must(service->notify, "%s\nSTATUS=%s", what, service->status);
	(void)strlcpy(service->told, service->status, sizeof(service->told));
}

void service_ready(struct service *service)
{
	if (!service->stopping)
		service_say(service, "READY=1");
}

void service_reloading(struct service *service)
{
	struct timespec now;

	if (service->stopping)
		return;
	/* With the time, the manager can match READY=1 to its signal. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	notify_must(service->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void service_stopping(struct service *service)
{
	if (service->stopping)
		return;
	service->stopping = true;
	service_say(service, "STOPPING=1");
}
