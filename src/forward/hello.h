/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a client says hello, and whether its data path lives: docs/protocol.md, section 2.2. A
 * state machine that takes the time in microseconds as an argument and does nothing itself.
 */
#ifndef DTCP_FORWARD_HELLO_H
#define DTCP_FORWARD_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#define HELLO_MS UINT64_C(1000)

/* So long after a packet out to which nothing has come in, a hello is due. */
#define HELLO_LONELY (5000 * HELLO_MS)

struct hello {
	uint64_t heard;	     /* last answer, or the beginning */
	uint64_t asked;	     /* with asks: when it began, or HELLO_SILENT was last said */
	uint64_t sent;	     /* last hello */
	uint64_t next;	     /* when the next one is due */
	uint64_t lonely;     /* first packet out since the last one in */
	bool is_lonely;	     /* there is such a packet */
	bool alive;	     /* there was an answer in the last 60 s */
	bool dead;	     /* there was none, and that has been told */
	bool asks;	     /* a hello is out, and none was answered since */
	uint32_t unanswered; /* hellos since the last answer */
};

enum hello_action {
	HELLO_WAIT,   /* nothing until hello_deadline() */
	HELLO_SEND,   /* send one now */
	HELLO_DEAD,   /* tell that there has been no answer for 60 s */
	HELLO_SILENT, /* tell that hellos have gone unanswered for 10 s, or for 10 s more */
};

void hello_start(struct hello *hello, uint64_t now);

/* The way out may have changed: the next one is due at once. */
void hello_hurry(struct hello *hello, uint64_t now);

/* A packet has gone out; one has come in. */
void hello_packet_out(struct hello *hello, uint64_t now);
void hello_packet_in(struct hello *hello);

/* One has come in at that time which others have seen, as the kernel does. */
void hello_noticed(struct hello *hello, uint64_t when);

/*
 * A good answer with this clock (protocol.md: milliseconds). Returns the round-trip time in
 * microseconds. *revived: it is the first one, or the first one since HELLO_DEAD.
 */
uint64_t hello_answered(struct hello *hello, uint32_t clock, uint64_t now, bool *revived);

/* The answer leaves us unproven, though we have proven ourselves: not 20 s until the next hello. */
void hello_unproven(struct hello *hello);

/* What is due now; to be asked until the answer is HELLO_WAIT. */
enum hello_action hello_step(struct hello *hello, uint64_t now);

/* When to ask again, unless something happens before. */
uint64_t hello_deadline(const struct hello *hello);

/* The clock to send in a hello. */
uint32_t hello_clock(uint64_t now);

#endif
