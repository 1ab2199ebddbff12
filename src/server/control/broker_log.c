/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/broker_log.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Begins an event about a session, or a requested one. */
static void broker_log_begin(struct log_record *record, int priority, const char *event,
			     const char *message, const struct client *client)
{
	log_record_begin(record, priority, event, "%s", message);
	log_record_text(record, "user", "%s", client->conn.request.user);
	log_record_text(record, "peer", "%s", client->peer_text);
}

void broker_log_up(const struct client *client)
{
	const struct dtcp_reply *reply = &client->conn.reply;
	char prefixes[DTCP_PREFIXES_MAX * (PREFIX6_STRLEN + 1)] = "";
	char text[PREFIX6_STRLEN];
	struct log_record record;

	broker_log_begin(&record, LOG_INFO, "session-up", "session up", client);
	log_record_text(&record, "transport", "%s", client->session->udp ? "udp" : "ipv6");
	log_record_text(&record, "type", "%s", tunnel_type_name(client->conn.request.type));
	for (size_t i = 0; i < reply->n_prefixes; i++) {
		(void)strlcat(prefixes, i ? "," : "", sizeof(prefixes));
		(void)strlcat(prefixes, prefix6_format(&reply->prefixes[i], text),
			      sizeof(prefixes));
	}
	if (reply->n_prefixes > 0)
		log_record_text(&record, "prefix", "%s", prefixes);
	if (reply->has_me6)
		log_record_text(&record, "address", "%s",
				inet_ntop(AF_INET6, &reply->me6, text, sizeof(text)));
	log_event(&record);
}

void broker_log_down(const struct client *client, const struct session_counters *counters,
		     const char *why)
{
	const struct server_session *session = client->session;
	struct log_record record;

	broker_log_begin(&record, LOG_INFO, "session-down", "session down", client);
	log_record_text(&record, "reason", "%s", why);
	log_record_number(&record, "seconds", (uint64_t)(clock_ms() - session->since) / 1000);
	log_record_number(&record, "in_packets", counters->in_packets);
	log_record_number(&record, "in_bytes", counters->in_bytes);
	log_record_number(&record, "out_packets", counters->out_packets);
	log_record_number(&record, "out_bytes", counters->out_bytes);
	log_record_number(&record, "dropped", counters->dropped);
	if (session->path_dead)
		log_record_text(&record, "path", "dead");
	log_event(&record);
}

void broker_log_path(struct broker *broker, const struct client *client, bool dead)
{
	struct log_record record;

	broker_log_begin(&record, LOG_INFO, dead ? "path-dead" : "path-alive",
			 dead ? "nothing comes over protocol 41 any more"
			      : "packets come over protocol 41 again",
			 client);
	log_event_limited(&broker->paths, clock_ms(), &record);
}

void broker_log_place(struct broker *broker, const struct client *client, struct in_addr place,
		      uint16_t port)
{
	char text[INET_ADDRSTRLEN];
	struct log_record record;

	if (port == 0) {
		broker_log_begin(&record, LOG_INFO, "place-lost",
				 "another session has its place now, waiting for a hello", client);
	} else {
		broker_log_begin(&record, LOG_INFO, "place-found", "packets come from here",
				 client);
		log_record_text(&record, "address", "%s",
				inet_ntop(AF_INET, &place, text, sizeof(text)));
		log_record_number(&record, "port", port);
	}
	log_event_limited(&broker->places, clock_ms(), &record);
}

/*
 * Programs that watch logs read this line and the next, whose format is documented: text that a
 * client has chosen comes last, and cannot imitate the end of the line. The fields are for other
 * readers.
 */
void broker_log_denied(struct broker *broker, const struct client *client)
{
	const char *user = client->conn.request.user;
	char shown[4 * DTCP_USER_MAX + 1];
	char name[4 * DTCP_USER_MAX + 1] = "";
	struct log_record record;
	const char *quote;

	while ((quote = strchr(user, '"'))) {
		(void)strlcat(name, log_escape(user, (size_t)(quote - user), shown, sizeof(shown)),
			      sizeof(name));
		(void)strlcat(name, "\\x22", sizeof(name));
		user = quote + 1;
	}
	(void)strlcat(name, log_escape(user, strlen(user), shown, sizeof(shown)), sizeof(name));
	log_record_begin(&record, LOG_WARNING, "login-failed",
			 "%s: authentication failed for user \"%s\"", client->peer_text, name);
	log_record_text(&record, "peer", "%s", client->peer_text);
	log_record_text(&record, "user", "%s", client->conn.request.user);
	record.told = true;
	log_event_limited(&broker->denied, clock_ms(), &record);
}

void broker_log_unheard(struct broker *broker, const struct client *client, const char *why)
{
	struct log_record record;

	log_record_begin(&record, LOG_WARNING, "login-refused", "%s: login refused: %s",
			 client->peer_text, why);
	log_record_text(&record, "peer", "%s", client->peer_text);
	log_record_text(&record, "reason", "%s", why);
	record.told = true;
	log_event_limited(&broker->unchecked, clock_ms(), &record);
}

