/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root's common part, with a table of four processes that do what they are told by messages. They
 * are the program's own file executed again, which is this one: main() sees it from its first
 * argument. What needs root is not tried here.
 */
#include "process/supervisor.h"

#include "base/log.h"
#include "base/loop.h"
#include "ctl/listen.h"
#include "tests/unit/base/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CONTROL, FORWARD, GUARD, WORKER, PROCESSES };

/* To a process, and from it. */
enum { EXIT = 1, KILL, WRITE, PEERS, ASK_PEER, SAY, TOLD = 32, RELAYED, RELAY = 64 };

struct number {
	uint32_t value;
};

/* --- in place of what needs root or takes long -------------------------------------------- */

static uid_t user = 0;

uid_t __wrap_geteuid(void);
void __wrap_sandbox_enter(const struct sandbox *sandbox);
bool __wrap_capabilities_limit(enum capabilities_kind kind, bool with_script);
bool __wrap_capabilities_hide(void);
int __wrap_ipc_pair(int fds[static 2]);
int __real_ipc_pair(int fds[static 2]);
void __wrap_loop_once(struct event_base *base, const struct timeval *wait,
		      event_callback_fn callback, void *arg);
void __real_loop_once(struct event_base *base, const struct timeval *wait,
		      event_callback_fn callback, void *arg);

