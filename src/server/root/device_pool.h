/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of users' own TUN devices. The device of a user without a session is kept for a while,
 * since making one is cheap for the kernel and removing one is not, and since an administrator may
 * have added addresses and routes to it. Then it is removed, together with others. Pure: the time,
 * in milliseconds, is an argument. The cost of a call does not depend on the number of devices.
 */
#ifndef DTCP_SERVER_ROOT_DEVICE_POOL_H
#define DTCP_SERVER_ROOT_DEVICE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest number of devices kept without a session; each costs the kernel some 80 KB. */
#define DEVICE_POOL_IDLE_MAX 1024

/*
 * Numbers needed beyond those of sessions: for devices that are kept, and for as many that are
 * being removed.
 */
#define DEVICE_POOL_SPARE (2 * DEVICE_POOL_IDLE_MAX)

struct device_pool;

enum device_pool_state {
	DEVICE_POOL_FREE,
	DEVICE_POOL_USED,
	DEVICE_POOL_IDLE,    /* kept for its user */
	DEVICE_POOL_LEAVING, /* being removed, no longer its user's */
};

/* Makes a pool of the numbers from 1 to size. NULL if memory is short. */
struct device_pool *device_pool_new(uint32_t size);
void device_pool_free(struct device_pool *pool);

/*
 * For a new session of this user: the number of the device that exists already, in use or kept,
 * otherwise a free one; 0 if there is none. *state is its previous state.
 */
uint32_t device_pool_take(struct device_pool *pool, int64_t user, enum device_pool_state *state);

/* One session less; true if it was the last. The number must be in use. */
bool device_pool_give(struct device_pool *pool, uint32_t number, int64_t now);

/* The device is gone, or could not be made: frees the number, whatever its state. */
void device_pool_drop(struct device_pool *pool, uint32_t number);

enum device_pool_state device_pool_state(const struct device_pool *pool, uint32_t number);

/*
 * When the next kept device is to be removed, if each is kept for that long; some time in the past
 * if there are too many of them, -1 if there is none.
 */
int64_t device_pool_due(const struct device_pool *pool, int64_t keep);

/* True if too many are kept. */
bool device_pool_is_full(const struct device_pool *pool);

/*
 * Marks the kept devices that are due as leaving, the one kept longest first. Returns the number of
 * entries in numbers.
 */
size_t device_pool_leave(struct device_pool *pool, int64_t keep, int64_t now, uint32_t numbers[],
			 size_t max);

#endif
