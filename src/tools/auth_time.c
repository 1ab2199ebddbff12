/* SPDX-License-Identifier: BSD-2-Clause */
/* Times as the commands read and write them. */
#include "tools/auth.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400 };

const char *auth_time(int64_t seconds, char buf[static AUTH_TIME_SIZE])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || !strftime(buf, AUTH_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		(void)snprintf(buf, AUTH_TIME_SIZE, "-");
	return buf;
}

const char *auth_expiry(int64_t seconds, char buf[static AUTH_TIME_SIZE])
{
	if (seconds == 0)
		return "never";
	if (seconds % DAY != 0)
		return auth_time(seconds, buf);
	/* The last day that is included. */
	(void)auth_time(seconds - DAY, buf);
	buf[strcspn(buf, "T")] = '\0';
	return buf;
}

/* Parses exactly that many digits; -1 if there are fewer. */
static int auth_digits(const char **text, int count)
{
	int value = 0;

	for (; count > 0; count--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = 10 * value + (**text - '0');
	}
	return value;
}

static bool auth_letter(const char **text, const char *letters)
{
	if (**text == '\0' || !strchr(letters, **text))
		return false;
	(*text)++;
	return true;
}

/* Parses "Z" or "+01:00"; "" is UTC, too. False for anything else. */
static bool auth_zone(const char *text, int64_t *seconds)
{
	int sign = *text == '-' ? -1 : 1;
	int hours, minutes;

	*seconds = 0;
	if (text[0] == '\0' || strcmp(text, "Z") == 0)
		return true;
	if (!auth_letter(&text, "+-"))
		return false;
	hours = auth_digits(&text, 2);
	(void)auth_letter(&text, ":");
	minutes = auth_digits(&text, 2);
	*seconds = (int64_t)sign * (hours * 3600 + minutes * 60);
	return *text == '\0' && hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

bool auth_time_parse(const char *text, struct auth_span *span)
{
	struct tm tm = {.tm_isdst = 0}, again;
	int64_t zone = 0;
	time_t when;
	bool day;

	tm.tm_year = auth_digits(&text, 4) - 1900;
	if (!auth_letter(&text, "-"))
		return false;
	tm.tm_mon = auth_digits(&text, 2) - 1;
	if (!auth_letter(&text, "-"))
		return false;
	tm.tm_mday = auth_digits(&text, 2);
	day = *text == '\0';
	if (!day) {
		if (!auth_letter(&text, "T "))
			return false;
		tm.tm_hour = auth_digits(&text, 2);
		if (!auth_letter(&text, ":"))
			return false;
		tm.tm_min = auth_digits(&text, 2);
		if (auth_letter(&text, ":"))
			tm.tm_sec = auth_digits(&text, 2);
		if (!auth_zone(text, &zone))
			return false;
	}
	again = tm;
	when = timegm(&again);
	/* Rejects dates such as 30 February, and hour 24. */
	if (when < 0 || again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday ||
	    again.tm_hour != tm.tm_hour || again.tm_min != tm.tm_min || again.tm_sec != tm.tm_sec)
		return false;
	span->first = (int64_t)when - zone;
	span->last = day ? span->first + DAY - 1 : span->first;
	return true;
}
