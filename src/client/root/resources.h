/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks requirements, and opens what only root can open, before the client's processes start,
 * while errors can still be reported at the terminal.
 */
#ifndef DTCP_CLIENT_ROOT_RESOURCES_H
#define DTCP_CLIENT_ROOT_RESOURCES_H

#include "client/msg.h"
#include "client/options.h"
#include "client/root/account.h"
#include "netconf/netlink.h"
#include "process/supervisor.h"

#include <stdbool.h>
#include <stdint.h>

struct fastpath;

/*
 * Finds the script as hook_find(), and warns if there is one that cannot be run. False after
 * logging.
 */
bool client_resources_script(const struct client_options *options,
			     char script[static CLIENT_SCRIPT_SIZE]);

/*
 * Makes the interface once and removes it again, so that a missing requirement is reported now;
 * removes what an earlier run has left. False after logging.
 */
bool client_resources_try_device(const struct client_options *options, struct netlink *netlink);

/*
 * Opens what the processes need, and sends it to them. *fast is the fast path, NULL if there is
 * none (fast NULL: not wanted); *udp_port is the port bound for a tunnel over UDP, 0: none. False
 * after logging.
 */
bool client_resources_open(struct supervisor *supervisor, const struct client_options *options,
			   struct fastpath **fast, uint32_t *udp_port);

/* Sends control the login name and the passwords; with the last message control begins. */
void client_resources_tell(struct supervisor *supervisor, size_t n_servers, const char *user,
			   const struct account_passwords *passwords, uint32_t udp_port);

#endif
