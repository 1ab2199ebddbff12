/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/control/tally.h"

void tally_refused(struct tally_logins *logins, enum server_result result)
{
	switch (result) {
	case SERVER_AUTH:
		logins->auth++;
		break;
	case SERVER_DISABLED:
	case SERVER_EXPIRED:
		logins->disabled++;
		break;
	case SERVER_TRANSPORT:
	case SERVER_PROTO41:
		logins->transport++;
		break;
	case SERVER_TYPE:
		logins->type++;
		break;
	case SERVER_SOLD_OUT:
		logins->sold_out++;
		break;
	case SERVER_FAILED:
		logins->failed++;
		break;
	case SERVER_GRANTED:
		break;
	}
}

void tally_session(struct tally_sessions *sessions, enum tunnel_type type, bool udp, bool more)
{
	if (more) {
		sessions->types[type]++;
		sessions->udp += udp;
	} else {
		sessions->types[type]--;
		sessions->udp -= udp;
	}
}
