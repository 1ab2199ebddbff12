/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/accounts/logins_parts.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Interval at which a lasting error of the database is logged. */
enum { LOGINS_COMPLAIN_MS = 60000 };

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
	for (uint32_t id = 0; id < logins->top; id++)
		free(logins->list[id].prefixes);
	free(logins->list);
	free(logins);
}

static bool logins_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

/* Whether a message of control is valid. */
static bool logins_check(const struct logins *logins, const struct server_login *login)
{
	return login->id < server_options_ids(logins->owner.options) &&
	       logins->list[login->id].state == LOGIN_NONE && login->type <= TUNNEL_NETWORK &&
	       logins_ends(login->user, sizeof(login->user)) &&
	       logins_ends(login->challenge, sizeof(login->challenge)) &&
	       logins_ends(login->response, sizeof(login->response)) && login->udp <= 1 &&
	       dtcp_endpoint_valid(login->peer) && dtcp_endpoint_valid(login->local);
}

bool logins_response_right(const struct server_login *login, const char *password)
{
	char expected[DTCP_RESPONSE_SIZE];
	bool right = digest_response(login->user, login->challenge, password, expected) &&
		     digest_equal(expected, login->response);

	explicit_bzero(expected, sizeof(expected));
	return right;
}

/* What is wrong with the database. */
static void logins_say_trouble(struct logins *logins)
{
	(void)strlcpy(logins->trouble, users_error(logins->owner.users), sizeof(logins->trouble));
	log_warnx("%s", logins->trouble);
}

void logins_complain(struct logins *logins)
{
	if (!logins->complained)
		logins_say_trouble(logins);
	logins->complained = true;
}

/*
 * The same for a lease that could not be written. Neither successful look-ups nor existing leases
 * show when this works again.
 */
static enum server_result logins_failed_lease(struct logins *logins)
{
	int64_t now = clock_ms();

