/* SPDX-License-Identifier: BSD-2-Clause */
/* The time that only goes forward, since some moment in the past. */
#ifndef DTCP_FORWARD_CLOCK_H
#define DTCP_FORWARD_CLOCK_H

#include <stdint.h>

uint64_t clock_us(void);
uint64_t clock_ms(void);

#endif
