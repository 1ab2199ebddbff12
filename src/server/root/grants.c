/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/grants.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "netconf/sockets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Logins whose leases are noted together; so many does control ask about at a time. */
enum { GRANTS_BATCH = 64 };

/* How often a trouble of the database is said while it lasts. */
enum { GRANTS_COMPLAIN_MS = 60000 };

struct grant {
	bool used;
	struct hash_node by_user;
	struct server_login login; /* as verified: its digest proves the password again */
	int64_t user; /* the user's number: another one of that name is somebody else */
	bool has_prefix, numbered;
	struct prefix6 prefix; /* what was given; the database must still say so */
	struct in6_addr me6;
	uint32_t device; /* number of its own TUN device; 0: it has none */
	bool has_route;	 /* its prefix is led to the shared device */
	bool has_host;	 /* and so is its address */
};

struct grants {
	struct grants_owner owner;
	struct grant *list;  /* by session id */
	struct hash by_user; /* user numbers are the database's: nobody outside can choose them */
	uint32_t top;	     /* ids at and above it have never been used */
	uint32_t count;	     /* of those in use */
	bool complained;     /* about the database, that it cannot be read */
	int64_t complain_at; /* ms: not before then about a lease that cannot be noted */
	size_t n_later;
	struct server_verdict later[GRANTS_BATCH]; /* until their leases are noted */
};

struct grants *grants_new(const struct grants_owner *owner)
{
	struct grants *grants = calloc(1, sizeof(*grants));

	if (!grants)
		return NULL;
	grants->owner = *owner;
	grants->list = calloc(server_options_ids(owner->options), sizeof(*grants->list));
	if (!grants->list || hash_init(&grants->by_user) != 0) {
		grants_free(grants);
		return NULL;
	}
	if (owner->decided)
		users_gather(owner->users);
	return grants;
}

void grants_free(struct grants *grants)
{
	if (!grants)
		return;
	hash_free(&grants->by_user);
	free(grants->list);
	free(grants);
}

