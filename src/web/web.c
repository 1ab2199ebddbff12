/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process without privileges: it opens its listeners, enters the sandbox, and then serves what
 * it reads from the control sockets of the daemons, which let it read only.
 */
#include "web/web.h"

#include "base/log.h"
#include "ctl/listen.h"
#include "process/notify.h"
#include "process/sandbox.h"
#include "process/user.h"
#include "web/api.h"
#include "web/daemons.h"
#include "web/http.h"
#include "web/options.h"

#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Size of a connection's send buffer in the kernel, octets. */
#define WEB_SEND_BUFFER 131072

/* Open files: connections, two control connections per daemon, and some more. */
#define WEB_FILES 192

struct web {
	struct web_options options;
	struct notify notify;
	struct user_ids user;
	bool root;
	int sockets[ADDRESS_MAX];
	struct address listen[ADDRESS_MAX]; /* that the sockets are bound to */
	size_t n_sockets;
	struct address_names names;
	struct event_base *base;
	struct event *ends[2]; /* signals */
	bool ended;	       /* by one of them */
	struct http *http;
	struct api api;
};

/* True if it listens, or the address may be missing. */
static bool web_listen(struct web *web, const struct address *address)
{
	const int on = 1, room = WEB_SEND_BUFFER;
	char text[ADDRESS_STRLEN];
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)address_format(address, text);
	/* [::] must not include IPv4. Connections inherit the buffer. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) == -1 ||
	    (address->any.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
	    bind(fd, &address->any, address_len(address)) == -1 || listen(fd, SOMAXCONN) == -1) {
		bool missing = errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT;

		if (missing && web->options.default_listen) {
			log_debug("there is no %s here", text);
			if (fd != -1)
				(void)close(fd);
			return true;
		}
		log_warn("cannot listen on %s", text);
		if (fd != -1)
			(void)close(fd);
		return false;
	}
	web->listen[web->n_sockets] = *address;
	web->sockets[web->n_sockets++] = fd;
	return true;
}

static bool web_listen_all(struct web *web)
{
	for (size_t i = 0; i < web->options.n_listen; i++) {
		if (!web_listen(web, &web->options.listen[i]))
			return false;
	}
	if (web->n_sockets == 0)
		log_warnx("there is no loopback address to listen on; name one with --listen");
	return web->n_sockets > 0;
}

/* As root: finds the user to become. */
static bool web_prepare_root(struct web *web)
{
	const struct group *group = getgrnam(CTL_GROUP);

	if (!user_check(web->options.user, false, &web->user))
		return false;
	if (group)
		web->user.gid = group->gr_gid;
	return true;
}

static void web_end(evutil_socket_t number, short events, void *arg)
{
	struct web *web = arg;

	(void)number;
	(void)events;
	web->ended = true;
	(void)event_base_loopbreak(web->base);
}

static bool web_make(struct web *web)
{
	const int signals[] = {SIGTERM, SIGINT};

	web->base = event_base_new();
	for (size_t i = 0; i < 2 && web->base; i++) {
		web->ends[i] = evsignal_new(web->base, signals[i], web_end, web);
		if (!web->ends[i] || event_add(web->ends[i], NULL) == -1)
			break;
	}
	if (!web->base || !web->ends[1]) {
		log_warnx("cannot make an event loop");
		return false;
	}
	web->names = (struct address_names){
		.listen = web->listen,
		.n_listen = web->n_sockets,
		.hosts = web->options.hosts,
		.n_hosts = web->options.n_hosts,
	};
	web->api.per_user = web->options.per_user;
	web->api.daemons = daemons_new(web->base, web->options.sockets);
	if (!web->api.daemons)
		return false;
	web->http = http_new(web->base, web->sockets, web->n_sockets, &web->names, api_routes,
			     api_routes_count, &web->api);
	return web->http != NULL;
}

/* Enters the sandbox; ends the program on failure. */
static void web_lock_in(struct web *web)
{
	const struct sandbox sandbox = {
		.kind = SANDBOX_WEB,
		/* Not the sockets' folder, which the daemons may make anew. */
		.folder = "/",
		.user = web->user,
		.files = WEB_FILES,
	};

	if (web->root)
		sandbox_enter(&sandbox);
	else
		sandbox_enter_unprivileged(&sandbox);
}

static void web_say(const struct web *web)
{
	char where[ADDRESS_MAX * (ADDRESS_STRLEN + 5)] = "";
	char text[ADDRESS_STRLEN];
	bool loopback = true;
	bool any = false;

	for (size_t i = 0; i < web->n_sockets; i++) {
		(void)strlcat(where, i ? " and " : "", sizeof(where));
		(void)strlcat(where, address_format(&web->listen[i], text), sizeof(where));
		loopback &= address_is_loopback(&web->listen[i]);
		any |= address_is_any(&web->listen[i]);
	}
	log_info("listening on %s; there is no login: whoever gets there sees all", where);
	if (!loopback)
		log_warnx("that is not this machine alone: users, their addresses and traffic are "
			  "shown to others; dtcpweb(8) says how to put a login in front");
	if (any && web->options.n_hosts == 0)
		log_warnx("browsers have to call it by a name: add --host and that name");
}

int web_main(int argc, char **argv)
{
	static struct web web;

	log_init("dtcpweb", NULL, false);
	switch (web_options_parse(&web.options, argc, argv)) {
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_ERROR:
		return 2;
	case OPTIONS_OK:
		break;
	}
	log_init("dtcpweb", NULL, web.options.debug);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Otherwise it would read a file for its seed in the sandbox. */
	json_object_seed(0);
	notify_open(&web.notify);
	web.root = geteuid() == 0;
	if (!web_listen_all(&web) || (web.root && !web_prepare_root(&web)) || !web_make(&web))
		return 1;
	web_lock_in(&web);
	web_say(&web);
	notify_must(&web.notify, "READY=1");
	/* Daemons that run already are in the graphs from the beginning. */
	daemons_look(web.api.daemons);
	(void)event_base_dispatch(web.base);
	notify_must(&web.notify, "STOPPING=1");
	http_free(web.http);
	daemons_free(web.api.daemons);
	/* The signal events are not freed, since the sandbox forbids changing signal handlers. */
	return web.ended ? 0 : 1;
}
