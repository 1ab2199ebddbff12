/* SPDX-License-Identifier: BSD-2-Clause */
/* The login: from the server's greeting to the tunnel's addresses. */
#include "client/control/session_parts.h"

#include "client/control/session_steps.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* reason: the server's text, escaped. */
static void session_refused(struct session *session, const char *reason, int64_t now,
			    struct session_actions *actions)
{
	session_fail_said(session, now, actions, CLIENT_SERVER, reason_parse(reason),
			  "%s: refused by the server: %s", session_server_name(session), reason);
}

/* Suggests a better type, once, if the user has chosen none. */
static void session_suggest_type(struct session *session, unsigned int types,
				 struct session_actions *actions)
{
	bool host = (types >> TUNNEL_HOST & 1) != 0;
	bool network = (types >> TUNNEL_NETWORK & 1) != 0;

	if (session->config.type_named || session->config.type != TUNNEL_ONLY ||
	    session->types_told || (!host && !network))
		return;
	session->types_told = true;
	session_tell(session, actions, "type-hint",
		     "%s: a bare link is asked for (tunnelonly); this server has IPv6 addresses "
		     "as well: %s%s%s",
		     session_server_name(session), host ? "-t host for this machine" : "",
		     host && network ? ", " : "",
		     network ? "-t network for it and the networks behind it" : "");
}

void session_on_greeting(struct session *session, const struct session_event *event, int64_t now,
			 struct session_actions *actions)
{
	char response[DTCP_RESPONSE_SIZE];
	char said[DTCP_LINE_SIZE];
	struct dtcp_greeting greeting;
	const char *why = NULL;

	switch (greeting_parse(event->line, event->len, &greeting, &why)) {
	case REPLY_GARBAGE:
		session_fail(session, now, actions, CLIENT_GARBAGE,
			     "%s: the server's greeting is not understood: %s",
			     session_server_name(session), why);
		return;
	case REPLY_ERROR:
		session_refused(session, session_said(event, said), now, actions);
		return;
	case REPLY_OK:
		break;
	}
	(void)strlcpy(session->challenge, greeting.challenge, sizeof(session->challenge));
	if (!digest_response(session->user, session->challenge, session_server(session)->password,
			     response) ||
	    request_format(session->user, response, session->config.type, session->udp,
			   session->config.udp_named, actions->send, sizeof(actions->send)) == 0) {
		session_fail(session, now, actions, CLIENT_LOCAL,
			     "cannot compute the login's response (is MD5 disabled here?)");
		return;
	}
	session_suggest_type(session, greeting.types, actions);
	actions->what |= SESSION_DO_SEND;
	session_enter(session, SESSION_LOGIN, now, SESSION_LOGIN_MS);
}

/* True if our address is a valid tunnel endpoint; a loopback address is not. */
static bool session_check_end(struct session *session, int64_t now, struct session_actions *actions)
{
	char here[INET_ADDRSTRLEN];

	if (dtcp_endpoint_valid(session->local))
		return true;
	session_fail_said(session, now, actions, CLIENT_SERVER, REASON_ADDRESS,
			  "%s: %s cannot be the end of a tunnel", session_server_name(session),
			  inet_ntop(AF_INET, &session->local, here, sizeof(here)));
	return false;
}

/*
 * --transport auto: what the answer of a server that has not been seen to support UDP can mean. It
 * has just accepted our password; old servers count the words, and answer any other number like a
 * failed login.
 */
static bool session_means_no_udp(const struct session *session, enum dtcp_reason said)
{
	if (session->config.transport != SESSION_AUTO || !session->udp ||
	    session_server(session)->udp_known)
		return false;
	return said == REASON_AUTH || said == REASON_TYPE || said == REASON_INVALID ||
	       said == REASON_WORD || said == REASON_OTHER;
}

static void session_no_udp(struct session *session, const char *reason, int64_t now,
			   struct session_actions *actions)
{
	session_fail(session, now, actions, CLIENT_TYPE,
		     "%s: the server does not know tunnels over UDP (server: %s)",
		     session_server_name(session), reason);
}

static void session_on_refusal(struct session *session, const char *reason, int64_t now,
			       struct session_actions *actions)
{
	const char *server = session_server_name(session);
	enum dtcp_reason said = reason_parse(reason);

	/* Another client behind the same NAT uses protocol 41, or the user may not have it.
	 */
	if ((said == REASON_IN_USE || said == REASON_PROTO41) &&
	    session->config.transport == SESSION_AUTO && !session->udp)
		session_change_to_udp(session, now, actions,
				      said == REASON_IN_USE ? SESSION_WHY_IN_USE
							    : SESSION_WHY_ACCOUNT,
				      "%s: %s", server, reason);
	else if (session_means_no_udp(session, said))
		session_no_udp(session, reason, now, actions);
	else if (said == REASON_AUTH)
		session_fail(session, now, actions, CLIENT_AUTH,
			     "%s: user %s: wrong user name or password%s (server: %s)", server,
			     session->user,
			     session->udp ? ", or a server that does not know tunnels over UDP"
					  : "",
			     reason);
	else if (said == REASON_DISABLED || said == REASON_EXPIRED)
		session_fail_said(session, now, actions, CLIENT_AUTH, said,
				  "%s: user %s cannot log in (server: %s)", server, session->user,
				  reason);
	else if (said == REASON_PROTO41)
		session_fail_said(session, now, actions, CLIENT_TYPE, said,
				  "%s: this user is to use UDP; use -U, or --transport auto "
				  "(server: %s)",
				  server, reason);
	else if (said == REASON_TRANSPORT)
		session_fail_said(
			session, now, actions, CLIENT_TYPE, said,
			"%s: the server does not offer tunnels over UDP, or not to this user "
			"(server: %s)",
			server, reason);
	else if (said == REASON_TYPE)
		session_fail(session, now, actions, CLIENT_TYPE,
			     "%s: the server does not offer tunnel type %s, or not to this user "
			     "(server: "
			     "%s)",
			     server, tunnel_type_name(session->config.type), reason);
	else if (said != REASON_ADDRESS || session_check_end(session, now, actions))
		session_refused(session, reason, now, actions);
}

