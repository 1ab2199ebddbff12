/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "client/control/control.h"
#include "client/exits.h"
#include "client/msg.h"
#include "client/options.h"
#include "client/resolver/resolver.h"
#include "client/root/check.h"
#include "client/root/guard.h"
#include "client/root/hook.h"
#include "client/root/lookup.h"
#include "client/root/root.h"
#include "ctl/listen.h"
#include "forward/forward.h"
#include "process/process.h"
#include "proto/crypto.h"

#include <string.h>

/* Limit of descriptors of a process: its channels, sockets and devices, twice. */
enum { PROCESS_FILES = 64 };

static bool prepare_crypto(const struct process_self *self)
{
	(void)self;
	crypto_prepare();
	return true;
}

static int run_control(const struct process_self *self)
{
	return client_control_run(self->options, self->root, self->peers[CLIENT_FORWARD]);
}

static bool forward_wanted(const void *options)
{
	const struct client_options *client = options;

	return client->check || !client->no_device;
}

/* A check leaves nothing behind that would have to be removed. */
static bool guard_wanted(const void *options)
{
	const struct client_options *client = options;

	return !client->check;
}

static int run_forward(const struct process_self *self)
{
	const struct client_options *options = self->options;
	const struct forward_config forward = {
		.server = false, .sessions_max = 1, .trials = options->check};

	return forward_run(&forward, self->root, self->peers[CLIENT_CONTROL]);
}

static const struct process processes[] = {
	[CLIENT_CONTROL] = {.name = "control",
			    .verdict = PROCESS_VERDICT,
			    .sandbox = SANDBOX_CLIENT_CONTROL,
			    .peers = 1U << CLIENT_FORWARD,
			    .prepare = prepare_crypto,
			    .run = run_control,
			    .rows = &client_root_rows},
	[CLIENT_GUARD] = {.name = "guard",
			  .kind = PROCESS_GUARD,
			  .keeps = CAPABILITIES_NETWORK,
			  .wanted = guard_wanted,
			  .run = client_guard_run},
	[CLIENT_FORWARD] = {.name = "forward",
			    .sandbox = SANDBOX_CLIENT_FORWARD,
			    .peers = 1U << CLIENT_CONTROL,
			    .wanted = forward_wanted,
			    .prepare = prepare_crypto,
			    .run = run_forward},
	[CLIENT_RESOLVER] = {.name = RESOLVER_NAME,
			     .kind = PROCESS_ON_DEMAND,
			     .sandbox = SANDBOX_CLIENT_RESOLVER,
			     .prepare = client_resolver_prepare,
			     .run = client_resolver_run},
};

static int run(struct client_options *options, const char *name, int argc, char *const argv[])
{
	bool check = options->check;
	char socket[CTL_PATH_SIZE];
	struct process table[CLIENT_PROCESSES];
	const struct program program = {
		.name = "dtcpclient",
		.processes = table,
		.n_processes = CLIENT_PROCESSES,
		.options = options,
		.user = options->run_as,
		.pidfile = check ? NULL : options->pidfile,
		.socket = !check && ctl_listen_path(options->control_socket, "dtcpclient",
						    options->interface, socket)
				  ? socket
				  : NULL,
		.daemon = options->daemon && !check,
		.debug = options->debug,
		.scripts = !check && (hook_wanted(options) || options->lan.n > 0),
		.files = PROCESS_FILES,
		.keeps = lookups_any(options) ? CAPABILITIES_STARTER : CAPABILITIES_ROOT,
	};

	memcpy(table, processes, sizeof(table));
	/* Then nothing that changes the machine can be requested. */
	if (check)
		table[CLIENT_CONTROL].rows = &client_check_rows;
	if (name)
		return process_run(&program, name);
	return check ? client_check_run(&program, argc, argv)
		     : client_root_run(&program, argc, argv);
}

/* The root process: the others get the settings as arguments, so that none of them reads the file.
 */
static int run_root(struct client_options *options, int argc, char *const argv[])
{
	int n_words;
	char **words = client_options_words(options, argc, argv, &n_words);
	int status = CLIENT_LOCAL;

	if (options->source.file)
		log_info("the settings are those of %s", options->source.file);
	if (words)
		status = run(options, NULL, n_words, words);
	else
		log_warnx("out of memory");
	client_options_free_words(words);
	return status;
}

int main(int argc, char **argv)
{
	struct client_options options;
	int status;

	process_title_init(argc, argv);

	const char *name = process_name(&argc, argv);

	log_init("dtcpclient", NULL, false);
	switch (name ? client_options_parse_room(&options, argc, argv)
		     : client_options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return CLIENT_OK;
	case OPTIONS_ERROR:
		return CLIENT_USAGE;
	case OPTIONS_OK:
		break;
	}
	log_init("dtcpclient", NULL, options.debug);
	log_set_json(options.log_json);
	status = name ? run(&options, name, argc, argv) : run_root(&options, argc, argv);
	client_options_free(&options);
	return status;
}
