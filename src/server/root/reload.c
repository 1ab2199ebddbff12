/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/reload.h"

#include "base/log.h"
#include "server/options.h"

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
	for (size_t i = 0; i < server_settings.count; i++) {
		const struct setting *setting = &server_settings.list[i];
		char was_buf[SETTINGS_TEXT_SIZE];
		char is_buf[SETTINGS_TEXT_SIZE];
		const char *was = settings_value(&server_settings, options, i, was_buf);
		const char *is = settings_value(&server_settings, &fresh, i, is_buf);

		if (strcmp(was, is) == 0)
			continue;
		differences++;
		log_info("%s has changed from %s to %s%s", setting->key, reload_shown(was),
			 reload_shown(is), setting->live ? "" : ": takes effect at the next start");
		if (setting->live &&
		    settings_renew(&server_settings, options, i, is, fresh.source.lines[i]))
			changed(i, is, arg);
	}
	if (differences == 0)
		log_info("settings read again, nothing has changed");
	server_options_free(&fresh);
	return true;
}
