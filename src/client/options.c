/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, and the configuration file that it may name. */
#include "client/options.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/options.h"
#include "client/options_parts.h"
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options that are not settings, after those that are. */
enum { OPTION_CHECK = OPTION_OTHER + SETTINGS_MAX, OPTION_TARGET, OPTION_FORCE, OPTION_JSON };

/* These, --help, --version and the end of the table. */
enum { OPTIONS_MAX = SETTINGS_MAX + 7 };

/* Values derived from the name of a configuration. */
struct client_named {
	char file[sizeof(CLIENT_CONFIG_DIR "/.conf") + CLIENT_SERVER_NAME_MAX];
	char interface[IFNAMSIZ];
	char pidfile[sizeof(DTCP_RUNDIR "/dtcpclient-.pid") + NAME_MAX];
	char name[NAME_MAX + 1];
};

/* Options of the older client dtcpc. */
static const struct options_hint hints[] = {
	{'a', "--lan decides which networks are told of the prefix"},
	{'A', "--address names the address of the tunnel interface"},
	{'c', "the interface is made and removed without an option"},
	{'F', "--table names the routing table for what has a source of the tunnel"},
	{'i', "--interface names the tunnel interface"},
	{'o', "the interface is made and removed without an option"},
	{'P', "--lan gives the prefix to a network"},
	{'r', "--route says what is routed into the tunnel"},
	{'R', "--route says what is routed into the tunnel"},
	{'\0', NULL},
};

/* Words that a user may try as commands, for example those of dtcpctl. */
static const char *const commands[] = {"check", "connect", "disconnect", "down",   "help",
				       "list",	"log",	   "reconnect",	 "reload", "restart",
				       "show",	"start",   "status",	 "stop",   "up",
				       "usage", "version", "watch"};

/* --- the command line --------------------------------------------------------------------- */

static bool set(struct client_options *options, const char *key, const char *where,
		const char *value)
{
	return settings_set(&client_settings, options, settings_find(&client_settings, key), where,
			    value, 0);
}

static bool take_target(struct client_options *options, const char *text)
{
	options->check_target_named = true;
	return (inet_pton(AF_INET6, text, &options->check_target) == 1 &&
		prefix6_is_unicast(
			&(const struct prefix6){.addr = options->check_target, .len = 128})) ||
	       options_bad("--check-target %s: a global IPv6 address is needed", text);
}

static bool parse_option(void *arg, int option)
{
	struct client_options *options = arg;
	char where[sizeof("--") + SETTINGS_KEY_SIZE];
	size_t number;

	switch (option) {
	case 'D':
		options->daemon = true;
		return true;
	case 'n':
		return set(options, "nat-check", "-n", "no");
	case 'U':
		return set(options, "transport", "-U", "udp");
	case OPTION_CHECK:
		options->check = true;
		return true;
	case OPTION_TARGET:
		return take_target(options, optarg);
	case OPTION_FORCE:
		options->force = true;
		return true;
	case OPTION_JSON:
		options->json = true;
		return true;
	default:
		break;
	}
	if (option < OPTION_OTHER) {
		number = settings_find_letter(&client_settings, option);
		(void)snprintf(where, sizeof(where), "-%c", option);
	} else {
		number = (size_t)(option - OPTION_OTHER);
		(void)snprintf(where, sizeof(where), "--%s", client_settings.list[number].key);
	}
	/* An option without a value turns something on. */
	return settings_set(&client_settings, options, number, where, optarg ? optarg : "yes", 0);
}

