/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/guesses.h"

#include "base/hash.h"
#include "proto/message.h"
#include "server/tally.h"

#include <stdlib.h>
#include <string.h>

/*
 * How many addresses and users are remembered, if there may be fewer sessions, and pairs of both
 * for each of them. Memory, some 70 bytes for one, is taken as they come.
 */
enum { GUESSES_KEYS = 16384, GUESSES_PAIRS_EACH = 4 };

/* The wait after the first failure; each further one doubles it. */
enum { GUESSES_DELAY_FIRST_MS = 100 };

/* Failures of one user that fade within a minute. */
enum { GUESSES_USER_FADE = 6 };

struct guesses {
	const struct guesses_config *config;
	uint64_t key[2];
	struct tally *sources; /* failures of an address */
	struct tally *users;   /* failures of a user, wherever from */
	struct tally *pairs;   /* failures of a user from where that user was logged in once */
	struct tally *logins;  /* good logins of a user */
};

struct guesses *guesses_new(const struct guesses_config *config, uint32_t sessions,
			    const uint64_t key[static 2])
{
	const size_t keys = sessions > GUESSES_KEYS ? sessions : GUESSES_KEYS;
	struct guesses *guesses = calloc(1, sizeof(*guesses));

	if (!guesses)
		return NULL;
	guesses->config = config;
	guesses->key[0] = key[0];
	guesses->key[1] = key[1];
	guesses->sources = tally_new(keys, config->failures);
	guesses->users = tally_new(keys, GUESSES_USER_FADE);
	guesses->pairs = tally_new(GUESSES_PAIRS_EACH * keys, GUESSES_KNOWN);
	guesses->logins = tally_new(keys, GUESSES_LOGINS);
	if (!guesses->sources || !guesses->users || !guesses->pairs || !guesses->logins) {
		guesses_free(guesses);
		return NULL;
	}
	return guesses;
}

void guesses_free(struct guesses *guesses)
{
	if (!guesses)
		return;
	tally_free(guesses->sources);
	tally_free(guesses->users);
	tally_free(guesses->pairs);
	tally_free(guesses->logins);
	free(guesses);
}

void guesses_reconfigure(struct guesses *guesses, int64_t now)
{
	tally_set_fade(guesses->sources, guesses->config->failures, now);
}

/* The key of a user at an address; address 0 for the user alone, no user for the address alone. */
static uint64_t guesses_key(const struct guesses *guesses, struct in_addr source, const char *user)
{
	uint64_t words[1 + (DTCP_USER_MAX + 7) / 8] = {source.s_addr};

	memcpy(&words[1], user, strnlen(user, DTCP_USER_MAX));
	return hash_words(guesses->key, words, sizeof(words) / sizeof(words[0]));
}

static const struct in_addr guesses_anywhere = {0};

/* After so many failures. */
static uint32_t guesses_delay(uint32_t failures, uint32_t max)
{
	uint32_t delay = GUESSES_DELAY_FIRST_MS;

	if (failures == 0)
		return 0;
	while (--failures > 0 && delay < max)
		delay *= 2;
	return delay < max ? delay : max;
}

enum guesses_account guesses_ask(struct guesses *guesses, struct in_addr source, const char *user,
				 bool device, int64_t now, enum dtcp_reason *why, uint32_t *delay)
{
	const uint32_t logins = device ? GUESSES_DEVICES : GUESSES_LOGINS;
	uint64_t pair = guesses_key(guesses, source, user);
	uint64_t place = guesses_key(guesses, source, "");

	*delay = guesses->config->delay_max;
	/* Only who has the password can bring this about. */
	if (tally_get(guesses->logins, guesses_key(guesses, guesses_anywhere, user), now) >=
	    logins) {
		*why = REASON_LOGINS;
		return GUESSES_NONE;
	}
	/*
	 * Only failures count, not what is still being looked into: after a restart of the server,
	 * all who are behind one address come at once. Who asks many times before the first answer
	 * has as many tries as connections, once, and then pays for all of them.
	 */
	if (tally_knows(guesses->pairs, pair) &&
	    tally_get(guesses->pairs, pair, now) < GUESSES_KNOWN)
		return GUESSES_PAIR;
	if (tally_get(guesses->sources, place, now) < guesses->config->failures)
		return GUESSES_SOURCE;
	*why = REASON_FAILURES;
	return GUESSES_NONE;
}

void guesses_passed(struct guesses *guesses, struct in_addr source, const char *user, int64_t now)
{
	tally_touch(guesses->pairs, guesses_key(guesses, source, user), now);
	(void)tally_add(guesses->logins, guesses_key(guesses, guesses_anywhere, user), now);
}

uint32_t guesses_failed(struct guesses *guesses, enum guesses_account account,
			struct in_addr source, const char *user, int64_t now)
{
	uint32_t max = guesses->config->delay_max;
	uint32_t max_user = max < GUESSES_USER_DELAY_MS ? max : GUESSES_USER_DELAY_MS;
	uint32_t of_source, of_user;

	/* A known user's mistakes make the address no worse for the others behind it. */
	if (account == GUESSES_PAIR)
		of_source = tally_add(guesses->pairs, guesses_key(guesses, source, user), now);
	else
		of_source = tally_add(guesses->sources, guesses_key(guesses, source, ""), now);
	of_user = tally_add(guesses->users, guesses_key(guesses, guesses_anywhere, user), now);
	of_source = guesses_delay(of_source, max);
	of_user = guesses_delay(of_user, max_user);
	return of_source > of_user ? of_source : of_user;
}
