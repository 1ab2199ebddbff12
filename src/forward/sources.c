/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/sources.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Number of cached answers, a power of two; later ones overwrite earlier ones. */
enum { SOURCES_SLOTS = 4096 };

struct sources_slot {
	struct in6_addr addr;
	unsigned int interface;
	bool leads;
	uint64_t until; /* milliseconds; 0: empty */
};

struct sources {
	uint64_t key[2];
	sources_ask ask;
	int fd;
	struct sources_slot slots[SOURCES_SLOTS];
};

struct sources *sources_new(const uint64_t key[static 2], sources_ask ask)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (!sources)
		return NULL;
	memcpy(sources->key, key, sizeof(sources->key));
	sources->ask = ask;
	sources->fd = -1;
	return sources;
}

void sources_free(struct sources *sources)
{
	if (sources && sources->fd != -1)
		close(sources->fd);
	free(sources);
}

void sources_set_socket(struct sources *sources, int fd)
{
	if (sources->fd != -1)
		close(sources->fd);
	sources->fd = fd;
}

bool sources_lead_to(struct sources *sources, const struct in6_addr *addr, unsigned int interface,
		     uint64_t now)
{
	uint64_t words[3] = {0, 0, interface};
	struct sources_slot *slot;

	if (!sources->ask || sources->fd == -1)
		return false;
	memcpy(words, addr, sizeof(*addr));
	slot = &sources->slots[hash_words(sources->key, words, 3) % SOURCES_SLOTS];
	if (now >= slot->until || slot->interface != interface ||
	    !IN6_ARE_ADDR_EQUAL(&slot->addr, addr))
		*slot = (struct sources_slot){
			.addr = *addr,
			.interface = interface,
			.leads = sources->ask(sources->fd, addr, interface),
			.until = now + SOURCES_LIFETIME,
		};
	return slot->leads;
}
