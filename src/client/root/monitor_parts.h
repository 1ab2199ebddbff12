/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the client's monitor share. Private to client/monitor*.c. */
#ifndef DTCP_CLIENT_ROOT_MONITOR_PARTS_H
#define DTCP_CLIENT_ROOT_MONITOR_PARTS_H

#include "base/rate.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/root/carrier.h"
#include "client/root/lookup.h"
#include "client/root/reconnect.h"
#include "client/root/supplies.h"
#include "netconf/wake.h"
#include "netconf/watch.h"
#include "process/ipc.h"
#include "process/rooms.h"
#include "process/service.h"
#include "process/signals.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct monitor {
	const struct client_options *options;
	struct event_base *base;
	struct rooms *rooms;
	struct signals *signals;
	struct reconnect *reconnect;
	struct lookups *lookups;
	struct watch *watch;
	struct wake *wake;
	struct service *service;
	struct ipc *control;
	struct carrier carrier;
	struct client_session session; /* as control says */
	bool ready;		       /* the tunnel has been up once */
	bool told;		       /* control that it is up, and it has not asked for its end */
	struct supplies supplies;      /* for the rooms */
	struct rate ports;	       /* UDP ports that control asks for */
	bool stopping;		       /* control has been asked to end */
	bool ending;		       /* everything is being removed; status is the exit status */
	int status;
};

/* The channels to the rooms; NULL where memory is short. */
struct ipc *monitor_open_control(struct monitor *monitor, int fd);
struct ipc *monitor_open_forward(struct monitor *monitor, int fd);
struct ipc *monitor_open_guard(struct monitor *monitor, int fd);

/* Ends the program where control could not be told; error is what came of sending, 0 or -errno. */
void monitor_told(struct monitor *monitor, int error);

/* Control may ask for UDP ports from now on, as often as is of use. */
void monitor_limit_ports(struct monitor *monitor);

/* Tells the service manager how the tunnel is. */
void monitor_tell_status(const struct monitor *monitor);

/* What the carrier, the other parts and the kernel call; arg is the monitor. */
void monitor_on_raised(bool ok, void *arg);
void monitor_on_lowered(void *arg);
void monitor_on_lost(void *arg);
void monitor_on_failed(void *arg);
void monitor_on_network(void *arg);
void monitor_on_woke(uint32_t seconds, void *arg);
void monitor_on_child(const char *name, pid_t pid, int status, void *arg);
void monitor_on_signal(int signal_number, void *arg);
void monitor_reconnect(void *arg);

#endif
