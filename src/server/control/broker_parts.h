/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the broker. */
#ifndef DTCP_SERVER_CONTROL_BROKER_PARTS_H
#define DTCP_SERVER_CONTROL_BROKER_PARTS_H

#include "server/control/broker_forward.h"

/* Sends to accounts or forward; if memory is short, the process ends. */
void broker_tell(struct broker *broker, struct ipc *ipc, uint32_t type, const void *body,
		 size_t size);

/* Ends the user's older sessions in favour of this one. */
void broker_supersede(struct broker *broker, const struct server_session *session);

/* Refuses a granted login after all, and counts that. */
void broker_turn_away(struct broker *broker, struct server_session *session, struct client *client,
		      enum dtcp_reason reason, uint64_t *count);

#endif
