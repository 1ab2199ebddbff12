/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *text;
	const char *mark; /* the words that identify it, if not the whole text */
	bool closes;
} reasons[REASONS] = {
	[REASON_OTHER] = {.text = "refused"},
	[REASON_PROTO41] = {.text = "unsupported transport ipv6, use udp",
			    .mark = "unsupported transport ipv6"},
	[REASON_IN_USE] = {.text = "address in use by another tunnel, use udp", .mark = "use udp"},
	[REASON_AUTH] = {.text = "authentication failed.", .mark = "authentication"},
	[REASON_TRANSPORT] = {.text = "unsupported transport udp", .mark = "unsupported transport"},
	[REASON_TYPE] = {.text = "unsupported tunnel type"},
	[REASON_SUPERSEDED] = {.text = "superseded by a new session",
			       .mark = "superseded",
			       .closes = true},
	[REASON_STOPPING] = {.text = "server is shutting down",
			     .mark = "shutting down",
			     .closes = true},
	[REASON_ACCOUNT] = {.text = "account changed", .closes = true},
	[REASON_DISABLED] = {.text = "account disabled"},
	[REASON_EXPIRED] = {.text = "account expired"},
	[REASON_KICKED] = {.text = "ended by the administrator, try again later",
			   .mark = "by the administrator",
			   .closes = true},
	[REASON_ADDRESS] = {.text = "address cannot be the end of a tunnel",
			    .mark = "end of a tunnel"},
	[REASON_SOLD_OUT] = {.text = "tunnel interface sold out"},
	[REASON_ESTABLISHED] = {.text = "tunnel already established"},
	[REASON_INVALID] = {.text = "invalid command"},
	[REASON_WORD] = {.text = "bad word after the tunnel type"},
	[REASON_INTERNAL] = {.text = "internal error, try again later", .mark = "internal error"},
	[REASON_TIMEOUT] = {.text = "connection timed out, disconnecting",
			    .mark = "connection timed out",
			    .closes = true},
	[REASON_FAILURES] = {.text = "too many failed logins, try again later",
			     .mark = "too many failed logins"},
	[REASON_LOGINS] = {.text = "too many logins, try again later", .mark = "too many logins"},
	[REASON_CONNECTIONS] = {.text = "too many connections, try again later",
				.mark = "too many connections",
				.closes = true},
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
