/* SPDX-License-Identifier: BSD-2-Clause */
/* From the sockets to the TUN devices. */
#ifndef DTCP_FORWARD_INBOUND_H
#define DTCP_FORWARD_INBOUND_H

#include "forward/arrival.h"
#include "forward/errqueue.h"
#include "forward/plane.h"

/* Handlers of a socket: a received packet or probe, or a report about a sent packet. */
void inbound_received(struct plane *plane, const struct arrival *arrival);
/* To be called at the end of a batch, since the payloads become invalid. */
void inbound_write(struct plane *plane, const struct coalesced *coalesced);

void inbound_report(struct plane *plane, enum forward_transport transport,
		    const struct errqueue_report *report);

#endif
