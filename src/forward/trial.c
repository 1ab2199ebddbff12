/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/trial.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/rate.h"
#include "forward/checksum.h"
#include "forward/outbound.h"

#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

/* Offsets of the fields of an ICMPv6 message, behind the IPv6 header. */
#define TRIAL_AT_CHECKSUM 2
#define TRIAL_AT_ID	  4
#define TRIAL_AT_COOKIE	  8

#define TRIAL_HOPS   64
#define TRIAL_COOKIE 16

/*
 * Parts of a request: its answer repeats it from the id on; an error quotes it from the source on,
 * since the octets before may change on the way.
 */
#define TRIAL_ECHOED	(TRIAL_AT_COOKIE + TRIAL_COOKIE - TRIAL_AT_ID)
#define TRIAL_AT_SOURCE 8
#define TRIAL_QUOTED	(INNER_HEADER + TRIAL_AT_COOKIE + TRIAL_COOKIE - TRIAL_AT_SOURCE)

_Static_assert(INNER_HEADER + TRIAL_AT_COOKIE + TRIAL_COOKIE <= FORWARD_TRIAL_MIN,
	       "it has a cookie");

struct trial {
	struct plane *plane;
	struct session *session;
	struct event *timer;
	struct rate rate;
	bool waits;
	struct forward_trial request;
	uint64_t sent; /* microseconds */
	uint8_t packet[FORWARD_MTU_MAX];
};

static void trial_report(struct trial *trial, struct forward_result *result)
{
	uint32_t path = pmtu_get(session_pmtu(trial->session), clock_us() / 1000);

	trial->waits = false;
	(void)event_del(trial->timer);
	result->id = trial->request.id;
	result->number = trial->request.number;
	result->path_mtu = path == PMTU_UNKNOWN ? 0 : path;
	trial->plane->reports->result(result, trial->plane->reports_arg);
}

static void trial_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct forward_result result = {.what = FORWARD_RESULT_SILENCE};

	(void)fd;
	(void)what;
	trial_report(arg, &result);
}

struct trial *trial_new(struct plane *plane, struct session *session)
{
	struct trial *trial = calloc(1, sizeof(*trial));

	if (!trial)
		return NULL;
	trial->plane = plane;
	trial->session = session;
	rate_init_burst(&trial->rate, TRIAL_RATE, TRIAL_RATE, clock_us() / 1000);
	trial->timer = evtimer_new(plane->base, trial_on_timer, trial);
	if (!trial->timer) {
		free(trial);
		return NULL;
	}
	return trial;
}

void trial_free(struct trial *trial)
{
	if (!trial)
		return;
	event_free(trial->timer);
	free(trial);
}

/* A sender that is not on the path does not see the cookie, and so cannot answer. */
static void trial_write(struct trial *trial)
{
	const struct forward_trial *request = &trial->request;
	uint8_t *packet = trial->packet;
	uint8_t *icmp6 = packet + INNER_HEADER;
	size_t payload = request->size - INNER_HEADER;
	uint64_t sum;
	uint16_t check;

	memset(packet, 0, request->size);
	packet[0] = 0x60;
	packet[4] = (uint8_t)(payload >> 8);
	packet[5] = (uint8_t)payload;
	packet[6] = IPPROTO_ICMPV6;
	packet[7] = TRIAL_HOPS;
	memcpy(packet + TRIAL_AT_SOURCE, &request->source, sizeof(request->source));
	memcpy(packet + 24, &request->target, sizeof(request->target));
	icmp6[0] = ICMP6_ECHO_REQUEST;
	arc4random_buf(icmp6 + TRIAL_AT_ID, TRIAL_ECHOED);
	sum = checksum_pseudo(packet, IPPROTO_ICMPV6, payload);
	check = (uint16_t)~checksum_fold(checksum_add(sum, icmp6, payload));
	icmp6[TRIAL_AT_CHECKSUM] = (uint8_t)(check >> 8);
	icmp6[TRIAL_AT_CHECKSUM + 1] = (uint8_t)check;
}

void trial_begin(struct trial *trial, const struct forward_trial *request)
{
	const struct timeval patience = {.tv_sec = TRIAL_PATIENCE / 1000};

	trial->request = *request;
	trial->waits = true;
	trial->sent = clock_us();
	loop_add(trial->timer, &patience);
	trial_write(trial);
	if (rate_take(&trial->rate, trial->sent / 1000))
		outbound_own_df(trial->plane, plane_outer(trial->plane, trial->session),
				trial->session, session_config(trial->session)->local,
				request->df != 0, trial->packet, request->size);
}

static enum forward_error trial_why(uint8_t type, uint8_t code)
{
	if (type == ICMP6_TIME_EXCEEDED)
		return FORWARD_ERROR_HOPS;
	if (type != ICMP6_DST_UNREACH)
		return FORWARD_ERROR_OTHER;
	switch (code) {
	case ICMP6_DST_UNREACH_NOROUTE:
		return FORWARD_ERROR_NO_ROUTE;
	case ICMP6_DST_UNREACH_ADMIN:
		return FORWARD_ERROR_FORBIDDEN;
	case ICMP6_DST_UNREACH_ADDR:
		return FORWARD_ERROR_ADDRESS;
	default:
		return FORWARD_ERROR_OTHER;
	}
}

/* The first fragment of an answer is enough, since the request's size was tested. */
bool trial_takes(struct trial *trial, const struct inner *inner)
{
	const uint8_t *sent = trial->packet + INNER_HEADER;
	struct forward_result result = {.from = inner->src};
	struct inner_upper upper;
	const uint8_t *icmp6;
	size_t len;

	if (!trial->waits || !IN6_ARE_ADDR_EQUAL(&inner->dst, &trial->request.source) ||
	    !inner_find_upper(inner, &upper) || upper.protocol != IPPROTO_ICMPV6 || !upper.begin)
		return false;
	icmp6 = inner->packet + upper.offset;
	len = inner->len - upper.offset;
	if (len < TRIAL_AT_COOKIE + TRIAL_COOKIE)
		return false;
	if (icmp6[0] == ICMP6_ECHO_REPLY && icmp6[1] == 0 &&
	    memcmp(icmp6 + TRIAL_AT_ID, sent + TRIAL_AT_ID, TRIAL_ECHOED) == 0) {
		result.what = FORWARD_RESULT_ANSWER;
		result.rtt_us = (uint32_t)(clock_us() - trial->sent);
	} else if (!(icmp6[0] & ICMP6_INFOMSG_MASK) &&
		   len >= TRIAL_AT_COOKIE + TRIAL_AT_SOURCE + TRIAL_QUOTED &&
		   memcmp(icmp6 + TRIAL_AT_COOKIE + TRIAL_AT_SOURCE,
			  trial->packet + TRIAL_AT_SOURCE, TRIAL_QUOTED) == 0) {
		result.what = FORWARD_RESULT_ERROR;
		result.why = trial_why(icmp6[0], icmp6[1]);
	} else {
		return false;
	}
	plane_counters(trial->plane, trial->session)->probes++;
	trial_report(trial, &result);
	return true;
}

void trial_too_big(struct trial *trial)
{
	struct forward_result result = {.what = FORWARD_RESULT_TOO_BIG};

	if (trial->waits && trial->request.df)
		trial_report(trial, &result);
}
