/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks granted logins again when an account or the machine has changed. */
#include "base/log.h"
#include "server/accounts/logins_parts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void logins_revoke(struct logins *logins, struct login *login, enum server_why why)
{
	if (!login->revoked)
		logins->owner.revoked((uint32_t)(login - logins->list), why, logins->owner.arg);
	login->revoked = true;
}

/* Why a login cannot stay, by the user's present account; 0: it can. */
static uint32_t logins_why(const struct login *login, const struct user *user)
{
	const struct prefix6_set prefixes = prefix6_set_unpack(login->prefixes);

	if (user->id != login->user)
		return SERVER_WHY_DELETED;
	if (!logins_response_right(&login->asked, user->password))
		return SERVER_WHY_PASSWORD;
	if (user->limits.disabled)
		return SERVER_WHY_DISABLED;
	if (users_is_expired(&user->limits, (int64_t)time(NULL)))
		return SERVER_WHY_EXPIRED;
	if (!users_allows_type(&user->limits, login->asked.type))
		return SERVER_WHY_TYPE;
	if (!users_allows_transport(&user->limits, logins_transport(&login->asked)))
		return SERVER_WHY_TRANSPORT;
	if (prefixes.n > 0 && !prefix6_set_equal(&prefixes, &user->networks))
		return SERVER_WHY_ADDRESSES;
	if (login->numbered && !(user->has_host && IN6_ARE_ADDR_EQUAL(&user->host, &login->me6)))
		return SERVER_WHY_ADDRESSES;
	return 0;
}

/* Checks one login again. False if the database cannot be read. */
static bool logins_recheck_one(struct logins *logins, struct login *login)
{
	struct user user = {.id = 0};
	enum users_result result = users_find(logins->owner.users, login->asked.user, &user);
	uint32_t why = result == USERS_OK ? logins_why(login, &user) : SERVER_WHY_DELETED;

	explicit_bzero(user.password, sizeof(user.password));
	/* That must not end a session, and the others would fail as well. */
	if (result != USERS_OK && result != USERS_NOT_FOUND)
		return false;
	if (why)
		logins_revoke(logins, login, why);
	return true;
}

/* users_changes() continues as long as true is returned. */
static bool logins_on_change(int64_t user, void *arg)
{
	struct logins *logins = arg;
	bool read = true;

	logins->changes++;
	/* A session cannot be revoked before its verdict was sent. */
	logins_flush(logins);
	logins->expiry_stale = true;
	if (user == USERS_EVERYBODY) {
		for (uint32_t id = 0; read && id < logins->top; id++)
			read = logins->list[id].state != LOGIN_GRANTED ||
			       logins_recheck_one(logins, &logins->list[id]);
	} else {
		for (struct hash_node *node = hash_first(&logins->by_user, (uint64_t)user);
		     read && node; node = hash_next(node))
			read = logins_recheck_one(logins, node->item);
	}
	if (read)
		logins->complained = false;
	else
		logins_complain(logins);
	return read;
}

/*
 * Checks the users whose accounts expire now. The time is compared, instead of a timer, so that it
 * works even if the clock is set.
 */
static bool logins_expire(struct logins *logins)
{
	struct users *users = logins->owner.users;
	int64_t now = (int64_t)time(NULL);
	int64_t before = logins->looked_at < now ? logins->looked_at : now;
	enum users_result result = USERS_OK;

	/* After the clock was set back, the next expiry may be another one. */
	if (now < logins->looked_at)
		logins->expiry_stale = true;
	if (logins->expiry_stale)
		result = users_next_expiry(users, before, &logins->next_expiry);
	if (result == USERS_OK)
		logins->expiry_stale = false;
	if (result == USERS_OK && logins->next_expiry != 0 && now >= logins->next_expiry) {
		/* The next call then finds the next one. */
		result = users_each_expiring(users, before + 1, now, logins_on_change, logins);
		logins->expiry_stale = true;
		if (logins->complained)
			result = USERS_FAILED;
	}
	if (result == USERS_OK)
		logins->looked_at = now;
	return result == USERS_OK;
}

void logins_recheck(struct logins *logins)
{
	if (users_changes(logins->owner.users, logins_on_change, logins) != USERS_OK ||
	    !logins_expire(logins))
		logins_complain(logins);
}

/* The login's lease in one of the prefixes; length 0: none. */
static struct prefix6 logins_lost(const struct login *login, const struct prefix6 reserved[],
				  size_t n)
{
	const struct prefix6_set prefixes = prefix6_set_unpack(login->prefixes);
	const struct prefix6 host = {.addr = login->me6, .len = 128};

	for (size_t i = 0; i < n; i++) {
		if (login->numbered && prefix6_contains(&reserved[i], &host))
			return host;
		/* Unless fixed, it is one lease. */
		if (prefixes.n > 0 && !login->fixed &&
		    prefix6_overlaps(&reserved[i], &prefixes.list[0]))
			return prefixes.list[0];
	}
	return (struct prefix6){.len = 0};
}

/* Revokes sessions whose leases have come into use elsewhere. */
static void logins_take_back(struct logins *logins, const struct prefix6 reserved[], size_t n)
{
	struct log_record record;
	char text[PREFIX6_STRLEN];

	for (uint32_t id = 0; n > 0 && id < logins->top; id++) {
		struct login *login = &logins->list[id];
		struct prefix6 lost = {.len = 0};

		if (login->state == LOGIN_GRANTED && !login->revoked)
			lost = logins_lost(login, reserved, n);
		if (lost.len == 0)
			continue;
		log_record_begin(
			&record, LOG_INFO, "lease-taken-back",
			"a session has what is not the server's to give any more, and ends");
		log_record_text(&record, "user", "%s", login->asked.user);
		log_record_text(&record, "from", "%s", prefix6_format(&lost, text));
		log_event(&record);
		logins_revoke(logins, login, SERVER_WHY_ADDRESSES);
	}
}

bool logins_reserve(struct logins *logins, const struct prefix6 reserved[], size_t n)
{
	struct prefix6 *added = calloc(n + 1, sizeof(*added));
	size_t n_added = 0;

	if (!added)
		return false;
	/* A session cannot be revoked before its verdict was sent. */
	logins_flush(logins);
	for (size_t i = 0; i < n; i++) {
		if (!users_is_reserved(logins->owner.users, &reserved[i]))
			added[n_added++] = reserved[i];
	}
	if (!users_reserve(logins->owner.users, reserved, n)) {
		free(added);
		return false;
	}
	logins_take_back(logins, added, n_added);
	free(added);
	return true;
}
