/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's processes and the messages between root's and control. Control asks, root knows the
 * users: a password never leaves root's process, and only that decides what a user gets. And what
 * root tells the process that answers neighbour solicitations, which says nothing.
 */
#ifndef DTCP_SERVER_MSG_H
#define DTCP_SERVER_MSG_H

#include "proto/message.h"
#include "proto/neighbour.h"
#include "proto/probe.h"
#include "server/options.h"

#include <netinet/in.h>
#include <stdint.h>

/* The processes that the server starts; places in the table of main.c. */
enum server_process {
	SERVER_CONTROL,
	SERVER_FORWARD,
	SERVER_NDP,
	SERVER_GUARD,
	SERVER_PROCESSES,
};

enum server_msg {
	/* root to control */
	SERVER_MSG_LISTENER = 1, /* descriptor: the listening socket */
	SERVER_MSG_COUNTERS,	 /* descriptor: the counter page, read-only */
	SERVER_MSG_VERDICT,	 /* struct server_verdict: the answer to LOGIN */
	SERVER_MSG_REVOKE,  /* struct server_id: of a session whose account is another one now */
	SERVER_MSG_FAST,    /* struct counters_kernel_given, descriptor: the kernel's counters */
	SERVER_MSG_REPORT,  /* SIGUSR1 */
	SERVER_MSG_STOP,    /* SIGTERM, SIGINT */
	SERVER_MSG_SETTING, /* struct server_setting: has another value now */
	/* control to root */
	SERVER_MSG_LOGIN = 32, /* struct server_login */
	SERVER_MSG_LOGOUT,     /* struct server_id: the session of a good verdict has ended */
	/* root to ndp */
	SERVER_MSG_NDP_SOCKET = 64, /* descriptor: the packet socket */
	SERVER_MSG_NDP_ADD,	    /* struct prefix6: a session has it, or one more */
	SERVER_MSG_NDP_REMOVE,	    /* struct prefix6: a session that had it has ended */
	SERVER_MSG_NDP_STOP,  /* nothing is answered any more, and all of NDP_NEVER is forgotten */
	SERVER_MSG_NDP_NEVER, /* struct prefix6: somebody else's, whoever has it as well */
	SERVER_MSG_NDP_START, /* struct server_ndp_link: solicitations there are answered */
};

struct server_id {
	uint32_t id;
};

struct server_setting {
	uint32_t number; /* settings.h */
	char value[SERVER_SETTING_LIVE_SIZE];
};

struct server_ndp_link {
	unsigned int interface; /* the kernel's number; not 0 */
	struct in6_addr source; /* an address that it has, for answers to come from */
	uint8_t mac[NEIGHBOUR_MAC_SIZE];
};

struct server_login {
	uint32_t id;	     /* of the session to be, below server_options_ids() and not in use */
	uint32_t type;	     /* enum tunnel_type, TUNNEL_NONE for a word that is none */
	uint32_t udp;	     /* 1: over UDP */
	struct in_addr peer; /* addresses of the client's connection */
	struct in_addr local;
	char user[DTCP_USER_MAX + 1];
	char challenge[DTCP_CHALLENGE_OUR + 1];
	char response[DTCP_RESPONSE_SIZE];
};

enum server_result {
	SERVER_GRANTED = 1,
	SERVER_AUTH,	  /* no such user, or the wrong password: not told apart */
	SERVER_TRANSPORT, /* UDP is not offered */
	SERVER_TYPE,	  /* this type is not offered */
	SERVER_SOLD_OUT,  /* no address or prefix is left: enum server_lack */
	SERVER_FAILED,	  /* database or kernel; has been logged */
};

/* Why there is nothing to give; for the log, not for clients. */
enum server_lack {
	SERVER_NO_ADDRESS = 1, /* host.prefix has no free one */
	SERVER_NO_PREFIX,      /* network.pool has no free one */
	SERVER_NO_POOL,	       /* nor a prefix that was fixed */
	SERVER_PREFIX_OWN,     /* the user's prefix has the server's own address in it */
	SERVER_PREFIX_HOST,    /* it overlaps host.prefix */
};

struct server_verdict {
	uint32_t id;
	uint32_t result;   /* enum server_result; most of the rest for SERVER_GRANTED only */
	uint32_t lack;	   /* with SERVER_SOLD_OUT: enum server_lack */
	uint32_t device;   /* index of the TUN device (forward/msg.h) */
	uint32_t numbered; /* me6 and her6 are there */
	int64_t user;	   /* the user's number in the database */
	struct in6_addr me6;
	struct in6_addr her6;
	uint32_t has_prefix;
	struct prefix6 prefix; /* also for SERVER_PREFIX_OWN, SERVER_PREFIX_HOST */
	uint64_t session;      /* with UDP: its name and the key of its probes */
	uint8_t key[PROBE_KEY_SIZE];
};

#endif
