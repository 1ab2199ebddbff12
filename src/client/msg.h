/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's processes and the messages between them. The root process checks every message of
 * control against the command line.
 */
#ifndef DTCP_CLIENT_MSG_H
#define DTCP_CLIENT_MSG_H

#include "proto/message.h"

#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>

/* The processes that the client starts; places in the table of main.c. */
enum client_process {
	CLIENT_CONTROL,
	CLIENT_GUARD,
	CLIENT_FORWARD,
	CLIENT_RESOLVER,
	CLIENT_PROCESSES,
};

enum client_msg {
	/* root to control */
	CLIENT_MSG_PASSWORD = 1, /* struct client_password: one for each server */
	CLIENT_MSG_ACCOUNT,	 /* struct client_account: log in now */
	CLIENT_MSG_RECONNECT,	 /* struct client_reconnect: SIGHUP, SIGUSR2 */
	CLIENT_MSG_NETWORK,	 /* addresses or routes of this machine have changed */
	CLIENT_MSG_WOKE,	 /* struct client_woke: the machine was asleep */
	CLIENT_MSG_STOP,	 /* SIGTERM, SIGINT */
	CLIENT_MSG_RAISED,	 /* struct client_raised: the result of RAISE */
	CLIENT_MSG_LOWERED,	 /* LOWER is done */
	CLIENT_MSG_LOST,	 /* the tunnel was lost */
	CLIENT_MSG_RESOLVER,	 /* struct client_server, descriptor: the channel to its resolver */
	CLIENT_MSG_NO_RESOLVER,	 /* struct client_server: no resolver could be started */
	CLIENT_MSG_COUNTERS,	 /* descriptor: the counter page, read-only */
	CLIENT_MSG_FAST,      /* struct counters_kernel_given, descriptor: the kernel's counters */
	CLIENT_MSG_REPORT,    /* SIGUSR1 */
	CLIENT_MSG_CTL,	      /* struct client_ctl, descriptor: the control socket, listening */
	CLIENT_MSG_INTERFACE, /* struct client_interface: the answer to ASK */
	CLIENT_MSG_CHECK,     /* struct client_check: --check, before the account */
	/* control to root */
	CLIENT_MSG_RAISE = 32, /* struct client_tunnel: make the interface, run the script */
	CLIENT_MSG_LOWER,      /* run the script, remove everything */
	CLIENT_MSG_SESSION,    /* struct client_session: the state of the session */
	CLIENT_MSG_LOOKUP,     /* struct client_server: look up its name; answered by RESOLVER or
				  NO_RESOLVER */
	CLIENT_MSG_PORT,       /* give forward a socket with another UDP port */
	CLIENT_MSG_STEP,       /* struct client_step: --check: a step is done */
	CLIENT_MSG_ASK,	       /* request for INTERFACE, for the control socket */
	CLIENT_MSG_LOG,	       /* struct client_log: log level, requested over the control socket */
	/* root to guard */
	CLIENT_MSG_GUARD = 64, /* struct client_guard: what to remove if the root process dies */
	CLIENT_MSG_SCRIPT,     /* struct client_script: the running script, or none */
	CLIENT_MSG_UNGUARD,    /* nothing is left to remove */
	/* resolver to control */
	CLIENT_MSG_ADDRESSES = 96, /* struct client_addresses: the result of the look-up */
};

#define CLIENT_SERVERS_MAX 8

/* Largest number of addresses of a name. */
#define CLIENT_ADDRESSES_MAX 16

/*
 * Unread answers in the channel to control, above which the program ends: an honest control reads
 * an answer before it asks again.
 */
enum { CLIENT_BACKLOG = 16 };

struct client_password {
	uint32_t server; /* its index on the command line */
	char text[DTCP_PASSWORD_MAX + 1];
};

struct client_server {
	uint32_t server; /* its index on the command line */
};

/* The IPv4 addresses of a name; none and no error: it has IPv6 addresses only. */
struct client_addresses {
	int32_t error; /* EAI_* of getaddrinfo(3) */
	uint32_t count;
	struct in_addr list[CLIENT_ADDRESSES_MAX];
};

struct client_account {
	char user[DTCP_USER_MAX + 1];
	uint32_t udp_port; /* bound for a tunnel over UDP; 0: none */
};

struct client_reconnect {
	uint32_t keep; /* 1: SIGUSR2, the tunnel stays */
};

struct client_woke {
	uint32_t seconds; /* duration of the sleep */
};

struct client_raised {
	uint32_t ok; /* 0: the root process has logged the error and removed everything */
};

