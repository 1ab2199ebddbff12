/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the broker and forward say to each other of sessions. Forward's messages are believed as far
 * as they can be true of the session now (forward/dialog.h); one that an honest forward cannot have
 * sent is logged, and changes nothing.
 */
#ifndef DTCP_SERVER_CONTROL_BROKER_FORWARD_H
#define DTCP_SERVER_CONTROL_BROKER_FORWARD_H

#include "process/process.h"
#include "server/control/broker.h"

/* Has forward take in the client's session, with what accounts has granted. */
void broker_forward_add(struct broker *broker, const struct client *client,
			const struct server_verdict *verdict);

/* Has forward forget the session, unless it was never told of it. */
void broker_forward_remove(struct broker *broker, const struct server_session *session);

/* What is taken from forward; the handlers' arg is the broker. */
extern const struct process_rows broker_forward_rows;

#endif
