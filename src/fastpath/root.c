/* SPDX-License-Identifier: BSD-2-Clause */
#include "fastpath/root.h"

#include "base/log.h"
#include "forward/counters.h"
#include "forward/msg.h"
#include "netconf/ipsec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void fastpath_say(const struct fastpath *fastpath)
{
	if (!fastpath)
		log_info("fast path: off");
	else if (fastpath_is_paused(fastpath))
		log_info("fast path: off: this machine has IPsec policies, which the kernel's "
			 "programs would pass by");
	else
		log_info("fast path: on, the kernel %s",
			 fastpath_receives(fastpath)
				 ? "sends and receives"
				 : "sends; to receive takes Linux 6.3, so user space does");
}

static void fastpath_on_ipsec(void *arg)
{
	struct fastpath *fastpath = arg;
	bool there = ipsec_has_policies();

	if (there == fastpath_is_paused(fastpath))
		return;
	fastpath_pause(fastpath, there);
	fastpath_say(fastpath);
}

struct watch *fastpath_watch_ipsec(struct event_base *base, struct fastpath *fastpath,
				   enum fast_choice choice)
{
	struct watch *watch;

	if (!fastpath || choice != FAST_AUTO)
		return NULL;
	watch = watch_ipsec_new(base, fastpath_on_ipsec, fastpath);
	/* Detects changes since the start. */
	fastpath_on_ipsec(fastpath);
	return watch;
}

/* Checks for policies at the start: "auto" is then off, "on" logs a warning. */
static void fastpath_look_for_ipsec(struct fastpath *fastpath, enum fast_choice choice)
{
	bool there = ipsec_has_policies();

	if (there && choice == FAST_ON)
		log_warnx("fast path: this machine has IPsec policies, and packets pass them by");
	fastpath_pause(fastpath, there && choice == FAST_AUTO);
}

bool fastpath_begin(enum fast_choice choice, const struct fastpath_config *config,
		    struct fastpath **out)
{
	char why[160] = "";

	*out = NULL;
	fastpath_sweep(config->interface);
	if (choice == FAST_OFF) {
		fastpath_say(NULL);
		return true;
	}
	*out = fastpath_open(config, why, sizeof(why));
	if (*out) {
		fastpath_look_for_ipsec(*out, choice);
		fastpath_say(*out);
		return true;
	}
	if (choice == FAST_ON) {
		log_warnx("fast path: not possible: %s", why);
		return false;
	}
	log_info("fast path: off: %s", why);
	return true;
}

/* Sends a duplicate of a map's descriptor. */
static void fastpath_give(const struct fastpath *fastpath, enum fast_map map,
			  struct supervisor *supervisor, size_t place, uint32_t type,
			  const void *body, size_t size)
{
	int fd = fcntl(fastpath_map(fastpath, map), F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		supervisor_fail(supervisor, "cannot hand over the fast path: %s", strerror(errno));
	else
		supervisor_send(supervisor, place, type, body, size, fd);
}

void fastpath_hand(const struct fastpath *fastpath, struct supervisor *supervisor, size_t forward)
{
	for (enum fast_map map = FAST_STATE; fastpath && map < FAST_MAPS; map++) {
		const struct forward_fast body = {
			.map = map,
			.lanes = fastpath_lanes(fastpath),
			.receives = fastpath_receives(fastpath),
		};

		fastpath_give(fastpath, map, supervisor, forward, FORWARD_MSG_FAST, &body,
			      sizeof(body));
	}
}

void fastpath_hand_counters(const struct fastpath *fastpath, struct supervisor *supervisor,
			    size_t reader, uint32_t type)
{
	const struct counters_kernel_given body = {.lanes =
							   fastpath ? fastpath_lanes(fastpath) : 0};

	if (fastpath)
		fastpath_give(fastpath, FAST_COUNTERS, supervisor, reader, type, &body,
			      sizeof(body));
}

void fastpath_join_tun(struct fastpath *fastpath, struct netlink *netlink, unsigned int index)
{
	int error;

	if (!fastpath)
		return;
	/* First the filter that drops everything but IPv6 from the device. */
	error = fastpath_set_tun(fastpath, index);
	if (!error && index)
		error = netlink_link_forward_ipv4(netlink, index);

	/* A device that is gone already will be made anew, which calls this again. */
	if (error && error != -ENODEV)
		log_warnx("fast path: not on the tunnel's interface: %s", strerror(-error));
}

void fastpath_join_uplinks(struct fastpath *fastpath)
{
	int result = fastpath ? fastpath_follow(fastpath) : 0;

	if (result < 0)
		log_warnx("fast path: not on every interface: %s", strerror(-result));
}
