/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this machine's files say about names: hosts(5) and resolv.conf(5). control has no files; it
 * gets descriptors of both from monitor for each look-up, as they change with a laptop's network.
 */
#ifndef DTCP_CLIENT_NAMES_H
#define DTCP_CLIENT_NAMES_H

#include <event2/dns.h>
#include <netinet/in.h>
#include <stddef.h>

#define NAMES_HOSTS  "/etc/hosts"
#define NAMES_RESOLV "/etc/resolv.conf"

/* Both files, each at its beginning; empty where there is none. */
struct names {
	int hosts;
	int resolv;
};

/*
 * Root's side: a descriptor of a file for control to read, close-on-exec. What is not there or no
 * plain file is an empty one. -errno where there are no descriptors left.
 */
int names_open(const char *path);

/* The IPv4 addresses of a name in the hosts file, at most max. Returns how many. */
size_t names_in_hosts(int hosts, const char *name, struct in_addr *out, size_t max);

/* Gives dns the name servers, search list and options of the resolv.conf file. */
void names_configure(int resolv, struct evdns_base *dns);

#endif
