/* SPDX-License-Identifier: BSD-2-Clause */
#include "monitor/kept.h"

#include "base/log.h"
#include "monitor/tun.h"

#include <string.h>

enum kept_state kept_look(struct kept *kept, char old_name[static IFNAMSIZ])
{
	char name[IFNAMSIZ];
	bool up;

	old_name[0] = '\0';
	if (kept->index == 0 || tun_look(kept->index, name, &up) != 0)
		return KEPT_GONE;
	if (strcmp(name, kept->name) != 0) {
		(void)strlcpy(old_name, kept->name, IFNAMSIZ);
		(void)strlcpy(kept->name, name, sizeof(kept->name));
	}
	if (up && !tun_ipv6_is_off(name))
		return KEPT_THERE;
	/* Whoever does that means it; so it is left to them to set it up again. */
	if (!kept->set_down && up)
		log_warnx("interface %s: IPv6 was turned off; nothing passes until it is turned on "
			  "again",
			  name);
	else if (!kept->set_down)
		log_warnx("interface %s was set down; nothing passes until it is set up again",
			  name);
	kept->set_down = true;
	return KEPT_SET_DOWN;
}

struct kept_mending kept_mending(const struct kept *kept)
{
	return (struct kept_mending){.name = kept->set_down ? NULL : kept->name};
}

void kept_mend(struct kept_mending *mending, int result, const char *what, const char *text)
{
	if (result < 0 && !mending->error)
		mending->error = result;
	if (result <= 0)
		return;
	mending->count++;
	if (mending->name)
		log_warnx("interface %s: the %s %s was removed by somebody; put back",
			  mending->name, what, text);
}

int kept_mended(struct kept *kept, const struct kept_mending *mending)
{
	if (mending->error)
		return mending->error;
	if (kept->set_down)
		log_info("interface %s is up again, with its addresses and routes", kept->name);
	kept->set_down = false;
	return (int)mending->count;
}
