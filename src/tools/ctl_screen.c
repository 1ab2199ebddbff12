/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_screen.h"

#include "tools/ctl_text.h"
#include "tools/ctl_value.h"
#include "tools/ctl_words.h"

#include <curses.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds after which an escape is the Escape key, not the start of a sequence. */
#define ESCAPE_MS 50

/* Lines above and below the sessions. */
#define HEADER 4
#define FOOTER 1

bool ctl_screen_begin(struct ctl_screen *screen, enum ctl_sort sort)
{
	memset(screen, 0, sizeof(*screen));
	screen->sort = sort;
	screen->changed = true;
	screen->page = 1;
	screen->terminal = newterm(NULL, stdout, stdin);
	if (!screen->terminal)
		return false;
	(void)cbreak();
	(void)noecho();
	(void)nodelay(stdscr, true);
	(void)keypad(stdscr, true);
	(void)set_escdelay(ESCAPE_MS);
	(void)curs_set(0);
	screen->coloured = ctl_page_coloured() && has_colors() && start_color() == OK &&
			   use_default_colors() == OK;
	if (screen->coloured) {
		(void)init_pair(CTL_GOOD, COLOR_GREEN, -1);
		(void)init_pair(CTL_WARN, COLOR_YELLOW, -1);
		(void)init_pair(CTL_BAD, COLOR_RED, -1);
	}
	return true;
}

void ctl_screen_pause(void)
{
	(void)endwin();
}

void ctl_screen_end(struct ctl_screen *screen)
{
	(void)endwin();
	delscreen(screen->terminal);
	ctl_sessions_free(&screen->shown);
}

/* Draws a line of the whole width, truncated if it is longer. */
static void ctl_screen_line(const struct ctl_screen *screen, int y, enum ctl_style style,
			    attr_t attributes, const char *shown)
{
	char cut[CTL_LINE_MAX];

	if (y < 0 || y >= LINES)
		return;
	if (style == CTL_STRONG)
		attributes |= A_BOLD;
	else if (style != CTL_PLAIN)
		attributes |= screen->coloured ? (attr_t)COLOR_PAIR(style) : A_BOLD;
	(void)attrset((int)attributes);
	if (attributes & A_REVERSE)
		(void)mvhline(y, 0, (chtype)' ' | attributes, COLS);
	(void)mvaddstr(y, 0, ctl_text_cut(shown, COLS, cut, sizeof(cut)));
	(void)attrset(A_NORMAL);
}

/* Draws the data's age at the right of the first line if it is older than the interval. */
static void ctl_screen_age(const struct ctl_screen *screen, const struct ctl_live *live,
			   int64_t now)
{
	char age[CTL_TEXT_SIZE], text[CTL_TEXT_SIZE + 12];
	double seconds = (double)(now - live->seen) / 1000;
	int x;

	if (!live->seen || seconds < live->options->every + 1)
		return;
	(void)snprintf(text, sizeof(text), "  %s ago ", ctl_text_duration(seconds, age));
	x = COLS - ctl_text_width(text);
	if (x < 0)
		return;
	(void)attrset(screen->coloured ? COLOR_PAIR(CTL_WARN) : (int)A_BOLD);
	(void)mvaddstr(0, x, text);
	(void)attrset(A_NORMAL);
}

static void ctl_screen_message(const struct ctl_screen *screen, const struct ctl_live *live, int y)
{
	char text[CTL_LINE_MAX], shown[CTL_LINE_MAX];

	if (*live->error) {
		(void)snprintf(text, sizeof(text), "not seen any more: %s; trying again",
			       live->error);
		ctl_screen_line(screen, y, CTL_BAD, 0, ctl_text_shown(text, shown, sizeof(shown)));
	} else if (screen->typing || *screen->filter) {
		(void)snprintf(text, sizeof(text), "filter: %s%s  (%zu of %zu)", screen->filter,
			       screen->typing ? "_" : "", screen->shown.count,
			       live->sessions.count);
		ctl_screen_line(screen, y, screen->typing ? CTL_STRONG : CTL_PLAIN, 0, text);
	}
}

