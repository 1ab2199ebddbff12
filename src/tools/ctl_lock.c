/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_lock.h"

#include "ctl/listen.h"
#include "process/sandbox.h"
#include "process/user.h"

#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Retries if a daemon's listen queue is full, and nanoseconds between them. */
#define TRIES	  100
#define TRY_AGAIN 20000000

/* For each path: the connection, NULL once taken, or why there is none. */
struct ctl_lock_entry {
	struct ctl_lock_entry *next;
	char path[ASK_PATH_SIZE];
	struct ask *ask;
	int rc;
};

static struct ctl_lock_entry *ctl_lock_list;

static struct ctl_lock_entry *ctl_lock_find(const char *path)
{
	struct ctl_lock_entry *entry = ctl_lock_list;

	while (entry && strcmp(entry->path, path) != 0)
		entry = entry->next;
	return entry;
}

static int ctl_lock_open(const char *path, struct ask **ask)
{
	const struct timespec wait = {.tv_nsec = TRY_AGAIN};
	int tries = 0, rc;

	while ((rc = ask_open(path, ask)) == -EAGAIN && tries++ < TRIES)
		(void)nanosleep(&wait, NULL);
	return rc;
}

int ctl_lock_connect(const char *path)
{
	struct ctl_lock_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	if (strlcpy(entry->path, path, sizeof(entry->path)) >= sizeof(entry->path)) {
		free(entry);
		return -ENAMETOOLONG;
	}
	entry->rc = ctl_lock_open(path, &entry->ask);
	entry->next = ctl_lock_list;
	ctl_lock_list = entry;
	return entry->rc;
}

int ctl_lock_take(const char *path, struct ask **ask)
{
	struct ctl_lock_entry *entry = ctl_lock_find(path);

	if (!entry || (!entry->ask && entry->rc == 0))
		return ctl_lock_open(path, ask);
	*ask = entry->ask;
	entry->ask = NULL;
	return entry->rc;
}

void ctl_lock_give(const char *path, struct ask *ask)
{
	struct ctl_lock_entry *entry = ctl_lock_find(path);

	if (entry && !entry->ask)
		entry->ask = ask;
	else
		ask_close(ask);
}

void ctl_lock_close_others(const char *path)
{
	for (struct ctl_lock_entry *entry = ctl_lock_list; entry; entry = entry->next) {
		if (strcmp(entry->path, path) == 0)
			continue;
		ask_close(entry->ask);
		entry->ask = NULL;
	}
}

void ctl_lock_in(bool again)
{
	const struct group *group = getgrnam(CTL_GROUP);
	struct user_ids user;

	/*
	 * Loads what libraries would later read from files: the seed of hash tables and, in some
	 * locales, character sets.
	 */
	json_object_seed(0);
	(void)mblen("x", 1);
	if (!again || geteuid() != 0) {
		sandbox_enter_tool(again ? SANDBOX_WATCH : SANDBOX_LOOK, NULL);
		return;
	}
	/* Without further connections, no permitted call depends on the user. */
	if (!user_check(NULL, false, &user))
		exit(1);
	user.gid = group ? group->gr_gid : 0;
	sandbox_enter_tool(SANDBOX_WATCH, &user);
}
