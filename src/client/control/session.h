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
#define SESSION_CONNECT_MS 20000 /* name and connection; less than a tunnel is held for */
#define SESSION_LOGIN_MS   10000 /* greeting, and then the reply; both together are less, too */
#define SESSION_QUIT_MS	   2000	 /* answer to quit */
#define SESSION_ECHO_MS	   5000	 /* --transport auto: the far end's answer over protocol 41 */
#define SESSION_PATH_MS	   20000 /* the server's first answer over UDP */

/* A timer that is later than this has not been late: this program, or the machine, was not there.
 */
#define SESSION_GAP_MS 5000

/* So many -ERR in a row, such as to pings, end a session. */
#define SESSION_ERRORS_MAX 3

enum session_state {
	SESSION_IDLE,
	SESSION_CONNECT,  /* name look-up and TCP connection */
	SESSION_GREETING, /* connected, waiting for the challenge */
	SESSION_LOGIN,	  /* request sent */
	SESSION_TEST,	  /* logged in, waiting for the first packet through the tunnel */
	SESSION_RAISE,	  /* root's process makes the tunnel */
	SESSION_UP,
	SESSION_QUIT,  /* quit sent, waiting for its answer */
	SESSION_LOWER, /* connection gone, root's process removes the tunnel */
	SESSION_WAIT,  /* until the next attempt */
	SESSION_DOWN,  /* on request: no attempt until another one */
	SESSION_DONE,
};

enum session_transport {
	SESSION_IPV6, /* protocol 41 */
	SESSION_UDP,
	SESSION_AUTO, /* protocol 41 where it works, else UDP */
};