/* Copies the live data for display. */
static void ctl_screen_take(struct ctl_screen *screen, const struct ctl_live *live)
{
	struct ctl_sessions *shown = &screen->shown;
	size_t count = live->sessions.count;

	if (count > shown->room) {
		struct ctl_session *list = reallocarray(shown->list, count, sizeof(*list));

		if (!list)
			count = shown->room;
		else {
			shown->list = list;
			shown->room = count;
		}
	}
	if (count > 0)
		memcpy(shown->list, live->sessions.list, count * sizeof(*shown->list));
	shown->count = count;
	ctl_sessions_filter(shown, screen->filter);
	ctl_sessions_sort(shown, screen->sort);
}

/* Limits top, so that the last line is not above the bottom. */
static void ctl_screen_bound(struct ctl_screen *screen, size_t lines, int page)
{
	screen->page = page > 0 ? page : 1;
	if (lines <= (size_t)screen->page)
		screen->top = 0;
	else if (screen->top > lines - (size_t)screen->page)
		screen->top = lines - (size_t)screen->page;
}

static double ctl_screen_last(const double *rates, const struct ctl_live *live)
{
	return live->rates > 0 ? rates[live->rates - 1] : 0;
}

static double ctl_screen_dropped(const json_t *status)
{
	double sum = 0;
	json_t *drop;
	size_t i;

	json_array_foreach(ctl_value(status, "drops"), i, drop) sum +=
		ctl_value_number(drop, "count");
	return sum;
}

static void ctl_screen_totals(const struct ctl_screen *screen, const struct ctl_live *live)
{
	char in[CTL_TEXT_SIZE], out[CTL_TEXT_SIZE], age[CTL_TEXT_SIZE], text[CTL_LINE_MAX];
	char shown[CTL_LINE_MAX];
	const json_t *status = live->status;
	bool ready = json_is_true(ctl_value(status, "ready"));
	double drops = live->before && live->seconds > 0
			       ? (ctl_screen_dropped(status) - ctl_screen_dropped(live->before)) /
					 live->seconds
			       : 0;

	(void)snprintf(
		text, sizeof(text), "%.60s: dtcps %.30s, %s, runs for %s",
		ctl_value_text(status, "interface"), ctl_value_text(status, "release"),
		ready ? "ready" : "starting",
		ctl_text_duration(ctl_words_now() - ctl_value_number(status, "started"), age));
	ctl_screen_line(screen, 0, ready ? CTL_GOOD : CTL_WARN, 0,
			ctl_text_shown(text, shown, sizeof(shown)));
	(void)snprintf(text, sizeof(text),
		       "%.0f of %.0f sessions, %.0f dead   in %s   out %s   dropped %.1f/s",
		       ctl_value_number(status, "sessions.now"),
		       ctl_value_number(status, "sessions.limit"),
		       ctl_value_number(status, "sessions.dead_paths"),
		       ctl_text_rate(ctl_screen_last(live->in_rate, live), in),
		       ctl_text_rate(ctl_screen_last(live->out_rate, live), out), drops);
	ctl_screen_line(screen, 1, CTL_PLAIN, 0, text);
}

