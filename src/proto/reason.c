/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *text;
	const char *mark; /* the words by which it is known, where the whole text is too much */
	bool closes;
} reasons[REASONS] = {
	[REASON_OTHER] = {"refused", NULL},
	[REASON_PROTO41] = {"unsupported transport ipv6, use udp", "unsupported transport ipv6"},
	[REASON_IN_USE] = {"address in use by another tunnel, use udp", "use udp"},
	[REASON_AUTH] = {"authentication failed.", "authentication"},
	[REASON_TRANSPORT] = {"unsupported transport udp", "unsupported transport"},
	[REASON_TYPE] = {"unsupported tunnel type", NULL},
	[REASON_SUPERSEDED] = {"superseded by a new session", "superseded", true},
	[REASON_STOPPING] = {"server is shutting down", "shutting down", true},
	[REASON_ACCOUNT] = {"account changed", NULL, true},
	[REASON_DISABLED] = {"account disabled", NULL},
	[REASON_EXPIRED] = {"account expired", NULL},
	[REASON_KICKED] = {"ended by the administrator, try again later", "by the administrator",
			   true},
	[REASON_ADDRESS] = {"address cannot be the end of a tunnel", "end of a tunnel"},
	[REASON_SOLD_OUT] = {"tunnel interface sold out", NULL},
	[REASON_ESTABLISHED] = {"tunnel already established", NULL},
	[REASON_INVALID] = {"invalid command", NULL},
	[REASON_WORD] = {"bad word after the tunnel type", NULL},
	[REASON_INTERNAL] = {"internal error, try again later", "internal error"},
	[REASON_TIMEOUT] = {"connection timed out, disconnecting", "connection timed out", true},
	[REASON_FAILURES] = {"too many failed logins, try again later", "too many failed logins"},
	[REASON_LOGINS] = {"too many logins, try again later", "too many logins"},
	[REASON_CONNECTIONS] = {"too many connections, try again later", "too many connections",
				true},
};

const char *reason_text(enum dtcp_reason reason)
{
	return reasons[reason].text;
}

enum dtcp_reason reason_parse(const char *said)
{
	for (enum dtcp_reason reason = REASON_OTHER + 1; reason < REASONS; reason++) {
		const char *mark =
			reasons[reason].mark ? reasons[reason].mark : reasons[reason].text;

		if (strcasestr(said, mark))
			return reason;
	}
	return REASON_OTHER;
}

bool reason_closes(enum dtcp_reason reason)
{
	return reasons[reason].closes;
}
