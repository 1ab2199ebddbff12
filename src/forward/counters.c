/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/counters.h"

static const char *const drop_names[DROP_REASONS] = {
	[DROP_NONE] = "none",
	[DROP_OUTER_SHORT] = "outer-short",
	[DROP_OUTER_PEER] = "outer-peer",
	[DROP_NOT_IPV6] = "not-ipv6",
	[DROP_TRUNCATED] = "truncated",
	[DROP_SRC_MULTICAST] = "src-multicast",
	[DROP_SRC_UNSPECIFIED] = "src-unspecified",
	[DROP_SRC_LOOPBACK] = "src-loopback",
	[DROP_SRC_MAPPED] = "src-mapped",
	[DROP_SRC_COMPATIBLE] = "src-compatible",
	[DROP_SRC_INGRESS] = "src-ingress",
	[DROP_LOOP] = "loop",
	[DROP_ROUTER] = "router",
	[DROP_ECN] = "ecn",
	[DROP_UDP_MALFORMED] = "udp-malformed",
	[DROP_PROBE_SESSION] = "probe-session",
	[DROP_PROBE_CODE] = "probe-code",
	[DROP_PROBE_OLD] = "probe-old",
	[DROP_TUN_MALFORMED] = "tun-malformed",
	[DROP_MULTICAST] = "multicast",
	[DROP_REDIRECT] = "redirect",
	[DROP_NO_ROUTE] = "no-route",
	[DROP_NO_SESSION] = "no-session",
	[DROP_TOO_BIG] = "too-big",
	[DROP_TUN_WRITE] = "tun-write",
	[DROP_SEND] = "send",
};

const char *drop_reason_name(enum drop_reason reason)
{
	return reason < DROP_REASONS ? drop_names[reason] : "unknown";
}

size_t counters_size(uint32_t sessions_max)
{
	return sizeof(struct counters_page) + sessions_max * sizeof(struct session_counters);
}
