/* SPDX-License-Identifier: BSD-2-Clause */
/* Results of a login, or the reasons for its failure. */
#include "client/control/check_parts.h"

#include "base/log.h"
#include "client/tunnel.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* --- results of a login ------------------------------------------------------------------- */

void check_on_greeting(struct check *check, const struct session_event *event, int64_t now,
		       struct check_actions *actions)
{
	static const enum tunnel_type types[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};
	struct dtcp_greeting greeting;
	const char *why = NULL;
	char offers[80] = "";

	if (greeting_parse(event->line, event->len, &greeting, &why) != REPLY_OK) {
		check_on_failure(check, SESSION_GREETING, event, now, actions);
		return;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!(greeting.types >> types[i] & 1))
			continue;
		(void)strlcat(offers, offers[0] ? ", " : "; it offers ", sizeof(offers));
		(void)strlcat(offers, tunnel_type_name(types[i]), sizeof(offers));
	}
	(void)check_say(check, actions, CLIENT_STEP_OK, now, "it is a tunnel server%s", offers);
}

static void check_type(struct check *check, int64_t now, struct check_actions *actions)
{
	const struct client_options *options = check->options;
	const struct client_tunnel tunnel = check_tunnel(check);
	const struct dtcp_reply *reply = &tunnel.reply;
	const char *type = tunnel_type_name(options->type);
	char text[PREFIX6_STRLEN];
	struct client_step *step;
	struct in6_addr own;

	if (!tunnel_address_fits(&tunnel, options)) {
		step = check_fail(check, actions, CLIENT_LOCAL, now,
				  "%s, but --address is outside the prefix %s that the server "
				  "gives",
				  type, prefix6_format(&reply->prefixes[0], text));
		check_advise(step, "leave --address out, or take an address of that prefix");
	} else if (reply->n_prefixes > 0) {
		step = check_say(check, actions, CLIENT_STEP_OK, now, "%s: prefix %s", type,
				 prefix6_format(&reply->prefixes[0], text));
	} else if (reply->has_me6) {
		step = check_say(check, actions, CLIENT_STEP_OK, now, "%s: address %s", type,
				 inet_ntop(AF_INET6, &reply->me6, text, sizeof(text)));
	} else if (options->type == TUNNEL_NETWORK) {
		step = check_fail(check, actions, CLIENT_TYPE, now,
				  "the server has given no prefix, so it is a bare link");
		check_advise(step, "ask the server's operator for a prefix");
	} else {
		step = check_say(check, actions, CLIENT_STEP_OK, now,
				 "%s: a bare link, without addresses of the server", type);
		check_advise(step, "-t host and -t network have addresses, if the server offers "
				   "them");
	}
	if (reply->n_prefixes > 0)
		step->prefix = reply->prefixes[0];
	if (tunnel_own_address(&tunnel, options, &own))
		step->own = own;
}

static void check_nat(struct check *check, int64_t now, struct check_actions *actions)
{
	enum session_transport transport = check->options->transport;
	struct in_addr here = check->session->local;
	struct in_addr seen = check->session->reply.me;
	bool nat = here.s_addr != seen.s_addr;
	struct client_step *step;
	char text[2][INET_ADDRSTRLEN];

	(void)inet_ntop(AF_INET, &here, text[0], sizeof(text[0]));
	(void)inet_ntop(AF_INET, &seen, text[1], sizeof(text[1]));
	if (!nat) {
		step = check_say(check, actions, CLIENT_STEP_OK, now,
				 "none: the server sees %s, the address here", text[1]);
	} else if (check->options->check_nat && transport != SESSION_AUTO) {
		step = check_fail(check, actions, CLIENT_NAT, now,
				  "the server sees %s, but the address here is %s", text[1],
				  text[0]);
		check_advise(step, transport == SESSION_UDP
					   ? "use -n, which finds the way through it"
					   : "use UDP, which passes it: --transport auto, or "
					     "-U -n");
	} else {
		step = check_say(check, actions, CLIENT_STEP_OK, now,
				 "there is one, which does not matter with %s: the server sees "
				 "%s, the address here is %s",
				 transport == SESSION_AUTO ? "--transport auto" : "-n", text[1],
				 text[0]);
	}
	step->here = here;
	step->seen = seen;
}

/* Result of protocol 41, if the server has refused it. */
static void check_refused(struct check *check, int64_t now, struct check_actions *actions)
{
	struct client_step *step;

	if (check->options->transport == SESSION_UDP) {
		(void)check_say(check, actions, CLIENT_STEP_SKIP, now, "%s; not needed with UDP",
				check->refused);
		return;
	}
	step = check_fail(check, actions, check->refused_status, now, "%s", check->refused);
	if (check->options->transport == SESSION_AUTO)
		check_advise(step, "--transport auto takes UDP then, which comes next");
	else
		check_advise(step, "use UDP: --transport auto, or -U -n");
}

static void check_let_in(struct check *check, int64_t now, struct check_actions *actions)
{
	(void)check_say(check, actions, CLIENT_STEP_OK, now, "the server lets user %s in",
			check->session->user);
}

