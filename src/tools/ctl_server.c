/* SPDX-License-Identifier: BSD-2-Clause */
/* "status" of a server as text. */
#include "tools/ctl.h"

#include "tools/ctl_text.h"
#include "tools/ctl_value.h"
#include "tools/ctl_words.h"

#include <stdio.h>
#include <string.h>

/* Room for an average. */
#define MEAN_SIZE (CTL_TEXT_SIZE + 20)

/* A member of an object, and its name in the output. */
struct ctl_word {
	const char *member;
	const char *text;
};

/* "3 failed, 1 limited": the members that are not 0; "" if all are 0. */
static const char *ctl_server_counts(const json_t *object, const struct ctl_word *words,
				     char buf[static CTL_LIST_MAX])
{
	char count[CTL_TEXT_SIZE], item[CTL_TEXT_SIZE + 60];

	buf[0] = '\0';
	for (; words->member; words++) {
		double number = ctl_value_number(object, words->member);

		if (number <= 0)
			continue;
		(void)snprintf(item, sizeof(item), "%s%s %.50s", *buf ? ", " : "",
			       ctl_text_count(number, count), words->text);
		(void)strlcat(buf, item, CTL_LIST_MAX);
	}
	return buf;
}

static void ctl_server_heading(struct ctl_page *page, const json_t *status)
{
	bool ready = json_is_true(ctl_value(status, "ready"));
	char age[CTL_TEXT_SIZE], since[CTL_TEXT_SIZE];
	double started = ctl_value_number(status, "started");

	ctl_page_add(
		page, ready ? CTL_GOOD : CTL_WARN, NULL, "%s: dtcps %s, %s, runs for %s (since %s)",
		ctl_value_text(status, "interface"), ctl_value_text(status, "release"),
		ready ? "ready" : "starting", ctl_text_duration(ctl_words_now() - started, age),
		ctl_text_time(started, since));
}

static void ctl_server_sessions(struct ctl_page *page, const json_t *status)
{
	static const struct ctl_word types[] = {{"tunnelonly", "tunnelonly"},
						{"host", "host"},
						{"network", "network"},
						{NULL, NULL}};
	static const struct ctl_word ways[] = {
		{"ipv6", "over protocol 41"}, {"udp", "over UDP"}, {NULL, NULL}};
	const json_t *sessions = ctl_value(status, "sessions");
	double now = ctl_value_number(sessions, "now"), limit = ctl_value_number(sessions, "limit");
	double dead = ctl_value_number(sessions, "dead_paths");
	char kinds[CTL_LIST_MAX], over[CTL_LIST_MAX];

	ctl_server_counts(sessions, types, kinds);
	ctl_server_counts(sessions, ways, over);
	ctl_page_add(page, limit > 0 && now >= limit ? CTL_WARN : CTL_PLAIN, "sessions",
		     "%.0f of at most %.0f%s%s%s%s", now, limit, *kinds ? ": " : "", kinds,
		     *over ? "; " : "", over);
	if (dead > 0)
		ctl_page_add(page, CTL_WARN, "", "%.0f %s answer", dead,
			     dead > 1 ? "do not" : "does not");
	ctl_page_add(page, CTL_PLAIN, "connections", "%.0f of at most %.0f",
		     ctl_value_number(status, "connections.now"),
		     ctl_value_number(status, "connections.limit"));
}

/* "0.20 ms on average", from a histogram; "" if it is empty. */
static const char *ctl_server_mean(const json_t *histogram, char buf[static MEAN_SIZE])
{
	double count = ctl_value_number(histogram, "count");
	char text[CTL_TEXT_SIZE];

	buf[0] = '\0';
	if (count > 0)
		(void)snprintf(buf, MEAN_SIZE, "%s on average",
			       ctl_text_moment(ctl_value_number(histogram, "sum") / count, text));
	return buf;
}

static void ctl_server_logins(struct ctl_page *page, const json_t *status)
{
	static const struct ctl_word refusals[] = {{"auth", "wrong user or password"},
						   {"disabled", "account disabled or expired"},
						   {"transport", "transport not allowed"},
						   {"type", "type not allowed"},
						   {"sold_out", "nothing left to assign"},
						   {"address", "no tunnel to that address"},
						   {"failed", "failed here"},
						   {"limited", "too many attempts"},
						   {"kicked", "kicked before"},
						   {NULL, NULL}};
	const json_t *logins = ctl_value(status, "logins");
	char refused[CTL_LIST_MAX], mean[MEAN_SIZE];

	ctl_server_mean(ctl_value(status, "login_seconds"), mean);
	ctl_page_add(page, CTL_PLAIN, "logins", "%.0f granted%s%s",
		     ctl_value_number(logins, "granted"), *mean ? ", answered in " : "", mean);
	if (*ctl_server_counts(logins, refusals, refused))
		ctl_page_add(page, CTL_PLAIN, "", "refused: %s", refused);
}

