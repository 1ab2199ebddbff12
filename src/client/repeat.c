/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/repeat.h"

#include <stddef.h>

/* FNV-1a. Two reasons with one value would cost a line in the log. */
static uint64_t repeat_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++) {
		hash ^= (unsigned char)*text;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

/* The place of this reason; where it is new, a free one or that of the one longest not seen. */
static struct repeat_reason *repeat_find(struct repeat *repeat, uint64_t hash)
{
	struct repeat_reason *oldest = &repeat->reasons[0];

	for (size_t i = 0; i < REPEAT_REASONS; i++) {
		struct repeat_reason *reason = &repeat->reasons[i];

		if (reason->count > 0 && reason->hash == hash)
			return reason;
		if (oldest->count > 0 && (reason->count == 0 || reason->last < oldest->last))
			oldest = reason;
	}
	*oldest = (struct repeat_reason){.hash = hash};
	return oldest;
}

enum repeat_verdict repeat_failed(struct repeat *repeat, const char *text, bool stubborn,
				  int64_t now)
{
	struct repeat_reason *reason = repeat_find(repeat, repeat_hash(text));
	unsigned int limit = stubborn ? 1 : REPEAT_FIRST;
	enum repeat_verdict verdict;

	if (repeat->failures++ == 0)
		repeat->since = now;
	reason->last = now;
	if (reason->count < limit) {
		reason->count++;
		verdict = reason->count == limit ? REPEAT_SAY_LAST : REPEAT_SAY;
	} else if (now - reason->said < REPEAT_PERIOD) {
		repeat->hushed = true;
		return REPEAT_HUSH;
	} else {
		verdict = REPEAT_SAY_AGAIN;
	}
	reason->said = now;
	return verdict;
}

void repeat_forget(struct repeat *repeat)
{
	*repeat = (struct repeat){0};
}
