/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/admission.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <unistd.h>

/* A connection was dropped or refused because there are too many. */
static void admission_say(struct admission *admission, const char *event, const char *message,
			  const char *peer, const char *why)
{
	struct log_record record;

	log_record_begin(&record, LOG_WARNING, event, "%s", message);
	log_record_text(&record, "peer", "%s", peer);
	log_record_text(&record, "reason", "%s", why);
	log_event_limited(&admission->dropped, clock_ms(), &record);
}

static void admission_drop(struct admission *admission, struct client *client, const char *why)
{
	admission->turned_away++;
	admission_say(admission, "connection-dropped", "connection dropped for a newer one",
		      client->peer_text, why);
	client_drop(client, REASON_CONNECTIONS);
}

/* Makes space for a connection; false if that is impossible. */
static bool admission_make_room(struct admission *admission, struct in_addr peer)
{
	char text[INET_ADDRSTRLEN];
	struct connection_limits_place *drop;
	enum connection_limits_answer answer;
	const char *why;

	while ((answer = connection_limits_ask(admission->connection_limits, peer, &drop, &why)) ==
	       CONNECTION_LIMITS_DROP)
		admission_drop(admission, drop->owner, why);
	if (answer == CONNECTION_LIMITS_ENTER)
		return true;
	admission->turned_away++;
	admission_say(admission, "connection-refused", "connection refused",
		      inet_ntop(AF_INET, &peer, text, sizeof(text)), why);
	return false;
}

static int64_t admission_wait(void *arg)
{
	const struct admission *admission = arg;

	return connection_limits_wait(admission->connection_limits, clock_ms());
}

static void admission_on_accepted(int fd, struct in_addr peer, void *arg)
{
	struct admission *admission = arg;
	struct client *client;

	if (!admission_make_room(admission, peer)) {
		if (!client_tell(fd, REASON_CONNECTIONS))
			log_debug("a refused client could not be told");
		close(fd);
		return;
	}
	client = client_new(admission->owner, fd, peer);
	if (!client) {
		log_limited(&admission->dropped, clock_ms(), "a connection could not be taken");
		return;
	}
	TAILQ_INSERT_TAIL(&admission->clients, client, next);
	connection_limits_enter(admission->connection_limits, &client->place, peer, client,
				clock_ms());
}

static bool admission_on_exhausted(void *arg)
{
	struct admission *admission = arg;
	struct connection_limits_place *worst =
		connection_limits_worst(admission->connection_limits);

	if (!worst)
		return false;
	admission_drop(admission, worst->owner, "out of descriptors or memory");
	return true;
}

void admission_init(struct admission *admission, const struct client_owner *owner)
{
	*admission = (struct admission){.owner = owner};
	TAILQ_INIT(&admission->clients);
	log_limit_init(&admission->dropped, "dropped connections", 1, clock_ms());
}

bool admission_open(struct admission *admission, int fd)
{
	admission->listening = (struct listener_owner){
		.wait = admission_wait,
		.accepted = admission_on_accepted,
		.exhausted = admission_on_exhausted,
		.arg = admission,
	};
	admission->listener = listener_new(admission->owner->base, fd, &admission->listening);
	return admission->listener != NULL;
}

void admission_stop(struct admission *admission)
{
	if (admission->listener)
		listener_stop(admission->listener);
}

void admission_leave(struct admission *admission, struct client *client)
{
	connection_limits_leave(admission->connection_limits, &client->place);
	TAILQ_REMOVE(&admission->clients, client, next);
}

void admission_end(struct admission *admission)
{
	for (struct client *client; (client = TAILQ_FIRST(&admission->clients));) {
		TAILQ_REMOVE(&admission->clients, client, next);
		client_free(client);
	}
	listener_free(admission->listener);
}
