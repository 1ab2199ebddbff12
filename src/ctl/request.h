/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of a daemon's control socket as one table, and the parser of a request: a line with
 * a JSON object of the command and its members. Pure; dtcpctl(8) PROTOCOL has the rules.
 */
#ifndef DTCP_CTL_REQUEST_H
#define DTCP_CTL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits: octets of a request, without its line end; members of a command; octets of an error. */
enum { CTL_REQUEST_MAX = 4096, CTL_MEMBERS_MAX = 8, CTL_ERROR_SIZE = 300 };

/* The version in "v". */
enum { CTL_VERSION = 1 };

/* Errors of requests. */
enum ctl_code {
	CTL_DENIED,  /* for root only */
	CTL_UNKNOWN, /* there is no such command */
	CTL_BAD,     /* the request is invalid */
	CTL_MISSING, /* the requested object does not exist */
	CTL_BUSY,    /* not now */
	CTL_FAILED,  /* the attempt has failed */
};

/* The error code in an answer. */
const char *ctl_code_name(enum ctl_code code);

enum ctl_member_type {
	CTL_TEXT,   /* not empty */
	CTL_NUMBER, /* whole, 0 to max */
};

struct ctl_member {
	const char *name; /* NULL: end of the list */
	enum ctl_member_type type;
	bool required;
	int64_t max; /* of a number */
};

struct ctl_call; /* ctl/ctl.h */

/* A row of the table: a command, who may send it, and its members. */
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

/* A request that is valid by the table: members are of their type and in range. */
struct ctl_request {
	const struct ctl_command *command;
	json_t *object; /* to be freed with ctl_request_free() */
};

struct ctl_refusal {
	enum ctl_code code;
	char text[CTL_ERROR_SIZE];
};

/* Parses a line of len octets, from root or not. False: *refusal has the reason. */
bool ctl_request_read(const struct ctl_commands *commands, const char *line, size_t len, bool root,
		      struct ctl_request *request, struct ctl_refusal *refusal);

/* Frees its contents; an empty one is allowed. */
void ctl_request_free(struct ctl_request *request);

/* A member's text, valid as long as the request; NULL if it is missing. */
const char *ctl_request_text(const struct ctl_request *request, const char *member);

/* A member's number; false if it is missing. */
bool ctl_request_number(const struct ctl_request *request, const char *member, int64_t *number);

#endif
