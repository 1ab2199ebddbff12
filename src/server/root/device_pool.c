/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/device_pool.h"

#include "base/hash.h"

#include <stdlib.h>
#include <sys/queue.h>

struct device_pool_slot {
	enum device_pool_state state;
	uint32_t uses;		  /* sessions */
	int64_t user;		  /* used, idle: its user */
	int64_t since;		  /* idle: when its last session ended */
	struct hash_node by_user; /* used, idle */
	TAILQ_ENTRY(device_pool_slot) list;
};

TAILQ_HEAD(device_pool_list, device_pool_slot);

struct device_pool {
	uint32_t size;
	uint32_t top; /* slots from this index on have never been used */
	uint32_t n_idle;
	struct hash
		by_user; /* user numbers come from the database: nobody outside can choose them */
	struct device_pool_list free;
	struct device_pool_list idle; /* the one kept longest first */
	struct device_pool_slot *slots;
};

struct device_pool *device_pool_new(uint32_t size)
{
	struct device_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	TAILQ_INIT(&pool->free);
	TAILQ_INIT(&pool->idle);
	pool->size = size;
	pool->slots = calloc(pool->size, sizeof(*pool->slots));
	if (!pool->slots || hash_init(&pool->by_user) != 0) {
		device_pool_free(pool);
		return NULL;
	}
	return pool;
}

void device_pool_free(struct device_pool *pool)
{
	if (!pool)
		return;
	hash_free(&pool->by_user);
	free(pool->slots);
	free(pool);
}

static struct device_pool_slot *device_pool_slot(const struct device_pool *pool, uint32_t number)
{
	return &pool->slots[number - 1];
}

static uint32_t device_pool_number(const struct device_pool *pool,
				   const struct device_pool_slot *slot)
{
	return (uint32_t)(slot - pool->slots) + 1;
}

static struct device_pool_slot *device_pool_unused(struct device_pool *pool)
{
	struct device_pool_slot *slot = TAILQ_FIRST(&pool->free);

	if (slot) {
		TAILQ_REMOVE(&pool->free, slot, list);
		return slot;
	}
	return pool->top < pool->size ? &pool->slots[pool->top++] : NULL;
}

static void device_pool_unidle(struct device_pool *pool, struct device_pool_slot *slot)
{
	TAILQ_REMOVE(&pool->idle, slot, list);
	pool->n_idle--;
}

uint32_t device_pool_take(struct device_pool *pool, int64_t user, enum device_pool_state *state)
{
	struct hash_node *node = hash_first(&pool->by_user, (uint64_t)user);
	struct device_pool_slot *slot = node ? node->item : device_pool_unused(pool);

	if (!slot)
		return 0;
	*state = slot->state;
	if (slot->state == DEVICE_POOL_IDLE)
		device_pool_unidle(pool, slot);
	else if (slot->state == DEVICE_POOL_FREE)
		hash_insert(&pool->by_user, &slot->by_user, (uint64_t)user, slot);
	slot->state = DEVICE_POOL_USED;
	slot->user = user;
	slot->uses++;
	return device_pool_number(pool, slot);
}

bool device_pool_give(struct device_pool *pool, uint32_t number, int64_t now)
{
	struct device_pool_slot *slot = device_pool_slot(pool, number);

	if (--slot->uses > 0)
		return false;
	slot->state = DEVICE_POOL_IDLE;
	slot->since = now;
	TAILQ_INSERT_TAIL(&pool->idle, slot, list);
	pool->n_idle++;
	return true;
}

void device_pool_drop(struct device_pool *pool, uint32_t number)
{
	struct device_pool_slot *slot = device_pool_slot(pool, number);

	if (slot->state == DEVICE_POOL_IDLE)
		device_pool_unidle(pool, slot);
	if (slot->state == DEVICE_POOL_IDLE || slot->state == DEVICE_POOL_USED)
		hash_remove(&pool->by_user, &slot->by_user);
	*slot = (struct device_pool_slot){.state = DEVICE_POOL_FREE};
	TAILQ_INSERT_HEAD(&pool->free, slot, list);
}

enum device_pool_state device_pool_state(const struct device_pool *pool, uint32_t number)
{
	return device_pool_slot(pool, number)->state;
}

bool device_pool_is_full(const struct device_pool *pool)
{
	return pool->n_idle > DEVICE_POOL_IDLE_MAX;
}

int64_t device_pool_due(const struct device_pool *pool, int64_t keep)
{
	const struct device_pool_slot *first = TAILQ_FIRST(&pool->idle);

	if (!first)
		return -1;
	return device_pool_is_full(pool) ? first->since : first->since + keep;
}

size_t device_pool_leave(struct device_pool *pool, int64_t keep, int64_t now, uint32_t numbers[],
			 size_t max)
{
	size_t n = 0;

	while (n < max) {
		int64_t due = device_pool_due(pool, keep);
		struct device_pool_slot *slot = TAILQ_FIRST(&pool->idle);

		if (due < 0 || due > now)
			break;
		device_pool_unidle(pool, slot);
		hash_remove(&pool->by_user, &slot->by_user);
		slot->state = DEVICE_POOL_LEAVING;
		numbers[n++] = device_pool_number(pool, slot);
	}
	return n;
}
