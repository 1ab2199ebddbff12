/* SPDX-License-Identifier: BSD-2-Clause */
/* One rule: conditions and a verdict, as words. An unknown condition may or may not hold. */
#include "netconf/ruleset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A rule with more words may do anything. */
enum { RULE_WORDS = 512, RULE_WORD = 64 };

struct rule {
	const struct ruleset_packet *packet;
	struct ruleset_effect *effect;
	size_t n;
	size_t at;
	char words[RULE_WORDS]
		  [RULE_WORD]; /* truncated; quoted texts keep the opening quotation mark */
};

/* The word that many words ahead, "" behind the last one. */
static const char *rule_peek(const struct rule *rule, size_t ahead)
{
	return rule->at + ahead < rule->n ? rule->words[rule->at + ahead] : "";
}

static bool rule_is(const struct rule *rule, const char *word)
{
	return strcmp(rule_peek(rule, 0), word) == 0;
}

static bool rule_skip(struct rule *rule, const char *word)
{
	if (!rule_is(rule, word))
		return false;
	rule->at++;
	return true;
}

/* False if there are too many words. Commas and braces are words of their own. */
static bool rule_split(struct rule *rule, const char *line, size_t len)
{
	const char *end = line + len;

	rule->n = 0;
	while (line < end && *line != '#') {
		size_t size = 1;

		if (*line == ' ' || *line == '\t') {
			line++;
			continue;
		}
		if (rule->n == RULE_WORDS)
			return false;
		if (*line == '"') {
			while (line + size < end && line[size] != '"')
				size++;
		} else if (!strchr("{},", *line)) {
			while (line + size < end && !strchr(" \t{},\"", line[size]))
				size++;
		}
		(void)snprintf(rule->words[rule->n++], RULE_WORD, "%.*s", (int)size, line);
		line += size;
		if (line < end && *line == '"' && rule->words[rule->n - 1][0] == '"')
			line++;
	}
	return true;
}

/* --- verdicts ----------------------------------------------------------------------------- */

static void rule_call(struct rule *rule, bool for_good)
{
	struct ruleset_effect *effect = rule->effect;
	struct ruleset_call *call = &effect->calls[effect->n_calls];

	if (effect->n_calls == RULESET_CALLS) {
		effect->outcome |= RULESET_ANYTHING;
		return;
	}
	(void)strlcpy(call->chain, rule_peek(rule, 0), sizeof(call->chain));
	call->for_good = for_good;
	effect->n_calls++;
}

/* Parses a verdict, if the next word is one. */
static bool rule_verdict(struct rule *rule)
{
	static const struct {
		const char *word;
		unsigned int outcome;
	} verdicts[] = {
		{"accept", RULESET_ACCEPTED},	{"drop", RULESET_DROPPED},
		{"reject", RULESET_DROPPED},	{"return", RULESET_THROUGH},
		{"continue", RULESET_GOES_ON},	{"queue", RULESET_ANYTHING},
		{"synproxy", RULESET_ANYTHING}, {"tproxy", RULESET_ANYTHING},
	};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (rule_skip(rule, verdicts[i].word)) {
			rule->effect->outcome |= verdicts[i].outcome;
			return true;
		}
	}
	if (!rule_is(rule, "jump") && !rule_is(rule, "goto"))
		return false;
	rule->at++;
	rule_call(rule, strcmp(rule->words[rule->at - 1], "goto") == 0);
	rule->at++;
	return true;
}

/* --- conditions --------------------------------------------------------------------------- */

static enum ruleset_match rule_or(enum ruleset_match a, enum ruleset_match b)
{
	return a > b ? a : b;
}

/* Parses "vmap { established : accept, ... }". */
static enum ruleset_match rule_map(struct rule *rule, enum ruleset_field field)
{
	enum ruleset_match found = RULESET_NO;

	if (!rule_skip(rule, "{")) {
		rule->effect->outcome |= RULESET_ANYTHING;
		return RULESET_MAYBE;
	}
	while (rule->at < rule->n && !rule_skip(rule, "}")) {
		const char *value = rule_peek(rule, 0);
		enum ruleset_match match = ruleset_compare(field, rule->packet, value);

		rule->at++;
		if (!rule_skip(rule, ":"))
			match = RULESET_MAYBE;
		/* Skips the verdict if the value cannot match. */
		if (match == RULESET_NO)
			rule->at++;
		else if (!rule_verdict(rule))
			rule->effect->outcome |= RULESET_ANYTHING;
		while (rule->at < rule->n && !rule_is(rule, ",") && !rule_is(rule, "}"))
			rule->at++;
		(void)rule_skip(rule, ",");
		found = rule_or(found, match);
	}
	/* If no value matches, the packet goes on to the next rule. */
	return found;
}

/* Parses values behind a selector: "a", "a,b", or "{ a, b }", perhaps with "!=". */
static enum ruleset_match rule_values(struct rule *rule, enum ruleset_field field)
{
	bool not = rule_skip(rule, "!=");
	enum ruleset_match match = RULESET_NO;

	if (rule_skip(rule, "vmap"))
		return rule_map(rule, field);
	if (strchr("<>", rule_peek(rule, 0)[0])) {
		rule->at += 2;
		return RULESET_MAYBE;
	}
	(void)rule_skip(rule, "==");
	if (rule_skip(rule, "{")) {
		while (rule->at < rule->n && !rule_skip(rule, "}")) {
			if (!rule_skip(rule, ","))
				match = rule_or(match, ruleset_compare(field, rule->packet,
								       rule->words[rule->at++]));
		}
	} else {
		do
			match = rule_or(match, rule->at < rule->n
						       ? ruleset_compare(field, rule->packet,
									 rule->words[rule->at++])
						       : RULESET_MAYBE);
		while (rule_skip(rule, ","));
	}
	if (not &&match != RULESET_MAYBE)
		match = match == RULESET_YES ? RULESET_NO : RULESET_YES;
	return match;
}

