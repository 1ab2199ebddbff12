/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/listen.h"

#include "base/log.h"
#include "base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) == CTL_PATH_SIZE, "each path fits");

/* Length of the listen queue. */
enum { LISTEN_BACKLOG = 16 };

/* Tries, since another daemon's end may remove the folder that was just made. */
enum { LISTEN_TRIES = 5 };

bool ctl_listen_check(const char *where, const char *value)
{
	if (strcmp(value, CTL_OFF) == 0)
		return true;
	if (value[0] != '/')
		return options_bad("%s: \"%s\": the whole path of a socket is needed, from / on, "
				   "or " CTL_OFF,
				   where, value);
	if (strlen(value) >= CTL_PATH_SIZE)
		return options_bad("%s: %s: too long for a socket, whose path has at most %d "
				   "octets",
				   where, value, CTL_PATH_SIZE - 1);
	return true;
}

bool ctl_listen_path(const char *setting, const char *program, const char *interface,
		     char path[static CTL_PATH_SIZE])
{
	path[0] = '\0';
	if (setting && strcmp(setting, CTL_OFF) == 0)
		return false;
	if (setting)
		(void)strlcpy(path, setting, CTL_PATH_SIZE);
	else
		(void)snprintf(path, CTL_PATH_SIZE, CTL_FOLDER "/%s%s%s.sock", program,
			       interface ? "-" : "", interface ? interface : "");
	return true;
}

static bool listen_in_folder(const char *path)
{
	return strncmp(path, CTL_FOLDER "/", sizeof(CTL_FOLDER)) == 0;
}

static void listen_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)strlcpy(address->sun_path, path, sizeof(address->sun_path));
}

/* Whether a process listens there, perhaps with a full queue. */
static bool listen_is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive =
		fd != -1 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			     errno == EAGAIN);

	if (fd != -1)
		close(fd);
	return alive;
}

/* Removes a leftover socket. Returns 0, or -errno after logging. */
static int listen_clear(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat there;

	if (lstat(path, &there) == -1)
		return 0;
	if (!S_ISSOCK(there.st_mode)) {
		log_warnx("%s is there and no socket; remove it, or choose another path for the "
			  "control socket",
			  path);
		return -EEXIST;
	}
	if (listen_is_alive(address)) {
		log_warnx("%s: another program answers there; choose another path for the control "
			  "socket",
			  path);
		return -EADDRINUSE;
	}
	if (unlink(path) == -1 && errno != ENOENT) {
		int error = -errno;

		log_warn("cannot remove the old socket %s", path);
		return error;
	}
	return 0;
}

/*
 * The file has its group and mode from the beginning, so that nobody can connect too early; and
 * this needs no privilege to change owners of files.
 */
static int listen_bind_as(int fd, const struct sockaddr_un *address)
{
	const struct group *group = getgrnam(CTL_GROUP);
	gid_t own = getegid();
	mode_t mask = umask(0117);
	int error = 0;

	if (group && setegid(group->gr_gid) == -1)
		log_warn("cannot give %s to the group " CTL_GROUP, address->sun_path);
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == -1)
		error = -errno;
	(void)umask(mask);
	if (getegid() != own && setegid(own) == -1) {
		log_warn("cannot take back the group of this process");
		return -EPERM;
	}
	return error;
}

static int listen_bind(int fd, const struct sockaddr_un *address)
{
	bool in_folder = listen_in_folder(address->sun_path);
	int error = -ENOENT;

	for (int i = 0; i < LISTEN_TRIES && error == -ENOENT; i++) {
		mode_t mask = umask(022);

		if (in_folder && mkdir(CTL_FOLDER, 0755) == -1 && errno != EEXIST)
			error = -errno;
		(void)umask(mask);
		if (error == -ENOENT)
			error = listen_bind_as(fd, address);
		if (!in_folder)
			break;
	}
	return error;
}

int ctl_listen_open(const char *path, struct ctl_listen *listen_at)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	*listen_at = (struct ctl_listen){.path = ""};
	if (fd == -1) {
		error = -errno;
		log_warn("cannot make the control socket");
		return error;
	}
	listen_address(path, &address);
	error = listen_clear(&address);
	if (error)
		goto failed;
	error = listen_bind(fd, &address);
	if (!error) {
		ctl_listen_take(path, open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), listen_at);
		error = listen(fd, LISTEN_BACKLOG) == -1 ? -errno : 0;
	}
	if (!error)
		return fd;
	errno = -error;
	log_warn("cannot make the control socket %s (another path can be set, or off)", path);
failed:
	ctl_listen_remove(listen_at);
	close(fd);
	return error;
}

void ctl_listen_take(const char *path, int file, struct ctl_listen *listen_at)
{
	struct stat there;

	*listen_at = (struct ctl_listen){.path = ""};
	if (fstat(file, &there) == -1 || !S_ISSOCK(there.st_mode)) {
		(void)close(file);
		return;
	}
	(void)strlcpy(listen_at->path, path, sizeof(listen_at->path));
	listen_at->file = file;
}

void ctl_listen_remove(struct ctl_listen *listen_at)
{
	struct stat ours, there;

	if (listen_at->path[0] == '\0')
		return;
	if (fstat(listen_at->file, &ours) == 0 && lstat(listen_at->path, &there) == 0 &&
	    there.st_ino == ours.st_ino && there.st_dev == ours.st_dev &&
	    unlink(listen_at->path) == -1 && errno != ENOENT)
		log_warn("cannot remove the control socket %s", listen_at->path);
	close(listen_at->file);
	/* Fails if other daemons have sockets in it. */
	if (listen_in_folder(listen_at->path))
		(void)rmdir(CTL_FOLDER);
	listen_at->path[0] = '\0';
}
