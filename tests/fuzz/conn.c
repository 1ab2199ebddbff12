/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's machine for one connection, fed with a stream of octets and with what monitor and
 * forward may answer, by a model of both that knows what has been asked of them.
 */
#include "fuzz.h"

#include "server/control/conn.h"

#include <stdlib.h>
#include <string.h>

#define CHALLENGE "0B1517C87D516A5FA65BED722D51A04F"

struct model {
	struct conn_config config;
	struct conn conn;
	int64_t now;
	bool login_asked, add_asked, up, closed;
	unsigned int denied;
	char buffer[4096]; /* what the client has sent and nobody has read */
	size_t buffered;
};

static void check_line(const char *line)
{
	size_t len = strlen(line);
	const char *why;

	FUZZ_CHECK(len > 0 && len <= DTCP_LINE_MAX && line_is_text(line, len));
	FUZZ_CHECK(answer_parse(line, len, &why) != REPLY_GARBAGE);
}

/* The reply must be one that our own client understands. */
static void check_up(const struct model *model, const char *line)
{
	struct dtcp_reply reply;
	const char *why;

	FUZZ_CHECK(reply_parse(line, strlen(line), model->conn.request.type, &reply, &why) ==
		   REPLY_OK);
	FUZZ_CHECK((reply.udp_port != 0) == model->conn.request.udp);
}

static void feed(struct model *model, const struct conn_event *event)
{
	struct conn_actions actions;
	bool over = model->closed;

	memset(&actions, 'x', sizeof(actions));
	conn_feed(&model->conn, event, model->now, &actions);
	FUZZ_CHECK(!over || actions.what == 0);
	FUZZ_CHECK((actions.send[0] != '\0') == ((actions.what & CONN_DO_SEND) != 0));
	if (actions.what & CONN_DO_SEND)
		check_line(actions.send);
	if (actions.what & CONN_DO_LOGIN) {
		FUZZ_CHECK(!model->login_asked && !model->add_asked && !model->up);
		FUZZ_CHECK(model->conn.request.well_formed && model->conn.request.response[0]);
		model->login_asked = true;
	}
	if (actions.what & CONN_DO_ADD) {
		FUZZ_CHECK(event->input == CONN_VERDICT &&
			   event->verdict->result == SERVER_GRANTED);
		model->add_asked = true;
	}
	if (actions.what & CONN_DO_UP) {
		FUZZ_CHECK(event->input == CONN_ADDED && !model->up);
		check_up(model, actions.send);
		model->up = true;
	}
	if (actions.what & CONN_DO_DENIED)
		FUZZ_CHECK(++model->denied <= model->config.attempts);
	if (actions.what & CONN_DO_CLOSE) {
		FUZZ_CHECK(model->conn.ending && model->conn.ending[0]);
		model->closed = true;
	}
	FUZZ_CHECK(model->closed == (model->conn.state == CONN_END));
	/*
	 * Never stuck: there is a deadline, and where it does not listen somebody has been asked,
	 * or it wakes before by itself.
	 */
	FUZZ_CHECK((model->conn.deadline > model->now) == !model->closed);
	if (model->closed)
		return;
	FUZZ_CHECK(conn_wake(&model->conn, model->now) > model->now &&
		   conn_wake(&model->conn, model->now) <= model->conn.deadline);
	if (model->login_asked || model->add_asked)
		FUZZ_CHECK(!conn_listens(&model->conn, model->now));
	else if (!conn_listens(&model->conn, model->now))
		FUZZ_CHECK(conn_wake(&model->conn, model->now) < model->conn.deadline ||
			   model->conn.state == CONN_HOLD ||
			   model->conn.deadline <= model->now + 1000);
}

static void feed_line(struct model *model, enum conn_input input, size_t len, size_t used)
{
	char *line = fuzz_copy(model->buffer, len + 1);
	const struct conn_event event = {.input = input, .line = line, .len = len};

	line[len] = '\0';
	model->buffered -= used;
	memmove(model->buffer, model->buffer + used, model->buffered);
	feed(model, &event);
	free(line);
}

/* What came while the machine did not listen waits. */
static void read_lines(struct model *model)
{
	while (!model->closed && conn_listens(&model->conn, model->now) && model->buffered > 0) {
		size_t len = 0, used = 0;

		switch (line_next(model->buffer, model->buffered, &len, &used)) {
		case LINE_MORE:
			if (!request_is_bare_word(model->buffer, model->buffered))
				return;
			feed_line(model, CONN_LINE, 4, model->buffered);
			break;
		case LINE_READY:
			feed_line(model, CONN_LINE, len, used);
			break;
		case LINE_TOO_LONG:
		case LINE_NUL:
			feed_line(model, CONN_BAD, 0, model->buffered);
			break;
		}
	}
}

