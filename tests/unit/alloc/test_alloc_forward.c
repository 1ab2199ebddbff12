/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session table and the parts of the forward room without memory: a session is there as a whole
 * or not at all, and the others notice nothing.
 */
#include "alloc.h"

#include "forward/keepalive.h"
#include "forward/plane.h"
#include "forward/plane_session.h"
#include "forward/probing.h"
#include "forward/table.h"
#include "process/ipc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* More than a hash table's first buckets, so that they have to grow. */
enum { SESSIONS = 40 };

static const uint64_t key[2] = {1, 2};

/* Each has a /48, a /64 in the /48 of the one before, and a link-local address. */
static struct forward_session session(uint32_t id)
{
	struct forward_session config = {
		.id = id,
		.transport = id % 2 ? FORWARD_UDP : FORWARD_PROTO41,
		.mtu = 1280,
		.local = {htonl(0xc0000201)},
		.peer = {htonl(0xc6330000 + id)},
		.peer_port = id % 2 ? 4028 : 0,
		.session = id + 1,
		.n_prefixes = 3,
		.prefixes = {{{.s6_addr = {0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)(id + 1)}}, 48},
			     {{.s6_addr = {0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)id, 0, 1}}, 64},
			     {{.s6_addr = {0xfe, 0x80, [15] = (uint8_t)id}}, 128}},
	};

	return config;
}

/* Who has the address of each of its prefixes now. */
static void routes_of(const struct table *table, uint32_t id, const struct session *out[3])
{
	const struct forward_session config = session(id);

	for (uint32_t i = 0; i < 3; i++) {
		struct session *found = NULL;

		if (table_by_address(table, &config.prefixes[i].addr, &found) != TABLE_UP)
			found = NULL;
		out[i] = found;
	}
}

/* Adds one; where that fails, nothing has changed, and the next attempt succeeds. */
static void add(struct table *table, uint32_t id)
{
	const struct forward_session config = session(id);
	const struct table_peer peer = {config.transport == FORWARD_UDP ? FORWARD_UDP
									: FORWARD_PROTO41,
					config.peer, (uint16_t)config.peer_port};
	const struct session *before[3], *after[3];
	struct session *added = NULL;
	int error;

	routes_of(table, id, before);
	error = table_add(table, &config, &added);
	if (error) {
		assert_int_equal(error, -ENOMEM);
		assert_true(alloc_failed());
		assert_null(table_by_id(table, id));
		assert_null(table_by_peer(table, &peer));
		assert_null(table_by_name(table, config.session));
		routes_of(table, id, after);
		/* Longer prefixes that lead nowhere would take packets away from shorter ones. */
		assert_memory_equal(before, after, sizeof(before));
		assert_int_equal(table_add(table, &config, &added), 0);
	}
	assert_ptr_equal(table_by_id(table, id), added);
	assert_ptr_equal(table_by_peer(table, &peer), added);
	routes_of(table, id, after);
	for (uint32_t i = 0; i < 3; i++)
		assert_ptr_equal(after[i], added);
}

static bool fill_table(unsigned long n)
{
	const struct prefix6 assigned = {{.s6_addr = {0x20, 0x01, 0x0d, 0xb9}}, 32};
	struct session *none = NULL;
	struct table *table;
	bool failed;

	alloc_fail(n);
	table = table_new(true, SESSIONS, key);
	if (!table) {
		assert_true(alloc_failed());
		return true;
	}
	if (table_assign(table, &assigned) != 0) {
		assert_true(alloc_failed());
		assert_int_equal(table_by_address(table, &assigned.addr, &none), TABLE_UNKNOWN);
	}
	for (uint32_t id = 0; id < SESSIONS; id++)
		add(table, id);
	failed = alloc_failed();
	for (uint32_t id = 0; id < SESSIONS; id++)
		table_remove(table, table_by_id(table, id));
	table_free(table);
	return failed;
}

/* --- the data plane ----------------------------------------------------------------------- */

static void on_up(const struct session *of, void *arg)
{
	(void)of;
	(void)arg;
}

static void on_learned(struct session *moved, void *arg)
{
	(void)moved;
	(void)arg;
}

static void on_path(const struct session *of, bool alive, void *arg)
{
	(void)of;
	(void)alive;
	(void)arg;
}

