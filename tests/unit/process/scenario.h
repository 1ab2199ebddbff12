/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program's root process beside other real processes, in a network of the test's own: they say
 * what a scenario has them say, or die. The processes are the test's own file executed again;
 * scenario_main() sees that from the first argument. What needs root is not tried. Linked with
 * scenario_link_args of meson.build.
 */
#ifndef DTCP_TESTS_UNIT_PROCESS_SCENARIO_H
#define DTCP_TESTS_UNIT_PROCESS_SCENARIO_H

#include "process/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario {
	const char *name;
	/* The lives of the processes by their place in the table, with their channels to root's;
	 * they return the exit status. NULL: scenario_takes_nothing(). */
	int (*play[PROCESS_MAX])(int root);
	int status;	 /* of the program, -1: it was killed */
	const char *log; /* a line that there must be, NULL: none */
};

/* What a test has for its scenarios. */
struct scenario_stage {
	const struct scenario *scenarios;
	size_t count;
	const struct program *program;
	/* Root's process, to its end. */
	int (*root)(const struct program *program, int argc, char *const argv[]);
	/* Looks at what is left, and at the log. NULL: no more than that. */
	void (*look)(const struct scenario *scenario, const char *log);
};

/* For main(): is one of the processes, or runs the tests. */
int scenario_main(const struct scenario_stage *stage, const char *name, int argc, char **argv);

/* What the process at that place of the table does in this scenario; for the table's run(). */
int scenario_play(size_t place, const struct process_self *self);

/* --- for those who play a part ------------------------------------------------------------ */

/* Says it with a body of that size, and a descriptor if that is not -1. */
void scenario_say(int root, uint32_t type, const void *body, size_t size, int fd);

/* Takes messages until one of that type has come; descriptors that come along are not taken. False
 * at the end of the channel. */
bool scenario_await(int root, uint32_t type);

/* Waits for the end of the channel. Returns 0. */
int scenario_await_end(int root);

/* The same, and what it is given stays where it is. */
int scenario_takes_nothing(int root);

#endif
