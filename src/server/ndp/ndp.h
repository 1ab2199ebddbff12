/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that answers neighbour solicitations for the addresses of sessions, if a prefix is
 * on-link at the provider's router. docs/architecture.md.
 */
#ifndef DTCP_SERVER_NDP_NDP_H
#define DTCP_SERVER_NDP_NDP_H

/* Runs it in its sandbox, with the channel to the root process. Returns the exit status. */
int server_ndp_run(int root_fd);

#endif
