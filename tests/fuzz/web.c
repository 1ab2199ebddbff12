/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to dtcpweb, and what the daemons that it then asks say to it. Up to the first octet
 * STEP_TURN the input is the answers of daemons, each up to an empty line; behind it is what comes
 * over two connections. Whatever that is, all that goes back are replies as they should be: each
 * has its length and the headers of all replies, in none is what somebody said without being
 * escaped, the API says JSON, and who calls this machine by a name that is not its own gets
 * nothing.
 */
#include "fuzz.h"

#include "web/api.h"
#include "web/daemons.h"
#include "web/http.h"

#include <errno.h>
#include <event2/http.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Octets of an input that are steps; all others are what is said. None is in UTF-8. */
enum {
	STEP_TURN = 0xff,  /* the program has a turn */
	STEP_OTHER = 0xfe, /* now the other connection */
	STEP_HANG_UP = 0xfd,
	STEP_LATER = 0xfc, /* so that an answer gets old */
	STEP_GONE = 0xfb,  /* the daemons go, or come */
};

enum { CONNECTIONS = 2, TURNS = 8, LATER_MS = 700, HEARD = 1 << 20 };

static const char folder[] = "/run/dtcp";

static struct {
	struct event_base *base;
	struct http *http;
	int64_t now;
	bool gone;
	bool named; /* somebody may have called us by a name of ours */
	struct fuzz_input answers;
	struct sockaddr_un at;
	socklen_t at_len;
	int fds[CONNECTIONS]; /* -1: none */
	size_t n_heard[CONNECTIONS];
} world;

static char heard[CONNECTIONS][HEARD];

/* --- what is outside ---------------------------------------------------------------------- */

int64_t __wrap_clock_ms(void);
void __wrap_clock_arm(struct event *timer, int64_t deadline);
int __wrap_ask_find(const char *path, struct ask_daemon **out);
int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);

int64_t __wrap_clock_ms(void)
{
	return world.now;
}

/* An input takes far less than any of these. */
void __wrap_clock_arm(struct event *timer, int64_t deadline)
{
	FUZZ_CHECK(deadline > world.now);
	FUZZ_CHECK(evtimer_add(timer, &(struct timeval){.tv_sec = 60}) == 0);
}

int __wrap_ask_find(const char *path, struct ask_daemon **out)
{
	static const struct ask_daemon daemons[] = {
		{.path = "/s", .interface = "dtcps0"},
		{.path = "/c", .interface = "six<7>", .client = true},
	};

	FUZZ_CHECK(path == folder);
	*out = world.gone ? NULL : fuzz_copy(daemons, sizeof(daemons));
	return world.gone ? 0 : (int)(sizeof(daemons) / sizeof(daemons[0]));
}

/* The daemon has answered already, and closed: nobody has to wait for it. */
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int fds[2];
	size_t n = 1;

	FUZZ_CHECK(to->sa_family == AF_UNIX && len == sizeof(struct sockaddr_un));
	if (world.gone) {
		errno = ECONNREFUSED;
		return -1;
	}
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	FUZZ_CHECK(dup3(fds[0], fd, O_CLOEXEC) == fd);
	(void)close(fds[0]);
	while (n > 0) {
		char *line = fuzz_line(&world.answers, &n);

		line[n] = '\n';
		if (n > 0)
			FUZZ_CHECK(write(fds[1], line, n + 1) != -1 || errno == EAGAIN);
		free(line);
	}
	(void)close(fds[1]);
	return 0;
}

/* --- replies ------------------------------------------------------------------------------ */

