/* SPDX-License-Identifier: BSD-2-Clause */
/* Reasons why a server refuses a request, or ends a session: the text after "-ERR". */
#ifndef DTCP_PROTO_REASON_H
#define DTCP_PROTO_REASON_H

#include <stdbool.h>

enum dtcp_reason {
	REASON_OTHER,	   /* unknown text; never sent */
	REASON_PROTO41,	   /* the user may have UDP only; older clients take it for REASON_IN_USE */
	REASON_IN_USE,	   /* another user at this address has a tunnel over protocol 41 */
	REASON_AUTH,	   /* no such user, or the wrong password */
	REASON_TRANSPORT,  /* UDP is not offered, or not to this user */
	REASON_TYPE,	   /* the type is not offered, or not to this user; it follows the text */
	REASON_SUPERSEDED, /* the same user has logged in again */
	REASON_STOPPING,   /* the server is stopping */
	REASON_ACCOUNT,	 /* the user could no longer log in this way; the reason follows the text */
	REASON_DISABLED, /* an administrator has disabled the user */
	REASON_EXPIRED,	 /* the account has expired */
	REASON_KICKED,	 /* an operator has ended the session, and may refuse the next ones */
	REASON_ADDRESS,	 /* no tunnel can end at the client's address, such as loopback */
	REASON_SOLD_OUT, /* no address or prefix is left */
	REASON_ESTABLISHED, /* this connection has a tunnel already */
	REASON_INVALID,	    /* not a command */
	REASON_WORD,	    /* a word after the type is not an extension; it follows the text */
	REASON_INTERNAL,    /* the server could not make the tunnel */
	REASON_TIMEOUT,	    /* the client was silent for too long */
	REASON_FAILURES,    /* too many logins with a wrong password */
	REASON_LOGINS,	    /* too many logins with the right one */
	REASON_CONNECTIONS, /* too many connections */
	REASONS,
};

/* The text to send. */
const char *reason_text(enum dtcp_reason reason);

/*
 * Recognizes a server's text, with anything before and after it, in either case: our own texts, and
 * those of servers in the field by the words that they have in common.
 */
enum dtcp_reason reason_parse(const char *said);

/* True if a server closes the connection of a logged-in client after this reason. */
bool reason_closes(enum dtcp_reason reason);

#endif
