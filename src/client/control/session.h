/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's state machine: one session with the server after another. Pure: events and the
 * time go in, actions come out; control does what they say. docs/design.md has its states.
 */
#ifndef DTCP_CLIENT_CONTROL_SESSION_H
#define DTCP_CLIENT_CONTROL_SESSION_H

#include "client/control/retry.h"
#include "client/exits.h"
#include "client/failure_log.h"
#include "client/msg.h"
#include "proto/message.h"
#include "proto/probe.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds allowed for each step. */
#define SESSION_CONNECT_MS 20000 /* name and connection; less than the default of --hold */
#define SESSION_LOGIN_MS   10000 /* greeting, and then the reply; both together are less, too */
#define SESSION_QUIT_MS	   2000	 /* answer to quit */
#define SESSION_ECHO_MS	   5000	 /* --transport auto: the far end's answer over protocol 41 */
#define SESSION_PATH_MS	   20000 /* the server's first answer over UDP */

/*
 * A timer that fires later than this is no evidence of a missing answer: the program, or the
 * machine, was stopped.
 */
#define SESSION_GAP_MS 5000

/* This many -ERR in a row, such as to pings, end a session. */
#define SESSION_ERRORS_MAX 3

enum session_state {
	SESSION_IDLE,
	SESSION_CONNECT,  /* name look-up and TCP connection */
	SESSION_GREETING, /* connected, waiting for the challenge */
	SESSION_LOGIN,	  /* request sent */
	SESSION_TEST,	  /* logged in, waiting for the first packet through the tunnel */
	SESSION_RAISE,	  /* the root process makes the tunnel */
	SESSION_UP,
	SESSION_QUIT,  /* quit sent, waiting for its answer */
	SESSION_LOWER, /* connection closed, the root process removes the tunnel */
	SESSION_WAIT,  /* until the next attempt */
	SESSION_DOWN,  /* down on request; no attempt until SESSION_GO_UP */
	SESSION_DONE,
};

enum session_transport {
	SESSION_IPV6, /* protocol 41 */
	SESSION_UDP,
	SESSION_AUTO, /* protocol 41 if it works, otherwise UDP */
};

struct session_config {
	const char *servers[CLIENT_SERVERS_MAX]; /* as given by the user, in order of preference */
	size_t n_servers;			 /* 1 or more */
	enum tunnel_type type;
	bool type_named; /* given by the user */
	bool loop;	 /* -l */
	bool check_nat;	 /* off with -n */
	bool keeps_port; /* over UDP: never use another port */
	bool forwards;	 /* forward carries the packets, so it can test the path */
	bool check;	 /* --check: TEST is the last state; check.c tests the path */
	enum session_transport transport;
	uint16_t udp_named;		/* port to name to the server; 0: the server learns it */
	uint32_t hold;			/* seconds that a tunnel outlives its session */
	uint32_t keepalive;		/* seconds */
	uint32_t keepalive_timeout;	/* seconds */
	uint32_t (*random)(uint32_t n); /* a random number below n */
};

enum session_input {
	SESSION_START,	     /* log in with the account given */
	SESSION_CONNECTED,   /* local and remote are set */
	SESSION_FAILED,	     /* no connection: status and text are set */
	SESSION_LINE,	     /* line and len are set; NUL-terminated */
	SESSION_BAD_LINE,    /* text: why the line is invalid */
	SESSION_CLOSED,	     /* connection ended by the other side; text says how */
	SESSION_RAISED,	     /* the tunnel is up */
	SESSION_RAISE_ERROR, /* the root process could not make it */
	SESSION_LOWERED,     /* the tunnel is gone */
	SESSION_LOST,	     /* the tunnel was lost: the root process could not make it again */
	SESSION_PATH,	     /* alive: whether the data path is alive */
	SESSION_SILENT,	     /* forward's hellos have not been answered for 10 s, or 10 s more */
	SESSION_PORT,	     /* port: our new port, over UDP */
	SESSION_NETWORK,     /* local: our present address on the route to the server */
	SESSION_WOKE,	     /* the machine was asleep; seconds: for how long */
	SESSION_RECONNECT,   /* SIGHUP; keep: SIGUSR2, the tunnel stays */
	SESSION_GO_DOWN,     /* end session and tunnel until SESSION_GO_UP */
	SESSION_GO_UP,	     /* after SESSION_GO_DOWN; otherwise no effect */
	SESSION_STOP,	     /* SIGTERM, SIGINT */
	SESSION_TIME,	     /* the deadline is reached */
};

struct session_event {
	enum session_input input;
	struct in_addr local, remote;
	enum client_exit status;
	bool alive;
	bool keep;
	uint16_t port;
	uint32_t seconds;
	const char *text;
	const char *line;
	size_t len;
};

/* What to do, in this order. */
enum session_action {
	SESSION_DO_SEND = 1 << 0,  /* actions.send with a line end */
	SESSION_DO_CLOSE = 1 << 1, /* close the connection, or give up connecting */
	SESSION_DO_ADD = 1 << 2,   /* tell forward about session.reply, replacing the old session */
	SESSION_DO_HELLO = 1 << 3, /* have forward probe the far end at once */
	SESSION_DO_PORT = 1 << 4,  /* have the root process give forward another UDP port to try */
	SESSION_DO_RAISE = 1 << 5, /* have the root process make the tunnel of session.reply */
	SESSION_DO_LOWER = 1 << 6,
	SESSION_DO_CONNECT = 1 << 7, /* to session_server() */
	SESSION_DO_EXIT = 1 << 8,    /* with session.status */
};

