/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's status as JSON, for its control socket: dtcpctl(8) PROTOCOL. Pure except for the
 * clock.
 */
#ifndef DTCP_CLIENT_CONTROL_STATUS_JSON_H
#define DTCP_CLIENT_CONTROL_STATUS_JSON_H

#include "client/status.h"

#include <jansson.h>

/* Values that are unknown or do not apply are left out. NULL if memory is short. */
json_t *status_json(const struct client_status *status);

#endif
