/* SPDX-License-Identifier: BSD-2-Clause */
/* From the sockets to the TUN devices. */
#ifndef DTCP_FORWARD_INBOUND_H
#define DTCP_FORWARD_INBOUND_H

#include "forward/arrival.h"
#include "forward/errqueue.h"
#include "forward/plane.h"

/* What a socket gives: a packet or a probe, or a report about a packet that was sent. */
void inbound_received(struct plane *plane, const struct arrival *arrival);
/* To be called at the end of a batch of them, as all payloads are about to go. */
void inbound_write(struct plane *plane, const struct coalesced *coalesced);

void inbound_report(struct plane *plane, enum forward_transport transport,
		    const struct errqueue_report *report);

#endif
