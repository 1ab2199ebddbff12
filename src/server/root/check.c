/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/check.h"

#include "base/log.h"
#include "process/user.h"
#include "server/root/database_owner.h"
#include "server/root/judge.h"

#include <stdio.h>

enum { CHECK_BAD = 2 };

struct check_count {
	unsigned int warnings;
	unsigned int fatal;
};

static void check_say(bool fatal, const char *line, void *arg)
{
	struct check_count *count = arg;

	if (fatal)
		count->fatal++;
	else
		count->warnings++;
	log_warnx("%s", line);
}

void server_check_machine(const struct server_options *options)
{
	struct check_count count = {.warnings = 0};
	struct facts facts;

	if (!facts_gather(&facts, options))
		return;
	/* By now the lock of the database is our own, and there is no interface. */
	facts.running = false;
	judge(&facts, options, check_say, &count);
	facts_free(&facts);
}

int server_check(const struct server_options *options)
{
	struct check_count count = {.warnings = 0};
	struct user_ids user;
	struct facts facts;
	int warnings;

	if (!user_check(options->run_as, true, &user))
		return CHECK_BAD;
	warnings = database_owner_try(options, &user, true);
	if (facts_gather(&facts, options)) {
		facts_gather_start(&facts, options);
		judge(&facts, options, check_say, &count);
		facts_free(&facts);
	}
	if (warnings < 0 || count.fatal > 0)
		return CHECK_BAD;
	count.warnings += (unsigned int)warnings;
	if (count.warnings == 0)
		(void)puts("dtcps: settings and database are in order");
	else
		(void)printf("dtcps: settings and database are in order, %u warning%s\n",
			     count.warnings, count.warnings == 1 ? "" : "s");
	return 0;
}
