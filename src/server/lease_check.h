/* SPDX-License-Identifier: BSD-2-Clause */
/* What leases there are that the settings of this moment leave without a pool. */
#ifndef DTCP_SERVER_LEASE_CHECK_H
#define DTCP_SERVER_LEASE_CHECK_H

#include "server/options.h"
#include "users/users.h"

/*
 * Warns of leases that do not fit the settings, as after a mistake in one of them. False if it did,
 * or if the database cannot be read. At a start, and with --check.
 */
bool lease_check(const struct server_options *options, struct users *users);

#endif
