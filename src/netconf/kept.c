/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/kept.h"

#include "base/log.h"
#include "netconf/tun.h"

#include <string.h>

/* Whether packets can pass; logs it if somebody has just put an end to that. */
static bool kept_is_up(struct kept *kept, const char *name, bool up)
{
	if (up && !tun_ipv6_is_off(name))
		return true;
	/* Whoever does that means it; so it is left to them to set it up again. */
	if (!kept->set_down && up)
		log_warnx("interface %s: IPv6 was turned off; nothing passes until it is turned on "
			  "again",
			  name);
	else if (!kept->set_down)
		log_warnx("interface %s was set down; nothing passes until it is set up again",
			  name);
	kept->set_down = true;
	return false;
}

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
	return kept_is_up(kept, name, up) ? KEPT_THERE : KEPT_SET_DOWN;
}

struct kept_mending kept_mending(struct kept *kept)
{
	return (struct kept_mending){.kept = kept->set_down ? NULL : kept};
}

/* Somebody may have set it down, or removed it, since it was looked at. */
static bool kept_is_there(struct kept *kept)
{
	char name[IFNAMSIZ];
	bool up;

	return tun_look(kept->index, name, &up) == 0 && kept_is_up(kept, name, up);
}

void kept_mend(struct kept_mending *mending, int result, const char *what, const char *text)
{
	if (result < 0 && !mending->error)
		mending->error = result;
	if (result <= 0)
		return;
	mending->count++;
	if (mending->kept && kept_is_there(mending->kept))
		log_warnx("interface %s: the %s %s was removed by somebody; put back",
			  mending->kept->name, what, text);
}

int kept_mended(struct kept *kept, const struct kept_mending *mending)
{
	/* Whoever has done it is heard of, as is its end. */
	if (mending->kept && !kept_is_there(mending->kept))
		return 0;
	if (mending->error)
		return mending->error;
	if (kept->set_down)
		log_info("interface %s is up again, with its addresses and routes", kept->name);
	kept->set_down = false;
	return (int)mending->count;
}
