/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/netconf/failing.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stddef.h>

static unsigned int countdown;
static enum failing_how how;
static void (*act)(void *arg);
static void *act_arg;
static bool answer_is_due;
static bool list_is_due;
static bool happened;
static unsigned int requests;

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *request, size_t size);
ssize_t __real_mnl_socket_sendto(const struct mnl_socket *socket, const void *request, size_t size);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *socket, void *answer, size_t size);
ssize_t __real_mnl_socket_recvfrom(const struct mnl_socket *socket, void *answer, size_t size);

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *request, size_t size)
{
	requests++;
	if (countdown == 0 || --countdown > 0)
		return __real_mnl_socket_sendto(socket, request, size);
	happened = true;
	if (act) {
		act(act_arg);
	} else if (how == FAILING_REQUEST) {
		errno = ENOBUFS;
		return -1;
	} else {
		answer_is_due = true;
	}
	return __real_mnl_socket_sendto(socket, request, size);
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *socket, void *answer, size_t size)
{
	struct nlmsghdr *header = answer;
	ssize_t n;

	if (answer_is_due) {
		answer_is_due = false;
		errno = ENOBUFS;
		return -1;
	}
	n = __real_mnl_socket_recvfrom(socket, answer, size);
	if (list_is_due && n > 0 && (header->nlmsg_flags & NLM_F_MULTI)) {
		list_is_due = false;
		happened = true;
		header->nlmsg_flags |= NLM_F_DUMP_INTR;
	}
	return n;
}

void failing_at(unsigned int number, enum failing_how new_how)
{
	failing_before(number, NULL, NULL);
	how = new_how;
}

void failing_before(unsigned int number, void (*new_act)(void *arg), void *arg)
{
	countdown = number;
	act = new_act;
	act_arg = arg;
	happened = false;
}

bool failing_happened(void)
{
	return happened;
}

void failing_interrupt(void)
{
	list_is_due = true;
	happened = false;
}

unsigned int failing_requests(void)
{
	unsigned int count = requests;

	requests = 0;
	return count;
}
