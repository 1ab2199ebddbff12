/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/login_limits.h"

#include "base/hash.h"
#include "proto/message.h"
#include "server/control/leaky_counter.h"

#include <stdlib.h>
#include <string.h>

/*
 * Smallest number of addresses and users that are remembered, and the number of pairs of both for
 * each. Memory, some 70 bytes for each, is allocated as needed.
 */
enum { LOGIN_LIMITS_KEYS = 16384, LOGIN_LIMITS_PAIRS_EACH = 4 };

/* The delay after the first failure; each further one doubles it. */
enum { LOGIN_LIMITS_DELAY_FIRST_MS = 100 };

/* Failures of one user that leak a minute. */
enum { LOGIN_LIMITS_USER_FADE = 6 };

struct login_limits {
	const struct login_limits_config *config;
	uint64_t key[2];
	struct leaky_counter *sources; /* failures of an address */
	struct leaky_counter *users;   /* failures of a user, from any address */
	struct leaky_counter
		*pairs; /* failures of a user at an address that the user has logged in from */
	struct leaky_counter *logins; /* successful logins of a user */
};

struct login_limits *login_limits_new(const struct login_limits_config *config, uint32_t sessions,
				      const uint64_t key[static 2])
{
	const size_t keys = sessions > LOGIN_LIMITS_KEYS ? sessions : LOGIN_LIMITS_KEYS;
	struct login_limits *limits = calloc(1, sizeof(*limits));

	if (!limits)
		return NULL;
	limits->config = config;
	limits->key[0] = key[0];
	limits->key[1] = key[1];
	limits->sources = leaky_counter_new(keys, config->failures);
	limits->users = leaky_counter_new(keys, LOGIN_LIMITS_USER_FADE);
	limits->pairs = leaky_counter_new(LOGIN_LIMITS_PAIRS_EACH * keys, LOGIN_LIMITS_KNOWN);
	limits->logins = leaky_counter_new(keys, LOGIN_LIMITS_LOGINS);
	if (!limits->sources || !limits->users || !limits->pairs || !limits->logins) {
		login_limits_free(limits);
		return NULL;
	}
	return limits;
}

void login_limits_free(struct login_limits *limits)
{
	if (!limits)
		return;
	leaky_counter_free(limits->sources);
	leaky_counter_free(limits->users);
	leaky_counter_free(limits->pairs);
	leaky_counter_free(limits->logins);
	free(limits);
}

void login_limits_reconfigure(struct login_limits *limits, int64_t now)
{
	leaky_counter_set_fade(limits->sources, limits->config->failures, now);
}

/* The key of a user at an address; address 0: the user alone; no user: the address alone. */
static uint64_t login_limits_key(const struct login_limits *limits, struct in_addr source,
				 const char *user)
{
	uint64_t words[1 + (DTCP_USER_MAX + 7) / 8] = {source.s_addr};

	memcpy(&words[1], user, strnlen(user, DTCP_USER_MAX));
	return hash_words(limits->key, words, sizeof(words) / sizeof(words[0]));
}

static const struct in_addr login_limits_anywhere = {0};

/* The delay after this many failures. */
static uint32_t login_limits_delay(uint32_t failures, uint32_t max)
{
	uint32_t delay = LOGIN_LIMITS_DELAY_FIRST_MS;

	if (failures == 0)
		return 0;
	while (--failures > 0 && delay < max)
		delay *= 2;
	return delay < max ? delay : max;
}

enum login_limits_account login_limits_ask(struct login_limits *limits, struct in_addr source,
					   const char *user, bool device, int64_t now,
					   enum dtcp_reason *why, uint32_t *delay)
{
	const uint32_t logins = device ? LOGIN_LIMITS_DEVICES : LOGIN_LIMITS_LOGINS;
	uint64_t pair = login_limits_key(limits, source, user);
	uint64_t place = login_limits_key(limits, source, "");

	*delay = limits->config->delay_max;
	/* Only a client with the password can cause this. */
	if (leaky_counter_get(limits->logins, login_limits_key(limits, login_limits_anywhere, user),
			      now) >= logins) {
		*why = REASON_LOGINS;
		return LOGIN_LIMITS_NONE;
	}
	/*
	 * Only failures count, not logins still being checked: after a restart of the server, all
	 * clients behind one address come at once. A client that sends many logins before the first
	 * answer has as many tries as connections, once, and is then charged for all of them.
	 */
	if (leaky_counter_knows(limits->pairs, pair) &&
	    leaky_counter_get(limits->pairs, pair, now) < LOGIN_LIMITS_KNOWN)
		return LOGIN_LIMITS_PAIR;
	if (leaky_counter_get(limits->sources, place, now) < limits->config->failures)
		return LOGIN_LIMITS_SOURCE;
	*why = REASON_FAILURES;
	return LOGIN_LIMITS_NONE;
}

void login_limits_passed(struct login_limits *limits, struct in_addr source, const char *user,
			 int64_t now)
{
	leaky_counter_touch(limits->pairs, login_limits_key(limits, source, user), now);
	(void)leaky_counter_add(limits->logins,
				login_limits_key(limits, login_limits_anywhere, user), now);
}

uint32_t login_limits_failed(struct login_limits *limits, enum login_limits_account account,
			     struct in_addr source, const char *user, int64_t now)
{
	uint32_t max = limits->config->delay_max;
	uint32_t max_user = max < LOGIN_LIMITS_USER_DELAY_MS ? max : LOGIN_LIMITS_USER_DELAY_MS;
	uint32_t of_source, of_user;

	/* A known user's failures do not affect others behind the same address. */
	if (account == LOGIN_LIMITS_PAIR)
		of_source = leaky_counter_add(limits->pairs, login_limits_key(limits, source, user),
					      now);
	else
		of_source = leaky_counter_add(limits->sources, login_limits_key(limits, source, ""),
					      now);
	of_user = leaky_counter_add(limits->users,
				    login_limits_key(limits, login_limits_anywhere, user), now);
	of_source = login_limits_delay(of_source, max);
	of_user = login_limits_delay(of_user, max_user);
	return of_source > of_user ? of_source : of_user;
}
