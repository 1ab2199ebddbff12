/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages between processes on the wire: one or several in a packet of a SOCK_SEQPACKET socket.
 * Each message but the last is padded with zeroes so that the next one is aligned; a descriptor
 * passed with the packet belongs to the first message.
 */
#ifndef DTCP_PROCESS_IPC_WIRE_H
#define DTCP_PROCESS_IPC_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Precedes the body, which is aligned for any type. */
struct ipc_header {
	_Alignas(16) uint32_t type;
	uint32_t size; /* of the body, without padding */
	uint64_t unused;
};

/* Largest packet in octets, small enough for the kernel to allocate in one piece. */
#define IPC_WIRE_PACKET_MAX 8192

/* Limit of messages in a packet. */
#define IPC_WIRE_MESSAGES_MAX 64

/* A received packet, and how far it has been read. */
struct ipc_wire_packet {
	_Alignas(16) unsigned char octets[IPC_WIRE_PACKET_MAX];
	size_t len;
	size_t at;
};

/* Octets of a message, with the padding for another one after it. */
size_t ipc_wire_padded(size_t body_size);

/*
 * Sends the pieces as one packet; passed is a descriptor for the first message, which the caller
 * still owns, or -1. Never blocks. Returns 0, or -errno with nothing sent.
 */
int ipc_wire_send(int fd, struct iovec *pieces, size_t count, int passed);

/* The same with one message, whose body has so many octets, whatever its header says. */
int ipc_wire_send_one(int fd, const struct ipc_header *header, const void *body, size_t size,
		      int passed);

/*
 * Receives a packet, without waiting. *passed is the descriptor that came with it, which the caller
 * owns, or -1. Returns 1; 0 if there is no packet; -1 if the other end has closed; -2 for an
 * invalid packet, whose descriptors are closed.
 */
int ipc_wire_receive(int fd, struct ipc_wire_packet *packet, int *passed);

/*
 * Takes the next message; both pointers point into the packet. Returns 1; 0 at the end of the
 * packet; -1 if header->size contradicts the size of the packet.
 */
int ipc_wire_next(struct ipc_wire_packet *packet, const struct ipc_header **header,
		  const void **body);

#endif
