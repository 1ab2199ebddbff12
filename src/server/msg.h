/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server's processes and the messages of a login, which travel in a circle: control asks
 * accounts, which knows the users; accounts tells the root process what a user gets; the root
 * process checks that, sets it up, and answers control. Later messages go the same way, so that
 * none overtakes another. A password never leaves accounts. The root process also tells ndp for
 * which addresses to answer; ndp sends nothing.
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

/* The pools from which users get addresses and prefixes. */
enum server_pool { SERVER_POOL_NETWORK, SERVER_POOL_HOST, SERVER_POOLS };

/* Largest number of prefixes in a message; size of the reason why a session has ended. */
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
	SERVER_MSG_VERDICT,	 /* struct server_verdict: the result of LOGIN */
	SERVER_MSG_REVOKE,	 /* struct server_revoked: the session's account has changed */
	SERVER_MSG_FAST,    /* struct counters_kernel_given, descriptor: the kernel's counters */
	SERVER_MSG_REPORT,  /* SIGUSR1 */
	SERVER_MSG_STOP,    /* SIGTERM, SIGINT */
	SERVER_MSG_SETTING, /* struct server_setting: its new value */
	SERVER_MSG_CTL,	    /* descriptor: the control socket */
	SERVER_MSG_STATE,   /* struct server_state: the answer to ASK */
	SERVER_MSG_DONE,    /* struct server_done: result of RELOAD or LEVEL */
	/* control to root */
	SERVER_MSG_ASK = 16, /* request for STATE; to accounts, for USAGE */
	SERVER_MSG_RELOAD,   /* struct server_order: the same as SIGHUP */
	SERVER_MSG_LEVEL,    /* struct server_order: log level of all processes */
	/* accounts to control */
	SERVER_MSG_USAGE = 24, /* struct server_usage: the answer to ASK */
	/* control to accounts, which passes LOGOUT on to root */
	SERVER_MSG_LOGIN = 32, /* struct server_login */
	SERVER_MSG_LOGOUT,     /* struct server_id: a login that was answered is over */
	SERVER_MSG_BEGAN,      /* struct server_id: the session is up; for the history */
	SERVER_MSG_ENDED,      /* struct server_ended: the session has ended; before its LOGOUT */
	/* accounts to root, which also gets REVOKE, to pass on to control, and LOGOUT */
	SERVER_MSG_GRANT = 48, /* struct server_grant: accounts' result of LOGIN */
	SERVER_MSG_ASSIGNED,   /* struct forward_prefix: of a user without a session; for forward */
	SERVER_MSG_READY,      /* the database is open */
	/* root to accounts */
	SERVER_MSG_RESERVED = 80, /* struct server_reserved */
	SERVER_MSG_RECHECK,	  /* SIGHUP: check at once whether users were changed */
	/* root to ndp */
	SERVER_MSG_NDP_SOCKET = 64, /* descriptor: the packet socket */
	SERVER_MSG_NDP_ADD,    /* struct prefix6: a session has it; can be repeated for others */
	SERVER_MSG_NDP_REMOVE, /* struct prefix6: one of these sessions has ended */
	SERVER_MSG_NDP_STOP,   /* stops answering, and forgets all of NDP_NEVER */
	SERVER_MSG_NDP_NEVER,  /* struct prefix6: never answered for, even if a session has it */
	SERVER_MSG_NDP_START,  /* struct server_ndp_link: starts answering on this interface */
	SERVER_MSG_NDP_FORGET, /* forgets all sessions: they follow the next START */
};

struct server_id {
	uint32_t id;
};

