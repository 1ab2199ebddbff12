/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/ctl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "ctl/ctl_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Pause when out of descriptors, in which waiting connections would be reported constantly. */
static const struct timeval ctl_rest = {.tv_sec = 1};

/* Milliseconds for flushing answers at the end of the program. */
enum { CTL_END_MS = 500 };

/* Smallest difference that counts as setting the time of day. */
enum { CTL_CLOCK_SET_MS = 500 };

/* --- the listening socket ----------------------------------------------------------------- */

/* Whether the peer is root. An unknown peer is not. */
static bool ctl_is_root(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static void ctl_tell_busy(int fd)
{
	const struct ctl_refusal refusal = {CTL_BUSY, "too many connections"};
	json_t *answer = ctl_call_refusal(&refusal);
	char line[128];
	size_t len = answer ? json_dumpb(answer, line, sizeof(line) - 1, JSON_COMPACT) : 0;

	json_decref(answer);
	if (len == 0 || len >= sizeof(line))
		return;
	line[len++] = '\n';
	/* A new socket's buffer is empty, so this does not block. */
	if (send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		log_debug("a connection to the control socket has gone");
}

static void ctl_on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct ctl *ctl = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)what;
	if (fd == -1) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		log_debug("cannot accept on the control socket: %s", strerror(errno));
		(void)event_del(ctl->readable);
		loop_add(ctl->resume, &ctl_rest);
		return;
	}

	bool root = ctl_is_root(fd);
	unsigned int most = root ? CTL_CONNECTIONS : CTL_CONNECTIONS - CTL_CONNECTIONS_ROOT;

	if (ctl->count >= most) {
		ctl_tell_busy(fd);
		ctl_leave(ctl, fd);
	} else if (!ctl_call_add(ctl, fd, root)) {
		close(fd);
	}
}

static void ctl_on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ctl_call_turn(arg);
}

static void ctl_on_resume(evutil_socket_t fd, short what, void *arg)
{
	const struct ctl *ctl = arg;

	(void)fd;
	(void)what;
	loop_add(ctl->readable, NULL);
}

/* Seeds jansson's hash tables, which would otherwise read a file that cannot be opened here. */
static void ctl_seed(void)
{
	unsigned int seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) || seed == 0)
		seed = 1;
	json_object_seed(seed);
}

struct ctl *ctl_new(struct event_base *base, int fd, const struct ctl_commands *commands, void *arg)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl) {
		close(fd);
		return NULL;
	}
	ctl_seed();
	*ctl = (struct ctl){.base = base, .fd = fd, .commands = commands, .arg = arg};
	TAILQ_INIT(&ctl->calls);
	TAILQ_INIT(&ctl->leaving);
	ctl->readable = event_new(base, fd, EV_READ | EV_PERSIST, ctl_on_accept, ctl);
	ctl->resume = evtimer_new(base, ctl_on_resume, ctl);
	ctl->turn = evtimer_new(base, ctl_on_turn, ctl);
	if (!ctl->readable || !ctl->resume || !ctl->turn ||
	    evutil_make_socket_nonblocking(fd) == -1 || event_add(ctl->readable, NULL) == -1) {
		ctl_free(ctl);
		return NULL;
	}
	return ctl;
}

void ctl_free(struct ctl *ctl)
{
	const int64_t deadline = clock_ms() + CTL_END_MS;

	if (!ctl)
		return;
	while (!TAILQ_EMPTY(&ctl->calls))
		ctl_call_finish(TAILQ_FIRST(&ctl->calls), deadline);
	ctl_leave_all(ctl);
	if (ctl->readable)
		event_free(ctl->readable);
	if (ctl->resume)
		event_free(ctl->resume);
	if (ctl->turn)
		event_free(ctl->turn);
	close(ctl->fd);
	free(ctl);
}

/* --- values ------------------------------------------------------------------------------- */

json_t *ctl_json_text(const char *text)
{
	char escaped[1400];
	json_t *string = json_string(text);

	return string ? string
		      : json_string(log_escape(text, strlen(text), escaped, sizeof(escaped)));
}

/*
 * When clock_ms() was 0, in milliseconds since 1970. It changes only if the time of day was set, so
 * that the same time is always the same number, although two clocks are never read at the same
 * moment.
 */
static int64_t ctl_epoch(void)
{
	static int64_t epoch;
	struct timespec now = {0};
	int64_t found;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	found = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - clock_ms();
	if (found < epoch - CTL_CLOCK_SET_MS || found > epoch + CTL_CLOCK_SET_MS)
		epoch = found;
	return epoch;
}

json_t *ctl_json_time(int64_t ms)
{
	return json_real((double)(ctl_epoch() + ms) / 1000);
}

json_t *ctl_json_seconds(uint64_t us)
{
	return json_real((double)us / 1000000);
}