static void ctl_screen_server(struct ctl_screen *screen, const struct ctl_live *live)
{
	char text[CTL_LINE_MAX];
	struct ctl_table *table;

	ctl_screen_take(screen, live);
	ctl_screen_bound(screen, screen->shown.count, LINES - HEADER - FOOTER);
	ctl_screen_totals(screen, live);
	ctl_screen_message(screen, live, 2);
	table = ctl_sessions_table(&screen->shown, screen->top, (size_t)screen->page, true,
				   ctl_words_now());
	if (table && ctl_table_fit(table, COLS)) {
		for (size_t row = 0; row < ctl_table_rows(table); row++)
			ctl_screen_line(screen, HEADER - 1 + (int)row, ctl_table_style(table, row),
					row == 0 ? A_REVERSE : 0,
					ctl_table_line(table, row, text, sizeof(text)));
	}
	ctl_table_free(table);
	(void)snprintf(text, sizeof(text),
		       "q quit   / filter   s sort: %s   arrows scroll   %zu-%zu of %zu",
		       ctl_sort_words[screen->sort], screen->shown.count ? screen->top + 1 : 0,
		       screen->top + (size_t)screen->page < screen->shown.count
			       ? screen->top + (size_t)screen->page
			       : screen->shown.count,
		       screen->shown.count);
	ctl_screen_line(screen, LINES - 1, CTL_PLAIN, A_REVERSE, text);
}

const char *ctl_screen_graph(const double *values, size_t count, size_t width, char *buf,
			     size_t size)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};
	const char *const *signs = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? blocks : ascii;
	size_t first = count > width ? count - width : 0, out = 0;
	double most = 0;

	for (size_t i = first; i < count; i++)
		most = values[i] > most ? values[i] : most;
	for (size_t i = first; i < count; i++) {
		/* With impossible values of a daemon, it is infinite, or no number. */
		double part = most > 0 ? values[i] / most : 0;
		/* Any traffic is visible. */
		size_t height = part > 0 && part < 1 ? (size_t)(1 + 7 * part) : part >= 1 ? 8 : 0;
		const char *sign = signs[height];

		if (out + strlen(sign) >= size)
			break;
		memcpy(buf + out, sign, strlen(sign));
		out += strlen(sign);
	}
	buf[out] = '\0';
	return buf;
}

/* Draws a direction's rates: the graph and the latest rate. */
static void ctl_screen_history(const struct ctl_screen *screen, const struct ctl_live *live, int y,
			       const char *label, const double *rates)
{
	char graph[4 * CTL_LIVE_HISTORY], rate[CTL_TEXT_SIZE], text[CTL_LINE_MAX];
	int room = COLS - 30;

	(void)snprintf(
		text, sizeof(text), "  %-12s  %-12s  %s", label,
		ctl_text_rate(ctl_screen_last(rates, live), rate),
		room > 0 ? ctl_screen_graph(rates, live->rates, (size_t)room, graph, sizeof(graph))
			 : "");
	ctl_screen_line(screen, y, CTL_PLAIN, 0, text);
}

static void ctl_screen_client(struct ctl_screen *screen, const struct ctl_live *live)
{
	struct ctl_page page = {.width = COLS};
	char text[CTL_LINE_MAX + 20];
	int room = LINES - 4;

	ctl_client_page(&page, live->status, live->before, live->seconds);
	ctl_screen_bound(screen, page.count, room);
	for (int i = 0; i < room && screen->top + (size_t)i < page.count; i++) {
		size_t line = screen->top + (size_t)i;

		ctl_screen_line(screen, i, page.lines[line].style, 0,
				ctl_page_line(&page, line, text, sizeof(text)));
	}
	ctl_page_free(&page);
	ctl_screen_message(screen, live, LINES - 4);
	ctl_screen_history(screen, live, LINES - 3, "receives", live->in_rate);
	ctl_screen_history(screen, live, LINES - 2, "sends", live->out_rate);
	ctl_screen_line(screen, LINES - 1, CTL_PLAIN, A_REVERSE, "q quit   arrows scroll");
}

void ctl_screen_draw(struct ctl_screen *screen, const struct ctl_live *live, int64_t now)
{
	(void)erase();
	if (!live->seen && *live->error)
		ctl_screen_message(screen, live, 0);
	else if (!live->seen)
		ctl_screen_line(screen, 0, CTL_PLAIN, 0, "asking");
	else if (live->is_server)
		ctl_screen_server(screen, live);
	else
		ctl_screen_client(screen, live);
	ctl_screen_age(screen, live, now);
	(void)refresh();
	screen->changed = false;
	screen->drawn = now;
}
