/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a control room has around it, in a thread of its own: the other ends of its channels, and of
 * a TCP connection. Everything waits, but never for long: silence is the one answer that a room
 * without memory must not give.
 */
#ifndef DTCP_TESTS_UNIT_ALLOC_WORLD_H
#define DTCP_TESTS_UNIT_ALLOC_WORLD_H

#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds; only a failure takes as long. */
enum { WORLD_PATIENCE = 20000 };

/* A port of NETWORK_HERE, which network_make() has made. */
struct sockaddr_in world_address(uint16_t port);

/* A TCP socket that listens there; *port is where. */
int world_listen(uint16_t *port);

/* Sends a message as process/ipc.h does; fd is closed then. False where nobody takes it. */
bool world_tell(int channel, uint32_t type, const void *body, size_t size, int fd);

/*
 * Reads the next message of this type and size into body; others before it are passed over. False
 * at the end of the channel, or (with *silent) where nothing comes.
 */
bool world_hear(int channel, uint32_t type, void *body, size_t size, bool *silent);

/* True where the channel speaks before the stream does, or ends. */
bool world_speaks_first(int channel, int stream, bool *silent);

/* Says a line, CRLF added. */
bool world_say(int stream, const char *line);

/* Reads a line without its end; false at the end of the stream, or (with *silent) after a while. */
bool world_line(int stream, char *line, size_t size, bool *silent);

#endif
