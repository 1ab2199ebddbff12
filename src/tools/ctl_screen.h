/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen of the live view. */
#ifndef DTCP_TOOLS_CTL_SCREEN_H
#define DTCP_TOOLS_CTL_SCREEN_H

#include "tools/ctl_live.h"

struct ctl_screen {
	enum ctl_sort sort;
	char filter[64];
	bool typing;   /* the filter is being typed */
	size_t top;    /* first visible line of the scrollable part */
	int page;      /* lines of that part that fit */
	bool changed;  /* has to be drawn again */
	int64_t drawn; /* clock_ms() */
	bool coloured;
	void *terminal;
	struct ctl_sessions shown; /* a copy, sorted and filtered */
};

/* False if the terminal is not suitable. */
bool ctl_screen_begin(struct ctl_screen *screen, enum ctl_sort sort);

/* Restores the terminal until something is drawn again. */
void ctl_screen_pause(void);

/* Restores the terminal. */
void ctl_screen_end(struct ctl_screen *screen);

void ctl_screen_draw(struct ctl_screen *screen, const struct ctl_live *live, int64_t now);

/*
 * A graph of the last width values, the newest at the right, in columns of eight heights relative
 * to the largest value; in ASCII if the locale has no other characters. Returns buf.
 */
const char *ctl_screen_graph(const double *values, size_t count, size_t width, char *buf,
			     size_t size);

#endif
