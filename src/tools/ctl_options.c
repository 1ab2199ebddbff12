/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of dtcpctl. */
#include "config.h"
#include "ctl/listen.h"
#include "proto/message.h"
#include "proto/prefix.h"
#include "tools/ctl.h"
#include "tools/ctl_text.h"

#include <arpa/inet.h>
#include <string.h>

static const char ctl_usage[] =
	"usage: dtcpctl [OPTION]... COMMAND\n"
	"\n"
	"Monitors and controls the tunnel server dtcps and the tunnel client dtcpclient\n"
	"on this machine. Controlling them requires root.\n"
	"\n"
	"Both daemons:\n"
	"  status              state, uptime and traffic; with several daemons,\n"
	"                      one line for each\n"
	"  watch               the same live; for a server, with its sessions\n"
	"  log LEVEL           set the log level: debug or info\n"
	"\n"
	"Server:\n"
	"  sessions            all sessions\n"
	"  session USER        the session of one user\n"
	"  drops               packets that were dropped, by reason\n"
	"  kick USER           end a user's session\n"
	"  reload              read the configuration file again\n"
	"\n"
	"Client:\n"
	"  reconnect           reconnect: look up the server, log in\n"
	"  down                end the tunnel, and stay down\n"
	"  up                  bring it up again\n"
	"\n"
	"Which daemon:\n"
	"  -i INSTANCE         its tunnel interface, or the client's configuration\n"
	"  --instance INSTANCE\n"
	"                      the same\n"
	"  --socket PATH       its control socket, if that is not in " CTL_FOLDER "\n"
	"\n"
	"Which sessions, for sessions and watch:\n"
	"  --user USER         only the one of this user\n"
	"  --address ADDR      only the one from this IPv4 or with this IPv6 address\n"
	"  --prefix PREFIX     only those whose prefix or address overlaps it\n"
	"  --transport HOW     ipv6, which is protocol 41; or udp\n"
	"  --sort KEY          id, user, peer, age, in, out, dropped or path (id)\n"
	"\n"
	"Other options:\n"
	"  --every SECONDS     for watch: refresh interval (2); for status and drops:\n"
	"                      take two samples this far apart, and show rates\n"
	"  --for TIME          for kick: refuse logins for this time: 30s, 10m, 2h, 1d\n"
	"  --json              print the daemon's answer, one JSON object a line\n"
	"  --help              show this text\n"
	"  --version           show the version\n"
	"\n"
	"See dtcpctl(8).\n";

enum {
	OPTION_INSTANCE = OPTION_OTHER,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_USER,
	OPTION_ADDRESS,
	OPTION_PREFIX,
	OPTION_TRANSPORT,
	OPTION_SORT,
	OPTION_FOR,
	OPTION_EVERY,
};

static const struct option ctl_long_options[] = {
	{"instance", required_argument, NULL, OPTION_INSTANCE},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"json", no_argument, NULL, OPTION_JSON},
	{"user", required_argument, NULL, OPTION_USER},
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"prefix", required_argument, NULL, OPTION_PREFIX},
	{"transport", required_argument, NULL, OPTION_TRANSPORT},
	{"sort", required_argument, NULL, OPTION_SORT},
	{"for", required_argument, NULL, OPTION_FOR},
	{"every", required_argument, NULL, OPTION_EVERY},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static bool ctl_options_user(const char *where, const char *text)
{
	return dtcp_user_valid(text) ||
	       options_bad("%s \"%s\": not a possible user name: it has 1 to %d printable ASCII "
			   "characters, no blank and no colon",
			   where, text, DTCP_USER_MAX);
}

static bool ctl_options_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 ||
	       inet_pton(AF_INET6, text, &address) == 1 ||
	       options_bad("--address \"%s\": not an IPv4 or IPv6 address", text);
}

static bool ctl_options_prefix(const char *text)
{
	struct prefix6 prefix;
	enum prefix_error error = prefix6_parse(text, &prefix);

	return error == PREFIX_OK ||
	       options_bad("--prefix \"%s\" %s", text, prefix_error_text(error));
}

static bool ctl_options_sort(const char *text, enum ctl_sort *sort)
{
	for (int i = 0; i < CTL_SORT_COUNT; i++) {
		if (strcmp(text, ctl_sort_words[i]) == 0) {
			*sort = (enum ctl_sort)i;
			return true;
		}
	}
	return options_bad("--sort \"%s\": id, user, peer, age, in, out, dropped or path", text);
}

