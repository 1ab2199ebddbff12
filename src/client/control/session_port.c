/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our UDP port. Where hellos go unanswered, a box on the way may have a wrong mapping of it, which
 * lives as long as we send; forward then says hello from another port as well. The first that is
 * answered is used from then on.
 */
#include "client/control/session_steps.h"

#include <stdio.h>

void session_on_no_answer(struct session *session, struct session_actions *actions)
{
	if (session->config.transport == SESSION_IPV6)
		return;
	if (!session->config.keeps_port) {
		actions->what |= SESSION_DO_PORT;
		return;
	}
	if (session->port_hinted)
		return;
	session->port_hinted = true;
	actions->warning = true;
	(void)snprintf(actions->message, sizeof(actions->message),
		       "no answer over UDP for 10 s; if a NAT or firewall on the way has a wrong "
		       "mapping of this port, another port (-b) may help");
}

void session_want_port(const struct session *session, struct session_actions *actions)
{
	if (!session->config.keeps_port && session->then != SESSION_THEN_EXIT)
		actions->what |= SESSION_DO_PORT;
}

void session_tell_port(struct session *session, struct session_actions *actions)
{
	if (session->port_new && session->state == SESSION_UP && session->link == SESSION_LINK_UP)
		session_tell_tunnel(session, actions);
}

void session_on_port(struct session *session, uint16_t port, struct session_actions *actions)
{
	(void)snprintf(actions->message, sizeof(actions->message),
		       "UDP port %u is used from now on: nothing came back to the one before",
		       port);
	/* A tunnel that is held hears of it when it has a session again. */
	session->port_new = session->link_udp && (session->link == SESSION_LINK_UP ||
						  session->link == SESSION_LINK_RAISING);
	session_tell_port(session, actions);
}
