/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands over the server's control socket. */
#ifndef DTCP_SERVER_CONTROL_REQUESTS_H
#define DTCP_SERVER_CONTROL_REQUESTS_H

#include "ctl/ctl.h"
#include "server/control/admission.h"
#include "server/control/broker.h"
#include "server/msg.h"

/* A query to another process. */
struct requests_question {
	bool open;	   /* the answer is still wanted */
	int64_t at;	   /* time of the query, milliseconds */
	unsigned int owed; /* outstanding answers, including earlier queries */
};

struct requests {
	struct broker *broker;
	const struct admission *admission;
	struct ipc **root; /* the owner's channel; that to accounts is the broker's */
	int64_t started;   /* milliseconds */
	/* private */
	struct ctl *ctl; /* NULL: no socket, or not yet */
	struct requests_question root_state;
	struct requests_question accounts_usage;
	struct requests_question steering; /* RELOAD or LEVEL */
	uint32_t order;			   /* the number of the last of these */
	bool knows_state;		   /* the last answers are valid */
	bool knows_usage;
	struct server_state state;
	struct server_usage usage;
	uint32_t done; /* enum server_done_result */
};

/* The table of commands. */
extern const struct ctl_commands requests_commands;

/* Takes over fd, a listening socket. False if memory is short. */
bool requests_open(struct requests *requests, struct event_base *base, int fd);
void requests_close(struct requests *requests);

/* Answers of other processes. One without a request is logged and ignored. */
void requests_on_state(struct requests *requests, const struct server_state *state);
void requests_on_usage(struct requests *requests, const struct server_usage *usage);
void requests_on_done(struct requests *requests, const struct server_done *done);

/* Logs the totals. */
void requests_report(const struct requests *requests);

#endif
