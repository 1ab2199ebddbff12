/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/counters.h"

#include "base/log.h"
#include "fastpath/shared.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
	[DROP_UNPROVEN] = "unproven",
	[DROP_TUN_WRITE] = "tun-write",
	[DROP_SEND] = "send",
};

static const char *const drop_texts[DROP_REASONS] = {
	[DROP_NONE] = "not dropped",
	[DROP_OUTER_SHORT] = "no room for an inner packet",
	[DROP_OUTER_PEER] =
		"sent by nobody who has a session, or to another address of this machine",
	[DROP_NOT_IPV6] = "what was inside is not IPv6",
	[DROP_TRUNCATED] = "the inner packet is shorter than its header says",
	[DROP_SRC_MULTICAST] = "source address is multicast",
	[DROP_SRC_UNSPECIFIED] = "source address is ::",
	[DROP_SRC_LOOPBACK] = "source address is ::1",
	[DROP_SRC_MAPPED] = "source address is an IPv4-mapped one",
	[DROP_SRC_COMPATIBLE] = "source address is an IPv4-compatible one",
	[DROP_SRC_INGRESS] = "source address is not one of the session's own",
	[DROP_LOOP] = "destination leads back into the same tunnel",
	[DROP_ROUTER] = "redirect or router advertisement from a tunnel",
	[DROP_ECN] = "marked for congestion on the way, in a flow that does not know ECN",
	[DROP_UDP_MALFORMED] = "came over UDP, and is neither IPv6 nor a probe",
	[DROP_PROBE_SESSION] = "probe of no session here",
	[DROP_PROBE_CODE] = "probe with a wrong code",
	[DROP_PROBE_OLD] = "probe that came twice or late",
	[DROP_TUN_MALFORMED] = "came from this machine, and is no whole IPv6 packet",
	[DROP_MULTICAST] = "destination is multicast, which no one session has",
	[DROP_REDIRECT] = "redirect to another session",
	[DROP_NO_ROUTE] = "destination belongs to no user",
	[DROP_NO_SESSION] = "destination belongs to a user who has no session now",
	[DROP_TOO_BIG] = "larger than the path takes",
	[DROP_UNPROVEN] = "more than may go to an address that has not answered yet",
	[DROP_TUN_WRITE] = "the tunnel interface did not take it",
	[DROP_SEND] = "the network did not take it",
};

const char *drop_reason_name(enum drop_reason reason)
{
	return reason < DROP_REASONS ? drop_names[reason] : "unknown";
}

const char *drop_reason_text(enum drop_reason reason)
{
	return reason < DROP_REASONS ? drop_texts[reason] : "unknown";
}

size_t counters_size(uint32_t sessions_max)
{
	return sizeof(struct counters_page) + sessions_max * sizeof(struct session_counters);
}

const struct counters_page *counters_map(int fd, uint32_t sessions_max)
{
	size_t size = counters_size(sessions_max);
	struct stat status;
	void *page = MAP_FAILED;

	if (fstat(fd, &status) == 0 && (size_t)status.st_size >= size)
		page = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED)
		return page;
	log_warnx("cannot map the counter page; counters will not be shown");
	return NULL;
}

void counters_kernel_map(int fd, const struct counters_kernel_given *given, uint32_t sessions_max,
			 struct counters_kernel *out)
{
	size_t size = (sessions_max + (size_t)1) * given->lanes * sizeof(struct fast_counters);
	void *lanes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	if (lanes == MAP_FAILED)
		log_warn("cannot map the kernel's counters; they will not be shown");
	else
		*out = (struct counters_kernel){lanes, given->lanes};
}

void counters_kernel_add(const struct counters_kernel *kernel, uint32_t id,
			 struct session_counters *sum)
{
	for (uint32_t i = 0; i < kernel->lanes; i++) {
		const struct fast_counters *lane = &kernel->lane[(size_t)id * kernel->lanes + i];

		sum->in_packets += lane->in_packets;
		sum->in_bytes += lane->in_bytes;
		sum->out_packets += lane->out_packets;
		sum->out_bytes += lane->out_bytes;
		sum->dropped += lane->not_sent + lane->not_written;
	}
}

void counters_log(const char *name, uint64_t number)
{
	struct log_record record;

	log_record_begin(&record, LOG_INFO, "counter", "counter");
	log_record_text(&record, "name", "%s", name);
	log_record_number(&record, "value", number);
	log_event(&record);
}

void counters_log_some(const char *name, uint64_t number)
{
	if (number)
		counters_log(name, number);
}

uint64_t counters_kernel_octets(const struct counters_kernel *kernel, uint32_t id)
{
	struct session_counters sum = {0};

	counters_kernel_add(kernel, id, &sum);
	return sum.in_bytes + sum.out_bytes;
}

void counters_kernel_carried(const struct counters_kernel *kernel, uint32_t sessions_max,
			     struct carried_counters *sum)
{
	struct session_counters all = {0};

	/* The sums follow the last session. */
	counters_kernel_add(kernel, sessions_max, &all);
	*sum = (struct carried_counters){
		.in_packets = all.in_packets,
		.in_bytes = all.in_bytes,
		.out_packets = all.out_packets,
		.out_bytes = all.out_bytes,
	};
}

void counters_drops(const struct counters_page *page, const struct counters_kernel *kernel,
		    uint64_t drops[static DROP_REASONS])
{
	memcpy(drops, page->drops, DROP_REASONS * sizeof(*drops));
	/* The kernel's drops of all sessions follow the last session. */
	for (uint32_t i = 0; i < kernel->lanes; i++) {
		const struct fast_counters *lane =
			&kernel->lane[(size_t)page->sessions_max * kernel->lanes + i];

		drops[DROP_SEND] += lane->not_sent;
		drops[DROP_TUN_WRITE] += lane->not_written;
	}
}

void counters_log_page(const struct counters_page *page, const struct counters_kernel *kernel)
{
	uint64_t drops[DROP_REASONS];

	counters_drops(page, kernel, drops);
	for (enum drop_reason reason = DROP_NONE + 1; reason < DROP_REASONS; reason++)
		counters_log_some(drop_reason_name(reason), drops[reason]);
	counters_log_some("icmp-errors", page->icmp_errors);
	counters_log_some("icmp6-sent", page->icmp6_sent);
}

void counters_log_session(const struct session_counters *session)
{
	counters_log("in-packets", session->in_packets);
	counters_log("in-bytes", session->in_bytes);
	counters_log("out-packets", session->out_packets);
	counters_log("out-bytes", session->out_bytes);
	counters_log_some("rtt-us", session->rtt_us);
}
