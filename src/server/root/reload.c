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
	struct log_record record;
	unsigned int differences = 0;

	if (server_options_parse(&fresh, argc, argv) != OPTIONS_OK) {
		log_record_begin(
			&record, LOG_WARNING, "settings-wrong",
			"all settings stay as they were, since there are errors in the new ones");
		log_event(&record);
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
		log_record_begin(&record, LOG_INFO, "setting-changed", "setting changed");
		log_record_text(&record, "setting", "%s", setting->key);
		log_record_text(&record, "from", "%s", reload_shown(was));
		log_record_text(&record, "to", "%s", reload_shown(is));
		log_record_text(&record, "effect", setting->live ? "now" : "at the next start");
		log_event(&record);
		if (setting->live &&
		    settings_renew(&server_settings, options, i, is, fresh.source.lines[i]))
			changed(i, is, arg);
	}
	log_record_begin(&record, LOG_INFO, "settings-read", "settings read again");
	log_record_number(&record, "changed", differences);
	log_event(&record);
	server_options_free(&fresh);
	return true;
}
