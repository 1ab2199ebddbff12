/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rate-limits failed logins per source address. Over budget, logins are rejected without asking the
 * database, so that guessing does not load it. A user who has logged in from that address before
 * has a budget of their own there: many sites can share one address, and one of them must not lock
 * the others out. The failures of a user name only delay answers to failed logins, so nobody can
 * keep a user at another address from logging in.
 *
 * Pure: the time, in milliseconds, is an argument. Stores only keyed hashes of user names, and a
 * bounded number of everything.
 */
#ifndef DTCP_SERVER_CONTROL_LOGIN_LIMITS_H
#define DTCP_SERVER_CONTROL_LOGIN_LIMITS_H

#include "proto/reason.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Failed logins a minute of a user from an address that the user has logged in from before. */
#define LOGIN_LIMITS_KNOWN 10

/* Successful logins a minute of one user, and the burst. */
#define LOGIN_LIMITS_LOGINS 60

/* The burst for tunnels with a device of their own, which is work for the root process. */
#define LOGIN_LIMITS_DEVICES 10

/* Longest delay because of the failures of the user name alone. */
#define LOGIN_LIMITS_USER_DELAY_MS 1000

struct login_limits_config {
	uint32_t failures;  /* failed logins a minute from one source */
	uint32_t delay_max; /* longest delay of the answer to a failed login, milliseconds */
};

/* Which budget a failed login is charged to. */
enum login_limits_account {
	LOGIN_LIMITS_NONE,   /* none: reject the login */
	LOGIN_LIMITS_SOURCE, /* the address's */
	LOGIN_LIMITS_PAIR,   /* this user's at this address */
};

struct login_limits;

/*
 * config must stay valid and may change. sessions: largest number of sessions, from which the sizes
 * of all tables follow. key is secret. NULL if memory is short.
 */
struct login_limits *login_limits_new(const struct login_limits_config *config, uint32_t sessions,
				      const uint64_t key[static 2]);
void login_limits_free(struct login_limits *limits);

/* The settings have changed. */
void login_limits_reconfigure(struct login_limits *limits, int64_t now);

/*
 * A login has arrived; device: for a tunnel with a device of its own. For LOGIN_LIMITS_NONE, *why
 * is the answer and *delay its delay in milliseconds.
 */
enum login_limits_account login_limits_ask(struct login_limits *limits, struct in_addr source,
					   const char *user, bool device, int64_t now,
					   enum dtcp_reason *why, uint32_t *delay);

/* The password was right. */
void login_limits_passed(struct login_limits *limits, struct in_addr source, const char *user,
			 int64_t now);

/* The login has failed. Returns the delay of the answer, in milliseconds from the request. */
uint32_t login_limits_failed(struct login_limits *limits, enum login_limits_account account,
			     struct in_addr source, const char *user, int64_t now);

#endif
