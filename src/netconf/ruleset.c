/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables and chains; ruleset_rule.c handles single rules. */
#include "netconf/ruleset.h"

#include "netconf/ruleset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Depth of calls of chains, as limited by the kernel. */
enum { RULESET_DEPTH = 16 };

struct ruleset_chain {
	const struct ruleset_table *table;
	char name[64];
	char hook[16]; /* "": not a base chain */
	bool filters;
	bool drops;	   /* its policy */
	const char *rules; /* the lines, up to one that is "}" alone */
	struct ruleset_chain *next;
};

struct ruleset_table {
	char family[16];
	char name[64];
	bool dormant;
	struct ruleset_table *next;
};

struct ruleset {
	const char *text;
	const struct ruleset_packet *packet;
	struct ruleset_table *tables;
	struct ruleset_chain *chains;
	bool short_of_memory;
};

/* The line at text without the blanks before it; its length in *len. */
static const char *ruleset_line(const char *text, size_t *len)
{
	text += strspn(text, " \t");
	*len = strcspn(text, "\n");
	return text;
}

static const char *ruleset_next_line(const char *text)
{
	text += strcspn(text, "\n");
	return *text ? text + 1 : text;
}

static void *ruleset_new(struct ruleset *ruleset, size_t size)
{
	void *item = calloc(1, size);

	if (!item)
		ruleset->short_of_memory = true;
	return item;
}

/* Parses the line of a base chain: "type filter hook input priority filter; policy drop;". */
static void ruleset_read_hook(struct ruleset_chain *chain, const char *line, size_t len)
{
	char copy[160];
	const char *policy;

	(void)snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
	if (sscanf(copy, "type %*15s hook %15s", chain->hook) != 1)
		return;
	chain->filters = strncmp(copy, "type filter ", 12) == 0;
	policy = strstr(copy, "policy ");
	chain->drops = policy && strncmp(policy, "policy drop", 11) == 0;
}

/* Finds the tables and chains. */
static void ruleset_scan(struct ruleset *ruleset)
{
	struct ruleset_table *table = NULL;
	struct ruleset_chain *chain = NULL;
	unsigned int depth = 0;
	size_t len;

	for (const char *at = ruleset->text; *at; at = ruleset_next_line(at)) {
		const char *line = ruleset_line(at, &len);
		char family[16];
		char name[64];

		if (len == 1 && *line == '}') {
			depth -= depth > 0;
			chain = NULL;
		} else if (depth == 0 && sscanf(line, "table %15s %63s {", family, name) == 2) {
			table = ruleset_new(ruleset, sizeof(*table));
			if (!table)
				return;
			(void)strlcpy(table->family, family, sizeof(table->family));
			(void)strlcpy(table->name, name, sizeof(table->name));
			table->next = ruleset->tables;
			ruleset->tables = table;
			depth = 1;
		} else if (depth == 1 && len > 1 && line[len - 1] == '{') {
			depth = 2;
			if (!table || sscanf(line, "chain %63s {", name) != 1)
				continue;
			chain = ruleset_new(ruleset, sizeof(*chain));
			if (!chain)
				return;
			chain->table = table;
			(void)strlcpy(chain->name, name, sizeof(chain->name));
			chain->rules = ruleset_next_line(at);
			chain->next = ruleset->chains;
			ruleset->chains = chain;
		} else if (depth == 1 && table && len >= 13 &&
			   strncmp(line, "flags dormant", 13) == 0) {
			table->dormant = true;
		} else if (chain && len > 5 && strncmp(line, "type ", 5) == 0) {
			ruleset_read_hook(chain, line, len);
		}
	}
}

static void ruleset_free(struct ruleset *ruleset)
{
	while (ruleset->tables) {
		struct ruleset_table *next = ruleset->tables->next;

		free(ruleset->tables);
		ruleset->tables = next;
	}
	while (ruleset->chains) {
		struct ruleset_chain *next = ruleset->chains->next;

		free(ruleset->chains);
		ruleset->chains = next;
	}
}

