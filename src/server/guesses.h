/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of failed logins. Each source address has a number of them a minute; while they are
 * used up, its logins are refused unseen, so that guessing costs monitor and the database nothing.
 * A user who has logged in from that address before is let through all the same, with a number of
 * their own: many sites can be behind one address, and one of them must not lock the others out.
 * What is known of a user name only makes answers to failures slower. So nobody can keep somebody
 * at another address from logging in.
 *
 * Pure: the time, in milliseconds, is an argument. Of user names only keyed hashes are kept, and of
 * everything only so many.
 */
#ifndef DTCP_SERVER_GUESSES_H
#define DTCP_SERVER_GUESSES_H

#include "proto/reason.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Failed logins a minute of a user from an address that is known for this user. */
#define GUESSES_KNOWN 10

/* Logins a minute, good ones, of one user, after as many at once. */
#define GUESSES_LOGINS 60

/* As many at once if the login is for a tunnel with a device of its own, which is work for root. */
#define GUESSES_DEVICES 10

/* The longest wait for what is known of the user only. */
#define GUESSES_USER_DELAY_MS 1000

struct guesses_config {
	uint32_t failures;  /* failed logins a minute from one source */
	uint32_t delay_max; /* milliseconds that the answer to a failed one is held back, at most */
};

/* On whose account it goes if a login fails. */
enum guesses_account {
	GUESSES_NONE,	/* it is not: refuse it */
	GUESSES_SOURCE, /* one of the address's */
	GUESSES_PAIR,	/* one of this user's at this address */
};

struct guesses;

/*
 * config must stay valid and may change. sessions: as many users can be logged in at a time, and
 * that is what everything that is remembered is measured by. key is secret. NULL where memory is
 * short.
 */
struct guesses *guesses_new(const struct guesses_config *config, uint32_t sessions,
			    const uint64_t key[static 2]);
void guesses_free(struct guesses *guesses);

/* The settings have changed. */
void guesses_reconfigure(struct guesses *guesses, int64_t now);

/*
 * A login has come; device: for a tunnel with a device of its own. With GUESSES_NONE *why is what
 * to answer, and *delay when, in milliseconds.
 */
enum guesses_account guesses_ask(struct guesses *guesses, struct in_addr source, const char *user,
				 bool device, int64_t now, enum dtcp_reason *why, uint32_t *delay);

/* It proved the password. */
void guesses_passed(struct guesses *guesses, struct in_addr source, const char *user, int64_t now);

/* It did not. Returns how many milliseconds after the request it is to be answered. */
uint32_t guesses_failed(struct guesses *guesses, enum guesses_account account,
			struct in_addr source, const char *user, int64_t now);

#endif
