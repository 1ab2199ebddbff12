/* SPDX-License-Identifier: BSD-2-Clause */
#include "fastpath/fastpath.h"

#include "base/hash.h"
#include "fastpath/attach.h"
#include "fastpath/programs.h"
#include "fastpath/uplinks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Maximum number of lanes; more processors share them. */
#define LANES_MAX 8

struct fastpath {
	struct programs *programs;
	struct attach_way way;
	bool receives;
	uint32_t lanes;
	unsigned int tun;
	struct attachment out;
	struct attachment guard;
	struct uplinks uplinks;
};

static int fastpath_quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* The most recent feature that the programs need, and its kernel version. */
static const struct {
	enum bpf_func_id helper;
	const char *name;
	const char *since;
} fastpath_helpers[] = {
	{BPF_FUNC_redirect_neigh, "bpf_redirect_neigh", "5.10"},
	{BPF_FUNC_ktime_get_coarse_ns, "bpf_ktime_get_coarse_ns", "5.11"},
};

/* error: errno value of loading the programs. */
static void fastpath_explain(int error, char *why, size_t why_size)
{
	for (size_t i = 0; i < sizeof(fastpath_helpers) / sizeof(fastpath_helpers[0]); i++) {
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, fastpath_helpers[i].helper,
					    NULL) != 0)
			continue;
		(void)snprintf(why, why_size, "the kernel is too old: %s is there since Linux %s",
			       fastpath_helpers[i].name, fastpath_helpers[i].since);
		return;
	}
	if (error == EPERM || error == EACCES)
		(void)snprintf(why, why_size,
			       "no privilege to load a program, or a security module refused it");
	else if (error == ENOSYS)
		(void)snprintf(why, why_size, "the kernel has no eBPF");
	else
		(void)snprintf(why, why_size, "the kernel does not take the program: %s",
			       strerror(error));
}

/* Whether the kernel can remove an IPv4 header around IPv6, tested with a packet of zeros. */
static bool fastpath_try_decap(const struct fastpath *fastpath)
{
	uint8_t packet[14 + 20 + 40 + 20] = {[12] = 0x08, [14] = 0x45};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));
	int fd = bpf_program__fd(fastpath->programs->progs.fast_try_decap);

	return bpf_prog_test_run_opts(fd, &run) == 0 && run.retval == 1;
}

static uint32_t fastpath_count_lanes(void)
{
	int processors = libbpf_num_possible_cpus();
	uint32_t lanes = 1;

	while (lanes < LANES_MAX && processors > 0 && lanes < (uint32_t)processors)
		lanes *= 2;
	return lanes;
}

static int fastpath_size_maps(struct fastpath *fastpath, const struct fastpath_config *config)
{
	struct programs *programs = fastpath->programs;
	int error = bpf_map__set_max_entries(programs->maps.sessions, config->sessions_max);

	if (!error)
		error = bpf_map__set_max_entries(programs->maps.counters,
						 (config->sessions_max + 1) * fastpath->lanes);
	if (!error)
		error = bpf_map__set_max_entries(programs->maps.peers, config->sessions_max);
	if (!error)
		error = bpf_map__set_max_entries(programs->maps.routes, config->routes_max);
	return error;
}

/* The same handle at each start. */
static uint32_t fastpath_handle(const char *interface)
{
	static const uint64_t key[2];
	uint64_t words[IFNAMSIZ / sizeof(uint64_t)] = {0};

	memcpy(words, interface, strnlen(interface, sizeof(words)));
	return (uint32_t)hash_words(key, words, sizeof(words) / sizeof(words[0])) | 1;
}

struct fastpath *fastpath_open(const struct fastpath_config *config, char *why, size_t why_size)
{
	struct fastpath *fastpath = calloc(1, sizeof(*fastpath));
	int error = 0;

