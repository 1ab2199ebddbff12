/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's tests of a path, for dtcpclient --check: sends an ICMPv6 echo request of any size
 * through the tunnel to any address, and reports the result (RFC 4443, section 4).
 */
#ifndef DTCP_FORWARD_TRIAL_H
#define DTCP_FORWARD_TRIAL_H

#include "forward/inner.h"
#include "forward/plane.h"

#include <stdbool.h>

/* Timeout of an answer, milliseconds. */
#define TRIAL_PATIENCE 1000

/* Requests sent in a second; those beyond that are treated as unanswered. */
#define TRIAL_RATE 20

struct trial;

/* For a session of plane; NULL if memory is short. */
struct trial *trial_new(struct plane *plane, struct session *session);

/* Ends it; NULL is allowed. */
void trial_free(struct trial *trial);

/*
 * Sends a request, which forward_trial_valid() has accepted, replacing a pending one.
 * plane->reports->result() is called once, possibly from here.
 */
void trial_begin(struct trial *trial, const struct forward_trial *request);

/* True if a received inner packet is the answer, or an error about the request. */
bool trial_takes(struct trial *trial, const struct inner *inner);

/* The path MTU was lowered: this request may have been too large. */
void trial_too_big(struct trial *trial);

#endif
