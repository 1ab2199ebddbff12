/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of dtcpauth. */
#include "config.h"
#include "tools/auth.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char auth_help[] =
	"usage: dtcpauth [OPTION]... COMMAND [USER] [LEASE]\n"
	"\n"
	"Manages the users of the tunnel server dtcps, while it runs or not.\n"
	"\n"
	"Users:\n"
	"  add USER            add a user; the password is asked for at a terminal, else\n"
	"                      read as one line from standard input\n"
	"  passwd USER         give the user another password\n"
	"  del USER            delete the user; prefixes and addresses become free\n"
	"  list                show all users, with what the last login got them\n"
	"  show USER           show one of them\n"
	"\n"
	"Leases, the prefixes and addresses that users keep from login to login:\n"
	"  lease list [USER]   show them, with those that wait for their pool\n"
	"  lease drop USER [LEASE]\n"
	"                      set one free, or all that the user has\n"
	"\n"
	"Options:\n"
	"  --database FILE     the user database (" DTCP_DATABASE ")\n"
	"  --prefix PREFIX     of add: always give the user this, as 2001:db8:100::/48\n"
	"  --help              show this text\n"
	"  --version           show the version\n"
	"\n"
	"See dtcpauth(8).\n";

enum {
	OPTION_DATABASE = 256, /* no single letter has such a number */
	OPTION_PREFIX,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option auth_long_options[] = {
	{"database", required_argument, NULL, OPTION_DATABASE},
	{"prefix", required_argument, NULL, OPTION_PREFIX},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static const struct auth_command {
	const char *name;
	bool takes_user;
	bool optional_user;
	bool takes_prefix;
	bool takes_lease; /* or none */
} auth_commands[] = {
	{.name = "add", .takes_user = true, .takes_prefix = true},
	{.name = "passwd", .takes_user = true},
	{.name = "del", .takes_user = true},
	{.name = "list"},
	{.name = "show", .takes_user = true},
	{.name = "lease list", .takes_user = true, .optional_user = true},
	{.name = "lease drop", .takes_user = true, .takes_lease = true},
};

/* What the programs that managed the users of the old server called what we call otherwise. */
static const struct {
	const char *letter;
	const char *word;
	const char *now;
} auth_old[] = {
	{"-d", "--delete", "dtcpauth del USER"},
	{"-i", "--init", "dtcpauth add USER, which makes the database if there is none"},
	{"-l", "--list", "dtcpauth list, or dtcpauth show USER"},
	{"-u", "--user", "dtcpauth add USER, or dtcpauth passwd USER"},
};

int auth_fail(int status, const char *format, ...)
{
	char line[2 * BUFSIZ];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	/* One line it stays, whatever was on the command line. */
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	(void)fprintf(stderr, "dtcpauth: %s\n", line);
	return status;
}

static bool __attribute__((format(printf, 2, 3))) auth_usage(int *status, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	*status = auth_fail(AUTH_USAGE, "%s; see dtcpauth --help", text);
	return false;
}

static bool auth_unknown(int *status, const char *why, const char *option)
{
	for (size_t i = 0; i < sizeof(auth_old) / sizeof(auth_old[0]); i++) {
		if (strcmp(option, auth_old[i].letter) == 0 ||
		    strcmp(option, auth_old[i].word) == 0) {
			*status = auth_fail(AUTH_USAGE, "unknown option %s; there is: %s", option,
					    auth_old[i].now);
			return false;
		}
	}
	return auth_usage(status, "%s option %.64s", why, option);
}

static bool auth_parse_prefix(const char *text, struct auth_options *options, int *status)
{
	enum prefix_error error = prefix6_parse(text, &options->prefix);

	if (error != PREFIX_OK) {
		*status = auth_fail(AUTH_USAGE, "--prefix %s %s", text, prefix_error_text(error));
		return false;
	}
	if (!prefix6_in_unicast(&options->prefix)) {
		*status = auth_fail(AUTH_USAGE,
				    "--prefix %s is not in global unicast (2000::/3) or unique "
				    "local (fc00::/7) space",
				    text);
		return false;
	}
	if (!prefix6_is_unicast(&options->prefix)) {
		*status = auth_fail(AUTH_USAGE,
				    "--prefix %s is too short: lengths from %d to 128 are possible",
				    text, PREFIX6_SITE_LEN_MIN);
		return false;
	}
	options->has_prefix = true;
	return true;
}

/* An address is a lease as well. */
static bool auth_parse_lease(const char *word, struct auth_options *options, int *status)
{
	char text[PREFIX6_STRLEN + 4];
	enum prefix_error error = PREFIX_SYNTAX;

	if (strlen(word) < PREFIX6_STRLEN) {
		(void)snprintf(text, sizeof(text), strchr(word, '/') ? "%s" : "%s/128", word);
		error = prefix6_parse(text, &options->prefix);
	}
	options->has_prefix = error == PREFIX_OK;
	if (error != PREFIX_OK)
		*status = auth_fail(AUTH_USAGE, "lease %.64s %s", word, prefix_error_text(error));
	return options->has_prefix;
}

/* The words of a command; 0: these are others. */
static int auth_command_words(const struct auth_command *command, int count, char **words)
{
	const char *blank = strchr(command->name, ' ');
	size_t len = blank ? (size_t)(blank - command->name) : strlen(command->name);

	if (count < 1 || strlen(words[0]) != len || strncmp(words[0], command->name, len) != 0)
		return 0;
	if (!blank)
		return 1;
	return count > 1 && strcmp(words[1], blank + 1) == 0 ? 2 : 0;
}

static bool auth_parse_user(const char *user, struct auth_options *options, int *status)
{
	options->user = user;
	if (dtcp_user_valid(user))
		return true;
	*status = auth_fail(AUTH_USAGE,
			    "not a possible user name: it has 1 to %d printable ASCII "
			    "characters, no blank and no colon",
			    DTCP_USER_MAX);
	return false;
}

/* Checks what is left of the command line when the options are gone: the command and its user. */
static bool auth_parse_words(int count, char **words, struct auth_options *options, int *status)
{
	const size_t n = sizeof(auth_commands) / sizeof(auth_commands[0]);
	const struct auth_command *command = NULL;
	int taken = 0;

	if (count == 0)
		return auth_usage(status, "no command");
	for (size_t i = 0; i < n && taken == 0; i++) {
		command = &auth_commands[i];
		taken = auth_command_words(command, count, words);
	}
	if (taken == 0 && strcmp(words[0], "lease") == 0)
		return auth_usage(status, "lease: \"list\" or \"drop\" comes next");
	if (taken == 0)
		return auth_usage(status, "unknown command \"%.64s\"", words[0]);
	options->command = command->name;
	if (options->has_prefix && !command->takes_prefix)
		return auth_usage(status, "%s takes no --prefix", command->name);
	if (command->takes_user && taken == count && !command->optional_user)
		return auth_usage(status, "%s: no user given", command->name);
	if (command->takes_user && taken < count &&
	    !auth_parse_user(words[taken++], options, status))
		return false;
	if (command->takes_lease && taken < count &&
	    !auth_parse_lease(words[taken++], options, status))
		return false;
	return taken == count || auth_usage(status, "%s: too many words", command->name);
}

bool auth_parse(int argc, char **argv, struct auth_options *options, int *status)
{
	int option;

	memset(options, 0, sizeof(*options));
	options->database = DTCP_DATABASE;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", auth_long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_DATABASE:
			options->database = optarg;
			break;
		case OPTION_PREFIX:
			if (!auth_parse_prefix(optarg, options, status))
				return false;
			break;
		case OPTION_HELP:
			(void)fputs(auth_help, stdout);
			*status = AUTH_OK;
			return false;
		case OPTION_VERSION:
			(void)puts("dtcpauth " DTCP_VERSION);
			*status = AUTH_OK;
			return false;
		case ':':
			return auth_usage(status, "option %.64s needs a value", argv[optind - 1]);
		default:
			/* Of a long option all is in the word just passed; of a letter, the word
			 * may not be passed yet. */
			if (optopt > 0 && optopt < 256) {
				char letter[3] = {'-', (char)optopt, '\0'};

				return auth_unknown(status, "unknown", letter);
			}
			return auth_unknown(status, "bad", argv[optind - 1]);
		}
	}
	return auth_parse_words(argc - optind, argv + optind, options, status);
}
