/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A room that has been taken over. Linked to a whole program, of which nothing is changed, it waits
 * for a signal in each of its processes, and then tries in the middle of whatever the room is doing
 * what an attacker would try there. The value that comes with the signal (sigqueue(3)) says what.
 * Whoever is still alive afterwards says so.
 */
#include "client/control/session.h"
#include "client/msg.h"
#include "forward/msg.h"
#include "process/ipc.h"
#include "process/process.h"
#include "server/msg.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers are in tests/e2e/lab/traitor.py. */
enum treason {
	/* forbidden calls */
	TREASON_OPEN = 1,
	TREASON_EXECVE,
	TREASON_FORK,
	TREASON_SOCKET_INET6,
	TREASON_SOCKET_NETLINK,
	TREASON_SOCKET_PACKET,
	TREASON_CHROOT,
	TREASON_SETUID,
	TREASON_KILL,
	TREASON_PTRACE,
	TREASON_MPROTECT,
	TREASON_KEYCTL,
	TREASON_MOUNT,
	TREASON_UNLISTEN,
	TREASON_FASTOPEN,
	TREASON_LOAD_PROGRAM,
	TREASON_MAKE_MAP,
	/* messages to monitor, of any room */
	TREASON_UNKNOWN_TYPE = 20,
	TREASON_WRONG_SIZE,
	TREASON_WITH_DESCRIPTOR,
	TREASON_SHORT,
	TREASON_PONG,
	TREASON_PING,
	/* of the client's control */
	TREASON_RAISE_LOOPBACK = 30,
	TREASON_RAISE_MULTICAST,
	TREASON_RAISE_BITS,
	TREASON_RAISE_FLAG,
	TREASON_LOWER,
	TREASON_LOOKUP_FLOOD,
	TREASON_RAISE_SERVER,
	TREASON_RAISE_TWICE,
	TREASON_SESSION,
	TREASON_LOOKUP_SERVER = 40,
	TREASON_SESSION_UP,
	TREASON_PORT,
	TREASON_PORT_FLOOD,
	/* of the server's control */
	TREASON_LOGIN_ID = 50,
	TREASON_LOGIN_TEXT,
	TREASON_LOGOUT,
	TREASON_LOGIN_FLOOD,
	TREASON_SERVER_HELLO = 55, /* to forward */
	/* of accounts */
	TREASON_GRANT_ID = 60,
	TREASON_GRANT_PREFIX,
	TREASON_GRANT_ADDRESS,
	TREASON_REVOKE,
	TREASON_GRANTED_LOGOUT,
	/* of forward, to control, of session 0 */
	TREASON_ADDED = 70,
	TREASON_REFUSED,
	TREASON_REMOVED,
	TREASON_LEARNED,
	TREASON_PATH,
	TREASON_REFUSED_FAR, /* of one that there cannot be */
};

/* Control's and forward's channel to each other, beside that to monitor; and the server's control's
 * to accounts. */
enum { TRAITOR_BETWEEN = PROCESS_FD + 1, TRAITOR_ACCOUNTS = PROCESS_FD + 2 };

/* As process/ipc.c has it. */
struct message {
	uint32_t type;
	uint32_t size;
	_Alignas(16) unsigned char body[2048];
};

static pid_t traitor_parent;

