/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes back what was made for --lan, as the lines of a record name it (lan_record.c). */
#ifndef DTCP_CLIENT_ROOT_LAN_UNDO_H
#define DTCP_CLIENT_ROOT_LAN_UNDO_H

#include "netconf/netlink.h"

#include <stddef.h>

/*
 * Undoes one thing, of which n words are given: what it is, and which. Nothing if it is not there
 * any more, or the words are none that a record has. netlink NULL: what needs it stays.
 */
void lan_undo(struct netlink *netlink, const char *const words[], size_t n);

#endif
