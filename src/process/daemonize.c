/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/daemonize.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool daemonize_begin(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == -1) {
			log_warn("cannot open /dev/null");
			return false;
		}
	} while (fd <= STDERR_FILENO);
	close(fd);
	return true;
}

bool daemonize_claim(const char *path, struct pidfh **pidfile)
{
	pid_t other = 0;

	*pidfile = NULL;
	if (!path)
		return true;
	*pidfile = pidfile_open(path, 0644, &other);
	if (!*pidfile && errno == EEXIST)
		log_warnx("%s: running already, process %d", path, (int)other);
	else if (!*pidfile)
		log_warn("cannot write the pid file %s", path);
	return *pidfile;
}

bool daemonize(struct pidfh *pidfile, bool background)
{
	if (background) {
		/* The directory stays: files named on the command line may be relative to it. */
		if (daemon(1, 0) == -1) {
			log_warn("cannot become a daemon");
			return false;
		}
		log_to_syslog();
	}
	if (pidfile && pidfile_write(pidfile) == -1)
		log_warn("cannot write the pid file");
	return true;
}

void daemonize_end(struct pidfh *pidfile)
{
	if (pidfile && pidfile_remove(pidfile) == -1)
		log_warn("cannot remove the pid file");
}

void daemonize_forget(const char *path, pid_t pid)
{
	FILE *file = path ? fopen(path, "re") : NULL;
	char text[24] = "";

	if (!file)
		return;
	if (fgets(text, sizeof(text), file) && strtoll(text, NULL, 10) == pid && unlink(path) == -1)
		log_warn("cannot remove the pid file %s", path);
	(void)fclose(file);
}
