/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs for the kernel, as bpftool hands them over: its code has other habits than ours. */
#ifndef DTCP_FASTPATH_PROGRAMS_H
#define DTCP_FASTPATH_PROGRAMS_H

#include "fastpath/shared.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wnull-dereference"
#include "programs.skel.h"
#pragma GCC diagnostic pop

#endif
