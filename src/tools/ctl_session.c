/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of "session". */
#include "tools/ctl.h"

#include "tools/ctl_text.h"
#include "tools/ctl_value.h"
#include "tools/ctl_words.h"

#include <string.h>

static void ctl_session_traffic(struct ctl_page *page, const json_t *session, const char *label,
				const char *octets, const char *packets)
{
	double number = ctl_value_number(session, packets);
	char text[CTL_TEXT_SIZE], count[CTL_TEXT_SIZE];

	ctl_page_add(page, CTL_PLAIN, label, "%s in %s packet%s",
		     ctl_text_octets(ctl_value_number(session, octets), text),
		     ctl_text_count(number, count), ctl_text_plural(number));
}

void ctl_session_page(struct ctl_page *page, const json_t *session)
{
	const char *path = ctl_value_text(session, "path");
	const char *address = ctl_value_text(session, "address");
	const json_t *prefixes = ctl_value(session, "prefixes");
	double since = ctl_value_number(session, "since");
	double dropped = ctl_value_number(session, "dropped");
	char list[CTL_LIST_MAX], text[CTL_TEXT_SIZE], more[CTL_TEXT_SIZE];
	bool dead = strcmp(path, "dead") == 0;

	ctl_page_add(page, dead ? CTL_BAD : CTL_GOOD, NULL, "%s: %s over %s, for %s (since %s)",
		     ctl_value_text(session, "user"), ctl_value_text(session, "type"),
		     ctl_words_transport(ctl_value_text(session, "transport")),
		     ctl_text_duration(ctl_words_now() - since, text), ctl_text_time(since, more));
	if (ctl_value(session, "port"))
		ctl_page_add(page, CTL_PLAIN, "peer", "%s, port %.0f",
			     ctl_value_text(session, "peer"), ctl_value_number(session, "port"));
	else
		ctl_page_add(page, CTL_PLAIN, "peer", "%s", ctl_value_text(session, "peer"));
	if (*address)
		ctl_page_add(page, CTL_PLAIN, "address", "%s", address);
	if (json_array_size(prefixes) > 0)
		ctl_page_add(page, CTL_PLAIN, "prefixes", "%s", ctl_words_list(prefixes, list));
	ctl_session_traffic(page, session, "from user", "in_octets", "in_packets");
	ctl_session_traffic(page, session, "to user", "out_octets", "out_packets");
	ctl_page_add(page, CTL_PLAIN, "by kernel", "%s",
		     ctl_text_octets(ctl_value_number(session, "kernel_octets"), text));
	ctl_page_add(page, CTL_PLAIN, "dropped", "%s packet%s", ctl_text_count(dropped, text),
		     ctl_text_plural(dropped));
	ctl_page_add(page, dead ? CTL_BAD : CTL_PLAIN, "path", "%s", path);
}
