/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's processes and the messages of a login, which goes round: control asks accounts,
 * which knows the users; that tells root's process what a user is to have; root's process looks
 * whether that can be, makes it, and answers control. What comes later goes the same way, so that
 * nothing overtakes anything. A password never leaves accounts.
 * root's process also tells the process that answers neighbour solicitations, which says nothing.
 */
#ifndef DTCP_SERVER_MSG_H
#define DTCP_SERVER_MSG_H

#include "base/histogram.h"
#include "forward/msg.h"
#include "process/ipc.h"
#include "proto/message.h"
#include "proto/neighbour.h"
#include "proto/probe.h"
#include "server/options.h"

#include <netinet/in.h>
#include <stdint.h>

/* What users get addresses and prefixes from. */
enum server_pool { SERVER_POOL_NETWORK, SERVER_POOL_HOST, SERVER_POOLS };

/* Prefixes in a message; room for why a session has ended. */
enum { SERVER_RESERVED_MAX = 64, SERVER_ENDED_WHY = 48 };

/* The processes that the server starts; places in the table of main.c. */
enum server_process {
	SERVER_CONTROL,
	SERVER_FORWARD,
	SERVER_NDP,
	SERVER_ACCOUNTS,
	SERVER_GUARD,
	SERVER_PROCESSES,
};

enum server_msg {
	/* root to control */
	SERVER_MSG_LISTENER = 1, /* descriptor: the listening socket */
	SERVER_MSG_COUNTERS,	 /* descriptor: the counter page, read-only */
	SERVER_MSG_VERDICT,	 /* struct server_verdict: the answer to LOGIN */
	SERVER_MSG_REVOKE,	 /* struct server_revoked: of a session whose account has changed */
	SERVER_MSG_FAST,    /* struct counters_kernel_given, descriptor: the kernel's counters */
	SERVER_MSG_REPORT,  /* SIGUSR1 */
	SERVER_MSG_STOP,    /* SIGTERM, SIGINT */
	SERVER_MSG_SETTING, /* struct server_setting: has another value now */
	SERVER_MSG_CTL,	    /* descriptor: the control socket */
	SERVER_MSG_STATE,   /* struct server_state: the answer to ASK */
	SERVER_MSG_DONE,    /* struct server_done: to RELOAD or LEVEL */
	/* control to root */
	SERVER_MSG_ASK = 16, /* for STATE; accounts takes it as well, for USAGE */
	SERVER_MSG_RELOAD,   /* struct server_order: what SIGHUP does */
	SERVER_MSG_LEVEL,    /* struct server_order: how much all processes log */
	/* accounts to control */
	SERVER_MSG_USAGE = 24, /* struct server_usage: the answer to ASK */
	/* control to accounts, and the second one on to root */
	SERVER_MSG_LOGIN = 32, /* struct server_login */
	SERVER_MSG_LOGOUT,     /* struct server_id: of a login that was answered, whatever with */
	SERVER_MSG_BEGAN,      /* struct server_id: the session is up, for the history */
	SERVER_MSG_ENDED,      /* struct server_ended: and was; before its LOGOUT */
	/* accounts to root, which also takes REVOKE for control, and its part of LOGOUT */
	SERVER_MSG_GRANT = 48, /* struct server_grant: what accounts says to LOGIN */
	SERVER_MSG_ASSIGNED,   /* struct forward_prefix: of a user who is not here; for forward */
	SERVER_MSG_READY,      /* the database is open */
	/* root to accounts */
	SERVER_MSG_RESERVED = 80, /* struct server_reserved */
	SERVER_MSG_RECHECK,	  /* SIGHUP: look at once whether users were changed */
	/* root to ndp */
	SERVER_MSG_NDP_SOCKET = 64, /* descriptor: the packet socket */
	SERVER_MSG_NDP_ADD,	    /* struct prefix6: a session has it, or one more */
	SERVER_MSG_NDP_REMOVE,	    /* struct prefix6: a session that had it has ended */
	SERVER_MSG_NDP_STOP,   /* nothing is answered any more, and all of NDP_NEVER is forgotten */
	SERVER_MSG_NDP_NEVER,  /* struct prefix6: somebody else's, whoever has it as well */
	SERVER_MSG_NDP_START,  /* struct server_ndp_link: solicitations there are answered */
	SERVER_MSG_NDP_FORGET, /* no session has anything: the next START is followed by all */
};

struct server_id {
	uint32_t id;
};