struct session_actions {
	unsigned int what;
	char send[DTCP_LINE_SIZE];
	char message[800];	 /* for the log, or "" */
	const char *event;	 /* event name of the message */
	const char *server;	 /* which it is about */
	enum client_exit status; /* of a failure */
	uint32_t retry;		 /* approximate seconds to the next attempt; 0: at once, or none */
	bool warning;		 /* of the message */
	bool suppressed;	 /* it was repeated too often; log it at debug level only */
};

/* Reason for the transport of an attempt or session. */
enum session_why {
	SESSION_WHY_SETTINGS, /* the settings leave no choice */
	/* --transport auto, protocol 41 */
	SESSION_WHY_FIRST,   /* it is tried first */
	SESSION_WHY_ANSWERS, /* the far end answers */
	SESSION_WHY_ONLY,    /* the server supports nothing else */
	/* --transport auto, UDP */
	SESSION_WHY_NAT,     /* there is a NAT on the path */
	SESSION_WHY_IN_USE,  /* another tunnel over protocol 41 has our address */
	SESSION_WHY_ACCOUNT, /* the server says that the user may not have protocol 41 */
	SESSION_WHY_SILENT,  /* the far end did not answer over protocol 41 */
	SESSION_WHY_BLOCKED, /* it did, and then stopped */
	SESSION_WHYS,
};

/* State of one of the servers. */
struct session_server {
	char password[DTCP_PASSWORD_MAX + 1];
	bool udp;		     /* the next attempt is for UDP */
	enum session_why why;	     /* why UDP, with --transport auto */
	bool udp_known;		     /* it has granted a session over UDP */
	bool silent;		     /* its far end did not answer over protocol 41; UDP is next */
	bool trusted;		     /* supports only protocol 41, which is not tested */
	struct in_addr address;	     /* last connected to; 0: none yet */
	bool past;		     /* that one did not work: begin with the next one */
	struct in_addr answers;	     /* address that has answered over protocol 41; 0: none */
	struct failure_log failures; /* failures logged for it */
};

struct session {
	struct session_config config;
	struct session_server servers[CLIENT_SERVERS_MAX];
	struct retry retry; /* retry.current: the server of this attempt or session */
	enum session_state state;
	int64_t deadline;   /* of the state; -1 for none */
	int64_t hold_until; /* when a tunnel without a session is removed; -1: not held */
	char user[DTCP_USER_MAX + 1];
	char challenge[DTCP_CHALLENGE_MAX + 1];
	struct in_addr local, remote;
	struct dtcp_reply reply;
	uint8_t key[PROBE_KEY_SIZE]; /* of the probes, over UDP */
	bool udp;		     /* this attempt, or session, uses UDP */
	enum {
		SESSION_TUNNEL_NONE,
		SESSION_TUNNEL_RAISING,
		SESSION_TUNNEL_UP,
		SESSION_TUNNEL_LOWERING
	} tunnel;
	bool continued; /* while raising: an earlier session's tunnel existed */
	struct {
		bool udp;		/* the tunnel's packets go over UDP */
		enum client_path known; /* forward's last report since the login */
		/* what was last logged about it, over protocol 41 */
		enum {
			SESSION_PATH_UNTOLD,
			SESSION_PATH_ANSWERS,
			SESSION_PATH_SILENT,  /* from the beginning */
			SESSION_PATH_BLOCKED, /* after it had answered */
		} told;
		bool port_new;	  /* the UDP port has changed since the tunnel was made */
		bool port_hinted; /* the hint at another port was logged for this silence */
	} path;
	struct {
		struct in_addr latest; /* last known local address of the route to the server; 0:
					  unknown */
		struct in_addr source; /* the same when this attempt began */
		bool no_way;	       /* there was no route to the server when it last changed */
	} network;
	bool keep;	     /* the tunnel outlives the ending session */
	bool types_told;     /* the server's other types were logged */
	bool ping_sent;	     /* a ping is unanswered */
	unsigned int errors; /* -ERR in a row since the login */
	int64_t up_since;    /* -1: not in this session */
	/* what follows when the connection and, unless it is kept, the tunnel are gone */
	enum {
		SESSION_THEN_EXIT,
		SESSION_THEN_RETRY,   /* another round, after a delay */
		SESSION_THEN_CONNECT, /* to the then current server, at once */
		SESSION_THEN_DOWN,    /* nothing, until requested */
	} then;
	enum client_exit status; /* of the last session; at the end, the program's */
	int64_t pause;		 /* milliseconds, for SESSION_THEN_RETRY */
	/* For status displays. */
	int64_t granted; /* time of the last granted login; -1: none */
	struct {
		char text[400]; /* last error, or "" */
		int64_t at;
	} error;
};

void session_init(struct session *session, const struct session_config *config);

/*
 * Sets the login name, and the password for the server with that index. Copied; wiped by
 * session_wipe().
 */
void session_account(struct session *session, const char *user);
void session_password(struct session *session, size_t server, const char *password);
void session_wipe(struct session *session);

/* The server of this attempt or session, and its name. */
const struct session_server *session_server(const struct session *session);
const char *session_server_name(const struct session *session);

/* Feeds one event; now in milliseconds. actions is overwritten. */
void session_feed(struct session *session, const struct session_event *event, int64_t now,
		  struct session_actions *actions);

/* When to feed SESSION_TIME, in milliseconds; -1: never. */
int64_t session_deadline(const struct session *session);

/* For status displays, session_report.c: the state; time of the next attempt, -1: unknown. */
enum client_state session_client_state(const struct session *session);
enum session_why session_why(const struct session *session);
int64_t session_next_try(const struct session *session);

/* True if it is down on request, or about to be; only SESSION_GO_UP ends that. */
bool session_is_down(const struct session *session);

/* False before the start and after the end has begun: requests are then refused. */
bool session_can_be_asked(const struct session *session);

/* The state's name, for debug messages. */
const char *session_state_name(enum session_state state);

#endif
