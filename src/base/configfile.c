/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lexer, which splits the file into tokens, and a parser. A value that its setting rejects is
 * reported and parsing continues; after a syntax error it stops.
 */
#include "base/settings.h"

#include "base/options.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Limit for the length that variables add to a file. */
enum { CONFIGFILE_VARIABLES = 8192 };

/* A token is one of these, or a character: '=', '{' or '}'. A BAD one was reported. */
enum { TOKEN_BAD = false, TOKEN_END, TOKEN_WORD };

struct parser {
	const struct settings *settings;
	void *values;
	const char *path;
	const char *at;
	uint32_t line;
	char *word; /* the last word, in a buffer for all values */
	size_t word_len;
	size_t spare; /* octets of the buffer beyond the file's own length */
	bool failed;
};

static __attribute__((format(printf, 2, 3))) bool parser_bad(struct parser *parser,
							     const char *format, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	parser->failed = true;
	return options_bad("%s:%u: %s", parser->path, parser->line, text);
}

/* --- lexer -------------------------------------------------------------------------------- */

/* Skips blanks and comments. */
static bool lex_blank(struct parser *parser)
{
	for (;;) {
		const char *at = parser->at += strspn(parser->at, " \t\r");
		const char *end;

		if (*at == '\n') {
			parser->line++;
			parser->at++;
		} else if (*at == '#' || strncmp(at, "//", 2) == 0) {
			parser->at += strcspn(at, "\n");
		} else if (strncmp(at, "/*", 2) == 0) {
			end = strstr(at + 2, "*/");
			if (!end)
				return parser_bad(parser, "the end of the comment is missing: */");
			for (; at < end; at++)
				parser->line += *at == '\n';
			parser->at = end + 2;
		} else {
			return true;
		}
	}
}

static void lex_put(struct parser *parser, const char *text, size_t len)
{
	memcpy(parser->word + parser->word_len, text, len);
	parser->word_len += len;
	parser->word[parser->word_len] = '\0';
}

/* "${NAME}" is the value of the environment variable. *len: its length, 0 if there is none here. */
static bool lex_variable(struct parser *parser, size_t *len)
{
	size_t end = strncmp(parser->at, "${", 2) == 0 ? strcspn(parser->at, "}\"\n") : 0;
	const char *value;
	char name[64];

	*len = 0;
	if (end == 0 || parser->at[end] != '}' || end - 2 >= sizeof(name))
		return true;
	(void)strlcpy(name, parser->at + 2, end - 1);
	value = getenv(name);
	if (value && strlen(value) > parser->spare)
		return parser_bad(parser, "%s: the value of this variable is too long", name);
	if (value) {
		lex_put(parser, value, strlen(value));
		parser->spare -= strlen(value);
	}
	*len = end + 1;
	return true;
}

/* A quoted word, within one line. */
static bool lex_quoted(struct parser *parser)
{
	const char mark = *parser->at++;
	size_t len;

	for (; *parser->at != mark; parser->at += len) {
		len = 0;
		if (mark == '"' && !lex_variable(parser, &len))
			return false;
		if (len > 0)
			continue;
		parser->at += mark == '"' && *parser->at == '\\';
		if (*parser->at == '\0' || *parser->at == '\n')
			return parser_bad(parser, "the closing %c is missing", mark);
		lex_put(parser, parser->at, len = 1);
	}
	parser->at++;
	return true;
}

static int lex(struct parser *parser)
{
	size_t len;

	parser->word_len = 0;
	if (!lex_blank(parser))
		return TOKEN_BAD;
	len = strcspn(parser->at, " \t\r\n={}#\"'(),|");
	if (len > 0) {
		lex_put(parser, parser->at, len);
		parser->at += len;
		return TOKEN_WORD;
	}
	switch (*parser->at) {
	case '"':
	case '\'':
		lex_put(parser, "", 0);
		return lex_quoted(parser) ? TOKEN_WORD : TOKEN_BAD;
	case '=':
	case '{':
	case '}':
		return *parser->at++;
	case '\0':
		return TOKEN_END;
	default:
		return parser_bad(parser, "a %c stands in quotation marks only", *parser->at);
	}
}

/* --- parser ------------------------------------------------------------------------------- */

/* Reports an unexpected token. */
static bool parser_unexpected(struct parser *parser, int token)
{
	if (token == TOKEN_BAD) /* reported already */
		return false;
	if (token == TOKEN_END)
		return parser_bad(parser, "premature end of file");
	if (token == '}')
		return parser_bad(parser, "unexpected closing brace");
	return parser_bad(parser, "unexpected token '%c'", token);
}

