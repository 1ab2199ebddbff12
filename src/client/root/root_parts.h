/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the parts of the client's root process. Private to client/root/root*.c. */
#ifndef DTCP_CLIENT_ROOT_ROOT_PARTS_H
#define DTCP_CLIENT_ROOT_ROOT_PARTS_H

#include "base/rate.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/root/lookup.h"
#include "client/root/tunnel_state.h"
#include "netconf/wake.h"
#include "netconf/watch.h"
#include "process/supervisor.h"

#include <stdbool.h>

struct client_root {
	const struct client_options *options;
	struct supervisor *supervisor;
	struct lookups *lookups;
	struct watch *watch;
	struct watch *ipsec; /* watches IPsec policies for the fast path */
	struct wake *wake;
	struct tunnel_state tunnel;
	struct client_session session; /* as reported by control */
	bool told;	   /* control knows of the tunnel, and has not asked to remove it */
	struct rate ports; /* limits control's requests for UDP ports */
	int socket; /* for control, once this process's id is final; -1: handed over, or none */
};

/* Reports the state to the service manager. */
void root_tell_status(const struct client_root *root);

/* Initializes, before control can send requests. */
void root_control_init(struct client_root *root);

#endif
