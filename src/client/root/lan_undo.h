/* SPDX-License-Identifier: BSD-2-Clause */
/* Undoes what was made for --lan, as recorded by lan_record.c. */
#ifndef DTCP_CLIENT_ROOT_LAN_UNDO_H
#define DTCP_CLIENT_ROOT_LAN_UNDO_H

#include "netconf/netlink.h"

#include <stddef.h>

/*
 * Undoes one object, given as the n words of a record's line. No effect if it is gone, or the words
 * are invalid. netlink NULL: objects that need it stay.
 */
void lan_undo(struct netlink *netlink, const char *const words[], size_t n);

#endif
