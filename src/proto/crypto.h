/* SPDX-License-Identifier: BSD-2-Clause */
/* Prepares libcrypto for a process that will not be able to read files any more. */
#ifndef DTCP_PROTO_CRYPTO_H
#define DTCP_PROTO_CRYPTO_H

/*
 * Makes libcrypto read its configuration and load what digests, HMACs and random numbers need,
 * which it otherwise does at first use. Failures show at that use.
 */
void crypto_prepare(void);

#endif
