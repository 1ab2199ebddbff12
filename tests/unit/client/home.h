/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network at home for tests of --lan: a namespace with the interface lan0, a run-time folder of
 * its own, and models of the programs nft and radvd, which write down what they are asked for.
 */
#ifndef DTCP_TESTS_UNIT_CLIENT_HOME_H
#define DTCP_TESTS_UNIT_CLIENT_HOME_H

#include "netconf/netlink.h"

#include <stdbool.h>
#include <sys/types.h>

enum { HOME_RADVD = 4711 };

struct home {
	struct netlink *netlink;
	int lan; /* of lan0 */
	unsigned int index;
	bool nft_fails;
	bool radvd_fails;      /* it cannot be started */
	char nft[4000];	       /* what nft has read last; empty: it has not run */
	char config[2000];     /* what radvd would have read last */
	char config_path[300]; /* where that is */
	unsigned int starts;   /* of radvd */
	unsigned int reloads;  /* SIGHUP to it */
	char ended[200];       /* the programs that were ended, each with a blank behind it */
};

extern struct home home;

/* For cmocka. lan0 is down. */
int home_open(void **state);
int home_close(void **state);

/* Reads what radvd would. */
void home_read_config(void);

/* A setting of the kernel that must be there. */
int home_setting(const char *key);

/* Whether an interface has that address. */
bool home_has_address(const char *interface, const char *text);

/* How many files the run-time folder has, folders included. */
unsigned int home_files(void);

#endif