/* A tunnel as granted by the server. */
struct client_tunnel {
	struct in_addr server;	 /* address of the connection */
	uint32_t server_index;	 /* its index on the command line */
	struct in_addr myaddr;	 /* local address of that connection */
	uint32_t my_port;	 /* over UDP: our port, as named to the server or bound */
	struct dtcp_reply reply; /* unused parts are zero */
};

/* State of the path through the tunnel. */
enum client_path {
	CLIENT_PATH_UNKNOWN, /* nothing has been received yet */
	CLIENT_PATH_ALIVE,   /* packets arrive from the far end */
	CLIENT_PATH_DEAD,    /* packets should arrive, but do not */
	CLIENT_PATHS,
};

/* State of the client. */
enum client_state {
	CLIENT_STATE_CONNECTING, /* no tunnel yet */
	CLIENT_STATE_UP,
	CLIENT_STATE_HELD,    /* a tunnel without a session: connecting, or waiting to connect */
	CLIENT_STATE_WAITING, /* without a tunnel, until the next attempt */
	CLIENT_STATE_DOWN,    /* taken down on request, or about to end */
	CLIENT_STATES,
};

/* State of the session, for status displays only. */
struct client_session {
	uint32_t state;	 /* enum client_state */
	uint32_t status; /* enum client_exit: reason of the last failure; CLIENT_OK: none */
	uint32_t path;	 /* enum client_path */
	uint32_t rtt_us; /* round-trip time, in microseconds; 0: unknown */
};

/* Whether --check may log in. */
enum client_check_login {
	CLIENT_CHECK_LOGIN,
	CLIENT_CHECK_TUNNEL,	  /* no: it would end a tunnel that is up here */
	CLIENT_CHECK_NO_PASSWORD, /* no: there is none */
};

struct client_check {
	uint32_t login;		  /* enum client_check_login */
	char interface[IFNAMSIZ]; /* of that tunnel, "" if a script has made it */
};

/* The steps of --check, in order. */
enum client_steps {
	CLIENT_STEP_NAME,
	CLIENT_STEP_PORT,
	CLIENT_STEP_GREETING,
	CLIENT_STEP_LOGIN,
	CLIENT_STEP_TYPE,
	CLIENT_STEP_NAT,
	CLIENT_STEP_PROTO41,
	CLIENT_STEP_UDP,
	CLIENT_STEP_MTU,
	CLIENT_STEP_BEYOND,
	CLIENT_STEPS,
};

enum client_step_result {
	CLIENT_STEP_OK,
	CLIENT_STEP_FAIL,
	CLIENT_STEP_SKIP, /* not tested, or irrelevant */
	CLIENT_STEP_RESULTS,
};

/* The result of a step. Texts are terminated, and have printable characters only. */
struct client_step {
	uint32_t step;	 /* enum client_steps */
	uint32_t result; /* enum client_step_result */
	uint32_t milliseconds;
	char text[400];
	char advice[300]; /* "": nothing to do */
	/* Results as data; 0: unknown. */
	struct in_addr address; /* of the server */
	struct in_addr here;	/* local IPv4 address, and as the server sees it */
	struct in_addr seen;
	struct in6_addr own;	/* local address in the tunnel */
	struct in6_addr target; /* pinged through the tunnel */
	struct prefix6 prefix;	/* delegated; len 0: none */
	uint32_t port;
	uint32_t rtt_us;   /* round-trip time in microseconds */
	uint32_t path_mtu; /* largest IPv4 packets that pass unfragmented, octets */
	uint32_t mtu;	   /* the same for the IPv6 packets in them */
};

/* Data about the program for control's status, which control does not have. */
struct client_ctl {
	int32_t pid;		 /* of the root process */
	char name[NAME_MAX + 1]; /* of the configuration; "": none */
};

struct client_interface {
	char name[IFNAMSIZ]; /* of the tunnel's interface; it can be renamed from outside */
	uint32_t kernel;     /* 1: the kernel carries packets */
};

struct client_log {
	uint32_t debug; /* 1: log debug lines, in all processes */
};

/* Size of the path of the script. */
#define CLIENT_SCRIPT_SIZE 1024

/* The script's path and values: the guard may have to run it with "down". */
struct client_guard {
	char script[CLIENT_SCRIPT_SIZE];
	char user[DTCP_USER_MAX + 1];
	char interface[IFNAMSIZ];
	struct client_tunnel tunnel;
};

struct client_script {
	int32_t pid; /* process and process group; 0: none is running */
};

#endif
