/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server's accounts and root's process do with the messages of control, believing none of
 * them: logins and logouts with anything in them, over a user database in memory. Root's process
 * believes none of accounts either. The kernel is a model that knows which devices and routes there
 * are; in the end there are none.
 */
#include "fuzz.h"

#include "netconf/netlink.h"
#include "netconf/sockets.h"
#include "netconf/survey.h"
#include "netconf/tun.h"
#include "server/accounts/logins.h"
#include "server/root/provision.h"
#include "users/database.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSIONS = 4, USERS = 4, INTERFACE = 100 };

/* More than there can be, one for each octet of an input; and who removes them. */
enum { DEVICES = 8192, REMOVER = 77 };

/* An address that the machine has not got. */
#define ABSENT 0xc0000204

#define PASSWORD "correct-horse-battery-staple"

static struct {
	struct fuzz_input *input;
	struct prefix6 routes[SESSIONS * (PREFIX6_SET_MAX + 1)];
	size_t n_routes;
	bool shared;	       /* the shared device is there, with the routes of the pools */
	bool devices[DEVICES]; /* that forward has, by number */
	bool lost[DEVICES];    /* and that somebody has removed, which forward has not heard of */
	bool changed;
	/* what was granted */
	bool granted[SESSIONS], revoked[SESSIONS];
	struct prefix6_set led[DEVICES]; /* what is routed to each device */
	struct server_login login[SESSIONS];
	struct server_verdict verdict[SESSIONS];
} world;

/* --- the kernel --------------------------------------------------------------------------- */

bool __wrap_sockets_is_here(struct in_addr addr);
int __wrap_tun_open(const char *name, unsigned int *index);
int __wrap_tun_look(unsigned int index, char name[static IFNAMSIZ], bool *up);
int __wrap_netlink_link_setup(struct netlink *netlink, unsigned int index, const char *alias,
			      uint32_t mtu);
int __wrap_netlink_links_delete(struct netlink *netlink, const unsigned int index[], size_t n);
pid_t __wrap_remover_start(const unsigned int index[], size_t n);
int __wrap_netlink_link_local_add(struct netlink *netlink, unsigned int index,
				  const struct in6_addr *addr);
int __wrap_netlink_link_local_ensure(struct netlink *netlink, unsigned int index,
				     const struct in6_addr *addr);
int __wrap_netlink_link_local_delete(struct netlink *netlink, unsigned int index,
				     const struct in6_addr *addr);
int __wrap_netlink_address_ensure(struct netlink *netlink, unsigned int index,
				  const struct in6_addr *addr, uint8_t len,
				  const struct in6_addr *peer);
bool __wrap_netlink_address_await(struct netlink *netlink, const struct in6_addr *addr);
int __wrap_netlink_route_ensure(struct netlink *netlink, unsigned int index,
				const struct prefix6 *prefix, uint32_t metric);
int __wrap_netlink_route_delete(struct netlink *netlink, unsigned int index,
				const struct prefix6 *prefix);
int __wrap_survey_take(struct survey *survey, struct netlink *netlink,
		       const struct prefix6 *const within[], size_t n);

static bool fails(void)
{
	return fuzz_byte(world.input) == 0xff;
}

/* Rarely, somebody has removed it. */
int __wrap_tun_look(unsigned int index, char name[static IFNAMSIZ], bool *up)
{
	unsigned int number = index - INTERFACE;

	FUZZ_CHECK(number > 0 && number < DEVICES && world.devices[number]);
	if (fails()) {
		world.devices[number] = false;
		world.lost[number] = true;
		return -ENODEV;
	}
	(void)snprintf(name, IFNAMSIZ, "dtcps%u", number);
	*up = true;
	return 0;
}

/* Of the addresses that control can name, some are not of this machine. */
bool __wrap_sockets_is_here(struct in_addr addr)
{
	return addr.s_addr != htonl(ABSENT);
}

