/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int sysctl_open(const char *key, int flags)
{
	char path[256];
	int used = snprintf(path, sizeof(path), "/proc/sys/%s", key);
	int fd;

	if (used < 0 || (size_t)used >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

int sysctl_read(const char *key, int *value)
{
	const char *wrong = NULL;
	char text[32];
	int fd = sysctl_open(key, O_RDONLY);
	int error = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	if (n == -1)
		error = -errno;
	close(fd);
	if (error)
		return error;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	*value = (int)strtonum(text, INT_MIN, INT_MAX, &wrong);
	return wrong ? -EINVAL : 0;
}

int sysctl_write(const char *key, int value)
{
	int fd = sysctl_open(key, O_WRONLY);
	int error = 0;

	if (fd < 0)
		return fd;
	if (dprintf(fd, "%d\n", value) < 0)
		error = -errno;
	close(fd);
	return error;
}