/* A long option for each setting. */
static void long_options(struct option words[static OPTIONS_MAX])
{
	size_t n = client_settings.count;

	for (size_t i = 0; i < n; i++) {
		const struct setting *setting = &client_settings.list[i];
		bool plain = setting->choice == &setting_yes_no;

		words[i] =
			(struct option){setting->key, plain ? optional_argument : required_argument,
					NULL, OPTION_OTHER + (int)i};
	}
	words[n++] = (struct option){"check", no_argument, NULL, OPTION_CHECK};
	words[n++] = (struct option){"check-target", required_argument, NULL, OPTION_TARGET};
	words[n++] = (struct option){"force", no_argument, NULL, OPTION_FORCE};
	words[n++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
	words[n++] = (struct option){"json", no_argument, NULL, OPTION_JSON};
	words[n++] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
	words[n] = (struct option){NULL, 0, NULL, 0};
}

/* Parses the options, on top of the present values. The arguments then start at optind. */
static enum options_result parse_words(struct client_options *options, int argc, char *const argv[])
{
	struct option words[OPTIONS_MAX];
	const struct options_table table = {
		.letters = ":b:B:dDf:lm:np:s:t:u:U",
		.words = words,
		.usage = options_help,
		.version = "dtcpclient " DTCP_VERSION,
		.hints = hints,
		.take = parse_option,
	};

	long_options(words);
	return options_read(&table, argc, argv, options);
}

static bool parse_servers(struct client_options *options, int argc, char *const argv[])
{
	if (argc == 0 && options->n_servers == 0)
		return options_bad("the server's name is missing; see --help");
	if (argc > CLIENT_SERVERS_MAX)
		return options_bad("more than %d servers; see --help", CLIENT_SERVERS_MAX);
	for (int i = 0; i < argc; i++) {
		if (!options_server(options, "server", argv[i]))
			return false;
	}
	return true;
}

/* Warns of a server name that is probably something else. */
static void hint_at_server(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i]) == 0)
			log_warnx(
				"\"%s\" is taken for the name of a server: there are no commands; "
				"dtcpctl(8) has some for a client that runs",
				name);
	}
	if (len > 5 && strcmp(name + len - 5, ".conf") == 0)
		log_warnx("\"%s\" is taken for the name of a server: a file needs a slash, as in "
			  "./%s, and one in %s neither that nor the .conf",
			  name, name, CLIENT_CONFIG_DIR);
}

/* --- a named configuration ---------------------------------------------------------------- */

/* The file that the argument means, or NULL if it is a server. */
static const char *named_file(struct client_named *named, const char *word)
{
	/* But a URL is not a file. */
	if (strchr(word, '/') && !strstr(word, "://"))
		return word;
	if (word[0] == '\0' || strlen(word) > CLIENT_SERVER_NAME_MAX)
		return NULL;
	(void)snprintf(named->file, sizeof(named->file), "%s/%s.conf", CLIENT_CONFIG_DIR, word);
	/* An inaccessible file exists; file names cannot be as long as server names. */
	if (access(named->file, F_OK) == -1 &&
	    (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG))
		return NULL;
	return named->file;
}

/* Finds the file, if there is one, and sets options->source. False after options_bad(). */
static bool find_named(struct client_options *options, int argc, char *const argv[])
{
	for (int i = 0; i < argc && !options->source.file; i++) {
		options->source.file = named_file(options->named, argv[i]);
		if (options->source.file && argc > 1)
			return options_bad(
				"%s: a configuration, %s, beside which no other name can "
				"stand; servers of such names need --server",
				argv[i], options->source.file);
	}
	if (!options->source.file && argc > 0 && options->n_servers > 0)
		return options_bad("%s: there is no %s/%s.conf; with --server, the argument is a "
				   "configuration",
				   argv[0], CLIENT_CONFIG_DIR, argv[0]);
	return true;
}

/* Sets what the file leaves open, and what is derived from its name. */
static bool named_imply(struct client_options *options, const char *key, const char *value)
{
	size_t number = settings_find(&client_settings, key);
	char where[SETTINGS_WHERE_SIZE];

	(void)snprintf(where, sizeof(where), "%s: %s", options->source.file, key);
	return options->source.lines[number] > 0 ||
	       settings_set(&client_settings, options, number, where, value, SETTINGS_LINE_NONE);
}

/*
 * Names longer than an interface's can differ anywhere, and must not collide. The kernel rejects
 * those that collide nevertheless.
 */
static void name_interface(char interface[static IFNAMSIZ], const char *name, size_t len)
{
	static const uint64_t key[2];
	uint64_t words[NAME_MAX / sizeof(uint64_t) + 1] = {0};
	char text[sizeof(words)];
	int n;

	(void)snprintf(text, sizeof(text), "%.*s", (int)len, name);
	n = snprintf(interface, IFNAMSIZ, "dtcp-%s", text);
	if (n < IFNAMSIZ)
		return;
	memcpy(words, text, strlen(text));
	(void)snprintf(
		interface, IFNAMSIZ, "dtcp-%.6s%04x", text,
		(unsigned int)(hash_words(key, words, sizeof(words) / sizeof(words[0])) & 0xffff));
}

