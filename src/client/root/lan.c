/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/lan.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/root/lan_parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Delay before radvd is restarted. */
enum { LAN_RETRY_MS = 10000 };

/* --- the plan ----------------------------------------------------------------------------- */

static bool lan_planned(const struct lan_plan *plan, const struct lan_net *net)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->nets[i].interface == net->interface &&
		    prefix6_equal(&plan->nets[i].prefix, &net->prefix))
			return true;
	}
	return false;
}

static void lan_leave(struct lan *lan, const struct lan_net *net)
{
	unsigned int index = if_nametoindex(lan->options->lan.names[net->interface]);

	if (index != 0)
		(void)netlink_address_delete(lan->netlink, index, &net->router, 64);
}

/* Removes stale networks that have expired, or are in use again. */
static void lan_sort_stale(struct lan *lan, const struct lan_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < lan->n_stale; i++) {
		const struct lan_stale stale = lan->stale[i];

		if (lan_planned(plan, &stale.net))
			continue;
		if (stale.until > clock_ms())
			lan->stale[n++] = stale;
		else
			lan_leave(lan, &stale.net);
	}
	lan->n_stale = n;
}

/* --- the firewall ------------------------------------------------------------------------- */

/* Name servers of the uplink. */
static size_t lan_uplink_dns(struct in6_addr out[static CLIENT_LAN_DNS_MAX])
{
	/* With systemd-resolved, the second file has only its own address. */
	static const char *const paths[] = {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && n == 0; i++) {
		FILE *file = fopen(paths[i], "re");

		if (file) {
			n = lan_dns(file, out, CLIENT_LAN_DNS_MAX);
			(void)fclose(file);
		}
	}
	return n;
}

static struct lan_announcement lan_announcement(const struct lan *lan)
{
	return (struct lan_announcement){
		.lan = &lan->options->lan,
		.mtu = lan->options->mtu,
		.plan = &lan->plan,
		.stale = lan->stale,
		.n_stale = lan->n_stale,
		.now = clock_ms(),
	};
}

/* Without a tunnel it stays unchanged, which is harmless. */
static bool lan_load_firewall(struct lan *lan)
{
	const struct lan_announcement what = lan_announcement(lan);
	char nft[] = "nft", file[] = "-f", input[] = "-";
	char *const words[] = {nft, file, input, NULL};
	char name[LAN_TABLE_SIZE];
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool written = false;
	bool done;

	if (out) {
		lan_write_firewall(out, lan_table(lan->options->interface, name), lan->interface,
				   &what);
		written = fclose(out) == 0;
	}
	done = written && lan->firewall && strcmp(lan->firewall, text) == 0;
	if (written && !done && program_run(words, text) == 0) {
		free(lan->firewall);
		lan->firewall = text;
		return true;
	}
	free(text);
	if (!done)
		log_warnx("--lan: the firewall cannot be loaded, so nothing is let in");
	return done;
}

static bool lan_guard(struct lan *lan)
{
	char name[LAN_TABLE_SIZE];

	if (lan->options->lan.no_firewall)
		return true;
	return (lan->firewall ||
		lan_record_table(lan->record, lan_table(lan->options->interface, name))) &&
	       lan_load_firewall(lan);
}

/* --- radvd -------------------------------------------------------------------------------- */

static bool lan_write_config(struct lan *lan)
{
	static const struct lan_plan nothing;
	struct in6_addr dns[CLIENT_LAN_DNS_MAX];
	struct lan_announcement what = lan_announcement(lan);
	char path[LAN_RECORD_PATH_SIZE];
	FILE *out;
	int result;

	/* A plan for a tunnel that did not come up is not used. */
	if (!lan->up)
		what.plan = &nothing;
	what.dns = lan->options->lan.dns;
	what.n_dns = lan->options->lan.n_dns;
	if (lan->options->lan.dns_auto) {
		what.dns = dns;
		what.n_dns = lan_uplink_dns(dns);
	}
	lan_record_path(lan->record, "conf", path);
	/* radvd reads it only when signalled. */
	out = fopen(path, "we");
	if (!out) {
		log_warn("%s", path);
		return false;
	}
	lan_write_radvd(out, &what);
	result = fchmod(fileno(out), 0644);
	if (fclose(out) == 0 && result == 0)
		return true;
	log_warn("%s", path);
	return false;
}

static void lan_start_radvd(struct lan *lan)
{
	char config[LAN_RECORD_PATH_SIZE];
	char pidfile[LAN_RECORD_PATH_SIZE];
	char radvd[] = "radvd", foreground[] = "-n", method[] = "-m", to[] = "stderr",
	     config_word[] = "-C", pidfile_word[] = "-p";
	char *const words[] = {radvd,  foreground,   method,  to,  config_word,
			       config, pidfile_word, pidfile, NULL};
	pid_t pid;

	lan_record_path(lan->record, "conf", config);
	lan_record_path(lan->record, "pid", pidfile);
	pid = program_start(lan->base, words);
	if (pid > 0) {
		lan->radvd = pid;
		(void)lan_record_radvd(lan->record, pid);
	} else {
		clock_arm(lan->start, clock_ms() + LAN_RETRY_MS);
	}
}

