/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between broker and forward about sessions. Forward's messages are accepted only as far
 * as they are possible in the session's state (forward/dialog.h); one that a correct forward cannot
 * send is logged, and has no effect.
 */
#ifndef DTCP_SERVER_CONTROL_BROKER_FORWARD_H
#define DTCP_SERVER_CONTROL_BROKER_FORWARD_H

#include "process/process.h"
#include "server/control/broker.h"

/* Tells forward to add the client's session, with the addresses granted by accounts. */
void broker_forward_add(struct broker *broker, const struct client *client,
			const struct server_verdict *verdict);

/* Tells forward to remove the session, if it was added. */
void broker_forward_remove(struct broker *broker, const struct server_session *session);

/* Forward's messages; the handlers' arg is the broker. */
extern const struct process_rows broker_forward_rows;

#endif
