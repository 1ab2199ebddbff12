/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has to be right, and what only root can open, before the client's processes start: as long
 * as somebody may sit at the terminal to read what is wrong.
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
 * Finds the script, as hook_find(), and looks whether one is there that cannot be run. False after
 * logging.
 */
bool client_resources_script(const struct client_options *options,
			     char script[static CLIENT_SCRIPT_SIZE]);

/*
 * Makes the interface once and removes it again, so that what would be missing later is said now;
 * clears up after an earlier run. False after logging.
 */
bool client_resources_try_device(const struct client_options *options, struct netlink *netlink);

/*
 * Opens what the processes need, and sends it to them. *fast is the fast path, NULL if there is
 * none (fast NULL: none is wanted); *udp_port is the one bound for a tunnel over UDP, 0: none.
 * False after logging.
 */
bool client_resources_open(struct supervisor *supervisor, const struct client_options *options,
			   struct fastpath **fast, uint32_t *udp_port);

/* Tells control who logs in at the servers, and with what: with the last of it control begins. */
void client_resources_tell(struct supervisor *supervisor, size_t n_servers, const char *user,
			   const struct account_passwords *passwords, uint32_t udp_port);

#endif