static void on_silent(const struct session *of, void *arg)
{
	(void)of;
	(void)arg;
}

static void on_port(uint16_t port, void *arg)
{
	(void)port;
	(void)arg;
}

static void on_result(const struct forward_result *result, void *arg)
{
	(void)result;
	(void)arg;
}

static const struct plane_reports reports = {on_up,	on_learned, on_path,
					     on_silent, on_port,    on_result};

static void use_plane(struct plane *plane)
{
	const struct forward_session config = session(1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int tun = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct session *added = NULL;
	struct device *device;

	assert_true(fd != -1 && other != -1 && tun != -1);
	/* Both close what they cannot use. */
	if (plane_set_outer(plane, FORWARD_UDP, fd) != 0) {
		assert_true(alloc_failed());
		assert_int_equal(fcntl(fd, F_GETFD), -1);
		assert_null(plane->outer[FORWARD_UDP]);
	}
	if (plane_set_candidate(plane, 4029, other) != 0) {
		assert_true(alloc_failed());
		assert_int_equal(fcntl(other, F_GETFD), -1);
		assert_null(plane->candidate);
	}
	device = devices_get(plane->devices, 0);
	if (!device) {
		assert_true(alloc_failed());
		close(tun);
		return;
	}
	if (device_open(device, tun) != 0) {
		assert_true(alloc_failed());
		assert_int_equal(fcntl(tun, F_GETFD), -1);
		assert_int_equal(device->fd, -1);
	}
	if (plane_session_add(plane, &config) != 0) {
		/* Nothing is left of it. */
		assert_true(alloc_failed());
		assert_null(table_by_id(plane->table, config.id));
		assert_null(device_session(device));
		return;
	}
	added = table_by_id(plane->table, config.id);
	assert_non_null(added);
	session_plane(added)->keepalive = keepalive_new(plane->keepers, added);
	if (session_plane(added)->keepalive)
		keepalive_hurry(session_plane(added)->keepalive);
	else
		assert_true(alloc_failed());
}

static bool run_plane(unsigned long n)
{
	const struct forward_config config = {.sessions_max = 2};
	struct event_base *base = event_base_new();
	struct plane plane;
	bool failed;

	assert_non_null(base);
	alloc_fail(n);
	if (plane_open(&plane, &config, base, &reports, NULL) == 0)
		use_plane(&plane);
	else
		assert_true(alloc_failed());
	failed = alloc_failed();
	alloc_fail(0);
	plane_close(&plane);
	event_base_free(base);
	return failed;
}

/* --- channels ----------------------------------------------------------------------------- */

static void on_closed(struct ipc *ipc, bool violated, void *arg)
{
	(void)ipc;
	(void)violated;
	(void)arg;
}

/* Sends until the socket is full and some are queued; a descriptor goes with the last. */
static bool queue_messages(unsigned long n)
{
	struct event_base *base = event_base_new();
	char body[1000] = "";
	struct ipc *ipc;
	bool failed;
	int fds[2];

	assert_non_null(base);
	assert_int_equal(ipc_pair(fds), 0);
	alloc_fail(n);
	ipc = ipc_new(base, fds[0], "test", NULL, 0, on_closed, NULL);
	if (!ipc) {
		assert_true(alloc_failed());
		close(fds[0]);
	}
	for (int i = 0; ipc && i < 400; i++) {
		int fd = i == 399 ? dup(fds[1]) : -1;
		int error = ipc_send(ipc, 1, body, sizeof(body), fd);

		assert_true(error == 0 || (error == -ENOMEM && alloc_failed()));
	}
	failed = alloc_failed();
	alloc_fail(0);
	ipc_free(&ipc);
	close(fds[1]);
	event_base_free(base);
	return failed;
}

static void a_session_is_whole_or_not_there(void **state)
{
	(void)state;
	alloc_each(fill_table);
}

static void a_plane_without_some_part(void **state)
{
	(void)state;
	alloc_each(run_plane);
}

static void a_message_is_queued_or_refused(void **state)
{
	(void)state;
	alloc_each(queue_messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_whole_or_not_there),
		cmocka_unit_test(a_plane_without_some_part),
		cmocka_unit_test(a_message_is_queued_or_refused),
	};

	alloc_install(true);
	return cmocka_run_group_tests_name("allocation failures, forward", tests, NULL, NULL);
}
