/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be asked over a daemon's control socket, as one table, and one line of it: a JSON object
 * with the command and its members. Pure; dtcpctl(8) PROTOCOL has the rules.
 */
#ifndef DTCP_CTL_REQUEST_H
#define DTCP_CTL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most octets of a request, without its line end; members of a command; octets of an error. */
enum { CTL_REQUEST_MAX = 4096, CTL_MEMBERS_MAX = 8, CTL_ERROR_SIZE = 300 };

/* The version that "v" names. */
enum { CTL_VERSION = 1 };

/* Why a request is not answered as it would like. */
enum ctl_code {
	CTL_DENIED,  /* for root only */
	CTL_UNKNOWN, /* there is no such command */
	CTL_BAD,     /* the request is not as it has to be */
	CTL_MISSING, /* what it is about is not there */
	CTL_BUSY,    /* not now */
	CTL_FAILED,  /* it was tried */
};

/* The word for it in an answer. */
const char *ctl_code_name(enum ctl_code code);

enum ctl_member_type {
	CTL_TEXT,   /* not empty */
	CTL_NUMBER, /* whole, 0 to max */
};

struct ctl_member {
	const char *name; /* NULL: behind the last one */
	enum ctl_member_type type;
	bool required;
	int64_t max; /* of a number */
};

struct ctl_call; /* ctl/ctl.h */

/* A row of the table: a command, who may give it, and what comes with it. */
struct ctl_command {
	const char *name;
	bool root;
	void (*answer)(struct ctl_call *call, void *arg);
	struct ctl_member members[CTL_MEMBERS_MAX + 1];
};

struct ctl_commands {
	const struct ctl_command *list;
	size_t count;
};

/* A request that keeps to the table: members are of their type and in range. */
struct ctl_request {
	const struct ctl_command *command;
	json_t *object; /* to be freed with ctl_request_free() */
};

struct ctl_refusal {
	enum ctl_code code;
	char text[CTL_ERROR_SIZE];
};

/* Reads a line of len octets, from root or not. False: why not is in *refusal. */
bool ctl_request_read(const struct ctl_commands *commands, const char *line, size_t len, bool root,
		      struct ctl_request *request, struct ctl_refusal *refusal);

/* Nothing is left in it; one that is empty is allowed. */
void ctl_request_free(struct ctl_request *request);

/* A member's text, which lives as long as the request; NULL if it was left out. */
const char *ctl_request_text(const struct ctl_request *request, const char *member);

/* A member's number; false if it was left out. */
bool ctl_request_number(const struct ctl_request *request, const char *member, int64_t *number);

#endif
