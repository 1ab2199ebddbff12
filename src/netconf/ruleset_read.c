/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/ruleset.h"

#include "netconf/program.h"

/* Limits: size of the ruleset, and milliseconds to wait for nft. */
enum { RULESET_MAX = 4 * 1024 * 1024, RULESET_PATIENCE_MS = 3000 };

char *ruleset_read(void)
{
	/* Without counters, and without the contents of named sets. */
	char nft[] = "nft", no_counters[] = "-s", terse[] = "-t", list[] = "list",
	     all[] = "ruleset";
	char *const words[] = {nft, no_counters, terse, list, all, NULL};

	return program_read(words, RULESET_MAX, RULESET_PATIENCE_MS);
}
