/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory for each network namespace, since the files are about objects that exist once in
 * each. It contains a file for each instance, named after its interface, with a line for each
 * object, and other files with an '@', which our interface names do not contain:
 *
 *	table dtcpclient-dtcp0
 *	sysctl net/ipv6/conf/all/forwarding 0 1
 *	address lan0 2001:db8:100::1
 *	up lan0
 *	radvd 4711
 */
#include "client/root/lan_record.h"

#include "base/log.h"
#include "client/root/lan_undo.h"
#include "config.h"
#include "netconf/sysctl.h"
#include "netconf/tun.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_LINE = 200 };

struct lan_record {
	char interface[IFNAMSIZ];
	char folder[LAN_RECORD_PATH_SIZE - 2 * IFNAMSIZ];
	int folder_fd; /* locked while settings shared by instances are changed */
	int fd;	       /* locked as long as the record is open */
};

/* --- the files ---------------------------------------------------------------------------- */

static bool record_find_folder(struct lan_record *record)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status) == -1) {
		log_warn("/proc/self/ns/net");
		return false;
	}
	(void)snprintf(record->folder, sizeof(record->folder), "%s/dtcpclient-lan-%ju", DTCP_RUNDIR,
		       (uintmax_t)status.st_ino);
	return true;
}

static bool record_open_folder(struct lan_record *record)
{
	record->folder_fd = open(record->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return record->folder_fd != -1;
}

/*
 * Opens and locks the file. Tries again if the previous owner has removed it meanwhile. wait:
 * blocks until it is free; create: makes it if it is missing.
 */
static bool record_lock(struct lan_record *record, bool wait, bool create)
{
	for (;;) {
		struct stat status;
		int result;

		record->fd = openat(
			record->folder_fd, record->interface,
			O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
		if (record->fd == -1)
			return false;
		do
			result = flock(record->fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
		while (result == -1 && errno == EINTR);
		if (result == -1)
			break;
		if (fstat(record->fd, &status) == 0 && status.st_nlink > 0)
			return true;
		close(record->fd);
	}
	close(record->fd);
	record->fd = -1;
	return false;
}

static void record_free(struct lan_record *record)
{
	if (record->fd != -1)
		close(record->fd);
	if (record->folder_fd != -1)
		close(record->folder_fd);
	free(record);
}

static struct lan_record *record_new(const char *interface)
{
	struct lan_record *record = calloc(1, sizeof(*record));

	if (!record) {
		log_warn("--lan");
		return NULL;
	}
	record->folder_fd = record->fd = -1;
	(void)strlcpy(record->interface, interface, sizeof(record->interface));
	if (record_find_folder(record))
		return record;
	record_free(record);
	return NULL;
}

void lan_record_path(const struct lan_record *record, const char *what,
		     char path[static LAN_RECORD_PATH_SIZE])
{
	(void)snprintf(path, LAN_RECORD_PATH_SIZE, "%s/%s@%s", record->folder, record->interface,
		       what);
}

/* --- lines -------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static bool record_note(const struct lan_record *record,
							      const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = vdprintf(record->fd, format, ap);
	va_end(ap);
	if (result >= 0)
		return true;
	log_warn("%s/%s", record->folder, record->interface);
	return false;
}

bool lan_record_table(struct lan_record *record, const char *table)
{
	return record_note(record, "table %s\n", table);
}

bool lan_record_address(struct lan_record *record, const char *interface,
			const struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	return record_note(record, "address %s %s\n", interface,
			   inet_ntop(AF_INET6, addr, text, sizeof(text)));
}

bool lan_record_up(struct lan_record *record, const char *interface)
{
	return record_note(record, "up %s\n", interface);
}

bool lan_record_radvd(struct lan_record *record, int pid)
{
	return record_note(record, "radvd %d\n", pid);
}

/* The words of a line. */
struct record_words {
	const char *word[4];
};

/* Returns the number of words; 0 for an incomplete line. */
static size_t record_split(char *line, struct record_words *words)
{
	char *end = strchr(line, '\n');
	size_t n = 0;
	char *word;

	words->word[0] = "";
	if (!end)
		return 0;
	*end = '\0';
	while (n < sizeof(words->word) / sizeof(words->word[0]) && (word = strsep(&line, " ")))
		words->word[n++] = word;
	return line ? 0 : n;
}

static bool record_number(const char *word, int *out)
{
	const char *wrong = NULL;

	*out = (int)strtonum(word, INT_MIN, INT_MAX, &wrong);
	return !wrong;
}

/* Whether a file has the setting; *before is its original value. */
static bool record_find_sysctl(const struct lan_record *record, const char *name, const char *key,
			       int *before)
{
	int fd = openat(record->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *file = fd == -1 ? NULL : fdopen(fd, "r");
	char line[RECORD_LINE];
	bool found = false;

	if (!file && fd != -1)
		close(fd);
	while (file && !found && fgets(line, sizeof(line), file)) {
		struct record_words words;

		found = record_split(line, &words) == 4 && strcmp(words.word[0], "sysctl") == 0 &&
			strcmp(words.word[1], key) == 0 && record_number(words.word[2], before);
	}
	if (file)
		(void)fclose(file);
	return found;
}

/* Whether another instance has set it; *before is its original value. */
static bool record_others_have(const struct lan_record *record, const char *key, int *before)
{
	DIR *folder = opendir(record->folder);
	const struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder))) {
		if (tun_name_valid(entry->d_name) && strcmp(entry->d_name, record->interface) != 0)
			found = record_find_sysctl(record, entry->d_name, key, before);
	}
	if (folder)
		(void)closedir(folder);
	return found;
}

static bool record_set(struct lan_record *record, const char *key, int value)
{
	int now, before;
	int error = sysctl_read(key, &now);

	/* The setting or the interface does not exist. */
	if (error)
		return true;
	if (record_find_sysctl(record, record->interface, key, &before)) {
		if (now == value)
			return true;
	} else if (record_others_have(record, key, &before)) {
		if (!record_note(record, "sysctl %s %d %d\n", key, before, value))
			return false;
	} else if (now == value) {
		return true;
	} else if (!record_note(record, "sysctl %s %d %d\n", key, now, value)) {
		return false;
	}
	error = now == value ? 0 : sysctl_write(key, value);
	if (error)
		log_warnx("cannot set %s to %d: %s", key, value, strerror(-error));
	return !error;
}

bool lan_record_sysctl(struct lan_record *record, const char *key, int value)
{
	bool result;

	(void)flock(record->folder_fd, LOCK_EX);
	result = record_set(record, key, value);
	(void)flock(record->folder_fd, LOCK_UN);
	return result;
}

/* --- undoing ------------------------------------------------------------------------------ */

static void record_undo_sysctl(const struct lan_record *record, const char *key, int before,
			       int after)
{
	int now, other;

	/* A value that was changed meanwhile stays. */
	if (record_others_have(record, key, &other) || sysctl_read(key, &now) != 0 ||
	    now != after || now == before)
		return;
	if (sysctl_write(key, before) != 0)
		log_warnx("cannot set %s to %d", key, before);
}

static void record_undo_line(const struct lan_record *record, struct netlink *netlink, char *line)
{
	struct record_words words;
	size_t n = record_split(line, &words);
	int before, after;

	if (n != 4 || strcmp(words.word[0], "sysctl") != 0)
		lan_undo(netlink, words.word, n);
	else if (record_number(words.word[2], &before) && record_number(words.word[3], &after))
		record_undo_sysctl(record, words.word[1], before, after);
}

/* Undoes all lines in reverse order, and removes the file. */
static void record_undo(struct lan_record *record)
{
	FILE *file = fdopen(record->fd, "r");
	struct netlink *netlink = NULL;
	char(*lines)[RECORD_LINE] = NULL;
	char path[LAN_RECORD_PATH_SIZE];
	size_t n = 0;
	char line[RECORD_LINE];

	(void)netlink_open(&netlink);
	if (file)
		rewind(file);
	while (file && fgets(line, sizeof(line), file)) {
		char(*grown)[RECORD_LINE] = reallocarray(lines, n + 1, sizeof(*grown));

		if (!grown)
			break;
		lines = grown;
		memcpy(lines[n++], line, sizeof(line));
	}
	(void)flock(record->folder_fd, LOCK_EX);
	while (n > 0)
		record_undo_line(record, netlink, lines[--n]);
	lan_record_path(record, "conf", path);
	(void)unlink(path);
	lan_record_path(record, "pid", path);
	(void)unlink(path);
	(void)unlinkat(record->folder_fd, record->interface, 0);
	/* Fails if other instances have files in it. */
	(void)rmdir(record->folder);
	(void)flock(record->folder_fd, LOCK_UN);
	free(lines);
	netlink_close(netlink);
	if (file) {
		(void)fclose(file);
		record->fd = -1;
	}
}

struct lan_record *lan_record_open(const char *interface)
{
	struct lan_record *record = record_new(interface);

	if (!record)
		return NULL;
	/* Another instance may remove the directory at any moment. */
	for (int i = 0; i < 100; i++) {
		if (mkdir(record->folder, 0755) == -1 && errno != EEXIST)
			break;
		if (record_open_folder(record) && record_lock(record, true, true))
			return record;
		if (record->folder_fd != -1)
			close(record->folder_fd);
		record->folder_fd = -1;
		if (errno != ENOENT)
			break;
	}
	log_warn("%s/%s", record->folder, interface);
	record_free(record);
	return NULL;
}

void lan_record_close(struct lan_record *record)
{
	if (!record)
		return;
	record_undo(record);
	record_free(record);
}

/* Undoes the record of an instance that has ended; wait: waits for its end. */
static bool record_sweep_one(const char *interface, bool wait)
{
	struct lan_record *record = record_new(interface);
	bool left = record && record_open_folder(record) && record_lock(record, wait, false);

	if (left)
		record_undo(record);
	if (record)
		record_free(record);
	return left;
}

int lan_record_sweep(const char *interface)
{
	struct lan_record *record = record_new("");
	const struct dirent *entry;
	DIR *folder;
	int count = 0;

	if (!record)
		return 0;
	if (interface)
		count += record_sweep_one(interface, true);
	folder = opendir(record->folder);
	/* Other files are removed with a record. */
	while (folder && (entry = readdir(folder))) {
		if (tun_name_valid(entry->d_name))
			count += record_sweep_one(entry->d_name, false);
	}
	if (folder)
		(void)closedir(folder);
	record_free(record);
	return count;
}
