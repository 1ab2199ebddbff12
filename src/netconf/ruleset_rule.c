/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One rule: conditions and a verdict, as words. A condition that is not known here may hold or not.
 */
#include "netconf/ruleset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More words than that in a rule: it may do anything. */
enum { RULE_WORDS = 512, RULE_WORD = 64 };

enum rule_match { RULE_NO, RULE_MAYBE, RULE_YES };

struct rule {
	const struct ruleset_packet *packet;
	struct ruleset_effect *effect;
	size_t n;
	size_t at;
	char words[RULE_WORDS][RULE_WORD]; /* cut short; texts in quotation marks keep the first */
};

typedef enum rule_match (*rule_compare)(const struct ruleset_packet *packet, const char *value);

/* The word at that distance, "" behind the last one. */
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

/* list ends with NULL. */
static bool rule_among(const char *word, const char *const list[])
{
	while (*list && strcmp(*list, word) != 0)
		list++;
	return *list;
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

/* --- values ------------------------------------------------------------------------------- */

/* Compares with "7" and "7-9"; a name may be any number. */
static enum rule_match rule_number(long number, const char *value)
{
	char *end;
	long first = strtol(value, &end, 10);
	long last = first;

	if (end == value)
		return RULE_MAYBE;
	if (*end == '-') {
		const char *from = end + 1;

		last = strtol(from, &end, 10);
		if (end == from)
			return RULE_MAYBE;
	}
	if (*end != '\0')
		return RULE_MAYBE;
	return number >= first && number <= last ? RULE_YES : RULE_NO;
}

static enum rule_match rule_port(const struct ruleset_packet *packet, const char *value)
{
	return rule_number(packet->port, value);
}

static enum rule_match rule_protocol(const struct ruleset_packet *packet, const char *value)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{"tcp", IPPROTO_TCP},	       {"udp", IPPROTO_UDP},	   {"ipv6", IPPROTO_IPV6},
		{"icmp", IPPROTO_ICMP},	       {"esp", IPPROTO_ESP},	   {"ah", IPPROTO_AH},
		{"ipv6-icmp", IPPROTO_ICMPV6}, {"icmpv6", IPPROTO_ICMPV6}, {"gre", IPPROTO_GRE},
		{"sctp", IPPROTO_SCTP},	       {"igmp", IPPROTO_IGMP},	   {"dccp", IPPROTO_DCCP},
		{"udplite", IPPROTO_UDPLITE}};

	if (packet->protocol == -1)
		return RULE_MAYBE;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, value) == 0)
			return names[i].number == packet->protocol ? RULE_YES : RULE_NO;
	}
	return rule_number(packet->protocol, value);
}

/* The packet is the first one of its flow. */
static enum rule_match rule_state(const struct ruleset_packet *packet, const char *value)
{
	static const char *const others[] = {"established", "related", "invalid", "untracked",
					     NULL};

	(void)packet;
	if (strcmp(value, "new") == 0)
		return RULE_YES;
	return rule_among(value, others) ? RULE_NO : RULE_MAYBE;
}

/* An interface's name, in quotation marks or not, perhaps with "*" at its end. */
static enum rule_match rule_input(const struct ruleset_packet *packet, const char *value)
{
	const char *name = value + (value[0] == '"');
	size_t len = strlen(name);

	if (!packet->interface)
		return strcmp(name, "lo") == 0 ? RULE_NO : RULE_MAYBE;
	if (len > 0 && name[len - 1] == '*')
		return strncmp(name, packet->interface, len - 1) == 0 ? RULE_YES : RULE_NO;
	return strcmp(name, packet->interface) == 0 ? RULE_YES : RULE_NO;
}

/* Where it goes to is not known, but it leaves the machine, or stays here. */
static enum rule_match rule_output(const struct ruleset_packet *packet, const char *value)
{
	const char *name = value + (value[0] == '"');

	return packet->forwarded && strcmp(name, "lo") == 0 ? RULE_NO : RULE_MAYBE;
}

static enum rule_match rule_family(const struct ruleset_packet *packet, const char *value)
{
	bool four = strcmp(value, "ipv4") == 0 || strcmp(value, "ip") == 0;
	bool six = strcmp(value, "ipv6") == 0 || strcmp(value, "ip6") == 0;

	if (!four && !six)
		return RULE_MAYBE;
	return six == packet->ipv6 ? RULE_YES : RULE_NO;
}

static enum rule_match rule_unknown(const struct ruleset_packet *packet, const char *value)
{
	(void)packet;
	(void)value;
	return RULE_MAYBE;
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

/* Takes a verdict, if the next word is one. */
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

static enum rule_match rule_or(enum rule_match a, enum rule_match b)
{
	return a > b ? a : b;
}

/* "vmap { established : accept, ... }": the verdict is among the values. */
static enum rule_match rule_map(struct rule *rule, rule_compare compare)
{
	enum rule_match found = RULE_NO;

	if (!rule_skip(rule, "{")) {
		rule->effect->outcome |= RULESET_ANYTHING;
		return RULE_MAYBE;
	}
	while (rule->at < rule->n && !rule_skip(rule, "}")) {
		const char *value = rule_peek(rule, 0);
		enum rule_match match = compare(rule->packet, value);

		rule->at++;
		if (!rule_skip(rule, ":"))
			match = RULE_MAYBE;
		/* Else the verdict is passed over. */
		if (match == RULE_NO)
			rule->at++;
		else if (!rule_verdict(rule))
			rule->effect->outcome |= RULESET_ANYTHING;
		while (rule->at < rule->n && !rule_is(rule, ",") && !rule_is(rule, "}"))
			rule->at++;
		(void)rule_skip(rule, ",");
		found = rule_or(found, match);
	}
	/* Without the value in it, the packet goes on to the next rule. */
	return found;
}

/* Values behind a selector: one, "a,b", or "{ a, b }", with or without "!=". */
static enum rule_match rule_values(struct rule *rule, rule_compare compare)
{
	bool not = rule_skip(rule, "!=");
	enum rule_match match = RULE_NO;

