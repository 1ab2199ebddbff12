/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rate-limits failed logins per source address. Over budget, logins are rejected without asking
 * the database, so that guessing costs it nothing. A user who has logged in from that address
 * before has a budget of their own there: many sites can be behind one address, and one of them
 * must not lock the others out. What is known of a user name only delays answers to failures. So
 * nobody can keep somebody at another address from logging in.
 *
 * Pure: the time, in milliseconds, is an argument. Of user names only keyed hashes are kept, and of
 * everything only so many.
 */
#ifndef DTCP_SERVER_CONTROL_LOGIN_LIMITS_H
#define DTCP_SERVER_CONTROL_LOGIN_LIMITS_H

#include "proto/reason.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Failed logins a minute of a user from an address that is known for this user. */
#define LOGIN_LIMITS_KNOWN 10

/* Logins a minute, good ones, of one user, after as many at once. */
#define LOGIN_LIMITS_LOGINS 60

/* As many at once if the login is for a tunnel with a device of its own, which is work for root. */
#define LOGIN_LIMITS_DEVICES 10

/* The longest wait for what is known of the user only. */
#define LOGIN_LIMITS_USER_DELAY_MS 1000

struct login_limits_config {
	uint32_t failures;  /* failed logins a minute from one source */
	uint32_t delay_max; /* milliseconds that the answer to a failed one is held back, at most */
};

/* On whose account it goes if a login fails. */
enum login_limits_account {
	LOGIN_LIMITS_NONE,   /* it is not: refuse it */
	LOGIN_LIMITS_SOURCE, /* one of the address's */
	LOGIN_LIMITS_PAIR,   /* one of this user's at this address */
};

struct login_limits;

/*
 * config must stay valid and may change. sessions: as many users can be logged in at a time, and
 * that is what everything that is remembered is measured by. key is secret. NULL if memory is
 * short.
 */
struct login_limits *login_limits_new(const struct login_limits_config *config, uint32_t sessions,
				      const uint64_t key[static 2]);
void login_limits_free(struct login_limits *limits);

/* The settings have changed. */
void login_limits_reconfigure(struct login_limits *limits, int64_t now);

/*
 * A login has come; device: for a tunnel with a device of its own. With LOGIN_LIMITS_NONE *why is
 * what to answer, and *delay when, in milliseconds.
 */
enum login_limits_account login_limits_ask(struct login_limits *limits, struct in_addr source,
					   const char *user, bool device, int64_t now,
					   enum dtcp_reason *why, uint32_t *delay);

/* It proved the password. */
void login_limits_passed(struct login_limits *limits, struct in_addr source, const char *user,
			 int64_t now);

/* It did not. Returns how many milliseconds after the request it is to be answered. */
uint32_t login_limits_failed(struct login_limits *limits, enum login_limits_account account,
			     struct in_addr source, const char *user, int64_t now);

#endif
