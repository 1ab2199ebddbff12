/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/accounts/logins.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Logins whose leases are noted together; so many does control ask about at a time. */
enum { LOGINS_BATCH = 64 };

/* How often a trouble of the database is said while it lasts. */
enum { LOGINS_COMPLAIN_MS = 60000 };

enum login_state { LOGIN_NONE, LOGIN_ASKED, LOGIN_REFUSED, LOGIN_GRANTED };

struct login {
	enum login_state state;
	struct hash_node by_user;   /* LOGIN_GRANTED */
	struct server_login asked;  /* its digest proves the password again */
	struct server_verdict said; /* without the key; the database must still say so */
};

struct logins {
	struct logins_owner owner;
	struct login *list;  /* by id */
	struct hash by_user; /* user numbers are the database's: nobody outside can choose them */
	uint32_t top;	     /* ids at and above it have never been used */
	bool complained;     /* about the database, that it cannot be read */
	int64_t complain_at; /* ms: not before then about a lease that cannot be noted */
	int64_t looked_at;   /* seconds since 1970: what has expired by then was ended */
	int64_t next_expiry; /* and then comes the next one, 0: never */
	bool expiry_stale;   /* next_expiry is to be looked up */
	size_t n_later;
	struct server_grant later[LOGINS_BATCH]; /* until their leases are noted */
};

struct logins *logins_new(const struct logins_owner *owner)
{
	struct logins *logins = calloc(1, sizeof(*logins));

	if (!logins)
		return NULL;
	logins->owner = *owner;
	logins->list = calloc(server_options_ids(owner->options), sizeof(*logins->list));
	if (!logins->list || hash_init(&logins->by_user) != 0) {
		logins_free(logins);
		return NULL;
	}
	logins->looked_at = (int64_t)time(NULL);
	logins->expiry_stale = true;
	users_gather(owner->users);
	return logins;
}

void logins_free(struct logins *logins)
{
	if (!logins)
		return;
	hash_free(&logins->by_user);
	free(logins->list);
	free(logins);
}

static bool logins_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

/* True if a message of control's is one that it can rightly send. */
static bool logins_check(const struct logins *logins, const struct server_login *login)
{
	return login->id < server_options_ids(logins->owner.options) &&
	       logins->list[login->id].state == LOGIN_NONE && login->type <= TUNNEL_NETWORK &&
	       logins_ends(login->user, sizeof(login->user)) &&
	       logins_ends(login->challenge, sizeof(login->challenge)) &&
	       logins_ends(login->response, sizeof(login->response)) && login->udp <= 1 &&
	       dtcp_endpoint_valid(login->peer) && dtcp_endpoint_valid(login->local);
}

/* True if the response proves that its sender knows the password. */
static bool logins_response_right(const struct server_login *login, const char *password)
{
	char expected[DTCP_RESPONSE_SIZE];
	bool right = digest_response(login->user, login->challenge, password, expected) &&
		     digest_equal(expected, login->response);

	explicit_bzero(expected, sizeof(expected));
	return right;
}

/* Says once what is wrong with the database, until it is well again. */
static void logins_complain(struct logins *logins)
{
	if (!logins->complained)
		log_warnx("%s", users_error(logins->owner.users));
	logins->complained = true;
}

/*
 * The same for a lease that could not be noted. That users are found tells nothing about that, nor
 * do leases that were noted earlier, so it is not known when all is well again.
 */
static enum server_result logins_failed_lease(struct logins *logins)
{
	int64_t now = clock_ms();

	if (now >= logins->complain_at) {
		log_warnx("%s", users_error(logins->owner.users));
		logins->complain_at = now + LOGINS_COMPLAIN_MS;
	}
	return SERVER_FAILED;
}

/* The number and the key of a session over UDP. */
static bool logins_make_key(const struct server_login *login, const char *password,
			    struct server_verdict *verdict)
{
	do
		arc4random_buf(&verdict->session, sizeof(verdict->session));
	while (verdict->session == 0);
	return probe_key(password, login->user, login->challenge, verdict->session, verdict->key);
}

static enum users_transport logins_transport(const struct server_login *login)
{
	return login->udp ? USERS_UDP : USERS_PROTO41;
}

/*
 * What keeps somebody out who knows the password. Only they hear of it, so nobody learns about
 * users or the server without one.
 */
static enum server_result logins_permit(const struct logins *logins,
					const struct server_login *login,
					const struct users_limits *limits,
					struct server_verdict *verdict)
{
	if (limits->disabled)
		return SERVER_DISABLED;
	if (users_is_expired(limits, (int64_t)time(NULL)))
		return SERVER_EXPIRED;
	if (login->udp && !logins->owner.options->udp)
		return SERVER_TRANSPORT;
	if (login->type != TUNNEL_NONE && !users_allows_type(limits, login->type)) {
		verdict->lack = SERVER_NOT_ALLOWED;
		return SERVER_TYPE;
	}
	if (users_allows_transport(limits, logins_transport(login)))
		return SERVER_GRANTED;
	verdict->lack = SERVER_NOT_ALLOWED;
	return login->udp ? SERVER_TRANSPORT : SERVER_PROTO41;
}

