/* SPDX-License-Identifier: BSD-2-Clause */
/* What this machine's IPsec is asked for. */
#ifndef DTCP_NETCONF_IPSEC_H
#define DTCP_NETCONF_IPSEC_H

#include <stdbool.h>

/*
 * True if there are policies for packets in or out, whatever they are for; false also if the kernel
 * has no IPsec. If it does not tell, that is logged, and taken for true. Needs CAP_NET_ADMIN.
 */
bool ipsec_has_policies(void);

#endif
