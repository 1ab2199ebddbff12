/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon that is polled for "watch". Nothing here blocks. There is one query at a time, so that a
 * daemon with many sessions is not queried again before it has answered.
 */
#ifndef DTCP_TOOLS_CTL_LIVE_H
#define DTCP_TOOLS_CTL_LIVE_H

#include "tools/ctl.h"

/* Number of rates that are kept: one for each sample. */
#define CTL_LIVE_HISTORY 240

struct ctl_live {
	const struct ctl_options *options;
	const struct ask_daemon *daemon;
	struct ask *ask; /* NULL: no connection */
	enum ctl_live_stage { CTL_LIVE_RESTS, CTL_LIVE_STATUS, CTL_LIVE_SESSIONS } stage;
	int64_t begun; /* start of this sample, or the last; clock_ms() */
	int64_t next;  /* start of the next */
	json_t *coming;
	struct ctl_sessions coming_sessions;

	/* The last sample, and the one before: */
	int64_t seen; /* time of the last sample; 0: none */
	double seconds;
	json_t *status;
	json_t *before;
	struct ctl_sessions sessions; /* sorted by id, with rates */
	double in_rate[CTL_LIVE_HISTORY];
	double out_rate[CTL_LIVE_HISTORY];
	size_t rates; /* number of rates; the last one is the newest */
	bool is_server;
	char error[256]; /* why there is no new sample, or "" */
};

/* ask: a connection that it takes over. */
void ctl_live_init(struct ctl_live *live, const struct ctl_options *options,
		   const struct ask_daemon *daemon, struct ask *ask);
void ctl_live_free(struct ctl_live *live);

/* Proceeds as far as possible without blocking. True if there is something new to show. */
bool ctl_live_step(struct ctl_live *live, int64_t now);

/* What to wait for, as ask_fd(), ask_events() and ask_wait(); the descriptor is -1: none. */
int ctl_live_fd(const struct ctl_live *live);
short ctl_live_events(const struct ctl_live *live);
int ctl_live_wait(const struct ctl_live *live, int64_t now);

#endif
