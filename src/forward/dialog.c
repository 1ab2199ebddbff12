/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/dialog.h"

#include <stddef.h>

/* No correct forward sends this message in that state. */
enum { NEVER = -1 };

/* Forward's messages about a session, and the state after each. */
static const struct dialog_row {
	enum forward_msg type;
	const char *name;
	int next[DIALOG_UP + 1]; /* indexed by the state before */
} dialog_rows[] = {
	/* DIALOG_NONE, _ASKED, _HELD, _UP */
	{FORWARD_MSG_ADDED, "added", {NEVER, DIALOG_UP, DIALOG_UP, NEVER}},
	{FORWARD_MSG_REFUSED, "refused", {NEVER, DIALOG_NONE, NEVER, NEVER}},
	{FORWARD_MSG_LEARNED, "learned", {NEVER, NEVER, NEVER, DIALOG_UP}},
	{FORWARD_MSG_PATH, "path", {NEVER, DIALOG_HELD, DIALOG_HELD, DIALOG_UP}},
	{FORWARD_MSG_SILENT, "silent", {NEVER, DIALOG_HELD, DIALOG_HELD, DIALOG_UP}},
	{FORWARD_MSG_RESULT, "result", {NEVER, DIALOG_HELD, DIALOG_HELD, DIALOG_UP}},
	{FORWARD_MSG_REMOVED, "removed", {NEVER, NEVER, NEVER, NEVER}},
};

static const struct dialog_row *dialog_row(enum forward_msg type)
{
	for (size_t i = 0; i < sizeof(dialog_rows) / sizeof(dialog_rows[0]); i++) {
		if (dialog_rows[i].type == type)
			return &dialog_rows[i];
	}
	return NULL;
}

void dialog_tell(struct dialog *dialog, enum forward_msg type)
{
	if (type == FORWARD_MSG_ADD) {
		dialog->state = DIALOG_ASKED;
	} else if (type == FORWARD_MSG_REMOVE) {
		dialog->state = DIALOG_NONE;
		dialog->removing++;
	}
}

enum dialog_word dialog_hear(struct dialog *dialog, enum forward_msg type)
{
	const struct dialog_row *row = dialog_row(type);
	int next;

	if (!row)
		return DIALOG_WRONG;
	if (dialog->removing > 0) {
		if (type != FORWARD_MSG_REMOVED)
			return DIALOG_LATE;
		dialog->removing--;
		return DIALOG_COUNTS;
	}
	next = row->next[dialog->state];
	if (next == NEVER)
		return DIALOG_WRONG;
	dialog->state = (enum dialog_state)next;
	return DIALOG_COUNTS;
}

const char *dialog_message_name(enum forward_msg type)
{
	const struct dialog_row *row = dialog_row(type);

	return row ? row->name : "unknown";
}

const char *dialog_state_name(enum dialog_state state)
{
	static const char *const names[] = {
		[DIALOG_NONE] = "none",
		[DIALOG_ASKED] = "asked",
		[DIALOG_HELD] = "held",
		[DIALOG_UP] = "up",
	};

	return names[state];
}
