/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/facts.h"

#include "netconf/ruleset.h"
#include "netconf/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the process named in a lock file is a server. The file is untrusted. */
static bool facts_names_server(const char *path)
{
	static const char title[] = "dtcps: monitor";
	char text[sizeof(title)] = "";
	char line[40];
	long long pid = 0;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return false;
	if (read(fd, text, sizeof(text) - 1) > 0)
		pid = strtonum(text, 1, INT_MAX, NULL);
	close(fd);
	(void)snprintf(line, sizeof(line), "/proc/%lld/cmdline", pid);
	fd = pid > 0 ? open(line, O_RDONLY | O_CLOEXEC) : -1;
	if (fd == -1)
		return false;
	memset(text, 0, sizeof(text));
	if (read(fd, text, sizeof(text) - 1) == -1)
		text[0] = '\0';
	close(fd);
	return strcmp(text, title) == 0;
}

/*
 * Whether a server has the lock of the database (instance.h). Trying to lock it could keep a server
 * from starting at this moment. In a container, the list of locks may omit that of a daemon, whose
 * first process took it, or have another inode number for the file.
 */
static bool facts_is_running(const char *database)
{
	char real[PATH_MAX];
	char path[PATH_MAX + 8];
	char line[256];
	struct stat info;
	bool locked;
	FILE *locks;

	if (!realpath(database, real))
		return false;
	(void)snprintf(path, sizeof(path), "%s.lock", real);
	if (stat(path, &info) == -1)
		return false;
	locked = facts_names_server(path);
	locks = fopen("/proc/locks", "re");
	/* "1: FLOCK ADVISORY WRITE 17 00:2f:1234 0 EOF", where the number before the range is the
	 * inode. */
	while (locks && !locked && fgets(line, sizeof(line), locks)) {
		const char *number = strrchr(line, ':');

		locked = number && strstr(line, " FLOCK ") && strstr(line, " WRITE ") &&
			 strtoull(number + 1, NULL, 10) == (unsigned long long)info.st_ino;
	}
	if (locks)
		(void)fclose(locks);
	return locked;
}

bool facts_gather(struct facts *facts, const struct server_options *options)
{
	const struct prefix6 *const within[] = {
		options->has_host ? &options->host_prefix : NULL,
		options->has_pool ? &options->pool : NULL,
	};
	struct netlink *netlink;
	int error;

	*facts = (struct facts){.forwarding = survey_setting("all", "forwarding")};
	if (netlink_open(&netlink) != 0)
		return false;
	error = survey_take(&facts->survey, netlink, within, sizeof(within) / sizeof(within[0]));
	netlink_close(netlink);
	if (error != 0)
		return false;
	survey_read_settings(&facts->survey);
	facts->no_ipv6 = access("/proc/sys/net/ipv6", F_OK) == -1 && errno == ENOENT;
	facts->no_ipv6_new = survey_setting("default", "disable_ipv6") == 1;
	facts->running = facts_is_running(options->database);
	facts->file = access(options->source.file, F_OK) == 0;
	facts->ruleset = ruleset_read();
	return true;
}

/* Whether a port is free: errno, or 0. */
static int facts_try_port(int type, struct in_addr addr, uint16_t port)
{
	const struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr = addr,
		.sin_port = htons(port),
	};
	const int on = 1;
	int error = 0;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return errno;
	/* Connections of a server that has just ended do not prevent binding. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) == -1)
		error = errno;
	close(fd);
	return error;
}

/* The local address of packets to the Internet; nothing is sent. */
static struct in_addr facts_outside(void)
{
	const struct sockaddr_in far = {
		.sin_family = AF_INET,
		.sin_addr = {htonl(0xc0000801)}, /* 192.0.8.1: any distant address */
		.sin_port = htons(9),
	};
	struct sockaddr_in name = {.sin_family = AF_UNSPEC};
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return name.sin_addr;
	if (connect(fd, (const struct sockaddr *)&far, sizeof(far)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&name, &len) == -1)
		name.sin_addr.s_addr = INADDR_ANY;
	close(fd);
	return name.sin_addr;
}

void facts_gather_start(struct facts *facts, const struct server_options *options)
{
	struct user_ids user;

	facts->outside = facts_outside();
	if (user_find(options->run_as, true, &user) &&
	    !database_owner_can(options->database, &user, facts->owner_text,
				sizeof(facts->owner_text)))
		facts->owner = facts->owner_text;
	facts->tcp_error = facts_try_port(SOCK_STREAM, options->listen, options->port);
	if (options->udp)
		facts->udp_error = facts_try_port(SOCK_DGRAM, options->listen, options->udp_port);
	for (size_t i = 0; i < facts->survey.n_links; i++) {
		const char *name = facts->survey.links[i].name;

		facts->interface_taken |=
			strcmp(name, options->interface) == 0 && !tun_is_orphan(name);
	}
}

void facts_free(struct facts *facts)
{
	survey_free(&facts->survey);
	free(facts->ruleset);
}
