/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line that a process writes into the pipe of its log, as the root process takes it. Either it is
 * no record, or it is exactly what a record is packed into; and then what becomes of it is one
 * line, one object, or one entry with as many fields.
 */
#include "fuzz.h"

#include "base/log_record.h"

#include <stdlib.h>
#include <string.h>

static size_t count(const char *text, char wanted)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == wanted;
	return n;
}

static void check_printable(const char *text)
{
	for (; *text; text++)
		FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

static void check_record(const struct log_record *record)
{
	static const struct log_source source = {"dtcps", "control"};
	char text[LOG_ENTRY_SIZE];
	size_t len;

	FUZZ_CHECK(record->priority >= LOG_WARNING && record->priority <= LOG_DEBUG);
	check_printable(log_record_line(record, &source, text));
	check_printable(log_record_json(record, &source, 0, text));
	FUZZ_CHECK(text[0] == '{' && text[strlen(text) - 1] == '}');
	len = log_record_journal(record, &source, "message", text);
	FUZZ_CHECK(len == strlen(text) && text[len - 1] == '\n');
	FUZZ_CHECK(count(text, '\n') == 5 + (size_t)record->n_fields);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	char packed[LOG_LINE_SIZE];
	struct log_record record;
	char *line = malloc(size + 1);

	FUZZ_CHECK(line);
	/* Its end is where the line ended; behind it is what belongs to nobody. */
	if (size > 0)
		memcpy(line, data, size);
	line[size] = '\n';
	if (log_record_unpack(&record, line, size)) {
		FUZZ_CHECK(log_record_pack(&record, packed) == size + 1);
		FUZZ_CHECK(strncmp(packed, line, size + 1) == 0);
		check_record(&record);
	}
	free(line);
}
