/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/broker_log.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *broker_type_text(const struct client *client, char *buf, size_t size)
{
	const struct dtcp_reply *reply = &client->conn.reply;
	char me6[INET6_ADDRSTRLEN] = "";
	char prefix[PREFIX6_STRLEN] = "";

	if (reply->has_me6)
		(void)inet_ntop(AF_INET6, &reply->me6, me6, sizeof(me6));
	if (reply->n_prefixes > 0)
		(void)prefix6_format(&reply->prefixes[0], prefix);
	(void)snprintf(buf, size, "%s%s%s%s%s", tunnel_type_name(client->conn.request.type),
		       prefix[0] ? " " : "", prefix, me6[0] ? " " : "", me6);
	return buf;
}

void broker_log_up(const struct client *client)
{
	char text[160];

	log_info("%s@%s: up, %s", client->conn.request.user, client->peer_text,
		 broker_type_text(client, text, sizeof(text)));
}

void broker_log_down(const struct broker *broker, const struct client *client, const char *why)
{
	const struct server_session *session = client->session;
	struct session_counters counters = {0};

	if (broker->counters) {
		counters = broker->counters->session[session->id];
		counters_kernel_add(&broker->kernel, session->id, &counters);
	}
	log_info("%s@%s: down after %" PRId64 "s (%s), in %" PRIu64 " packets %" PRIu64
		 " bytes, out %" PRIu64 " packets %" PRIu64 " bytes, dropped %" PRIu64 "%s",
		 client->conn.request.user, client->peer_text, (clock_ms() - session->since) / 1000,
		 why, counters.in_packets, counters.in_bytes, counters.out_packets,
		 counters.out_bytes, counters.dropped, session->path_dead ? ", path dead" : "");
}

void broker_log_path(const struct client *client, bool dead)
{
	log_info("%s@%s: %s", client->conn.request.user, client->peer_text,
		 dead ? "nothing comes over protocol 41 any more"
		      : "packets come over protocol 41 again");
}

/*
 * Programs that watch logs read this line, and its form is documented: what a client has chosen
 * comes last, and cannot look as if it had ended.
 */
void broker_log_denied(struct broker *broker, const struct client *client)
{
	const char *user = client->conn.request.user;
	char shown[4 * DTCP_USER_MAX + 1];
	char name[4 * DTCP_USER_MAX + 1] = "";
	const char *quote;

	while ((quote = strchr(user, '"'))) {
		(void)strlcat(name, log_escape(user, (size_t)(quote - user), shown, sizeof(shown)),
			      sizeof(name));
		(void)strlcat(name, "\\x22", sizeof(name));
		user = quote + 1;
	}
	(void)strlcat(name, log_escape(user, strlen(user), shown, sizeof(shown)), sizeof(name));
	log_limited(&broker->denied, clock_ms(), "%s: authentication failed for user \"%s\"",
		    client->peer_text, name);
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

void broker_log_unheard(struct broker *broker, const struct client *client, const char *why)
{
	log_limited(&broker->unheard, clock_ms(), "%s: login refused: %s", client->peer_text, why);
}

void broker_log_refused(struct broker *broker, const struct client *client, const char *why)
{
	log_limited(&broker->refused, clock_ms(), "%s@%s: refused: %s", client->conn.request.user,
		    client->peer_text, why);
}

/* What is lacking if a user can be given nothing. */
static void broker_lack_text(const struct server_options *options,
			     const struct server_verdict *verdict, char *buf, size_t size)
{
	char host[PREFIX6_STRLEN];
	char pool[PREFIX6_STRLEN];
	char prefix[PREFIX6_STRLEN];

	(void)prefix6_format(&options->host_prefix, host);
	(void)prefix6_format(&options->pool, pool);
	(void)prefix6_format(&verdict->prefix, prefix);
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
	broker_log_refused(broker, client, why);
}

void broker_report(const struct broker *broker)
{
	counters_log("sessions", sessions_count(broker->sessions));
	if (broker->dead_paths)
		counters_log("dead-paths", broker->dead_paths);
	if (broker->counters)
		counters_log_page(broker->counters, &broker->kernel);
}
