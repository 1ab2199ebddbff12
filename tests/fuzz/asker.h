/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the target "control": who asks over the control socket, root and others, and what root's and
 * the accounts process answer, whether they were asked or not.
 */
#ifndef DTCP_TESTS_FUZZ_ASKER_H
#define DTCP_TESTS_FUZZ_ASKER_H

#include "fuzz.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before each input: nobody asks, and nothing was asked. */
void asker_reset(void);

/* A descriptor for the listening socket, which is always readable; whether it is that; and
 * accept4() on it. */
int asker_socket(void);
bool asker_is_socket(int fd);
int asker_accept(void);

/* Whether a message is a question of control to the others; looks at one. */
bool asker_is_question(uint32_t type);
void asker_asked(bool accounts, uint32_t type, const void *body, size_t size);

/* One of the answers, over these channels. */
void asker_answered(unsigned int root, unsigned int accounts, struct fuzz_input *input);

/* A step of one that asks: C says a line, H hears what was answered, X goes. */
void asker_step(char what, struct fuzz_input *input);

/* All of them hear and go. */
void asker_end(void);

#endif
