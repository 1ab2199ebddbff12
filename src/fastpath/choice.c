/* SPDX-License-Identifier: BSD-2-Clause */
#include "fastpath/choice.h"

#include <string.h>

static const char *const fast_choice_names[] = {
	[FAST_AUTO] = "auto",
	[FAST_ON] = "on",
	[FAST_OFF] = "off",
};

bool fast_choice_parse(const char *word, enum fast_choice *out)
{
	for (enum fast_choice choice = FAST_AUTO; choice <= FAST_OFF; choice++) {
		if (strcmp(word, fast_choice_names[choice]) == 0) {
			*out = choice;
			return true;
		}
	}
	return false;
}

const char *fast_choice_name(enum fast_choice choice)
{
	return fast_choice_names[choice];
}
