/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/fast_maps.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void fast_maps_init(struct fast_maps *maps, uint32_t sessions_max)
{
	*maps = (struct fast_maps){.sessions_max = sessions_max};
	for (enum fast_map map = FAST_STATE; map < FAST_MAPS; map++)
		maps->fds[map] = -1;
}

/* Octets of a map in shared memory; 0: a hash table. */
static size_t fast_maps_size(const struct fast_maps *maps, enum fast_map map)
{
	switch (map) {
	case FAST_STATE:
		return sizeof(*maps->state);
	case FAST_SESSIONS:
		return maps->sessions_max * sizeof(*maps->sessions);
	case FAST_COUNTERS:
		return (maps->sessions_max + (size_t)1) * maps->lanes * sizeof(*maps->counters);
	case FAST_ROUTES:
	case FAST_PEERS:
	case FAST_MAPS:
		break;
	}
	return 0;
}

static int fast_maps_map(struct fast_maps *maps, enum fast_map map, int fd)
{
	bool writes = map != FAST_COUNTERS;
	void *memory = mmap(NULL, fast_maps_size(maps, map),
			    writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	int error = memory == MAP_FAILED ? -errno : 0;

	close(fd);
	if (error)
		return error;
	if (map == FAST_STATE)
		maps->state = memory;
	else if (map == FAST_SESSIONS)
		maps->sessions = memory;
	else
		maps->counters = memory;
	return 0;
}

int fast_maps_take(struct fast_maps *maps, const struct forward_fast *message, int fd)
{
	enum fast_map map = (enum fast_map)message->map;

	if (message->map >= FAST_MAPS) {
		close(fd);
		return -EINVAL;
	}
	maps->lanes = message->lanes;
	maps->receives = message->receives != 0;
	if (fast_maps_size(maps, map) > 0)
		return fast_maps_map(maps, map, fd);
	maps->fds[map] = fd;
	return 0;
}

bool fast_maps_complete(const struct fast_maps *maps)
{
	return maps->state && maps->sessions && maps->counters && maps->fds[FAST_ROUTES] != -1 &&
	       maps->fds[FAST_PEERS] != -1;
}

static int fast_maps_call(enum bpf_cmd command, int map, const void *key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)key;
	attr.value = (uintptr_t)value;
	return syscall(SYS_bpf, command, &attr, sizeof(attr)) == -1 ? -errno : 0;
}

int fast_maps_put(const struct fast_maps *maps, enum fast_map map, const void *key, uint32_t id)
{
	return fast_maps_call(BPF_MAP_UPDATE_ELEM, maps->fds[map], key, &id);
}

int fast_maps_remove(const struct fast_maps *maps, enum fast_map map, const void *key)
{
	int error = fast_maps_call(BPF_MAP_DELETE_ELEM, maps->fds[map], key, NULL);

	return error == -ENOENT ? 0 : error;
}

void fast_maps_close(struct fast_maps *maps)
{
	/* Stops the kernel's programs. */
	if (maps->state) {
		__atomic_store_n(&maps->state->alive, 0, __ATOMIC_SEQ_CST);
		(void)munmap(maps->state, fast_maps_size(maps, FAST_STATE));
	}
	if (maps->sessions)
		(void)munmap(maps->sessions, fast_maps_size(maps, FAST_SESSIONS));
	if (maps->counters)
		(void)munmap(maps->counters, fast_maps_size(maps, FAST_COUNTERS));
	for (enum fast_map map = FAST_STATE; map < FAST_MAPS; map++) {
		if (maps->fds[map] != -1)
			close(maps->fds[map]);
	}
}
