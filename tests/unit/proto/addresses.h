/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and prefixes of a test, from their text, which must be good. */
#ifndef DTCP_TESTS_UNIT_PROTO_ADDRESSES_H
#define DTCP_TESTS_UNIT_PROTO_ADDRESSES_H

#include "proto/prefix.h"

#include <netinet/in.h>

struct in_addr addr4(const char *text);
struct in6_addr addr6(const char *text);
struct prefix6 prefix(const char *text);

#endif
