/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program is several processes: root's, and those of a table that its main.c has. They re-execute
 * the program's own file, so that each has its own address layout and carries nothing over but the
 * descriptors that it is given. supervisor.h is root's side of it.
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

/* Most processes of a table. */
#define PROCESS_MAX 8

/* First descriptor of a process, the channel to root's; those to other processes follow it. In a
 * guard it is the control socket's file (ctl/listen.h), if there is one. */
#define PROCESS_FD 3

enum process_kind {
	PROCESS_SANDBOXED, /* without privilege, from the start to the end */
	/* The same, but started later and any number of times, each time with a number; its one
	 * channel leads where the other end is handed to. */
	PROCESS_ON_DEMAND,
	/* Root's: sleeps until root's process is gone, and then clears up after it. run() does
	 * both, but for the pid file and the control socket. */
	PROCESS_GUARD,
};

/* Whether its exit status is the program's. */
enum process_verdict {
	PROCESS_NO_VERDICT,
	PROCESS_VERDICT_AT_STOP, /* if the program was told to end */
	PROCESS_VERDICT,
};

/* What a process finds when it begins. */
struct process_self {
	void *options;		/* the program's */
	unsigned int number;	/* of PROCESS_ON_DEMAND */
	int root;		/* the channel to root's process */
	int peers[PROCESS_MAX]; /* those to the others, by their place in the table; -1: none */
};

/* Messages that root's process takes from one of them. */
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
	enum sandbox_kind sandbox;    /* its list of system calls; no guard's */
	enum capabilities_kind keeps; /* a guard's */
	/* What its root directory is; NULL: an empty one. */
	const char *(*folder)(const void *options);
	uint32_t peers;			     /* whom it has channels to: a bit for each place */
	bool (*wanted)(const void *options); /* NULL: always */
	/* Done with all privileges, before it is locked in; NULL: nothing. False: logged. */
	bool (*prepare)(const struct process_self *self);
	/* Its life, locked in. Returns the exit status. */
	int (*run)(const struct process_self *self);
	const struct process_rows *rows; /* what it may say to root's process, NULL: nothing */
	bool batched;			 /* what it is told goes out as ipc_batch() says */
};

struct program {
	const char *name; /* "dtcps" */
	const struct process *processes;
	size_t n_processes;
	void *options;
	const char *user;    /* whom the unprivileged ones run as: user_find() */
	bool owns_files;     /* to whom files belong */
	const char *pidfile; /* NULL: none is kept */
	const char *socket;  /* path of the control socket, NULL: there is none */
	bool daemon;
	bool debug;
	bool scripts;		      /* root's process and the guard run one, with all they had */
	unsigned int files;	      /* most descriptors of a process; 0: as many as root's */
	enum capabilities_kind keeps; /* root's process, once all have been started */
};

/*
 * First thing in main(): makes space for process titles, which takes the memory of the arguments;
 * argv points to copies afterwards.
 */
void process_title_init(int argc, char **argv);

/*
 * Takes the hidden first argument "--room=NAME" out of the arguments and returns NAME, or NULL if
 * there is none: then this process is root's.
 */
const char *process_name(int *argc, char **argv);

/* Is the process of that name, to its end: title, log, sandbox, run(). Returns the exit status. */
int process_run(const struct program *program, const char *name);

/* For a guard that hears nothing: waits until root's process is gone. */
void process_await_end(const struct process_self *self);

/* True if a process of the table is started in this program, as its options are. */
bool process_wanted(const struct program *program, size_t place);

/* True if two of the table have a channel to each other. */
bool process_linked(const struct program *program, size_t one, size_t other);

#endif
