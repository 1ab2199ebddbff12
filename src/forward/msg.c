/* SPDX-License-Identifier: BSD-2-Clause */
#include "forward/msg.h"

#include "proto/message.h"

static bool endpoints_valid(const struct forward_session *config, bool server)
{
	bool udp = config->transport == FORWARD_UDP;

	if (!udp && config->transport != FORWARD_PROTO41)
		return false;
	if (config->mtu < FORWARD_MTU_MIN ||
	    config->mtu > (udp ? FORWARD_UDP_MTU_MAX : FORWARD_MTU_MAX))
		return false;
	if (!dtcp_endpoint_valid(config->peer))
		return false;
	if (udp) {
		/* A client knows its server's port. */
		if (!config->session || config->peer_port > UINT16_MAX ||
		    (!server && !config->peer_port))
			return false;
		/* Its own address may be unknown and change. */
		if (!server && !config->local.s_addr)
			return true;
	}
	return dtcp_endpoint_valid(config->local);
}

bool forward_session_valid(const struct forward_session *config, bool server)
{
	if (config->n_prefixes > FORWARD_PREFIXES_MAX || !endpoints_valid(config, server))
		return false;
	for (uint32_t i = 0; i < config->n_prefixes; i++) {
		if (!prefix6_valid(&config->prefixes[i]))
			return false;
	}
	return true;
}

/* A session without an address for it may use any valid source. */
static bool source_valid(const struct in6_addr *source, const struct forward_session *config)
{
	if (IN6_IS_ADDR_UNSPECIFIED(source) || IN6_IS_ADDR_MULTICAST(source) ||
	    IN6_IS_ADDR_LOOPBACK(source))
		return false;
	if (!config->own_sources || IN6_IS_ADDR_LINKLOCAL(source))
		return true;
	for (uint32_t i = 0; i < config->n_prefixes; i++) {
		if (prefix6_has(&config->prefixes[i], source))
			return true;
	}
	return false;
}

bool forward_trial_valid(const struct forward_trial *trial, const struct forward_session *config)
{
	bool udp = config->transport == FORWARD_UDP;

	return trial->size >= FORWARD_TRIAL_MIN &&
	       trial->size <= (udp ? FORWARD_UDP_MTU_MAX : FORWARD_MTU_MAX) && trial->df <= 1 &&
	       source_valid(&trial->source, config);
}
