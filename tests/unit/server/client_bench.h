/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection of the server, with its other end in the hands of a test. */
#ifndef DTCP_TESTS_UNIT_SERVER_CLIENT_BENCH_H
#define DTCP_TESTS_UNIT_SERVER_CLIENT_BENCH_H

#include "server/control/client.h"

#include <stddef.h>

struct client_bench {
	struct client_owner owner;
	struct client *client; /* NULL: it is gone */
	int fd;		       /* the other end; -1: closed */
	unsigned int asked;    /* logins */
	unsigned int ended;    /* how often its end was told of */
};

void client_bench_start(struct client_bench *bench);
void client_bench_stop(struct client_bench *bench);

/* The loop runs for so long. */
void client_bench_run(struct client_bench *bench, int ms);

/* Writes until the socket takes no more, with the process at work; returns how often. */
size_t client_bench_flood(struct client_bench *bench, const char *text);

/* Reads all that there is; returns how many lines. */
size_t client_bench_hear(struct client_bench *bench);

#endif
