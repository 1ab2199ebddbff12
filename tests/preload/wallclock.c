/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wall clock that a test can set: loaded into a program with LD_PRELOAD, it adds to the time of
 * day the seconds that are in the file named by DTCP_WALLCLOCK, a number of eight octets. The file
 * is mapped once, so a room sees later changes without any right to open it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wallclock_shift;
static int (*wallclock_real)(clockid_t clock, struct timespec *now);

__attribute__((constructor)) static void wallclock_init(void)
{
	const char *path = getenv("DTCP_WALLCLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	*(void **)&wallclock_real = dlsym(RTLD_NEXT, "clock_gettime");
	if (fd != -1) {
		page = mmap(NULL, sizeof(*wallclock_shift), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	/* A test that measures nothing is worse than one that fails. */
	if (page == MAP_FAILED || !wallclock_real)
		abort();
	wallclock_shift = page;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = wallclock_real(clock, now);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += *wallclock_shift;
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &precise) == -1)
		return -1;
	now->tv_sec = precise.tv_sec;
	now->tv_usec = precise.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1)
		return -1;
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
