/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit statuses of dtcpclient, as its manual page lists them. */
#ifndef DTCP_CLIENT_EXITS_H
#define DTCP_CLIENT_EXITS_H

enum client_exit {
	CLIENT_OK = 0,
	CLIENT_LOCAL = 1,	/* interface, memory, permission, a process died */
	CLIENT_USAGE = 2,	/* command line */
	CLIENT_NAME = 3,	/* server name not found */
	CLIENT_UNREACHABLE = 4, /* no route to the server */
	CLIENT_REFUSED = 5,	/* connection refused */
	CLIENT_TIMEOUT = 6,	/* no answer to connect, login or ping */
	CLIENT_GARBAGE = 7,	/* server not understood */
	CLIENT_AUTH = 8,	/* authentication failed */
	CLIENT_TYPE = 9,	/* server refuses the tunnel type */
	CLIENT_NAT = 10,	/* NAT found */
	CLIENT_SERVER = 11,	/* the server refused for another reason */
	CLIENT_CLOSED = 12,	/* the server closed the connection */
	CLIENT_PASSWORD = 13,	/* no password available */
};

#endif
