/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/root/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/root/resources.h"

#include <string.h>

/* Rate limit of control's requests, per second. */
enum { RELOAD_RATE = 1, RELOAD_BURST = 5 };

void reload_init(struct reload *reload)
{
	rate_init_burst(&reload->asked, RELOAD_RATE, RELOAD_BURST, (uint64_t)clock_ms());
}

/* Tells the processes concerned of a setting's new value. */
static void reload_tell(const struct reload *reload, size_t number, const char *value)
{
	struct server_setting setting = {.number = (uint32_t)number};

	/* Changeable texts are used by this process only: they name reserved addresses. */
	if (server_settings.list[number].type == SETTING_TEXT) {
		links_look_again(reload->links);
		return;
	}
	(void)strlcpy(setting.value, value, sizeof(setting.value));
	supervisor_send(reload->supervisor, SERVER_CONTROL, SERVER_MSG_SETTING, &setting,
			sizeof(setting), -1);
}

static const char *reload_shown(const char *value)
{
	return value[0] != '\0' ? value : "none";
}

static bool reload_read(const struct reload *reload)
{
	struct server_options *options = reload->options;
	struct server_options fresh;
	struct log_record record;
	unsigned int differences = 0;

	if (server_options_parse(&fresh, reload->argc, reload->argv) != OPTIONS_OK) {
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
			reload_tell(reload, i, is);
	}
	log_record_begin(&record, LOG_INFO, "settings-read", "settings read again");
	log_record_number(&record, "changed", differences);
	log_event(&record);
	server_options_free(&fresh);
	return true;
}

bool reload_now(struct reload *reload)
{
	struct service *service = supervisor_service(reload->supervisor);
	bool good;

	service_reloading(service);
	good = reload_read(reload);
	if (good) {
		log_set_json(reload->options->log_json);
		server_resources_settings(reload->supervisor, reload->options);
		/* Resets a log level that was set by an operator. */
		supervisor_log_debug(reload->supervisor, reload->options->debug);
	}
	supervisor_send(reload->supervisor, SERVER_ACCOUNTS, SERVER_MSG_RECHECK, NULL, 0, -1);
	service_ready(service);
	return good;
}

enum server_done_result reload_asked(struct reload *reload)
{
	if (!rate_take(&reload->asked, (uint64_t)clock_ms()))
		return SERVER_DONE_BUSY;
	return reload_now(reload) ? SERVER_DONE : SERVER_DONE_FAILED;
}