	if (rule_skip(rule, "vmap"))
		return rule_map(rule, compare);
	if (strchr("<>", rule_peek(rule, 0)[0])) {
		rule->at += 2;
		return RULE_MAYBE;
	}
	(void)rule_skip(rule, "==");
	if (rule_skip(rule, "{")) {
		while (rule->at < rule->n && !rule_skip(rule, "}")) {
			if (!rule_skip(rule, ","))
				match = rule_or(match,
						compare(rule->packet, rule->words[rule->at++]));
		}
	} else {
		do
			match = rule_or(match, rule->at < rule->n ? compare(rule->packet,
									    rule->words[rule->at++])
								  : RULE_MAYBE);
		while (rule_skip(rule, ","));
	}
	if (not &&match != RULE_MAYBE)
		match = match == RULE_YES ? RULE_NO : RULE_YES;
	return match;
}

/* A field of a header: nothing holds of it if the packet has another one. */
static enum rule_match rule_header(struct rule *rule, bool has, rule_compare compare)
{
	enum rule_match match;

	rule->at += 2;
	match = rule_values(rule, compare);
	return has ? match : RULE_NO;
}

/* The header of the protocol above IP: is its port looked at? */
static enum rule_match rule_transport(struct rule *rule, enum rule_match is)
{
	bool port = strcmp(rule_peek(rule, 1), "dport") == 0;
	enum rule_match match = rule_header(rule, true, port ? rule_port : rule_unknown);

	if (is == RULE_MAYBE && match == RULE_YES)
		return RULE_MAYBE;
	/* Whatever the port of a packet that may be any. */
	return is == RULE_MAYBE && match == RULE_NO ? RULE_MAYBE : is == RULE_NO ? RULE_NO : match;
}

static enum rule_match rule_condition(struct rule *rule)
{
	static const char *const transports[] = {"tcp",	 "udp",	   "sctp", "dccp", "udplite",
						 "icmp", "icmpv6", "esp",  "ah",   NULL};
	const struct ruleset_packet *packet = rule->packet;

	(void)rule_skip(rule, "meta");
	if (rule_skip(rule, "iifname") || rule_skip(rule, "iif"))
		return rule_values(rule, rule_input);
	if (rule_skip(rule, "oifname") || rule_skip(rule, "oif"))
		return rule_values(rule, rule_output);
	if (rule_skip(rule, "l4proto"))
		return rule_values(rule, rule_protocol);
	if (rule_skip(rule, "nfproto") || rule_skip(rule, "protocol"))
		return rule_values(rule, rule_family);
	if (rule_is(rule, "ct") && strcmp(rule_peek(rule, 1), "state") == 0) {
		rule->at += 2;
		return rule_values(rule, rule_state);
	}
	if (rule_is(rule, "ip"))
		return rule_header(rule, !packet->ipv6,
				   strcmp(rule_peek(rule, 1), "protocol") == 0 ? rule_protocol
									       : rule_unknown);
	if (rule_is(rule, "ip6"))
		return rule_header(rule, packet->ipv6,
				   strcmp(rule_peek(rule, 1), "nexthdr") == 0 ? rule_protocol
									      : rule_unknown);
	if (rule_is(rule, "th"))
		return rule_transport(rule, packet->protocol == IPPROTO_TCP ||
							    packet->protocol == IPPROTO_UDP
						    ? RULE_YES
						    : RULE_MAYBE);
	if (rule_among(rule_peek(rule, 0), transports))
		return rule_transport(rule, rule_protocol(packet, rule_peek(rule, 0)));
	rule->at++;
	return RULE_MAYBE;
}

/* What does nothing to the packet. */
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
	while (rule_among(rule_peek(rule, 0), options))
		rule->at += 2;
	return true;
}

/* Words that make something else of those around them than is known here. */
static bool rule_is_strange(const struct rule *rule)
{
	static const char *const strange[] = {
		".",  "fib",	  "map",   "and", "or",	 "xor",	   "&",	 "|",	   "^", "<<",
		">>", "original", "reply", "set", "add", "update", "xt", "exthdr", NULL};

	for (size_t i = 0; i < rule->n; i++) {
		if (rule_among(rule->words[i], strange))
			return true;
	}
	return false;
}

/* Conditions up to the verdict. */
static enum rule_match rule_read(struct rule *rule)
{
	enum rule_match match = RULE_YES;

	while (rule->at < rule->n && match != RULE_NO) {
		enum rule_match next;

		if (rule_statement(rule))
			continue;
		if (rule_verdict(rule))
			return match;
		next = rule_condition(rule);
		match = next < match ? next : match;
	}
	if (match != RULE_NO && rule->effect->outcome == 0 && rule->effect->n_calls == 0)
		rule->effect->outcome = RULESET_GOES_ON;
	return match;
}

void ruleset_rule(const char *line, size_t len, const struct ruleset_packet *packet,
		  struct ruleset_effect *effect)
{
	struct rule *rule = calloc(1, sizeof(*rule));
	enum rule_match match = RULE_MAYBE;

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
	if (match == RULE_NO)
		*effect = (struct ruleset_effect){.outcome = RULESET_GOES_ON};
	else if (match == RULE_MAYBE)
		effect->outcome |= RULESET_GOES_ON;
	free(rule);
}
