/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/resources.h"

#include "base/log.h"
#include "client/root/hook.h"
#include "client/root/interface.h"
#include "client/root/lan_record.h"
#include "fastpath/root.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "netconf/sockets.h"
#include "netconf/tun.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

bool client_resources_script(const struct client_options *options,
			     char script[static CLIENT_SCRIPT_SIZE])
{
	if (!hook_find(options, script))
		return false;
	if (!hook_wanted(options) && access(options->script, F_OK) == 0)
		log_warnx("%s cannot be executed, so it is not run; chmod +x is what it needs",
			  options->script);
	return true;
}

bool client_resources_try_device(const struct client_options *options, struct netlink *netlink)
{
	unsigned int index;
	int fd;

	if (options->no_device)
		return true;
	fd = tun_open(options->interface, &index);
	/* An interface that was removed again could be made. */
	if (fd < 0 && fd != -ENODEV)
		return false;
	if (fd >= 0)
		close(fd);
	interface_sweep(netlink);
	if (lan_record_sweep(NULL) > 0)
		log_info("took back what an earlier run has left on the networks here");
	return true;
}

/* Sends a descriptor; false for an error, which has been logged. */
static bool client_resources_send(struct supervisor *supervisor, enum client_process process,
				  uint32_t type, int fd)
{
	if (fd >= 0)
		supervisor_send(supervisor, process, type, NULL, 0, fd);
	return fd >= 0;
}

static bool client_resources_begin_fast(struct supervisor *supervisor,
					const struct client_options *options, uint32_t udp_port,
					struct fastpath **fast)
{
	const struct fastpath_config config = {
		.sessions_max = 1,
		.routes_max = 1,
		.udp_port = (uint16_t)udp_port,
		.interface = options->interface,
	};

	if (!fastpath_begin(options->fast, &config, fast))
		return false;
	fastpath_hand_counters(*fast, supervisor, CLIENT_CONTROL, CLIENT_MSG_FAST);
	fastpath_hand(*fast, supervisor, CLIENT_FORWARD);
	return true;
}

bool client_resources_open(struct supervisor *supervisor, const struct client_options *options,
			   struct fastpath **fast, uint32_t *udp_port)
{
	const struct in_addr any = {.s_addr = INADDR_ANY};
	uint16_t bound = options->udp_port;
	int counters;
	int reader;

	*udp_port = options->transport == SESSION_IPV6 ? 0 : bound;
	if (options->no_device)
		return true;
	counters = sockets_counter_page(counters_size(1), &reader);
	if (counters < 0 ||
	    !client_resources_send(supervisor, CLIENT_CONTROL, CLIENT_MSG_COUNTERS, reader) ||
	    !client_resources_send(supervisor, CLIENT_FORWARD, FORWARD_MSG_COUNTERS, counters))
		return false;
	if (options->transport != SESSION_UDP &&
	    !client_resources_send(supervisor, CLIENT_FORWARD, FORWARD_MSG_RAW,
				   sockets_raw_socket()))
		return false;
	if (options->transport != SESSION_IPV6) {
		if (!client_resources_send(supervisor, CLIENT_FORWARD, FORWARD_MSG_UDP,
					   sockets_udp_socket(any, bound, &bound)))
			return false;
		*udp_port = bound;
	}
	return !fast || client_resources_begin_fast(supervisor, options, *udp_port, fast);
}

void client_resources_tell(struct supervisor *supervisor, size_t n_servers, const char *user,
			   const struct account_passwords *passwords, uint32_t udp_port)
{
	struct client_account account = {.udp_port = udp_port};
	struct client_password password;

	for (uint32_t i = 0; i < n_servers; i++) {
		password.server = i;
		memcpy(password.text, passwords->text[i], sizeof(password.text));
		supervisor_send(supervisor, CLIENT_CONTROL, CLIENT_MSG_PASSWORD, &password,
				sizeof(password), -1);
	}
	explicit_bzero(&password, sizeof(password));
	(void)strlcpy(account.user, user, sizeof(account.user));
	supervisor_send(supervisor, CLIENT_CONTROL, CLIENT_MSG_ACCOUNT, &account, sizeof(account),
			-1);
}