static const struct ruleset_chain *ruleset_find(const struct ruleset *ruleset,
						const struct ruleset_table *table, const char *name)
{
	for (const struct ruleset_chain *chain = ruleset->chains; chain; chain = chain->next) {
		if (chain->table == table && strcmp(chain->name, name) == 0)
			return chain;
	}
	return NULL;
}

/*
 * The possible outcomes for the packet in a chain: RULESET_THROUGH if it can reach its end, or
 * return from it.
 */
static unsigned int ruleset_walk(const struct ruleset *ruleset, const struct ruleset_chain *chain,
				 unsigned int depth)
{
	unsigned int outcome = 0;
	size_t len;

	if (!chain || depth > RULESET_DEPTH)
		return RULESET_ANYTHING;
	for (const char *at = chain->rules; *at; at = ruleset_next_line(at)) {
		const char *line = ruleset_line(at, &len);
		struct ruleset_effect effect;

		if (len == 1 && *line == '}')
			break;
		ruleset_rule(line, len, ruleset->packet, &effect);
		for (size_t i = 0; i < effect.n_calls; i++) {
			unsigned int called = ruleset_walk(
				ruleset, ruleset_find(ruleset, chain->table, effect.calls[i].chain),
				depth + 1);

			/* After a jump it continues after the rule, after a goto it does not. */
			if ((called & RULESET_THROUGH) && !effect.calls[i].for_good)
				called = (called ^ RULESET_THROUGH) | RULESET_GOES_ON;
			effect.outcome |= called;
		}
		outcome |= effect.outcome & (RULESET_ANYTHING ^ RULESET_GOES_ON);
		if (!(effect.outcome & RULESET_GOES_ON))
			return outcome;
	}
	return outcome | RULESET_THROUGH;
}

/* Whether packets pass this chain. */
static bool ruleset_concerns(const struct ruleset_chain *chain, const struct ruleset_packet *packet)
{
	const char *family = chain->table->family;

	if (!chain->filters || chain->table->dormant)
		return false;
	if (strcmp(family, "inet") != 0 && strcmp(family, packet->ipv6 ? "ip6" : "ip") != 0)
		return false;
	return strcmp(chain->hook, "prerouting") == 0 ||
	       strcmp(chain->hook, packet->forwarded ? "forward" : "input") == 0;
}

/* Whether another port may be redirected to this one, so that it need not be open itself. */
static bool ruleset_redirects(const char *text, uint16_t port)
{
	char number[8];
	size_t len;

	(void)snprintf(number, sizeof(number), "%u", port);
	for (const char *at = text; *at; at = ruleset_next_line(at)) {
		const char *line = ruleset_line(at, &len);

		if ((memmem(line, len, "dnat", 4) || memmem(line, len, "redirect", 8) ||
		     memmem(line, len, "tproxy", 6)) &&
		    memmem(line, len, number, strlen(number)))
			return true;
	}
	return false;
}

bool ruleset_drops(const char *text, const struct ruleset_packet *packet,
		   struct ruleset_place *place)
{
	struct ruleset ruleset = {.text = text, .packet = packet};
	bool drops = false;

	if (packet->port != 0 && ruleset_redirects(text, packet->port))
		return false;
	ruleset_scan(&ruleset);
	for (const struct ruleset_chain *chain = ruleset.chains;
	     chain && !drops && !ruleset.short_of_memory; chain = chain->next) {
		unsigned int outcome;

		if (!ruleset_concerns(chain, packet))
			continue;
		outcome = ruleset_walk(&ruleset, chain, 0);
		if (outcome & RULESET_THROUGH)
			outcome = (outcome ^ RULESET_THROUGH) |
				  (chain->drops ? RULESET_DROPPED : RULESET_ACCEPTED);
		drops = outcome == RULESET_DROPPED;
		if (!drops)
			continue;
		(void)strlcpy(place->family, chain->table->family, sizeof(place->family));
		(void)strlcpy(place->table, chain->table->name, sizeof(place->table));
		(void)strlcpy(place->chain, chain->name, sizeof(place->chain));
	}
	ruleset_free(&ruleset);
	return drops;
}