static bool ctl_options_take(void *arg, int option)
{
	struct ctl_options *options = arg;

	switch (option) {
	case 'i':
	case OPTION_INSTANCE:
		options->instance = optarg;
		return true;
	case OPTION_SOCKET:
		options->socket = optarg;
		return true;
	case OPTION_JSON:
		options->json = true;
		return true;
	case OPTION_USER:
		options->given |= CTL_TAKES_FILTER;
		options->user = optarg;
		return ctl_options_user("--user", optarg);
	case OPTION_ADDRESS:
		options->given |= CTL_TAKES_FILTER;
		options->address = optarg;
		return ctl_options_address(optarg);
	case OPTION_PREFIX:
		options->given |= CTL_TAKES_FILTER;
		options->prefix = optarg;
		return ctl_options_prefix(optarg);
	case OPTION_TRANSPORT:
		options->given |= CTL_TAKES_FILTER;
		options->transport = optarg;
		return strcmp(optarg, "ipv6") == 0 || strcmp(optarg, "udp") == 0 ||
		       options_bad("--transport \"%s\": ipv6 or udp", optarg);
	case OPTION_SORT:
		options->given |= CTL_TAKES_SORT;
		return ctl_options_sort(optarg, &options->sort);
	case OPTION_FOR:
		options->given |= CTL_TAKES_FOR;
		return ctl_text_seconds(optarg, &options->kick_for) ||
		       options_bad(
			       "--for \"%s\": a time such as 30s, 10m, 2h or 1d is needed, of at "
			       "most 30d",
			       optarg);
	default: /* OPTION_EVERY */
		options->given |= CTL_TAKES_EVERY;
		return options_number("--every", optarg, 1, 3600, &options->every);
	}
}

/* Rejects options that the command does not take. */
static bool ctl_options_fit(const struct ctl_options *options)
{
	static const struct {
		enum ctl_takes takes;
		const char *option;
	} names[] = {
		{CTL_TAKES_FILTER, "--user, --address, --prefix and --transport choose sessions"},
		{CTL_TAKES_SORT, "--sort is for sessions"},
		{CTL_TAKES_FOR, "--for is of kick"},
		{CTL_TAKES_EVERY, "--every is of watch, status and drops"}};
	const struct ctl_command *command = options->command;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (options->given & ~command->takes & names[i].takes)
			return options_bad("%s: %s; see --help", command->name, names[i].option);
	}
	if (options->json && options->given & CTL_TAKES_SORT)
		return options_bad("--json shows sessions as they come; leave --sort out");
	if (options->instance && options->socket)
		return options_bad("-i and --socket name two daemons; one of them is enough");
	return true;
}

static bool ctl_options_words(int count, char *const words[], const struct ctl_command *commands,
			      struct ctl_options *options)
{
	const struct ctl_command *command = commands;

	if (count == 0)
		return options_bad("no command; see --help");
	while (command->name && strcmp(command->name, words[0]) != 0)
		command++;
	if (!command->name)
		return options_bad("unknown command \"%s\"; see --help", words[0]);
	options->command = command;
	if (count > (command->word ? 2 : 1))
		return options_bad("%s: too many words, from \"%s\" on", command->name,
				   words[command->word ? 2 : 1]);
	if (command->word && count == 1)
		return options_bad("%s: %s is missing", command->name, command->word);
	options->word = words[1];
	if (!command->word)
		return true;
	if (strcmp(command->word, "USER") == 0)
		return ctl_options_user(command->name, words[1]);
	return strcmp(words[1], "debug") == 0 || strcmp(words[1], "info") == 0 ||
	       options_bad("%s \"%s\": debug or info", command->name, words[1]);
}

enum options_result ctl_options_parse(int argc, char *const argv[],
				      const struct ctl_command *commands,
				      struct ctl_options *options)
{
	static const struct options_table table = {
		.letters = ":i:",
		.words = ctl_long_options,
		.usage = ctl_usage,
		.version = "dtcpctl " DTCP_VERSION,
		.take = ctl_options_take,
	};
	enum options_result result;

	memset(options, 0, sizeof(*options));
	options->every = 2;
	opterr = 0;
	result = options_read(&table, argc, argv, options);
	if (result == OPTIONS_OK &&
	    (!ctl_options_words(argc - optind, argv + optind, commands, options) ||
	     !ctl_options_fit(options)))
		result = OPTIONS_ERROR;
	return result;
}
