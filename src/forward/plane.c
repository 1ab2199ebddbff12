/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/plane.h"

#include "base/log.h"
#include "forward/decap.h"
#include "forward/encap.h"
#include "forward/icmp6.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void plane_on_device(struct device *device, void *arg);

static uint64_t plane_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void plane_drop(struct plane *plane, const struct session *session, enum drop_reason reason)
{
	plane->counters->drops[reason]++;
	if (session)
		plane->counters->session[session->config.id].dropped++;
}

/* Tells the sender of a packet that came from this device, where that is right and due. */
static void plane_answer(struct plane *plane, const struct device *device,
			 const struct encap *encap, uint64_t now)
{
	static const struct virtio_net_hdr plain;
	uint8_t packet[ICMP6_ERROR_SIZE];

	if (!icmp6_allowed(encap->error.kind, &encap->inner) ||
	    IN6_IS_ADDR_UNSPECIFIED(&plane->icmp_source) || !rate_take(&plane->icmp_rate, now))
		return;

	size_t len = icmp6_build(&encap->error, &plane->icmp_source, &encap->inner, packet);

	/* Back to where it came from, so that a link-local address means what it meant. */
	if (device_write(device, &plain, packet, len) == 0)
		plane->counters->icmp6_sent++;
	else
		plane_drop(plane, NULL, DROP_TUN_WRITE);
}

/* --- from outside ------------------------------------------------------------------------- */

static void plane_on_received(uint8_t *packet, size_t n, void *arg)
{
	struct plane *plane = arg;
	struct decap decap;

	decap_packet(plane->table, plane->config.server, packet, n, &decap);
	if (decap.drop == DROP_NONE && device_write(decap.session->device, &decap.vnet,
						    decap.inner.packet, decap.inner.len) != 0)
		decap.drop = DROP_TUN_WRITE;
	if (decap.drop != DROP_NONE) {
		plane_drop(plane, decap.session, decap.drop);
		return;
	}

	struct session_counters *counters = &plane->counters->session[decap.session->config.id];

	counters->in_packets++;
	counters->in_bytes += decap.inner.len;
}

static void plane_on_error(const struct raw_error *error, void *arg)
{
	struct plane *plane = arg;
	struct table_peer peer = {.transport = FORWARD_PROTO41, .address = error->peer};
	struct session *session = table_by_peer(plane->table, &peer);

	if (error->icmp)
		plane->counters->icmp_errors++;
	if (!session)
		return;
	if (error->icmp)
		plane->counters->session[session->config.id].icmp_errors++;
	if (error->too_big)
		pmtu_lower(&session->pmtu, error->mtu, plane_now());
}

/* --- from TUN ----------------------------------------------------------------------------- */

static void plane_on_sent(const struct raw_packet *packet, void *arg)
{
	struct plane *plane = arg;
	struct session_counters *counters = &plane->counters->session[packet->session];

	counters->out_packets++;
	counters->out_bytes += packet->len;
}

static void plane_on_refused(const struct raw_packet *packet, int error, void *arg)
{
	struct plane *plane = arg;

	(void)error;
	plane_drop(plane, table_by_id(plane->table, packet->session), DROP_SEND);
}

static bool plane_on_too_big(struct raw_packet *packet, void *arg)
{
	struct plane *plane = arg;
	struct session *session = table_by_id(plane->table, packet->session);
	uint64_t now = plane_now();
	struct encap encap = {.session = session};

	if (!session || inner_parse(packet->data, packet->len, &encap.inner) != DROP_NONE)
		return false;
	/* The kernel's report, which has just been read, may have lowered the path MTU. */
	encap_fit(session, packet->len, now, &encap);
	if (encap.drop == DROP_NONE) {
		packet->df = encap.df;
		return true;
	}
	plane_drop(plane, session, encap.drop);
	plane_answer(plane, session->device, &encap, now);
	return false;
}

static void plane_on_ready(void *arg)
{
	struct plane *plane = arg;

	devices_resume(plane->devices);
}

static void plane_send(struct plane *plane, const struct encap *encap, struct raw_packet *packet)
{
	const struct session *session = encap->session;

	packet->len = encap->inner.len;
	packet->source = session->config.local;
	packet->peer = session->peer.address;
	packet->tos = encap->tos;
	packet->df = encap->df;
	packet->session = session->config.id;
	raw_push(plane->raw);
}

static void plane_on_packet(struct plane *plane, struct device *device,
			    const struct virtio_net_hdr *header, struct raw_packet *packet,
			    size_t n, uint64_t now)
{
	bool shared = plane->config.server && device->index == 0;
	struct encap encap;

	encap_packet(plane->table, TAILQ_FIRST(&device->sessions), shared, header, packet->data, n,
		     now, &encap);
	if (encap.drop == DROP_NONE) {
		plane_send(plane, &encap, packet);
		return;
	}
	plane_drop(plane, encap.session, encap.drop);
	plane_answer(plane, device, &encap, now);
}

static void plane_on_device(struct device *device, void *arg)
{
	struct plane *plane = arg;
	uint64_t now = plane_now();

	for (int i = 0; i < RAW_BATCH; i++) {
		struct virtio_net_hdr header;
		struct raw_packet *packet = plane->raw ? raw_slot(plane->raw) : NULL;

		if (!packet) {
			/* What the socket does not take waits in the device's own queue. */
			device_pause(device);
			return;
		}

		ssize_t n = device_read(device, &header, packet->data, RAW_PACKET_SIZE);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			/* Deleted under us, as at every session's end; monitor will tell, but until
			 * then it would always be readable. */
			errno = (int)-n;
			if (n == -EBADFD)
				log_debug("device %u is gone", device->index);
			else
				log_warn("device %u", device->index);
			device_stop(device);
			break;
		}
		plane_on_packet(plane, device, &header, packet, (size_t)n, now);
	}
	raw_flush(plane->raw);
}

/* --- its parts ---------------------------------------------------------------------------- */

int plane_open(struct plane *plane, const struct forward_config *config, struct event_base *base)
{
	uint64_t key[2];

	memset(plane, 0, sizeof(*plane));
	plane->config = *config;
	if (!plane->config.icmp6_rate)
		plane->config.icmp6_rate = FORWARD_ICMP6_RATE;
	plane->base = base;
	rate_init(&plane->icmp_rate, plane->config.icmp6_rate, plane_now());
	arc4random_buf(key, sizeof(key));
	plane->table = table_new(config->server, config->sessions_max, key);
	plane->devices = devices_new(base, key, plane_on_device, plane);
	plane->counters = calloc(1, counters_size(config->sessions_max));
	return plane->table && plane->devices && plane->counters ? 0 : -ENOMEM;
}

int plane_set_raw(struct plane *plane, int fd)
{
	static const struct raw_handlers handlers = {
		.received = plane_on_received,
		.sent = plane_on_sent,
		.refused = plane_on_refused,
		.too_big = plane_on_too_big,
		.error = plane_on_error,
		.ready = plane_on_ready,
	};

	raw_free(plane->raw);
	plane->raw = raw_new(plane->base, fd, &handlers, plane);
	if (!plane->raw)
		return -EIO;
	devices_resume(plane->devices);
	return 0;
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
	/* What was counted before it came is not lost. */
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
	raw_free(plane->raw);
	table_free(plane->table);
	devices_free(plane->devices);
	if (plane->counters)
		plane_free_counters(plane);
}
