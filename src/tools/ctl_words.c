/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_words.h"

#include "tools/ctl_text.h"
#include "tools/ctl_value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

double ctl_words_now(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1)
		return 0;
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

const char *ctl_words_list(const json_t *list, char buf[static CTL_LIST_MAX])
{
	const json_t *item;
	size_t i;

	buf[0] = '\0';
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);

		(void)strlcat(buf, i > 0 ? ", " : "", CTL_LIST_MAX);
		(void)strlcat(buf, text ? text : "?", CTL_LIST_MAX);
	}
	return buf;
}

const char *ctl_words_transport(const char *transport)
{
	if (strcmp(transport, "udp") == 0)
		return "UDP";
	return strcmp(transport, "ipv6") == 0 ? "protocol 41" : transport;
}