int __wrap_tun_open(const char *name, unsigned int *index)
{
	unsigned long number = strtoul(name + 5, NULL, 10);

	FUZZ_CHECK(strncmp(name, "dtcps", 5) == 0);
	FUZZ_CHECK(number < DEVICES && !world.devices[number]);
	if (number != 0 && fails())
		return -EBUSY;
	*index = INTERFACE + (unsigned int)number;
	world.led[number].n = 0;
	return dup(STDERR_FILENO);
}

int __wrap_netlink_link_setup(struct netlink *netlink, unsigned int index, const char *alias,
			      uint32_t mtu)
{
	(void)netlink;
	(void)alias;
	FUZZ_CHECK(index >= INTERFACE && mtu >= 1280 && mtu <= 1480);
	return index != INTERFACE && fails() ? -ENOMEM : 0;
}

/* In the end, and for those that nobody needs any more. */
int __wrap_netlink_links_delete(struct netlink *netlink, const unsigned int index[], size_t n)
{
	(void)netlink;
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK(index[i] == INTERFACE ||
			   (index[i] < INTERFACE + DEVICES && world.devices[index[i] - INTERFACE]));
	return 0;
}

pid_t __wrap_remover_start(const unsigned int index[], size_t n)
{
	FUZZ_CHECK(n > 0 && index[0] != INTERFACE);
	(void)__wrap_netlink_links_delete(NULL, index, n);
	return fails() ? -ENOMEM : REMOVER;
}

int __wrap_netlink_link_local_add(struct netlink *netlink, unsigned int index,
				  const struct in6_addr *addr)
{
	(void)netlink;
	FUZZ_CHECK(index == INTERFACE && IN6_IS_ADDR_LINKLOCAL(addr));
	return fails() ? -ENOMEM : 0;
}

int __wrap_netlink_link_local_ensure(struct netlink *netlink, unsigned int index,
				     const struct in6_addr *addr)
{
	(void)netlink;
	FUZZ_CHECK(index > INTERFACE && IN6_IS_ADDR_LINKLOCAL(addr));
	return fails() ? -ENOMEM : !world.devices[index - INTERFACE];
}

int __wrap_netlink_link_local_delete(struct netlink *netlink, unsigned int index,
				     const struct in6_addr *addr)
{
	(void)netlink;
	FUZZ_CHECK(index >= INTERFACE && IN6_IS_ADDR_LINKLOCAL(addr));
	return 0;
}

/* Of the shared device only, before anything else. */
int __wrap_netlink_address_ensure(struct netlink *netlink, unsigned int index,
				  const struct in6_addr *addr, uint8_t len,
				  const struct in6_addr *peer)
{
	(void)netlink;
	FUZZ_CHECK(index == INTERFACE && addr->s6_addr[15] == 1 && len == 128 && !peer);
	return 1;
}

bool __wrap_netlink_address_await(struct netlink *netlink, const struct in6_addr *addr)
{
	(void)netlink;
	(void)addr;
	return true;
}

/* A machine with nothing but a default route. */
int __wrap_survey_take(struct survey *survey, struct netlink *netlink,
		       const struct prefix6 *const within[], size_t n)
{
	(void)netlink;
	(void)within;
	(void)n;
	*survey = (struct survey){.routes = calloc(1, sizeof(*survey->routes))};
	FUZZ_CHECK(survey->routes);
	survey->n_routes = 1;
	return 0;
}

static struct prefix6 *route_find(const struct prefix6 *prefix)
{
	for (size_t i = 0; i < world.n_routes; i++) {
		if (world.routes[i].len == prefix->len &&
		    IN6_ARE_ADDR_EQUAL(&world.routes[i].addr, &prefix->addr))
			return &world.routes[i];
	}
	return NULL;
}

