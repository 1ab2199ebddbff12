/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of dtcpweb. */
#ifndef DTCP_WEB_OPTIONS_H
#define DTCP_WEB_OPTIONS_H

#include "base/options.h"
#include "web/address.h"

#include <stdbool.h>
#include <stddef.h>

struct web_options {
	struct address listen[ADDRESS_MAX];
	size_t n_listen;
	bool default_listen; /* then one of the addresses may not exist on this machine */
	const char *hosts[ADDRESS_MAX];
	size_t n_hosts;
	bool per_user;
	bool debug;
	const char *sockets; /* folder */
	const char *user;    /* NULL: the default */
};

/* Pointers are into the arguments. */
enum options_result web_options_parse(struct web_options *options, int argc, char *const argv[]);

#endif
