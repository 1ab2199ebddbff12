/* SPDX-License-Identifier: BSD-2-Clause */
/* Hook scripts: run as root, with an environment of their own, and with a time limit. */
#ifndef DTCP_NETCONF_SCRIPT_H
#define DTCP_NETCONF_SCRIPT_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

/* Seconds after which a script is killed with its process group. */
#define SCRIPT_TIMEOUT 30

struct script;

/* The script has ended; failures have been logged. */
typedef void (*script_done)(void *arg);

/*
 * Starts words[0], a path, in a process group of its own, with its output logged line by line;
 * words is its whole argument vector and environment its whole environment ("name=value"), both
 * terminated by NULL; neither has to stay valid. Returns NULL after logging if it cannot be
 * started; done is not called then. The script frees itself before it calls done. The caller
 * reports children that have ended with script_reaped().
 */
struct script *script_start(struct event_base *base, char *const words[], char *const environment[],
			    script_done done, void *arg);

/* True if pid was this script's process: then done has been called and script is freed. */
bool script_reaped(struct script *script, pid_t pid, int status);

/* Its process id, which is also its process group. */
pid_t script_pid(const struct script *script);

/* Kills the script now; it still has to be reaped. */
void script_kill(struct script *script);

#endif
