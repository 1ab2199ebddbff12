/* SPDX-License-Identifier: BSD-2-Clause */
/* The models that stand for the database, the kernel, the limits and the log. */
#include "trio_parts.h"

#include "netconf/sockets.h"
#include "server/root/foreign.h"
#include "tests/unit/proto/addresses.h"
#include "users/history.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* What is added to a user's number for that in the database. */
enum { USER_NUMBER = 100 };

/* --- the models' world -------------------------------------------------------------------- */

static struct {
	char passwords[TRIO_USERS][16];
	bool changed;
	unsigned int devices[TRIO_USERS]; /* how many sessions have it open */
	int tuns[TRIO_USERS];
	unsigned int routes[TRIO_USERS];
} world;

static unsigned int user_of(const char *name)
{
	assert_int_equal(strncmp(name, "user", 4), 0);
	assert_true(name[4] >= '0' && name[4] < '0' + TRIO_USERS && name[5] == '\0');
	return (unsigned int)(name[4] - '0');
}

/* Outside the pool, so that root counts a route for each session. */
struct prefix6 trio_network_of(unsigned int user)
{
	struct prefix6 network = prefix("2001:db8:4200::/48");

	network.addr.s6_addr[5] = (uint8_t)(user + 1);
	return network;
}

struct in6_addr trio_host_of(unsigned int user)
{
	struct in6_addr host = addr6("2001:db8:1::10");

	host.s6_addr[15] = (uint8_t)(user + 0x10);
	return host;
}

enum users_result __wrap_users_find(struct users *users, const char *name, struct user *user);
enum users_result __wrap_users_lease_network(struct users *users, struct user *user,
					     const struct prefix6 *pool, uint8_t length);
enum users_result __wrap_users_lease_host(struct users *users, struct user *user,
					  const struct prefix6 *host_prefix);
enum users_result __wrap_users_changes(struct users *users, bool (*each)(int64_t id, void *arg),
				       void *arg);

enum users_result __wrap_users_find(struct users *users, const char *name, struct user *user)
{
	unsigned int number = user_of(name);

	(void)users;
	if (trio.find != USERS_OK)
		return trio.find;
	*user = (struct user){
		.id = USER_NUMBER + number,
		.has_host = true,
		.networks = {.n = 1, .list = {trio_network_of(number)}},
		.host = trio_host_of(number),
	};
	(void)strlcpy(user->password, world.passwords[number], sizeof(user->password));
	return USERS_OK;
}

/* Both were there when the user was found, unless there is a reason against it. */
enum users_result __wrap_users_lease_network(struct users *users, struct user *user,
					     const struct prefix6 *pool, uint8_t length)
{
	(void)users;
	(void)user;
	(void)pool;
	(void)length;
	return trio.lease;
}

enum users_result __wrap_users_lease_host(struct users *users, struct user *user,
					  const struct prefix6 *host_prefix)
{
	(void)users;
	(void)user;
	(void)host_prefix;
	return trio.lease;
}

enum users_result __wrap_users_changes(struct users *users, bool (*each)(int64_t id, void *arg),
				       void *arg)
{
	(void)users;
	if (world.changed)
		world.changed = !each(USERS_EVERYBODY, arg);
	return USERS_OK;
}

/* All is noted. */
enum users_result __wrap_users_history_close(struct users *users, int64_t now);
enum users_result __wrap_users_history_note(struct users *users, struct users_event events[],
					    size_t n, unsigned int patience);

enum users_result __wrap_users_history_close(struct users *users, int64_t now)
{
	(void)users;
	(void)now;
	return USERS_OK;
}

enum users_result __wrap_users_history_note(struct users *users, struct users_event events[],
					    size_t n, unsigned int patience)
{
	(void)users;
	(void)patience;
	for (size_t i = 0; i < n; i++) {
		struct users_session *session = &events[i].session;

		if (!events[i].ended)
			session->number = (int64_t)i + 1;
		else if (session->number == 0)
			assert_int_equal(events[events[i].beginning].session.user, session->user);
	}
	return USERS_OK;
}

/* Nobody's account expires. */
enum users_result __wrap_users_next_expiry(struct users *users, int64_t after, int64_t *when);

enum users_result __wrap_users_next_expiry(struct users *users, int64_t after, int64_t *when)
{
	(void)users;
	(void)after;
	*when = 0;
	return USERS_OK;
}

const char *__wrap_users_error(const struct users *users);

const char *__wrap_users_error(const struct users *users)
{
	(void)users;
	return "the disk is gone";
}

void trio_world_reset(void)
{
	memset(&world, 0, sizeof(world));
	for (unsigned int user = 0; user < TRIO_USERS; user++)
		(void)strlcpy(world.passwords[user], "secret", sizeof(world.passwords[user]));
}

