/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of pages/, which embed.py makes part of the program. */
#ifndef DTCP_WEB_PAGES_H
#define DTCP_WEB_PAGES_H

#include <stddef.h>

struct page {
	const char *name; /* of the file */
	const char *type; /* as HTTP says it */
	const unsigned char *data;
	size_t len;
};

extern const struct page pages[];
extern const size_t pages_count;

#endif
