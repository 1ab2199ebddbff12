/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/device.h"

#include "forward/plane_session.h"
#include "forward/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct devices {
	struct event_base *base;
	uint64_t key[2];
	device_readable readable;
	void *arg;
	struct hash by_index;
};

struct devices *devices_new(struct event_base *base, const uint64_t key[static 2],
			    device_readable readable, void *arg)
{
	struct devices *devices = calloc(1, sizeof(*devices));

	if (!devices)
		return NULL;
	if (hash_init(&devices->by_index)) {
		free(devices);
		return NULL;
	}
	devices->base = base;
	memcpy(devices->key, key, sizeof(devices->key));
	devices->readable = readable;
	devices->arg = arg;
	return devices;
}

static uint64_t devices_hash(const struct devices *devices, uint32_t index)
{
	uint64_t word = index;

	return hash_words(devices->key, &word, 1);
}

struct device *devices_find(const struct devices *devices, uint32_t index)
{
	const struct hash *hash = &devices->by_index;

	for (struct hash_node *node = hash_first(hash, devices_hash(devices, index)); node;
	     node = hash_next(node)) {
		struct device *device = node->item;

		if (device->index == index)
			return device;
	}
	return NULL;
}

struct device *devices_get(struct devices *devices, uint32_t index)
{
	struct device *device = devices_find(devices, index);

	if (device)
		return device;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->index = index;
	device->fd = -1;
	device->devices = devices;
	TAILQ_INIT(&device->sessions);
	hash_insert(&devices->by_index, &device->by_index, devices_hash(devices, index), device);
	return device;
}

static void device_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct device *device = arg;

	(void)fd;
	(void)what;
	device->devices->readable(device, device->devices->arg);
}

int device_open(struct device *device, int fd)
{
	device_close(device);
	device->readable = event_new(device->devices->base, fd, EV_READ | EV_PERSIST,
				     device_on_readable, device);
	if (!device->readable || evutil_make_socket_nonblocking(fd) == -1 ||
	    event_add(device->readable, NULL) == -1) {
		if (device->readable)
			event_free(device->readable);
		device->readable = NULL;
		close(fd);
		return -ENOMEM;
	}
	device->fd = fd;
	return 0;
}

void device_close(struct device *device)
{
	if (device->fd == -1)
		return;
	device_stop(device);
	event_free(device->readable);
	device->readable = NULL;
	close(device->fd);
	device->fd = -1;
}

void device_join(struct device *device, struct session *session)
{
	struct plane_session *own = session_plane(session);

	own->device = device;
	own->session = session;
	TAILQ_INSERT_HEAD(&device->sessions, own, on_device);
}

void device_leave(struct session *session)
{
	struct plane_session *own = session_plane(session);

	TAILQ_REMOVE(&own->device->sessions, own, on_device);
	own->device = NULL;
}

struct session *device_session(const struct device *device)
{
	const struct plane_session *newest = TAILQ_FIRST(&device->sessions);

	return newest ? newest->session : NULL;
}

void device_release(struct device *device)
{
	if (device->fd != -1 || !TAILQ_EMPTY(&device->sessions))
		return;
	hash_remove(&device->devices->by_index, &device->by_index);
	free(device);
}

void device_stop(struct device *device)
{
	(void)event_del(device->readable);
}

ssize_t device_read(const struct device *device, struct virtio_net_hdr *header, void *packet,
		    size_t size)
{
	struct iovec iov[2] = {
		{.iov_base = header, .iov_len = sizeof(*header)},
		{.iov_base = packet, .iov_len = size},
	};
	ssize_t n = readv(device->fd, iov, 2);

	if (n == -1)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return -EPIPE;
	/* Too short for the header: no packet. */
	return n < (ssize_t)sizeof(*header) ? 0 : n - (ssize_t)sizeof(*header);
}

int device_write(const struct device *device, const struct iovec *parts, int n_parts)
{
	ssize_t n;

	if (device->fd == -1)
		return -ENXIO;
	do
		n = writev(device->fd, parts, n_parts);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : 0;
}

void devices_free(struct devices *devices)
{
	if (!devices)
		return;
	for (size_t i = 0; i <= devices->by_index.mask; i++) {
		struct hash_node *node = devices->by_index.buckets[i];

		while (node) {
			struct hash_node *next = node->next;
			struct device *device = node->item;

			device_close(device);
			free(device);
			node = next;
		}
	}
	hash_free(&devices->by_index);
	free(devices);
}
