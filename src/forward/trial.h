/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's trials of a path, for dtcpclient --check: an ICMPv6 echo request of any size goes
 * through the tunnel to any address, and what becomes of it is reported (RFC 4443, section 4).
 */
#ifndef DTCP_FORWARD_TRIAL_H
#define DTCP_FORWARD_TRIAL_H

#include "forward/inner.h"
#include "forward/plane.h"

#include <stdbool.h>

/* How long an answer is waited for, in milliseconds. */
#define TRIAL_PATIENCE 1000

/* Requests that are sent in a second; what is beyond that has no answer. */
#define TRIAL_RATE 20

struct trial;

/* For a session of plane; NULL if memory is short. */
struct trial *trial_new(struct plane *plane, struct session *session);

/* Ends it; NULL is allowed. */
void trial_free(struct trial *trial);

/*
 * Sends a request, which forward_trial_valid() has been asked about, in place of one that is being
 * waited for. plane->reports->result() is called once, perhaps in here.
 */
void trial_begin(struct trial *trial, const struct forward_trial *request);

/* True if an inner packet that has come in is the answer, or an error about the request. */
bool trial_takes(struct trial *trial, const struct inner *inner);

/* The path takes less than was known: it may be this request that was too large. */
void trial_too_big(struct trial *trial);

#endif
