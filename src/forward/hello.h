/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a client sends hellos, and whether its data path is alive: docs/protocol.md, section 2.2. A
 * state machine that gets the time in microseconds as an argument and does no I/O.
 */
#ifndef DTCP_FORWARD_HELLO_H
#define DTCP_FORWARD_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#define HELLO_MS UINT64_C(1000)

/* Time after an unanswered outgoing packet after which a hello is due. */
#define HELLO_LONELY (5000 * HELLO_MS)

struct hello {
	uint64_t heard;	     /* last answer, or the start */
	uint64_t asked;	     /* with asks: when it began, or HELLO_SILENT was last returned */
	uint64_t sent;	     /* last hello */
	uint64_t next;	     /* when the next one is due */
	uint64_t lonely;     /* first outgoing packet since the last incoming one */
	bool is_lonely;	     /* there is such a packet */
	bool alive;	     /* there was an answer in the last 60 s */
	bool dead;	     /* there was none, and HELLO_DEAD was returned */
	bool asks;	     /* a hello is unanswered */
	uint32_t unanswered; /* hellos since the last answer */
};

enum hello_action {
	HELLO_WAIT,   /* nothing until hello_deadline() */
	HELLO_SEND,   /* send one now */
	HELLO_DEAD,   /* report that there has been no answer for 60 s */
	HELLO_SILENT, /* report that hellos have gone unanswered for 10 s, or for 10 s more */
};

void hello_start(struct hello *hello, uint64_t now);

/* The route may have changed: the next hello is due at once. */
void hello_hurry(struct hello *hello, uint64_t now);

/* A packet was sent; one was received. */
void hello_packet_out(struct hello *hello, uint64_t now);
void hello_packet_in(struct hello *hello);

/* A packet was received at that time by the kernel's program. */
void hello_noticed(struct hello *hello, uint64_t when);

/*
 * A valid answer with this clock (protocol.md: milliseconds). Returns the round-trip time in
 * microseconds. *revived: it is the first one, or the first one since HELLO_DEAD.
 */
uint64_t hello_answered(struct hello *hello, uint32_t clock, uint64_t now, bool *revived);

/* The answer still asks for proof, though the hello had it: the next hello is due before 20 s. */
void hello_unproven(struct hello *hello);

/* The next action; to be called until it returns HELLO_WAIT. */
enum hello_action hello_step(struct hello *hello, uint64_t now);

/* When to call hello_step() again, unless an event happens before. */
uint64_t hello_deadline(const struct hello *hello);

/* The clock to send in a hello. */
uint32_t hello_clock(uint64_t now);

#endif
