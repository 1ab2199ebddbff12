/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records about the server as a whole and about a session, and functions that present them as JSON
 * and as text. Nothing parses these texts.
 */
#ifndef DTCP_SERVER_CONTROL_OVERVIEW_H
#define DTCP_SERVER_CONTROL_OVERVIEW_H

#include "forward/counters.h"
#include "server/control/admission.h"
#include "server/control/broker.h"
#include "server/msg.h"
#include "server/options.h"

#include <jansson.h>

struct overview {
	const struct server_options *options;
	int64_t started; /* milliseconds of clock_ms() */
	bool ready;
	uint32_t sessions; /* that are up, or being set up */
	uint32_t dead_paths;
	struct tally_sessions up;
	uint32_t connections;
	struct tally_logins logins;
	uint64_t turned_away; /* connections dropped or refused */
	uint64_t left_out;    /* lines of the log */
	bool has_counters;
	uint64_t drops[DROP_REASONS];
	uint64_t icmp_errors;
	uint64_t icmp6_sent;
	struct carried_counters user;
	struct carried_counters kernel;
	/* From other processes; NULL: they have not answered. */
	const struct server_state *root;
	const struct server_usage *accounts;
};

/* Fills in everything but the parts of other processes. */
void overview_take(const struct broker *broker, const struct admission *admission, int64_t started,
		   struct overview *overview);

/* For the control socket; NULL if memory is short. */
json_t *overview_json(const struct overview *overview);
json_t *overview_drops_json(const struct overview *overview);

/* For the log, a line each. */
void overview_log(const struct overview *overview);

/* A session that is up. */
struct overview_session {
	uint32_t id;
	const char *user;
	enum tunnel_type type;
	bool udp;
	struct in_addr peer;
	uint16_t port; /* over UDP; 0: not found yet */
	bool has_address;
	struct in6_addr address;
	size_t n_prefixes;
	struct prefix6 prefixes[DTCP_PREFIXES_MAX + 1];
	int64_t since; /* milliseconds of clock_ms() */
	bool has_counters;
	struct session_counters counters; /* the kernel's as well */
	uint64_t kernel_octets;
	const char *path;
};

void overview_take_session(const struct broker *broker, const struct server_session *session,
			   struct overview_session *row);
json_t *overview_session_json(const struct overview_session *row);

#endif
