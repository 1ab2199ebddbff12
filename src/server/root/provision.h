/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a session has of root's: its device, or the route to its prefix. The accounts process says
 * what it is to have, and is not believed: it must be of the prefixes of the settings.
 */
#ifndef DTCP_SERVER_ROOT_PROVISION_H
#define DTCP_SERVER_ROOT_PROVISION_H

#include "server/msg.h"
#include "server/options.h"
#include "server/root/links.h"

struct provision;

/* Both must stay valid. NULL if memory is short. */
struct provision *provision_new(const struct server_options *options, struct links *links);
void provision_free(struct provision *provision);

/*
 * Makes what a login that was granted needs; *verdict is what control is told, which can be that it
 * is refused after all. Returns false if accounts has granted what cannot be: then nothing was
 * done.
 */
bool provision_grant(struct provision *provision, const struct server_grant *grant,
		     struct server_verdict *verdict);

/* Takes back what a login had that accounts has granted. False if there is none. */
bool provision_end(struct provision *provision, uint32_t id);

/* True if accounts has granted a login with that id, which has not ended. */
bool provision_knows(const struct provision *provision, uint32_t id);

/* How many sessions have what they need. */
uint32_t provision_count(const struct provision *provision);

#endif
