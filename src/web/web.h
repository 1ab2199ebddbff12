/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DTCP_WEB_WEB_H
#define DTCP_WEB_WEB_H

/* Runs dtcpweb. Returns the exit status. */
int web_main(int argc, char **argv);

#endif
