/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of pages/, embedded into the program by embed.py. */
#ifndef DTCP_WEB_PAGES_H
#define DTCP_WEB_PAGES_H

#include <stddef.h>

struct page {
	const char *name; /* of the file */
	const char *type; /* HTTP content type */
	const unsigned char *data;
	size_t len;
};

extern const struct page pages[];
extern const size_t pages_count;

#endif