/* Sends a message; an attacker waits until there is room for it. */
static void traitor_send(int channel, uint32_t type, const void *body, size_t size, size_t claimed,
			 int fd)
{
	struct message message = {.type = type, .size = (uint32_t)claimed};
	union {
		struct cmsghdr align;
		unsigned char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec iov = {.iov_base = &message, .iov_len = offsetof(struct message, body) + size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct pollfd writable = {.fd = channel, .events = POLLOUT};

	if (size > 0)
		memcpy(message.body, body, size);
	if (fd != -1) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(channel, &msg, MSG_NOSIGNAL) == -1 && poll(&writable, 1, 1000) == 1)
		(void)sendmsg(channel, &msg, MSG_NOSIGNAL);
}

#define SEND(type, body) traitor_send(PROCESS_FD, type, &(body), sizeof(body), sizeof(body), -1)
#define SEND_EVENT(type) traitor_send(PROCESS_FD, type, NULL, 0, 0, -1)
#define SEND_ACCOUNTS(type, body)                                                                  \
	traitor_send(TRAITOR_ACCOUNTS, type, &(body), sizeof(body), sizeof(body), -1)
#define SEND_BETWEEN(type, body)                                                                   \
	traitor_send(TRAITOR_BETWEEN, type, &(body), sizeof(body), sizeof(body), -1)

static void traitor_raise(enum treason treason)
{
	struct client_tunnel tunnel = {
		.server = {htonl(0xc6336402)},
		.myaddr = {htonl(0xc0000202)},
		.reply = {.me = {htonl(0xc0000202)}, .her = {htonl(0xc6336402)}, .n_prefixes = 1},
	};
	struct dtcp_reply *reply = &tunnel.reply;

	reply->prefixes[0] = (struct prefix6){.addr = {.s6_addr = {0x20, 1, 0xd, 0xb8}}, .len = 48};
	if (treason == TREASON_RAISE_LOOPBACK) {
		reply->has_me6 = true;
		reply->me6 = in6addr_loopback;
	} else if (treason == TREASON_RAISE_MULTICAST) {
		reply->prefixes[0].addr.s6_addr[0] = 0xff;
	} else if (treason == TREASON_RAISE_BITS) {
		reply->prefixes[0].addr.s6_addr[15] = 1;
	} else if (treason == TREASON_RAISE_FLAG) {
		memset(&reply->has_me6, 2, 1);
	} else if (treason == TREASON_RAISE_SERVER) {
		tunnel.server.s_addr = INADDR_ANY;
	} else {
		SEND(CLIENT_MSG_RAISE, tunnel);
	}
	SEND(CLIENT_MSG_RAISE, tunnel);
}

static void traitor_login(enum treason treason)
{
	struct server_login login = {.type = TUNNEL_NETWORK,
				     .peer = {htonl(0xc0000202)},
				     .local = {htonl(0xc6336402)},
				     .user = "alice",
				     .challenge = "x",
				     .response = "00000000000000000000000000000000"};
	const struct server_id id = {.id = login.id};

	if (treason == TREASON_LOGIN_ID)
		login.id = UINT32_MAX;
	else if (treason == TREASON_LOGIN_TEXT)
		memset(login.user, 'a', sizeof(login.user));
	for (int i = treason == TREASON_LOGIN_FLOOD ? 5000 : 1; i > 0; i--) {
		SEND_ACCOUNTS(SERVER_MSG_LOGIN, login);
		if (treason == TREASON_LOGIN_FLOOD)
			SEND_ACCOUNTS(SERVER_MSG_LOGOUT, id);
	}
}

static void traitor_grant(enum treason treason)
{
	struct server_grant grant = {
		.verdict = {.result = SERVER_GRANTED, .user = 1, .prefixes.n = 1},
		.type = TUNNEL_NETWORK,
		.local = {htonl(0xc6336402)},
	};
	struct server_verdict *verdict = &grant.verdict;

	verdict->prefixes.list[0] =
		(struct prefix6){.addr = {.s6_addr = {0x20, 1, 0xd, 0xb8}}, .len = 48};
	if (treason == TREASON_GRANT_ID) {
		verdict->id = UINT32_MAX;
	} else if (treason == TREASON_GRANT_PREFIX) {
		verdict->prefixes.list[0].addr.s6_addr[0] = 0xff;
	} else {
		grant.type = TUNNEL_HOST;
		verdict->prefixes.n = 0;
		verdict->numbered = 1;
		verdict->me6 = in6addr_loopback;
	}
	SEND(SERVER_MSG_GRANT, grant);
}

/* What control and forward tell each other. */
static void traitor_tell_other(enum treason treason)
{
	const struct forward_id id = {.id = treason == TREASON_REFUSED_FAR ? 4711 : 0};
	const struct forward_learned learned = {.peer = {htonl(0xc0000202)}, .port = 4028};
	const struct forward_path path = {.alive = 2};

	switch ((int)treason) {
	case TREASON_SERVER_HELLO:
		SEND_BETWEEN(FORWARD_MSG_HELLO, id);
		break;
	case TREASON_ADDED:
		SEND_BETWEEN(FORWARD_MSG_ADDED, id);
		break;
	case TREASON_REMOVED:
		SEND_BETWEEN(FORWARD_MSG_REMOVED, id);
		break;
	case TREASON_LEARNED:
		SEND_BETWEEN(FORWARD_MSG_LEARNED, learned);
		break;
	case TREASON_PATH:
		SEND_BETWEEN(FORWARD_MSG_PATH, path);
		break;
	default:
		SEND_BETWEEN(FORWARD_MSG_REFUSED, id);
		break;
	}
}

static void traitor_tell(enum treason treason)
{
	const struct server_id id = {.id = 3};
	const struct server_revoked revoked = {.id = id.id, .why = SERVER_WHY_DELETED};
	const struct client_session session = {
		.state = treason == TREASON_SESSION_UP ? CLIENT_STATE_UP : CLIENT_STATES};
	struct client_server server = {0};

	switch ((int)treason) {
	case TREASON_UNKNOWN_TYPE:
		traitor_send(PROCESS_FD, 4711, NULL, 0, 0, -1);
		break;
	case TREASON_WRONG_SIZE:
		traitor_send(PROCESS_FD, CLIENT_MSG_LOWER, NULL, 0, 2048, -1);
		break;
	case TREASON_WITH_DESCRIPTOR:
		traitor_send(PROCESS_FD, CLIENT_MSG_LOWER, NULL, 0, 0, STDIN_FILENO);
		break;
	case TREASON_SHORT:
		(void)!write(PROCESS_FD, &id, sizeof(id));
		break;
	case TREASON_LOWER:
		SEND_EVENT(CLIENT_MSG_LOWER);
		break;
	case TREASON_LOOKUP_FLOOD:
		for (int i = 0; i < 5000; i++)
			SEND(CLIENT_MSG_LOOKUP, server);
		break;
	case TREASON_LOOKUP_SERVER:
		server.server = CLIENT_SERVERS_MAX;
		SEND(CLIENT_MSG_LOOKUP, server);
		break;
	case TREASON_SESSION:
	case TREASON_SESSION_UP:
		SEND(CLIENT_MSG_SESSION, session);
		break;
	case TREASON_PONG:
		SEND_EVENT(IPC_PONG);
		break;
	case TREASON_PING:
		SEND_EVENT(IPC_PING);
		break;
	case TREASON_PORT:
		SEND_EVENT(CLIENT_MSG_PORT);
		break;
	case TREASON_PORT_FLOOD:
		for (int i = 0; i < 5000; i++)
			SEND_EVENT(CLIENT_MSG_PORT);
		break;
	case TREASON_LOGOUT:
		SEND_ACCOUNTS(SERVER_MSG_LOGOUT, id);
		break;
	case TREASON_GRANT_ID:
	case TREASON_GRANT_PREFIX:
	case TREASON_GRANT_ADDRESS:
		traitor_grant(treason);
		break;
	case TREASON_REVOKE:
		SEND(SERVER_MSG_REVOKE, revoked);
		break;
	case TREASON_GRANTED_LOGOUT:
		SEND(SERVER_MSG_LOGOUT, id);
		break;
	case TREASON_LOGIN_ID:
	case TREASON_LOGIN_TEXT:
	case TREASON_LOGIN_FLOOD:
		traitor_login(treason);
		break;
	default:
		traitor_raise(treason);
		break;
	}
}

/* Calls the kernel itself, so that no library stands between. */
static void traitor_call(enum treason treason)
{
	static char page[8192];
	static char *const argv[] = {NULL};

	switch ((int)treason) {
	case TREASON_OPEN:
		(void)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
		break;
	case TREASON_EXECVE:
		(void)syscall(SYS_execve, "/bin/true", argv, argv);
		break;
	case TREASON_FORK:
		if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
			_exit(0);
		break;
	case TREASON_SOCKET_INET6:
		(void)syscall(SYS_socket, AF_INET6, SOCK_STREAM, 0);
		break;
	case TREASON_SOCKET_NETLINK:
		(void)syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
		break;
	case TREASON_SOCKET_PACKET:
		(void)syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0);
		break;
	case TREASON_CHROOT:
		(void)syscall(SYS_chroot, "..");
		break;
	case TREASON_SETUID:
		(void)syscall(SYS_setuid, 0);
		break;
	case TREASON_KILL:
		(void)syscall(SYS_kill, traitor_parent, SIGKILL);
		break;
	case TREASON_PTRACE:
		(void)syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
		break;
	case TREASON_MPROTECT:
		(void)syscall(SYS_mprotect, ((uintptr_t)page + 4095) & ~(uintptr_t)4095, 4096,
			      PROT_READ | PROT_EXEC);
		break;
	case TREASON_KEYCTL:
		(void)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
		break;
	case TREASON_UNLISTEN:
		(void)syscall(SYS_shutdown, PROCESS_FD, SHUT_RDWR);
		break;
	case TREASON_LOAD_PROGRAM:
		(void)syscall(SYS_bpf, BPF_PROG_LOAD, NULL, 0);
		break;
	case TREASON_MAKE_MAP:
		(void)syscall(SYS_bpf, BPF_MAP_CREATE, NULL, 0);
		break;
	case TREASON_FASTOPEN:
		(void)syscall(SYS_sendto, PROCESS_FD, "", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0);
		break;
	default:
		(void)syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL);
		break;
	}
}

static void traitor_on_signal(int signal_number, siginfo_t *info, void *context)
{
	static const char survived[] = "the traitor has survived\n";
	enum treason treason = (enum treason)info->si_value.sival_int;

	(void)signal_number;
	(void)context;
	if (treason < TREASON_UNKNOWN_TYPE)
		traitor_call(treason);
	else if (treason == TREASON_SERVER_HELLO || treason >= TREASON_ADDED)
		traitor_tell_other(treason);
	else
		traitor_tell(treason);
	(void)!write(STDERR_FILENO, survived, sizeof(survived) - 1);
}

/* Before main(), in monitor and again in each room that it starts. */
__attribute__((constructor)) static void traitor_wait(void)
{
	struct sigaction action = {.sa_sigaction = traitor_on_signal, .sa_flags = SA_SIGINFO};

	traitor_parent = getppid();
	(void)sigaction(SIGRTMIN, &action, NULL);
}
