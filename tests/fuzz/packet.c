/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet that a process has sent over its channel, as the others read it: each message lies
 * within the packet behind the one before, and what is not read up to its end is in the wrong form.
 */
#include "fuzz.h"

#include "process/ipc_wire.h"

#include <string.h>

void fuzz_one(const uint8_t *data, size_t size)
{
	static struct ipc_wire_packet packet;
	const struct ipc_header *header = NULL;
	const void *body;
	size_t end = 0; /* of the messages so far */
	int more;

	packet.len = size < sizeof(packet.octets) ? size : sizeof(packet.octets);
	packet.at = 0;
	if (packet.len < sizeof(*header))
		return;
	memcpy(packet.octets, data, packet.len);
	while ((more = ipc_wire_next(&packet, &header, &body)) == 1) {
		FUZZ_CHECK((const unsigned char *)header == packet.octets + end);
		FUZZ_CHECK((const unsigned char *)body == packet.octets + end + sizeof(*header));
		FUZZ_CHECK(packet.len - end - sizeof(*header) >= header->size);
		FUZZ_CHECK((uintptr_t)body % _Alignof(struct ipc_header) == 0);
		end = packet.at;
	}
	if (more == 0)
		FUZZ_CHECK(end == packet.len);
	else
		FUZZ_CHECK(end + sizeof(*header) <= packet.len);
}
