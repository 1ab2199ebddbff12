/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbour solicitations: whatever is asked, only what a session has and nobody else has is
 * answered, and each answer is whole. A model says what there is.
 */
#include "fuzz.h"

#include "server/ndp/answerer.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 40, ADVERTISEMENT = 136 };

static const struct {
	const char *addr;
	uint8_t len;
} prefixes[] = {
	{"2001:db8:a::", 64},	       {"2001:db8:a:0:8000::", 80}, {"2001:db8:a:0:8000::5", 128},
	{"2001:db8:a:0:8000::4", 126}, {"2001:db8::", 16},
};
enum { PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]) };

struct model {
	struct answerer *answerer;
	unsigned int sessions[PREFIXES];
	bool never[PREFIXES];
	bool started;
	uint64_t now;
	unsigned int answered; /* at this time */
};

static struct prefix6 prefix_of(unsigned int number)
{
	const struct in6_addr addr = fuzz_ipv6(prefixes[number].addr);

	return (struct prefix6){.addr = prefix6_mask(&addr, prefixes[number].len),
				.len = prefixes[number].len};
}

static uint16_t sum_of(const uint8_t *packet, size_t len)
{
	uint64_t sum = len + NEIGHBOUR_PROTOCOL;

	for (size_t i = 8; i < HEADER + len; i++)
		sum += i % 2 ? packet[i] : (uint64_t)packet[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool may_answer(const struct model *model, const struct in6_addr *target)
{
	bool has = false;

	for (unsigned int i = 0; i < PREFIXES; i++) {
		const struct prefix6 prefix = prefix_of(i);

		if (!prefix6_has(&prefix, target))
			continue;
		has |= model->sessions[i] > 0;
		if (model->never[i])
			return false;
	}
	return has && model->started;
}

static void check_answer(const struct model *model, const uint8_t *packet,
			 const struct answerer_answer *answer)
{
	const uint8_t *out = answer->packet;

	FUZZ_CHECK(may_answer(model, &answer->target));
	FUZZ_CHECK(packet[NEIGHBOUR_AT_TYPE] == NEIGHBOUR_SOLICITATION);
	FUZZ_CHECK(out[NEIGHBOUR_AT_TYPE] == ADVERTISEMENT && out[NEIGHBOUR_AT_HOP_LIMIT] == 255);
	FUZZ_CHECK(sum_of(out, NEIGHBOUR_ANSWER_SIZE - HEADER) == 0);
	/* Back to who has asked, or to all, and about nothing else. */
	FUZZ_CHECK((out[24] == 0xff) == answer->for_all);
	FUZZ_CHECK(answer->for_all || memcmp(out + 24, packet + 8, 16) == 0);
	FUZZ_CHECK(memcmp(out + 48, packet + 48, 16) == 0);
	FUZZ_CHECK((out[44] & 0x20) == 0);
}

/* right: with the length and the checksum that it should have. */
static void try_packet(struct model *model, struct fuzz_input *input, bool right)
{
	struct neighbour_solicitation found;
	struct answerer_answer answer;
	enum answerer_verdict verdict;
	size_t len;
	uint8_t *packet = fuzz_piece(input, 1500, &len);

	if (right && len >= HEADER + 24) {
		size_t rest = len - HEADER;
		uint16_t sum;

		packet[4] = (uint8_t)(rest >> 8);
		packet[5] = (uint8_t)rest;
		packet[42] = packet[43] = 0;
		sum = sum_of(packet, rest);
		packet[42] = (uint8_t)(sum >> 8);
		packet[43] = (uint8_t)sum;
	}
	verdict = answerer_ask(model->answerer, packet, len, model->now, &answer);
	if (verdict == ANSWERER_ANSWER) {
		check_answer(model, packet, &answer);
		FUZZ_CHECK(++model->answered <= ANSWERER_RATE);
	}
	if (neighbour_parse(packet, len, &found) && may_answer(model, &found.target))
		FUZZ_CHECK(verdict != ANSWERER_NOT_OURS);
	else
		FUZZ_CHECK(verdict == ANSWERER_NOT_OURS);
	free(packet);
}

static void step(struct model *model, struct fuzz_input *input)
{
	const struct server_ndp_link link = {.interface = 7, .source = fuzz_ipv6("fe80::2")};
	const uint8_t what = fuzz_byte(input);
	struct prefix6 prefix;
	unsigned int number;

	switch (what % 8) {
	case 0:
		number = fuzz_below(input, PREFIXES);
		prefix = prefix_of(number);
		FUZZ_CHECK(answerer_add(model->answerer, &prefix, model->now));
		model->sessions[number]++;
		break;
	case 1:
		number = fuzz_below(input, PREFIXES);
		prefix = prefix_of(number);
		answerer_remove(model->answerer, &prefix);
		if (model->sessions[number] > 0)
			model->sessions[number]--;
		break;
	case 2:
		number = fuzz_below(input, PREFIXES);
		prefix = prefix_of(number);
		FUZZ_CHECK(answerer_never(model->answerer, &prefix));
		model->never[number] = true;
		break;
	case 3:
		answerer_stop(model->answerer);
		memset(model->never, 0, sizeof(model->never));
		model->started = false;
		break;
	case 4:
		answerer_start(model->answerer, &link);
		model->started = true;
		break;
	case 5:
		try_packet(model, input, false);
		break;
	case 6:
		try_packet(model, input, true);
		break;
	default:
		model->now += 1 + (uint64_t)fuzz_16(input);
		model->answered = 0;
		break;
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct model model = {.answerer = answerer_new(0)};

	FUZZ_CHECK(model.answerer);
	while (input.left > 0)
		step(&model, &input);
	answerer_free(model.answerer);
}
