/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file. libconfuse knows its grammar and calls configfile_take() for each value
 * as it comes, so that a wrong one is named with its line, and the reading goes on behind it. What
 * libconfuse would count or swallow wrongly is dealt with before: comments, which make it lose
 * count of the lines, and what is still open at the end of the file.
 */
#include "server/configfile.h"

#include "base/options.h"
#include "base/text.h"
#include "server/settings.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIGFILE_UNKNOWN "%s: no such setting; dtcps.conf(5) lists them"

struct configfile {
	cfg_t *cfg; /* has the texts */
};

/* What is being read. A variable, as libconfuse has no place for it in its callbacks. */
static struct configfile_reading {
	struct server_options *options;
	const char *path;
	bool failed;
} reading;

static __attribute__((format(printf, 2, 3))) void configfile_bad(uint32_t line, const char *format,
								 ...)
{
	char text[400];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	reading.failed = true;
	(void)options_bad("%s:%u: %s", reading.path, line, text);
}

/* "timeout" and "idle" give "timeout.idle"; what stands outside of a section is a whole key. */
static const char *configfile_key(const cfg_t *cfg, const char *name, char *buf, size_t size)
{
	bool inside = strcmp(cfg->name, "root") != 0;

	(void)snprintf(buf, size, "%s%s%s", inside ? cfg->name : "", inside ? "." : "", name);
	return buf;
}

/* The first value of each key; libconfuse goes on with the next one whatever is wrong with it. */
static int configfile_take(cfg_t *cfg, cfg_opt_t *opt)
{
	struct server_options *options = reading.options;
	const char *value = cfg_opt_getnstr(opt, 0);
	uint32_t line = (uint32_t)cfg->line;
	char where[SETTINGS_WHERE_SIZE];
	char key[64];
	size_t number;

	(void)configfile_key(cfg, opt->name, key, sizeof(key));
	number = settings_find(key, strlen(key));
	if (number == settings_count()) {
		configfile_bad(line, CONFIGFILE_UNKNOWN, key);
		return 0;
	}
	if (options->lines[number] > 0) {
		configfile_bad(line, "%s: is set in line %u already", key, options->lines[number]);
		return 0;
	}
	(void)snprintf(where, sizeof(where), "%s:%u: %s", reading.path, line, key);
	if (!value || !settings_set(options, number, where, value, line)) {
		reading.failed = true;
		options->lines[number] = line;
	}
	return 0;
}

/* What is wrong with the form of the file; libconfuse stops there. */
static void configfile_on_error(cfg_t *cfg, const char *format, va_list ap)
{
	uint32_t line = (uint32_t)cfg->line;
	char text[200];
	char key[128];

	if (strcmp(format, "no such option '%s'") == 0) {
		configfile_bad(line, CONFIGFILE_UNKNOWN,
			       configfile_key(cfg, va_arg(ap, const char *), key, sizeof(key)));
		return;
	}
	(void)vsnprintf(text, sizeof(text), format, ap);
	configfile_bad(line, "%s", text);
}

/* --- before libconfuse ---------------------------------------------------------------------- */

static bool configfile_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Overwrites a comment with blanks, but for the ends of its lines. Returns where it ends. */
static char *configfile_skip_comment(char *at, uint32_t *line)
{
	bool block = at[0] == '/' && at[1] == '*';
	char *end = block ? strstr(at + 2, "*/") : at + strcspn(at, "\n");

	if (!end) {
		configfile_bad(*line, "the end of the comment is missing: */");
		return at + strlen(at);
	}
	end += block ? 2 : 0;
	for (; at < end; at++) {
		if (*at == '\n')
			(*line)++;
		else
			*at = ' ';
	}
	return end;
}

/* Returns where the text in quotation marks ends; it is all in one line. */
static char *configfile_skip_text(char *at, uint32_t line)
{
	char mark = *at;

	for (at++; *at && *at != '\n'; at++) {
		if (*at == mark)
			return at + 1;
		if (*at == '\\' && at[1] && at[1] != '\n')
			at++;
	}
	configfile_bad(line, "the closing %c is missing", mark);
	return at;
}

/* True where the file is whole. Then its comments are gone. */
static bool configfile_prepare(char *text)
{
	uint32_t line = 1, opened = 0;
	unsigned int depth = 0;
	bool fresh = true; /* nothing that "//" could be a part of stands before it */
	char *at = text;

	while (*at && !reading.failed) {
		if (*at == '#' || (fresh && at[0] == '/' && (at[1] == '/' || at[1] == '*'))) {
			at = configfile_skip_comment(at, &line);
			continue;
		}
		if (*at == '"' || *at == '\'') {
			at = configfile_skip_text(at, line);
			fresh = true;
			continue;
		}
		/* To libconfuse, a|b is b in the section a, and it would not say which section. */
		if (*at == '|') {
			configfile_bad(line, "a | stands in quotation marks only");
			break;
		}
		if (*at == '{' && depth++ == 0)
			opened = line;
		if (*at == '}' && depth > 0)
			depth--;
		if (*at == '\n')
			line++;
		fresh = configfile_blank(*at) || strchr("\n{}=", *at);
		at++;
	}
	if (!reading.failed && depth > 0)
		configfile_bad(opened, "the closing } of this section is missing");
	return !reading.failed;
}

