/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc.h"

#include "proto/digest.h"
#include "proto/probe.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* No scenario has as many. */
enum { ALLOC_MAX = 20000 };

/* $ALLOC_TRAP, for gdb: stops in the allocation that fails in that turn. */
static unsigned long alloc_trap, alloc_current;
static _Thread_local unsigned long alloc_left;
static _Thread_local bool alloc_has_failed;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

void alloc_fail(unsigned long n)
{
	alloc_left = n;
	alloc_has_failed = false;
}

bool alloc_failed(void)
{
	return alloc_has_failed;
}

static bool alloc_fails(void)
{
	if (alloc_left == 0 || --alloc_left > 0)
		return false;
	alloc_has_failed = true;
	if (alloc_trap != 0 && alloc_trap == alloc_current)
		__builtin_trap();
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return alloc_fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
	return alloc_fails() ? NULL : __real_strdup(text);
}

/*
 * What our code asks of libevent can fail as well. It is not libevent's memory that runs out then,
 * but we see the same.
 */
int __wrap_evbuffer_add_printf(struct evbuffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int __real_event_add(struct event *event, const struct timeval *after);
int __wrap_event_add(struct event *event, const struct timeval *after);

int __wrap_evbuffer_add_printf(struct evbuffer *buffer, const char *format, ...)
{
	va_list ap;
	int result;

	if (alloc_fails())
		return -1;
	va_start(ap, format);
	result = evbuffer_add_vprintf(buffer, format, ap);
	va_end(ap);
	return result;
}

unsigned char *__real_evbuffer_pullup(struct evbuffer *buffer, ev_ssize_t size);
unsigned char *__wrap_evbuffer_pullup(struct evbuffer *buffer, ev_ssize_t size);

unsigned char *__wrap_evbuffer_pullup(struct evbuffer *buffer, ev_ssize_t size)
{
	return alloc_fails() ? NULL : __real_evbuffer_pullup(buffer, size);
}

int __wrap_event_add(struct event *event, const struct timeval *after)
{
	return alloc_fails() ? -1 : __real_event_add(event, after);
}

/* --- the libraries ------------------------------------------------------------------------ */

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_malloc(size);
}

static void *crypto_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return __wrap_realloc(memory, size);
}

static void crypto_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	free(memory);
}

static void *sql_malloc(int size)
{
	return __wrap_malloc((size_t)size);
}

static void *sql_realloc(void *memory, int size)
{
	return __wrap_realloc(memory, (size_t)size);
}

static int sql_size(void *memory)
{
	return (int)malloc_usable_size(memory);
}

static int sql_roundup(int size)
{
	return (size + 7) & ~7;
}

static int sql_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void sql_shutdown(void *arg)
{
	(void)arg;
}

/* What libcrypto sets up once for all, when it is first used, is its own affair. */
static void alloc_warm_up(void)
{
	char response[DTCP_RESPONSE_SIZE];
	uint8_t key[PROBE_KEY_SIZE];

	assert_true(digest_response("", "", "", response));
	assert_true(probe_key("", "", "", 1, key));
	assert_int_equal(RAND_bytes(key, sizeof(key)), 1);
}

void alloc_install(bool with_libevent)
{
	static const sqlite3_mem_methods sql = {
		.xMalloc = sql_malloc,
		.xFree = free,
		.xRealloc = sql_realloc,
		.xSize = sql_size,
		.xRoundup = sql_roundup,
		.xInit = sql_init,
		.xShutdown = sql_shutdown,
	};

	const char *trap = getenv("ALLOC_TRAP");

	alloc_trap = trap ? strtoul(trap, NULL, 10) : 0;
	assert_int_equal(CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free), 1);
	if (with_libevent)
		event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &sql), SQLITE_OK);
	alloc_warm_up();
}

void alloc_each(bool (*scenario)(unsigned long n))
{
	/* Under valgrind not every one. */
	unsigned long n = 1, step = getenv("DTCP_TESTS_SMALL") ? 9 : 1;

	for (alloc_current = n; scenario(n); alloc_current = n += step) {
		alloc_fail(0);
		assert_true(n < ALLOC_MAX);
	}
	alloc_fail(0);
	/* One at least has failed, or this proves nothing. */
	assert_true(n > 1);
	print_message("%lu allocations\n", n - 1);
}
