/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connecting, while the server's name is looked up by a process that the root process starts. There
 * is one look-up at a time for each server, independent of the attempt that it was started for: if
 * its answer comes too late, the next attempt uses it.
 */
#include "base/clock.h"
#include "base/log.h"
#include "client/control/control_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long a late answer may be used. */
#define CONTROL_LATE_MS 300000

/* Why there is no address. */
static void control_lookup_text(int error, char *text, size_t size)
{
	const char *why;

	switch (error) {
	case 0:
		(void)strlcpy(text, "the name has IPv6 addresses only; dtcp needs an IPv4 address",
			      size);
		return;
	case EAI_NONAME:
		why = "there is no such name";
		break;
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		why = "the name has no address";
		break;
	case EAI_AGAIN:
		why = "the name servers do not answer, or have failed for the moment";
		break;
	default:
		why = gai_strerror(error);
		break;
	}
	(void)snprintf(text, size, "server name not found: %s", why);
}

/*
 * After an address that did not work, the list starts with the one after it; the others keep their
 * order.
 */
static void control_lookup_arrange(struct client_addresses *answer,
				   const struct session_server *server)
{
	struct client_addresses arranged = *answer;
	uint32_t first = 0;

	while (first < answer->count && answer->list[first].s_addr != server->address.s_addr)
		first++;
	if (!server->past || first == answer->count)
		return;
	for (uint32_t i = 0; i < answer->count; i++)
		arranged.list[i] = answer->list[(first + 1 + i) % answer->count];
	*answer = arranged;
}

/* True if the attempt that is being made waits for this look-up. */
static bool control_lookup_wanted(const struct control_lookup *lookup)
{
	const struct control *control = lookup->control;

	return lookup == &control->lookups[control->session.retry.current] &&
	       connection_looks_up(control->connection);
}

static void control_lookup_none(const struct control_lookup *lookup, const char *text)
{
	if (control_lookup_wanted(lookup))
		connection_not_found(lookup->control->connection, text);
}

static void control_lookup_end(struct control_lookup *lookup)
{
	ipc_free(&lookup->channel);
}

static void control_lookup_on_addresses(const void *body, void *arg)
{
	struct control_lookup *lookup = arg;
	struct control *control = lookup->control;
	struct client_addresses answer;
	char text[160];

	memcpy(&answer, body, sizeof(answer));
	control_lookup_end(lookup);
	if (answer.count > CLIENT_ADDRESSES_MAX || (answer.count > 0 && answer.error)) {
		control_lookup_none(lookup, "server name not found: the answer makes no sense");
		return;
	}
	if (answer.count == 0) {
		control_lookup_text(answer.error, text, sizeof(text));
		control_lookup_none(lookup, text);
		return;
	}
	if (!control_lookup_wanted(lookup)) {
		lookup->late = answer;
		lookup->late_at = clock_ms();
		return;
	}
	control_lookup_arrange(&answer, session_server(&control->session));
	if (control->check)
		control_check_on_found(control->check, &answer);
	connection_found(control->connection, answer.list, answer.count);
}

/* The resolver has ended without an answer, was killed, or has sent an invalid message. */
static void control_lookup_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	struct control_lookup *lookup = arg;

	(void)ipc;
	(void)violated;
	control_lookup_end(lookup);
	control_lookup_none(lookup, "server name not found: the look-up was broken off");
}

static const struct ipc_row resolver_rows[] = {
	IPC_BODY(CLIENT_MSG_ADDRESSES, struct client_addresses, control_lookup_on_addresses),
};

/* The look-up of the root process's answer; NULL if there was no request. */
static struct control_lookup *control_lookup_asked(struct control *control, const void *body)
{
	const struct client_server *server = body;
	struct control_lookup *lookup = &control->lookups[server->server];

	if (server->server >= control->options->n_servers || !lookup->asked)
		return NULL;
	lookup->asked = false;
	return lookup;
}

void control_lookup_on_resolver(const void *body, int fd, void *arg)
{
	struct control *control = arg;
	struct control_lookup *lookup = control_lookup_asked(control, body);

	if (lookup)
		lookup->channel = ipc_new(control->base, fd, "resolver", resolver_rows, 1,
					  control_lookup_on_closed, lookup);
	if (lookup && lookup->channel)
		return;
	close(fd);
	if (lookup)
		control_lookup_none(lookup, strerror(ENOMEM));
}

void control_lookup_on_no_resolver(const void *body, void *arg)
{
	struct control_lookup *lookup = control_lookup_asked(arg, body);

	if (lookup)
		control_lookup_none(lookup, "server name not found: no look-up can be begun here");
}

static void control_lookup_begin(struct control *control, struct control_lookup *lookup)
{
	const struct client_server server = {.server = (uint32_t)control->session.retry.current};

	if (lookup->asked || (lookup->channel && !lookup->stale))
		return;
	control_lookup_end(lookup);
	lookup->asked = true;
	lookup->stale = false;
	lookup->began = clock_ms();
	control_tell(control, control->root, CLIENT_MSG_LOOKUP, &server, sizeof(server));
}

void control_lookup_connect(struct control *control)
{
	const struct session_server *server = session_server(&control->session);
	struct control_lookup *lookup = &control->lookups[control->session.retry.current];
	struct client_addresses known = {0};
	struct in_addr spare = {0};
	struct in_addr address;

	if (inet_pton(AF_INET, session_server_name(&control->session), &address) == 1) {
		connection_open(control->connection, control->options->port, address);
		return;
	}
	control_lookup_begin(control, lookup);
	if (clock_ms() - lookup->late_at < CONTROL_LATE_MS)
		known = lookup->late;
	lookup->late.count = 0;
	control_lookup_arrange(&known, server);
	if (server->past) {
		spare = server->address;
	} else if (server->address.s_addr) {
		/* The address that worked is first; a duplicate does no harm. */
		if (known.count == CLIENT_ADDRESSES_MAX)
			known.count--;
		memmove(known.list + 1, known.list, known.count * sizeof(known.list[0]));
		known.list[0] = server->address;
		known.count++;
	}
	connection_open_name(control->connection, control->options->port, known.list, known.count,
			     spare);
}

void control_lookup_outdated(struct control *control, bool all)
{
	int64_t now = clock_ms();

	/* If routes change constantly, a look-up still needs some seconds to finish. */
	for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++) {
		if (all || now - control->lookups[i].began >= RETRY_HURRY_MS)
			control->lookups[i].stale = true;
	}
}

void control_lookup_init(struct control *control)
{
	for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
		control->lookups[i].control = control;
}

void control_lookup_free(struct control *control)
{
	for (size_t i = 0; i < CLIENT_SERVERS_MAX; i++)
		control_lookup_end(&control->lookups[i]);
}
