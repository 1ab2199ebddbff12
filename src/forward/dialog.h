/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the dialog between control and forward about one session id, and so which messages
 * forward can send about it. Pure, and the same in both programs: a message is valid only if an
 * honest forward could have sent it now.
 *
 * An id may be used again as soon as REMOVE was sent: the channel preserves order, and forward
 * answers each REMOVE with REMOVED, so what comes before that is about the previous session.
 */
#ifndef DTCP_FORWARD_DIALOG_H
#define DTCP_FORWARD_DIALOG_H

#include "forward/msg.h"

#include <stdbool.h>
#include <stdint.h>

enum dialog_state {
	DIALOG_NONE,  /* forward has no session with that id */
	DIALOG_ASKED, /* ADD was sent, and not answered */
	DIALOG_HELD,  /* forward has it, having sent a message about it; packets do not pass yet */
	DIALOG_UP,    /* ADDED has come */
};

/* Zero at the start. */
struct dialog {
	enum dialog_state state;
	uint32_t removing; /* REMOVEs not answered yet */
};

enum dialog_word {
	DIALOG_COUNTS,
	DIALOG_LATE,  /* about a session that has been removed meanwhile: ignore */
	DIALOG_WRONG, /* not from an honest forward: log and ignore */
};

/* ADD, only in DIALOG_NONE, or REMOVE is sent; other types have no effect. */
void dialog_tell(struct dialog *dialog, enum forward_msg type);

/* Whether a message from forward to control is valid. */
enum dialog_word dialog_hear(struct dialog *dialog, enum forward_msg type);

/* For the log: "refused", "up". */
const char *dialog_message_name(enum forward_msg type);
const char *dialog_state_name(enum dialog_state state);

#endif
