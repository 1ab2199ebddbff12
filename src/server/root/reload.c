/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/reload.h"

#include "base/log.h"
#include "server/settings.h"

#include <string.h>

static const char *reload_shown(const char *value)
{
	return value[0] != '\0' ? value : "none";
}

bool reload(struct server_options *options, int argc, char *const argv[],
	    void (*changed)(size_t number, const char *value, void *arg), void *arg)
{
	struct server_options fresh;
	unsigned int differences = 0;

	if (server_options_parse(&fresh, argc, argv) != OPTIONS_OK) {
		log_warnx("all settings stay as they were, since there are errors in the new ones");
		return false;
	}
	for (size_t i = 0; i < settings_count(); i++) {
		char was_buf[PREFIX6_STRLEN];
		char is_buf[PREFIX6_STRLEN];
		const char *was = settings_text(options, i, was_buf, sizeof(was_buf));
		const char *is = settings_text(&fresh, i, is_buf, sizeof(is_buf));

		if (strcmp(was, is) == 0)
			continue;
		differences++;
		log_info("%s has changed from %s to %s%s", settings_key(i), reload_shown(was),
			 reload_shown(is),
			 settings_is_live(i) ? "" : ": takes effect at the next start");
		if (settings_is_live(i) &&
		    settings_set(options, i, settings_key(i), is, fresh.lines[i]))
			changed(i, is, arg);
	}
	if (differences == 0)
		log_info("settings read again, nothing has changed");
	server_options_free(&fresh);
	return true;
}
