/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network and sleep do to a session. Private to session*.c. */
#ifndef DTCP_CLIENT_CONTROL_SESSION_NETWORK_H
#define DTCP_CLIENT_CONTROL_SESSION_NETWORK_H

#include "client/control/session.h"

/* The machine, or its network, is another one than a moment ago. */
void session_on_network(struct session *session, struct in_addr local, int64_t now,
			struct session_actions *actions);
void session_on_woke(struct session *session, uint32_t seconds, int64_t now,
		     struct session_actions *actions);

#endif
