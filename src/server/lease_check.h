/* SPDX-License-Identifier: BSD-2-Clause */
/* Leases that are outside of the pools of the current settings. */
#ifndef DTCP_SERVER_LEASE_CHECK_H
#define DTCP_SERVER_LEASE_CHECK_H

#include "server/options.h"
#include "users/users.h"

/*
 * Warns of leases that do not fit the settings, as after a mistake in one of them. False if it
 * warned, or if the database cannot be read. Called at a start, and with --check.
 */
bool lease_check(const struct server_options *options, struct users *users);

#endif
