/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has to be right, and what only root can open, before the client's rooms start: as long as
 * somebody may sit at the terminal to read what is wrong.
 */
#ifndef DTCP_CLIENT_ROOT_SUPPLIES_H
#define DTCP_CLIENT_ROOT_SUPPLIES_H

#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"
#include "netconf/netlink.h"

#include <stdbool.h>
#include <stdint.h>

/* Descriptors for the rooms, -1 where there are none; whoever hands one over sets it so. */
struct supplies {
	int raw;
	int udp;
	int counters;
	int counters_reader;
	uint32_t udp_port; /* bound for a tunnel over UDP; 0: none */
};

/*
 * Before the password is asked for; finds the script, as hook_find(). Anything but CLIENT_OK has
 * been logged.
 */
enum client_exit supplies_check(const struct client_options *options,
				char script[static CLIENT_SCRIPT_SIZE]);

/*
 * Makes the interface once and removes it again, so that what would be missing later is said now;
 * clears up after an earlier run. False after logging.
 */
bool supplies_try_device(const struct client_options *options, struct netlink *netlink);

/* False after logging; supplies_close() is needed in any case. */
bool supplies_open(struct supplies *supplies, const struct client_options *options);
void supplies_close(const struct supplies *supplies);

#endif