uid_t __wrap_geteuid(void)
{
	return user;
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

static unsigned int pairs_left = UINT_MAX; /* then descriptors are short */

int __wrap_ipc_pair(int fds[static 2])
{
	if (pairs_left > 0) {
		pairs_left--;
		return __real_ipc_pair(fds);
	}
	errno = EMFILE;
	return -EMFILE;
}

/* Seconds are hundredths here. */
void __wrap_loop_once(struct event_base *base, const struct timeval *wait,
		      event_callback_fn callback, void *arg)
{
	const struct timeval shorter = {.tv_usec = wait->tv_sec * 10000};

	__real_loop_once(base, &shorter, callback, arg);
}

/* --- the processes ------------------------------------------------------------------------ */

struct life {
	const struct process_self *self;
	struct event_base *base;
	struct ipc *root;
	struct ipc *peer;
	int status;
};

static void life_on_exit(const void *body, void *arg)
{
	struct life *life = arg;

	life->status = (int)((const struct number *)body)->value;
	(void)event_base_loopbreak(life->base);
}

static void life_on_kill(void *arg)
{
	(void)arg;
	(void)raise(SIGKILL);
}

static void life_on_write(const void *body, int fd, void *arg)
{
	const char octet = (char)((const struct number *)body)->value;

	(void)arg;
	(void)!write(fd, &octet, 1);
	close(fd);
}

static void life_tell(struct life *life, uint32_t value)
{
	const struct number number = {.value = value};

	(void)ipc_send(life->root, TOLD, &number, sizeof(number), -1);
}

static void life_on_peers(void *arg)
{
	struct life *life = arg;
	uint32_t count = 0;

	for (size_t i = 0; i < PROCESS_MAX; i++)
		count += life->self->peers[i] != -1;
	life_tell(life, count);
}

static void life_on_ask_peer(void *arg)
{
	const struct life *life = arg;

	(void)ipc_send(life->peer, RELAY, NULL, 0, -1);
}

static void life_on_relay(void *arg)
{
	const struct life *life = arg;

	(void)ipc_send(life->root, RELAYED, NULL, 0, -1);
}

static void life_on_say(const void *body, void *arg)
{
	const struct life *life = arg;

	(void)ipc_send(life->root, ((const struct number *)body)->value, NULL, 0, -1);
}

static void life_on_closed(struct ipc *ipc, bool violated, void *arg)
{
	struct life *life = arg;

	(void)ipc;
	(void)violated;
	(void)event_base_loopbreak(life->base);
}

static const struct ipc_row life_rows[] = {
	IPC_BODY(EXIT, struct number, life_on_exit),
	IPC_EVENT(KILL, life_on_kill),
	IPC_BODY_FD(WRITE, struct number, life_on_write),
	IPC_EVENT(PEERS, life_on_peers),
	IPC_EVENT(ASK_PEER, life_on_ask_peer),
	IPC_BODY(SAY, struct number, life_on_say),
	IPC_ANSWERS_PINGS,
};
static const struct ipc_row life_peer_rows[] = {IPC_EVENT(RELAY, life_on_relay)};

static int run_process(const struct process_self *self)
{
	struct life life = {.self = self, .base = event_base_new()};

	life.root = ipc_new(life.base, self->root, "root", life_rows,
			    sizeof(life_rows) / sizeof(life_rows[0]), life_on_closed, &life);
	for (size_t i = 0; i < PROCESS_MAX; i++) {
		if (self->peers[i] != -1)
			life.peer = ipc_new(life.base, self->peers[i], "peer", life_peer_rows, 1,
					    life_on_closed, &life);
	}
	(void)event_base_dispatch(life.base);
	return life.status;
}

static int run_guard(const struct process_self *self)
{
	char nothing;

	while (read(self->root, &nothing, 1) == -1 && errno == EINTR)
		;
	(void)!write(STDERR_FILENO, "guarded\n", 8);
	return 0;
}

static int run_worker(const struct process_self *self)
{
	return (int)self->number;
}

/* --- root's side -------------------------------------------------------------------------- */

struct options {
	bool alone; /* without forward */
	bool guarded;
};

struct scene {
	struct options options;
	struct program program;
	struct supervisor *supervisor;
	unsigned int fds;
	uint32_t told; /* the last number */
	unsigned int relayed, reports, reloads, renews, stops, hurries, ends;
	bool ends_itself; /* root has something to do before the end */
	bool lazy;	  /* control is not told to end */
	bool busy;
	pid_t reaped;
	int reaped_status;
};

static void on_told(const void *body, void *arg)
{
	struct scene *scene = arg;

	scene->told = ((const struct number *)body)->value;
	supervisor_end(scene->supervisor, SUPERVISOR_OK);
}

static void on_relayed(void *arg)
{
	struct scene *scene = arg;

	scene->relayed++;
	supervisor_end(scene->supervisor, SUPERVISOR_OK);
}

static const struct ipc_row root_rows[] = {
	IPC_BODY(TOLD, struct number, on_told),
	IPC_EVENT(RELAYED, on_relayed),
};
static const struct process_rows rows = PROCESS_ROWS(root_rows);

static bool wants_forward(const void *options)
{
	return !((const struct options *)options)->alone;
}

static bool wants_guard(const void *options)
{
	return ((const struct options *)options)->guarded;
}

static const struct process always[] = {
	[CONTROL] = {.name = "control",
		     .verdict = PROCESS_VERDICT,
		     .peers = 1U << FORWARD,
		     .run = run_process,
		     .rows = &rows},
	[FORWARD] = {.name = "forward", .wanted = wants_forward, .run = run_process, .rows = &rows},
	[GUARD] = {.name = "guard", .kind = PROCESS_GUARD, .wanted = wants_guard, .run = run_guard},
	[WORKER] = {.name = "worker", .kind = PROCESS_ON_DEMAND, .run = run_worker},
};

/* The same, but that control's exit status counts only when it was told to end. */
static struct process at_stop[PROCESSES];

static void send_number(struct scene *scene, size_t place, uint32_t type, uint32_t value)
{
	const struct number number = {.value = value};

	supervisor_send(scene->supervisor, place, type, &number, sizeof(number), -1);
}

static void on_report(void *arg)
{
	((struct scene *)arg)->reports++;
}

static void on_reload(void *arg)
{
	((struct scene *)arg)->reloads++;
}

static void on_renew(void *arg)
{
	((struct scene *)arg)->renews++;
}

static void on_stop(void *arg)
{
	struct scene *scene = arg;

	scene->stops++;
	if (!scene->lazy)
		send_number(scene, CONTROL, EXIT, 3);
}

static void on_hurry(void *arg)
{
	((struct scene *)arg)->hurries++;
}

static bool on_busy(void *arg)
{
	return ((struct scene *)arg)->busy;
}

static void on_left(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	supervisor_leave(((struct scene *)arg)->supervisor);
}

static void on_end(int status, void *arg)
{
	const struct timeval now = {0};
	struct scene *scene = arg;

	(void)status;
	scene->ends++;
	if (scene->ends_itself)
		(void)event_base_once(supervisor_base(scene->supervisor), -1, EV_TIMEOUT, on_left,
				      scene, &now);
	else
		supervisor_leave(scene->supervisor);
}

static void on_reaped(pid_t pid, int status, void *arg)
{
	struct scene *scene = arg;

	scene->reaped = pid;
	scene->reaped_status = status;
	supervisor_end(scene->supervisor, SUPERVISOR_OK);
}

static const struct supervisor_events events = {
	.report = on_report,
	.reload = on_reload,
	.renew = on_renew,
	.stop = on_stop,
	.hurry = on_hurry,
	.busy = on_busy,
	.end = on_end,
	.reaped = on_reaped,
};

static char program_name[] = "test-supervisor";
static char *words[] = {program_name, NULL};

static struct scene scene_of(const struct process *processes, struct options options)
{
	return (struct scene){
		.options = options,
		.program = {.name = "test",
			    .processes = processes,
			    .n_processes = PROCESSES,
			    .user = "root"},
	};
}

/* There is a supervisor, and nothing else. */
static void make(struct scene *scene)
{
	int status = -1;

	scene->fds = capture_count_fds();
	scene->program.options = &scene->options;
	scene->supervisor = supervisor_new(&scene->program, &events, scene, &status);
	assert_non_null(scene->supervisor);
}

/* It is ready to start processes. */
static void begin(struct scene *scene)
{
	make(scene);
	assert_true(supervisor_claim(scene->supervisor));
	assert_true(supervisor_daemonize(scene->supervisor));
}

/* The program again, with the options as arguments. */
static void start(struct scene *scene)
{
	static char alone[] = "alone";
	static char *with_alone[] = {program_name, alone, NULL};

	begin(scene);
	assert_true(supervisor_start(scene->supervisor, scene->options.alone ? 2 : 1,
				     scene->options.alone ? with_alone : words));
}

/* The scenes of tests that begin with all processes there. */
static int start_with(void **state, const struct process *processes, struct options options)
{
	static struct scene scene;

	scene = scene_of(processes, options);
	start(&scene);
	*state = &scene;
	return 0;
}

static int started(void **state)
{
	return start_with(state, always, (struct options){0});
}

static int started_at_stop(void **state)
{
	return start_with(state, at_stop, (struct options){0});
}

static int started_alone(void **state)
{
	return start_with(state, always, (struct options){.alone = true});
}

static int started_alone_at_stop(void **state)
{
	return start_with(state, at_stop, (struct options){.alone = true});
}

/* No process and no descriptor is left. */
static void end(struct scene *scene)
{
	supervisor_stop(scene->supervisor);
	supervisor_free(scene->supervisor);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(capture_count_fds(), scene->fds);
}

/* Runs to the end, with that exit status and log. */
static void expect_end(struct scene *scene, int status, const char *log)
{
	const char *said;
	int got;

	capture_begin(STDERR_FILENO);
	got = supervisor_run(scene->supervisor);
	said = capture_end();
	assert_string_equal(said, log);
	assert_int_equal(got, status);
	end(scene);
}

/* --- how it ends -------------------------------------------------------------------------- */

static void test_verdict(void **state)
{
	struct scene *scene = *state;

	send_number(scene, CONTROL, EXIT, 7);
	expect_end(scene, 7, "");
	assert_int_equal(scene->ends, 1);
}

/* Nobody had told it to. */
static void test_verdict_not_yet(void **state)
{
	struct scene *scene = *state;

	send_number(scene, CONTROL, EXIT, 7);
	expect_end(scene, SUPERVISOR_FAILED,
		   "test: room control ended unexpectedly: exit status 7; ending\n");
}

static void test_verdict_at_stop(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(raise(SIGTERM), 0);
	expect_end(scene, 3, "");
	assert_int_equal(scene->stops, 1);
}

/* The others leave in good order because it is gone, and are not the cause. */
static void test_killed(void **state)
{
	struct scene *scene = *state;

	supervisor_send(scene->supervisor, FORWARD, KILL, NULL, 0, -1);
	expect_end(scene, SUPERVISOR_FAILED,
		   "test: room forward ended unexpectedly: killed by signal 9; ending\n");
}

/* For programs, who it was and why are fields. */
static void test_killed_fields(void **state)
{
	struct scene *scene = *state;
	const char *said;

	supervisor_send(scene->supervisor, FORWARD, KILL, NULL, 0, -1);
	log_set_json(true);
	capture_begin(STDERR_FILENO);
	(void)supervisor_run(scene->supervisor);
	said = capture_end();
	log_set_json(false);
	assert_non_null(strstr(said, "\"event\":\"process-ended\""));
	assert_non_null(strstr(said, ",\"room\":\"forward\",\"reason\":\"killed by signal 9\"}\n"));
	end(scene);
}

/* One has left in good order for a reason that never shows. */
static void test_no_cause(void **state)
{
	struct scene *scene = *state;

	send_number(scene, CONTROL, EXIT, 0);
	expect_end(scene, SUPERVISOR_FAILED, "test: a room does not answer any more; ending\n");
}

static void test_late(void **state)
{
	struct scene *scene = *state;

	scene->lazy = true;
	assert_int_equal(raise(SIGTERM), 0);
	expect_end(scene, SUPERVISOR_FAILED, "test: a room does not answer any more; ending\n");
}

static void test_late_but_busy(void **state)
{
	struct scene *scene = *state;

	scene->lazy = scene->busy = true;
	assert_int_equal(raise(SIGINT), 0);
	expect_end(scene, SUPERVISOR_OK, "");
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	(void)raise(SIGTERM);
}

static void test_stopped_twice(void **state)
{
	struct scene *scene = *state;
	const struct timeval now = {0};

	scene->lazy = true;
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(event_base_once(supervisor_base(scene->supervisor), -1, EV_TIMEOUT,
					 on_second, NULL, &now),
			 0);
	expect_end(scene, SUPERVISOR_OK, "");
	assert_int_equal(scene->stops, 1);
	assert_int_equal(scene->hurries, 1);
}

/* The first reason counts; the program is left when what is there has been removed. */
static void test_ends_once(void **state)
{
	struct scene *scene = *state;
	const char *said;

	scene->ends_itself = true;
	capture_begin(STDERR_FILENO);
	supervisor_fail(scene->supervisor, "no %s", "more");
	supervisor_end(scene->supervisor, 5);
	said = capture_end();
	assert_string_equal(said, "test: no more; ending\n");
	assert_true(supervisor_is_ending(scene->supervisor));
	expect_end(scene, SUPERVISOR_FAILED, "");
	assert_int_equal(scene->ends, 1);
}

static void test_violation(void **state)
{
	struct scene *scene = *state;

	send_number(scene, FORWARD, SAY, 99);
	expect_end(scene, SUPERVISOR_FAILED, "test: unexpected message 99 from forward\n");
}

/* The right type, without what belongs to it. */
static void test_message_without_its_body(void **state)
{
	struct scene *scene = *state;

	send_number(scene, FORWARD, SAY, TOLD);
	expect_end(scene, SUPERVISOR_FAILED, "test: message 32 from forward has the wrong form\n");
	assert_int_equal(scene->told, 0);
}

/* It dies, and does not take what was sent to it: that is nobody's any more. */
static void test_dies_before_the_next_message(void **state)
{
	struct scene *scene = *state;
	const struct number octet = {'a'};
	char got;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	scene->fds++; /* ours to read from */
	supervisor_send(scene->supervisor, FORWARD, KILL, NULL, 0, -1);
	supervisor_send(scene->supervisor, FORWARD, WRITE, &octet, sizeof(octet), fds[1]);
	expect_end(scene, SUPERVISOR_FAILED,
		   "test: room forward ended unexpectedly: killed by signal 9; ending\n");
	assert_int_equal(read(fds[0], &got, 1), 0);
	close(fds[0]);
}

/* What cannot be sent ends the program, and is not kept. */
static void test_cannot_be_sent(void **state)
{
	static const unsigned char body[IPC_BODY_MAX + 1];
	struct scene *scene = *state;
	const char *said;
	int fd = dup(STDERR_FILENO);

	capture_begin(STDERR_FILENO);
	supervisor_send(scene->supervisor, CONTROL, WRITE, body, sizeof(body), fd);
	said = capture_end();
	assert_string_equal(said, "test: cannot send to control: Message too long; ending\n");
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	expect_end(scene, SUPERVISOR_FAILED, "");
}

/* No process asks root's whether it is alive, nor answers what it was not asked. */
static void test_pings(void **state)
{
	static const struct {
		uint32_t type;
		const char *log;
	} cases[] = {
		{IPC_PING, "test: unexpected message 2147483646 from control\n"},
		{IPC_PONG, "test: control answered what it was not asked\n"},
		{IPC_DEBUG, "test: unexpected message 2147483645 from control\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene = scene_of(always, (struct options){0});

		start(&scene);
		send_number(&scene, CONTROL, SAY, cases[i].type);
		expect_end(&scene, SUPERVISOR_FAILED, cases[i].log);
	}
}

/* --- what it is for until then ------------------------------------------------------------ */

/* What is sent before there is a process waits for it, in order, whatever comes in between. */
static void test_sent_before(void **state)
{
	struct scene scene = scene_of(always, (struct options){0});
	const struct number octets[] = {{'a'}, {'b'}};
	char got[3];
	int fds[2];

	(void)state;
	begin(&scene);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	for (size_t i = 0; i < 2; i++)
		supervisor_send(scene.supervisor, CONTROL, WRITE, &octets[i], sizeof(octets[i]),
				dup(fds[1]));
	close(fds[1]);
	send_number(&scene, CONTROL, EXIT, 0);
	assert_true(supervisor_start(scene.supervisor, 1, words));
	assert_int_equal(supervisor_run(scene.supervisor), 0);
	assert_int_equal(read(fds[0], got, sizeof(got)), 2);
	assert_memory_equal(got, "ab", 2);
	/* The end of the pipe: no copy is left, with us either. */
	assert_int_equal(read(fds[0], got, sizeof(got)), 0);
	close(fds[0]);
	end(&scene);
}

/* It goes when no process comes to take it. */
static void test_send_to_unstarted_process(void **state)
{
	struct scene scene = scene_of(always, (struct options){0});

	(void)state;
	begin(&scene);
	supervisor_send(scene.supervisor, CONTROL, WRITE, &(struct number){0},
			sizeof(struct number), dup(STDERR_FILENO));
	end(&scene);
}

/* The end begins before anything runs. */
static void test_ends_early(void **state)
{
	struct scene scene = scene_of(always, (struct options){0});

	(void)state;
	make(&scene);
	supervisor_end(scene.supervisor, 6);
	assert_true(supervisor_daemonize(scene.supervisor));
	assert_true(supervisor_start(scene.supervisor, 1, words));
	expect_end(&scene, 6, "");
	assert_int_equal(scene.ends, 0);
}

static void test_peers(void **state)
{
	struct scene *scene = *state;

	supervisor_send(scene->supervisor, CONTROL, ASK_PEER, NULL, 0, -1);
	expect_end(scene, SUPERVISOR_OK, "");
	assert_int_equal(scene->relayed, 1);
}

static void test_how_many_peers(void **state)
{
	(void)state;
	for (int alone = 0; alone < 2; alone++) {
		struct scene scene = scene_of(always, (struct options){.alone = alone});

		start(&scene);
		supervisor_send(scene.supervisor, CONTROL, PEERS, NULL, 0, -1);
		expect_end(&scene, SUPERVISOR_OK, "");
		assert_int_equal(scene.told, alone ? 0 : 1);
	}
}

/* One that is not wanted, or not any more, hears nothing; the descriptor goes. */
static void test_send_to_unwanted_process(void **state)
{
	struct scene *scene = *state;

	supervisor_send(scene->supervisor, FORWARD, WRITE, &(struct number){0},
			sizeof(struct number), dup(STDERR_FILENO));
	assert_int_equal(supervisor_backlog(scene->supervisor, FORWARD), 0);
	supervisor_close(scene->supervisor, CONTROL);
	send_number(scene, CONTROL, EXIT, 1);
	/* What ends it is that its channel was closed. */
	expect_end(scene, 0, "");
}

/* It logs by itself, to our standard error, and has its say when we are through. */
static void test_guard(void **state)
{
	struct scene scene = scene_of(always, (struct options){.guarded = true});
	const char *said;
	bool started;
	int status = -1;

	(void)state;
	begin(&scene);
	capture_begin(STDERR_FILENO);
	started = supervisor_start(scene.supervisor, 1, words);
	if (started) {
		send_number(&scene, CONTROL, EXIT, 4);
		status = supervisor_run(scene.supervisor);
	}
	supervisor_stop(scene.supervisor);
	said = capture_end();
	assert_true(started);
	assert_string_equal(said, "guarded\n");
	assert_int_equal(status, 4);
	end(&scene);
}

static void test_on_demand(void **state)
{
	struct scene *scene = *state;
	pid_t pid;

	pid = children_start(supervisor_children(scene->supervisor), "worker", 12, false, NULL, 0);
	assert_true(pid > 0);
	expect_end(scene, SUPERVISOR_OK, "");
	assert_int_equal(scene->reaped, pid);
	assert_true(WIFEXITED(scene->reaped_status) && WEXITSTATUS(scene->reaped_status) == 12);
}

static void test_other_children(void **state)
{
	struct scene *scene = *state;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit(9);
	assert_true(pid > 0);
	expect_end(scene, SUPERVISOR_OK, "");
	assert_int_equal(scene->reaped, pid);
}

static void test_signals(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(raise(SIGUSR2), 0);
	while (scene->reports + scene->reloads + scene->renews < 3)
		(void)event_base_loop(supervisor_base(scene->supervisor), EVLOOP_ONCE);
	assert_int_equal(scene->reports, 1);
	assert_int_equal(scene->reloads, 1);
	assert_int_equal(scene->renews, 1);
	send_number(scene, CONTROL, EXIT, 0);
	expect_end(scene, 0, "");
}

static bool waits(int signal_number)
{
	sigset_t set;

	assert_int_equal(sigpending(&set), 0);
	return sigismember(&set, signal_number) == 1;
}

/* Each of these would end the test if it were not held back. */
static void test_never_killed(void **state)
{
	struct scene scene = scene_of(always, (struct options){0});
	sigset_t set;
	int got = 0;

	(void)state;
	make(&scene);
	assert_int_equal(raise(SIGTERM), 0);
	assert_true(waits(SIGTERM));
	assert_true(supervisor_claim(scene.supervisor));
	assert_true(supervisor_daemonize(scene.supervisor));
	assert_true(supervisor_start(scene.supervisor, 1, words));
	assert_int_equal(supervisor_run(scene.supervisor), 3);
	assert_int_equal(scene.stops, 1);
	supervisor_stop(scene.supervisor);
	assert_int_equal(raise(SIGTERM), 0);
	assert_true(waits(SIGTERM));
	end(&scene);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigwait(&set, &got), 0);
	assert_int_equal(scene.stops, 1);
}

/* --- the start ---------------------------------------------------------------------------- */

static void expect_refused(const struct program *program, int expected, const char *log)
{
	struct supervisor *supervisor;
	const char *said;
	int status = -1;

	capture_begin(STDERR_FILENO);
	supervisor = supervisor_new(program, &events, NULL, &status);
	said = capture_end();
	assert_null(supervisor);
	assert_string_equal(said, log);
	assert_int_equal(status, expected);
}

static void test_refused(void **state)
{
	struct scene scene = scene_of(always, (struct options){0});

	(void)state;
	user = 1;
	expect_refused(&scene.program, SUPERVISOR_FAILED,
		       "test: must be run as root: it makes network interfaces and routes\n");
	user = 0;
	scene.program.user = "no-such-user-here";
	expect_refused(&scene.program, SUPERVISOR_USAGE,
		       "test: no user no-such-user-here to run as; name one with --user\n");
}

/* Whichever channel cannot be made, those before it are closed again. */
static void test_no_channels(void **state)
{
	struct scene scene = scene_of(always, (struct options){0});
	unsigned int fds = capture_count_fds();

	(void)state;
	scene.program.options = &scene.options;
	/* Between control and forward, to control, to forward. */
	for (unsigned int count = 0; count < 3; count++) {
		pairs_left = count;
		expect_refused(&scene.program, SUPERVISOR_FAILED,
			       "test: cannot make a socket pair: Too many open files\n");
		assert_int_equal(capture_count_fds(), fds);
	}
	pairs_left = UINT_MAX;
}

/* The last one cannot be started: the others, which are there, go. */
static void test_start_fails(void **state)
{
	struct scene scene = scene_of(always, (struct options){.guarded = true});
	const char *said;
	bool done;

	(void)state;
	begin(&scene);
	pairs_left = 0;
	capture_begin(STDERR_FILENO);
	done = supervisor_start(scene.supervisor, 1, words);
	said = capture_end();
	pairs_left = UINT_MAX;
	assert_false(done);
	assert_string_equal(said, "test: cannot make a socket pair: Too many open files\n");
	end(&scene);
}

static void expect_no_claim(const char *path, const char *log)
{
	struct scene scene = scene_of(always, (struct options){0});
	const char *said;
	bool claimed;

	scene.program.pidfile = path;
	make(&scene);
	capture_begin(STDERR_FILENO);
	claimed = supervisor_claim(scene.supervisor);
	said = capture_end();
	assert_false(claimed);
	assert_string_equal(said, log);
	end(&scene);
}

/* Another instance has it, which keeps it; or there is no place for it. */
static void test_no_pid_file(void **state)
{
	char path[] = "/tmp/test-supervisor-XXXXXX";
	struct pidfh *other;
	char expected[100];
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	close(fd);
	other = pidfile_open(path, 0600, NULL);
	assert_non_null(other);
	assert_int_equal(pidfile_write(other), 0);
	(void)snprintf(expected, sizeof(expected), "test: %s: running already, process %d\n", path,
		       (int)getpid());
	expect_no_claim(path, expected);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(pidfile_remove(other), 0);
	expect_no_claim("/no/such/folder/test.pid", "test: cannot write the pid file "
						    "/no/such/folder/test.pid: No such file or "
						    "directory\n");
}

/* It is ours while we run; a guard that was quicker has already taken it away. */
static void try_pid_file(bool guarded)
{
	char path[] = "/tmp/test-supervisor-XXXXXX";
	struct scene scene = scene_of(always, (struct options){0});
	const char *said;
	char text[20] = "";
	FILE *file;
	int fd = mkstemp(path);

	assert_int_not_equal(fd, -1);
	close(fd);
	scene.program.pidfile = path;
	start(&scene);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	assert_int_equal(strtol(text, NULL, 10), getpid());
	if (guarded)
		assert_int_equal(unlink(path), 0);
	supervisor_end(scene.supervisor, 0);
	capture_begin(STDERR_FILENO);
	supervisor_stop(scene.supervisor);
	supervisor_free(scene.supervisor);
	said = capture_end();
	assert_string_equal(said, "");
	assert_int_equal(access(path, F_OK), -1);
}

static void test_pid_file(void **state)
{
	(void)state;
	try_pid_file(false);
	try_pid_file(true);
}

/* In a process of its own: root's, which is killed as soon as all are there. */
static void be_killed(const char *path, const char *number)
{
	struct scene scene = scene_of(always, (struct options){.guarded = true});
	char *with_path[] = {program_name, strdup(path), NULL};
	FILE *file;

	scene.program.pidfile = path;
	begin(&scene);
	if (!supervisor_start(scene.supervisor, 2, with_path))
		return;
	/* Another instance has taken the place of this one. */
	file = number ? fopen(path, "we") : NULL;
	if (file) {
		(void)fputs(number, file);
		(void)fclose(file);
	}
	(void)raise(SIGKILL);
}

/* Its guard takes away the pid file that it leaves, and no other. */
static void test_root_is_killed(void **state)
{
	static const char *const numbers[] = {NULL, "1"};

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	for (size_t i = 0; i < 2; i++) {
		char path[] = "/tmp/test-supervisor-XXXXXX";
		int fd = mkstemp(path);
		const char *said;
		int status = -1;
		pid_t root, pid;

		assert_int_not_equal(fd, -1);
		close(fd);
		capture_begin(STDERR_FILENO);
		root = fork();
		if (root == 0) {
			be_killed(path, numbers[i]);
			_exit(1);
		}
		/* All others end as well. */
		for (int got; (pid = waitpid(-1, &got, 0)) > 0;)
			status = pid == root ? got : status;
		said = capture_end();
		assert_true(WIFSIGNALED(status));
		assert_string_equal(said, "guarded\n");
		assert_int_equal(access(path, F_OK), numbers[i] ? 0 : -1);
		if (numbers[i])
			assert_int_equal(unlink(path), 0);
	}
}

/* As be_killed(), with a control socket, if there is no other one there. */
static void be_killed_with_socket(char *path)
{
	struct scene scene = scene_of(always, (struct options){.guarded = true});
	char *with_socket[] = {program_name, path, NULL};
	int fd;

	scene.program.socket = path;
	begin(&scene);
	(void)supervisor_listen(scene.supervisor, &fd);
	if (supervisor_start(scene.supervisor, 2, with_socket))
		(void)raise(SIGKILL);
}

/*
 * Its guard removes the control socket; or if another program has one there, which can be in
 * another network with the same folder, that stays.
 */
static void test_socket_of_one_killed(void **state)
{
	char folder[] = "/tmp/test-supervisor-XXXXXX";
	char path[sizeof(folder) + 10];

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/x.sock", folder);
	for (int others = 0; others < 2; others++) {
		struct ctl_listen other = {.path = ""};
		int fd = others ? ctl_listen_open(path, &other) : -1;
		const char *said;
		pid_t root;

		capture_begin(STDERR_FILENO);
		root = fork();
		if (root == 0) {
			be_killed_with_socket(path);
			_exit(1);
		}
		while (waitpid(-1, NULL, 0) > 0)
			;
		said = capture_end();
		assert_non_null(strstr(said, "guarded\n"));
		assert_int_equal(strstr(said, "another program answers there") != NULL, others);
		assert_int_equal(access(path, F_OK), others ? 0 : -1);
		ctl_listen_remove(&other);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(rmdir(folder), 0);
}

/* It is there from supervisor_listen() to supervisor_stop(), unless none is wanted. */
static void test_socket(void **state)
{
	char folder[] = "/tmp/test-supervisor-XXXXXX";
	struct scene scene = scene_of(always, (struct options){0});
	char path[sizeof(folder) + 10];
	int fd = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/x.sock", folder);
	make(&scene);
	assert_true(supervisor_listen(scene.supervisor, &fd));
	assert_int_equal(fd, -1);
	scene.program.socket = path;
	assert_true(supervisor_listen(scene.supervisor, &fd));
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	end(&scene);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(folder), 0);
}

/* Names that no process of the table has. */
static void test_wrong_names(void **state)
{
	static const char *const wrong[] = {"",		"worker",   "worker-1",
					    "worker1 ", "worker+1", "control0",
					    "contro",	"xcontrol", "worker99999999999"};
	const struct scene scene = scene_of(always, (struct options){0});

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char expected[80];
		const char *said;
		int status;

		capture_begin(STDERR_FILENO);
		status = process_run(&scene.program, wrong[i]);
		said = capture_end();
		(void)snprintf(expected, sizeof(expected), "test: there is no process %s\n",
			       wrong[i]);
		assert_string_equal(said, expected);
		assert_int_equal(status, 1);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_verdict, started),
		cmocka_unit_test_setup(test_verdict_not_yet, started_at_stop),
		cmocka_unit_test_setup(test_verdict_at_stop, started_at_stop),
		cmocka_unit_test_setup(test_killed, started_at_stop),
		cmocka_unit_test_setup(test_killed_fields, started_at_stop),
		cmocka_unit_test_setup(test_no_cause, started_alone_at_stop),
		cmocka_unit_test_setup(test_late, started),
		cmocka_unit_test_setup(test_late_but_busy, started),
		cmocka_unit_test_setup(test_stopped_twice, started),
		cmocka_unit_test_setup(test_ends_once, started),
		cmocka_unit_test_setup(test_violation, started),
		cmocka_unit_test_setup(test_message_without_its_body, started),
		cmocka_unit_test_setup(test_dies_before_the_next_message, started_at_stop),
		cmocka_unit_test_setup(test_cannot_be_sent, started),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_sent_before),
		cmocka_unit_test(test_ends_early),
		cmocka_unit_test(test_send_to_unstarted_process),
		cmocka_unit_test_setup(test_peers, started),
		cmocka_unit_test(test_how_many_peers),
		cmocka_unit_test_setup(test_send_to_unwanted_process, started_alone),
		cmocka_unit_test(test_guard),
		cmocka_unit_test_setup(test_on_demand, started),
		cmocka_unit_test_setup(test_other_children, started),
		cmocka_unit_test_setup(test_signals, started),
		cmocka_unit_test(test_never_killed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_channels),
		cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_no_pid_file),
		cmocka_unit_test(test_pid_file),
		cmocka_unit_test(test_root_is_killed),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_socket_of_one_killed),
		cmocka_unit_test(test_wrong_names),
	};
	const struct CMUnitTest alone[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_send_to_unstarted_process),
		cmocka_unit_test(test_wrong_names),
	};
	const char *preload = getenv("LD_PRELOAD");
	const char *name;

	process_title_init(argc, argv);
	name = process_name(&argc, argv);

	/* The argument is the path of the pid file, or of the control socket, or a word. */
	const char *path = argc > 1 && argv[1][0] == '/' ? argv[1] : NULL;
	struct options options = {.alone = argc > 1 && !path, .guarded = true};
	struct scene scene = scene_of(always, options);

	if (path && strstr(path, ".sock"))
		scene.program.socket = path;
	else
		scene.program.pidfile = path;
	if (name) {
		scene.program.options = &options;
		/* What it leaves lying is not what is tested here. */
		_exit(process_run(&scene.program, name));
	}
	log_init("test", NULL, false);
	memcpy(at_stop, always, sizeof(at_stop));
	at_stop[CONTROL].verdict = PROCESS_VERDICT_AT_STOP;
	/* There the program's own file is valgrind's. */
	if (preload && strstr(preload, "valgrind"))
		return cmocka_run_group_tests_name("supervisor", alone, NULL, NULL);
	return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
