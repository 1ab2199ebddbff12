/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon that is looked at again and again: what "watch" shows. Nothing here blocks. There is one
 * look at a time, so that a daemon with many sessions is not asked again before it has answered.
 */
#ifndef DTCP_TOOLS_CTL_LIVE_H
#define DTCP_TOOLS_CTL_LIVE_H

#include "tools/ctl.h"

/* Rates that are remembered: one for each look. */
#define CTL_LIVE_HISTORY 240

struct ctl_live {
	const struct ctl_options *options;
	const struct ask_daemon *daemon;
	struct ask *ask; /* NULL: no connection */
	enum ctl_live_stage { CTL_LIVE_RESTS, CTL_LIVE_STATUS, CTL_LIVE_SESSIONS } stage;
	int64_t begun; /* this look, or the last; clock_ms() */
	int64_t next;  /* when the next begins */
	json_t *coming;
	struct ctl_sessions coming_sessions;

	/* What was seen last, and the look before that: */
	int64_t seen; /* when; 0: never */
	double seconds;
	json_t *status;
	json_t *before;
	struct ctl_sessions sessions; /* in the order of ids, with rates */
	double in_rate[CTL_LIVE_HISTORY];
	double out_rate[CTL_LIVE_HISTORY];
	size_t rates; /* how many there are; the last one is the newest */
	bool is_server;
	char error[256]; /* why it cannot be seen any more, "" if it can */
};

void ctl_live_init(struct ctl_live *live, const struct ctl_options *options,
		   const struct ask_daemon *daemon);
void ctl_live_free(struct ctl_live *live);

/* Goes on as far as it can now. True if there is something new to show. */
bool ctl_live_step(struct ctl_live *live, int64_t now);

/* What to wait for, as ask_fd(), ask_events() and ask_wait(); the descriptor is -1 for none. */
int ctl_live_fd(const struct ctl_live *live);
short ctl_live_events(const struct ctl_live *live);
int ctl_live_wait(const struct ctl_live *live, int64_t now);

#endif