/* Why a session cannot stay. */
enum server_why {
	SERVER_WHY_DELETED = 1,
	SERVER_WHY_PASSWORD,  /* the user has another one */
	SERVER_WHY_ADDRESSES, /* nor has the user these any more */
	SERVER_WHY_DISABLED,
	SERVER_WHY_EXPIRED,
	SERVER_WHY_TYPE,      /* the user may not have this type any more */
	SERVER_WHY_TRANSPORT, /* nor this transport */
	SERVER_WHYS,
};

struct server_revoked {
	uint32_t id;
	uint32_t why; /* enum server_why */
};

struct server_ended {
	uint32_t id;
	uint64_t in_octets; /* from the client; of the inner packets */
	uint64_t out_octets;
	char why[SERVER_ENDED_WHY];
};

struct server_setting {
	uint32_t number; /* settings.h */
	char value[SERVER_SETTING_LIVE_SIZE];
};

/* What root's process knows, for who asks over the control socket. */
struct server_state {
	int32_t pid;
	uint32_t fast;	     /* 1: the kernel carries packets */
	uint32_t warned_ago; /* milliseconds since the last warning in the log */
	char warning[256];   /* its text; "": there was none */
};

struct server_order {
	uint32_t number; /* control's, for the answer */
	uint32_t debug;	 /* of LEVEL */
};

struct server_done {
	uint32_t number; /* of the order */
	uint32_t result; /* enum server_done_result */
};

enum server_done_result {
	SERVER_DONE,
	SERVER_DONE_FAILED, /* logged */
	SERVER_DONE_BUSY,   /* too often */
};

/* What accounts knows of the database. */
struct server_usage {
	uint32_t failed; /* 1: it could not be read, and error says why */
	char error[256];
	uint64_t users;
	uint64_t used[SERVER_POOLS]; /* addresses or prefixes that users have */
	struct histogram database;   /* from the question to the answer about a login */
};

struct server_ndp_link {
	unsigned int interface; /* the kernel's number; not 0 */
	struct in6_addr source; /* an address that it has, for answers to come from */
	uint8_t mac[NEIGHBOUR_MAC_SIZE];
};

struct server_login {
	uint32_t id;   /* of the session to be, below server_options_ids(); its until LOGOUT */
	uint32_t type; /* enum tunnel_type, TUNNEL_NONE for a word that is none */
	uint32_t udp;  /* 1: over UDP */
	struct in_addr peer; /* addresses of the client's connection */
	struct in_addr local;
	char user[DTCP_USER_MAX + 1];
	char challenge[DTCP_CHALLENGE_OUR + 1];
	char response[DTCP_RESPONSE_SIZE];
};

enum server_result {
	SERVER_GRANTED = 1,
	SERVER_AUTH,	  /* no such user, or the wrong password: not told apart */
	SERVER_DISABLED,  /* the right password, as with all that follows */
	SERVER_EXPIRED,	  /* the account has */
	SERVER_TRANSPORT, /* UDP is not offered */
	SERVER_PROTO41,	  /* the user may have UDP only */
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
	SERVER_PREFIX_FIXED,   /* it is not in network.fixed */
	SERVER_PREFIX_MACHINE, /* it has an address or a route of this machine in it */
	SERVER_ADDRESS_TAKEN,  /* the user's address has become somebody's in this moment */
	SERVER_NOT_HERE,    /* with SERVER_FAILED: the client came to no address of this machine */
	SERVER_NOT_ALLOWED, /* with SERVER_TRANSPORT and SERVER_TYPE: this user may not have it */
};

struct server_verdict {
	uint32_t id;
	uint32_t result;   /* enum server_result; most of the rest for SERVER_GRANTED only */
	uint32_t lack;	   /* enum server_lack; 0: there is nothing to say */
	uint32_t device;   /* index of the TUN device (forward/msg.h); root's to say */
	uint32_t numbered; /* me6 and her6 are there */
	int64_t user;	   /* the user's number in the database */
	struct in6_addr me6;
	struct in6_addr her6;
	struct prefix6_set prefixes; /* for SERVER_PREFIX_... the first is meant, whatever n is */
	uint64_t session;	     /* with UDP: its name and the key of its probes */
	uint8_t key[PROBE_KEY_SIZE];
};

struct server_grant {
	struct server_verdict verdict;
	uint32_t type; /* from struct server_login, of a verdict that is SERVER_GRANTED */
	struct in_addr local;
};

/* What nobody can have of the prefixes of the settings; all of it, in as many messages as needed.
 */
struct server_reserved {
	uint32_t count;
	uint32_t more; /* 1: another message follows */
	struct prefix6 prefixes[SERVER_RESERVED_MAX];
};

_Static_assert(sizeof(struct server_reserved) <= IPC_BODY_MAX, "it fits into a message");

#endif