void check_on_login(struct check *check, int64_t now, struct check_actions *actions)
{
	if (check->next == CLIENT_STEP_LOGIN)
		check_let_in(check, now, actions);
	check_type(check, now, actions);
	check_nat(check, now, actions);
	if (check->refused[0])
		check_refused(check, now, actions);
}

/* --- failures of a login ------------------------------------------------------------------ */

/* Describes what has happened, in buf. */
static const char *check_why(const struct check *check, enum session_state before,
			     const struct session_event *event, char buf[static CHECK_SAID])
{
	struct dtcp_greeting greeting;
	struct dtcp_reply reply;
	const char *said;
	const char *why = NULL;
	enum reply_status status;

	if (event->input == SESSION_TIME)
		return before == SESSION_CONNECT ? "no answer for 20 s"
						 : "connected, but no answer for 10 s";
	if (event->input != SESSION_LINE)
		return event->text ? event->text : "stopped";
	if (before == SESSION_GREETING)
		status = greeting_parse(event->line, event->len, &greeting, &why);
	else if (before == SESSION_LOGIN)
		status = reply_parse(event->line, event->len, check->options->type, &reply, &why);
	else
		status = answer_parse(event->line, event->len, &why);
	if (status == REPLY_GARBAGE) {
		(void)snprintf(buf, CHECK_SAID, "what the server says is not understood: %s", why);
		return buf;
	}
	if (status == REPLY_OK)
		return dtcp_endpoint_valid(check->session->local)
			       ? "the server's reply is of no use"
			       : "this machine's end of the connection cannot be that of a tunnel";
	said = reply_reason(event->line);
	(void)strlcpy(buf, "the server says: ", CHECK_SAID);
	(void)log_escape(said, strlen(said), buf + strlen(buf), CHECK_SAID - strlen(buf));
	return buf;
}

static enum dtcp_reason check_said(const struct session_event *event)
{
	const char *why;

	if (event->input != SESSION_LINE ||
	    answer_parse(event->line, event->len, &why) != REPLY_ERROR)
		return REASON_OTHER;
	return reason_parse(reply_reason(event->line));
}

/* Before the login, or instead of it. */
static void check_advise_login(const struct check *check, struct client_step *step,
			       enum client_exit status, enum dtcp_reason said)
{
	const struct client_options *options = check->options;

	if (step->step == CLIENT_STEP_NAME)
		check_advise(step, "this has to answer on this machine: getent ahostsv4 %s",
			     options->servers[0]);
	else if (step->step == CLIENT_STEP_PORT && status == CLIENT_REFUSED)
		check_advise(step, "the machine is there, but no server on that port: it does not "
				   "run, or has another port (-p)");
	else if (step->step == CLIENT_STEP_PORT && status == CLIENT_UNREACHABLE)
		check_advise(step,
			     "look whether this machine reaches anything over IPv4: ip -4 "
			     "route get %s",
			     options->servers[0]);
	else if (step->step == CLIENT_STEP_PORT)
		check_advise(step,
			     "let TCP port %u pass, here, at the server, and in the panel of its "
			     "provider; or the server is off",
			     options->port);
	else if (step->step == CLIENT_STEP_GREETING)
		check_advise(step, "something else may be there, or change what passes; -d shows "
				   "what came");
	else if (said == REASON_AUTH)
		check_advise(step,
			     "look at user (-u) and password, in %s what is behind the second "
			     "colon; case counts",
			     options->auth_file);
	else if (said == REASON_FAILURES || said == REASON_LOGINS || said == REASON_INTERNAL ||
		 said == REASON_CONNECTIONS)
		check_advise(step, "wait for some minutes");
	else if (said == REASON_ADDRESS)
		check_advise(step, "name an address of the server that is not on loopback");
	else
		check_advise(step, "ask the server's operator");
}

static void check_type_refused(struct check *check, enum client_exit status, const char *why,
			       int64_t now, struct check_actions *actions)
{
	struct client_step *step = check_fail(check, actions, status, now, "%s", why);

	if (status == CLIENT_TYPE)
		check_advise(step,
			     "choose another type than %s with -t, or ask the server's operator "
			     "for it",
			     tunnel_type_name(check->options->type));
	else
		check_advise(step, "the server has no address or prefix left for this user; ask "
				   "its operator");
	check_skip_rest(check, actions, now);
}

/* The first login has failed, with why as the answer to it. */
static void check_first_login(struct check *check, enum client_exit status, enum dtcp_reason said,
			      const char *why, int64_t now, struct check_actions *actions)
{
	struct client_step *step;

	/* The server checks all of these after the password. */
	if (said == REASON_IN_USE || said == REASON_PROTO41) {
		check_let_in(check, now, actions);
		(void)strlcpy(check->refused, why, sizeof(check->refused));
		check->refused_status = status;
	} else if (status == CLIENT_TYPE || said == REASON_SOLD_OUT) {
		check_let_in(check, now, actions);
		check_type_refused(check, status, why, now, actions);
	} else {
		step = check_fail(check, actions, status, now, "%s", why);
		check_advise_login(check, step, status, said);
		check_skip_rest(check, actions, now);
	}
}

