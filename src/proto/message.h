/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of the Dynamic Tunnel Configuration Protocol as values: greeting, request, reply.
 * Pure code: bytes in, structs out. docs/protocol.md describes every form.
 */
#ifndef DTCP_PROTO_MESSAGE_H
#define DTCP_PROTO_MESSAGE_H

#include "proto/digest.h"
#include "proto/line.h"
#include "proto/prefix.h"
#include "proto/reason.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTCP_UDP_PORT	   4028
#define DTCP_PORT	   20200
#define DTCP_USER_MAX	   64  /* bytes of a user name */
#define DTCP_CHALLENGE_MAX 508 /* bytes of a challenge: a whole line except "+OK " */
#define DTCP_CHALLENGE_OUR 32  /* of a challenge of our server */
#define DTCP_PASSWORD_MAX  256 /* bytes of a password */
#define DTCP_PREFIXES_MAX  8   /* prefixes in one reply */
#define DTCP_REQUEST_WORDS 4   /* words of a request without extensions */

_Static_assert(PREFIX6_SET_MAX <= DTCP_PREFIXES_MAX, "what a user has fits into a reply");

enum tunnel_type {
	TUNNEL_NONE,	/* unknown */
	TUNNEL_ONLY,	/* "tunnelonly": link-local addresses only */
	TUNNEL_HOST,	/* "host": an address pair */
	TUNNEL_NETWORK, /* "network", old synonym "tunnelroute": a delegated prefix */
};

/* The type's name as it is sent; "none" for TUNNEL_NONE. */
const char *tunnel_type_name(enum tunnel_type type);

/* Case-insensitive; TUNNEL_NONE for an unknown word. */
enum tunnel_type tunnel_type_parse(const char *word);

/* An IPv4 address that can be the end of a tunnel: not in 0/8 or 127/8, nor in 224/3. */
bool dtcp_endpoint_valid(struct in_addr addr);

/*
 * The link-local address of such an end over protocol 41: fe80:: with addr as its last 32 bits
 * (RFC 4213, section 3.7). Each side computes that of the other.
 */
struct in6_addr dtcp_link_local(struct in_addr addr);

/* A user name that can be sent and stored: 1 to DTCP_USER_MAX printable bytes, no blank, no ':'. */
bool dtcp_user_valid(const char *user);

/* A password that both sides can handle: 1 to DTCP_PASSWORD_MAX bytes, no control characters. */
bool dtcp_password_valid(const char *password);

/* Parses a decimal port number, 1 to 65535, and nothing else. *out is set for true only. */
bool dtcp_port_parse(const char *text, uint16_t *out);

/*
 * Parses a session number: 16 hex digits in either case, not all zero, and nothing else. *out is
 * set for true only.
 */
bool dtcp_session_parse(const char *text, uint64_t *out);

/*
 * The link-local address of a user's end of a tunnel over UDP: fe80:: with the 64 bit FNV-1a hash
 * of the name. docs/protocol.md, section 3.1.
 */
struct in6_addr dtcp_link_local_user(const char *user);

/* --- server to client ------------------------------------------------------------------- */

/* Prefix of the word in the greeting's text that lists the offered types. */
#define DTCP_TYPES "types="

struct dtcp_greeting {
	char challenge[DTCP_CHALLENGE_MAX + 1];
	char text[DTCP_LINE_SIZE]; /* the free text, may be empty */
	unsigned int types;	   /* offered types, 1 << enum tunnel_type each; 0: not stated */
};

struct dtcp_reply {
	struct in_addr me;  /* the client's IPv4 address as the server sees it */
	struct in_addr her; /* the tunnel's far end */
	bool has_me6, has_her6;
	struct in6_addr me6;
	struct in6_addr her6;
	size_t n_prefixes;
	struct prefix6 prefixes[DTCP_PREFIXES_MAX];
	uint16_t udp_port; /* extension udp=port: the server's port; 0: protocol 41 */
	uint64_t session;  /* extension session=16 hex digits; 0 if udp_port is 0 */
};

