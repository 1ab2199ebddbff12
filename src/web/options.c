/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/options.h"

#include "config.h"
#include "ctl/listen.h"

static const char web_help[] =
	"usage: dtcpweb [OPTION]...\n"
	"\n"
	"Shows the state of this machine's tunnel daemons: pages for browsers, and\n"
	"metrics for Prometheus. It has no login of its own.\n"
	"\n"
	"Who can see it:\n"
	"  --listen ADDRESS:PORT\n"
	"                  listen there; can be given several times (127.0.0.1:20280\n"
	"                  and [::1]:20280)\n"
	"  --host NAME     accept requests for this host name as well\n"
	"\n"
	"What is shown:\n"
	"  --per-user      metrics for each user, too: adds series for every user\n"
	"  --sockets DIR   folder with the control sockets (" CTL_FOLDER ")\n"
	"\n"
	"Running:\n"
	"  -d              log each request\n"
	"  --user NAME     if started as root, run as that user (_dtcp, or nobody)\n"
	"  --help          show this text\n"
	"  --version       show the version\n"
	"\n"
	"See dtcpweb(8).\n";

enum {
	WEB_OPTION_LISTEN = OPTION_OTHER,
	WEB_OPTION_HOST,
	WEB_OPTION_PER_USER,
	WEB_OPTION_SOCKETS,
	WEB_OPTION_USER,
};

static const struct option long_options[] = {
	{"listen", required_argument, NULL, WEB_OPTION_LISTEN},
	{"host", required_argument, NULL, WEB_OPTION_HOST},
	{"per-user", no_argument, NULL, WEB_OPTION_PER_USER},
	{"sockets", required_argument, NULL, WEB_OPTION_SOCKETS},
	{"user", required_argument, NULL, WEB_OPTION_USER},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static bool web_take_listen(struct web_options *options, const char *text)
{
	if (options->n_listen == ADDRESS_MAX)
		return options_bad("--listen %s: at most %d addresses", text, ADDRESS_MAX);
	if (!address_parse(text, &options->listen[options->n_listen]))
		return options_bad("--listen \"%s\": not an address and a port, such as "
				   "127.0.0.1:20280 or [::1]:20280",
				   text);
	options->n_listen++;
	return true;
}

static bool web_take_host(struct web_options *options, const char *name)
{
	if (options->n_hosts == ADDRESS_MAX)
		return options_bad("--host %s: at most %d names", name, ADDRESS_MAX);
	if (!address_host_valid(name))
		return options_bad("--host \"%s\": not a name or an address (without a port), such "
				   "as status.example.net",
				   name);
	options->hosts[options->n_hosts++] = name;
	return true;
}

static bool web_take(void *arg, int option)
{
	struct web_options *options = arg;

	switch (option) {
	case WEB_OPTION_LISTEN:
		return web_take_listen(options, optarg);
	case WEB_OPTION_HOST:
		return web_take_host(options, optarg);
	case WEB_OPTION_PER_USER:
		options->per_user = true;
		return true;
	case WEB_OPTION_SOCKETS:
		options->sockets = optarg;
		return optarg[0] == '/' ||
		       options_bad("--sockets \"%s\": the whole path of a folder is needed",
				   optarg);
	case WEB_OPTION_USER:
		options->user = optarg;
		return true;
	default:
		options->debug = true;
		return true;
	}
}

enum options_result web_options_parse(struct web_options *options, int argc, char *const argv[])
{
	static const struct options_table table = {
		.letters = ":d",
		.words = long_options,
		.usage = web_help,
		.version = "dtcpweb " DTCP_VERSION,
		.take = web_take,
	};
	enum options_result result;

	*options = (struct web_options){.sockets = CTL_FOLDER};
	result = options_read(&table, argc, argv, options);
	if (result == OPTIONS_OK && optind < argc) {
		(void)options_bad("%s: not an option; see --help", argv[optind]);
		return OPTIONS_ERROR;
	}
	if (options->n_listen == 0) {
		options->default_listen = true;
		(void)address_parse("127.0.0.1:20280", &options->listen[options->n_listen++]);
		(void)address_parse("[::1]:20280", &options->listen[options->n_listen++]);
	}
	return result;
}
