/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which number each user's own TUN device has. A device whose user has no session any more is kept
 * for a while, since making one is cheap for the kernel and removing one is not, and since an
 * administrator may have put addresses and routes on it. Then it leaves, together with others.
 * Pure: the time, in milliseconds, is an argument. What each call costs does not depend on how many
 * devices there are.
 */
#ifndef DTCP_SERVER_ROOT_DEVICE_POOL_H
#define DTCP_SERVER_ROOT_DEVICE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Devices without a session that are kept at most; each costs the kernel some 80 KB. */
#define DEVICE_POOL_IDLE_MAX 1024

/* Numbers that there should be beyond those of sessions: of devices that are kept, and of as many
 * that are just leaving. */
#define DEVICE_POOL_SPARE (2 * DEVICE_POOL_IDLE_MAX)

struct device_pool;

enum device_pool_state {
	DEVICE_POOL_FREE,
	DEVICE_POOL_USED,
	DEVICE_POOL_IDLE,    /* kept for its user */
	DEVICE_POOL_LEAVING, /* it is being removed, and not its user's any more */
};

/* Gives the numbers from 1 to size. NULL if memory is short. */
struct device_pool *device_pool_new(uint32_t size);
void device_pool_free(struct device_pool *pool);

/*
 * For one more session of this user: the number of the device that is there already, in use or
 * kept, else a free one. 0 if there is none. *state is what it was before.
 */
uint32_t device_pool_take(struct device_pool *pool, int64_t user, enum device_pool_state *state);

/* A session less; true where it was the last. The number must be in use. */
bool device_pool_give(struct device_pool *pool, uint32_t number, int64_t now);

/* The device is gone, or could not be made: the number is free, whatever it was. */
void device_pool_drop(struct device_pool *pool, uint32_t number);

enum device_pool_state device_pool_state(const struct device_pool *pool, uint32_t number);

/*
 * When the next kept device should leave, if each is kept for that long; some time in the past
 * where there are too many of them, -1 where there is none.
 */
int64_t device_pool_due(const struct device_pool *pool, int64_t keep);

/* True where more are kept than may be. */
bool device_pool_is_full(const struct device_pool *pool);

/* Those that should leave by now, the one kept longest first, do. Returns how many numbers it is.
 */
size_t device_pool_leave(struct device_pool *pool, int64_t keep, int64_t now, uint32_t numbers[],
			 size_t max);

#endif
