/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program consists of the root process and the processes of a table in its main.c. Each of these
 * executes the program's own file again, so that it has its own address layout and inherits nothing
 * but the descriptors that it is given. supervisor.h is the root process's side.
 */
#ifndef DTCP_PROCESS_PROCESS_H
#define DTCP_PROCESS_PROCESS_H

#include "process/capabilities.h"
#include "process/ipc.h"
#include "process/sandbox.h"
#include "process/user.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hidden first argument that names the process. */
#define PROCESS_OPTION "--room="

/* Largest number of processes in a table. */
#define PROCESS_MAX 8

/*
 * First descriptor of a process, the channel to the root process; those to others follow it. In a
 * guard, the next one is the control socket's file (ctl/listen.h), if there is one.
 */
#define PROCESS_FD 3

enum process_kind {
	PROCESS_SANDBOXED, /* unprivileged; runs from the start to the end */
	/*
	 * The same, but started later and any number of times, each time with a number. The other
	 * end of its only channel is handed to another process.
	 */
	PROCESS_ON_DEMAND,
	/*
	 * Runs as root: sleeps until the root process has ended, and then cleans up after it. run()
	 * does both, except for the pid file and the control socket.
	 */
	PROCESS_GUARD,
};

/* Whether the process's exit status is the program's. */
enum process_verdict {
	PROCESS_NO_VERDICT,
	PROCESS_VERDICT_AT_STOP, /* if the program was stopped by a signal */
	PROCESS_VERDICT,
};

/* What a process has when it starts. */
struct process_self {
	void *options;		/* the program's */
	unsigned int number;	/* of PROCESS_ON_DEMAND */
	int root;		/* the channel to the root process */
	int peers[PROCESS_MAX]; /* channels to the others, by their place in the table; -1: none */
};

/* Messages that the root process accepts from a process. */
struct process_rows {
	const struct ipc_row *list;
	size_t count;
};

#define PROCESS_ROWS(rows)                                                                         \
	{                                                                                          \
		(rows), sizeof(rows) / sizeof((rows)[0])                                           \
	}

/* A row of the table. */
struct process {
	const char *name; /* in --room, in titles and in the log */
	enum process_kind kind;
	enum process_verdict verdict;
	enum sandbox_kind sandbox;    /* its list of system calls; unused by a guard */
	enum capabilities_kind keeps; /* for a guard */
	/* Its root directory; NULL: an empty one. */
	const char *(*folder)(const void *options);
	uint32_t peers;			     /* its channels to others: a bit for each place */
	bool (*wanted)(const void *options); /* NULL: always */
	/* Called with all privileges, before the sandbox; NULL: none. False after logging. */
	bool (*prepare)(const struct process_self *self);
	/* Runs inside the sandbox. Returns the exit status. */
	int (*run)(const struct process_self *self);
	const struct process_rows *rows; /* messages to the root process; NULL: none */
	bool batched;			 /* messages to it are sent in batches: ipc_batch() */
};

struct program {
	const char *name; /* "dtcps" */
	const struct process *processes;
	size_t n_processes;
	void *options;
	const char *user;    /* user of the unprivileged ones: user_find() */
	bool owns_files;     /* that user also owns files */
	const char *pidfile; /* NULL: none */
	const char *socket;  /* path of the control socket; NULL: none */
	bool daemon;
	bool debug;
	bool scripts;		      /* root process and guard run one, with full privileges */
	unsigned int files;	      /* limit of descriptors; 0: that of the root process */
	enum capabilities_kind keeps; /* root process, once all have been started */
};

/*
 * Must be called first in main(): makes space for process titles, which overwrite the memory of the
 * arguments; argv points to copies afterwards.
 */
void process_title_init(int argc, char **argv);

/*
 * Removes the hidden first argument "--room=NAME" from the arguments and returns NAME, or NULL if
 * there is none: then this is the root process.
 */
const char *process_name(int *argc, char **argv);

/* Runs the process of that name: title, log, sandbox, run(). Returns the exit status. */
int process_run(const struct program *program, const char *name);

/* For a guard that receives no messages: waits until the root process has ended. */
void process_await_end(const struct process_self *self);

/* True if this process of the table is needed with the program's options. */
bool process_wanted(const struct program *program, size_t place);

/* True if these two processes of the table have a channel to each other. */
bool process_linked(const struct program *program, size_t one, size_t other);

#endif
