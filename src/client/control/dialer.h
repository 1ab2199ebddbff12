/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes one TCP connection to whichever of several IPv4 addresses answers first: each is tried a
 * moment after the one before it, or at once if that one has failed (as in RFC 8305 section 5), so
 * an address that does not answer costs the others little time.
 */
#ifndef DTCP_CLIENT_CONTROL_DIALER_H
#define DTCP_CLIENT_CONTROL_DIALER_H

#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest number of addresses for one connection. */
#define DIALER_ADDRESSES_MAX 32

struct dialer;

/*
 * Success: fd is connected to remote, non-blocking, and must be closed by the callback; the other
 * attempts have been cancelled. Failure: fd is -1, and no address is left; remote is the last one
 * that failed, with error (errno). dialer_add() can add more.
 */
typedef void (*dialer_done)(int fd, struct in_addr remote, int error, void *arg);

/* NULL if memory is short. */
struct dialer *dialer_new(struct event_base *base, dialer_done done, void *arg);

/* NULL is allowed. */
void dialer_free(struct dialer *dialer);

/* Delay before the next address is tried: long enough for nearly every address to answer. */
#define DIALER_DELAY_MS 250

/*
 * Cancels all attempts, and starts over: port and delay, in milliseconds, apply to the addresses to
 * come.
 */
void dialer_reset(struct dialer *dialer, uint16_t port, unsigned int delay);

/*
 * Adds addresses, in the order in which to try them, before those that are still waiting; one that
 * has been tried since dialer_reset() is not tried again. Returns true if an attempt is in progress
 * now; does not call done().
 */
bool dialer_add(struct dialer *dialer, const struct in_addr *addresses, size_t count);

/* The last address that failed since dialer_reset(), and why; 0 if none has. */
int dialer_error(const struct dialer *dialer, struct in_addr *remote);

#endif
