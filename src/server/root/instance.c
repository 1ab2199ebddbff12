/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/instance.h"

#include "base/log.h"
#include "netconf/tun.h"
#include "server/root/interface.h"
#include "users/users.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path of the lock file, whatever path is used for the database. False: errno. */
static bool instance_path(const char *database, char path[static PATH_MAX + 8])
{
	char real[PATH_MAX];

	if (!realpath(database, real))
		return false;
	(void)snprintf(path, PATH_MAX + 8, "%s.lock", real);
	return true;
}

/* Whether that path is this file's. */
static bool instance_is_at(const char *path, const struct stat *file)
{
	struct stat named;

	return lstat(path, &named) == 0 && named.st_ino == file->st_ino &&
	       named.st_dev == file->st_dev;
}

/*
 * Opens and locks it. The folder may not be root's, so the file could be anything: it is opened
 * without following links, and written only if it has no other link. Returns the descriptor or
 * -errno; -EEXIST: another process has the lock, and *other is its process id, 0 if it has not
 * written it yet.
 */
static int instance_lock(const char *path, int *other)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct stat ours;
	char text[16] = "";
	int error = 0;
	int fd;

	for (;;) {
		fd = open(path, flags, 0600);
		if (fd == -1)
			return -errno;
		if (fstat(fd, &ours) == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1)
			error = errno == EWOULDBLOCK ? -EEXIST : -errno;
		else if (!S_ISREG(ours.st_mode) || ours.st_nlink > 1)
			error = -EPERM;
		if (error)
			break;
		/* The previous owner may have just removed it. */
		if (instance_is_at(path, &ours))
			return fd;
		close(fd);
	}
	if (error == -EEXIST && pread(fd, text, sizeof(text) - 1, 0) > 0)
		*other = (int)strtol(text, NULL, 10);
	close(fd);
	return error;
}

/* The folder may be the database user's, while root lacks the capability for others' files. */
static void instance_complain(const char *path, int error)
{
	char folder[PATH_MAX + 8];
	const char *name;

	errno = -error;
	if (error != -EACCES) {
		log_warn("cannot lock the database with %s", path);
		return;
	}
	(void)strlcpy(folder, path, sizeof(folder));
	name = dirname(folder);
	log_warnx("cannot lock the database with %s: %s; let root make files beside it with: "
		  "chown :root %s && chmod g+rwx %s",
		  path, strerror(EACCES), name, name);
}

int instance_claim(const char *database)
{
	char path[PATH_MAX + 8];
	char process[32] = "";
	int other = 0;
	int lock;

	if (!instance_path(database, path)) {
		log_warnx("%s: %s", database, errno == ENOENT ? USERS_MISSING : strerror(errno));
		return -1;
	}
	lock = instance_lock(path, &other);
	if (lock >= 0)
		return lock;
	if (other > 0)
		(void)snprintf(process, sizeof(process), ", process %d", other);
	if (lock == -EEXIST)
		log_warnx("%s: in use by another dtcps%s; a second one needs a database and "
			  "prefixes of its own",
			  database, process);
	else
		instance_complain(path, lock);
	return -1;
}

void instance_write(int lock)
{
	if (ftruncate(lock, 0) == -1 || dprintf(lock, "%d", (int)getpid()) < 0)
		log_warn("cannot write into the lock of the database");
}

void instance_release(const char *database, int lock)
{
	char path[PATH_MAX + 8];
	struct stat ours;

	/*
	 * By now the database may be a link to anything. In a folder that root cannot write to
	 * without capabilities, the lock file stays, which is harmless.
	 */
	if (instance_path(database, path) && fstat(lock, &ours) == 0 && instance_is_at(path, &ours))
		(void)unlink(path);
	close(lock);
}

/* Largest number of leftover interfaces; more than any likely accident leaves. */
struct instance_links {
	struct {
		unsigned int index;
		char name[IFNAMSIZ];
	} list[32];
	size_t count;
};

static void instance_on_link(unsigned int index, const char *name, void *arg)
{
	struct instance_links *links = arg;

	/* A running server has its interfaces open. */
	if (links->count == sizeof(links->list) / sizeof(links->list[0]) || !tun_is_orphan(name))
		return;
	links->list[links->count].index = index;
	(void)strlcpy(links->list[links->count++].name, name, IFNAMSIZ);
}

static void instance_sweep_links(struct netlink *netlink)
{
	struct instance_links links = {.count = 0};

	(void)netlink_links_by_alias(netlink, INTERFACE_ALIAS, instance_on_link, &links);
	for (size_t i = 0; i < links.count; i++) {
		if (netlink_link_delete(netlink, links.list[i].index) == 0)
			log_info("removed the interface %s, which an earlier run has left",
				 links.list[i].name);
	}
}

static void instance_ignore(unsigned int index, const char *name, void *arg)
{
	(void)index;
	(void)name;
	(void)arg;
}

static void instance_sweep_routes(struct netlink *netlink, const struct prefix6 *within)
{
	char text[PREFIX6_STRLEN];
	int removed = netlink_reject_sweep(netlink, within);

	if (removed > 0)
		log_info("removed %d reject route%s in %s, which an earlier run has left", removed,
			 removed == 1 ? "" : "s", prefix6_format(within, text));
}

void instance_sweep(const struct server_options *options, struct netlink *netlink)
{
	instance_sweep_links(netlink);
	/* A client running on this machine has reject routes, too, and needs them. */
	if (netlink_links_by_alias(netlink, NETLINK_CLIENT_ALIAS, instance_ignore, NULL) != 0)
		return;
	if (options->has_pool)
		instance_sweep_routes(netlink, &options->pool);
	if (options->has_host)
		instance_sweep_routes(netlink, &options->host_prefix);
}
