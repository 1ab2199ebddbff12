/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the server's monitor share. Private to server/monitor*.c. */
#ifndef DTCP_SERVER_ROOT_MONITOR_PARTS_H
#define DTCP_SERVER_ROOT_MONITOR_PARTS_H

#include "fastpath/root.h"
#include "netconf/netlink.h"
#include "netconf/watch.h"
#include "process/ipc.h"
#include "process/rooms.h"
#include "process/service.h"
#include "process/signals.h"
#include "server/options.h"
#include "server/root/grants.h"
#include "server/root/links.h"
#include "server/root/supplies.h"
#include "users/users.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { EXIT_FAILED = 1, EXIT_CONFIG = 2 };

struct monitor {
	struct server_options *options;
	int argc; /* what the settings are read from again */
	char *const *argv;
	struct event_base *base;
	struct rooms *rooms;
	struct signals *signals;
	struct service *service;
	struct ipc *control;
	struct ipc *forward;
	struct netlink *netlink;
	struct links *links;
	struct fastpath *fast; /* NULL: none */
	struct watch *watch;   /* of the machine's addresses, for it */
	struct users *users;
	struct grants *grants;
	struct supplies supplies; /* for the rooms */
	int guard;		  /* our end of its channel: it goes when we do */
	bool flushing;		  /* verdicts wait for the end of this turn of the loop */
	bool stopping;
	bool ending; /* status is the exit status */
	int status;
};

/* Opens the channels to the rooms. False where memory is short. */
bool monitor_open_channels(struct monitor *monitor, int control, int forward);

/* Ends the program where a room could not be told; error is what came of sending, 0 or -errno. */
void monitor_told(struct monitor *monitor, int error);

/* Tells the service manager how many sessions there are. */
void monitor_tell_sessions(const struct monitor *monitor);

/* What links, grants, the timer and the kernel call; arg is the monitor. */
void monitor_device(uint32_t number, unsigned int interface, int fd, void *arg);
void monitor_no_device(uint32_t index, void *arg);
void monitor_revoked(uint32_t id, void *arg);
void monitor_decided(const struct server_verdict *verdict, void *arg);
void monitor_on_recheck(evutil_socket_t fd, short what, void *arg);
void monitor_on_child(const char *name, pid_t pid, int status, void *arg);
void monitor_on_signal(int signal_number, void *arg);

#endif
