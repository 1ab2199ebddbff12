/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ndp/recent.h"

#include <stddef.h>

static uint32_t recent_seconds(uint64_t now)
{
	return (uint32_t)(now / 1000) + 1;
}

/* The first of an address's places. */
static size_t recent_first(uint64_t hash)
{
	return (size_t)(hash >> 32) % (RECENT_SIZE / RECENT_WAYS) * RECENT_WAYS;
}

static bool recent_is_over(const struct recent_place *place, uint32_t seconds)
{
	return place->seen == 0 || seconds - place->seen > RECENT_SECONDS;
}

static bool recent_is(const struct recent_place *place, uint64_t hash, uint32_t seconds)
{
	return place->tag == (uint32_t)hash && !recent_is_over(place, seconds);
}

bool recent_has(const struct recent *recent, uint64_t hash, uint64_t now)
{
	const struct recent_place *places = &recent->places[recent_first(hash)];
	const uint32_t seconds = recent_seconds(now);

	for (size_t i = 0; i < RECENT_WAYS; i++) {
		if (recent_is(&places[i], hash, seconds))
			return true;
	}
	return false;
}

/* Whether the first entry is to be replaced before the other. */
static bool recent_goes_before(const struct recent_place *one, const struct recent_place *other,
			       uint32_t seconds)
{
	if (recent_is_over(one, seconds) || recent_is_over(other, seconds))
		return !recent_is_over(other, seconds);
	return !one->again && (other->again || one->seen < other->seen);
}

void recent_note(struct recent *recent, uint64_t hash, uint64_t now)
{
	struct recent_place *places = &recent->places[recent_first(hash)];
	const uint32_t seconds = recent_seconds(now);
	struct recent_place *place = places;

	for (size_t i = 0; i < RECENT_WAYS; i++) {
		if (recent_is(&places[i], hash, seconds)) {
			places[i].seen = seconds;
			places[i].again = true;
			return;
		}
		if (recent_goes_before(&places[i], place, seconds))
			place = &places[i];
	}
	if (!place->again || recent_is_over(place, seconds))
		*place = (struct recent_place){.tag = (uint32_t)hash, .seen = seconds};
}
