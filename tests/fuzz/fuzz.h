/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets share. A target is one file with fuzz_one(), which gets bytes and looks at
 * what the code under test does with them: that it does not crash is left to the sanitizers; what
 * it must or must not do is stated with FUZZ_CHECK().
 *
 * A target is linked in one of two ways: with libFuzzer, which makes up inputs (-Dfuzz=true), or
 * with replay.c, which runs those that are kept. It must behave the same for the same bytes, so
 * clocks and random numbers are replaced where they matter.
 */
#ifndef DTCP_TESTS_FUZZ_H
#define DTCP_TESTS_FUZZ_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target. */
void fuzz_one(const uint8_t *data, size_t size);

/* Aborts with place and text, which the fuzzer takes for a crash. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_fail(__FILE__, __LINE__, #condition);                                 \
	} while (0)

/*
 * The input as a sequence of choices. At its end every number is 0 and every piece empty. No two of
 * them are to be made in one expression, for compilers differ in which comes first.
 */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_byte(struct fuzz_input *input);
uint16_t fuzz_16(struct fuzz_input *input);
uint32_t fuzz_32(struct fuzz_input *input);
bool fuzz_bool(struct fuzz_input *input);

/* A number below n, which is 1 to 256. */
unsigned int fuzz_below(struct fuzz_input *input, unsigned int n);

/*
 * Up to max bytes in memory of exactly that size, so that the sanitizers see every step beyond it;
 * the caller frees it. Its length comes first in the input, two octets. Never NULL.
 */
uint8_t *fuzz_piece(struct fuzz_input *input, size_t max, size_t *len);

/* Fills size octets; those beyond the end of the input are zero. */
void fuzz_fill(struct fuzz_input *input, void *out, size_t size);

/* Changes one of the octets, which are 1 to 65536; or none. */
void fuzz_spoil(struct fuzz_input *input, void *octets, size_t size);

/* A line up to the next LF, which is dropped, or the end; NUL-terminated; the caller frees it. */
char *fuzz_line(struct fuzz_input *input, size_t *len);

/* The same as malloc(3) and memcpy(3); never NULL. */
void *fuzz_copy(const void *data, size_t size);

struct in_addr fuzz_ipv4(const char *text);
struct in6_addr fuzz_ipv6(const char *text);

/*
 * No line of the log may have this text in it: a password. NULL for none. Besides, every line has
 * to be one line, of printable text.
 */
extern const char *fuzz_secret;

/*
 * True where files are replayed, not made up: a step of a seed that says what must have been
 * reached by then is taken at its word.
 */
extern bool fuzz_replays;

/* Warnings that were logged so far. */
extern unsigned int fuzz_warnings;

#endif