/* Reasons for ending a session whose user could no longer log in this way. */
enum server_why {
	SERVER_WHY_DELETED = 1,
	SERVER_WHY_PASSWORD,  /* it was changed */
	SERVER_WHY_ADDRESSES, /* the user no longer has these */
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

/* State of the root process, for the control socket. */
struct server_state {
	int32_t pid;
	uint32_t fast;	     /* 1: the kernel carries packets */
	uint32_t warned_ago; /* milliseconds since the last warning in the log */
	char warning[256];   /* its text; "": none */
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

/* State of the database. */
struct server_usage {
	uint32_t failed; /* 1: it could not be read; error has the reason */
	char error[256];
	uint64_t users;
	uint64_t used[SERVER_POOLS]; /* addresses or prefixes assigned to users */
	struct histogram database;   /* duration from request to result of a login */
};

struct server_ndp_link {
	unsigned int interface; /* interface index; not 0 */
	struct in6_addr source; /* one of its addresses, the source of answers */
	uint8_t mac[NEIGHBOUR_MAC_SIZE];
};

struct server_login {
	uint32_t id;	     /* session id, below server_options_ids(); in use until LOGOUT */
	uint32_t type;	     /* enum tunnel_type, TUNNEL_NONE for an unknown word */
	uint32_t udp;	     /* 1: over UDP */
	struct in_addr peer; /* addresses of the client's connection */
	struct in_addr local;
	char user[DTCP_USER_MAX + 1];
	char challenge[DTCP_CHALLENGE_OUR + 1];
	char response[DTCP_RESPONSE_SIZE];
};

enum server_result {
	SERVER_GRANTED = 1,
	SERVER_AUTH,	  /* no such user, or wrong password: not distinguished */
	SERVER_DISABLED,  /* the password is right, as for all that follow */
	SERVER_EXPIRED,	  /* the account has expired */
	SERVER_TRANSPORT, /* UDP is not offered */
	SERVER_PROTO41,	  /* the user may have UDP only */
	SERVER_TYPE,	  /* this type is not offered */
	SERVER_SOLD_OUT,  /* no address or prefix is left: enum server_lack */
	SERVER_FAILED,	  /* database or kernel; has been logged */
};

/* Why nothing could be assigned; for the log, not for clients. */
enum server_lack {
	SERVER_NO_ADDRESS = 1, /* host.prefix has no free address */
	SERVER_NO_PREFIX,      /* network.pool has no free prefix */
	SERVER_NO_POOL,	       /* no network.pool, and no fixed prefix */
	SERVER_PREFIX_OWN,     /* the user's prefix contains the server's own address */
	SERVER_PREFIX_HOST,    /* it overlaps host.prefix */
	SERVER_PREFIX_FIXED,   /* it is not in network.fixed */
	SERVER_PREFIX_MACHINE, /* it contains an address or a route of this machine */
	SERVER_ADDRESS_TAKEN,  /* the user's address has just come into use elsewhere */
	SERVER_NOT_HERE,    /* with SERVER_FAILED: the client's destination is not this machine's */
	SERVER_NOT_ALLOWED, /* with SERVER_TRANSPORT and SERVER_TYPE: not allowed for this user */
};

struct server_verdict {
	uint32_t id;
	uint32_t result;   /* enum server_result; the rest mostly for SERVER_GRANTED only */
	uint32_t lack;	   /* enum server_lack; 0: none */
	uint32_t device;   /* index of the TUN device (forward/msg.h); set by the root process */
	uint32_t numbered; /* me6 and her6 are valid */
	int64_t user;	   /* the user's number in the database */
	struct in6_addr me6;
	struct in6_addr her6;
	struct prefix6_set prefixes; /* for SERVER_PREFIX_...: the first, whatever n is */
	uint64_t session;	     /* over UDP: the session number and the key of its probes */
	uint8_t key[PROBE_KEY_SIZE];
};

struct server_grant {
	struct server_verdict verdict;
	uint32_t type; /* from struct server_login; valid for SERVER_GRANTED */
	struct in_addr local;
};

/*
 * Parts of the settings' prefixes that cannot be assigned; all of them, in as many messages as
 * needed.
 */
struct server_reserved {
	uint32_t count;
	uint32_t more; /* 1: another message follows */
	struct prefix6 prefixes[SERVER_RESERVED_MAX];
};

_Static_assert(sizeof(struct server_reserved) <= IPC_BODY_MAX, "it fits into a message");

#endif
