/* SPDX-License-Identifier: BSD-2-Clause */
/* "status" of a client as text. */
#include "tools/ctl.h"

#include "tools/ctl_text.h"
#include "tools/ctl_value.h"
#include "tools/ctl_words.h"

#include <stdio.h>
#include <string.h>

bool ctl_client_is(const json_t *status)
{
	return strcmp(ctl_value_text(status, "program"), "dtcpclient") == 0;
}

bool ctl_client_up(const json_t *status)
{
	return strcmp(ctl_value_text(status, "state"), "up") == 0;
}

const char *ctl_client_state(const json_t *status, enum ctl_style *style)
{
	static const struct {
		const char *state;
		const char *text;
		enum ctl_style style;
	} states[] = {
		{"up", "up", CTL_GOOD},
		{"held", "held without a session", CTL_WARN},
		{"connecting", "connecting", CTL_WARN},
		{"waiting", "waiting for the next try", CTL_BAD},
		{"down", "down", CTL_BAD},
	};
	const char *state = ctl_value_text(status, "state");

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].state, state) == 0) {
			*style = states[i].style;
			return states[i].text;
		}
	}
	*style = CTL_WARN;
	return state;
}

static void ctl_client_heading(struct ctl_page *page, const json_t *status)
{
	const char *name = ctl_value_text(status, "name");
	double since = ctl_value_number(status, "since");
	char age[CTL_TEXT_SIZE], text[CTL_TEXT_SIZE];
	enum ctl_style style;
	const char *state = ctl_client_state(status, &style);

	ctl_page_add(page, style, NULL, "%s: dtcpclient %s%s%s, %s for %s (since %s)",
		     ctl_value_text(status, "interface"), ctl_value_text(status, "release"),
		     *name ? " of " : "", name, state,
		     ctl_text_duration(ctl_words_now() - since, age), ctl_text_time(since, text));
}

static void ctl_client_server(struct ctl_page *page, const json_t *status)
{
	const json_t *server = ctl_value(status, "server");
	const json_t *servers = ctl_value(status, "servers");
	const char *name = ctl_value_text(server, "name");
	const char *address = ctl_value_text(server, "address");
	const char *user = ctl_value_text(status, "user");
	bool both = *address && strcmp(name, address) != 0;
	char list[CTL_LIST_MAX];

	if (server)
		ctl_page_add(page, CTL_PLAIN, "server", "%s%s%s%s, port %.0f%s%s", name,
			     both ? " (" : "", both ? address : "", both ? ")" : "",
			     ctl_value_number(server, "port"), *user ? ", as " : "", user);
	else
		ctl_page_add(page, CTL_PLAIN, "server", "none yet%s%s", *user ? ", as " : "", user);
	if (json_array_size(servers) > (server ? 1 : 0))
		ctl_page_add(page, CTL_PLAIN, "", "out of %s", ctl_words_list(servers, list));
}

static void ctl_client_tunnel(struct ctl_page *page, const json_t *status)
{
	const char *transport = ctl_value_text(status, "transport");
	const char *why = ctl_value_text(status, "why");
	const char *carried = ctl_value_text(status, "carried");
	const char *address = ctl_value_text(status, "address");
	const char *peer = ctl_value_text(status, "peer_address");
	char list[CTL_LIST_MAX];
	const json_t *lan;
	size_t i;

	if (*ctl_value_text(status, "type"))
		ctl_page_add(page, CTL_PLAIN, "tunnel", "%s%s%s%s%s",
			     ctl_value_text(status, "type"), *transport ? " over " : "",
			     ctl_words_transport(transport), *why ? ": " : "", why);
	if (*carried)
		ctl_page_add(page, CTL_PLAIN, "carried by", "%s",
			     strcmp(carried, "kernel") == 0 ? "the kernel" : "user space");
	if (*address)
		ctl_page_add(page, CTL_PLAIN, "address", "%s%s%s", address,
			     *peer ? ", the server has " : "", peer);
	if (json_array_size(ctl_value(status, "prefixes")) > 0)
		ctl_page_add(page, CTL_PLAIN, "prefix", "%s",
			     ctl_words_list(ctl_value(status, "prefixes"), list));
	json_array_foreach(ctl_value(status, "lan"), i, lan)
		ctl_page_add(page, CTL_PLAIN, i == 0 ? "networks" : "", "%s has %s",
			     ctl_value_text(lan, "interface"), ctl_value_text(lan, "prefix"));
}

static void ctl_client_path(struct ctl_page *page, const json_t *status)
{
	const char *path = ctl_value_text(status, "path");
	const json_t *answer = ctl_value(status, "last_handshake");
	char rtt[CTL_TEXT_SIZE + 20] = "", age[CTL_TEXT_SIZE], last[CTL_TEXT_SIZE + 40] = "";
	char text[CTL_TEXT_SIZE];

	if (ctl_value(status, "rtt"))
		(void)snprintf(rtt, sizeof(rtt), ", round trip %s",
			       ctl_text_moment(ctl_value_number(status, "rtt"), text));
	if (answer)
		(void)snprintf(last, sizeof(last), ", last answer %s ago",
			       ctl_text_duration(ctl_words_now() - json_number_value(answer), age));
	if (*path)
		ctl_page_add(page, strcmp(path, "dead") == 0 ? CTL_BAD : CTL_PLAIN, "path",
			     "%s%s%s", path, rtt, last);
	if (ctl_value(status, "mtu"))
		ctl_page_add(page, CTL_PLAIN, "mtu", "%.0f", ctl_value_number(status, "mtu"));
}

static void ctl_client_traffic(struct ctl_page *page, const json_t *status, const json_t *before,
			       double seconds, const char *label, const char *octets,
			       const char *packets)
{
	double now = ctl_value_number(status, octets), was = ctl_value_number(before, octets);
	double number = ctl_value_number(status, packets);
	char text[CTL_TEXT_SIZE], count[CTL_TEXT_SIZE], rate[CTL_TEXT_SIZE] = "";

	/* Missing counters get no line. */
	if (!ctl_value(status, octets))
		return;
	if (before && seconds > 0)
		ctl_text_rate(now > was ? (now - was) / seconds : 0, rate);
	ctl_page_add(page, CTL_PLAIN, label, "%s in %s packet%s%s%s", ctl_text_octets(now, text),
		     ctl_text_count(number, count), ctl_text_plural(number), *rate ? ", " : "",
		     rate);
}

void ctl_client_page(struct ctl_page *page, const json_t *status, const json_t *before,
		     double seconds)
{
	const json_t *error = ctl_value(status, "last_error");
	char text[CTL_TEXT_SIZE];

	ctl_client_heading(page, status);
	ctl_client_server(page, status);
	ctl_client_tunnel(page, status);
	ctl_client_path(page, status);
	ctl_client_traffic(page, status, before, seconds, "received", "in_octets", "in_packets");
	ctl_client_traffic(page, status, before, seconds, "sent", "out_octets", "out_packets");
	if (ctl_value(status, "drops"))
		ctl_drops_page(page, ctl_value(status, "drops"), ctl_value(before, "drops"),
			       seconds);
	if (error)
		ctl_page_add(
			page, CTL_WARN, "last error", "%s ago: %s",
			ctl_text_duration(ctl_words_now() - ctl_value_number(error, "time"), text),
			ctl_value_text(error, "text"));
	if (ctl_value(status, "next_try"))
		ctl_page_add(page, CTL_PLAIN, "next try", "in %s",
			     ctl_text_duration(
				     ctl_value_number(status, "next_try") - ctl_words_now(), text));
}
