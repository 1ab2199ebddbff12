/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks that a test can set, loaded into a program with LD_PRELOAD: a wall clock that somebody has
 * set, a machine that has slept, and time that passes faster. Seconds are added to the time of day
 * and to the time since the machine was started, sleep included, as the file named by DTCP_CLOCKS
 * says. It is mapped once, so a room sees later changes without any right to open it. How fast time
 * passes is said before the program starts, and concerns its clocks and what libevent waits for.
 *
 * A timer that the kernel would cancel when the machine wakes or the wall clock is set comes ten
 * times a second instead: nobody can tell what it came for anyway, and has to look at the clocks.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct clocks {
	int64_t set;
	int64_t slept;
	int64_t speed; /* from the start on; 0 is 1 */
};

static const volatile struct clocks *clocks;
static int (*clocks_epoll_wait)(int fd, struct epoll_event *events, int n, int timeout);
static int (*clocks_gettime)(clockid_t clock, struct timespec *now);
static int (*clocks_timerfd_create)(int clock, int flags);
static int (*clocks_timerfd_settime)(int fd, int flags, const struct itimerspec *when,
				     struct itimerspec *old);

__attribute__((constructor)) static void clocks_init(void)
{
	const char *path = getenv("DTCP_CLOCKS");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	*(void **)&clocks_epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
	*(void **)&clocks_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&clocks_timerfd_create = dlsym(RTLD_NEXT, "timerfd_create");
	*(void **)&clocks_timerfd_settime = dlsym(RTLD_NEXT, "timerfd_settime");
	if (fd != -1) {
		page = mmap(NULL, sizeof(*clocks), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	/* A test that measures nothing is worse than one that fails. */
	if (page == MAP_FAILED || !clocks_epoll_wait || !clocks_gettime || !clocks_timerfd_create ||
	    !clocks_timerfd_settime)
		abort();
	clocks = page;
}

static int64_t clocks_speed(void)
{
	return clocks->speed ? clocks->speed : 1;
}

/* Not the time of day, which others have as well. */
static void clocks_hasten(struct timespec *now)
{
	int64_t part = now->tv_nsec * clocks_speed();

	now->tv_sec = now->tv_sec * clocks_speed() + part / 1000000000;
	now->tv_nsec = part % 1000000000;
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	int speed = (int)clocks_speed();

	return clocks_epoll_wait(fd, events, n,
				 timeout > 0 ? (timeout + speed - 1) / speed : timeout);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = clocks_gettime(clock, now);

	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += clocks->set;
	else if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
				 clock == CLOCK_BOOTTIME))
		clocks_hasten(now);
	if (result == 0 && clock == CLOCK_BOOTTIME)
		now->tv_sec += clocks->slept;
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

int timerfd_create(int clock, int flags)
{
	return clocks_timerfd_create(clock == CLOCK_REALTIME ? CLOCK_MONOTONIC : clock, flags);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *old)
{
	static const struct itimerspec soon = {.it_value = {.tv_nsec = 100000000}};

	if (flags & TFD_TIMER_CANCEL_ON_SET)
		return clocks_timerfd_settime(fd, 0, &soon, old);
	return clocks_timerfd_settime(fd, flags, when, old);
}
