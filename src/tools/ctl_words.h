/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts for both server and client. */
#ifndef DTCP_TOOLS_CTL_WORDS_H
#define DTCP_TOOLS_CTL_WORDS_H

#include <jansson.h>

/* Size of a list in one line. */
#define CTL_LIST_MAX 600

/* Seconds since 1970. */
double ctl_words_now(void);

/* The texts of a list, separated by commas; cut if there are too many. Returns buf. */
const char *ctl_words_list(const json_t *list, char buf[static CTL_LIST_MAX]);

/* "UDP" for udp, "protocol 41" for ipv6. */
const char *ctl_words_transport(const char *transport);

#endif
