/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_page.h"

#include "tools/ctl_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Least width, and the width of a terminal that does not report it. */
#define WIDTH_LEAST 40
#define WIDTH_USUAL 80

/* Width of a label. */
#define INDENT 16

int ctl_page_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return WIDTH_USUAL;
	return size.ws_col > WIDTH_LEAST ? size.ws_col : WIDTH_LEAST;
}

static void ctl_page_put_line(struct ctl_page *page, enum ctl_style style, const char *label,
			      const char *text, size_t len)
{
	struct ctl_page_line *lines;

	if (page->count == CTL_PAGE_MAX)
		return;
	lines = reallocarray(page->lines, page->count + 1, sizeof(*lines));
	if (lines) {
		page->lines = lines;
		lines[page->count].text = strndup(text, len);
	}
	if (!lines || !lines[page->count].text) {
		page->failed = true;
		return;
	}
	lines[page->count].label = label;
	lines[page->count++].style = style;
}

void ctl_page_add(struct ctl_page *page, enum ctl_style style, const char *label,
		  const char *format, ...)
{
	char text[CTL_LINE_MAX], shown[CTL_LINE_MAX];
	const char *rest = shown;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ctl_text_shown(text, shown, sizeof(shown));
	do {
		size_t len = page->width > 0
				     ? ctl_text_fold(rest, page->width - (label ? INDENT : 0))
				     : strlen(rest);

		ctl_page_put_line(page, style, label, rest, len);
		rest += len + strspn(rest + len, " ");
		label = "";
	} while (*rest);
}

const char *ctl_page_line(const struct ctl_page *page, size_t line, char *buf, size_t size)
{
	const struct ctl_page_line *shown = &page->lines[line];

	if (shown->label)
		(void)snprintf(buf, size, "  %-12s  %s", shown->label, shown->text);
	else
		(void)snprintf(buf, size, "%s", shown->text);
	return buf;
}

bool ctl_page_print(const struct ctl_page *page)
{
	char line[CTL_LINE_MAX + 20];

	for (size_t i = 0; i < page->count; i++) {
		ctl_page_put(page->lines[i].style, ctl_page_line(page, i, line, sizeof(line)));
		(void)putchar('\n');
	}
	return !page->failed;
}

void ctl_page_free(struct ctl_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		free(page->lines[i].text);
	free(page->lines);
	memset(page, 0, sizeof(*page));
}

bool ctl_page_coloured(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no || !*no) && term && *term && strcmp(term, "dumb") != 0;
}

void ctl_page_put(enum ctl_style style, const char *text)
{
	static const char *const codes[CTL_STYLES] = {
		[CTL_STRONG] = "1", [CTL_GOOD] = "32", [CTL_WARN] = "33", [CTL_BAD] = "31"};

	if (codes[style] && ctl_page_coloured())
		(void)printf("\033[%sm%s\033[m", codes[style], text);
	else
		(void)fputs(text, stdout);
}