	if (!fastpath) {
		(void)snprintf(why, why_size, "out of memory");
		return NULL;
	}
	uplinks_init(&fastpath->uplinks);
	fastpath->way.old = config->old;
	fastpath->way.handle = fastpath_handle(config->interface);
	attachment_init(&fastpath->out);
	attachment_init(&fastpath->guard);
	(void)libbpf_set_print(fastpath_quiet);
	fastpath->lanes = fastpath_count_lanes();
	fastpath->programs = programs__open();
	if (!fastpath->programs)
		error = errno;
	else if (fastpath_size_maps(fastpath, config))
		error = EINVAL;
	else
		error = -programs__load(fastpath->programs);
	/* From now on only the programs can write into the map. */
	if (!error && bpf_map_freeze(bpf_map__fd(fastpath->programs->maps.counters)))
		error = errno;
	if (error) {
		fastpath_explain(error, why, why_size);
		fastpath_close(fastpath);
		return NULL;
	}
	fastpath->receives = fastpath_try_decap(fastpath);
	if (!attach_has_tcx(bpf_program__fd(fastpath->programs->progs.fast_guard)))
		fastpath->way.old = true;
	fastpath->programs->data_root->root.lanes = fastpath->lanes;
	fastpath->programs->data_root->root.sessions_max = config->sessions_max;
	fastpath->programs->data_root->root.ingress = config->server;
	fastpath->programs->bss->state.udp_port = htons(config->udp_port);
	return fastpath;
}

void fastpath_sweep(const char *interface)
{
	(void)libbpf_set_print(fastpath_quiet);
	attach_sweep(fastpath_handle(interface));
}

bool fastpath_leaves_filters(const struct fastpath *fastpath)
{
	return fastpath && fastpath->way.old;
}

void fastpath_pause(struct fastpath *fastpath, bool paused)
{
	fastpath->programs->data_root->root.paused = paused;
}

bool fastpath_is_paused(const struct fastpath *fastpath)
{
	return fastpath->programs->data_root->root.paused != 0;
}

bool fastpath_receives(const struct fastpath *fastpath)
{
	return fastpath->receives;
}

uint32_t fastpath_lanes(const struct fastpath *fastpath)
{
	return fastpath->lanes;
}

int fastpath_map(const struct fastpath *fastpath, enum fast_map map)
{
	const struct programs *programs = fastpath->programs;

	switch (map) {
	case FAST_STATE:
		return bpf_map__fd(programs->maps.bss);
	case FAST_SESSIONS:
		return bpf_map__fd(programs->maps.sessions);
	case FAST_COUNTERS:
		return bpf_map__fd(programs->maps.counters);
	case FAST_ROUTES:
		return bpf_map__fd(programs->maps.routes);
	case FAST_PEERS:
		return bpf_map__fd(programs->maps.peers);
	case FAST_MAPS:
		break;
	}
	return -1;
}

/* --- devices ------------------------------------------------------------------------------ */

static int fastpath_attach(const struct fastpath *fastpath, const struct bpf_program *program,
			   unsigned int index, enum attach_point point, struct attachment *out)
{
	return attachment_make(out, bpf_program__fd(program), index, point, &fastpath->way);
}

int fastpath_set_tun(struct fastpath *fastpath, unsigned int index)
{
	int error;

	fastpath->programs->data_root->root.tun = 0;
	/* If the device is gone, its attachment is, too. */
	attachment_end(&fastpath->out);
	attachment_end(&fastpath->guard);
	fastpath->tun = 0;
	if (index == 0)
		return 0;
	error = fastpath_attach(fastpath, fastpath->programs->progs.fast_guard, index,
				ATTACH_INGRESS, &fastpath->guard);
	if (!error)
		error = fastpath_attach(fastpath, fastpath->programs->progs.fast_encap, index,
					ATTACH_EGRESS, &fastpath->out);
	if (error) {
		attachment_end(&fastpath->guard);
		return error;
	}
	fastpath->tun = index;
	fastpath->programs->data_root->root.tun = index;
	return 0;
}

int fastpath_follow(struct fastpath *fastpath)
{
	return uplinks_follow(&fastpath->uplinks, fastpath->programs, &fastpath->way);
}

void fastpath_close(struct fastpath *fastpath)
{
	if (!fastpath)
		return;
	uplinks_end(&fastpath->uplinks, fastpath->programs);
	attachment_end(&fastpath->out);
	attachment_end(&fastpath->guard);
	programs__destroy(fastpath->programs);
	free(fastpath);
}
