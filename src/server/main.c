/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "fastpath/fastpath.h"
#include "forward/forward.h"
#include "netconf/reverse_path.h"
#include "process/process.h"
#include "proto/crypto.h"
#include "server/accounts/accounts.h"
#include "server/control/control.h"
#include "server/msg.h"
#include "server/ndp/ndp.h"
#include "server/options.h"
#include "server/root/check.h"
#include "server/root/database_owner.h"
#include "server/root/root.h"
#include "server/root/suggest.h"

static bool prepare_crypto(const struct process_self *self)
{
	(void)self;
	crypto_prepare();
	return true;
}

static int run_control(const struct process_self *self)
{
	return server_control_run(self->options, self->root, self->peers[SERVER_ACCOUNTS],
				  self->peers[SERVER_FORWARD]);
}

static int run_accounts(const struct process_self *self)
{
	return server_accounts_run(self->options, self->root, self->peers[SERVER_CONTROL]);
}

static const char *accounts_folder(const void *arg)
{
	const struct server_options *options = arg;

	return database_folder(options->database);
}

static int run_forward(const struct process_self *self)
{
	const struct server_options *options = self->options;
	const struct forward_config forward = {.server = true,
					       .sessions_max = server_options_ids(options),
					       .icmp6_rate = options->icmp6_rate,
					       .ask = reverse_path_leads};

	return forward_run(&forward, self->root, self->peers[SERVER_CONTROL]);
}

/*
 * State that does not go with a descriptor: the pid file, the control socket, and the fast path's
 * filters on an older kernel.
 */
static bool guard_wanted(const void *options)
{
	const struct server_options *server = options;
	char path[CTL_PATH_SIZE];

	return server->pidfile || server->filters || server_options_socket(server, path);
}

static int run_guard(const struct process_self *self)
{
	const struct server_options *options = self->options;

	process_await_end(self);
	fastpath_sweep(options->interface);
	return 0;
}

static bool want_ndp(const void *options)
{
	return server_options_ndp(options);
}

static int run_ndp(const struct process_self *self)
{
	return server_ndp_run(self->root);
}

static const struct process processes[] = {
	[SERVER_CONTROL] = {.name = "control",
			    .batched = true,
			    .verdict = PROCESS_VERDICT_AT_STOP,
			    .sandbox = SANDBOX_SERVER_CONTROL,
			    .peers = 1U << SERVER_FORWARD | 1U << SERVER_ACCOUNTS,
			    .prepare = prepare_crypto,
			    .run = run_control,
			    .rows = &server_root_control_rows},
	[SERVER_FORWARD] = {.name = "forward",
			    .sandbox = SANDBOX_SERVER_FORWARD,
			    .peers = 1U << SERVER_CONTROL,
			    .prepare = prepare_crypto,
			    .run = run_forward},
	[SERVER_NDP] = {.name = "ndp",
			.sandbox = SANDBOX_SERVER_NDP,
			.wanted = want_ndp,
			.run = run_ndp},
	[SERVER_ACCOUNTS] = {.name = "accounts",
			     .sandbox = SANDBOX_SERVER_ACCOUNTS,
			     .folder = accounts_folder,
			     .peers = 1U << SERVER_CONTROL,
			     .prepare = prepare_crypto,
			     .run = run_accounts,
			     .rows = &server_root_rows},
	[SERVER_GUARD] = {.name = "guard",
			  .kind = PROCESS_GUARD,
			  .keeps = CAPABILITIES_NETWORK,
			  .wanted = guard_wanted,
			  .run = run_guard},
};

static int run(struct server_options *options, const char *name, int argc, char *const argv[])
{
	char path[CTL_PATH_SIZE];
	const struct program program = {
		.name = "dtcps",
		.processes = processes,
		.n_processes = SERVER_PROCESSES,
		.options = options,
		.user = options->run_as,
		.owns_files = true,
		.pidfile = options->pidfile,
		.socket = server_options_socket(options, path) ? path : NULL,
		.daemon = options->daemon,
		.debug = options->debug,
		.keeps = CAPABILITIES_ROOT,
	};

	if (name)
		return process_run(&program, name);
	if (options->suggest)
		return server_suggest(options);
	return options->check ? server_check(options) : server_root_run(&program, argc, argv);
}

int main(int argc, char **argv)
{
	struct server_options options;
	int status;

	process_title_init(argc, argv);

	const char *name = process_name(&argc, argv);

	log_init("dtcps", NULL, false);
	switch (name ? server_options_parse_room(&options, argc, argv)
		     : server_options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return 0;
	case OPTIONS_ERROR:
		return 2;
	case OPTIONS_OK:
		break;
	}
	log_init("dtcps", NULL, options.debug);
	log_set_json(options.log_json);
	status = run(&options, name, argc, argv);
	server_options_free(&options);
	return status;
}
