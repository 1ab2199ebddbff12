/* SPDX-License-Identifier: BSD-2-Clause */
/* Getting libcrypto ready for a process that will not be able to read files any more. */
#ifndef DTCP_PROTO_CRYPTO_H
#define DTCP_PROTO_CRYPTO_H

/*
 * Makes libcrypto read its configuration and load whatever digests, codes and random numbers need,
 * which it otherwise does at their first use. What does not work is left for that use to find.
 */
void crypto_prepare(void);

#endif
