/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What control has told forward of one session number, and so what forward can say of it. Pure, and
 * the same in both programs: a message counts only if an honest forward could have sent it now.
 *
 * A number may be used again as soon as REMOVE was sent: the channel keeps order, and forward
 * answers each REMOVE with REMOVED, so what comes before that is about the session before.
 */
#ifndef DTCP_FORWARD_DIALOG_H
#define DTCP_FORWARD_DIALOG_H

#include "forward/msg.h"

#include <stdbool.h>
#include <stdint.h>

enum dialog_state {
	DIALOG_NONE,  /* forward has no session of that number */
	DIALOG_ASKED, /* ADD was sent, and not answered */
	DIALOG_HELD,  /* forward has it, as it said something of it; packets do not pass yet */
	DIALOG_UP,    /* ADDED has come */
};

/* Zero at the start. */
struct dialog {
	enum dialog_state state;
	uint32_t removing; /* REMOVEs not answered yet */
};

enum dialog_word {
	DIALOG_COUNTS,
	DIALOG_LATE,  /* about a session that has been removed meanwhile: to be ignored */
	DIALOG_WRONG, /* no honest forward says so: to be logged and ignored */
};

/* ADD, which goes with DIALOG_NONE, or REMOVE is sent; others change nothing. */
void dialog_tell(struct dialog *dialog, enum forward_msg type);

/* What a message from forward to control is worth. */
enum dialog_word dialog_hear(struct dialog *dialog, enum forward_msg type);

/* For the log: "refused", "up". */
const char *dialog_message_name(enum forward_msg type);
const char *dialog_state_name(enum dialog_state state);

#endif
