/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TUN devices by their index. A device exists from the moment that the root process hands over
 * its descriptor or that a session names it, whichever comes first.
 */
#ifndef DTCP_FORWARD_DEVICE_H
#define DTCP_FORWARD_DEVICE_H

#include "base/hash.h"

#include <event2/event.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <sys/uio.h>

struct devices;
struct plane_session;
struct session;

struct device {
	uint32_t index;
	int fd;			/* -1: not open */
	unsigned int interface; /* interface index; 0: unknown */
	TAILQ_HEAD(device_sessions, plane_session) sessions;
	/* Private: */
	struct devices *devices;
	struct event *readable;
	struct hash_node by_index;
};

/* Called while the device is readable. */
typedef void (*device_readable)(struct device *device, void *arg);

/* NULL if memory is short. */
struct devices *devices_new(struct event_base *base, const uint64_t key[static 2],
			    device_readable readable, void *arg);

/* Closes all; no session may be on any of them. */
void devices_free(struct devices *devices);

/* The device of this index; devices_get() makes one if there is none, NULL if memory is short. */
struct device *devices_find(const struct devices *devices, uint32_t index);
struct device *devices_get(struct devices *devices, uint32_t index);

/* Takes over fd, replacing an older one. Returns 0, or -errno with fd closed. */
int device_open(struct device *device, int fd);
void device_close(struct device *device);

/* Moves a session to the device, as its newest. */
void device_join(struct device *device, struct session *session);
void device_leave(struct session *session);

/* The newest session that is on it; NULL if there is none. */
struct session *device_session(const struct device *device);

/* Frees a device that has neither descriptor nor session. */
void device_release(struct device *device);

/* Stops reading: the interface is gone, though the descriptor is still open. */
void device_stop(struct device *device);

/* Reads one packet. Returns its length, or -errno (-EAGAIN: none; -EPIPE: never again). */
ssize_t device_read(const struct device *device, struct virtio_net_hdr *header, void *packet,
		    size_t size);

/* Writes a packet in parts, the first of which is the offload header. Returns 0 or -errno. */
int device_write(const struct device *device, const struct iovec *parts, int n_parts);

#endif
