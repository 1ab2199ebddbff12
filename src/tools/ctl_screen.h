/* SPDX-License-Identifier: BSD-2-Clause */
/* What the live view looks like. */
#ifndef DTCP_TOOLS_CTL_SCREEN_H
#define DTCP_TOOLS_CTL_SCREEN_H

#include "tools/ctl_live.h"

struct ctl_screen {
	enum ctl_sort sort;
	char filter[64];
	bool typing;   /* the filter is being typed */
	size_t top;    /* first line that is shown of what can be scrolled */
	int page;      /* lines of that that fit */
	bool changed;  /* it is to be drawn again */
	int64_t drawn; /* clock_ms() */
	bool coloured;
	void *terminal;
	struct ctl_sessions shown; /* a copy, sorted and filtered */
};

/* False if the terminal cannot do that. */
bool ctl_screen_begin(struct ctl_screen *screen, enum ctl_sort sort);

/* The terminal is as it was. */
void ctl_screen_end(struct ctl_screen *screen);

void ctl_screen_draw(struct ctl_screen *screen, const struct ctl_live *live, int64_t now);

/*
 * A graph of the last width values, the newest at the right, in columns of eight heights up to the
 * largest; in ASCII if this locale knows no other characters. Returns buf.
 */
const char *ctl_screen_graph(const double *values, size_t count, size_t width, char *buf,
			     size_t size);

#endif