static void ctl_server_database(struct ctl_page *page, const json_t *status)
{
	const char *error = ctl_value_text(status, "database.error");
	double users = ctl_value_number(status, "database.users");
	char mean[MEAN_SIZE];

	if (!ctl_value(status, "database")) {
		ctl_page_add(page, CTL_WARN, "database",
			     "not known, as its process does not answer");
		return;
	}
	ctl_server_mean(ctl_value(status, "database_seconds"), mean);
	ctl_page_add(page, CTL_PLAIN, "database", "%s, %.0f user%s%s%s",
		     ctl_value_text(status, "database.path"), users, ctl_text_plural(users),
		     *mean ? ", answers in " : "", mean);
	if (*error)
		ctl_page_add(page, CTL_BAD, "", "%s", error);
}

static void ctl_server_pools(struct ctl_page *page, const json_t *status)
{
	char size[CTL_TEXT_SIZE], used[CTL_TEXT_SIZE];
	const char *label = "pools";
	const json_t *pool;
	size_t i;

	json_array_foreach(ctl_value(status, "pools"), i, pool)
	{
		double all = ctl_value_number(pool, "size"), taken = ctl_value_number(pool, "used");
		double percent = all > 0 ? 100 * taken / all : 0;

		ctl_page_add(page,
			     percent >= 100  ? CTL_BAD
			     : percent >= 90 ? CTL_WARN
					     : CTL_PLAIN,
			     label, "%s %s: %s of %s /%.0f taken (%.*f %%)",
			     ctl_value_text(pool, "kind"), ctl_value_text(pool, "prefix"),
			     ctl_text_count(taken, used), ctl_text_count(all, size),
			     ctl_value_number(pool, "length"), percent >= 1 || taken <= 0 ? 0 : 2,
			     percent);
		label = "";
	}
}

/* Octets and packets of a direction, by user space and kernel, and the rate since before. */
static void ctl_server_traffic(struct ctl_page *page, const json_t *status, const json_t *before,
			       double seconds, const char *label, const char *direction)
{
	char members[4][40], all[CTL_TEXT_SIZE], kernel[CTL_TEXT_SIZE], packets[CTL_TEXT_SIZE];
	char rate[CTL_TEXT_SIZE + 2] = "";
	double octets, of_kernel, number;

	(void)snprintf(members[0], sizeof(members[0]), "traffic.user.%s_octets", direction);
	(void)snprintf(members[1], sizeof(members[1]), "traffic.kernel.%s_octets", direction);
	(void)snprintf(members[2], sizeof(members[2]), "traffic.user.%s_packets", direction);
	(void)snprintf(members[3], sizeof(members[3]), "traffic.kernel.%s_packets", direction);
	of_kernel = ctl_value_number(status, members[1]);
	octets = ctl_value_number(status, members[0]) + of_kernel;
	if (before && seconds > 0) {
		double was =
			ctl_value_number(before, members[0]) + ctl_value_number(before, members[1]);

		(void)strlcpy(rate, ", ", sizeof(rate));
		ctl_text_rate(octets > was ? (octets - was) / seconds : 0, rate + 2);
	}
	number = ctl_value_number(status, members[2]) + ctl_value_number(status, members[3]);
	ctl_page_add(page, CTL_PLAIN, label, "%s in %s packet%s (%s by the kernel)%s",
		     ctl_text_octets(octets, all), ctl_text_count(number, packets),
		     ctl_text_plural(number), ctl_text_octets(of_kernel, kernel), rate);
}

static void ctl_server_limits(struct ctl_page *page, const json_t *status)
{
	static const struct ctl_word limits[] = {
		{"connections_dropped", "connections dropped"},
		{"logins_rejected", "logins rejected unseen"},
		{"log_lines_left_out", "lines of the log left out"},
		{NULL, NULL}};
	char reached[CTL_LIST_MAX];

	if (*ctl_server_counts(ctl_value(status, "limits"), limits, reached))
		ctl_page_add(page, CTL_WARN, "limits", "%s", reached);
}

void ctl_server_page(struct ctl_page *page, const json_t *status, const json_t *before,
		     double seconds)
{
	const json_t *error = ctl_value(status, "last_error");
	char list[CTL_LIST_MAX], ways[CTL_LIST_MAX], age[CTL_TEXT_SIZE];

	ctl_server_heading(page, status);
	ctl_page_add(page, CTL_PLAIN, "listens", "%s, port %.0f; offers %s",
		     ctl_words_list(ctl_value(status, "listen"), list),
		     ctl_value_number(status, "port"),
		     ctl_words_list(ctl_value(status, "transports"), ways));
	ctl_server_sessions(page, status);
	ctl_server_logins(page, status);
	ctl_server_database(page, status);
	ctl_server_pools(page, status);
	ctl_server_limits(page, status);
	ctl_server_traffic(page, status, before, seconds, "from users", "in");
	ctl_server_traffic(page, status, before, seconds, "to users", "out");
	ctl_drops_page(page, ctl_value(status, "drops"), ctl_value(before, "drops"), seconds);
	if (ctl_value(status, "fast.active"))
		ctl_page_add(page, CTL_PLAIN, "fast path", "%s (%s)",
			     json_is_true(ctl_value(status, "fast.active"))
				     ? "the kernel carries packets"
				     : "not used",
			     ctl_value_text(status, "fast.mode"));
	if (error)
		ctl_page_add(
			page, CTL_WARN, "last warning", "%s ago: %s",
			ctl_text_duration(ctl_words_now() - ctl_value_number(error, "time"), age),
			ctl_value_text(error, "text"));
}