int __wrap_netlink_route_ensure(struct netlink *netlink, unsigned int index,
				const struct prefix6 *prefix, uint32_t metric)
{
	(void)netlink;
	(void)metric;
	FUZZ_CHECK(index >= INTERFACE && prefix->len > 0);
	/* Those of the pools. */
	if (index == INTERFACE && !world.shared)
		return 1;
	if (index == INTERFACE)
		FUZZ_CHECK(!route_find(prefix) &&
			   world.n_routes < sizeof(world.routes) / sizeof(world.routes[0]));
	/* A prefix of a user's is led to one place. */
	if (fails())
		return -ENOMEM;
	if (index == INTERFACE)
		world.routes[world.n_routes++] = *prefix;
	else if (!prefix6_set_has(&world.led[index - INTERFACE], prefix))
		FUZZ_CHECK(prefix6_set_add(&world.led[index - INTERFACE], prefix));
	return 1;
}

int __wrap_netlink_route_delete(struct netlink *netlink, unsigned int index,
				const struct prefix6 *prefix)
{
	struct prefix6_set *led = &world.led[index - INTERFACE];
	struct prefix6 *route = route_find(prefix);

	(void)netlink;
	if (index != INTERFACE) {
		route = NULL;
		for (uint32_t i = 0; i < led->n && !route; i++)
			route = prefix6_equal(&led->list[i], prefix) ? &led->list[i] : NULL;
	}
	FUZZ_CHECK(route && prefix6_equal(route, prefix));
	*route = index == INTERFACE ? world.routes[--world.n_routes] : led->list[--led->n];
	return 0;
}

/* --- numbers ------------------------------------------------------------------------------ */

void __wrap_arc4random_buf(void *buf, size_t size);

/* Zero is no session's number, so it has to ask again. */
void __wrap_arc4random_buf(void *buf, size_t size)
{
	static uint8_t octet;

	memset(buf, octet, size);
	octet = !octet;
}

/* --- the database ------------------------------------------------------------------------- */

enum users_result __wrap_users_ready(struct users *users);
enum users_result __wrap_users_changes(struct users *users, bool (*each)(int64_t id, void *arg),
				       void *arg);

/* There is no file that could have been exchanged. */
enum users_result __wrap_users_ready(struct users *users)
{
	(void)users;
	return USERS_OK;
}

enum users_result __wrap_users_changes(struct users *users, bool (*each)(int64_t id, void *arg),
				       void *arg)
{
	(void)users;
	if (world.changed)
		world.changed = !each(USERS_EVERYBODY, arg);
	return USERS_OK;
}

static void copy_database(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

	FUZZ_CHECK(backup && sqlite3_backup_step(backup, -1) == SQLITE_DONE);
	FUZZ_CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
}