/* Those that each of our replies has; evhttp's own, to what is no request, have none of them. */
static const char *const needed[] = {
	"Content-Security-Policy:",
	"X-Content-Type-Options: nosniff\r\n",
	"X-Frame-Options: DENY\r\n",
	"Referrer-Policy: no-referrer\r\n",
	"Cross-Origin-Opener-Policy: same-origin\r\n",
	"Cross-Origin-Resource-Policy: same-origin\r\n",
	"Cache-Control: no-store\r\n",
};
static const char *const others[] = {
	"Content-Type:", "Content-Length:", "Date:", "Connection:", "Allow: GET, HEAD\r\n"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Which of the list a header line begins with, COUNT if none. */
static size_t find(const char *const *list, size_t count, const char *line)
{
	size_t i = 0;

	while (i < count && strncasecmp(line, list[i], strlen(list[i])) != 0)
		i++;
	return i;
}

/* Looks at the lines of a head, up to the empty one; returns the length that it states. */
static size_t check_headers(const char *line, bool *ours, bool *json)
{
	unsigned int seen = 0;
	size_t length = 0;

	*json = false;
	for (; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) {
		size_t number = find(needed, COUNT(needed), line);

		if (number < COUNT(needed)) {
			FUZZ_CHECK(!(seen & 1U << number));
			seen |= 1U << number;
			continue;
		}
		FUZZ_CHECK(find(others, COUNT(others), line) < COUNT(others));
		if (strncmp(line, "Content-Length: ", 16) == 0)
			length = strtoul(line + 16, NULL, 10);
		*json |= strncmp(line, "Content-Type: application/json\r\n", 32) == 0;
	}
	*ours = seen != 0;
	FUZZ_CHECK(!*ours || seen == (1U << COUNT(needed)) - 1);
	return length;
}

static void check_json(const char *body, size_t length, bool ok)
{
	json_t *object = json_loadb(body, length, 0, NULL);

	FUZZ_CHECK(json_is_object(object));
	FUZZ_CHECK(json_is_true(json_object_get(object, "ok")) == ok);
	json_decref(object);
}

/* Whether another reply begins here, or none: what is said in a body has no CR. */
static bool is_begin(const char *text, size_t n)
{
	const char *end = memchr(text, '\n', n);

	return n == 0 || (strncmp(text, "HTTP/", 5) == 0 && end && end[-1] == '\r');
}

/* Looks at a reply that is there as a whole; returns its length. */
static size_t check_reply(const char *text, size_t n)
{
	const char *head = strstr(text, "\r\n\r\n");
	bool ours, json;
	size_t length, used;
	int status;

	if (!head)
		return 0;
	/* evhttp replies with the version of the request, whatever that is. */
	FUZZ_CHECK(strncmp(text, "HTTP/", 5) == 0);
	status = (int)strtol(text + strcspn(text, " "), NULL, 10);
	FUZZ_CHECK(status >= 200 && status < 600);
	length = check_headers(strstr(text, "\r\n") + 2, &ours, &json);
	used = (size_t)(head + 4 - text);
	FUZZ_CHECK(status != 200 || (ours && world.named));
	/* The reply to HEAD has none. */
	if (is_begin(text + used, n - used))
		return used;
	if (n - used < length)
		return 0;
	if (json)
		check_json(text + used, length, status == 200);
	for (size_t i = 0; i < length && ours && status != 200; i++)
		FUZZ_CHECK(text[used + i] == '\n' || (unsigned char)text[used + i] >= ' ');
	return used + length;
}

/* --- connections -------------------------------------------------------------------------- */

static void hang_up(size_t i)
{
	if (world.fds[i] != -1)
		(void)close(world.fds[i]);
	world.fds[i] = -1;
	world.n_heard[i] = 0;
}

static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
}

static void hear(size_t i)
{
	size_t used;
	ssize_t n;

	while (world.fds[i] != -1 && (n = read(world.fds[i], heard[i] + world.n_heard[i],
					       HEARD - 1 - world.n_heard[i])) > 0) {
		world.n_heard[i] += (size_t)n;
		FUZZ_CHECK(world.n_heard[i] < HEARD - 1);
		turn();
	}
	do {
		heard[i][world.n_heard[i]] = '\0';
		/* No reply has a NUL in it. */
		FUZZ_CHECK(strlen(heard[i]) == world.n_heard[i]);
		used = check_reply(heard[i], world.n_heard[i]);
		world.n_heard[i] -= used;
		memmove(heard[i], heard[i] + used, world.n_heard[i]);
	} while (used > 0);
}

