/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labelled lines, as shown by "status" and "watch". Everything that is added is escaped for
 * display.
 */
#ifndef DTCP_TOOLS_CTL_PAGE_H
#define DTCP_TOOLS_CTL_PAGE_H

#include <stdbool.h>
#include <stddef.h>

enum ctl_style { CTL_PLAIN, CTL_STRONG, CTL_GOOD, CTL_WARN, CTL_BAD, CTL_STYLES };

/* Longest line, with its NUL; longer ones are cut. */
#define CTL_LINE_MAX 2048

struct ctl_page {
	struct ctl_page_line {
		const char *label; /* NULL: a heading, which starts at the margin */
		char *text;
		enum ctl_style style;
	} * lines;
	size_t count;
	int width;   /* longer lines go on below, if there are blanks; 0: they do not */
	bool failed; /* memory was short: lines are missing */
};

/* Limit of lines; further ones are left out. */
#define CTL_PAGE_MAX 10000

/* Columns of standard output, at least 40; 0 if it is no terminal. */
int ctl_page_width(void);

/* Adds a line; label is a constant, "" for a continuation. */
__attribute__((format(printf, 4, 5))) void ctl_page_add(struct ctl_page *page, enum ctl_style style,
							const char *label, const char *format, ...);

/* One line for display, with its label. Returns buf. */
const char *ctl_page_line(const struct ctl_page *page, size_t line, char *buf, size_t size);

/* Prints it. False if memory was short when it was made. */
bool ctl_page_print(const struct ctl_page *page);

void ctl_page_free(struct ctl_page *page);

/* Whether standard output is a terminal, and colours are wanted. */
bool ctl_page_coloured(void);

/* Prints a text in a style, if colours are wanted, without a newline. */
void ctl_page_put(enum ctl_style style, const char *text);

#endif