static bool grants_ends(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

/* True where a message of control's is one that it can rightly send. */
static bool grants_check(const struct grants *grants, const struct server_login *login)
{
	return login->id < server_options_ids(grants->owner.options) &&
	       !grants->list[login->id].used && login->type <= TUNNEL_NETWORK &&
	       grants_ends(login->user, sizeof(login->user)) &&
	       grants_ends(login->challenge, sizeof(login->challenge)) &&
	       grants_ends(login->response, sizeof(login->response)) && login->udp <= 1 &&
	       dtcp_endpoint_valid(login->peer) && dtcp_endpoint_valid(login->local);
}

/*
 * The address that a client came to, as control says, becomes one of the tunnel's. One that was
 * taken from the machine since then is no crime of control's, so this only fails the login.
 */
static bool grants_is_here(const struct grants *grants, const struct server_login *login)
{
	char text[INET_ADDRSTRLEN];

	if (grants->owner.options->address.s_addr || sockets_is_here(login->local))
		return true;
	log_warnx("user %s: refused, since %s is no address of this machine", login->user,
		  inet_ntop(AF_INET, &login->local, text, sizeof(text)));
	return false;
}

/* True where the response proves that its sender knows the password. */
static bool grants_response_right(const struct server_login *login, const char *password)
{
	char expected[DTCP_RESPONSE_SIZE];
	bool right = digest_response(login->user, login->challenge, password, expected) &&
		     digest_equal(expected, login->response);

	explicit_bzero(expected, sizeof(expected));
	return right;
}

/* Says once what is wrong with the database, until it is well again. */
static void grants_complain(struct grants *grants)
{
	if (!grants->complained)
		log_warnx("%s", users_error(grants->owner.users));
	grants->complained = true;
}

static enum server_result grants_failed(struct grants *grants)
{
	grants_complain(grants);
	return SERVER_FAILED;
}

/*
 * The same for a lease that could not be noted. That users are found tells nothing about that, nor
 * do leases that were noted earlier, so it is not known when all is well again.
 */
static enum server_result grants_failed_lease(struct grants *grants)
{
	int64_t now = clock_ms();

	if (now >= grants->complain_at) {
		log_warnx("%s", users_error(grants->owner.users));
		grants->complain_at = now + GRANTS_COMPLAIN_MS;
	}
	return SERVER_FAILED;
}

/* The number and the key of a session over UDP. */
static bool grants_make_key(const struct server_login *login, const char *password,
			    struct server_verdict *verdict)
{
	do
		arc4random_buf(&verdict->session, sizeof(verdict->session));
	while (verdict->session == 0);
	return probe_key(password, login->user, login->challenge, verdict->session, verdict->key);
}

/*
 * Who it is; an unknown user costs the same computation as a wrong password. user is filled but for
 * the password; verdict gets the user's number and, where it is wanted, the key.
 */
static enum server_result grants_verify(struct grants *grants, const struct server_login *login,
					struct user *user, struct server_verdict *verdict)
{
	enum users_result found = USERS_NOT_FOUND;
	enum server_result result = SERVER_AUTH;

	*user = (struct user){.password = "no such user"};
	if (dtcp_user_valid(login->user))
		found = users_find(grants->owner.users, login->user, user);
	if (grants_response_right(login, user->password) && found == USERS_OK)
		result = SERVER_GRANTED;
	if (result == SERVER_GRANTED && login->udp &&
	    !grants_make_key(login, user->password, verdict))
		result = SERVER_FAILED;
	explicit_bzero(user->password, sizeof(user->password));
	if (found != USERS_OK && found != USERS_NOT_FOUND)
		return grants_failed(grants);
	grants->complained = false;
	verdict->user = user->id;
	return result;
}

static enum server_result grants_lease_result(struct grants *grants, enum users_result result)
{
	if (result == USERS_OK)
		return SERVER_GRANTED;
	/* A user deleted between two calls is a user with a wrong password. */
	if (result == USERS_NOT_FOUND)
		return SERVER_AUTH;
	return result == USERS_FULL ? SERVER_SOLD_OUT : grants_failed_lease(grants);
}

/* A user who had another one; length 0: none. */
static void grants_say_moved(const struct user *user, const struct prefix6 *old,
			     const struct prefix6 *lease)
{
	char old_text[PREFIX6_STRLEN];
	char text[PREFIX6_STRLEN];

	if (old->len > 0 && !prefix6_equal(old, lease))
		log_info("user %s: %s is not the server's to give any more; moved to %s",
			 user->name, prefix6_format(old, old_text), prefix6_format(lease, text));
}

/* me6 and her6 out of the host prefix. */
static enum server_result grants_number(struct grants *grants, struct user *user,
					struct grant *grant, struct server_verdict *verdict)
{
	const struct prefix6 *prefix = &grants->owner.options->host_prefix;
	const struct prefix6 old = {.addr = user->host, .len = user->has_host ? 128 : 0};
	enum server_result result =
		grants_lease_result(grants, users_lease_host(grants->owner.users, user, prefix));

	if (result == SERVER_GRANTED) {
		const struct prefix6 host = {user->host, 128};

		grants_say_moved(user, &old, &host);
		grant->me6 = user->host;
		grant->has_host = links_route_add(grants->owner.links, &host) == 0;
		if (!grant->has_host)
			result = SERVER_FAILED;
	}
	verdict->me6 = user->host;
	verdict->lack = SERVER_NO_ADDRESS;
	verdict->numbered = 1;
	verdict->her6 = prefix6_first(prefix);
	return result;
}

/* What of the server's own a prefix would take away; 0: nothing. */
static uint32_t grants_takes(const struct server_options *options, const struct prefix6 *prefix)
{
	const struct in6_addr own = prefix6_first(&options->pool);

	if (options->has_pool && prefix6_has(prefix, &own))
		return SERVER_PREFIX_OWN;
	return options->has_host && prefix6_overlaps(prefix, &options->host_prefix)
		       ? SERVER_PREFIX_HOST
		       : 0;
}

/* The delegated prefix. */
static enum server_result grants_delegate(struct grants *grants, struct user *user,
					  struct grant *grant, struct server_verdict *verdict)
{
	const struct server_options *options = grants->owner.options;
	const struct prefix6 old = {.addr = user->network.addr,
				    .len = user->has_network ? user->network.len : 0};
	enum server_result result = grants_lease_result(
		grants, users_lease_network(grants->owner.users, user,
					    options->has_pool ? &options->pool : NULL,
					    (uint8_t)options->network_length));

	verdict->prefix = user->network;
	verdict->lack = options->has_pool ? SERVER_NO_PREFIX : SERVER_NO_POOL;
	if (result != SERVER_GRANTED)
		return result;
	grants_say_moved(user, &old, &user->network);
	verdict->has_prefix = 1;
	verdict->lack = grants_takes(options, &verdict->prefix);
	if (verdict->lack)
		return SERVER_SOLD_OUT;
	/* An older session of the same user, about to be replaced, has the same. */
	grant->prefix = verdict->prefix;
	grant->has_route = links_route_add(grants->owner.links, &verdict->prefix) == 0;
	return grant->has_route ? SERVER_GRANTED : SERVER_FAILED;
}

static struct in_addr grants_her(const struct grants *grants, const struct server_login *login)
{
	const struct server_options *options = grants->owner.options;

	return options->address.s_addr ? options->address : login->local;
}

/*
 * A TUN device for a session without addresses of ours. A prefix that was fixed for the user is
 * routed to it; one that was only leased from the pool is for network tunnels.
 */
static enum server_result grants_own_device(const struct grants *grants,
					    const struct server_login *login,
					    const struct user *user, struct grant *grant,
					    struct server_verdict *verdict)
{
	verdict->has_prefix = user->has_fixed;
	verdict->prefix = user->network;
	if (verdict->has_prefix)
		verdict->lack = grants_takes(grants->owner.options, &verdict->prefix);
	if (verdict->lack)
		return SERVER_SOLD_OUT;
	if (links_open(grants->owner.links, verdict->user, grants_her(grants, login),
		       verdict->has_prefix ? &verdict->prefix : NULL, &grant->device) != 0)
		return SERVER_FAILED;
	verdict->device = grant->device;
	return SERVER_GRANTED;
}

static enum server_result grants_provide(struct grants *grants, const struct server_login *login,
					 struct user *user, struct grant *grant,
					 struct server_verdict *verdict)
{
	const struct server_options *options = grants->owner.options;
	enum server_result result = SERVER_GRANTED;

	switch ((enum tunnel_type)login->type) {
	case TUNNEL_ONLY:
		if (!options->tunnelonly)
			return SERVER_TYPE;
		return grants_own_device(grants, login, user, grant, verdict);
	case TUNNEL_HOST:
		if (!options->has_host)
			return SERVER_TYPE;
		links_link_local(grants->owner.links, grants_her(grants, login));
		return grants_number(grants, user, grant, verdict);
	case TUNNEL_NETWORK:
		links_link_local(grants->owner.links, grants_her(grants, login));
		if (options->numbered)
			result = grants_number(grants, user, grant, verdict);
		if (result == SERVER_GRANTED)
			result = grants_delegate(grants, user, grant, verdict);
		return result;
	case TUNNEL_NONE:
		break;
	}
	return SERVER_TYPE;
}

static void grants_unroute(const struct grants *grants, const struct grant *grant)
{
	const struct prefix6 host = {grant->me6, 128};

	if (grant->has_host)
		links_route_remove(grants->owner.links, &host);
	if (grant->has_route)
		links_route_remove(grants->owner.links, &grant->prefix);
}

bool grants_login(struct grants *grants, const struct server_login *login,
		  struct server_verdict *verdict)
{
	struct grant grant = {.used = true, .login = *login};
	enum server_result result;
	struct user user;

	if (!grants_check(grants, login))
		return false;
	/* What an administrator has just taken from one user may be what this one gets. */
	grants_recheck(grants);
	*verdict = (struct server_verdict){.id = login->id};
	result = grants_verify(grants, login, &user, verdict);
	if (result == SERVER_GRANTED && !grants_is_here(grants, login))
		result = SERVER_FAILED;
	/* Only now, so that nobody learns about the server without a password. */
	if (result == SERVER_GRANTED && login->udp && !grants->owner.options->udp)
		result = SERVER_TRANSPORT;
	if (result == SERVER_GRANTED)
		result = grants_provide(grants, login, &user, &grant, verdict);
	verdict->result = result;
	if (result == SERVER_GRANTED) {
		grant.user = verdict->user;
		grant.has_prefix = verdict->has_prefix;
		grant.prefix = verdict->prefix;
		grant.numbered = verdict->numbered;
		grant.me6 = verdict->me6;
		grants->list[login->id] = grant;
		hash_insert(&grants->by_user, &grants->list[login->id].by_user,
			    (uint64_t)grant.user, &grants->list[login->id]);
		grants->count++;
		if (login->id >= grants->top)
			grants->top = login->id + 1;
	} else {
		grants_unroute(grants, &grant);
	}
	/* What others have noted before counts for them as well. */
	if (grants->owner.decided && users_gathered(grants->owner.users)) {
		grants->later[grants->n_later++] = *verdict;
		explicit_bzero(verdict->key, sizeof(verdict->key));
		verdict->result = GRANTS_LATER;
	}
	if (grants->n_later == GRANTS_BATCH)
		grants_flush(grants);
	return true;
}

void grants_flush(struct grants *grants)
{
	enum users_result noted;

	if (grants->n_later == 0)
		return;
	noted = users_flush(grants->owner.users);
	for (size_t i = 0; i < grants->n_later; i++) {
		struct server_verdict *verdict = &grants->later[i];

		if (noted != USERS_OK && verdict->result == SERVER_GRANTED) {
			(void)grants_logout(grants, verdict->id);
			*verdict = (struct server_verdict){
				.id = verdict->id,
				.user = verdict->user,
				.result = grants_failed_lease(grants),
			};
		}
		grants->owner.decided(verdict, grants->owner.arg);
		explicit_bzero(verdict->key, sizeof(verdict->key));
	}
	grants->n_later = 0;
}

bool grants_logout(struct grants *grants, uint32_t id)
{
	if (id >= grants->top || !grants->list[id].used)
		return false;

	struct grant grant = grants->list[id];

	hash_remove(&grants->by_user, &grants->list[id].by_user);
	grants->list[id] = (struct grant){.used = false};
	grants->count--;
	if (grant.device)
		links_close(grants->owner.links, grant.device);
	grants_unroute(grants, &grant);
	return true;
}

uint32_t grants_count(const struct grants *grants)
{
	return grants->count;
}

/* True where the database still has the user of a grant, with password and addresses as then. */
static bool grants_stands(const struct grant *grant, const struct user *user)
{
	return user->id == grant->user && grants_response_right(&grant->login, user->password) &&
	       (!grant->has_prefix ||
		(user->has_network && prefix6_equal(&user->network, &grant->prefix))) &&
	       (!grant->numbered ||
		(user->has_host && IN6_ARE_ADDR_EQUAL(&user->host, &grant->me6)));
}

/* Looks at one session again. False where the database cannot be read. */
static bool grants_recheck_one(struct grants *grants, const struct grant *grant)
{
	struct user user = {.id = 0};
	enum users_result result = users_find(grants->owner.users, grant->login.user, &user);
	bool stands = result == USERS_OK && grants_stands(grant, &user);

	explicit_bzero(user.password, sizeof(user.password));
	/* That is no reason to end anybody's session, and the others would fail as well. */
	if (result != USERS_OK && result != USERS_NOT_FOUND)
		return false;
	if (!stands)
		grants->owner.revoked((uint32_t)(grant - grants->list), grants->owner.arg);
	return true;
}

/* users_changes() goes on as long as true is returned. */
static bool grants_on_change(int64_t user, void *arg)
{
	struct grants *grants = arg;
	bool read = true;

	/* Nobody can be told that a session is revoked before its verdict. */
	grants_flush(grants);
	if (user == USERS_EVERYBODY) {
		for (uint32_t id = 0; read && id < grants->top; id++)
			read = !grants->list[id].used ||
			       grants_recheck_one(grants, &grants->list[id]);
	} else {
		for (struct hash_node *node = hash_first(&grants->by_user, (uint64_t)user);
		     read && node; node = hash_next(node))
			read = grants_recheck_one(grants, node->item);
	}
	if (read)
		grants->complained = false;
	else
		grants_complain(grants);
	return read;
}

void grants_recheck(struct grants *grants)
{
	if (users_changes(grants->owner.users, grants_on_change, grants) != USERS_OK)
		grants_complain(grants);
}
