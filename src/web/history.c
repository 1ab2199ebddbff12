/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/history.h"

#include <inttypes.h>
#include <string.h>

static uint64_t history_octets(const json_t *traffic, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(traffic, name));

	return value > 0 ? (uint64_t)value : 0;
}

void history_add(struct history *history, int64_t at, const json_t *status)
{
	/* A server has counters for each path and a number of sessions; a client is one session. */
	const json_t *traffic = json_object_get(status, "traffic");
	const json_t *sessions = json_object_get(status, "sessions");
	const json_t *user = traffic ? json_object_get(traffic, "user") : status;
	const json_t *kernel = json_object_get(traffic, "kernel");
	const char *state = json_string_value(json_object_get(status, "state"));
	json_int_t count = json_integer_value(json_object_get(sessions, "now"));
	struct history_sample sample = {
		.at = at,
		.known = status != NULL,
		.count = sessions ? (uint32_t)count : state && strcmp(state, "up") == 0,
		.pid = json_integer_value(json_object_get(status, "pid")),
		.in = history_octets(user, "in_octets") + history_octets(kernel, "in_octets"),
		.out = history_octets(user, "out_octets") + history_octets(kernel, "out_octets"),
	};

	history->samples[(history->first + history->count) % HISTORY_SAMPLES] = sample;
	if (history->count < HISTORY_SAMPLES)
		history->count++;
	else
		history->first = (history->first + 1) % HISTORY_SAMPLES;
}

static const struct history_sample *history_get(const struct history *history, size_t i)
{
	return &history->samples[(history->first + i) % HISTORY_SAMPLES];
}

/* Octets per second since the previous sample; negative: unknown. */
static double history_rate(const struct history_sample *before, const struct history_sample *now,
			   bool in)
{
	uint64_t was = in ? before->in : before->out;
	uint64_t is = in ? now->in : now->out;
	int64_t ms = now->at - before->at;

	if (!before->known || !now->known || before->pid != now->pid || is < was || ms <= 0)
		return -1;
	return (double)(is - was) * 1000 / (double)ms;
}

static bool history_write_rates(const struct history *history, bool in, struct evbuffer *out)
{
	bool ok = evbuffer_add_printf(out, ",\"%s\":[", in ? "in" : "out") >= 0;

	for (size_t i = 0; i < history->count && ok; i++) {
		double rate =
			i ? history_rate(history_get(history, i - 1), history_get(history, i), in)
			  : -1;
		const char *comma = i ? "," : "";

		ok = (rate < 0 ? evbuffer_add_printf(out, "%snull", comma)
			       : evbuffer_add_printf(out, "%s%.0f", comma, rate)) >= 0;
	}
	return ok && evbuffer_add(out, "]", 1) == 0;
}

bool history_write(const struct history *history, struct evbuffer *out)
{
	bool ok = evbuffer_add_printf(out, "\"step\":%d,\"time\":[", HISTORY_STEP) >= 0;

	for (size_t i = 0; i < history->count && ok; i++)
		ok = evbuffer_add_printf(out, "%s%.3f", i ? "," : "",
					 (double)history_get(history, i)->at / 1000) >= 0;
	ok = ok && evbuffer_add_printf(out, "],\"count\":[") >= 0;
	for (size_t i = 0; i < history->count && ok; i++) {
		const struct history_sample *sample = history_get(history, i);
		const char *comma = i ? "," : "";

		ok = (sample->known ? evbuffer_add_printf(out, "%s%" PRIu32, comma, sample->count)
				    : evbuffer_add_printf(out, "%snull", comma)) >= 0;
	}
	return ok && evbuffer_add(out, "]", 1) == 0 && history_write_rates(history, true, out) &&
	       history_write_rates(history, false, out);
}
