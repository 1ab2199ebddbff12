/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/lan_undo.h"

#include "client/lan.h"
#include "netconf/program.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lan_undo_table(const char *table)
{
	char nft[] = "nft", from[] = "-f", input[] = "-";
	char *const words[] = {nft, from, input, NULL};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out)
		lan_write_no_firewall(out, table);
	if (out && fclose(out) == 0)
		(void)program_run(words, text);
	free(text);
}

static void lan_undo_address(struct netlink *netlink, const char *interface, const char *text)
{
	unsigned int index = if_nametoindex(interface);
	struct in6_addr addr;

	if (index != 0 && inet_pton(AF_INET6, text, &addr) == 1)
		(void)netlink_address_delete(netlink, index, &addr, 64);
}

static void lan_undo_up(struct netlink *netlink, const char *interface)
{
	unsigned int index = if_nametoindex(interface);

	if (index != 0)
		(void)netlink_link_set_up(netlink, index, false);
}

static void lan_undo_radvd(const char *pid)
{
	const char *wrong = NULL;
	int number = (int)strtonum(pid, INT_MIN, INT_MAX, &wrong);

	if (!wrong)
		program_end(number, "radvd", false);
}

void lan_undo(struct netlink *netlink, const char *const words[], size_t n)
{
	if (n == 2 && strcmp(words[0], "radvd") == 0)
		lan_undo_radvd(words[1]);
	else if (n == 2 && strcmp(words[0], "table") == 0)
		lan_undo_table(words[1]);
	else if (n == 2 && strcmp(words[0], "up") == 0 && netlink)
		lan_undo_up(netlink, words[1]);
	else if (n == 3 && strcmp(words[0], "address") == 0 && netlink)
		lan_undo_address(netlink, words[1], words[2]);
}