	if (now >= logins->complain_at) {
		logins_say_trouble(logins);
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

enum users_transport logins_transport(const struct server_login *login)
{
	return login->udp ? USERS_UDP : USERS_PROTO41;
}

/*
 * Why a user who knows the password may not log in. Only such users are told, so nobody learns
 * about users or the server without a password.
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
 * Verifies the login; an unknown user costs the same computation as a wrong password. Fills user
 * except for the password; verdict gets the user's number and, if wanted, the key.
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

/* lack is the reason in verdict if nothing is left. */
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

/* Logs a lease that has moved; length 0: there was none. */
static void logins_say_moved(const struct user *user, const struct prefix6 *old,
			     const struct prefix6 *lease)
{
	char old_text[PREFIX6_STRLEN];
	char text[PREFIX6_STRLEN];
	struct log_record record;

	if (old->len == 0 || prefix6_equal(old, lease))
		return;
	log_record_begin(&record, LOG_INFO, "lease-moved",
			 "a lease that is not the server's to give any more has moved");
	log_record_text(&record, "user", "%s", user->name);
	log_record_text(&record, "from", "%s", prefix6_format(old, old_text));
	log_record_text(&record, "to", "%s", prefix6_format(lease, text));
	log_event(&record);
}

/* Assigns me6 and her6 from the host prefix. */
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

/* The delegated prefixes. */
static enum server_result logins_delegate(struct logins *logins, struct user *user,
					  struct server_verdict *verdict)
{
	const struct server_options *options = logins->owner.options;
	const struct prefix6 old =
		user->networks.n ? user->networks.list[0] : (struct prefix6){.len = 0};
	enum users_result leased = users_lease_network(logins->owner.users, user,
						       options->has_pool ? &options->pool : NULL,
						       (uint8_t)options->network_length);

	if (leased == USERS_OK)
		logins_say_moved(user, &old, &user->networks.list[0]);
	verdict->prefixes = user->networks;
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
		if (user->has_fixed)
			verdict->prefixes = user->networks;
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

/* Stores what a login is granted. False after logging that memory is short. */
static bool logins_keep(struct login *login, const struct server_verdict *verdict)
{
	login->prefixes = prefix6_set_pack(&verdict->prefixes);
	if (verdict->prefixes.n > 0 && !login->prefixes) {
		log_warnx("out of memory");
		return false;
	}
	login->user = verdict->user;
	login->numbered = verdict->numbered;
	login->me6 = verdict->me6;
	return true;
}

/* A login that was to be granted is not. */
static void logins_fail(struct server_verdict *verdict, enum server_result result)
{
	explicit_bzero(verdict->key, sizeof(verdict->key));
	*verdict = (struct server_verdict){
		.id = verdict->id,
		.user = verdict->user,
		.result = result,
	};
}

static void logins_answer(struct logins *logins, struct server_grant *grant)
{
	struct login *login = &logins->list[grant->verdict.id];

	histogram_add(&logins->measured, clock_us() - login->asked_at);
	login->state = LOGIN_REFUSED;
	if (grant->verdict.result == SERVER_GRANTED && !logins_keep(login, &grant->verdict))
		logins_fail(&grant->verdict, SERVER_FAILED);
	if (grant->verdict.result == SERVER_GRANTED) {
		login->state = LOGIN_GRANTED;
		hash_insert(&logins->by_user, &login->by_user, (uint64_t)grant->verdict.user,
			    login);
	}
	logins->owner.answer(grant, logins->owner.arg);
	explicit_bzero(grant->verdict.key, sizeof(grant->verdict.key));
}

/* The result of a login, by the present database. */
static void logins_look(struct logins *logins, const struct server_login *login,
			struct server_verdict *verdict)
{
	struct user user;

	*verdict = (struct server_verdict){.id = login->id};
	verdict->result = logins_verify(logins, login, &user, verdict);
	if (verdict->result == SERVER_GRANTED)
		verdict->result = logins_permit(logins, login, &user.limits, verdict);
	if (verdict->result == SERVER_GRANTED)
		verdict->result = logins_lease(logins, login, &user, verdict);
	logins->list[login->id].fixed = user.has_fixed;
}

bool logins_ask(struct logins *logins, const struct server_login *login)
{
	struct server_grant grant = {.type = login->type, .local = login->local};
	struct server_verdict *verdict = &grant.verdict;
	uint64_t now = clock_us();
	uint64_t changes;
	bool gathered;

	if (!logins_check(logins, login))
		return false;
	gathered = users_gathered(logins->owner.users);
	if (users_snapshot_begin(logins->owner.users))
		logins_recheck(logins);
	logins_look(logins, login, verdict);
	/*
	 * The first new lease has shut everybody else out of the database. What was taken from
	 * another user until then may be this one's now, so that one's session is revoked first.
	 */
	changes = logins->changes;
	if (!gathered && users_gathered(logins->owner.users))
		logins_recheck(logins);
	if (logins->changes != changes)
		logins_look(logins, login, verdict);
	logins->list[login->id].asked = *login;
	logins->list[login->id].asked_at = now;
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

	users_snapshot_end(logins->owner.users);
	if (logins->n_later == 0)
		return;
	noted = users_flush(logins->owner.users);
	for (size_t i = 0; i < logins->n_later; i++) {
		struct server_verdict *verdict = &logins->later[i].verdict;

		if (noted != USERS_OK && verdict->result == SERVER_GRANTED)
			logins_fail(verdict, logins_failed_lease(logins));
		logins_answer(logins, &logins->later[i]);
	}
	logins->n_later = 0;
}

bool logins_granted(const struct logins *logins, uint32_t id, const struct server_login **asked,
		    struct logins_granted *said)
{
	const struct login *login = id < logins->top ? &logins->list[id] : NULL;

	if (!login || login->state != LOGIN_GRANTED)
		return false;
	*asked = &login->asked;
	*said = (struct logins_granted){.user = login->user,
					.numbered = login->numbered,
					.me6 = login->me6,
					.prefixes = prefix6_set_unpack(login->prefixes)};
	return true;
}

bool logins_end(struct logins *logins, uint32_t id, bool *granted)
{
	if (id >= logins->top || logins->list[id].state < LOGIN_REFUSED)
		return false;
	*granted = logins->list[id].state == LOGIN_GRANTED;
	if (*granted)
		hash_remove(&logins->by_user, &logins->list[id].by_user);
	free(logins->list[id].prefixes);
	logins->list[id] = (struct login){.state = LOGIN_NONE};
	return true;
}

void logins_measured(const struct logins *logins, struct histogram *out)
{
	*out = logins->measured;
}

const char *logins_trouble(const struct logins *logins)
{
	return logins->complained || clock_ms() < logins->complain_at ? logins->trouble : NULL;
}
