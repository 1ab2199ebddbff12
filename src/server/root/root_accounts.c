/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of accounts: granted logins, which provision.c checks and sets up, for control. */
#include "base/log.h"
#include "forward/msg.h"
#include "server/root/root.h"
#include "server/root/root_parts.h"

#include <string.h>
#include <unistd.h>

static void root_tell_sessions(const struct server_root *root)
{
	uint32_t count = provision_count(root->provision);

	service_status(supervisor_service(root->supervisor), "%u: %u session%s",
		       root->options->port, count, count == 1 ? "" : "s");
}

/* Logs which tunnel types are available, over which transports. */
static void root_log_ready(const struct server_root *root)
{
	const struct server_options *options = root->options;
	bool network = options->has_pool || !(options->tunnelonly || options->has_host);
	char text[PREFIX6_STRLEN];
	struct log_record record;

	log_record_begin(&record, LOG_INFO, "ready", "ready for logins");
	log_record_number(&record, "port", options->port);
	log_record_text(&record, "types", "%s%s%s%s%s", options->tunnelonly ? "tunnelonly" : "",
			options->tunnelonly && options->has_host ? "," : "",
			options->has_host ? "host" : "",
			network && (options->tunnelonly || options->has_host) ? "," : "",
			network ? "network" : "");
	if (options->has_host)
		log_record_text(&record, "host_prefix", "%s",
				prefix6_format(&options->host_prefix, text));
	if (options->has_pool)
		log_record_text(&record, "pool", "%s", prefix6_format(&options->pool, text));
	log_record_text(&record, "transports", options->udp ? "ipv6,udp" : "ipv6");
	if (options->udp)
		log_record_number(&record, "udp_port", options->udp_port);
	log_event(&record);
	root_tell_sessions(root);
	service_ready(supervisor_service(root->supervisor));
}

static void root_on_grant(const void *body, void *arg)
{
	const struct server_root *root = arg;
	struct server_verdict verdict;

	if (!root_control_listens(root))
		return;
	if (!provision_grant(root->provision, body, &verdict)) {
		supervisor_fail(root->supervisor, "accounts granted a login that cannot be");
		return;
	}
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_VERDICT, &verdict,
			sizeof(verdict), -1);
	explicit_bzero(verdict.key, sizeof(verdict.key));
	root_tell_sessions(root);
}

static void root_on_revoke(const void *body, void *arg)
{
	const struct server_revoked *revoked = body;
	const struct server_root *root = arg;

	if (!root_control_listens(root))
		return;
	if (provision_knows(root->provision, revoked->id) && revoked->why > 0 &&
	    revoked->why < SERVER_WHYS)
		supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_REVOKE, revoked,
				sizeof(*revoked), -1);
	else
		supervisor_fail(root->supervisor, "accounts revoked a login that is not there");
}

static void root_on_logout(const void *body, void *arg)
{
	const struct server_id *id = body;
	const struct server_root *root = arg;

	if (provision_end(root->provision, id->id))
		root_tell_sessions(root);
	else
		supervisor_fail(root->supervisor, "accounts ended a login that is not there");
}

static void root_on_assigned(const void *body, void *arg)
{
	const struct forward_prefix *assigned = body;
	struct server_root *root = arg;

	/* Limited, since each takes memory of forward. */
	if (!prefix6_valid(&assigned->prefix) || !prefix6_is_unicast(&assigned->prefix) ||
	    root->assigned == ROOT_ROUTES_MAX)
		return;
	root->assigned++;
	supervisor_send(root->supervisor, SERVER_FORWARD, FORWARD_MSG_ASSIGNED, assigned,
			sizeof(*assigned), -1);
}

/* Accounts is ready for logins. */
static void root_on_ready(void *arg)
{
	struct server_root *root = arg;

	if (root->listener == -1)
		return;
	supervisor_send(root->supervisor, SERVER_CONTROL, SERVER_MSG_LISTENER, NULL, 0,
			root->listener);
	root->listener = -1;
	root_log_ready(root);
}

static const struct ipc_row root_accounts_rows[] = {
	IPC_BODY(SERVER_MSG_GRANT, struct server_grant, root_on_grant),
	IPC_BODY(SERVER_MSG_REVOKE, struct server_revoked, root_on_revoke),
	IPC_BODY(SERVER_MSG_LOGOUT, struct server_id, root_on_logout),
	IPC_BODY(SERVER_MSG_ASSIGNED, struct forward_prefix, root_on_assigned),
	IPC_EVENT(SERVER_MSG_READY, root_on_ready),
};

const struct process_rows server_root_rows = PROCESS_ROWS(root_accounts_rows);
