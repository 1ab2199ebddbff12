/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets up what a session needs in the root process: its device, or the route to its prefix.
 * Accounts decides what it gets, but is not trusted: it must be within the prefixes of the
 * settings.
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
 * Sets up what a granted login needs; *verdict is the result for control, which can still be a
 * refusal. Returns false if the grant is invalid: then nothing was done.
 */
bool provision_grant(struct provision *provision, const struct server_grant *grant,
		     struct server_verdict *verdict);

/* Removes what a granted login had. False if there is no such login. */
bool provision_end(struct provision *provision, uint32_t id);

/* True if a login with that id was granted and has not ended. */
bool provision_knows(const struct provision *provision, uint32_t id);

/* Number of sessions that are set up. */
uint32_t provision_count(const struct provision *provision);

#endif
