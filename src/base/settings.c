/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/settings.h"

#include "base/options.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct setting_choice setting_yes_no = {"no", "yes", "yes or no"};
const struct setting_choice setting_log_format = {"text", "json", "text or json"};

static bool setting_read(const struct setting *setting, void *field, const char *where,
			 const char *value)
{
	const struct setting_choice *choice = setting->choice;
	uint32_t number = 0;

	switch (setting->type) {
	case SETTING_TEXT:
		*(const char **)field = value;
		return value[0] != '\0' || setting->check ||
		       options_bad("%s: a value is needed", where);
	case SETTING_CHOICE:
		*(bool *)field = strcmp(value, choice->on) == 0;
		return *(bool *)field || strcmp(value, choice->off) == 0 ||
		       options_bad("%s: \"%s\": %s is needed", where, value, choice->both);
	case SETTING_NUMBER:
		if (!options_number(where, value, setting->min, setting->max, &number))
			return false;
		if (setting->size == sizeof(uint16_t))
			*(uint16_t *)field = (uint16_t)number;
		else
			*(uint32_t *)field = number;
		return true;
	case SETTING_ADDRESS:
		return inet_pton(AF_INET, value, field) == 1 ||
		       options_bad("%s: \"%s\" is not an IPv4 address", where, value);
	case SETTING_OTHER:
		return setting->read(field, where, value);
	}
	return false;
}

static const char *setting_write(const struct setting *setting, const void *field,
				 char buf[static SETTINGS_TEXT_SIZE])
{
	const char *text = NULL;

	switch (setting->type) {
	case SETTING_TEXT:
		text = *(const char *const *)field;
		break;
	case SETTING_CHOICE:
		text = *(const bool *)field ? setting->choice->on : setting->choice->off;
		break;
	case SETTING_NUMBER:
		(void)snprintf(buf, SETTINGS_TEXT_SIZE, "%u",
			       setting->size == sizeof(uint16_t) ? *(const uint16_t *)field
								 : *(const uint32_t *)field);
		return buf;
	case SETTING_ADDRESS:
		text = inet_ntop(AF_INET, field, buf, SETTINGS_TEXT_SIZE);
		break;
	case SETTING_OTHER:
		text = setting->write(field, buf);
		break;
	}
	return text ? text : "";
}

void settings_default(const struct settings *settings, void *values)
{
	*(struct settings_source *)values = (struct settings_source){0};
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		memset((char *)values + setting->field, 0, setting->size);
		if (setting->flag > 0)
			*(bool *)((char *)values + setting->flag) = false;
		if (setting->initial)
			(void)settings_set(settings, values, i, setting->key, setting->initial, 0);
		((struct settings_source *)values)->given[i] = NULL;
	}
}

void settings_free(void *values)
{
	struct settings_source *source = values;

	free(source->texts);
	source->texts = NULL;
	for (size_t i = 0; i < SETTINGS_MAX; i++) {
		free(source->renewed[i]);
		source->renewed[i] = NULL;
	}
}

size_t settings_find(const struct settings *settings, const char *key)
{
	size_t number = 0;

	while (number < settings->count && strcmp(settings->list[number].key, key) != 0)
		number++;
	return number;
}

size_t settings_find_letter(const struct settings *settings, int letter)
{
	size_t number = 0;

	while (number < settings->count && settings->list[number].letter != letter)
		number++;
	return number;
}

bool settings_set(const struct settings *settings, void *values, size_t number, const char *where,
		  const char *value, uint32_t line)
{
	const struct setting *setting = &settings->list[number];
	struct settings_source *source = values;
	void *field = (char *)values + setting->field;

	if (setting->count > 0 && line == 0 && source->lines[number] > 0)
		*(size_t *)(void *)((char *)values + setting->count) = 0;
	if (!setting_read(setting, field, where, value) ||
	    (setting->check && !setting->check(field, where, value)))
		return false;
	if (setting->flag > 0)
		*(bool *)((char *)values + setting->flag) = true;
	source->lines[number] = line;
	source->given[number] = value;
	return true;
}

bool settings_renew(const struct settings *settings, void *values, size_t number, const char *value,
		    uint32_t line)
{
	struct settings_source *source = values;
	const char *key = settings->list[number].key;
	char *copy = strdup(value);

	if (!copy)
		return options_bad("%s: out of memory", key);
	if (!settings_set(settings, values, number, key, copy, line)) {
		free(copy);
		return false;
	}
	free(source->renewed[number]);
	source->renewed[number] = copy;
	return true;
}

bool settings_set_pair(const struct settings *settings, void *values, const char *pair,
		       const char *hint)
{
	const size_t key_len = strcspn(pair, "=");
	char where[sizeof("-o ") + SETTINGS_KEY_SIZE];
	size_t number;

	(void)snprintf(where, sizeof(where), "-o %.*s", (int)key_len, pair);
	number = settings_find(settings, where + strlen("-o "));
	if (pair[key_len] == '\0')
		return options_bad("-o %s: %s", pair,
				   number < settings->count ? "key=value is needed" : hint);
	if (number == settings->count)
		return options_bad("%s: no such setting; %s lists them", where, settings->manual);
	return settings_set(settings, values, number, where, pair + key_len + 1, 0);
}

const char *settings_value(const struct settings *settings, const void *values, size_t number,
			   char buf[static SETTINGS_TEXT_SIZE])
{
	const struct setting *setting = &settings->list[number];

	if (setting->flag > 0 && !*(const bool *)((const char *)values + setting->flag))
		return "";
	return setting_write(setting, (const char *)values + setting->field, buf);
}

bool settings_bad(const struct settings *settings, const void *values, const char *key,
		  const char *format, ...)
{
	const struct settings_source *source = values;
	size_t number = settings_find(settings, key);
	int letter = settings->list[number].letter;
	char text[400];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (source->lines[number] == SETTINGS_LINE_NONE)
		return options_bad("%s: %s%s", source->file, key, text);
	if (source->lines[number] > 0)
		return options_bad("%s:%u: %s%s", source->file, source->lines[number], key, text);
	if (letter == 0)
		return options_bad("%s%s%s", settings->option, key, text);
	return options_bad("-%c%s", letter, text);
}

void settings_print(const struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		(void)printf("%s: %s", setting->key, setting->help);
		if (setting->max > 0)
			(void)printf(", %u to %u", setting->min, setting->max);
		(void)printf("; default: %s%s\n", setting->initial ? setting->initial : "none",
			     setting->live ? "; live" : "");
	}
}