const char *trio_password(unsigned int user)
{
	return world.passwords[user];
}

bool trio_world_holds_nothing(unsigned int user)
{
	return world.devices[user] == 0 && world.routes[user] == 0;
}

void trio_change_password(unsigned int user)
{
	(void)snprintf(world.passwords[user], sizeof(world.passwords[user]), "secret%u",
		       ++trio.changes);
	world.changed = true;
	trio.changed[user] = trio.logins;
	logins_recheck(trio.accounts);
}

/* Nobody is given a lease for the first time. */
bool __wrap_users_snapshot_begin(struct users *users);
void __wrap_users_snapshot_end(struct users *users);
void __wrap_users_gather(struct users *users);
bool __wrap_users_gathered(const struct users *users);

bool __wrap_users_snapshot_begin(struct users *users)
{
	(void)users;
	return true;
}

void __wrap_users_snapshot_end(struct users *users)
{
	(void)users;
}

void __wrap_users_gather(struct users *users)
{
	(void)users;
}

bool __wrap_users_gathered(const struct users *users)
{
	(void)users;
	return false;
}

/* --- the kernel, as links sees it --------------------------------------------------------- */

bool __wrap_sockets_is_here(struct in_addr addr);
void __wrap_links_link_local(struct links *links, struct in_addr her);
int __wrap_links_route_add(struct links *links, const struct prefix6 *prefix);
void __wrap_links_route_remove(struct links *links, const struct prefix6 *prefix);
const struct foreign *__wrap_links_foreign(struct links *links);
const struct prefix6 *__wrap_links_reserved(const struct links *links, size_t *n);
int __wrap_links_open(struct links *links, int64_t user, struct in_addr her,
		      const struct prefix6_set *prefixes, uint32_t *number);
void __wrap_links_close(struct links *links, uint32_t number);

/* What forward takes for a device, or for a socket that is silent. */
void trio_push_fd(uint32_t type, uint32_t index, int fd)
{
	const struct forward_device device = {.index = index};

	assert_int_not_equal(fd, -1);
	trio_push(TRIO_ROOT_FORWARD, type, &device, type == FORWARD_MSG_DEVICE ? sizeof(device) : 0,
		  fd);
}

bool __wrap_sockets_is_here(struct in_addr addr)
{
	(void)addr;
	return true;
}

void __wrap_links_link_local(struct links *links, struct in_addr her)
{
	(void)links;
	(void)her;
}

/* How many sessions of a user have that prefix, or that address. */
static unsigned int *routes_of(const struct prefix6 *prefix)
{
	unsigned int user = prefix->len == 128 ? prefix->addr.s6_addr[15] - 0x10u
					       : prefix->addr.s6_addr[5] - 1u;

	assert_in_range(user, 0, TRIO_USERS - 1);
	return &world.routes[user];
}

int __wrap_links_route_add(struct links *links, const struct prefix6 *prefix)
{
	(void)links;
	if (trio.kernel_fails)
		return -ENOBUFS;
	(*routes_of(prefix))++;
	return 0;
}

const struct prefix6 *__wrap_links_reserved(const struct links *links, size_t *n)
{
	(void)links;
	*n = 0;
	return NULL;
}

const struct foreign *__wrap_links_foreign(struct links *links)
{
	static const struct foreign nothing;

	(void)links;
	return &nothing;
}

void __wrap_links_route_remove(struct links *links, const struct prefix6 *prefix)
{
	(void)links;
	assert_true(*routes_of(prefix) > 0);
	(*routes_of(prefix))--;
}

int trio_open_tun(int *other)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	*other = fds[0];
	return fds[1];
}

int __wrap_links_open(struct links *links, int64_t user, struct in_addr her,
		      const struct prefix6_set *prefixes, uint32_t *number)
{
	unsigned int which = (unsigned int)(user - USER_NUMBER);

	(void)links;
	(void)her;
	(void)prefixes;
	*number = which + 1;
	if (trio.kernel_fails)
		return -ENOBUFS;
	if (world.devices[which]++ == 0)
		trio_push_fd(FORWARD_MSG_DEVICE, *number, trio_open_tun(&world.tuns[which]));
	return 0;
}

void __wrap_links_close(struct links *links, uint32_t number)
{
	const struct forward_device device = {.index = number};

	(void)links;
	assert_true(world.devices[number - 1] > 0);
	if (--world.devices[number - 1] > 0)
		return;
	close(world.tuns[number - 1]);
	trio_push(TRIO_ROOT_FORWARD, FORWARD_MSG_NO_DEVICE, &device, sizeof(device), -1);
}

