/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's machine, on the bench of the unit tests, which compares every action with a model of
 * what is outside. The input chooses the events and says the server's lines.
 */
#include "fuzz.h"

#include "rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "correct-horse-battery-staple"

static void say(struct rig *rig, struct fuzz_input *input)
{
	char line[DTCP_LINE_MAX + 1];
	size_t len;
	char *text = fuzz_line(input, &len);

	/* What the framing lets through. */
	(void)snprintf(line, sizeof(line), "%s", text);
	free(text);
	if (rig->connected)
		rig_line(rig, line);
}

/* A good answer to the request, perhaps with a NAT in it. */
static void grant(struct rig *rig, struct fuzz_input *input)
{
	char address[INET_ADDRSTRLEN] = RIG_NAT;
	char line[300];
	uint8_t what = fuzz_byte(input);

	if (!(what & 1))
		(void)inet_ntop(AF_INET, &rig->address, address, sizeof(address));
	(void)snprintf(line, sizeof(line),
		       "+OK %s " RIG_REMOTE " 2001:db8::2 2001:db8::1 2001:db8:1::/48%s", address,
		       what & 2 || rig->session.udp ? RIG_UDP : "");
	if (rig->connected)
		rig_line(rig, line);
}

/* The clock's event comes as long as something is due. */
static void pass_time(struct rig *rig)
{
	int64_t deadline;

	do {
		rig_input(rig, SESSION_TIME);
		deadline = session_deadline(&rig->session);
	} while (deadline >= 0 && deadline <= rig->now);
}

static void monitor_answers(struct rig *rig, bool well)
{
	if (rig->lower_asked)
		rig_input(rig, SESSION_LOWERED);
	else if (rig->raise_asked)
		rig_input(rig, well ? SESSION_RAISED : SESSION_RAISE_ERROR);
	else if (rig->tunnel && !well)
		rig_input(rig, SESSION_LOST);
}

static void connection_ends(struct rig *rig, struct fuzz_input *input)
{
	switch (fuzz_below(input, 3)) {
	case 0:
		if (rig->connecting || rig->connected)
			rig_failed(rig, CLIENT_REFUSED, "refused");
		break;
	case 1:
		if (rig->connected)
			rig_closed(rig, "closed");
		break;
	default:
		if (rig->connected)
			rig_bad_line(rig, "a NUL byte in a line");
		break;
	}
}

static void forward_reports(struct rig *rig, struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);

	if (!rig->forwarded)
		return;
	if (what & 4)
		rig_input(rig, SESSION_SILENT);
	else if (what & 8 && rig->session.config.transport != SESSION_IPV6 &&
		 !rig->session.config.keeps_port)
		rig_port(rig, what);
	else
		rig_path(rig, (what & 3) != 1);
}

static void step(struct rig *rig, struct fuzz_input *input)
{
	static const char *const addresses[] = {"0.0.0.0", RIG_LOCAL, "198.51.100.3", "10.1.2.3"};

	switch (fuzz_byte(input)) {
	case 'c':
		if (rig->connecting)
			rig_connected(rig);
		break;
	case 'g':
		if (rig->connected)
			rig_line(rig, RIG_GREETING);
		break;
	case 'G':
		grant(rig, input);
		break;
	case 'x':
		connection_ends(rig, input);
		break;
	case 'm':
		monitor_answers(rig, true);
		break;
	case 'M':
		monitor_answers(rig, false);
		break;
	case 'p':
		forward_reports(rig, input);
		break;
	case 't':
		rig_wait(rig, fuzz_16(input));
		pass_time(rig);
		break;
	case 'd':
		if (session_deadline(&rig->session) > rig->now)
			rig->now = session_deadline(&rig->session);
		pass_time(rig);
		break;
	case 'n':
		rig_network(rig, addresses[fuzz_below(input, 4)]);
		break;
	case 'w':
		rig_woke(rig, fuzz_16(input));
		pass_time(rig);
		break;
	case 'h':
		rig_input(rig, SESSION_RECONNECT);
		break;
	case 'k':
		rig_renew(rig);
		break;
	case 'q':
		rig_input(rig, SESSION_GO_DOWN);
		break;
	case 'u':
		rig_input(rig, SESSION_GO_UP);
		break;
	default:
		say(rig, input);
		break;
	}
}

static void configure(struct rig *rig, struct fuzz_input *input)
{
	enum { SERVERS = 3 };
	static const enum tunnel_type types[] = {TUNNEL_ONLY, TUNNEL_HOST, TUNNEL_NETWORK};
	static const char *const servers[SERVERS] = {RIG_SERVER, "192.0.2.9", "other.example"};
	struct session_config config;
	uint8_t what;

	rig_init(rig);
	config = rig->session.config;
	what = fuzz_byte(input);
	config.type = types[what % 3];
	config.transport = (enum session_transport)(what / 3 % 3);
	config.loop = what & 0x80;
	what = fuzz_byte(input);
	config.forwards = what & 1;
	config.check_nat = what & 2;
	config.hold = what & 4 ? 30 : 0;
	config.udp_named = what & 8 ? 4028 : 0;
	config.keeps_port = what & 64;
	config.n_servers = 1 + what / 16 % SERVERS;
	for (size_t i = 0; i < config.n_servers; i++)
		config.servers[i] = servers[i];
	rig_configure(rig, &config);
	for (size_t i = 0; i < config.n_servers; i++)
		session_password(&rig->session, i, PASSWORD);
}

/* After a stop, the clock and monitor alone lead to the end. */
static void run_out(struct rig *rig)
{
	for (int i = 0; rig->session.state != SESSION_DONE; i++) {
		FUZZ_CHECK(i < 8);
		if (rig->lower_asked || rig->raise_asked) {
			monitor_answers(rig, true);
		} else {
			FUZZ_CHECK(session_deadline(&rig->session) >= 0);
			rig->now = session_deadline(&rig->session);
			rig_input(rig, SESSION_TIME);
		}
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct rig rig;

	/* The bench's own checks abort like ours. */
	(void)setenv("CMOCKA_TEST_ABORT", "1", 1);
	fuzz_secret = PASSWORD;
	configure(&rig, &input);
	rig_input(&rig, SESSION_START);
	while (input.left > 0 && rig.session.state != SESSION_DONE) {
		step(&rig, &input);
		FUZZ_CHECK(line_is_text(rig.actions.send, strlen(rig.actions.send)));
		FUZZ_CHECK(line_is_text(rig.actions.message, strlen(rig.actions.message)));
	}
	if (rig.session.state != SESSION_DONE) {
		rig_input(&rig, SESSION_STOP);
		run_out(&rig);
	}
	session_wipe(&rig.session);
}
