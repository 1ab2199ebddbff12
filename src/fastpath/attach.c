/* SPDX-License-Identifier: BSD-2-Clause */
#include "fastpath/attach.h"

#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

/* Linux 6.6; the headers of Debian 12 are older than the kernels that may run there. */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

/* Priority of our filters. */
#define FILTER_PRIORITY 20200

void attachment_init(struct attachment *attachment)
{
	*attachment = (struct attachment){.link = -1};
}

static int attach_tcx(int program, unsigned int index, enum attach_point point)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_ifindex = index;
	attr.link_create.attach_type = point == ATTACH_INGRESS ? TCX_INGRESS : TCX_EGRESS;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd == -1 ? -errno : (int)fd;
}

bool attach_has_tcx(int program)
{
	/* A kernel with TCX reports the missing device, others an unknown command. */
	return attach_tcx(program, 0, ATTACH_INGRESS) == -ENODEV;
}

/*
 * What libbpf is told. It refuses a struct with anything behind its last member, which an
 * initializer, that of LIBBPF_OPTS() as well, need not clear: some compilers leave what was there.
 */
static void attach_describe(struct bpf_tc_hook *hook, struct bpf_tc_opts *opts, unsigned int index,
			    enum attach_point point, uint32_t handle)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = (int)index;
	hook->attach_point = point == ATTACH_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
	memset(opts, 0, sizeof(*opts));
	opts->sz = sizeof(*opts);
	opts->handle = handle;
	opts->priority = FILTER_PRIORITY;
}

static int attach_filter(int program, unsigned int index, enum attach_point point, uint32_t handle)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int error;

	attach_describe(&hook, &opts, index, point, handle);
	opts.prog_fd = program;
	opts.flags = BPF_TC_F_REPLACE;
	error = bpf_tc_hook_create(&hook);
	if (error && error != -EEXIST)
		return error;
	return bpf_tc_attach(&hook, &opts);
}

int attachment_make(struct attachment *attachment, int program, unsigned int index,
		    enum attach_point point, const struct attach_way *way)
{
	int result;

	attachment_init(attachment);
	if (!way->old) {
		result = attach_tcx(program, index, point);
		attachment->link = result < 0 ? -1 : result;
		return result < 0 ? result : 0;
	}
	result = attach_filter(program, index, point, way->handle);
	if (!result) {
		attachment->index = index;
		attachment->point = point;
		attachment->handle = way->handle;
	}
	return result;
}

static void detach_filter(unsigned int index, enum attach_point point, uint32_t handle)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;

	attach_describe(&hook, &opts, index, point, handle);
	(void)bpf_tc_detach(&hook, &opts);
}

void attachment_end(struct attachment *attachment)
{
	if (attachment->link != -1)
		close(attachment->link);
	if (attachment->index)
		detach_filter(attachment->index, attachment->point, attachment->handle);
	attachment_init(attachment);
}

void attach_sweep(uint32_t handle)
{
	struct if_nameindex *devices = if_nameindex();

	for (size_t i = 0; devices && devices[i].if_index != 0; i++)
		detach_filter(devices[i].if_index, ATTACH_INGRESS, handle);
	if (devices)
		if_freenameindex(devices);
}