/* True if there is no NAT between the server and this machine, or none that matters. */
static bool session_check_nat(struct session *session, int64_t now, struct session_actions *actions)
{
	bool automatic = session->config.transport == SESSION_AUTO;
	char seen[INET_ADDRSTRLEN];
	char here[INET_ADDRSTRLEN];

	/* When auto uses UDP, it has requested NAT traversal. */
	if (!session->config.check_nat || (automatic && session->udp) ||
	    session->reply.me.s_addr == session->local.s_addr)
		return true;
	(void)inet_ntop(AF_INET, &session->reply.me, seen, sizeof(seen));
	(void)inet_ntop(AF_INET, &session->local, here, sizeof(here));
	if (automatic)
		session_change_to_udp(session, now, actions, SESSION_WHY_NAT,
				      "%s: NAT found (the server sees %s, the address here is %s)",
				      session_server_name(session), seen, here);
	else if (session->udp)
		session_fail(session, now, actions, CLIENT_NAT,
			     "%s: NAT found: the server sees %s, but the address here is %s; "
			     "-n asks the server to find the way through it",
			     session_server_name(session), seen, here);
	else
		session_fail(session, now, actions, CLIENT_NAT,
			     "%s: NAT found: the server sees %s, but the address here is %s; "
			     "protocol 41 does not pass most NATs; use UDP (--transport auto, or "
			     "-U -n), or -n to skip this check",
			     session_server_name(session), seen, here);
	return false;
}

/* Computes what forward needs besides the reply. */
static bool session_take_udp(struct session *session, int64_t now, struct session_actions *actions)
{
	if (session->reply.udp_port == 0 && session_means_no_udp(session, REASON_OTHER)) {
		session_no_udp(session, "no UDP port in its reply", now, actions);
		return false;
	}
	if (session->reply.udp_port == 0) {
		session_fail(session, now, actions, CLIENT_GARBAGE,
			     "%s: the server's reply is not understood: no UDP port and session "
			     "in it, though it was asked for them",
			     session_server_name(session));
		return false;
	}
	if (!probe_key(session_server(session)->password, session->user, session->challenge,
		       session->reply.session, session->key)) {
		session_fail(session, now, actions, CLIENT_LOCAL,
			     "cannot compute the key of the tunnel's probes");
		return false;
	}
	session->servers[session->retry.current].udp_known = true;
	return true;
}

void session_on_reply(struct session *session, const struct session_event *event, int64_t now,
		      struct session_actions *actions)
{
	char said[DTCP_LINE_SIZE];
	const char *why = NULL;

	switch (reply_parse(event->line, event->len, session->config.type, &session->reply, &why)) {
	case REPLY_GARBAGE:
		if (!session->udp && !session_check_end(session, now, actions))
			return;
		session_fail(session, now, actions, CLIENT_GARBAGE,
			     "%s: the server's reply is not understood: %s",
			     session_server_name(session), why);
		return;
	case REPLY_ERROR:
		session_on_refusal(session, session_said(event, said), now, actions);
		return;
	case REPLY_OK:
		break;
	}
	/* A prefix that was not requested would only reject unrelated traffic. */
	if (session->config.type != TUNNEL_NETWORK)
		session->reply.n_prefixes = 0;
	/* UDP was not requested, so these words are ignored. */
	if (!session->udp) {
		session->reply.udp_port = 0;
		session->reply.session = 0;
	}
	if (!session_check_nat(session, now, actions))
		return;
	/* Over UDP, the kernel chooses an address for each packet. */
	if (!session->udp && !session_check_end(session, now, actions))
		return;
	if (session->udp && !session_take_udp(session, now, actions))
		return;
	if (why[0] != '\0') {
		actions->warning = true;
		session_tell(session, actions, "reply-odd", "%s: the server's reply %s",
			     session_server_name(session), why);
	}
	session->granted = now;
	session->path.known = CLIENT_PATH_UNKNOWN;
	session->path.told = SESSION_PATH_UNTOLD;
	actions->what |= SESSION_DO_ADD;
	if (session->config.check) {
		session_enter(session, SESSION_TEST, now, -1);
	} else if (!session->config.forwards) {
		session_raise(session, now, actions);
	} else if (session->udp) {
		session_enter(session, SESSION_TEST, now, SESSION_PATH_MS);
	} else if (session->config.transport == SESSION_AUTO && !session_server(session)->trusted) {
		session_enter(session, SESSION_TEST, now, SESSION_ECHO_MS);
	} else {
		session_raise(session, now, actions);
	}
}
