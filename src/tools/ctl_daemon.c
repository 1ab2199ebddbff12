/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects the daemon, and reports errors of connecting and asking. */
#include "ctl/listen.h"
#include "tools/ctl.h"
#include "tools/ctl_lock.h"
#include "tools/ctl_text.h"
#include "tools/ctl_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIST_MAX 400

const char *ctl_daemon_name(const struct ask_daemon *daemon, char buf[static ASK_PATH_SIZE + 32])
{
	if (*daemon->interface)
		(void)snprintf(buf, ASK_PATH_SIZE + 32, "%s (%s)", daemon->interface,
			       ask_program(daemon));
	else
		(void)strlcpy(buf, daemon->path, ASK_PATH_SIZE + 32);
	return buf;
}

enum ctl_status ctl_daemon_refused(const struct ask_daemon *daemon, int rc)
{
	char name[ASK_PATH_SIZE + 32];

	ctl_daemon_name(daemon, name);
	switch (-rc) {
	case EACCES:
	case EPERM:
		return ctl_fail(CTL_DENIED,
				"%s: permission denied; this takes root, or for looking "
				"the group dtcp",
				name);
	case ENOENT:
	case ECONNREFUSED:
		return ctl_fail(CTL_NONE, "%s: no daemon runs there", name);
	case EAGAIN:
		return ctl_fail(CTL_FAILED, "%s: too many others wait for it; try again", name);
	default:
		return ctl_fail(CTL_FAILED, "%s: %s", name, strerror(-rc));
	}
}

enum ctl_status ctl_daemon_open(const struct ask_daemon *daemon, struct ask **out)
{
	int rc = ctl_lock_take(daemon->path, out);

	return rc == 0 ? CTL_OK : ctl_daemon_refused(daemon, rc);
}

/* The program that has a command which the other lacks. */
static const char *ctl_daemon_has(enum ctl_who who)
{
	return who == CTL_SERVER ? "dtcps" : "dtcpclient";
}

enum ctl_status ctl_daemon_said_no(const struct ctl_options *options,
				   const struct ask_daemon *daemon, const struct ask *ask,
				   enum ask_state state)
{
	const struct ctl_command *command = options->command;
	char name[ASK_PATH_SIZE + 32];
	enum ctl_status status = CTL_FAILED;

	/* With --socket, the kind of daemon is known only from its answer. */
	if (state == ASK_NO && strcmp(ask_code(ask), "unknown") == 0 && command->who != CTL_BOTH)
		return ctl_fail(CTL_USAGE, "%s: %s has no such command; only %s has", command->name,
				ctl_daemon_name(daemon, name), ctl_daemon_has(command->who));
	if (state == ASK_NO && strcmp(ask_code(ask), "denied") == 0)
		status = CTL_DENIED;
	return ctl_fail(status, "%s: %s", ctl_daemon_name(daemon, name), ask_error(ask));
}

int ctl_daemons(struct ask_daemon **out)
{
	int count = ask_find(CTL_FOLDER, out), kept = 0;

	for (int i = 0; i < count; i++) {
		int rc = ctl_lock_connect((*out)[i].path);

		if (rc != -ENOENT && rc != -ECONNREFUSED)
			(*out)[kept++] = (*out)[i];
	}
	return count < 0 ? count : kept;
}

static const char *ctl_daemon_list(const struct ask_daemon *list, int count,
				   char buf[static LIST_MAX])
{
	char name[ASK_PATH_SIZE + 32];

	buf[0] = '\0';
	for (int i = 0; i < count; i++) {
		(void)strlcat(buf, i > 0 ? ", " : "", LIST_MAX);
		(void)strlcat(buf, ctl_daemon_name(&list[i], name), LIST_MAX);
	}
	return buf;
}

/* Whether a client's answer has this configuration name. */
static bool ctl_daemon_called(const struct ask_daemon *daemon, const char *instance)
{
	json_t *question = json_pack("{ss}", "command", "status");
	struct ask *ask = NULL;
	bool called = false, good;

	good = daemon->client && question && ctl_lock_take(daemon->path, &ask) == 0 &&
	       ask_begin(ask, question, CTL_LIMIT, NULL, NULL) == 0 && ask_finish(ask) == ASK_OK;
	if (good) {
		called = strcmp(ctl_value_text(ask_last(ask), "status.name"), instance) == 0;
		ctl_lock_give(daemon->path, ask);
	} else {
		ask_close(ask);
	}
	json_decref(question);
	return called;
}

/* Keeps the daemons with that interface or, if there is none, configuration name. */
static int ctl_daemon_instances(struct ask_daemon *list, int count, const char *instance)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		if (strcmp(list[i].interface, instance) == 0)
			list[kept++] = list[i];
	}
	for (int i = 0; i < count && kept == 0; i++) {
		if (ctl_daemon_called(&list[i], instance))
			list[kept++] = list[i];
	}
	return kept;
}

/* Keeps the daemons that have the command. */
static int ctl_daemon_have(struct ask_daemon *list, int count, enum ctl_who who)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		if (who & (list[i].client ? CTL_CLIENT : CTL_SERVER))
			list[kept++] = list[i];
	}
	return kept;
}

