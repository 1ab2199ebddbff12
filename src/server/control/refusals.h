/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Users whose logins are refused for a while, at an operator's request. Pure: the time, in
 * milliseconds, is an argument.
 */
#ifndef DTCP_SERVER_CONTROL_REFUSALS_H
#define DTCP_SERVER_CONTROL_REFUSALS_H

#include "proto/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Largest number of users at a time; more can be disabled in the database. */
enum { REFUSALS_MAX = 64 };

/* Zero at first. */
struct refusals {
	struct {
		char user[DTCP_USER_MAX + 1];
		int64_t until;
	} list[REFUSALS_MAX];
};

/* Refuses the user until then; replaces an earlier entry. False: too many users. */
bool refusals_add(struct refusals *refusals, const char *user, int64_t now, int64_t until);

/* The user can log in again. False: was not refused. */
bool refusals_remove(struct refusals *refusals, const char *user, int64_t now);

/* Whether logins of the user are refused now. */
bool refusals_has(const struct refusals *refusals, const char *user, int64_t now);

#endif
