/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a server refuses something, or ends a session: the words after "-ERR". */
#ifndef DTCP_PROTO_REASON_H
#define DTCP_PROTO_REASON_H

#include <stdbool.h>

enum dtcp_reason {
	REASON_OTHER,	    /* words that we do not know; never sent */
	REASON_PROTO41,	    /* the user may have UDP only; older clients take it for the next one */
	REASON_IN_USE,	    /* the address has another user's tunnel over protocol 41 */
	REASON_AUTH,	    /* no such user, or the wrong password */
	REASON_TRANSPORT,   /* UDP is not offered, or not to this user */
	REASON_TYPE,	    /* nor is the type, which follows the text */
	REASON_SUPERSEDED,  /* the same user has logged in again */
	REASON_STOPPING,    /* the server ends */
	REASON_ACCOUNT,	    /* the user could not log in like that any more; why follows the text */
	REASON_DISABLED,    /* an administrator has disabled the user */
	REASON_EXPIRED,	    /* the time of the user's account is over */
	REASON_KICKED,	    /* an operator has ended the session, and may refuse the next ones */
	REASON_ADDRESS,	    /* no tunnel can end where the client is, such as on loopback */
	REASON_SOLD_OUT,    /* no address or prefix is left */
	REASON_ESTABLISHED, /* this connection has a tunnel already */
	REASON_INVALID,	    /* not a command */
	REASON_WORD,	    /* a word after the type is no extension; it follows the text */
	REASON_INTERNAL,    /* the server could not make the tunnel */
	REASON_TIMEOUT,	    /* the client was silent for too long */
	REASON_FAILURES,    /* too many logins with a wrong password */
	REASON_LOGINS,	    /* too many logins with the right one */
	REASON_CONNECTIONS, /* too many connections */
	REASONS,
};

/* What we send. */
const char *reason_text(enum dtcp_reason reason);

/*
 * What a server has said, with anything before and behind it, in either case. Known are our own
 * texts, and those of servers in the field by the words that they have in common.
 */
enum dtcp_reason reason_parse(const char *said);

/* True if a server that says so to somebody who is logged in closes the connection. */
bool reason_closes(enum dtcp_reason reason);

#endif
