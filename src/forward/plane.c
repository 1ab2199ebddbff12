/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/plane.h"
#include "forward/fast.h"

#include "base/clock.h"
#include "forward/inbound.h"
#include "forward/keepalive.h"
#include "forward/outbound.h"
#include "forward/plane_session.h"
#include "forward/probing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct outer *plane_outer(const struct plane *plane, const struct session *session)
{
	return plane->outer[session_peer(session)->transport];
}

struct session_counters *plane_counters(const struct plane *plane, const struct session *session)
{
	return &plane->counters->session[session_config(session)->id];
}

void plane_drop(struct plane *plane, const struct session *session, enum drop_reason reason)
{
	plane->counters->drops[reason]++;
	if (session)
		plane_counters(plane, session)->dropped++;
}

/* --- sockets and devices ------------------------------------------------------------------ */

static void plane_on_received(const struct arrival *arrival, void *arg)
{
	inbound_received(arg, arrival);
}

static void plane_on_sent(const struct outer_packet *packet, void *arg)
{
	outbound_sent(arg, packet);
}

static void plane_on_refused(const struct outer_packet *packet, int error, void *arg)
{
	(void)error;
	outbound_refused(arg, packet);
}

static bool plane_on_too_big(struct outer_packet *packet, void *arg)
{
	return outbound_too_big(arg, packet);
}

static void plane_on_report(enum forward_transport transport, const struct errqueue_report *report,
			    void *arg)
{
	inbound_report(arg, transport, report);
}

static void plane_on_batch_end(void *arg)
{
	const struct plane *plane = arg;

	coalesce_flush(plane->coalesce);
}

static void plane_on_write(const struct coalesced *coalesced, void *arg)
{
	inbound_write(arg, coalesced);
}

static void plane_on_device(struct device *device, void *arg)
{
	outbound_read(arg, device);
}

void plane_set_icmp6_rate(struct plane *plane, uint32_t per_second)
{
	uint64_t now = clock_us() / 1000;

	plane->config.icmp6_rate = per_second;
	icmp6_limit_init(&plane->icmp6, per_second, now);
	for (uint32_t id = 0; id < plane->config.sessions_max; id++) {
		struct session *session = table_by_id(plane->table, id);

		if (session)
			icmp6_limit_init(&session_plane(session)->icmp6, per_second, now);
	}
}

static struct outer *plane_open_outer(struct plane *plane, enum forward_transport transport, int fd)
{
	static const struct outer_handlers handlers = {
		.received = plane_on_received,
		.sent = plane_on_sent,
		.refused = plane_on_refused,
		.too_big = plane_on_too_big,
		.report = plane_on_report,
		.batch_end = plane_on_batch_end,
	};

	return outer_new(plane->base, transport, fd, &handlers, plane);
}

int plane_set_outer(struct plane *plane, enum forward_transport transport, int fd)
{
	outer_free(plane->outer[transport]);
	plane->outer[transport] = plane_open_outer(plane, transport, fd);
	if (!plane->outer[transport])
		return -EIO;
	return 0;
}

int plane_set_candidate(struct plane *plane, uint16_t port, int fd)
{
	if (plane->candidate)
		(void)plane_choose(plane, plane->outer[FORWARD_UDP]);
	plane->candidate = plane_open_outer(plane, FORWARD_UDP, fd);
	plane->candidate_port = port;
	if (!plane->candidate)
		return -EIO;
	for (uint32_t id = 0; id < plane->config.sessions_max; id++) {
		struct session *session = table_by_id(plane->table, id);

		if (session && session_plane(session)->probing)
			probing_candidate(session_plane(session)->probing);
	}
	return 0;
}

bool plane_choose(struct plane *plane, struct outer *chosen)
{
	struct outer *other = plane->candidate;

	if (!other)
		return false;
	plane->candidate = NULL;
	if (chosen == other) {
		other = plane->outer[FORWARD_UDP];
		plane->outer[FORWARD_UDP] = chosen;
		plane->reports->port(plane->candidate_port, plane->reports_arg);
		fast_set_port(plane->fast, plane->candidate_port);
	}
	outer_free(other);
	return true;
}

/* --- parts of the data plane -------------------------------------------------------------- */

int plane_open(struct plane *plane, const struct forward_config *config, struct event_base *base,
	       const struct plane_reports *reports, void *arg)
{
	uint64_t key[2];

	memset(plane, 0, sizeof(*plane));
	plane->config = *config;
	if (!plane->config.icmp6_rate)
		plane->config.icmp6_rate = FORWARD_ICMP6_RATE;
	plane->base = base;
	plane->reports = reports;
	plane->reports_arg = arg;
	icmp6_limit_init(&plane->icmp6, plane->config.icmp6_rate, clock_us() / 1000);
	arc4random_buf(key, sizeof(key));
	plane->table = table_new(config->server, config->sessions_max, key);
	plane->devices = devices_new(base, key, plane_on_device, plane);
	plane->keepers = keepers_new(plane);
	plane->sources = sources_new(key, config->ask);
	plane->counters = calloc(1, counters_size(config->sessions_max));
	plane->arena = malloc(OUTBOUND_ARENA);
	plane->coalesce = coalesce_new(true, plane_on_write, plane);
	plane->fast = fast_new(plane);
	return plane->table && plane->devices && plane->keepers && plane->sources &&
			       plane->counters && plane->arena && plane->coalesce && plane->fast
		       ? 0
		       : -ENOMEM;
}

static void plane_free_counters(struct plane *plane)
{
	if (plane->counters_mapped)
		(void)munmap(plane->counters, plane->counters_mapped);
	else
		free(plane->counters);
}

int plane_set_counters(struct plane *plane, int fd)
{
	size_t size = counters_size(plane->config.sessions_max);
	struct stat st;
	void *page = MAP_FAILED;
	int error = 0;

	if (fstat(fd, &st) == -1)
		error = -errno;
	else if (st.st_size < 0 || (uint64_t)st.st_size < size)
		error = -EINVAL;
	else if ((page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		error = -errno;
	close(fd);
	if (error)
		return error;
	/* Counts from before are kept. */
	memcpy(page, plane->counters, size);
	plane_free_counters(plane);
	plane->counters = page;
	plane->counters_mapped = size;
	plane->counters->version = 1;
	plane->counters->sessions_max = plane->config.sessions_max;
	plane->counters->magic = COUNTERS_MAGIC;
	return 0;
}

void plane_close(struct plane *plane)
{
	for (uint32_t id = 0; plane->table && id < plane->config.sessions_max; id++) {
		struct session *session = table_by_id(plane->table, id);

		if (session)
			plane_session_stop(session);
	}
	fast_free(plane->fast);
	keepers_free(plane->keepers);
	for (enum forward_transport t = FORWARD_PROTO41; t <= FORWARD_UDP; t++)
		outer_free(plane->outer[t]);
	outer_free(plane->candidate);
	table_free(plane->table);
	devices_free(plane->devices);
	coalesce_free(plane->coalesce);
	free(plane->arena);
	sources_free(plane->sources);
	if (plane->counters)
		plane_free_counters(plane);
}