/* True if keys begin with the name and a dot; the name itself has no dot. */
static bool parser_is_section(const struct parser *parser, const char *name)
{
	size_t len = strcspn(name, ".");

	for (size_t i = 0; name[len] == '\0' && i < parser->settings->count; i++) {
		const char *key = parser->settings->list[i].key;

		if (strncmp(key, name, len) == 0 && key[len] == '.')
			return true;
	}
	return false;
}

/* The value of a setting, after "=". A wrong one counts as set, so it is reported once. */
static bool parser_value(struct parser *parser, size_t number)
{
	uint32_t *lines = ((struct settings_source *)parser->values)->lines;
	const char *key = parser->settings->list[number].key;
	char where[SETTINGS_WHERE_SIZE];
	int token = lex(parser);

	if (token != TOKEN_WORD)
		return parser_unexpected(parser, token);
	if (lines[number] > 0) {
		(void)parser_bad(parser, "%s: is set in line %u already", key, lines[number]);
		return true;
	}
	(void)snprintf(where, sizeof(where), "%s:%u: %s", parser->path, parser->line, key);
	if (!settings_set(parser->settings, parser->values, number, where, parser->word,
			  parser->line))
		parser->failed = true;
	lines[number] = parser->line;
	parser->word += parser->word_len + 1;
	return true;
}

/* Parses "key = value", or the beginning of a section, whose name is then in section. */
static bool parser_statement(struct parser *parser, char section[static SETTINGS_KEY_SIZE])
{
	char key[SETTINGS_KEY_SIZE * 2];
	int token;
	size_t number;

	(void)snprintf(key, sizeof(key), "%s%s%s", section, *section ? "." : "", parser->word);
	number = settings_find(parser->settings, key);
	if (number == parser->settings->count && !parser_is_section(parser, key))
		return parser_bad(parser, "%s: no such setting; %s lists them", key,
				  parser->settings->manual);
	token = lex(parser);
	if (token == TOKEN_BAD)
		return false;
	if (number < parser->settings->count)
		return token == '='
			       ? parser_value(parser, number)
			       : parser_bad(parser, "missing equal sign after option '%s'", key);
	if (token != '{')
		return parser_bad(parser, "missing opening brace for section '%s'", key);
	(void)strlcpy(section, key, SETTINGS_KEY_SIZE);
	return true;
}

static bool parser_all(struct parser *parser)
{
	char section[SETTINGS_KEY_SIZE] = "";
	uint32_t opened = 0;
	int token;

	while ((token = lex(parser)) != TOKEN_END) {
		bool inside = *section != '\0';

		if (token == '}' && inside)
			section[0] = '\0';
		else if (token != TOKEN_WORD)
			return parser_unexpected(parser, token);
		else if (!parser_statement(parser, section))
			return false;
		if (!inside)
			opened = parser->line;
	}
	if (*section) {
		parser->line = opened;
		return parser_bad(parser, "the closing } of this section is missing");
	}
	return !parser->failed;
}

bool configfile_parse(const struct settings *settings, void *values, const char *path,
		      const char *text)
{
	struct settings_source *source = values;
	struct parser parser = {
		.settings = settings,
		.values = values,
		.path = path,
		/* Some editors put a byte order mark at the beginning. */
		.at = text_has_mark(text, strlen(text)) ? text + TEXT_MARK_LEN : text,
		.line = 1,
		.spare = CONFIGFILE_VARIABLES,
	};

	source->file = path;
	source->texts = malloc(strlen(text) + 1 + CONFIGFILE_VARIABLES);
	if (!source->texts)
		return options_bad("%s: out of memory", path);
	parser.word = source->texts;
	if (!parser_all(&parser))
		settings_free(values);
	return !parser.failed;
}

/* --- the file ----------------------------------------------------------------------------- */

/* Reads the whole file into buf, as text. Returns false after options_bad(). */
static bool configfile_load(int fd, const char *path, char buf[static CONFIGFILE_MAX + 1])
{
	struct stat status;
	size_t size = 0;
	ssize_t n;

	if (fstat(fd, &status) == -1)
		return options_bad("%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
		return options_bad("%s: not a file", path);
	/* A user who can write it controls what root does. */
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

bool configfile_read(const struct settings *settings, void *values, const char *path, bool required)
{
	char *text = malloc(CONFIGFILE_MAX + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good = true;

	if (!text)
		good = options_bad("%s: out of memory", path);
	else if (fd != -1)
		good = configfile_load(fd, path, text) &&
		       configfile_parse(settings, values, path, text);
	else if (errno != ENOENT || required)
		good = options_bad("%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	free(text);
	return good;
}
