/* SPDX-License-Identifier: BSD-2-Clause */
/* Options for routes into the tunnel, and their table. */
#include "client/options_parts.h"

#include "base/options.h"
#include "netconf/rules.h"

#include <string.h>

static bool routes_have(const struct client_options *options, const struct prefix6 *prefix)
{
	for (size_t i = 0; i < options->n_routes; i++) {
		if (prefix6_equal(&options->routes[i], prefix))
			return true;
	}
	return false;
}

bool options_route(void *arg, const char *where, const char *text)
{
	struct client_options *options = arg;
	char copy[CLIENT_ROUTES_MAX * PREFIX6_STRLEN];
	char *rest = copy;
	char *word;

	options->n_routes = 0;
	if (strcmp(text, "none") == 0)
		return true;
	if (strcmp(text, "default") == 0) {
		options->routes[0] = (struct prefix6){.len = 0};
		options->n_routes = 1;
		return true;
	}
	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy))
		return options_bad("%s: at most %d prefixes", where, CLIENT_ROUTES_MAX);
	while ((word = strsep(&rest, ","))) {
		if (options->n_routes == CLIENT_ROUTES_MAX)
			return options_bad("%s: at most %d prefixes", where, CLIENT_ROUTES_MAX);

		struct prefix6 *route = &options->routes[options->n_routes];
		enum prefix_error error = prefix6_parse(word, route);

		if (error != PREFIX_OK)
			return options_bad(
				"%s: \"%s\" %s; \"default\", \"none\" or prefixes such as "
				"2000::/3 are possible",
				where, word, prefix_error_text(error));
		if (routes_have(options, route))
			return options_bad("%s: \"%s\" is named twice", where, word);
		options->n_routes++;
	}
	return true;
}

bool options_table(void *arg, const char *where, const char *text)
{
	struct client_options *options = arg;

	options->table = 0;
	if (strcmp(text, "auto") == 0)
		return true;
	if (strcmp(text, "main") == 0) {
		options->table = RULES_TABLE_MAIN;
		return true;
	}
	if (!options_number(where, text, 1, UINT32_MAX, &options->table))
		return false;
	return (options->table != RULES_TABLE_LOCAL && options->table != RULES_TABLE_DEFAULT) ||
	       options_bad("%s %s: the kernel's own; \"auto\", \"main\" or another number is "
			   "possible",
			   where, text);
}
