/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes one TCP connection to whichever of several IPv4 addresses answers first: each is tried a
 * moment after the one before it, or at once if that one has failed (as in RFC 8305 section 5). So
 * an address that says nothing costs the others little time.
 */
#ifndef DTCP_CLIENT_CONTROL_DIALER_H
#define DTCP_CLIENT_CONTROL_DIALER_H

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most addresses that one connection is tried with. */
#define DIALER_ADDRESSES_MAX 32

struct dialer;

/*
 * fd is connected to remote, non-blocking, and the callback's to close; the other attempts have
 * been given up. -1: nothing is being tried any more, and nothing is left to be tried; remote is
 * the last one that failed, error says why (errno). dialer_add() may go on from there.
 */
typedef void (*dialer_done)(int fd, struct in_addr remote, int error, void *arg);

/* NULL if memory is short. */
struct dialer *dialer_new(struct event_base *base, dialer_done done, void *arg);

/* NULL is allowed. */
void dialer_free(struct dialer *dialer);

/* How long an address has before the next has its turn: enough for nearly every one to answer. */
#define DIALER_DELAY_MS 250

/*
 * Gives up what is being tried, and begins anew: port and delay, in milliseconds, are those of the
 * addresses to come.
 */
void dialer_reset(struct dialer *dialer, uint16_t port, unsigned int delay);

/*
 * More addresses, in the order in which they are to be tried, before those that wait for their
 * turn; one that has been tried since dialer_reset() is not tried again. Returns true if one is
 * being tried now; done() is not called from in here.
 */
bool dialer_add(struct dialer *dialer, const struct in_addr *addresses, size_t count);

/* The last address that failed since dialer_reset(), and why; 0 if none has. */
int dialer_error(const struct dialer *dialer, struct in_addr *remote);

#endif
