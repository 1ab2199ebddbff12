/* SPDX-License-Identifier: BSD-2-Clause */
#include "netconf/drift.h"

#include "base/log.h"
#include "netconf/tun.h"

#include <string.h>

/* Whether packets can pass; logs it if that has just stopped. */
static bool drift_is_up(struct drift_interface *interface, const char *name, bool up)
{
	if (up && !tun_ipv6_is_off(name))
		return true;
	/* That is done on purpose, so it is not set up again here. */
	if (!interface->set_down && up)
		log_warnx("interface %s: IPv6 was turned off; nothing passes until it is turned on "
			  "again",
			  name);
	else if (!interface->set_down)
		log_warnx("interface %s was set down; nothing passes until it is set up again",
			  name);
	interface->set_down = true;
	return false;
}

enum drift drift_look(struct drift_interface *interface, char old_name[static IFNAMSIZ])
{
	char name[IFNAMSIZ];
	bool up;

	old_name[0] = '\0';
	if (interface->index == 0 || tun_look(interface->index, name, &up) != 0)
		return DRIFT_GONE;
	if (strcmp(name, interface->name) != 0) {
		(void)strlcpy(old_name, interface->name, IFNAMSIZ);
		(void)strlcpy(interface->name, name, sizeof(interface->name));
	}
	return drift_is_up(interface, name, up) ? DRIFT_NONE : DRIFT_SET_DOWN;
}

struct drift_repair drift_repair_begin(struct drift_interface *interface)
{
	return (struct drift_repair){.interface = interface->set_down ? NULL : interface};
}

/* It may have been set down, or removed, since the check. */
static bool drift_is_there(struct drift_interface *interface)
{
	char name[IFNAMSIZ];
	bool up;

	return tun_look(interface->index, name, &up) == 0 && drift_is_up(interface, name, up);
}

void drift_repair_note(struct drift_repair *repair, int result, const char *what, const char *text)
{
	if (result < 0 && !repair->error)
		repair->error = result;
	if (result <= 0)
		return;
	repair->count++;
	if (repair->interface && drift_is_there(repair->interface))
		log_warnx("interface %s: the %s %s was removed by somebody; put back",
			  repair->interface->name, what, text);
}

int drift_repair_end(struct drift_interface *interface, const struct drift_repair *repair)
{
	/* That change is reported separately, as is its end. */
	if (repair->interface && !drift_is_there(repair->interface))
		return 0;
	if (repair->error)
		return repair->error;
	if (interface->set_down)
		log_info("interface %s is up again, with its addresses and routes",
			 interface->name);
	interface->set_down = false;
	return (int)repair->count;
}