static void check_udp_refused(struct check *check, enum client_exit status, const char *why,
			      int64_t now, struct check_actions *actions)
{
	bool needed = check->options->transport == SESSION_UDP ||
		      check->results[CLIENT_STEP_PROTO41] != CLIENT_STEP_OK;
	const char *what = status == CLIENT_TYPE ? "the server does not offer tunnels over UDP, or "
						   "not to this user"
						 : why;
	struct client_step *step;

	if (!needed) {
		(void)check_say(check, actions, CLIENT_STEP_SKIP, now,
				"%s; not needed here, as protocol 41 works", what);
		return;
	}
	step = check_fail(check, actions, status, now, "%s", what);
	if (status == CLIENT_TYPE)
		check_advise(step, "the server's operator has to start it with -U, and to allow "
				   "UDP to this user");
}

/* Both transports failed to log in. */
static void check_both_refused(struct check *check, enum client_exit status, enum dtcp_reason said,
			       const char *why, int64_t now, struct check_actions *actions)
{
	if (said == REASON_TYPE || said == REASON_SOLD_OUT) {
		check_type_refused(check, status, why, now, actions);
		return;
	}
	check_skip(check, actions, CLIENT_STEP_PROTO41, now, "not known without a tunnel");
	check_refused(check, now, actions);
	check_udp_refused(check, status, why, now, actions);
}

void check_on_failure(struct check *check, enum session_state before,
		      const struct session_event *event, int64_t now, struct check_actions *actions)
{
	enum dtcp_reason said = check_said(event);
	enum client_exit status = check->session->status;
	char buf[CHECK_SAID];
	const char *why = check_why(check, before, event, buf);
	struct client_step *step;

	/* A greeting that was withheld from the session's state machine. */
	if (status == CLIENT_OK)
		status = said == REASON_OTHER ? CLIENT_GARBAGE : CLIENT_SERVER;
	if (check->next <= CLIENT_STEP_NAT && check->refused[0]) {
		check_both_refused(check, status, said, why, now, actions);
	} else if (check->next <= CLIENT_STEP_NAT && before == SESSION_LOGIN) {
		check_first_login(check, status, said, why, now, actions);
	} else if (check->next <= CLIENT_STEP_NAT) {
		step = check_fail(check, actions, status, now, "%s", why);
		check_advise_login(check, step, status, said);
		check_skip_rest(check, actions, now);
	} else if (said == REASON_SUPERSEDED) {
		step = check_fail(check, actions, status, now, "%s", why);
		check_advise(step, "another place uses the account of user %s; end it there first",
			     check->session->user);
		check_skip_rest(check, actions, now);
	} else if (check->next == CLIENT_STEP_UDP) {
		check_udp_refused(check, status, why, now, actions);
	} else {
		(void)check_fail(check, actions, status, now, "%s", why);
		if (check->next > CLIENT_STEP_UDP)
			check_skip_rest(check, actions, now);
	}
}

/* --- silence ------------------------------------------------------------------------------ */

void check_on_silence(struct check *check, int64_t now, struct check_actions *actions)
{
	enum session_transport transport = check->options->transport;
	bool nat = check->session->local.s_addr != check->session->reply.me.s_addr;
	bool works = check->results[CLIENT_STEP_PROTO41] == CLIENT_STEP_OK;
	uint32_t port = check->session->reply.udp_port;
	struct client_step *step;

	if (!check->udp && transport == SESSION_UDP) {
		(void)check_say(check, actions, CLIENT_STEP_SKIP, now,
				"no answer from the far end for %d s; not needed with UDP",
				CHECK_PATH_MS / 1000);
		return;
	}
	if (!check->udp) {
		step = check_fail(check, actions, CLIENT_TIMEOUT, now,
				  "no answer from the far end for %d s: a NAT or firewall on the "
				  "way drops IP protocol 41",
				  CHECK_PATH_MS / 1000);
		if (transport == SESSION_AUTO)
			check_advise(step, "--transport auto takes UDP then, which comes next");
		else
			check_advise(step,
				     "use UDP: --transport auto, or --transport udp (-U)%s; or let "
				     "protocol 41 pass",
				     nat ? " with -n" : "");
		return;
	}
	if (works && transport != SESSION_UDP) {
		step = check_say(check, actions, CLIENT_STEP_SKIP, now,
				 "no answer from port %u for %d s; not needed here, as protocol "
				 "41 works",
				 port, CHECK_PATH_MS / 1000);
	} else {
		step = check_fail(check, actions, CLIENT_TIMEOUT, now,
				  "no answer from port %u for %d s: a firewall on the way drops "
				  "UDP",
				  port, CHECK_PATH_MS / 1000);
		check_advise(step,
			     "let UDP port %u pass, on the router at home, at the server and in "
			     "the panel of its provider%s",
			     port,
			     nat && check->options->check_nat && transport == SESSION_UDP
				     ? "; and use -n"
				     : "");
	}
	step->port = port;
}
