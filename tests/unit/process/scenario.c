/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/process/scenario.h"

#include "base/log.h"
#include "process/ipc_wire.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SCENARIOS_MAX = 64 };

/* The variable that tells a process the number of its scenario. */
#define SCENARIO "TEST_SCENARIO"

static const struct scenario_stage *stage;
static const struct scenario *scenario; /* of this process */

/* --- in place of what needs root ---------------------------------------------------------- */

uid_t __wrap_geteuid(void);
void __wrap_sandbox_enter(const struct sandbox *sandbox);
bool __wrap_capabilities_limit(enum capabilities_kind kind, bool with_script);
bool __wrap_capabilities_hide(void);

uid_t __wrap_geteuid(void)
{
	return 0;
}

void __wrap_sandbox_enter(const struct sandbox *sandbox)
{
	(void)sandbox;
}

bool __wrap_capabilities_limit(enum capabilities_kind kind, bool with_script)
{
	(void)kind;
	(void)with_script;
	return true;
}

bool __wrap_capabilities_hide(void)
{
	return true;
}

/* --- parts -------------------------------------------------------------------------------- */

void scenario_say(int root, uint32_t type, const void *body, size_t size, int fd)
{
	const struct ipc_header header = {.type = type, .size = (uint32_t)size};

	(void)ipc_wire_send_one(root, &header, body, size, fd);
}

bool scenario_await(int root, uint32_t type)
{
	struct pollfd readable = {.fd = root, .events = POLLIN};
	struct ipc_wire_packet packet;
	const struct ipc_header *header;
	const void *body;
	int fd;

	for (;;) {
		while (poll(&readable, 1, -1) == -1)
			;
		if (ipc_wire_receive(root, &packet, &fd) != 1)
			return false;
		if (fd != -1)
			close(fd);
		while (ipc_wire_next(&packet, &header, &body) == 1) {
			if (header->type == type)
				return true;
		}
	}
}

int scenario_await_end(int root)
{
	(void)scenario_await(root, UINT32_MAX);
	return 0;
}

int scenario_takes_nothing(int root)
{
	struct pollfd end = {.fd = root};

	while (poll(&end, 1, -1) == -1)
		;
	return 0;
}

int scenario_play(size_t place, const struct process_self *self)
{
	return (scenario->play[place] ? scenario->play[place] : scenario_takes_nothing)(self->root);
}

/* --- the stage ---------------------------------------------------------------------------- */

/* In a process of its own, which may be killed: nothing is left of it, or these are its statuses.
 */
enum { LEFT_PROCESSES = 101, LEFT_DESCRIPTORS = 102 };

static int run_root(size_t number)
{
	char name[] = "test-scenario";
	char text[12];
	char *words[] = {name, NULL};
	unsigned int fds = capture_count_fds();
	int status;

	(void)snprintf(text, sizeof(text), "%zu", number);
	if (setenv(SCENARIO, text, 1) == -1)
		return EXIT_FAILURE;
	status = stage->root(stage->program, 1, words);
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		return LEFT_PROCESSES;
	return capture_count_fds() == fds ? status : LEFT_DESCRIPTORS;
}

static void test_scenario(void **state)
{
	const struct scenario *want = *state;
	const char *said;
	int status = -1;
	pid_t root, pid;

	need(network_make(), "a network namespace");
	/* What root's process leaves alone is ours to wait for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	capture_begin(STDERR_FILENO);
	root = fork();
	if (root == 0)
		_exit(run_root((size_t)(want - stage->scenarios)));
	for (int got; (pid = waitpid(-1, &got, 0)) > 0;)
		status = pid == root ? got : status;
	said = capture_end();
	if (want->log && !strstr(said, want->log))
		fail_msg("\"%s\" is not in this:\n%s", want->log, said);
	if (want->status == -1)
		assert_true(WIFSIGNALED(status));
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != want->status)
		fail_msg("status is 0x%x, and it said:\n%s", (unsigned int)status, said);
	if (stage->look)
		stage->look(want, said);
}

int scenario_main(const struct scenario_stage *new_stage, const char *name, int argc, char **argv)
{
	struct CMUnitTest tests[SCENARIOS_MAX];
	const char *preload = getenv("LD_PRELOAD");
	const char *process;

	stage = new_stage;
	process_title_init(argc, argv);
	process = process_name(&argc, argv);
	if (process) {
		const char *text = getenv(SCENARIO);
		size_t number = text ? strtoul(text, NULL, 10) : stage->count;

		if (number >= stage->count)
			return EXIT_FAILURE;
		scenario = &stage->scenarios[number];
		_exit(process_run(stage->program, process));
	}
	log_init("test", NULL, false);
	/* There the program's own file is valgrind's. */
	if (preload && strstr(preload, "valgrind"))
		return EXIT_SUCCESS;
	if (stage->count > SCENARIOS_MAX)
		return EXIT_FAILURE;
	for (size_t i = 0; i < stage->count; i++)
		tests[i] = (struct CMUnitTest){.name = stage->scenarios[i].name,
					       .test_func = test_scenario,
					       .initial_state =
						       (void *)(uintptr_t)&stage->scenarios[i]};
	return _cmocka_run_group_tests(name, tests, stage->count, NULL, NULL);
}
