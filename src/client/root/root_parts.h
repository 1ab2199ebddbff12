/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the client's root process share. Private to client/root/root*.c. */
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
	struct watch *ipsec; /* for the fast path */
	struct wake *wake;
	struct tunnel_state tunnel;
	struct client_session session; /* as control says */
	bool told;		       /* control that it is up, and it has not asked for its end */
	struct rate ports;	       /* UDP ports that control asks for */
	int socket; /* for control, once its process id is known; -1: it has it, or there is none */
};

/* The service manager is told how it is. */
void root_tell_status(const struct client_root *root);

/* Before control can say anything. */
void root_control_init(struct client_root *root);

#endif