struct session_config {
	const char *servers[CLIENT_SERVERS_MAX]; /* as named by the user, best liked first */
	size_t n_servers;			 /* 1 or more */
	enum tunnel_type type;
	bool type_named; /* by the user */
	bool loop;	 /* -l */
	bool check_nat;	 /* off with -n */
	bool keeps_port; /* over UDP: another port is never taken */
	bool forwards;	 /* forward carries the packets, so it can try the way */
	bool check;	 /* --check: TEST is the last state, and others try the way */
	enum session_transport transport;
	uint16_t udp_named;		/* port to name to the server; 0: it finds out by itself */
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
	SESSION_BAD_LINE,    /* text says why no line can be had from the server */
	SESSION_CLOSED,	     /* connection ended by the other side; text says how */
	SESSION_RAISED,	     /* the tunnel is there */
	SESSION_RAISE_ERROR, /* root's process could not make it */
	SESSION_LOWERED,     /* the tunnel is gone */
	SESSION_LOST,	     /* it went by itself: root's process could not make it again */
	SESSION_PATH,	     /* alive: whether the data path lives */
	SESSION_SILENT,	     /* forward's hellos have not been answered for 10 s, or 10 s more */
	SESSION_PORT,	     /* port: over UDP, ours is another one now */
	SESSION_NETWORK,     /* local: the address that the server would now see us come from */
	SESSION_WOKE,	     /* the machine was asleep; seconds: for how long */
	SESSION_RECONNECT,   /* SIGHUP; keep: SIGUSR2, with which the tunnel stays */
	SESSION_GO_DOWN,     /* no session and no tunnel until SESSION_GO_UP */
	SESSION_GO_UP,	     /* after SESSION_GO_DOWN; else it changes nothing */
	SESSION_STOP,	     /* SIGTERM, SIGINT */
	SESSION_TIME,	     /* the deadline has come */
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

/* What is to be done, in this order. */
enum session_action {
	SESSION_DO_SEND = 1 << 0,  /* actions.send with a line end */
	SESSION_DO_CLOSE = 1 << 1, /* close the connection, or give up connecting */
	SESSION_DO_ADD = 1 << 2,   /* tell forward about session.reply, in place of what it had */
	SESSION_DO_HELLO = 1 << 3, /* have forward ask the far end at once */
	SESSION_DO_PORT = 1 << 4,  /* have root's process give forward another UDP port to try */
	SESSION_DO_RAISE = 1 << 5, /* have root's process make the tunnel of session.reply */
	SESSION_DO_LOWER = 1 << 6,
	SESSION_DO_CONNECT = 1 << 7, /* to session_server() */
	SESSION_DO_EXIT = 1 << 8,    /* with session.status */
};

struct session_actions {
	unsigned int what;
	char send[DTCP_LINE_SIZE];
	char message[800];	 /* for the log, or "" */
	const char *event;	 /* of the message: a word for programs */
	const char *server;	 /* whom it is about */
	enum client_exit status; /* a failure's */
	uint32_t retry;		 /* seconds to the next attempt, about; 0: at once, or none */
	bool warning;		 /* of the message */
	bool suppressed;	 /* it has been said often enough; for debugging only */
};

/* Why the packets of an attempt or session go as they do. */
enum session_why {
	SESSION_WHY_SETTINGS, /* they leave no choice */
	/* --transport auto, protocol 41 */
	SESSION_WHY_FIRST,   /* it is tried first */
	SESSION_WHY_ANSWERS, /* and the far end answers */
	SESSION_WHY_ONLY,    /* the server knows nothing else */
	/* --transport auto, UDP */
	SESSION_WHY_NAT,     /* there is one on the way */
	SESSION_WHY_IN_USE,  /* another tunnel has our address over protocol 41 */
	SESSION_WHY_ACCOUNT, /* the server says that the user may not have protocol 41 */
	SESSION_WHY_SILENT,  /* the far end did not answer over protocol 41 */
	SESSION_WHY_BLOCKED, /* it did, and then no more */
	SESSION_WHYS,
};

/* What is known of one of the servers. */
struct session_server {
	char password[DTCP_PASSWORD_MAX + 1];
	bool udp;		     /* the next attempt is for UDP */
	enum session_why why;	     /* if it is, with --transport auto */
	bool udp_known;		     /* it has granted a session over UDP */
	bool silent;		     /* its far end did not answer over protocol 41; UDP is next */
	bool trusted;		     /* it knows nothing but protocol 41, which is not tried out */
	struct in_addr address;	     /* of its name, the one last connected to; 0: none yet */
	bool past;		     /* that one was of no use: begin with the one behind it */
	struct in_addr answers;	     /* the one that has answered over protocol 41; 0: none */
	struct failure_log failures; /* what has been said of it */
};

struct session {
	struct session_config config;
	struct session_server servers[CLIENT_SERVERS_MAX];
	struct retry retry; /* whose current is the server of this attempt or session */
	enum session_state state;
	int64_t deadline;   /* of the state; -1 for none */
	int64_t hold_until; /* when a tunnel without a session goes; -1: it is not held */
	char user[DTCP_USER_MAX + 1];
	char challenge[DTCP_CHALLENGE_MAX + 1];
	struct in_addr local, remote;
	struct dtcp_reply reply;
	uint8_t key[PROBE_KEY_SIZE]; /* of the probes, with UDP */
	bool udp;		     /* this attempt, or session, is for UDP */
	enum {
		SESSION_TUNNEL_NONE,
		SESSION_TUNNEL_RAISING,
		SESSION_TUNNEL_UP,
		SESSION_TUNNEL_LOWERING
	} tunnel;
	bool continued; /* while raising: an earlier session's tunnel was there */
	struct {
		bool udp;		/* the tunnel's packets go over UDP */
		enum client_path known; /* what forward has said of it since the login */
		/* of that, what the log has said last, if it is over protocol 41 */
		enum {
			SESSION_PATH_UNTOLD,
			SESSION_PATH_ANSWERS,
			SESSION_PATH_SILENT,  /* from the beginning */
			SESSION_PATH_BLOCKED, /* after it had answered */
		} told;
		bool port_new; /* root's process made the tunnel when our UDP port was another one
				*/
		bool port_hinted; /* that another one may help has been said of this silence */
	} path;
	struct {
		struct in_addr latest; /* address last known to lead to the server; 0: not known */
		struct in_addr source; /* the same when this attempt began */
		bool no_way;	       /* there was no route to the server when it last changed */
	} network;
	bool keep;	     /* the tunnel is to outlive the session that ends */
	bool types_told;     /* that the server offers more has been said */
	bool ping_sent;	     /* and not answered */
	unsigned int errors; /* -ERR in a row since the login */
	int64_t up_since;    /* -1: not in this session */
	/* what comes when the connection and, unless it is kept, the tunnel are gone */
	enum {
		SESSION_THEN_EXIT,
		SESSION_THEN_RETRY,   /* another round, after a pause */
		SESSION_THEN_CONNECT, /* to the server that is current then, at once */
		SESSION_THEN_DOWN,    /* nothing, until somebody asks for it */
	} then;
	enum client_exit status; /* why the last one ended; at the end, the program's */
	int64_t pause;		 /* milliseconds, for SESSION_THEN_RETRY */
	/* For those who look. */
	int64_t granted; /* when a server last let us in; -1: none has */
	struct {
		char text[400]; /* why a session or an attempt last ended, or nothing comes; "" */
		int64_t at;
	} error;
};

void session_init(struct session *session, const struct session_config *config);

/* Who logs in, and with what at the server of that index. Copied; wiped by session_wipe(). */
void session_account(struct session *session, const char *user);
void session_password(struct session *session, size_t server, const char *password);
void session_wipe(struct session *session);

/* The server of this attempt or session, and its name. */
const struct session_server *session_server(const struct session *session);
const char *session_server_name(const struct session *session);

/* Feeds one event; now in milliseconds. actions is overwritten. */
void session_feed(struct session *session, const struct session_event *event, int64_t now,
		  struct session_actions *actions);

/* When SESSION_TIME is to be fed, in milliseconds; -1 for never. */
int64_t session_deadline(const struct session *session);

/* How it is for those who look: session_report.c. When the next attempt comes; -1: not known. */
enum client_state session_client_state(const struct session *session);
enum session_why session_why(const struct session *session);
int64_t session_next_try(const struct session *session);

/* True if it is down on request, or about to be: then only SESSION_GO_UP leads out. */
bool session_is_down(const struct session *session);

/* False before the start, and once its end has begun: nothing that is asked for is done then. */
bool session_can_be_asked(const struct session *session);

/* The state's name, for debug messages. */
const char *session_state_name(enum session_state state);

#endif