/*
 * Who it is; an unknown user costs the same computation as a wrong password. user is filled but for
 * the password; verdict gets the user's number and, if it is wanted, the key.
 */
static enum server_result logins_verify(struct logins *logins, const struct server_login *login,
					struct user *user, struct server_verdict *verdict)
{
	enum users_result found = USERS_NOT_FOUND;
	enum server_result result = SERVER_AUTH;

	*user = (struct user){.password = "no such user"};
	if (dtcp_user_valid(login->user))
		found = users_find(logins->owner.users, login->user, user);
	if (logins_response_right(login, user->password) && found == USERS_OK)
		result = SERVER_GRANTED;
	if (result == SERVER_GRANTED && login->udp &&
	    !logins_make_key(login, user->password, verdict))
		result = SERVER_FAILED;
	explicit_bzero(user->password, sizeof(user->password));
	if (found != USERS_OK && found != USERS_NOT_FOUND) {
		logins_complain(logins);
		return SERVER_FAILED;
	}
	logins->complained = false;
	verdict->user = user->id;
	return result;
}

/* lack is what verdict says if nothing is left. */
static enum server_result logins_lease_result(struct logins *logins, enum users_result result,
					      enum server_lack lack, struct server_verdict *verdict)
{
	if (result == USERS_OK)
		return SERVER_GRANTED;
	/* A user deleted between two calls is a user with a wrong password. */
	if (result == USERS_NOT_FOUND)
		return SERVER_AUTH;
	if (result != USERS_FULL)
		return logins_failed_lease(logins);
	verdict->lack = lack;
	return SERVER_SOLD_OUT;
}

/* A user who had another one; length 0: none. */
static void logins_say_moved(const struct user *user, const struct prefix6 *old,
			     const struct prefix6 *lease)
{
	char old_text[PREFIX6_STRLEN];
	char text[PREFIX6_STRLEN];

	if (old->len > 0 && !prefix6_equal(old, lease))
		log_info("user %s: %s is not the server's to give any more; moved to %s",
			 user->name, prefix6_format(old, old_text), prefix6_format(lease, text));
}

/* me6 and her6 out of the host prefix. */
static enum server_result logins_number(struct logins *logins, struct user *user,
					struct server_verdict *verdict)
{
	const struct prefix6 *prefix = &logins->owner.options->host_prefix;
	const struct prefix6 old = {.addr = user->host, .len = user->has_host ? 128 : 0};
	enum users_result leased = users_lease_host(logins->owner.users, user, prefix);

	if (leased == USERS_OK)
		logins_say_moved(user, &old, &(const struct prefix6){user->host, 128});
	verdict->me6 = user->host;
	verdict->numbered = 1;
	verdict->her6 = prefix6_first(prefix);
	return logins_lease_result(logins, leased, SERVER_NO_ADDRESS, verdict);
}

/* The delegated prefix. */
static enum server_result logins_delegate(struct logins *logins, struct user *user,
					  struct server_verdict *verdict)
{
	const struct server_options *options = logins->owner.options;
	const struct prefix6 old = {.addr = user->network.addr,
				    .len = user->has_network ? user->network.len : 0};
	enum users_result leased = users_lease_network(logins->owner.users, user,
						       options->has_pool ? &options->pool : NULL,
						       (uint8_t)options->network_length);

	if (leased == USERS_OK)
		logins_say_moved(user, &old, &user->network);
	verdict->has_prefix = 1;
	verdict->prefix = user->network;
	return logins_lease_result(logins, leased,
				   options->has_pool ? SERVER_NO_PREFIX : SERVER_NO_POOL, verdict);
}

static enum server_result logins_lease(struct logins *logins, const struct server_login *login,
				       struct user *user, struct server_verdict *verdict)
{
	const struct server_options *options = logins->owner.options;
	enum server_result result = SERVER_GRANTED;

	switch ((enum tunnel_type)login->type) {
	case TUNNEL_ONLY:
		/* A prefix that was only leased from the pool is for network tunnels. */
		verdict->has_prefix = user->has_fixed;
		verdict->prefix = user->network;
		return SERVER_GRANTED;
	case TUNNEL_HOST:
		return options->has_host ? logins_number(logins, user, verdict) : SERVER_TYPE;
	case TUNNEL_NETWORK:
		if (options->numbered)
			result = logins_number(logins, user, verdict);
		return result == SERVER_GRANTED ? logins_delegate(logins, user, verdict) : result;
	case TUNNEL_NONE:
		break;
	}
	return SERVER_TYPE;
}

