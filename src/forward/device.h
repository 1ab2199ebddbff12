/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TUN devices by their index. One is known from the moment that root hands over its
 * descriptor or that a session names it, whichever comes first.
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
	int fd;			/* -1: not there */
	unsigned int interface; /* the kernel's number of it; 0: not known */
	TAILQ_HEAD(device_sessions, plane_session) sessions;
	/* Private: */
	struct devices *devices;
	struct event *readable;
	struct hash_node by_index;
};

/* Called while there is something to read. */
typedef void (*device_readable)(struct device *device, void *arg);

/* NULL if memory is short. */
struct devices *devices_new(struct event_base *base, const uint64_t key[static 2],
			    device_readable readable, void *arg);

/* Closes all; no session may be on one any more. */
void devices_free(struct devices *devices);

/* The device of this index; get makes one if there is none, NULL if memory is short. */
struct device *devices_find(const struct devices *devices, uint32_t index);
struct device *devices_get(struct devices *devices, uint32_t index);

/* Takes over fd, in place of an older one. Returns 0 or -errno; then fd has been closed. */
int device_open(struct device *device, int fd);
void device_close(struct device *device);

/* Puts a session on the device, as its newest; takes it off the one that it is on. */
void device_join(struct device *device, struct session *session);
void device_leave(struct session *session);

/* The newest session that is on it; NULL if there is none. */
struct session *device_session(const struct device *device);

/* Frees a device that has neither descriptor nor session. */
void device_release(struct device *device);

/* Never again to be called for more: it is gone though we still hold it. */
void device_stop(struct device *device);

/* One packet. Returns its length, or -errno (-EAGAIN: there is none; -EPIPE: never again). */
ssize_t device_read(const struct device *device, struct virtio_net_hdr *header, void *packet,
		    size_t size);

/* A packet in parts, of which the first is the offload header. Returns 0 or -errno. */
int device_write(const struct device *device, const struct iovec *parts, int n_parts);

#endif
