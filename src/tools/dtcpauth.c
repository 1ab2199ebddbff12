/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/auth.h"

int main(int argc, char **argv)
{
	return auth_main(argc, argv);
}
