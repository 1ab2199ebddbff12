/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of dtcpauth. */
#include "base/text.h"
#include "config.h"
#include "tools/auth.h"
#include "tools/auth_record.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char auth_help[] =
	"usage: dtcpauth [OPTION]... COMMAND [ARGUMENT]...\n"
	"\n"
	"Manages the users of the tunnel server dtcps, whether it is running or not.\n"
	"\n"
	"Users:\n"
	"  add USER            add a user; prompts for the password at a terminal, else\n"
	"                      reads it as one line from standard input\n"
	"  passwd USER         give the user another password\n"
	"  set USER KEY=VALUE...\n"
	"                      change the user's settings: prefix, types,\n"
	"                      transports, expires, disabled, note\n"
	"  del USER            delete the user, and release prefixes and addresses\n"
	"  list                show all users, with their prefixes and addresses\n"
	"  show USER           show one of them\n"
	"\n"
	"Many users at once:\n"
	"  import FILE...      add and change users: from a table (CSV), or from lists of\n"
	"                      the old server; - is standard input\n"
	"  export              write a table of all users\n"
	"\n"
	"Leases, the prefixes and addresses that users keep from login to login:\n"
	"  lease list [USER]   show them, including dormant ones of earlier pools\n"
	"  lease drop USER [LEASE]\n"
	"                      release one, or all of the user\n"
	"\n"
	"Sessions, kept as long as the server is set to (history.keep):\n"
	"  history [USER]      show them, the oldest first\n"
	"\n"
	"Options:\n"
	"  --database FILE     the user database (" DTCP_DATABASE ")\n"
	"  --prefix PREFIX     for add: fixed prefix of the user, as 2001:db8:100::/48;\n"
	"                      for history: only sessions that overlap it\n"
	"  --address ADDRESS   for history: only sessions that had it, or (IPv4) from it\n"
	"  --at TIME           for history: only those up at that time, 2027-12-31 or\n"
	"                      2027-12-31T18:00+01:00\n"
	"  --json              for show, list and history: write JSON\n"
	"  --dry-run           for import: only print what it would do\n"
	"  --passwords         for export: include the passwords\n"
	"  --help              show this text\n"
	"  --version           show the version\n"
	"\n"
	"See dtcpauth(8).\n";

enum {
	OPTION_DATABASE = 256, /* above all single letters */
	OPTION_PREFIX,
	OPTION_ADDRESS,
	OPTION_AT,
	OPTION_JSON,
	OPTION_DRY_RUN,
	OPTION_PASSWORDS,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option auth_long_options[] = {
	{"database", required_argument, NULL, OPTION_DATABASE},
	{"prefix", required_argument, NULL, OPTION_PREFIX},
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"at", required_argument, NULL, OPTION_AT},
	{"json", no_argument, NULL, OPTION_JSON},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"passwords", no_argument, NULL, OPTION_PASSWORDS},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static const struct auth_command {
	const char *name;
	const char *words; /* what each argument is, at least one is required; NULL: no arguments */
	bool takes_user;
	bool optional_user;
	bool takes_prefix;
	bool takes_lease; /* or "none" */
	bool takes_json;
	bool searches; /* takes --prefix, --address, --at */
	bool takes_dry_run;
	bool takes_passwords;
} auth_commands[] = {
	{.name = "add", .takes_user = true, .takes_prefix = true},
	{.name = "passwd", .takes_user = true},
	{.name = "set", .takes_user = true, .words = "KEY=VALUE"},
	{.name = "del", .takes_user = true},
	{.name = "list", .takes_json = true},
	{.name = "show", .takes_user = true, .takes_json = true},
	{.name = "import", .words = "FILE", .takes_dry_run = true},
	{.name = "export", .takes_passwords = true},
	{.name = "history",
	 .takes_user = true,
	 .optional_user = true,
	 .searches = true,
	 .takes_json = true},
	{.name = "lease list", .takes_user = true, .optional_user = true},
	{.name = "lease drop", .takes_user = true, .takes_lease = true},
};

/* Options of the old server's user management, and what replaces them. */
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
	bool plain;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	/* Stays one line without terminal control characters, whatever the input contains.
	 */
	plain = text_is_plain(line);
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f || (!plain && !isascii(*c)))
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

/* Parses --prefix; fixed: it is to be assigned, which has more conditions than a search. */
static bool auth_parse_prefix(bool fixed, struct auth_options *options, int *status)
{
	char why[AUTH_WHY_SIZE];
	enum prefix_error error;

	if (!options->prefix_text)
		return true;
	if (fixed) {
		options->has_prefix =
			auth_prefix_check(options->prefix_text, &options->prefix, why);
	} else {
		error = prefix6_parse(options->prefix_text, &options->prefix);
		options->has_prefix = error == PREFIX_OK;
		(void)snprintf(why, sizeof(why), "%.64s %s", options->prefix_text,
			       prefix_error_text(error));
	}
	if (!options->has_prefix)
		*status = auth_fail(AUTH_USAGE, "--prefix %s", why);
	return options->has_prefix;
}

/* An address is accepted as a lease, too. */
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

/* How many words the command's name takes; 0: the words are not this command. */
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

/* Whether the command accepts all given options. */
static bool auth_check_options(const struct auth_command *command,
			       const struct auth_options *options, int *status)
{
	const struct {
		const char *option;
		bool given;
		bool taken;
	} checks[] = {
		{"prefix", options->prefix_text, command->takes_prefix || command->searches},
		{"address", options->address, command->searches},
		{"at", options->at, command->searches},
		{"json", options->json, command->takes_json},
		{"dry-run", options->dry_run, command->takes_dry_run},
		{"passwords", options->passwords, command->takes_passwords},
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].given && !checks[i].taken)
			return auth_usage(status, "%s takes no --%s", command->name,
					  checks[i].option);
	}
	return true;
}

/* Checks what follows the options on the command line: the command and its arguments. */
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
	if (!auth_check_options(command, options, status) ||
	    !auth_parse_prefix(command->takes_prefix, options, status))
		return false;
	if (options->has_prefix && options->address)
		return auth_usage(status, "%s takes --prefix or --address, not both",
				  command->name);
	if (command->takes_user && taken == count && !command->optional_user)
		return auth_usage(status, "%s: no user given", command->name);
	if (command->takes_user && taken < count &&
	    !auth_parse_user(words[taken++], options, status))
		return false;
	if (command->takes_lease && taken < count &&
	    !auth_parse_lease(words[taken++], options, status))
		return false;
	if (command->words) {
		options->words = words + taken;
		options->n_words = count - taken;
		return taken < count ||
		       auth_usage(status, "%s: no %s given", command->name, command->words);
	}
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
			options->prefix_text = optarg;
			break;
		case OPTION_ADDRESS:
			options->address = optarg;
			break;
		case OPTION_AT:
			options->at = optarg;
			break;
		case OPTION_JSON:
			options->json = true;
			break;
		case OPTION_DRY_RUN:
			options->dry_run = true;
			break;
		case OPTION_PASSWORDS:
			options->passwords = true;
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
			/*
			 * For a long option, the name is in the preceding argument; for a letter,
			 * optind may not have advanced yet.
			 */
			if (optopt > 0 && optopt < 256) {
				char letter[3] = {'-', (char)optopt, '\0'};

				return auth_unknown(status, "unknown", letter);
			}
			return auth_unknown(status, "bad", argv[optind - 1]);
		}
	}
	return auth_parse_words(argc - optind, argv + optind, options, status);
}