/* Parses a header's field: no value matches if the packet lacks the header. */
static enum ruleset_match rule_header(struct rule *rule, bool has, enum ruleset_field field)
{
	enum ruleset_match match;

	rule->at += 2;
	match = rule_values(rule, field);
	return has ? match : RULESET_NO;
}

/* Parses a field of the transport header; only the port's value is known. */
static enum ruleset_match rule_transport(struct rule *rule, enum ruleset_match is)
{
	bool port = strcmp(rule_peek(rule, 1), "dport") == 0;
	enum ruleset_match match = rule_header(rule, true, port ? RULESET_PORT : RULESET_UNKNOWN);

	if (is == RULESET_MAYBE && match == RULESET_YES)
		return RULESET_MAYBE;
	/* With an unknown transport, a condition may hold. */
	return is == RULESET_MAYBE && match == RULESET_NO ? RULESET_MAYBE
	       : is == RULESET_NO			  ? RULESET_NO
							  : match;
}

static enum ruleset_match rule_condition(struct rule *rule)
{
	static const char *const transports[] = {"tcp",	 "udp",	   "sctp", "dccp", "udplite",
						 "icmp", "icmpv6", "esp",  "ah",   NULL};
	const struct ruleset_packet *packet = rule->packet;

	(void)rule_skip(rule, "meta");
	if (rule_skip(rule, "iifname") || rule_skip(rule, "iif"))
		return rule_values(rule, RULESET_INPUT);
	if (rule_skip(rule, "oifname") || rule_skip(rule, "oif"))
		return rule_values(rule, RULESET_OUTPUT);
	if (rule_skip(rule, "l4proto"))
		return rule_values(rule, RULESET_PROTOCOL);
	if (rule_skip(rule, "nfproto") || rule_skip(rule, "protocol"))
		return rule_values(rule, RULESET_FAMILY);
	if (rule_is(rule, "ct") && strcmp(rule_peek(rule, 1), "state") == 0) {
		rule->at += 2;
		return rule_values(rule, RULESET_STATE);
	}
	if (rule_is(rule, "ip"))
		return rule_header(rule, !packet->ipv6,
				   strcmp(rule_peek(rule, 1), "protocol") == 0 ? RULESET_PROTOCOL
									       : RULESET_UNKNOWN);
	if (rule_is(rule, "ip6"))
		return rule_header(rule, packet->ipv6,
				   strcmp(rule_peek(rule, 1), "nexthdr") == 0 ? RULESET_PROTOCOL
									      : RULESET_UNKNOWN);
	if (rule_is(rule, "th"))
		return rule_transport(rule, packet->protocol == IPPROTO_TCP ||
							    packet->protocol == IPPROTO_UDP
						    ? RULESET_YES
						    : RULESET_MAYBE);
	if (ruleset_among(rule_peek(rule, 0), transports))
		return rule_transport(
			rule, ruleset_compare(RULESET_PROTOCOL, packet, rule_peek(rule, 0)));
	rule->at++;
	return RULESET_MAYBE;
}

/* Parses a statement without effect on the packet. */
static bool rule_statement(struct rule *rule)
{
	static const char *const options[] = {"prefix",	 "level",   "flags", "group",
					      "snaplen", "packets", "bytes", "queue-threshold",
					      "name",	 NULL};

	if (rule_skip(rule, "comment")) {
		rule->at++;
		return true;
	}
	if (!rule_skip(rule, "counter") && !rule_skip(rule, "log"))
		return false;
	while (ruleset_among(rule_peek(rule, 0), options))
		rule->at += 2;
	return true;
}

/* Whether the rule has words that change the meaning of others. */
static bool rule_is_strange(const struct rule *rule)
{
	static const char *const strange[] = {
		".",  "fib",	  "map",   "and", "or",	 "xor",	   "&",	 "|",	   "^", "<<",
		">>", "original", "reply", "set", "add", "update", "xt", "exthdr", NULL};

	for (size_t i = 0; i < rule->n; i++) {
		if (ruleset_among(rule->words[i], strange))
			return true;
	}
	return false;
}

/* Parses conditions up to the verdict. */
static enum ruleset_match rule_read(struct rule *rule)
{
	enum ruleset_match match = RULESET_YES;

	while (rule->at < rule->n && match != RULESET_NO) {
		enum ruleset_match next;

		if (rule_statement(rule))
			continue;
		if (rule_verdict(rule))
			return match;
		next = rule_condition(rule);
		match = next < match ? next : match;
	}
	if (match != RULESET_NO && rule->effect->outcome == 0 && rule->effect->n_calls == 0)
		rule->effect->outcome = RULESET_GOES_ON;
	return match;
}

void ruleset_rule(const char *line, size_t len, const struct ruleset_packet *packet,
		  struct ruleset_effect *effect)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	enum ruleset_match match = RULESET_MAYBE;

	*effect = (struct ruleset_effect){.outcome = 0};
	if (!rule || !rule_split(rule, line, len)) {
		effect->outcome = RULESET_ANYTHING;
		free(rule);
		return;
	}
	rule->packet = packet;
	rule->effect = effect;
	if (!rule_is_strange(rule)) {
		match = rule_read(rule);
	} else {
		while (rule->at < rule->n) {
			if (!rule_verdict(rule))
				rule->at++;
		}
	}
	if (match == RULESET_NO)
		*effect = (struct ruleset_effect){.outcome = RULESET_GOES_ON};
	else if (match == RULESET_MAYBE)
		effect->outcome |= RULESET_GOES_ON;
	free(rule);
}