static enum ctl_status ctl_daemon_pick(const struct ctl_options *options, struct ask_daemon *list,
				       int count, struct ask_daemon *out)
{
	const struct ctl_command *command = options->command;
	const char *who = ctl_daemon_has(command->who);
	char there[LIST_MAX];
	int fit;

	if (count == 0)
		return ctl_fail(CTL_NONE, "no daemon runs here (none answers in " CTL_FOLDER "); "
					  "start dtcps(8) or dtcpclient(8), or name its --socket");
	ctl_daemon_list(list, count, there);
	fit = count;
	if (options->instance) {
		fit = ctl_daemon_instances(list, count, options->instance);
		if (fit == 0)
			return ctl_fail(CTL_NONE,
					"-i %s: there is no such daemon here; there is %s",
					options->instance, there);
		ctl_daemon_list(list, fit, there);
	}
	fit = ctl_daemon_have(list, fit, command->who);
	if (fit == 0 && options->instance)
		return ctl_fail(CTL_USAGE, "%s: %s has no such command; only %s has", command->name,
				there, who);
	if (fit == 0)
		return ctl_fail(CTL_NONE,
				"%s: only %s has this command, and none runs here; there "
				"is %s",
				command->name, who, there);
	if (fit > 1)
		return ctl_fail(CTL_USAGE, "several daemons run here; choose one with -i: %s",
				ctl_daemon_list(list, fit, there));
	*out = list[0];
	return CTL_OK;
}

enum ctl_status ctl_daemon_choose(const struct ctl_options *options, struct ask_daemon *list,
				  int count, struct ask_daemon *out)
{
	enum ctl_status status;

	memset(out, 0, sizeof(*out));
	if (options->socket) {
		if (strlcpy(out->path, options->socket, sizeof(out->path)) < sizeof(out->path))
			return CTL_OK;
		return ctl_fail(CTL_USAGE, "--socket: a path has at most %zu octets",
				sizeof(out->path) - 1);
	}
	if (count == -EACCES)
		return ctl_fail(CTL_DENIED, CTL_FOLDER ": permission denied; this takes root, or "
						       "for looking the group dtcp");
	if (count < 0)
		return ctl_fail(CTL_FAILED, CTL_FOLDER ": %s", strerror(-count));
	status = ctl_daemon_pick(options, list, count, out);
	ctl_lock_close_others(out->path);
	return status;
}

json_t *ctl_question(const struct ctl_options *options, const char *command)
{
	bool filtered = strcmp(command, "sessions") == 0;
	const char *key = strcmp(command, "log") == 0 ? "level" : "user";

	/* "ss*" leaves out NULL. */
	if (filtered)
		return json_pack("{ss,ss*,ss*,ss*,ss*}", "command", command, "user", options->user,
				 "address", options->address, "prefix", options->prefix,
				 "transport", options->transport);
	if (options->given & CTL_TAKES_FOR)
		return json_pack("{ss,ss,sI}", "command", command, "user", options->word, "seconds",
				 (json_int_t)options->kick_for);
	return json_pack("{ss,ss*}", "command", command, key,
			 options->command->word ? options->word : NULL);
}

/* Where rows are written unchanged. */
struct ctl_lines {
	FILE *file;
};

/* Writes a character of valid UTF-8 as a JSON escape. Returns its octets. */
static size_t ctl_json_escape(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	uint32_t code = len == 1 ? at[0] : at[0] & (0x7fU >> len);

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (at[i] & 0x3fU);
	if (code >= 0x10000)
		(void)fprintf(file, "\\u%04x\\u%04x", 0xd7c0U + (code >> 10),
			      0xdc00U + (code & 0x3ffU));
	else
		(void)fprintf(file, "\\u%04x", code);
	return len;
}

/*
 * Writes a line unchanged, except that characters that are not printable are escaped in texts, and
 * outside of them become blanks. It was parsed as JSON, so it is valid UTF-8.
 */
static void ctl_json_line(FILE *file, const char *line)
{
	while (*line) {
		size_t len = 0, more;

		while ((more = ctl_text_visible(line + len)) > 0)
			len += more;
		if (len > 0) {
			(void)fwrite(line, 1, len, file);
			line += len;
		} else if ((unsigned char)*line < ' ') {
			(void)fputc(' ', file);
			line++;
		} else {
			line += ctl_json_escape(file, line);
		}
	}
	(void)fputc('\n', file);
}

static void ctl_json_row(json_t *row, const char *line, void *arg)
{
	struct ctl_lines *lines = arg;

	(void)row;
	ctl_json_line(lines->file, line);
}

/*
 * With --json the output is kept until the end: a slow reader, such as a pager, must not delay
 * reading from the daemon, which would close the connection.
 */
enum ctl_status ctl_ask(const struct ctl_options *options, const struct ask_daemon *daemon,
			struct ask *ask, const char *command, ask_row row, void *arg)
{
	json_t *question = ctl_question(options, command);
	enum ctl_status status = CTL_OK;
	enum ask_state state = ASK_FAILED;
	struct ctl_lines lines = {.file = NULL};
	size_t size = 0;
	char *text = NULL;
	int rc = question ? 0 : -ENOMEM;

	if (options->json) {
		lines.file = open_memstream(&text, &size);
		if (!lines.file)
			rc = -ENOMEM;
		row = ctl_json_row;
		arg = &lines;
	}
	if (rc == 0)
		rc = ask_begin(ask, question,
			       options->command->limit ? options->command->limit : CTL_LIMIT, row,
			       arg);
	if (rc == 0)
		state = ask_finish(ask);
	if (lines.file) {
		if (rc == 0 && state != ASK_FAILED)
			ctl_json_line(lines.file, ask_last_line(ask));
		if (fclose(lines.file) != 0)
			rc = -ENOMEM;
		else if (state != ASK_FAILED)
			(void)fwrite(text, 1, size, stdout);
	}
	if (rc < 0)
		status = ctl_fail(CTL_FAILED, "%s", strerror(-rc));
	else if (state != ASK_OK)
		status = ctl_daemon_said_no(options, daemon, ask, state);
	free(text);
	json_decref(question);
	return status;
}
