/* SPDX-License-Identifier: BSD-2-Clause */
#include "home.h"

#include "config.h"
#include "netconf/program.h"
#include "netconf/sysctl.h"
#include "netconf/tun.h"
#include "tests/unit/base/need.h"
#include "tests/unit/base/network.h"
#include "tests/unit/proto/addresses.h"

#include <errno.h>
#include <ftw.h>
#include <ifaddrs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct home home;

/* --- the programs ------------------------------------------------------------------------- */

bool __wrap_program_find(const char *name, char path[static PROGRAM_PATH_SIZE]);
int __wrap_program_run(char *const words[], const char *input);
pid_t __wrap_program_start(struct event_base *base, char *const words[]);
void __wrap_program_end(pid_t pid, const char *name, bool mine);
int __wrap_kill(pid_t pid, int number);
int __real_kill(pid_t pid, int number);

bool __wrap_program_find(const char *name, char path[static PROGRAM_PATH_SIZE])
{
	(void)snprintf(path, PROGRAM_PATH_SIZE, "/models/%s", name);
	return true;
}

int __wrap_program_run(char *const words[], const char *input)
{
	assert_string_equal(words[0], "nft");
	assert_string_equal(words[1], "-f");
	assert_string_equal(words[2], "-");
	assert_null(words[3]);
	(void)snprintf(home.nft, sizeof(home.nft), "%s", input);
	return home.nft_fails ? -EIO : 0;
}

pid_t __wrap_program_start(struct event_base *base, char *const words[])
{
	(void)base;
	assert_string_equal(words[0], "radvd");
	if (home.radvd_fails)
		return -EAGAIN;
	for (size_t i = 1; words[i]; i++) {
		if (strcmp(words[i], "-C") == 0)
			(void)snprintf(home.config_path, sizeof(home.config_path), "%s",
				       words[i + 1]);
	}
	home.starts++;
	return HOME_RADVD;
}

void __wrap_program_end(pid_t pid, const char *name, bool mine)
{
	size_t used = strlen(home.ended);

	(void)snprintf(home.ended + used, sizeof(home.ended) - used, "%s:%d%s ", name, (int)pid,
		       mine ? "" : "?");
}

int __wrap_kill(pid_t pid, int number)
{
	if (pid != HOME_RADVD)
		return __real_kill(pid, number);
	assert_int_equal(number, SIGHUP);
	home.reloads++;
	return 0;
}

/* --- the rest ----------------------------------------------------------------------------- */

void home_read_config(void)
{
	FILE *file = fopen(home.config_path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(home.config, 1, sizeof(home.config) - 1, file);
	home.config[n] = '\0';
	assert_int_equal(fclose(file), 0);
}

int home_setting(const char *key)
{
	int value;

	assert_int_equal(sysctl_read(key, &value), 0);
	return value;
}

bool home_has_address(const char *interface, const char *text)
{
	const struct in6_addr addr = addr6(text);
	struct ifaddrs *list = NULL;
	bool found = false;

	assert_int_equal(getifaddrs(&list), 0);
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct sockaddr_in6 there;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET6 ||
		    strcmp(entry->ifa_name, interface) != 0)
			continue;
		memcpy(&there, entry->ifa_addr, sizeof(there));
		found |= IN6_ARE_ADDR_EQUAL(&there.sin6_addr, &addr);
	}
	freeifaddrs(list);
	return found;
}

static unsigned int files;

static int count(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)path;
	(void)status;
	(void)type;
	/* Not the folder itself. */
	files += walk->level > 0;
	return 0;
}

unsigned int home_files(void)
{
	files = 0;
	assert_int_equal(nftw(DTCP_RUNDIR "/", count, 8, 0), 0);
	return files;
}

int home_open(void **state)
{
	(void)state;
	memset(&home, 0, sizeof(home));
	need(network_make(), "a network namespace");
	need(network_folder(DTCP_RUNDIR), "a mount namespace");
	assert_int_equal(netlink_open(&home.netlink), 0);
	home.lan = tun_open("lan0", &home.index);
	assert_true(home.lan >= 0);
	return 0;
}

int home_close(void **state)
{
	(void)state;
	close(home.lan);
	netlink_close(home.netlink);
	return 0;
}
