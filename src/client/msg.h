/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's processes and the messages between them. Root's process believes nothing of what
 * control says before it has compared it with the command line.
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
	CLIENT_MSG_NETWORK,	 /* addresses or routes of this box changed */
	CLIENT_MSG_WOKE,	 /* struct client_woke: the machine was asleep */
	CLIENT_MSG_STOP,	 /* SIGTERM, SIGINT */
	CLIENT_MSG_RAISED,	 /* struct client_raised: the answer to RAISE */
	CLIENT_MSG_LOWERED,	 /* the answer to LOWER */
	CLIENT_MSG_LOST,	 /* the tunnel has gone without being asked to */
	CLIENT_MSG_RESOLVER,	 /* struct client_server, descriptor: the channel to its resolver */
	CLIENT_MSG_NO_RESOLVER,	 /* struct client_server: there is none for it now */
	CLIENT_MSG_COUNTERS,	 /* descriptor: the counter page, read-only */
	CLIENT_MSG_FAST,      /* struct counters_kernel_given, descriptor: the kernel's counters */
	CLIENT_MSG_REPORT,    /* SIGUSR1 */
	CLIENT_MSG_CTL,	      /* struct client_ctl, descriptor: the control socket, listening */
	CLIENT_MSG_INTERFACE, /* struct client_interface: the answer to ASK */
	CLIENT_MSG_CHECK,     /* struct client_check: --check, before the account */
	/* control to root */
	CLIENT_MSG_RAISE = 32, /* struct client_tunnel: make the interface, run the script */
	CLIENT_MSG_LOWER,      /* run the script, remove everything */
	CLIENT_MSG_SESSION,    /* struct client_session: the session has come or gone */
	CLIENT_MSG_LOOKUP,     /* struct client_server: RESOLVER or NO_RESOLVER, for its name */
	CLIENT_MSG_PORT,       /* give forward a socket with another UDP port */
	CLIENT_MSG_STEP,       /* struct client_step: --check: a step is done */
	CLIENT_MSG_ASK,	       /* for INTERFACE: somebody has asked control */
	CLIENT_MSG_LOG,	       /* struct client_log: somebody has asked control for it */
	/* root to guard */
	CLIENT_MSG_GUARD = 64, /* struct client_guard: this has to go if root dies */
	CLIENT_MSG_SCRIPT,     /* struct client_script: the script runs now, or does not any more */
	CLIENT_MSG_UNGUARD,    /* it is gone */
	/* resolver to control */
	CLIENT_MSG_ADDRESSES = 96, /* struct client_addresses: what came of the look-up */
};

#define CLIENT_SERVERS_MAX 8

/* Most addresses of a name. */
#define CLIENT_ADDRESSES_MAX 16

/* Answers that control may leave lying: it has no reason to ask again before it has read one. */
enum { CLIENT_BACKLOG = 16 };

struct client_password {
	uint32_t server; /* its index on the command line */
	char text[DTCP_PASSWORD_MAX + 1];
};

struct client_server {
	uint32_t server; /* its index on the command line */
};

/* The IPv4 addresses of a name; 0 of them, and no error: it has IPv6 addresses only. */
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
	uint32_t keep; /* 1: SIGUSR2, with which the tunnel stays */
};

struct client_woke {
	uint32_t seconds; /* that it has slept */
};

struct client_raised {
	uint32_t ok; /* 0: root has logged why not, and everything is removed again */
};

/* A tunnel as the server gave it. */
struct client_tunnel {
	struct in_addr server;	 /* connected to */
	uint32_t server_index;	 /* the same on the command line */
	struct in_addr myaddr;	 /* local address of that connection */
	uint32_t my_port;	 /* over UDP: ours, as the server was told or the socket has it */
	struct dtcp_reply reply; /* unused parts are zero */
};

/* What is known of the way through the tunnel. */
enum client_path {
	CLIENT_PATH_UNKNOWN, /* nobody has been heard yet */
	CLIENT_PATH_ALIVE,   /* the far end is heard */
	CLIENT_PATH_DEAD,    /* it was, or should have been by now, and is not */
	CLIENT_PATHS,
};

/* How the client is, in one word. */
enum client_state {
	CLIENT_STATE_CONNECTING, /* no tunnel yet */
	CLIENT_STATE_UP,
	CLIENT_STATE_HELD,    /* a tunnel without its session: connecting, or waiting for that */
	CLIENT_STATE_WAITING, /* without a tunnel, until the next attempt */
	CLIENT_STATE_DOWN,    /* taken down on request, or about to end */
	CLIENT_STATES,
};

/* How the session is, for those who look: nothing depends on it. */
struct client_session {
	uint32_t state;	 /* enum client_state */
	uint32_t status; /* enum client_exit: why the last one ended; CLIENT_OK: no failure */
	uint32_t path;	 /* enum client_path */
	uint32_t rtt_us; /* round-trip time, in microseconds; 0: not known */
};

/* Whether --check may log in. */
enum client_check_login {
	CLIENT_CHECK_LOGIN,
	CLIENT_CHECK_TUNNEL,	  /* no: that would end a tunnel that is up here */
	CLIENT_CHECK_NO_PASSWORD, /* no: there is none */
};

struct client_check {
	uint32_t login;		  /* enum client_check_login */
	char interface[IFNAMSIZ]; /* that is up, "" for one that a script has made */
};

/* The steps of --check, in their order. */
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
	CLIENT_STEP_SKIP, /* not tried, or of no consequence */
	CLIENT_STEP_RESULTS,
};

/* What has come of one step. Texts have an end, and printable characters only. */
struct client_step {
	uint32_t step;	 /* enum client_steps */
	uint32_t result; /* enum client_step_result */
	uint32_t milliseconds;
	char text[400];
	char advice[300]; /* "": there is nothing to do */
	/* As data, what is known by it; 0: nothing. */
	struct in_addr address; /* of the server */
	struct in_addr here;	/* ours, as this machine has it, and as the server sees it */
	struct in_addr seen;
	struct in6_addr own;	/* ours in the tunnel */
	struct in6_addr target; /* that was asked through the tunnel */
	struct prefix6 prefix;	/* that the server gives; len 0: none */
	uint32_t port;
	uint32_t rtt_us;   /* round-trip time in microseconds */
	uint32_t path_mtu; /* octets of IPv4 packets that pass whole */
	uint32_t mtu;	   /* the same of IPv6 packets in them */
};

/* What control cannot know, and those who ask over its socket want to. */
struct client_ctl {
	int32_t pid;		 /* root's */
	char name[NAME_MAX + 1]; /* of the configuration; "": none */
};

struct client_interface {
	char name[IFNAMSIZ]; /* of the tunnel's; others can change it */
	uint32_t kernel;     /* 1: the kernel carries the packets that need no thought */
};

struct client_log {
	uint32_t debug; /* 1: debug lines are logged, in all processes */
};

/* Room for the path of the script. */
#define CLIENT_SCRIPT_SIZE 1024

/* What the script is told, and where it is: the guard may have to run it with "down". */
struct client_guard {
	char script[CLIENT_SCRIPT_SIZE];
	char user[DTCP_USER_MAX + 1];
	char interface[IFNAMSIZ];
	struct client_tunnel tunnel;
};

struct client_script {
	int32_t pid; /* also its process group; 0: none runs */
};

#endif