static void say(size_t i, const uint8_t *data, size_t size)
{
	int *fd = &world.fds[i];

	if (*fd == -1) {
		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		FUZZ_CHECK(*fd != -1);
		FUZZ_CHECK(__real_connect(*fd, (struct sockaddr *)&world.at, world.at_len) == 0);
	}
	/* It may have been closed, or nobody reads. */
	(void)!send(*fd, data, size, MSG_NOSIGNAL);
}

/* --- the script --------------------------------------------------------------------------- */

static void step(uint8_t what, size_t *at)
{
	turn();
	for (size_t i = 0; i < CONNECTIONS; i++)
		hear(i);
	switch (what) {
	case STEP_OTHER:
		*at = (*at + 1) % CONNECTIONS;
		break;
	case STEP_HANG_UP:
		hang_up(*at);
		turn();
		break;
	case STEP_LATER:
		world.now += LATER_MS;
		break;
	case STEP_GONE:
		world.gone = !world.gone;
		break;
	default:
		break;
	}
}

static void play(const uint8_t *data, size_t size)
{
	size_t from = 0, at = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] < STEP_GONE)
			continue;
		if (i > from)
			say(at, data + from, i - from);
		step(i < size ? data[i] : STEP_TURN, &at);
		from = i + 1;
	}
}

/* As http_new() wants it; the name is one that nobody else can take. */
static int listening(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	world.at = (struct sockaddr_un){.sun_family = AF_UNIX};
	FUZZ_CHECK(fd != -1 && bind(fd, (struct sockaddr *)&world.at, sizeof(sa_family_t)) == 0);
	world.at_len = sizeof(world.at);
	FUZZ_CHECK(getsockname(fd, (struct sockaddr *)&world.at, &world.at_len) == 0);
	FUZZ_CHECK(listen(fd, CONNECTIONS) == 0);
	return fd;
}

/* Whether any of our names is in it, also in pieces; of several connections it is not known. */
static bool has_name(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = {"localhost", "127.", "::1", "our.example"};
	char *text = malloc(size + 1);
	size_t len = 0;
	bool found = memchr(data, STEP_OTHER, size) != NULL;

	FUZZ_CHECK(text);
	for (size_t i = 0; i < size; i++) {
		if (data[i] && data[i] < STEP_GONE)
			text[len++] = (char)data[i];
	}
	text[len] = '\0';
	for (size_t i = 0; i < COUNT(hosts) && !found; i++)
		found = strcasestr(text, hosts[i]) != NULL;
	free(text);
	return found;
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static const char *const hosts[] = {"our.example"};
	static const struct address_names names = {.hosts = hosts, .n_hosts = 1};
	const uint8_t *begin = size ? memchr(data, STEP_TURN, size) : NULL;
	size_t n_answers = begin ? (size_t)(begin - data) : size;
	struct api api = {.per_user = true};
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	json_object_seed(1);
	memset(&world, 0, sizeof(world));
	world.now = 1000000;
	world.answers = (struct fuzz_input){data, n_answers};
	world.named = has_name(data + n_answers, size - n_answers);
	for (size_t i = 0; i < CONNECTIONS; i++)
		world.fds[i] = -1;
	fd = listening();
	world.base = event_base_new();
	FUZZ_CHECK(world.base);
	api.daemons = daemons_new(world.base, folder);
	FUZZ_CHECK(api.daemons);
	world.http = http_new(world.base, &fd, 1, &names, api_routes, api_routes_count, &api);
	FUZZ_CHECK(world.http);
	play(data + n_answers, size - n_answers);
	for (size_t i = 0; i < CONNECTIONS; i++)
		hang_up(i);
	turn();
	http_free(world.http);
	daemons_free(api.daemons);
	event_base_free(world.base);
}
