/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record of what was made for --lan, written to a file before each object is made, so that it is
 * undone by this process at its end, by the guard, or, if all were killed, by the next start. The
 * file is locked by the process that wrote it, so that instances do not undo each other's; settings
 * that several instances need, such as forwarding by the kernel, are undone by the last one.
 */
#ifndef DTCP_CLIENT_ROOT_LAN_RECORD_H
#define DTCP_CLIENT_ROOT_LAN_RECORD_H

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Size of the path of a file beside the record. */
#define LAN_RECORD_PATH_SIZE 256

struct lan_record;

/* Opens the record of the instance with this interface. NULL after logging. */
struct lan_record *lan_record_open(const char *interface);

/* The path of a file that is removed with the record, such as "conf". */
void lan_record_path(const struct lan_record *record, const char *what,
		     char path[static LAN_RECORD_PATH_SIZE]);

/*
 * Each records an object that is about to be made, or a program that has been started. False after
 * logging: then it must not be made.
 */
bool lan_record_table(struct lan_record *record, const char *table);
bool lan_record_address(struct lan_record *record, const char *interface,
			const struct in6_addr *addr);
bool lan_record_up(struct lan_record *record, const char *interface);
bool lan_record_radvd(struct lan_record *record, int pid);

/*
 * Sets a kernel setting (netconf/sysctl.h) and records its original value; no effect if it has that
 * value and no other instance has set it. A missing setting is no error. False after logging.
 */
bool lan_record_sysctl(struct lan_record *record, const char *key, int value);

/* Undoes and frees the record. radvd must have ended, if it was a child. NULL is allowed. */
void lan_record_close(struct lan_record *record);

/*
 * Undoes the records of instances that have ended. interface: this one is about to end, and is
 * waited for; may be NULL. Returns the number of records.
 */
int lan_record_sweep(const char *interface);

#endif