static void logins_answer(struct logins *logins, struct server_grant *grant)
{
	struct login *login = &logins->list[grant->verdict.id];

	login->state = LOGIN_REFUSED;
	if (grant->verdict.result == SERVER_GRANTED) {
		login->state = LOGIN_GRANTED;
		login->said = grant->verdict;
		explicit_bzero(login->said.key, sizeof(login->said.key));
		hash_insert(&logins->by_user, &login->by_user, (uint64_t)grant->verdict.user,
			    login);
	}
	logins->owner.answer(grant, logins->owner.arg);
	explicit_bzero(grant->verdict.key, sizeof(grant->verdict.key));
}

bool logins_ask(struct logins *logins, const struct server_login *login)
{
	struct server_grant grant = {
		.verdict = {.id = login->id}, .type = login->type, .local = login->local};
	struct server_verdict *verdict = &grant.verdict;
	enum server_result result;
	struct user user;

	if (!logins_check(logins, login))
		return false;
	/* What an administrator has just taken from one user may be what this one gets. */
	logins_recheck(logins);
	result = logins_verify(logins, login, &user, verdict);
	if (result == SERVER_GRANTED)
		result = logins_permit(logins, login, &user.limits, verdict);
	if (result == SERVER_GRANTED)
		result = logins_lease(logins, login, &user, verdict);
	verdict->result = result;
	logins->list[login->id].asked = *login;
	logins->list[login->id].state = LOGIN_ASKED;
	if (login->id >= logins->top)
		logins->top = login->id + 1;
	/* What others have noted before counts for them as well. */
	if (users_gathered(logins->owner.users)) {
		logins->later[logins->n_later++] = grant;
		explicit_bzero(verdict->key, sizeof(verdict->key));
	} else {
		logins_answer(logins, &grant);
	}
	if (logins->n_later == LOGINS_BATCH)
		logins_flush(logins);
	return true;
}

void logins_flush(struct logins *logins)
{
	enum users_result noted;

	if (logins->n_later == 0)
		return;
	noted = users_flush(logins->owner.users);
	for (size_t i = 0; i < logins->n_later; i++) {
		struct server_verdict *verdict = &logins->later[i].verdict;

		if (noted != USERS_OK && verdict->result == SERVER_GRANTED) {
			explicit_bzero(verdict->key, sizeof(verdict->key));
			*verdict = (struct server_verdict){
				.id = verdict->id,
				.user = verdict->user,
				.result = logins_failed_lease(logins),
			};
		}
		logins_answer(logins, &logins->later[i]);
	}
	logins->n_later = 0;
}

bool logins_end(struct logins *logins, uint32_t id, bool *granted)
{
	if (id >= logins->top || logins->list[id].state < LOGIN_REFUSED)
		return false;
	*granted = logins->list[id].state == LOGIN_GRANTED;
	if (*granted)
		hash_remove(&logins->by_user, &logins->list[id].by_user);
	logins->list[id] = (struct login){.state = LOGIN_NONE};
	return true;
}

/* Why a login cannot stay, now that its user is as the database has it; 0: it can. */
static uint32_t logins_why(const struct login *login, const struct user *user)
{
	const struct server_verdict *said = &login->said;

	if (user->id != said->user)
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
	if (said->has_prefix &&
	    !(user->has_network && prefix6_equal(&user->network, &said->prefix)))
		return SERVER_WHY_ADDRESSES;
	if (said->numbered && !(user->has_host && IN6_ARE_ADDR_EQUAL(&user->host, &said->me6)))
		return SERVER_WHY_ADDRESSES;
	return 0;
}

/* Looks at one login again. False if the database cannot be read. */
static bool logins_recheck_one(struct logins *logins, const struct login *login)
{
	struct user user = {.id = 0};
	enum users_result result = users_find(logins->owner.users, login->asked.user, &user);
	uint32_t why = result == USERS_OK ? logins_why(login, &user) : SERVER_WHY_DELETED;

	explicit_bzero(user.password, sizeof(user.password));
	/* That is no reason to end anybody's session, and the others would fail as well. */
	if (result != USERS_OK && result != USERS_NOT_FOUND)
		return false;
	if (why)
		logins->owner.revoked((uint32_t)(login - logins->list), why, logins->owner.arg);
	return true;
}

/* users_changes() goes on as long as true is returned. */
static bool logins_on_change(int64_t user, void *arg)
{
	struct logins *logins = arg;
	bool read = true;

	/* Nobody can be told that a session is revoked before its verdict. */
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
 * Looks at the users whose accounts expire now. Their time is kept, not a timer, so that it counts
 * as well if somebody sets the clock.
 */
static bool logins_expire(struct logins *logins)
{
	struct users *users = logins->owner.users;
	int64_t now = (int64_t)time(NULL);
	int64_t before = logins->looked_at < now ? logins->looked_at : now;
	enum users_result result = USERS_OK;

	/* The next one may be another one after a clock that went back. */
	if (now < logins->looked_at)
		logins->expiry_stale = true;
	if (logins->expiry_stale)
		result = users_next_expiry(users, before, &logins->next_expiry);
	if (result == USERS_OK)
		logins->expiry_stale = false;
	if (result == USERS_OK && logins->next_expiry != 0 && now >= logins->next_expiry) {
		/* This finds the next one at the next call. */
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
