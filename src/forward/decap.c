/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/decap.h"

#include "forward/tos.h"
#include "forward/vnet.h"

#include <string.h>

#define IPV4_HEADER 20

/* The rules for what is inside, in the order of the reasons. */
static enum drop_reason decap_check(const struct inner *inner, const struct session *session,
				    bool server)
{
	enum drop_reason drop = inner_check_source(inner);

	if (drop == DROP_NONE && server)
		drop = inner_check_ingress(inner, &session->config);
	if (drop == DROP_NONE)
		drop = inner_check_loop(inner, &session->config);
	return drop;
}

void decap_packet(const struct table *table, bool server, uint8_t *outer, size_t n,
		  struct decap *out)
{
	struct table_peer peer = {.transport = FORWARD_PROTO41};
	struct in_addr local;

	out->session = NULL;
	out->drop = DROP_OUTER_SHORT;
	if (n < IPV4_HEADER)
		return;

	size_t header = (size_t)(outer[0] & 0x0f) * 4;

	if (outer[0] >> 4 != 4 || header < IPV4_HEADER || n < header)
		return;
	memcpy(&peer.address, outer + 12, sizeof(peer.address));
	memcpy(&local, outer + 16, sizeof(local));

	struct session *session = table_by_peer(table, &peer);

	/* RFC 4213, section 3.6: the only check on who sent it that there is. */
	if (!session || !session->announced ||
	    (local.s_addr != session->config.local.s_addr &&
	     (!session->config.alias.s_addr || local.s_addr != session->config.alias.s_addr))) {
		out->drop = DROP_OUTER_PEER;
		return;
	}
	out->session = session;

	uint8_t *packet = outer + header;

	out->drop = inner_parse(packet, n - header, &out->inner);
	if (out->drop == DROP_NONE)
		out->drop = decap_check(&out->inner, session, server);
	if (out->drop != DROP_NONE)
		return;
	if (!tos_decap(outer[1], packet)) {
		out->drop = DROP_ECN;
		return;
	}
	/*
	 * The size of the packets that were merged is not known. The least IPv6 MTU is always
	 * right: larger pieces could be too large for a link behind us, and the sender, who never
	 * sent such large ones, could do nothing about it.
	 */
	vnet_fill(&out->inner, INNER_MTU_MIN, &out->vnet);
}