enum reply_status {
	REPLY_OK,      /* "+OK ..." a valid "+OK ..." */
	REPLY_ERROR,   /* "-ERR reason": see reply_reason() */
	REPLY_GARBAGE, /* not a line of this protocol; *why has the reason */
};

/*
 * All parse a line without its line end. For REPLY_GARBAGE *why is the end of a sentence about the
 * line ("has no challenge"), otherwise "", except as noted at reply_parse(). *out is set for
 * REPLY_OK only. Only words that are interpreted must be ASCII; others can have any byte but NUL,
 * and have to be escaped with log_escape() before they are displayed.
 */

/* The server's first line. */
enum reply_status greeting_parse(const char *line, size_t len, struct dtcp_greeting *out,
				 const char **why);

/*
 * Parses the reply to a tunnel request; words are recognized by their form. For REPLY_OK the
 * addresses that the type requires are present: me and her always, me6 and her6 for host. All
 * addresses are unicast, IPv6 ones global or unique local, and no address or known extension comes
 * twice; any type can have more than it requires, also me6 without her6. "udp=" and "session=" come
 * both or not at all. Unknown words are ignored, however many; an invalid address, prefix, port or
 * session makes the line garbage. For network, *why may have a remark about a REPLY_OK: there is no
 * prefix, or one had bits set beyond its length, which were cleared.
 */
enum reply_status reply_parse(const char *line, size_t len, enum tunnel_type type,
			      struct dtcp_reply *out, const char **why);

/* Parses any other answer (to ping, quit): only whether it is +OK or -ERR. */
enum reply_status answer_parse(const char *line, size_t len, const char **why);

/* The text after "-ERR": a pointer into line, "" if there is none. line is NUL-terminated. */
const char *reply_reason(const char *line);

/*
 * Writes "+OK me her prefix ... me6 her6 udp=port session=digits" without line end into buf and
 * returns its length, or 0 if size is too small or the reply cannot be expressed (her6 without me6,
 * a port without a session). Without a port, the session is omitted.
 */
size_t reply_format(const struct dtcp_reply *reply, char *buf, size_t size);

/* --- client to server ------------------------------------------------------------------- */

enum dtcp_command {
	COMMAND_INVALID,
	COMMAND_TUNNEL,
	COMMAND_PING,
	COMMAND_HELP,
	COMMAND_QUIT,
};

struct dtcp_request {
	enum dtcp_command command;
	/*
	 * The rest is for COMMAND_TUNNEL, and all but user and type only if this is true: at least
	 * four words, a valid user name, only extensions after the type, none repeated, no known
	 * one with an invalid value.
	 */
	bool well_formed;
	char bad_word[32]; /* the invalid word after the type, truncated; "": none */
	char user[DTCP_USER_MAX + 1];
	char response[DTCP_RESPONSE_SIZE]; /* as sent; "" if it was not 32 hex digits */
	enum tunnel_type type;
	char type_word[32]; /* as sent, truncated, for the error answer */
	bool udp;	    /* extension "udp" or "udp=port" */
	uint16_t udp_port;  /* 0 for "udp" alone */
};

/*
 * Parses one line of a client. Never fails: unknown commands are COMMAND_INVALID. Words after ping,
 * help and quit are ignored.
 */
void request_parse(const char *line, size_t len, struct dtcp_request *out);

/* Size of a client's line for display. */
#define DTCP_REQUEST_SHOWN (DTCP_LINE_SIZE + sizeof("<response>"))

/*
 * The line for display: a tunnel request, well formed or not, has "<response>" instead of its third
 * word, which would help in guessing the password. Truncated at the end of buf; returns buf.
 */
const char *request_shown(const char *line, char *buf, size_t size);

/*
 * True if the len bytes are exactly "ping" or "quit", in either case; a CR may follow. See
 * docs/protocol.md, section 1.5.
 */
bool request_is_bare_word(const char *buf, size_t len);

/*
 * Writes "tunnel user response type" without line end, with udp also "udp=port", or "udp" alone for
 * port 0; returns its length, or 0 if size is too small or a word is invalid.
 */
size_t request_format(const char *user, const char *response, enum tunnel_type type, bool udp,
		      uint16_t udp_port, char *buf, size_t size);

#endif
