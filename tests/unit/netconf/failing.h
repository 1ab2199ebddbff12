/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A routing socket that fails when it is told to. A test lets one request after the other fail, and
 * looks each time at what is left behind. It is linked with failing_link_args of meson.build.
 */
#ifndef DTCP_TESTS_UNIT_NETCONF_FAILING_H
#define DTCP_TESTS_UNIT_NETCONF_FAILING_H

#include <stdbool.h>

enum failing_how {
	FAILING_REQUEST, /* it cannot be sent: nothing has been done */
	FAILING_ANSWER,	 /* it is sent, and the answer cannot be read: that comes with the next one
			  */
};

/* The request of that number, 1 for the next, fails once with ENOBUFS; 0: none does. */
void failing_at(unsigned int number, enum failing_how how);

/* Somebody does something before the request of that number is sent. */
void failing_before(unsigned int number, void (*act)(void *arg), void *arg);

/* The next list that the kernel gives says that it was changed meanwhile. */
void failing_interrupt(void);

/* How many requests there were since this was asked. */
unsigned int failing_requests(void);

/* True if it has come to that since. */
bool failing_happened(void);

#endif
