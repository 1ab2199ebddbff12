/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where neighbour solicitations are answered for sessions (ndp.proxy), and the root process's side
 * of the ndp process: the socket, which ndp cannot bind, and the data that ndp needs.
 */
#ifndef DTCP_SERVER_ROOT_NEIGHBOURS_H
#define DTCP_SERVER_ROOT_NEIGHBOURS_H

#include "netconf/survey.h"
#include "process/supervisor.h"
#include "server/options.h"

struct neighbours;

/*
 * The interface of ndp.proxy, whether it is suitable or not; with auto, the one on which
 * host.prefix or network.pool is on-link, by its network, to which *network is set, or by a
 * router's address; otherwise *network is NULL. NULL if there is none. Pure.
 */
const struct survey_link *neighbours_link(const struct survey *survey,
					  const struct server_options *options,
					  const struct survey_route **network);

/* Opens the socket, while privileges allow it, and hands it to ndp. NULL if memory is short. */
struct neighbours *neighbours_new(struct supervisor *supervisor,
				  const struct server_options *options);
void neighbours_free(struct neighbours *neighbours);

/*
 * all() is called when answering starts, to add the addresses and prefixes of all sessions: before
 * that, additions are not passed on. NULL for neighbours is allowed.
 */
void neighbours_set_all(struct neighbours *neighbours, void (*all)(void *arg), void *arg);

/* Updates after changes of the machine. NULL is allowed here and below. */
void neighbours_look(struct neighbours *neighbours, const struct survey *survey);

/* The index of the interface on which they are answered now; 0: none. */
unsigned int neighbours_interface(const struct neighbours *neighbours);

/* A session has this prefix, or no longer has it. Length 0: no effect. */
void neighbours_add(const struct neighbours *neighbours, const struct prefix6 *prefix);
void neighbours_remove(const struct neighbours *neighbours, const struct prefix6 *prefix);

#endif