/* --- libconfuse ----------------------------------------------------------------------------- */

static cfg_opt_t configfile_option(const char *name)
{
	cfg_opt_t option = CFG_STR(name, NULL, CFGF_NODEFAULT);

	option.validcb = configfile_take;
	return option;
}

/*
 * What may be in the file: each key by its whole name, and each section with what follows its name
 * and a dot. Keys of one section stand side by side in the order of the keys.
 */
static cfg_t *configfile_grammar(void)
{
	cfg_opt_t keys[2 * SERVER_SETTINGS_MAX + 1];
	cfg_opt_t inner[2 * SERVER_SETTINGS_MAX];
	char sections[SERVER_SETTINGS_MAX][32];
	const cfg_opt_t end = CFG_END();
	size_t n_keys = 0, n_inner = 0, n_sections = 0;

	for (size_t i = 0; i < settings_count(); i++) {
		const char *key = settings_key(i);
		const char *dot = strchr(key, '.');
		size_t len = dot ? (size_t)(dot - key) : 0;

		keys[n_keys++] = configfile_option(key);
		if (!dot)
			continue;
		if (n_sections == 0 || strncmp(sections[n_sections - 1], key, len) != 0 ||
		    sections[n_sections - 1][len] != '\0') {
			const cfg_opt_t section =
				CFG_SEC(sections[n_sections], &inner[n_inner], CFGF_NONE);

			(void)snprintf(sections[n_sections++], sizeof(sections[0]), "%.*s",
				       (int)len, key);
			keys[n_keys++] = section;
		} else {
			n_inner--; /* over the end mark */
		}
		inner[n_inner++] = configfile_option(dot + 1);
		inner[n_inner++] = end;
	}
	keys[n_keys] = end;
	return cfg_init(keys, CFGF_NONE);
}

/* text is written to. */
static bool configfile_read_text(char *text)
{
	struct configfile *file = calloc(1, sizeof(*file));

	if (!configfile_prepare(text)) {
		free(file);
		return false;
	}
	if (file)
		file->cfg = configfile_grammar();
	if (!file || !file->cfg) {
		free(file);
		return options_bad("%s: out of memory", reading.path);
	}
	reading.options->values = file;
	(void)cfg_set_error_function(file->cfg, configfile_on_error);
	if (cfg_parse_buf(file->cfg, text) != CFG_SUCCESS && !reading.failed)
		return options_bad("%s: cannot be understood", reading.path);
	return !reading.failed;
}

bool configfile_parse(struct server_options *options, const char *path, const char *text)
{
	/* Some editors begin a file with a mark. */
	char *copy = strdup(text_has_mark(text, strlen(text)) ? text + TEXT_MARK_LEN : text);
	bool good;

	reading = (struct configfile_reading){.options = options, .path = path};
	options->file = path;
	good = copy ? configfile_read_text(copy) : options_bad("%s: out of memory", path);
	free(copy);
	if (!good) {
		configfile_free(options->values);
		options->values = NULL;
	}
	return good;
}

void configfile_free(struct configfile *file)
{
	if (!file)
		return;
	(void)cfg_free(file->cfg);
	free(file);
}

/* --- the file ------------------------------------------------------------------------------- */

/* Reads all of it into buf, as text. Returns false after options_bad(). */
static bool configfile_load(int fd, const char *path, char buf[static CONFIGFILE_MAX + 1])
{
	struct stat status;
	size_t size = 0;
	ssize_t n;

	if (fstat(fd, &status) == -1)
		return options_bad("%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
		return options_bad("%s: not a file", path);
	/* Whoever can write it decides what root does. */
	if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH))
		return options_bad("%s: everybody can write it; change that with: chmod o-w %s",
				   path, path);
	while ((n = read(fd, buf + size, CONFIGFILE_MAX + 1 - size)) > 0 && size <= CONFIGFILE_MAX)
		size += (size_t)n;
	if (n == -1)
		return options_bad("%s: %s", path, strerror(errno));
	if (size > CONFIGFILE_MAX)
		return options_bad("%s: longer than %d bytes", path, CONFIGFILE_MAX);
	buf[size] = '\0';
	if (text_is_utf16(buf, size))
		return options_bad("%s: its text is in UTF-16; save it as UTF-8", path);
	if (strlen(buf) != size)
		return options_bad("%s: not a text: there is a byte 0 in it", path);
	return true;
}

bool configfile_read(struct server_options *options, const char *path, bool must)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text;
	bool good;

	if (fd == -1 && errno == ENOENT && !must)
		return true;
	if (fd == -1)
		return options_bad("%s: %s", path, strerror(errno));
	text = malloc(CONFIGFILE_MAX + 1);
	if (!text) {
		close(fd);
		return options_bad("%s: out of memory", path);
	}
	good = configfile_load(fd, path, text) && configfile_parse(options, path, text);
	close(fd);
	free(text);
	return good;
}