static bool read_named(struct client_options *options, const char *file, bool daemon)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	struct client_named *named = options->named;
	size_t len = strlen(name);

	if (access(file, F_OK) == -1 && errno == ENOENT)
		return options_bad("%s: there is no such file; dtcpclient.conf(5) says what "
				   "belongs there",
				   file);
	if (!configfile_read(&client_settings, options, file, true))
		return false;
	options->source.file = file;
	if (len > 5 && strcmp(name + len - 5, ".conf") == 0)
		len -= 5;
	(void)snprintf(named->name, sizeof(named->name), "%.*s", (int)len, name);
	name_interface(named->interface, name, len);
	(void)snprintf(named->pidfile, sizeof(named->pidfile), DTCP_RUNDIR "/dtcpclient-%.*s.pid",
		       (int)len, name);
	return named_imply(options, "transport", "auto") &&
	       named_imply(options, "interface", named->interface) &&
	       (!daemon || named_imply(options, "pidfile", named->pidfile));
}

/* Once more, with the file first, since the command line takes precedence. */
static bool parse_named(struct client_options *options, int argc, char *const argv[])
{
	struct client_named *named = options->named;
	const char *file = options->source.file;
	/* --check tests whether the daemon runs. */
	bool daemon = options->daemon || options->check;

	free(options->server_list);
	*options = (struct client_options){.named = named};
	settings_default(&client_settings, options);
	if (!read_named(options, file, daemon) || parse_words(options, argc, argv) != OPTIONS_OK)
		return false;
	return options->n_servers > 0 ||
	       options_bad("%s: the server is missing: server = NAME", file);
}

const char *client_options_name(const struct client_options *options)
{
	return options->source.file ? options->named->name : "";
}

/* --- the whole ---------------------------------------------------------------------------- */

bool client_options_keep_port(const struct client_options *options)
{
	return (options->udp_port_named && options->udp_port != 0) || options->nat_port != 0;
}

static bool parse_all(struct client_options *options, int argc, char *const argv[])
{
	if (!find_named(options, argc - optind, argv + optind))
		return false;
	if (options->source.file)
		return parse_named(options, argc, argv) && client_settings_finish(options);
	if (!parse_servers(options, argc - optind, argv + optind) ||
	    !client_settings_finish(options))
		return false;
	for (int i = optind; i < argc; i++)
		hint_at_server(argv[i]);
	return true;
}

enum options_result client_options_parse(struct client_options *options, int argc,
					 char *const argv[])
{
	enum options_result result;

	*options = (struct client_options){.named = malloc(sizeof(*options->named))};
	if (!options->named) {
		(void)options_bad("out of memory");
		return OPTIONS_ERROR;
	}
	settings_default(&client_settings, options);
	result = parse_words(options, argc, argv);
	if (result == OPTIONS_OK && !parse_all(options, argc, argv))
		result = OPTIONS_ERROR;
	if (result != OPTIONS_OK)
		client_options_free(options);
	return result;
}

enum options_result client_options_parse_room(struct client_options *options, int argc,
					      char *const argv[])
{
	enum options_result result;

	*options = (struct client_options){.named = NULL};
	settings_default(&client_settings, options);
	result = parse_words(options, argc, argv);
	if (result == OPTIONS_OK && (!parse_servers(options, argc - optind, argv + optind) ||
				     !client_settings_finish(options)))
		result = OPTIONS_ERROR;
	if (result != OPTIONS_OK)
		client_options_free(options);
	return result;
}

void client_options_free(struct client_options *options)
{
	settings_free(options);
	free(options->server_list);
	free(options->named);
}

char **client_options_words(const struct client_options *options, int argc, char *const argv[],
			    int *argc_out)
{
	const struct settings_source *source = &options->source;
	char **words = calloc(client_settings.count + (size_t)argc + 1, sizeof(*words));
	/* The file name is the last argument; getopt(3) has moved it there. */
	int end = source->file ? argc - 1 : argc;
	int n = 0;

	if (!words)
		return NULL;
	words[n++] = strdup(argv[0]);
	for (size_t i = 0; i < client_settings.count; i++) {
		if (source->lines[i] > 0 &&
		    asprintf(&words[n++], "--%s=%s", client_settings.list[i].key,
			     source->given[i]) == -1)
			words[n - 1] = NULL;
	}
	for (int i = 1; i < end; i++)
		words[n++] = strdup(argv[i]);
	for (int i = 0; i < n; i++) {
		if (!words[i]) {
			for (int j = 0; j < n; j++)
				free(words[j]);
			free(words);
			return NULL;
		}
	}
	*argc_out = n;
	return words;
}

void client_options_free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}
