/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DTCP_WEB_WEB_H
#define DTCP_WEB_WEB_H

/* dtcpweb, from its command line to its end. Returns the exit status. */
int web_main(int argc, char **argv);

#endif
