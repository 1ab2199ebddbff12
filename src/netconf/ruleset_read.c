/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/ruleset.h"

#include "netconf/program.h"

/* A longer one is not read, and nft is not waited for any longer. */
enum { RULESET_MAX = 4 * 1024 * 1024, RULESET_PATIENCE_MS = 3000 };

char *ruleset_read(void)
{
	char path[PROGRAM_PATH_SIZE];
	/* Without counters, and without what is in named sets. */
	char no_counters[] = "-s", terse[] = "-t", list[] = "list", ruleset[] = "ruleset";
	char *const words[] = {path, no_counters, terse, list, ruleset, NULL};

	return program_find("nft", path) ? program_read(words, RULESET_MAX, RULESET_PATIENCE_MS)
					 : NULL;
}
