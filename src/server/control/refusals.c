/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/refusals.h"

#include <string.h>

/* The user's entry, REFUSALS_MAX if there is none. Expired entries are free. */
static size_t refusals_find(const struct refusals *refusals, const char *user, int64_t now)
{
	size_t i = 0;

	while (i < REFUSALS_MAX &&
	       (refusals->list[i].until <= now || strcmp(refusals->list[i].user, user) != 0))
		i++;
	return i;
}

bool refusals_add(struct refusals *refusals, const char *user, int64_t now, int64_t until)
{
	size_t place = refusals_find(refusals, user, now);

	for (size_t i = 0; i < REFUSALS_MAX && place == REFUSALS_MAX; i++) {
		if (refusals->list[i].until <= now)
			place = i;
	}
	if (place == REFUSALS_MAX)
		return false;
	(void)strlcpy(refusals->list[place].user, user, sizeof(refusals->list[place].user));
	refusals->list[place].until = until;
	return true;
}

bool refusals_remove(struct refusals *refusals, const char *user, int64_t now)
{
	size_t place = refusals_find(refusals, user, now);

	if (place == REFUSALS_MAX)
		return false;
	refusals->list[place].until = now;
	return true;
}

bool refusals_has(const struct refusals *refusals, const char *user, int64_t now)
{
	return refusals_find(refusals, user, now) < REFUSALS_MAX;
}
