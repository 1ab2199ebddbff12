/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/web.h"

int main(int argc, char **argv)
{
	return web_main(argc, argv);
}
