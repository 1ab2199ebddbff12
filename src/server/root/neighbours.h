/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where neighbour solicitations are answered for what sessions have (ndp.proxy), and root's side of
 * the process that does it: the socket, which that process cannot bind, and what it has to know.
 */
#ifndef DTCP_SERVER_ROOT_NEIGHBOURS_H
#define DTCP_SERVER_ROOT_NEIGHBOURS_H

#include "netconf/survey.h"
#include "process/supervisor.h"
#include "server/options.h"

struct neighbours;

/*
 * The interface that ndp.proxy says, be it fit for that or not; with auto, the one that host.prefix
 * or network.pool is on-link at, as its network says, to which *network is set, or a router's
 * address. NULL if there is none. Pure.
 */
const struct survey_link *neighbours_link(const struct survey *survey,
					  const struct server_options *options,
					  const struct survey_route **network);

/* Opens the socket, while that can be done, and hands it over. NULL if memory is short. */
struct neighbours *neighbours_new(struct supervisor *supervisor,
				  const struct server_options *options);
void neighbours_free(struct neighbours *neighbours);

/*
 * all() is called when solicitations begin to be answered, to add whatever sessions have by then:
 * before that, additions are not passed on. NULL for neighbours is allowed.
 */
void neighbours_set_all(struct neighbours *neighbours, void (*all)(void *arg), void *arg);

/* The machine may be another one since the last time. NULL is allowed here and below. */
void neighbours_look(struct neighbours *neighbours, const struct survey *survey);

/* The interface on which they are answered now, the kernel's number; 0: none. */
unsigned int neighbours_interface(const struct neighbours *neighbours);

/* A session has this prefix, or has it no more. Length 0: it has none. */
void neighbours_add(const struct neighbours *neighbours, const struct prefix6 *prefix);
void neighbours_remove(const struct neighbours *neighbours, const struct prefix6 *prefix);

#endif
