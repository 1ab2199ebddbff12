/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/options.h"

#include "base/options.h"
#include "base/settings.h"
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_CHECK = SERVER_OPTION_LOG_FORMAT + 1, OPTION_SUGGEST };

static const struct option long_options[] = {
	{"check", no_argument, NULL, OPTION_CHECK},
	{"control-socket", required_argument, NULL, SERVER_OPTION_CONTROL},
	{"help", no_argument, NULL, OPTION_HELP},
	{"log-format", required_argument, NULL, SERVER_OPTION_LOG_FORMAT},
	{"suggest", no_argument, NULL, OPTION_SUGGEST},
	{"user", required_argument, NULL, SERVER_OPTION_USER},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* -c and -o of the old server had no value. */
#define HINT_CONFIG  "it is a file with settings; interfaces are made and removed without an option"
#define HINT_SETTING "it is key=value; interfaces are made and removed without an option"

static const struct options_hint hints[] = {
	{'c', HINT_CONFIG},
	{'F', "ip-rule(8) chooses the routing table for what comes out of the tunnels"},
	{'i', "it is the name of an interface, such as dtcps0"},
	{'I', "tunnels over UDP use the interface of -i, and -U offers them"},
	{'o', HINT_SETTING},
	{'\0', NULL},
};

static bool set_file(struct server_options *options, const char *file)
{
	if (file[0] == '\0')
		return options_bad("-c: a value is needed");
	/* Probably the old server's next argument: an option, its prefix, or more letters. */
	if (!strpbrk(file, "/.") && access(file, F_OK) == -1 && errno == ENOENT)
		return options_bad("-c %s: no such file; " HINT_CONFIG, file);
	options->source.file = file;
	return true;
}

/* The name of a tunnel interface on BSD systems, which only the old server takes. */
static bool is_old_interface(const char *name)
{
	size_t len = strncmp(name, "gif", 3) == 0 ? 3 : strncmp(name, "ng", 2) == 0 ? 2 : 0;

	return len > 0 && name[len + strspn(name + len, "0123456789")] == '\0';
}

static bool parse_setting(struct server_options *options, int option)
{
	const char letter[] = {'-', (char)option, '\0'};
	const char *where = option == SERVER_OPTION_USER	 ? "--user"
			    : option == SERVER_OPTION_CONTROL	 ? "--control-socket"
			    : option == SERVER_OPTION_LOG_FORMAT ? "--log-format"
								 : letter;
	size_t number = settings_find_letter(&server_settings, option);

	if (number == server_settings.count)
		return false;
	if (option == 'i')
		options->old_interface = is_old_interface(optarg);
	/* An option without a value turns something on. */
	return settings_set(&server_settings, options, number, where, optarg ? optarg : "yes", 0);
}

static bool parse_option(void *arg, int option)
{
	struct server_options *options = arg;

	switch (option) {
	case 'c':
		return set_file(options, optarg);
	case 'D':
		options->daemon = true;
		return true;
	case 'o':
		options->list |= strcmp(optarg, "help") == 0;
		return options->list ||
		       settings_set_pair(&server_settings, options, optarg, HINT_SETTING);
	case OPTION_CHECK:
		options->check = true;
		return true;
	case OPTION_SUGGEST:
		options->suggest = true;
		return true;
	default:
		return parse_setting(options, option);
	}
}

/* Parses the command line, on top of the present values. */
static enum options_result parse_words(struct server_options *options, int argc, char *const argv[])
{
	static const struct options_table table = {
		.letters = ":ab:c:dDf:g:i:o:p:U",
		.words = long_options,
		.usage = server_help,
		.version = "dtcps " DTCP_VERSION,
		.hints = hints,
		.take = parse_option,
	};
	enum options_result result;

	result = options_read(&table, argc, argv, options);
	if (result == OPTIONS_OK && options->list) {
		settings_print(&server_settings);
		return OPTIONS_DONE;
	}
	if (result != OPTIONS_OK)
		return result;
	if (argc - optind > 1) {
		(void)options_bad("%s: at most one prefix; see --help", argv[optind + 1]);
		return OPTIONS_ERROR;
	}
	if (argc > optind &&
	    !settings_set(&server_settings, options, settings_find(&server_settings, "host.prefix"),
			  "prefix", argv[optind], 0))
		return OPTIONS_ERROR;
	options->old_prefix = argc > optind && !strchr(argv[optind], '/');
	/* The old server's boot script would wait forever. */
	if (options->old_interface && !options->daemon && !options->check && !options->suggest) {
		(void)options_bad("-i %s: such a name is the old server's, which became a daemon "
				  "by itself; add -D, or stay in the foreground with another name",
				  options->interface);
		return OPTIONS_ERROR;
	}
	return OPTIONS_OK;
}

void server_options_default(struct server_options *options)
{
	*options = (struct server_options){0};
	settings_default(&server_settings, options);
}

enum options_result server_options_parse(struct server_options *options, int argc,
					 char *const argv[])
{
	const char *file;
	enum options_result result;

	/* Once for the name of the file, and once more after it to take precedence. */
	server_options_default(options);
	result = parse_words(options, argc, argv);
	if (result != OPTIONS_OK)
		return result;
	file = options->source.file;
	server_options_default(options);
	if (!configfile_read(&server_settings, options, file ? file : SERVER_CONFIGFILE,
			     file != NULL) ||
	    parse_words(options, argc, argv) != OPTIONS_OK || !server_settings_finish(options)) {
		settings_free(options);
		return OPTIONS_ERROR;
	}
	options->source.file = file ? file : SERVER_CONFIGFILE;
	if (options->daemon && !options->pidfile)
		options->pidfile = DTCP_RUNDIR "/dtcps.pid";
	return OPTIONS_OK;
}

enum options_result server_options_parse_room(struct server_options *options, int argc,
					      char *const argv[])
{
	enum options_result result;

	server_options_default(options);
	result = parse_words(options, argc, argv);
	return result == OPTIONS_OK && !server_settings_finish(options) ? OPTIONS_ERROR : result;
}

void server_options_free(struct server_options *options)
{
	settings_free(options);
}

char **server_options_words(const struct server_options *options, const char *program, int *argc)
{
	/* The program, -D, "-okey=value" for each, and the NULL. */
	char **words = calloc(2 + server_settings.count + 1, sizeof(*words));
	char buf[SETTINGS_TEXT_SIZE];
	int n = 0;

	if (!words)
		return NULL;
	words[n++] = strdup(program);
	if (options->daemon)
		words[n++] = strdup("-D");
	for (size_t i = 0; i < server_settings.count; i++) {
		const char *value = settings_value(&server_settings, options, i, buf);

		if (value[0] == '\0')
			continue;
		if (asprintf(&words[n], "-o%s=%s", server_settings.list[i].key, value) == -1)
			words[n] = NULL;
		n++;
	}
	for (int i = 0; i < n; i++) {
		if (!words[i]) {
			server_options_free_words(words, n);
			return NULL;
		}
	}
	*argc = n;
	return words;
}

void server_options_free_words(char **words, int argc)
{
	for (int i = 0; words && i < argc; i++)
		free(words[i]);
	free(words);
}
