/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/hook.h"

#include "base/log.h"
#include "client/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Size of the longest variable: all prefixes of a reply, with its name. */
enum { HOOK_VALUE_MAX = DTCP_PREFIXES_MAX * PREFIX6_STRLEN + 16, HOOK_VARIABLES = 17 };

/* The script's PATH, which is also searched for -s if ours is not set. */
static const char hook_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct hook_environment {
	char text[HOOK_VARIABLES][HOOK_VALUE_MAX];
	char *list[HOOK_VARIABLES + 1];
	size_t count;
};

/* One variable, "name=value". */
__attribute__((format(printf, 2, 3))) static void hook_set(struct hook_environment *environment,
							   const char *format, ...)
{
	char *text = environment->text[environment->count];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, HOOK_VALUE_MAX, format, ap);
	va_end(ap);
	environment->list[environment->count++] = text;
}

static void hook_set_ipv4(struct hook_environment *environment, const char *name,
			  struct in_addr addr)
{
	char text[INET_ADDRSTRLEN];

	hook_set(environment, "%s=%s", name, inet_ntop(AF_INET, &addr, text, sizeof(text)));
}

static void hook_set_ipv6(struct hook_environment *environment, const char *name, bool there,
			  const struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	hook_set(environment, "%s=%s", name,
		 there ? inet_ntop(AF_INET6, addr, text, sizeof(text)) : "");
}

bool hook_wanted(const struct client_options *options)
{
	static enum { UNDECIDED, WANTED, UNWANTED } decision = UNDECIDED;
	bool there = options->script_named || access(options->script, X_OK) == 0;

	if (decision == UNDECIDED)
		decision = there ? WANTED : UNWANTED;
	else if (decision == UNWANTED && there)
		log_warnx("%s was not there at the start, so it is not run; start dtcpclient anew "
			  "to have it run",
			  options->script);
	return decision == WANTED;
}

static bool hook_can_run(const char *path)
{
	struct stat status;

	if (stat(path, &status) == -1 || access(path, X_OK) == -1)
		return false;
	errno = S_ISDIR(status.st_mode) ? EISDIR : EACCES;
	return S_ISREG(status.st_mode);
}

/* Searches like a shell, but never in a folder relative to the current directory. */
static bool hook_search(const char *name, char path[static CLIENT_SCRIPT_SIZE])
{
	const char *folders = getenv("PATH");

	if (!folders)
		folders = hook_path;
	while (*folders) {
		size_t len = strcspn(folders, ":");
		int used = snprintf(path, CLIENT_SCRIPT_SIZE, "%.*s/%s", (int)len, folders, name);

		if (folders[0] == '/' && used < CLIENT_SCRIPT_SIZE && hook_can_run(path))
			return true;
		folders += len + (folders[len] == ':');
	}
	return false;
}

bool hook_find(const struct client_options *options, char path[static CLIENT_SCRIPT_SIZE])
{
	const char *command = options->script;
	char name[CLIENT_SCRIPT_SIZE];
	size_t len = strlen(command);

	if (options->script_named) {
		command += strspn(command, CLIENT_SCRIPT_BLANKS);
		len = strcspn(command, CLIENT_SCRIPT_BLANKS);
	}
	if (len >= sizeof(name))
		return options_bad("-s: the path is longer than %zu characters", sizeof(name) - 1);
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, command);
	(void)strlcpy(path, name, CLIENT_SCRIPT_SIZE);
	if (!options->script_named)
		return true;
	if (!strchr(name, '/'))
		return hook_search(name, path) ||
		       options_bad("-s %s: no such command in PATH; a file here is named as ./%s",
				   name, name);
	return hook_can_run(path) || options_bad("-s %s: cannot be run: %s", path, strerror(errno));
}

/*
 * The argument vector: the path found, and the further words of -s, which become separate strings
 * in text. NULL if memory is short.
 */
static char **hook_words(const struct client_options *options, char *path, char *text)
{
	char **words = calloc(strlen(text) / 2 + 3, sizeof(*words));
	size_t count = 0;
	char *word;

	if (!words)
		return NULL;
	while (options->script_named && (word = strsep(&text, CLIENT_SCRIPT_BLANKS))) {
		if (*word)
			words[count++] = word;
	}
	words[0] = path;
	return words;
}

/* Runs the script found at the start, with the arguments of the command line. */
static struct script *hook_run(struct event_base *base, const struct client_options *options,
			       const char *found, char *const environment[], script_done done,
			       void *arg)
{
	struct script *script = NULL;
	char *path = strdup(found);
	char *text = strdup(options->script);
	char **words = path && text ? hook_words(options, path, text) : NULL;

	if (words)
		script = script_start(base, words, environment, done, arg);
	else
		log_warnx("cannot run %s: out of memory", found);
	free(words);
	free(text);
	free(path);
	return script;
}

struct script *hook_start(struct event_base *base, const struct client_options *options,
			  const char *state, const struct client_guard *told, script_done done,
			  void *arg)
{
	const struct client_tunnel *tunnel = &told->tunnel;
	const struct dtcp_reply *reply = &tunnel->reply;
	struct hook_environment environment = {.count = 0};
	char prefixes[DTCP_PREFIXES_MAX * PREFIX6_STRLEN] = "";

	for (size_t i = 0; i < reply->n_prefixes; i++) {
		char text[PREFIX6_STRLEN];

		if (i > 0)
			(void)strlcat(prefixes, " ", sizeof(prefixes));
		(void)strlcat(prefixes, prefix6_format(&reply->prefixes[i], text),
			      sizeof(prefixes));
	}
	hook_set(&environment, "PATH=%s", hook_path);
	hook_set(&environment, "state=%s", state);
	hook_set(&environment, "server=%s", options->servers[tunnel->server_index]);
	hook_set_ipv4(&environment, "server_addr", tunnel->server);
	hook_set_ipv4(&environment, "myaddr", tunnel->myaddr);
	hook_set(&environment, "tuntype=%s", tunnel_type_name(tunnel_type(tunnel, options)));
	hook_set_ipv4(&environment, "me", reply->me);
	hook_set_ipv4(&environment, "her", reply->her);
	hook_set_ipv6(&environment, "me6", reply->has_me6, &reply->me6);
	hook_set_ipv6(&environment, "her6", reply->has_her6, &reply->her6);
	hook_set(&environment, "prefix=%s", prefixes);
	hook_set(&environment, "tunif=%s", options->no_device ? "" : told->interface);
	hook_set(&environment, "mtu=%u", options->mtu);
	hook_set(&environment, "proto=%s", reply->udp_port ? "udp" : "ipv6");
	hook_set(&environment, "user=%s", told->user);
	/* Ports are for tunnels over UDP; precision 0 makes the text empty. */
	hook_set(&environment, "my_port=%.0u", reply->udp_port ? tunnel->my_port : 0);
	hook_set(&environment, "her_port=%.0u", reply->udp_port);
	return hook_run(base, options, told->script, environment.list, done, arg);
}
