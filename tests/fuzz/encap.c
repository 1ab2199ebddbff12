/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From TUN to outside, without any device: the offload header, the way to a session, sizes, and
 * the ICMPv6 error that answers what cannot go.
 */
#include "packets.h"

#include "forward/encap.h"
#include "forward/tos.h"

#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

enum { SESSIONS = 3 };

/* The session whose longest prefix has the address, found the slow way. */
static const struct session *owner_of(struct session *const sessions[SESSIONS],
				      const struct in6_addr *addr)
{
	const struct session *owner = NULL;
	unsigned int longest = 0;

	for (unsigned int i = 0; i < SESSIONS; i++) {
		const struct forward_session *config = session_config(sessions[i]);

		for (uint32_t p = 0; config->device == 0 && p < config->n_prefixes; p++) {
			if (config->prefixes[p].len > longest &&
			    prefix6_has(&config->prefixes[p], addr)) {
				owner = sessions[i];
				longest = config->prefixes[p].len;
			}
		}
	}
	return owner;
}

static void check_sent(const struct encap *encap, struct session *const sessions[SESSIONS],
		       const struct session *only, bool shared, uint64_t now)
{
	const struct session *session = encap->session;
	uint32_t outer = session_config(session)->transport == FORWARD_UDP ? 28 : 20;
	uint32_t path = pmtu_get(session_pmtu(session), now);

	FUZZ_CHECK(session_peer(session)->transport != FORWARD_UDP ||
		   session_peer(session)->port != 0);
	if (shared) {
		FUZZ_CHECK(session == owner_of(sessions, &encap->inner.dst));
		FUZZ_CHECK(encap->inner.dst.s6_addr[0] != 0xff);
	} else {
		FUZZ_CHECK(session == only);
	}
	FUZZ_CHECK(encap->inner.len <= session_config(session)->mtu);
	/* What must not be cut on the way fits the way; and 1280 always goes. */
	FUZZ_CHECK(!encap->df ||
		   (session_config(session)->mtu > 1280 && encap->inner.len + outer <= path));
	FUZZ_CHECK(encap->tos == tos_class(encap->inner.packet));
}

static void check_answer(const struct encap *encap)
{
	struct in6_addr source = fuzz_ipv6("2001:db8::1");
	uint8_t error[ICMP6_ERROR_SIZE];
	size_t len;

	if (!icmp6_allowed(encap->error.kind, &encap->inner))
		return;
	len = icmp6_build(&encap->error, &source, &encap->inner, error);
	packets_check_error(error, len, encap->inner.packet, encap->inner.len);
}

static void one_packet(struct fuzz_input *input, const struct table *table,
		       struct session *const sessions[SESSIONS], uint64_t now)
{
	uint8_t what = fuzz_byte(input);
	struct virtio_net_hdr header = {0};
	struct session *only = what & 1 ? sessions[2] : NULL;
	bool shared = what & 2;
	struct encap encap;
	uint8_t *packet, *before;
	size_t len;

	if (what & 4)
		fuzz_fill(input, &header, sizeof(header));
	packet = packets_make(input, &len);
	before = fuzz_copy(packet, len);
	encap_packet(table, only, shared, &header, packet, len, now, &encap);
	FUZZ_CHECK(encap.drop < DROP_REASONS);
	if (encap.drop == DROP_NONE)
		check_sent(&encap, sessions, only, shared, now);
	else if (encap.drop != DROP_TUN_MALFORMED)
		check_answer(&encap);
	if (encap.drop != DROP_TUN_MALFORMED)
		FUZZ_CHECK(encap.inner.len <= len && memcmp(packet, before, 40) == 0);
	if (!header.flags)
		FUZZ_CHECK(memcmp(packet, before, len) == 0);
	free(before);
	free(packet);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static const uint64_t key[2] = {1, 2};
	struct fuzz_input input = {data, size};
	bool udp = fuzz_bool(&input);
	struct table *table = table_new(true, SESSIONS, key);
	struct session *sessions[SESSIONS];
	struct prefix6 assigned = {.addr = fuzz_ipv6("2001:db8:200::"), .len = 40};
	uint64_t now = 100000;

	FUZZ_CHECK(table && table_assign(table, &assigned) == 0);
	for (unsigned int i = 0; i < SESSIONS; i++) {
		struct forward_session config = packets_session(i, udp, true);

		FUZZ_CHECK(table_add(table, &config, &sessions[i]) == 0);
		table_set_up(table, sessions[i]);
	}
	while (input.left > 0) {
		uint8_t what = fuzz_byte(&input);
		struct session *session = sessions[what % SESSIONS];
		const struct pmtu *pmtu = session_pmtu(session);

		if (what & 0x40)
			now += fuzz_32(&input);
		if (what & 0x80) {
			uint32_t known = pmtu_get(pmtu, now);

			table_lower_pmtu(table, session, fuzz_16(&input), now);
			FUZZ_CHECK(pmtu_get(pmtu, now) <= known);
		}
		one_packet(&input, table, sessions, now);
	}
	table_free(table);
}
