/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/pid_file.h"

#include "base/log.h"

#include <errno.h>
#include <libutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool pid_file_claim(const char *path, struct pidfh **file)
{
	pid_t other = 0;

	*file = NULL;
	if (!path)
		return true;
	*file = pidfile_open(path, 0644, &other);
	if (!*file && errno == EEXIST)
		log_warnx("%s: running already, process %d", path, (int)other);
	else if (!*file)
		log_warn("cannot write the pid file %s", path);
	return *file;
}

void pid_file_write(struct pidfh *file)
{
	if (file && pidfile_write(file) == -1)
		log_warn("cannot write the pid file");
}

void pid_file_remove(struct pidfh *file)
{
	if (file && pidfile_remove(file) == -1 && errno != ENOENT)
		log_warn("cannot remove the pid file");
}

void pid_file_sweep(const char *path, pid_t pid)
{
	FILE *file = path ? fopen(path, "re") : NULL;
	char text[24] = "";

	if (!file)
		return;
	if (fgets(text, sizeof(text), file) && strtoll(text, NULL, 10) == pid && unlink(path) == -1)
		log_warn("cannot remove the pid file %s", path);
	(void)fclose(file);
}
