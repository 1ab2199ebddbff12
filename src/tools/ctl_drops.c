/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that were dropped, by reason. */
#include "tools/ctl.h"

#include "tools/ctl_table.h"
#include "tools/ctl_text.h"
#include "tools/ctl_value.h"

#include <stdio.h>
#include <string.h>

static const struct ctl_column columns[] = {
	{.heading = "DROPPED", .right = true},
	{.heading = "REASON", .rank = 1},
	{.heading = "WHAT", .least = 20},
	{.heading = "A SECOND", .right = true},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static double ctl_drops_of(const json_t *drops, const char *reason)
{
	const json_t *drop;
	size_t i;

	json_array_foreach(drops, i, drop)
	{
		if (strcmp(ctl_value_text(drop, "reason"), reason) == 0)
			return ctl_value_number(drop, "count");
	}
	return 0;
}

void ctl_drops_page(struct ctl_page *page, const json_t *drops, const json_t *before,
		    double seconds)
{
	char count[CTL_TEXT_SIZE], rate[CTL_TEXT_SIZE] = "";
	const char *label = "dropped";
	const json_t *drop;
	size_t i;

	if (json_array_size(drops) == 0)
		ctl_page_add(page, CTL_PLAIN, label, "nothing");
	json_array_foreach(drops, i, drop)
	{
		const char *text = ctl_value_text(drop, "text");
		const char *reason = ctl_value_text(drop, "reason");
		double number = ctl_value_number(drop, "count");

		if (before && seconds > 0)
			(void)snprintf(rate, sizeof(rate), ", %.1f a second",
				       (number - ctl_drops_of(before, reason)) / seconds);
		ctl_page_add(page, CTL_PLAIN, label, "%s%s: %s%s%s%s",
			     ctl_text_count(number, count), rate, *text ? text : reason,
			     *text ? " (" : "", *text ? reason : "", *text ? ")" : "");
		label = "";
	}
}

struct ctl_table *ctl_drops_table(const json_t *drops, const json_t *before, double seconds)
{
	bool rates = before && seconds > 0;
	struct ctl_table *table = ctl_table_new(columns, rates ? COLUMNS : COLUMNS - 1);
	char count[CTL_TEXT_SIZE];
	const json_t *drop;
	size_t i;

	if (!table)
		return NULL;
	json_array_foreach(drops, i, drop)
	{
		double number = ctl_value_number(drop, "count");
		const char *reason = ctl_value_text(drop, "reason");

		ctl_table_row(table, CTL_PLAIN);
		ctl_table_cell(table, "%s", ctl_text_count(number, count));
		ctl_table_cell(table, "%s", reason);
		ctl_table_cell(table, "%s", ctl_value_text(drop, "text"));
		if (rates)
			ctl_table_cell(table, "%.1f",
				       (number - ctl_drops_of(before, reason)) / seconds);
	}
	return table;
}