/* A copy in memory of what users_open() makes, with four users. */
static sqlite3 *make_database(void)
{
	const struct prefix6 inside = {.addr = fuzz_ipv6("2001:db8:4200::"), .len = 40};
	const struct users_record several = {
		.name = "user3",
		.parts = USERS_PREFIX,
		.prefixes = {.n = 2,
			     .list = {{.addr = fuzz_ipv6("2001:db9::"), .len = 32},
				      {.addr = fuzz_ipv6("2001:dba::"), .len = 48}}},
	};
	char folder[] = "/tmp/dtcp-fuzz-XXXXXX";
	char other[DTCP_USER_MAX + 1];
	char path[64];
	char error[512];
	struct users *users = NULL;
	sqlite3 *memory = NULL;

	FUZZ_CHECK(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/users.db", folder);
	FUZZ_CHECK(users_open(path, USERS_CREATE, &users, error, sizeof(error)) == USERS_OK);
	FUZZ_CHECK(users_add(users, "user0", PASSWORD, NULL, other) == USERS_OK);
	FUZZ_CHECK(users_add(users, "user1", PASSWORD, NULL, other) == USERS_OK);
	FUZZ_CHECK(users_add(users, "user2", PASSWORD, &inside, other) == USERS_OK);
	FUZZ_CHECK(users_add(users, "user3", PASSWORD, NULL, other) == USERS_OK);
	FUZZ_CHECK(users_set(users, &several, other) == USERS_OK);
	FUZZ_CHECK(sqlite3_open(":memory:", &memory) == SQLITE_OK);
	copy_database(memory, users->db);
	users_close(users);
	(void)unlink(path);
	FUZZ_CHECK(rmdir(folder) == 0);
	return memory;
}

/* The same for every input. */
static struct users *the_users(void)
{
	static struct users users;
	static sqlite3 *origin;

	if (!origin) {
		origin = make_database();
		FUZZ_CHECK(sqlite3_open(":memory:", &users.db) == SQLITE_OK);
		FUZZ_CHECK(users_exec(&users, "PRAGMA foreign_keys = ON") == USERS_OK);
	}
	copy_database(users.db, origin);
	memset(users.searched, 0, sizeof(users.searched));
	users.gathered = users.spoilt = false;
	return &users;
}

/* --- the owner ---------------------------------------------------------------------------- */

static void on_device(uint32_t index, unsigned int interface, int fd, void *arg)
{
	(void)arg;
	FUZZ_CHECK(interface == INTERFACE + index);
	FUZZ_CHECK(index >= 1 && index < DEVICES && !world.devices[index] && fd != -1);
	(void)close(fd);
	world.devices[index] = true;
	world.lost[index] = false;
}

static void on_no_device(uint32_t index, void *arg)
{
	(void)arg;
	FUZZ_CHECK(index >= 1 && index < DEVICES && (world.devices[index] || world.lost[index]));
	world.lost[index] = false;
	/* No session is on it. */
	for (uint32_t id = 0; id < SESSIONS; id++)
		FUZZ_CHECK(!world.granted[id] || world.verdict[id].device != index);
	FUZZ_CHECK(world.led[index].n == 0);
	world.devices[index] = false;
}

static void on_revoked(uint32_t id, enum server_why why, void *arg)
{
	(void)arg;
	FUZZ_CHECK(why > 0 && why < SERVER_WHYS);
	FUZZ_CHECK(id < SESSIONS && world.granted[id]);
	/* Control is told before it can hear of any other login. */
	world.revoked[id] = true;
}

/* --- the script --------------------------------------------------------------------------- */

/* Nobody has what is the server's own. */
static void check_own(const struct server_options *options, const struct server_verdict *verdict)
{
	struct in6_addr own = options->host_prefix.addr;

	own.s6_addr[15] = 1;
	if (verdict->numbered) {
		FUZZ_CHECK(IN6_ARE_ADDR_EQUAL(&verdict->her6, &own));
		FUZZ_CHECK(prefix6_has(&options->host_prefix, &verdict->me6));
		FUZZ_CHECK(!IN6_ARE_ADDR_EQUAL(&verdict->me6, &own));
	}
	own = options->pool.addr;
	own.s6_addr[15] = 1;
	for (uint32_t i = 0; i < verdict->prefixes.n; i++) {
		const struct prefix6 *prefix = &verdict->prefixes.list[i];

		FUZZ_CHECK(!options->has_host || !prefix6_overlaps(prefix, &options->host_prefix));
		FUZZ_CHECK(!options->has_pool || !prefix6_has(prefix, &own));
	}
}

/* Sessions of one user have one device, which nobody else has. */
static void check_device(const struct server_verdict *verdict)
{
	FUZZ_CHECK(verdict->device < DEVICES && world.devices[verdict->device]);
	for (uint32_t id = 0; id < SESSIONS; id++) {
		const struct server_verdict *other = &world.verdict[id];

		if (world.granted[id] && other->device != 0)
			FUZZ_CHECK((other->device == verdict->device) ==
				   (other->user == verdict->user));
	}
}

/* No two users have anything in common. */
static void check_others(const struct server_verdict *verdict)
{
	for (uint32_t id = 0; id < SESSIONS; id++) {
		const struct server_verdict *other = &world.verdict[id];

		if (!world.granted[id] || world.revoked[id] || other->user == verdict->user)
			continue;
		for (uint32_t i = 0; i < verdict->prefixes.n; i++) {
			for (uint32_t j = 0; j < other->prefixes.n; j++)
				FUZZ_CHECK(!prefix6_overlaps(&verdict->prefixes.list[i],
							     &other->prefixes.list[j]));
		}
		if (verdict->numbered && other->numbered)
			FUZZ_CHECK(!IN6_ARE_ADDR_EQUAL(&verdict->me6, &other->me6));
	}
}

/* The two, and what the first has said last. */
struct pair {
	struct logins *logins;
	struct provision *provision;
	struct server_grant said;
};

static void on_answer(const struct server_grant *grant, void *arg)
{
	struct pair *pair = arg;

	pair->said = *grant;
}

/* A process that was taken over says something else: nothing of it can be more than it may be. */
static void forge(const struct pair *pair, const struct server_options *options,
		  struct fuzz_input *input)
{
	struct server_grant grant = pair->said;
	struct server_verdict verdict;

	fuzz_spoil(input, &grant, sizeof(grant));
	if (!provision_grant(pair->provision, &grant, &verdict))
		return;
	FUZZ_CHECK(verdict.id < SESSIONS && !world.granted[verdict.id]);
	if (verdict.result == SERVER_GRANTED)
		check_own(options, &verdict);
	if (grant.verdict.result == SERVER_GRANTED)
		FUZZ_CHECK(provision_end(pair->provision, verdict.id));
	FUZZ_CHECK(!provision_knows(pair->provision, verdict.id));
}

static void log_in(struct pair *pair, const struct server_options *options,
		   struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	struct server_login login = {
		.id = what % SESSIONS,
		.type = TUNNEL_ONLY + what / 4 % 3,
		.udp = what / 16 % 2,
		.peer = fuzz_ipv4("198.51.100.2"),
		.local = {htonl(0xc0000201 + fuzz_below(input, 32))},
		.challenge = "0B1517C87D516A5FA65BED722D51A04F",
	};
	struct server_verdict verdict;
	bool right = what & 128, taken, granted;

	(void)snprintf(login.user, sizeof(login.user), "user%u", fuzz_below(input, USERS + 1));
	FUZZ_CHECK(digest_response(login.user, login.challenge, right ? PASSWORD : "wrong",
				   login.response));
	if (what & 64)
		fuzz_fill(input, &login, sizeof(login));
	taken = login.id < SESSIONS && world.granted[login.id];
	memset(&pair->said, 'x', sizeof(pair->said));
	memset(&verdict, 'x', sizeof(verdict));
	if (!logins_ask(pair->logins, &login)) {
		FUZZ_CHECK(taken || what & 64);
		return;
	}
	logins_flush(pair->logins);
	FUZZ_CHECK(!taken && login.id < SESSIONS && pair->said.verdict.id == login.id);
	FUZZ_CHECK(provision_grant(pair->provision, &pair->said, &verdict));
	FUZZ_CHECK(verdict.id == login.id);
	FUZZ_CHECK(verdict.result >= SERVER_GRANTED && verdict.result <= SERVER_FAILED);
	if (verdict.result != SERVER_GRANTED) {
		FUZZ_CHECK(logins_end(pair->logins, login.id, &granted));
		FUZZ_CHECK(granted == provision_knows(pair->provision, login.id));
		if (granted)
			FUZZ_CHECK(provision_end(pair->provision, login.id));
		return;
	}
	/* By the right password only, and with what was asked for. */
	FUZZ_CHECK(right && !(what & 64) && verdict.user > 0);
	FUZZ_CHECK((verdict.device != 0) == (login.type == TUNNEL_ONLY));
	if (verdict.device != 0)
		check_device(&verdict);
	FUZZ_CHECK(login.type == TUNNEL_ONLY ||
		   (verdict.prefixes.n > 0) == (login.type == TUNNEL_NETWORK));
	if (verdict.device != 0)
		FUZZ_CHECK(prefix6_set_equal(&world.led[verdict.device], &verdict.prefixes));
	FUZZ_CHECK((verdict.session != 0) == (login.udp != 0));
	FUZZ_CHECK(options->address.s_addr || login.local.s_addr != htonl(ABSENT));
	check_own(options, &verdict);
	world.granted[login.id] = true;
	world.revoked[login.id] = false;
	world.login[login.id] = login;
	world.verdict[login.id] = verdict;
	check_others(&verdict);
}

static void log_out(struct pair *pair, uint32_t id)
{
	bool there = id < SESSIONS && world.granted[id];
	bool granted = false;

	FUZZ_CHECK(logins_end(pair->logins, id, &granted) == there && granted == there);
	FUZZ_CHECK(provision_end(pair->provision, id) == there);
	if (there)
		world.granted[id] = false;
}

static void administer(struct users *users, struct fuzz_input *input)
{
	char name[8];

	(void)snprintf(name, sizeof(name), "user%u", fuzz_below(input, USERS));
	switch (fuzz_below(input, 3)) {
	case 0:
		(void)users_delete(users, name);
		break;
	case 1:
		(void)users_set_password(users, name, "another");
		break;
	default:
		(void)users_set_password(users, name, PASSWORD);
		break;
	}
	world.changed = true;
}

static void configure(struct server_options *options, uint8_t what)
{
	*options = (struct server_options){
		.interface = "dtcps0",
		.mtu = 1280,
		.sessions_max = SESSIONS,
		.udp = what & 1,
		.address = what & 2 ? fuzz_ipv4("203.0.113.1") : (struct in_addr){0},
		.listen = fuzz_ipv4("192.0.2.1"),
		.has_host = what & 4,
		.host_prefix = {.addr = fuzz_ipv6("2001:db8:1::"), .len = 64},
		.has_pool = what & 8,
		.pool = {.addr = fuzz_ipv6("2001:db8:4000::"), .len = 36},
		/* Three prefixes to give away, or many. */
		.network_length = what & 16 ? 38 : 56,
		.numbered = (what & 36) == 36,
		.tunnelonly = (what & 192) != 192,
	};
}

/* A second has passed, and the devices that nobody needs are gone; or none could be removed. */
static void tidy(struct links *links)
{
	links_tidy(links);
	(void)links_reaped(links, REMOVER, 0);
}

static void play(struct pair *pair, const struct logins_owner *owner, struct links *links,
		 struct fuzz_input *input)
{
	while (input->left > 0) {
		switch (fuzz_byte(input)) {
		case 'l':
			log_in(pair, owner->options, input);
			break;
		case 'o':
			log_out(pair, fuzz_byte(input));
			break;
		case 'f':
			forge(pair, owner->options, input);
			break;
		case 'u':
			administer(owner->users, input);
			break;
		case 'r':
			logins_recheck(pair->logins);
			break;
		case 't':
			tidy(links);
			break;
		default:
			break;
		}
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct server_options options;
	const struct links_owner links_owner = {
		.options = &options,
		.device = on_device,
		.no_device = on_no_device,
	};
	struct pair pair = {.said = {.type = TUNNEL_ONLY}};
	const struct logins_owner owner = {
		.options = &options,
		.users = the_users(),
		.answer = on_answer,
		.revoked = on_revoked,
		.arg = &pair,
	};
	struct links *links;

	fuzz_secret = PASSWORD;
	memset(&world, 0, sizeof(world));
	world.input = &input;
	configure(&options, fuzz_byte(&input));
	links = links_new(&links_owner);
	FUZZ_CHECK(links && close(links_make_shared(links)) == 0);
	world.shared = true;
	pair.logins = logins_new(&owner);
	pair.provision = provision_new(&options, links);
	FUZZ_CHECK(pair.logins && pair.provision);
	play(&pair, &owner, links, &input);
	for (uint32_t id = 0; id < SESSIONS; id++)
		log_out(&pair, id);
	FUZZ_CHECK(provision_count(pair.provision) == 0 && world.n_routes == 0);
	logins_free(pair.logins);
	provision_free(pair.provision);
	links_free(links);
}
