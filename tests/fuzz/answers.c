/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a daemon answers dtcpctl: each line is an object, of which everything is made that can be
 * shown. Whatever it says, nothing of it steers the terminal, and a table is as wide as it may be.
 */
#include "fuzz.h"

#include "tools/ctl.h"
#include "tools/ctl_table.h"
#include "tools/ctl_text.h"
#include "tools/ctl_value.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* No table or page gets wider than this if it can be helped. */
#define WIDTH 120

/* Visible characters alone; what they are in UTF-8 has an octet from 0xa0 on behind 0xc2. */
static bool is_shown(const char *line)
{
	for (const unsigned char *at = (const unsigned char *)line; *at; at++) {
		if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
			return false;
	}
	return true;
}

static void look_at_page(struct ctl_page *page)
{
	char line[CTL_LINE_MAX + 20];

	for (size_t i = 0; i < page->count; i++) {
		const char *text = page->lines[i].text;

		FUZZ_CHECK(is_shown(ctl_page_line(page, i, line, sizeof(line))));
		/* One word has to be as long as it is. */
		FUZZ_CHECK(ctl_text_width(line) <= WIDTH || !strchr(text + strspn(text, " "), ' '));
	}
	ctl_page_free(page);
}

static void look_at_table(struct ctl_table *table)
{
	char line[CTL_LINE_MAX];

	FUZZ_CHECK(table && ctl_table_fit(table, WIDTH));
	for (size_t row = 0; row < ctl_table_rows(table); row++) {
		FUZZ_CHECK(is_shown(ctl_table_line(table, row, line, sizeof(line))));
		FUZZ_CHECK(ctl_table_style(table, row) < CTL_STYLES);
	}
	ctl_table_free(table);
}

static void look_at_sessions(struct ctl_sessions *sessions, const struct ctl_sessions *before,
			     struct fuzz_input *input)
{
	ctl_sessions_rates(sessions, before, 2);
	ctl_sessions_sort(sessions, (enum ctl_sort)fuzz_below(input, CTL_SORT_COUNT));
	ctl_sessions_filter(sessions, fuzz_bool(input) ? "a" : "");
	look_at_table(ctl_sessions_table(sessions, 0, sessions->count, fuzz_bool(input), 1e9));
}

static void look_at(const json_t *said, const json_t *before)
{
	struct ctl_page page = {.width = WIDTH};
	const json_t *status = ctl_value(said, "status"), *was = ctl_value(before, "status");

	ctl_server_page(&page, status, was, 2);
	ctl_client_page(&page, status, was, 2);
	ctl_session_page(&page, ctl_value(said, "session"));
	look_at_page(&page);
	look_at_table(ctl_drops_table(ctl_value(said, "drops"), ctl_value(before, "drops"), 2));
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {.at = data, .left = size};
	struct ctl_sessions sessions = {.count = 0}, before = {.count = 0};
	json_t *last = NULL;

	FUZZ_CHECK(setlocale(LC_CTYPE, "C.UTF-8"));
	while (input.left > 0) {
		size_t len;
		char *line = fuzz_line(&input, &len);
		json_t *said = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

		if (json_is_object(said)) {
			look_at(said, last);
			ctl_sessions_add(said, line,
					 json_integer_value(json_object_get(said, "v"))
						 ? &before
						 : &sessions);
			json_decref(last);
			last = json_incref(said);
		}
		json_decref(said);
		free(line);
	}
	input = (struct fuzz_input){.at = data, .left = size};
	look_at_sessions(&sessions, &before, &input);
	json_decref(last);
	ctl_sessions_free(&sessions);
	ctl_sessions_free(&before);
}
