/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's state in one line, for a service manager, and as fields, for the log. Pure. */
#ifndef DTCP_CLIENT_ROOT_STATUS_H
#define DTCP_CLIENT_ROOT_STATUS_H

#include "base/log_record.h"
#include "client/msg.h"
#include "client/root/tunnel_state.h"

#include <stdbool.h>
#include <stddef.h>

/* Root's check of what control says about its session. */
bool status_check(const struct client_session *session);

/* Why there is no session, in a few words; the log has more. NULL for CLIENT_OK. */
const char *status_reason(enum client_exit status);

/* state: of it options, user, state and tunnel. */
void status_describe(const struct tunnel_state *state, const struct client_session *session,
		     char *buf, size_t size);

/* Adds the same as fields. */
void status_record(const struct tunnel_state *state, const struct client_session *session,
		   struct log_record *record);

#endif