void broker_log_wrong(struct broker *broker, const char *who, const char *message, uint32_t id)
{
	static const char *const slots[] = {
		[SLOT_CHECK] = "check", [SLOT_ADD] = "add", [SLOT_UP] = "up"};
	const struct server_session *session = sessions_get(broker->sessions, id);

	log_limited(&broker->wrong, clock_ms(),
		    "%s said \"%s\" of session %" PRIu32 " in state %s: not believed", who, message,
		    id, session ? slots[session->state] : "none");
}

void broker_log_refused(struct broker *broker, const struct client *client, const char *format, ...)
{
	struct log_record record;
	char why[250];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	broker_log_begin(&record, LOG_WARNING, "tunnel-refused", "tunnel refused", client);
	log_record_text(&record, "reason", "%s", why);
	log_event_limited(&broker->refused, clock_ms(), &record);
}

/* Why nothing can be assigned to a user. */
static void broker_lack_text(const struct server_options *options,
			     const struct server_verdict *verdict, char *buf, size_t size)
{
	char host[PREFIX6_STRLEN];
	char pool[PREFIX6_STRLEN];
	char prefix[PREFIX6_STRLEN];

	(void)prefix6_format(&options->host_prefix, host);
	(void)prefix6_format(&options->pool, pool);
	(void)prefix6_format(&verdict->prefixes.list[0], prefix);
	switch ((enum server_lack)verdict->lack) {
	case SERVER_NO_ADDRESS:
		(void)snprintf(buf, size, "no free address in host.prefix %s", host);
		break;
	case SERVER_NO_PREFIX:
		(void)snprintf(buf, size, "no free prefix in network.pool %s", pool);
		break;
	case SERVER_NO_POOL:
		(void)strlcpy(buf, "no prefix of the user's own, and no network.pool", size);
		break;
	case SERVER_PREFIX_OWN:
		(void)snprintf(buf, size,
			       "the user's prefix %s has the server's own address of "
			       "network.pool %s in it",
			       prefix, pool);
		break;
	case SERVER_PREFIX_HOST:
		(void)snprintf(buf, size, "the user's prefix %s overlaps host.prefix %s", prefix,
			       host);
		break;
	case SERVER_PREFIX_FIXED:
		(void)snprintf(buf, size,
			       "the user's prefix %s is in neither network.pool nor network.fixed",
			       prefix);
		break;
	case SERVER_PREFIX_MACHINE:
		(void)snprintf(buf, size,
			       "the user's prefix %s has an address or a route of this machine in "
			       "it, or is in one of its networks or in host.exclude (network.fixed "
			       "allows it)",
			       prefix);
		break;
	case SERVER_ADDRESS_TAKEN:
		(void)strlcpy(buf,
			      "the user's address has just become somebody's; the next login gets "
			      "another one",
			      size);
		break;
	case SERVER_NOT_HERE:
	case SERVER_NOT_ALLOWED:
		break;
	}
}

#define BROKER_NOT_ALLOWED ", which the user is not allowed"

/* Why a type is not offered. */
static const char *broker_no_type_text(enum tunnel_type type)
{
	if (type == TUNNEL_HOST)
		return ", and there is no host.prefix";
	return type == TUNNEL_ONLY ? ", and tunnelonly.enable is off" : ", which does not exist";
}

void broker_log_verdict(struct broker *broker, const struct client *client,
			const struct server_verdict *verdict)
{
	const struct dtcp_request *request = &client->conn.request;
	bool not_allowed = verdict->lack == SERVER_NOT_ALLOWED;
	char local[INET_ADDRSTRLEN];
	char why[250] = "";

	switch ((enum server_result)verdict->result) {
	case SERVER_DISABLED:
		(void)strlcpy(why, "the account is disabled", sizeof(why));
		break;
	case SERVER_EXPIRED:
		(void)strlcpy(why, "the account has expired", sizeof(why));
		break;
	case SERVER_TRANSPORT:
		(void)snprintf(why, sizeof(why), "asks for UDP%s",
			       not_allowed ? BROKER_NOT_ALLOWED : ", and udp.enable is off");
		break;
	case SERVER_PROTO41:
		(void)strlcpy(why, "asks for protocol 41" BROKER_NOT_ALLOWED, sizeof(why));
		break;
	case SERVER_TYPE:
		(void)snprintf(why, sizeof(why), "asks for tunnel type %s%s", request->type_word,
			       not_allowed ? BROKER_NOT_ALLOWED
					   : broker_no_type_text(request->type));
		break;
	case SERVER_SOLD_OUT:
		broker_lack_text(broker->options, verdict, why, sizeof(why));
		break;
	case SERVER_FAILED:
		if (verdict->lack != SERVER_NOT_HERE)
			return;
		(void)snprintf(why, sizeof(why), "came to %s, which is no address of this machine",
			       inet_ntop(AF_INET, &client->conn.local, local, sizeof(local)));
		break;
	case SERVER_GRANTED:
	case SERVER_AUTH:
		return;
	}
	broker_log_refused(broker, client, "%s", why);
}