/* Announces the present state. */
static void lan_announce(struct lan *lan)
{
	if (!lan_write_config(lan))
		return;
	if (lan->radvd == 0)
		lan_start_radvd(lan);
	else if (kill(lan->radvd, SIGHUP) == -1)
		log_warn("cannot signal radvd");
	/* They are sorted by expiry. */
	if (lan->n_stale > 0 && lan->radvd > 0)
		clock_arm(lan->start, lan->stale[0].until);
}

static void lan_on_start(evutil_socket_t fd, short what, void *arg)
{
	struct lan *lan = arg;

	(void)fd;
	(void)what;
	lan_sort_stale(lan, &lan->plan);
	lan_announce(lan);
}

bool lan_reaped(struct lan *lan, pid_t pid, int status)
{
	if (!lan || pid != lan->radvd || pid == 0)
		return false;
	if (WIFSIGNALED(status))
		log_warnx("radvd was ended by signal %d; starting it again", WTERMSIG(status));
	else
		log_warnx("radvd has ended with status %d; starting it again", WEXITSTATUS(status));
	lan->radvd = 0;
	clock_arm(lan->start, clock_ms() + LAN_RETRY_MS);
	return true;
}

/* --- changes from outside ----------------------------------------------------------------- */

static void lan_look(void *arg)
{
	struct lan *lan = arg;

	if (lan->up)
		lan_make_nets(lan);
}

static void lan_on_touched(unsigned int index, void *arg)
{
	struct lan *lan = arg;
	char name[IFNAMSIZ];

	if (!lan->up || (index != 0 && (!if_indextoname(index, name) || !lan_is_lan(lan, name))))
		return;
	interface_watch_look_soon(lan->watch);
}

/* --- up and down -------------------------------------------------------------------------- */

/*
 * Nothing new is to use the prefix; the address here stays for as long as machines may have theirs,
 * so that they can be told. If there are too many, the latest are kept.
 */
static void lan_make_stale(struct lan *lan, const struct lan_net *net)
{
	unsigned int index = if_nametoindex(lan->options->lan.names[net->interface]);

	if (index != 0)
		(void)netlink_address_prefer(lan->netlink, index, &net->router, 64, false);
	if (lan->n_stale == LAN_NETS_MAX) {
		lan_leave(lan, &lan->stale[0].net);
		lan->n_stale--;
		memmove(lan->stale, lan->stale + 1, lan->n_stale * sizeof(*lan->stale));
	}
	lan->stale[lan->n_stale++] =
		(struct lan_stale){.net = *net, .until = clock_ms() + LAN_VALID * 1000LL};
}

static void lan_change(struct lan *lan, const struct lan_plan *plan)
{
	for (size_t i = 0; i < lan->plan.n; i++) {
		if (lan->up && !lan_planned(plan, &lan->plan.nets[i]))
			lan_make_stale(lan, &lan->plan.nets[i]);
	}
	lan_sort_stale(lan, plan);
	lan->plan = *plan;
}

bool lan_prepare(struct lan *lan, const struct client_tunnel *tunnel, const char *interface)
{
	static struct lan_plan plan;

	if (!lan)
		return true;
	(void)strlcpy(lan->interface, interface, sizeof(lan->interface));
	if (!lan->record)
		lan->record = lan_record_open(lan->options->interface);
	if (!lan->record)
		return false;
	lan_plan(tunnel, lan->options, &plan);
	lan_plan_log(&plan, lan->options);
	lan_change(lan, &plan);
	return lan_guard(lan) && lan_forward(lan);
}

void lan_raise(struct lan *lan)
{
	bool announced;

	if (!lan)
		return;
	lan_make_nets(lan);
	announced = lan->up;
	lan->up = true;
	if (!announced)
		lan_announce(lan);
}

void lan_rename(struct lan *lan, const char *interface)
{
	if (!lan || !lan->record)
		return;
	(void)strlcpy(lan->interface, interface, sizeof(lan->interface));
	(void)lan_guard(lan);
}

void lan_lower(struct lan *lan)
{
	static const struct lan_plan nothing;

	if (!lan || !lan->up)
		return;
	lan_change(lan, &nothing);
	lan->up = false;
	/* radvd continues, to deprecate the prefix. */
	(void)lan_guard(lan);
	lan_announce(lan);
}

struct lan *lan_new(struct event_base *base, const struct client_options *options,
		    struct netlink *netlink)
{
	struct lan *lan = calloc(1, sizeof(*lan));

	if (!lan)
		goto failed;
	lan->options = options;
	lan->base = base;
	lan->netlink = netlink;
	lan->start = evtimer_new(base, lan_on_start, lan);
	if (!lan->start)
		goto failed;
	/* Without the watch, an interface that appears later is not configured. */
	lan->watch = interface_watch_new(
		base, &(const struct interface_watch_owner){
			      .touched = lan_on_touched, .look = lan_look, .arg = lan});
	return lan;
failed:
	log_warnx("--lan cannot be prepared");
	lan_free(lan);
	return NULL;
}

void lan_free(struct lan *lan)
{
	if (!lan)
		return;
	interface_watch_free(lan->watch);
	if (lan->start)
		event_free(lan->start);
	/* Its last advertisement says that this is not a router any more, and the prefix
	 * deprecated. */
	if (lan->radvd > 0)
		program_end(lan->radvd, "radvd", true);
	lan_record_close(lan->record);
	free(lan->firewall);
	free(lan);
}
