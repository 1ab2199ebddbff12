/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *fuzz_secret;
unsigned int fuzz_warnings;
bool fuzz_replays;

void fuzz_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* --- the input ---------------------------------------------------------------------------- */

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

uint16_t fuzz_16(struct fuzz_input *input)
{
	uint16_t high = fuzz_byte(input);

	return (uint16_t)(high << 8 | fuzz_byte(input));
}

uint32_t fuzz_32(struct fuzz_input *input)
{
	uint32_t high = fuzz_16(input);

	return high << 16 | fuzz_16(input);
}

bool fuzz_bool(struct fuzz_input *input)
{
	return fuzz_byte(input) & 1;
}

unsigned int fuzz_below(struct fuzz_input *input, unsigned int n)
{
	return fuzz_byte(input) % n;
}

void *fuzz_copy(const void *data, size_t size)
{
	/* Not malloc(0), which may be NULL. */
	void *copy = malloc(size ? size : 1);

	FUZZ_CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

uint8_t *fuzz_piece(struct fuzz_input *input, size_t max, size_t *len)
{
	uint8_t *piece;

	*len = fuzz_16(input);
	if (*len > max)
		*len = max;
	if (*len > input->left)
		*len = input->left;
	piece = fuzz_copy(input->at, *len);
	input->at += *len;
	input->left -= *len;
	return piece;
}

void fuzz_fill(struct fuzz_input *input, void *out, size_t size)
{
	size_t n = size < input->left ? size : input->left;

	memset(out, 0, size);
	if (n > 0)
		memcpy(out, input->at, n);
	input->at += n;
	input->left -= n;
}

void fuzz_spoil(struct fuzz_input *input, void *octets, size_t size)
{
	size_t place = fuzz_16(input) % size;

	((uint8_t *)octets)[place] ^= fuzz_byte(input);
}

char *fuzz_line(struct fuzz_input *input, size_t *len)
{
	const uint8_t *end = input->left ? memchr(input->at, '\n', input->left) : NULL;
	char *line;

	*len = end ? (size_t)(end - input->at) : input->left;
	line = malloc(*len + 1);
	FUZZ_CHECK(line);
	if (*len)
		memcpy(line, input->at, *len);
	line[*len] = '\0';
	input->at += *len + (end != NULL);
	input->left -= *len + (end != NULL);
	return line;
}

struct in_addr fuzz_ipv4(const char *text)
{
	struct in_addr addr;

	FUZZ_CHECK(inet_pton(AF_INET, text, &addr) == 1);
	return addr;
}

struct in6_addr fuzz_ipv6(const char *text)
{
	struct in6_addr addr;

	FUZZ_CHECK(inet_pton(AF_INET6, text, &addr) == 1);
	return addr;
}

/* --- the log ------------------------------------------------------------------------------ */

/*
 * The linker leads the calls of the code under test here (--wrap): every format is filled in, also
 * that of a debug message, and nothing is written.
 */
void __wrap_log_debug(const char *format, ...) LOG_FORMAT(1);
void __wrap_log_info(const char *format, ...) LOG_FORMAT(1);
void __wrap_log_warn(const char *format, ...) LOG_FORMAT(1);
void __wrap_log_warnx(const char *format, ...) LOG_FORMAT(1);
void __wrap_log_limited(struct log_limit *limit, int64_t now, const char *format, ...)
	LOG_FORMAT(3);
void __wrap_log_limit_tell(struct log_limit *limit);
bool __wrap_log_is_debug(void);
void __wrap_log_event(const struct log_record *record);
void __wrap_log_event_limited(struct log_limit *limit, int64_t now,
			      const struct log_record *record);

/*
 * Not strstr(3), which libFuzzer listens to: it would write the secret into its inputs, where
 * whoever quotes them would seem to have given it away.
 */
#ifdef __clang__
__attribute__((no_sanitize("coverage")))
#endif
static bool
fuzz_has_secret(const char *text)
{
	for (; fuzz_secret && *text; text++) {
		size_t n = 0;

		while (fuzz_secret[n] && fuzz_secret[n] == text[n])
			n++;
		if (!fuzz_secret[n])
			return true;
	}
	return false;
}

static void fuzz_log_line(const char *text)
{
	/* What a fuzzer has found is easier to understand with it. */
	if (getenv("FUZZ_LOG"))
		(void)fprintf(stderr, "log: %s\n", text);
	for (const char *c = text; *c; c++)
		FUZZ_CHECK((*c >= ' ' && *c != 0x7f) || *c == '\t');
	FUZZ_CHECK(!fuzz_has_secret(text));
}

__attribute__((format(printf, 1, 0))) static void fuzz_log(const char *format, va_list ap)
{
	char text[8192];
	int len = vsnprintf(text, sizeof(text), format, ap);

	FUZZ_CHECK(len > 0 && (size_t)len < sizeof(text));
	fuzz_log_line(text);
}

#define FUZZ_LOG()                                                                                 \
	va_list ap;                                                                                \
	int error = errno;                                                                         \
                                                                                                   \
	va_start(ap, format);                                                                      \
	fuzz_log(format, ap);                                                                      \
	va_end(ap);                                                                                \
	errno = error

void __wrap_log_debug(const char *format, ...)
{
	FUZZ_LOG();
}

void __wrap_log_info(const char *format, ...)
{
	FUZZ_LOG();
}

void __wrap_log_warn(const char *format, ...)
{
	fuzz_warnings++;
	FUZZ_LOG();
}

void __wrap_log_warnx(const char *format, ...)
{
	fuzz_warnings++;
	FUZZ_LOG();
}

void __wrap_log_limited(struct log_limit *limit, int64_t now, const char *format, ...)
{
	(void)limit;
	(void)now;
	fuzz_warnings++;
	FUZZ_LOG();
}

/* As a child's, which root's process takes as they are. */
void __wrap_log_event(const struct log_record *record)
{
	static const struct log_source source = {"fuzz", NULL};
	struct log_record same;
	char line[LOG_LINE_SIZE];
	size_t len = log_record_pack(record, line);

	FUZZ_CHECK(log_record_unpack(&same, line, len - 1));
	fuzz_warnings += record->priority == LOG_WARNING;
	fuzz_log_line(log_record_json(&same, &source, 0, line));
	fuzz_log_line(log_record_line(&same, &source, line));
}

void __wrap_log_event_limited(struct log_limit *limit, int64_t now, const struct log_record *record)
{
	(void)limit;
	(void)now;
	__wrap_log_event(record);
}

/* It would call log_event() within its own file, where nothing leads here. */
void __wrap_log_limit_tell(struct log_limit *limit)
{
	(void)limit;
}

bool __wrap_log_is_debug(void)
{
	return true;
}

/* --- libFuzzer ---------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_one(data, size);
	return 0;
}