/* --- limits and the log ------------------------------------------------------------------- */

enum login_limits_account __wrap_login_limits_ask(struct login_limits *login_limits,
						  struct in_addr source, const char *user,
						  bool device, int64_t now, enum dtcp_reason *why,
						  uint32_t *delay);
void __wrap_login_limits_passed(struct login_limits *login_limits, struct in_addr source,
				const char *user, int64_t now);
uint32_t __wrap_login_limits_failed(struct login_limits *login_limits,
				    enum login_limits_account account, struct in_addr source,
				    const char *user, int64_t now);
void __wrap_connection_limits_settle(struct connection_limits *connection_limits,
				     struct connection_limits_place *place);
void __wrap_connection_limits_unsettle(struct connection_limits *connection_limits,
				       struct connection_limits_place *place);
void __wrap_connection_limits_spoil(struct connection_limits *connection_limits,
				    struct connection_limits_place *place);
void __wrap_connection_limits_work(struct connection_limits *connection_limits,
				   struct connection_limits_place *place);
void __wrap_connection_limits_rest(struct connection_limits *connection_limits,
				   struct connection_limits_place *place);
void __wrap_log_info(const char *format, ...);
void __wrap_log_warn(const char *format, ...);
void __wrap_log_warnx(const char *format, ...);
void __wrap_log_limited(struct log_limit *limit, int64_t now, const char *format, ...);
void __wrap_log_event(const struct log_record *record);
void __wrap_log_event_limited(struct log_limit *limit, int64_t now,
			      const struct log_record *record);

enum login_limits_account __wrap_login_limits_ask(struct login_limits *login_limits,
						  struct in_addr source, const char *user,
						  bool device, int64_t now, enum dtcp_reason *why,
						  uint32_t *delay)
{
	(void)login_limits;
	(void)source;
	(void)user;
	(void)device;
	(void)now;
	(void)why;
	(void)delay;
	return LOGIN_LIMITS_PAIR;
}

void __wrap_login_limits_passed(struct login_limits *login_limits, struct in_addr source,
				const char *user, int64_t now)
{
	(void)login_limits;
	(void)source;
	(void)user;
	(void)now;
}

uint32_t __wrap_login_limits_failed(struct login_limits *login_limits,
				    enum login_limits_account account, struct in_addr source,
				    const char *user, int64_t now)
{
	(void)login_limits;
	(void)account;
	(void)source;
	(void)user;
	(void)now;
	return 0;
}

void __wrap_connection_limits_settle(struct connection_limits *connection_limits,
				     struct connection_limits_place *place)
{
	(void)connection_limits;
	(void)place;
}

void __wrap_connection_limits_unsettle(struct connection_limits *connection_limits,
				       struct connection_limits_place *place)
{
	(void)connection_limits;
	(void)place;
}

void __wrap_connection_limits_spoil(struct connection_limits *connection_limits,
				    struct connection_limits_place *place)
{
	(void)connection_limits;
	(void)place;
}

void __wrap_connection_limits_work(struct connection_limits *connection_limits,
				   struct connection_limits_place *place)
{
	(void)connection_limits;
	(void)place;
}

void __wrap_connection_limits_rest(struct connection_limits *connection_limits,
				   struct connection_limits_place *place)
{
	(void)connection_limits;
	(void)place;
}

static void note(const char *format, va_list ap)
{
	size_t used = strlen(trio.log);

	(void)vsnprintf(trio.log + used, sizeof(trio.log) - used, format, ap);
	(void)strlcat(trio.log, "\n", sizeof(trio.log));
}

void __wrap_log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(format, ap);
	va_end(ap);
}

void __wrap_log_warn(const char *format, ...)
{
	(void)format;
}

void __wrap_log_warnx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	note(format, ap);
	va_end(ap);
}

void __wrap_log_event(const struct log_record *record)
{
	static const struct log_source source = {"dtcps", NULL};
	char line[LOG_LINE_SIZE];

	(void)strlcat(trio.log, log_record_line(record, &source, line), sizeof(trio.log));
	(void)strlcat(trio.log, "\n", sizeof(trio.log));
}

void __wrap_log_event_limited(struct log_limit *limit, int64_t now, const struct log_record *record)
{
	(void)limit;
	(void)now;
	__wrap_log_event(record);
}

void __wrap_log_limited(struct log_limit *limit, int64_t now, const char *format, ...)
{
	va_list ap;

	(void)now;
	va_start(ap, format);
	if (limit == &trio.broker.wrong) {
		trio.not_believed++;
		(void)vsnprintf(trio.said, sizeof(trio.said), format, ap);
	} else {
		note(format, ap);
	}
	va_end(ap);
}
