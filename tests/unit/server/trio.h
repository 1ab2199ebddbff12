/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's control, accounts, root and forward in one process, as machines that take turns:
 * control is the broker with the machines of its connections, accounts its logins, root what it
 * makes for them, forward the whole process. What they send waits in a queue for each channel until
 * it is delivered. The database, the kernel and the connections are models.
 */
#ifndef DTCP_TESTS_UNIT_SERVER_TRIO_H
#define DTCP_TESTS_UNIT_SERVER_TRIO_H

#include "forward/table.h"
#include "server/accounts/history.h"
#include "server/accounts/logins.h"
#include "server/control/broker.h"
#include "server/root/provision.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRIO_CLIENTS = 8, TRIO_USERS = 3 };

/* Channels, by who sends; root's to forward are about devices. */
enum trio_channel {
	TRIO_CONTROL_ACCOUNTS,
	TRIO_ACCOUNTS_ROOT,
	TRIO_CONTROL_FORWARD,
	TRIO_ROOT_CONTROL,
	TRIO_ROOT_FORWARD,
	TRIO_FORWARD_CONTROL,
	TRIO_CHANNELS,
};

struct trio_client {
	bool here;   /* not for another client to use */
	bool closed; /* by the server */
	bool left;   /* by itself */
	unsigned int user;
	uint64_t number;	   /* of its login, the higher the later; 0: none */
	bool granted;		   /* root has said so */
	char last[DTCP_LINE_SIZE]; /* line from the server */
	struct client client;
};

struct trio {
	struct server_options options;
	struct conn_config conn;
	struct client_owner owner;
	struct broker broker;
	struct logins *accounts;
	struct history *history;
	struct provision *provision;
	struct table *table;	 /* forward's */
	struct devices *devices; /* forward's */
	struct trio_client clients[TRIO_CLIENTS];
	uint64_t logins;
	bool spoil;		      /* the next ADD is one that forward refuses */
	unsigned int changes;	      /* of passwords */
	uint64_t changed[TRIO_USERS]; /* the last login before that */
	unsigned int not_believed;    /* lines about that */
	char said[300];		      /* the last of them */
	unsigned int refused;	      /* REFUSED messages, and those that were meant to come */
	unsigned int spoilt;
	/* What fails, as long as it is set. */
	enum users_result find, lease; /* of the database */
	bool kernel_fails;	       /* devices and routes */
	bool no_memory;		       /* for control's messages */
	unsigned int failures;	       /* so often control was told that it has to end */
	char log[2000];		       /* the lines, but for those about messages not believed */
};

extern struct trio trio;

/* Runs play() with all of it set up, with so many sessions and logins at a time. */
void trio_run(uint32_t sessions, uint32_t pending, void (*play)(void));

/* A client comes to a free place, greets and asks; words are "network", "host udp=4028". */
struct trio_client *trio_log_in(unsigned int user, const char *peer, const char *words);
/* It hangs up. */
void trio_leave(struct trio_client *client);
/* Its place is free again; it must have left or been sent away. */
void trio_forget(struct trio_client *client);

/* Control hears this of forward. */
void trio_hear_forward(uint32_t type, const void *body);

/* The user's password is another one. */
void trio_change_password(unsigned int user);

/* How many messages wait; delivers the first; delivers all until there are none. */
size_t trio_waiting(enum trio_channel channel);
void trio_deliver(enum trio_channel channel);
void trio_settle(void);

/* Whether a user's addresses, as forward has them, lead to that session, NULL: to none. */
bool trio_leads(unsigned int user, const struct server_session *session);

/* Nobody holds anything of anybody. */
void trio_expect_empty(void);

#endif
