/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process that answers neighbour solicitations for what sessions have, if the provider's router
 * looks for it on the link. docs/architecture.md.
 */
#ifndef DTCP_SERVER_NDP_NDP_H
#define DTCP_SERVER_NDP_NDP_H

/* Runs it, locked in, with the channel to root's process. Returns the exit status. */
int server_ndp_run(int root_fd);

#endif
