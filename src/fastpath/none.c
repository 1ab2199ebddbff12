/* SPDX-License-Identifier: BSD-2-Clause */
/* Stubs for builds without clang, bpftool or libbpf. */
#include "fastpath/fastpath.h"

#include <errno.h>
#include <string.h>

struct fastpath *fastpath_open(const struct fastpath_config *config, char *why, size_t why_size)
{
	(void)config;
	(void)strlcpy(why, "not built into this program", why_size);
	return NULL;
}

void fastpath_close(struct fastpath *fastpath)
{
	(void)fastpath;
}

void fastpath_sweep(const char *interface)
{
	(void)interface;
}

bool fastpath_leaves_filters(const struct fastpath *fastpath)
{
	(void)fastpath;
	return false;
}

void fastpath_pause(struct fastpath *fastpath, bool paused)
{
	(void)fastpath;
	(void)paused;
}

bool fastpath_is_paused(const struct fastpath *fastpath)
{
	(void)fastpath;
	return false;
}

bool fastpath_receives(const struct fastpath *fastpath)
{
	(void)fastpath;
	return false;
}

int fastpath_map(const struct fastpath *fastpath, enum fast_map map)
{
	(void)fastpath;
	(void)map;
	return -1;
}

uint32_t fastpath_lanes(const struct fastpath *fastpath)
{
	(void)fastpath;
	return 0;
}

int fastpath_set_tun(struct fastpath *fastpath, unsigned int index)
{
	(void)fastpath;
	(void)index;
	return -ENOSYS;
}

int fastpath_follow(struct fastpath *fastpath)
{
	(void)fastpath;
	return -ENOSYS;
}
