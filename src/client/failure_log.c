/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/failure_log.h"

#include <stddef.h>

/* FNV-1a. A collision of two reasons would cost a line in the log. */
static uint64_t failure_log_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++) {
		hash ^= (unsigned char)*text;
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

/* The entry of this reason; for a new one, a free entry or the least recent one. */
static struct failure_log_reason *failure_log_find(struct failure_log *log, uint64_t hash)
{
	struct failure_log_reason *oldest = &log->reasons[0];

	for (size_t i = 0; i < FAILURE_LOG_REASONS; i++) {
		struct failure_log_reason *reason = &log->reasons[i];

		if (reason->count > 0 && reason->hash == hash)
			return reason;
		if (oldest->count > 0 && (reason->count == 0 || reason->last < oldest->last))
			oldest = reason;
	}
	*oldest = (struct failure_log_reason){.hash = hash};
	return oldest;
}

enum failure_log_verdict failure_log_add(struct failure_log *log, const char *text, bool stubborn,
					 int64_t now)
{
	struct failure_log_reason *reason = failure_log_find(log, failure_log_hash(text));
	unsigned int limit = stubborn ? 1 : FAILURE_LOG_FIRST;
	enum failure_log_verdict verdict;

	if (log->failures++ == 0)
		log->since = now;
	reason->last = now;
	if (reason->count < limit) {
		reason->count++;
		verdict = reason->count == limit ? FAILURE_LOG_SAY_LAST : FAILURE_LOG_SAY;
	} else if (now - reason->said < FAILURE_LOG_PERIOD) {
		log->suppressed = true;
		return FAILURE_LOG_SUPPRESS;
	} else {
		verdict = FAILURE_LOG_SAY_AGAIN;
	}
	reason->said = now;
	return verdict;
}

void failure_log_reset(struct failure_log *log)
{
	*log = (struct failure_log){0};
}