static void from_client(struct model *model, struct fuzz_input *input)
{
	size_t room = sizeof(model->buffer) - 1 - model->buffered;
	size_t len;
	char *text = fuzz_line(input, &len);

	/* LF is what ends a piece of the input, so it is given back, but after a backslash. */
	if (len > 0 && text[len - 1] == '\\')
		len--;
	else
		text[len++] = '\n';
	if (len > room)
		len = room;
	memcpy(model->buffer + model->buffered, text, len);
	model->buffered += len;
	free(text);
}

static void from_monitor(struct model *model, struct fuzz_input *input)
{
	uint8_t what = fuzz_byte(input);
	struct server_verdict verdict = {.session = 1 + (uint64_t)fuzz_32(input)};

	if (!model->login_asked)
		return;
	verdict.result = SERVER_GRANTED + what / 2 % SERVER_FAILED;
	model->login_asked = false;
	/* As monitor gives them: the type decides. */
	verdict.numbered = model->conn.request.type == TUNNEL_HOST || what & 1;
	verdict.me6 = fuzz_ipv6("2001:db8:1::2");
	verdict.her6 = fuzz_ipv6("2001:db8:1::1");
	verdict.prefixes.n = model->conn.request.type == TUNNEL_NETWORK;
	verdict.prefixes.list[0] = (struct prefix6){.addr = fuzz_ipv6("2001:db8:100::"), .len = 48};
	feed(model, &(const struct conn_event){.input = CONN_VERDICT,
					       .verdict = &verdict,
					       .delay = what / 8 % 4 * 300u});
}

static void from_forward(struct model *model, bool added)
{
	if (!model->add_asked)
		return;
	model->add_asked = false;
	feed(model, &(const struct conn_event){.input = added ? CONN_ADDED : CONN_REFUSED,
					       .reason = REASON_INTERNAL});
}

static void refuse_login(struct model *model, struct fuzz_input *input)
{
	uint32_t delay = fuzz_below(input, 4) * 500u;

	if (!model->login_asked)
		return;
	model->login_asked = false;
	feed(model, &(const struct conn_event){.input = CONN_REFUSED,
					       .reason = REASON_SOLD_OUT,
					       .failed = delay > 0,
					       .delay = delay});
}

static void pass_time(struct model *model, struct fuzz_input *input)
{
	model->now += (int64_t)fuzz_16(input) * 10;
	/* A timer that is late is no different; one that is early changes nothing. */
	feed(model, &(const struct conn_event){.input = CONN_TIME});
}

static void step(struct model *model, struct fuzz_input *input)
{
	switch (fuzz_byte(input)) {
	case 'v':
		from_monitor(model, input);
		break;
	case 'a':
		from_forward(model, true);
		break;
	case 'r':
		from_forward(model, false);
		break;
	case 's':
		refuse_login(model, input);
		break;
	case 't':
		pass_time(model, input);
		break;
	case 'f':
		feed(model,
		     &(const struct conn_event){.input = CONN_FINISH, .reason = REASON_SUPERSEDED});
		break;
	default:
		from_client(model, input);
		break;
	}
	read_lines(model);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct model *model = calloc(1, sizeof(*model));
	uint8_t what = fuzz_byte(&input);

	FUZZ_CHECK(model);
	model->now = 5000000;
	model->config = (struct conn_config){
		.timeout_login = 1 + what % 64,
		.timeout_idle = 300,
		.attempts = 1 + what / 64,
		.address = what & 1 ? fuzz_ipv4("203.0.113.1") : (struct in_addr){0},
		.udp_port = 4028,
		.lines = what & 2 ? 20 : 1,
	};
	conn_init(&model->conn, &model->config, CHALLENGE, fuzz_ipv4("198.51.100.2"),
		  fuzz_ipv4("192.0.2.1"));
	feed(model, &(const struct conn_event){.input = CONN_START});
	while (input.left > 0 && !model->closed)
		step(model, &input);
	/* However it stands, the clock alone ends it. */
	if (!model->closed) {
		model->now = model->conn.deadline;
		feed(model, &(const struct conn_event){.input = CONN_TIME});
		FUZZ_CHECK(model->closed);
	}
	free(model);
}
