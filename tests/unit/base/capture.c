/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/base/capture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int capture_fd = -1;
static int capture_file = -1;
static int capture_saved = -1;

void capture_begin(int fd)
{
	assert_int_equal(capture_fd, -1);
	(void)fflush(NULL);
	capture_file = memfd_create("captured", MFD_CLOEXEC);
	capture_saved = dup(fd);
	assert_true(capture_file != -1 && capture_saved != -1);
	assert_true(dup2(capture_file, fd) != -1);
	capture_fd = fd;
}

const char *capture_end(void)
{
	static char text[65536];
	ssize_t n;

	(void)fflush(NULL);
	assert_true(dup2(capture_saved, capture_fd) != -1);
	n = pread(capture_file, text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(capture_file);
	close(capture_saved);
	capture_fd = -1;
	return text;
}

unsigned int capture_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	/* Without ".", ".." and the directory itself. */
	return count - 3;
}
