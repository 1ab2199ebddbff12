/* SPDX-License-Identifier: BSD-2-Clause */
/* Queries this machine's IPsec policies. */
#ifndef DTCP_NETCONF_IPSEC_H
#define DTCP_NETCONF_IPSEC_H

#include <stdbool.h>

/*
 * True if there are policies for packets in or out, whatever they are for; false also if the kernel
 * has no IPsec. If the query fails, this is logged, and the result is true. Needs CAP_NET_ADMIN.
 */
bool ipsec_has_policies(void);

#endif
