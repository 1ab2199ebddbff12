/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was made for --lan, in a file that was written before it was made: whoever comes next takes
 * it back, be it this process at its end, the guard, or, where all were killed, the next start. The
 * file is locked as long as the process lives that wrote it, so that two instances do not take each
 * other's; and what both need, such as that the kernel forwards, goes with the last one.
 */
#ifndef DTCP_CLIENT_ROOT_LAN_RECORD_H
#define DTCP_CLIENT_ROOT_LAN_RECORD_H

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Room for the path of a file beside the record. */
#define LAN_RECORD_PATH_SIZE 256

struct lan_record;

/* Begins the record of the instance with this interface. NULL after logging. */
struct lan_record *lan_record_open(const char *interface);

/* The path of a file that goes with the record, such as "conf". */
void lan_record_path(const struct lan_record *record, const char *what,
		     char path[static LAN_RECORD_PATH_SIZE]);

/*
 * Each notes what is about to be made, or a program that has been started. False after logging:
 * then it must not be made.
 */
bool lan_record_table(struct lan_record *record, const char *table);
bool lan_record_address(struct lan_record *record, const char *interface,
			const struct in6_addr *addr);
bool lan_record_up(struct lan_record *record, const char *interface);
bool lan_record_radvd(struct lan_record *record, int pid);

/*
 * Sets a setting of the kernel (netconf/sysctl.h) and notes what it was; nothing if it has that
 * value and no other instance has set it. One that does not exist is no error. False after logging.
 */
bool lan_record_sysctl(struct lan_record *record, const char *key, int value);

/* Takes all back and frees it. radvd must have ended, if it was a child. NULL is allowed. */
void lan_record_close(struct lan_record *record);

/*
 * Takes back what others have left who are gone. interface: one of them is about to end, and is
 * waited for; or NULL. Returns how many there were.
 */
int lan_record_sweep(const char *interface);

#endif
