/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/exposition.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE 40

static const struct {
	const char *word;
	const char *older;  /* the type in Prometheus's own format */
	const char *suffix; /* of samples */
} exposition_types[] = {
	[EXPOSITION_GAUGE] = {"gauge", "gauge", ""},
	[EXPOSITION_COUNTER] = {"counter", "counter", "_total"},
	[EXPOSITION_HISTOGRAM] = {"histogram", "histogram", ""},
	[EXPOSITION_INFO] = {"info", "gauge", "_info"},
	[EXPOSITION_STATESET] = {"stateset", "gauge", ""},
};

void exposition_init(struct exposition *exposition, enum exposition_format format,
		     struct evbuffer *out)
{
	*exposition = (struct exposition){.out = out, .format = format, .name = ""};
}

const char *exposition_content_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

static __attribute__((format(printf, 2, 3))) void exposition_print(struct exposition *exposition,
								   const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (evbuffer_add_vprintf(exposition->out, format, ap) < 0)
		exposition->failed = true;
	va_end(ap);
}

static void exposition_add(struct exposition *exposition, const char *text, size_t len)
{
	if (evbuffer_add(exposition->out, text, len) == -1)
		exposition->failed = true;
}

/* Escapes a text for quotes, without adding them. */
static void exposition_escaped(struct exposition *exposition, const char *text)
{
	while (*text) {
		size_t plain = strcspn(text, "\\\"\n");

		exposition_add(exposition, text, plain);
		text += plain;
		if (*text == '\n')
			exposition_add(exposition, "\\n", 2);
		else if (*text)
			exposition_print(exposition, "\\%c", *text);
		text += *text != '\0';
	}
}

void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
		       const char *unit, const char *help)
{
	bool open = exposition->format == EXPOSITION_OPENMETRICS;
	/* The older format uses the name of the samples here. */
	const char *suffix = open ? "" : exposition_types[type].suffix;

	exposition->name = name;
	exposition->type = type;
	exposition_print(exposition, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name,
			 suffix, open ? exposition_types[type].word : exposition_types[type].older);
	if (open && unit)
		exposition_print(exposition, "# UNIT %s %s\n", name, unit);
}

void exposition_add_label(struct exposition_labels *labels, const char *name, const char *value)
{
	labels->list[labels->count++] = (struct exposition_label){name, value};
}

/* Writes name and labels of a sample; le is a bucket's bound, NULL: no bucket. */
static void exposition_head(struct exposition *exposition, const char *suffix,
			    const struct exposition_labels *labels, const char *le)
{
	const char *before = "{";

	exposition_print(exposition, "%s%s", exposition->name, suffix);
	for (size_t i = 0; i < labels->count; i++) {
		exposition_print(exposition, "%s%s=\"", before, labels->list[i].name);
		exposition_escaped(exposition, labels->list[i].value);
		exposition_add(exposition, "\"", 1);
		before = ",";
	}
	if (le) {
		exposition_print(exposition, "%sle=\"%s\"", before, le);
		before = ",";
	}
	exposition_print(exposition, "%s", before[0] == ',' ? "} " : " ");
}

/* The shortest text that reads back as the same number. */
static const char *exposition_text(double value, char buf[static NUMBER_SIZE])
{
	if (isinf(value))
		return value > 0 ? "+Inf" : "-Inf";
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(buf, NUMBER_SIZE, "%.*g", digits, value);
		if (strtod(buf, NULL) == value) /* NOLINT(cert-err34-c): printf wrote it */
			break;
	}
	return buf;
}

void exposition_number(struct exposition *exposition, const struct exposition_labels *labels,
		       unsigned long long value)
{
	exposition_head(exposition, exposition_types[exposition->type].suffix, labels, NULL);
	exposition_print(exposition, "%llu\n", value);
}

void exposition_real(struct exposition *exposition, const struct exposition_labels *labels,
		     double value)
{
	char buf[NUMBER_SIZE];

	exposition_head(exposition, exposition_types[exposition->type].suffix, labels, NULL);
	exposition_print(exposition, "%s\n", exposition_text(value, buf));
}

bool exposition_json(struct exposition *exposition, const struct exposition_labels *labels,
		     const json_t *value)
{
	if (json_is_real(value))
		exposition_real(exposition, labels, json_real_value(value));
	else if (json_is_integer(value) && json_integer_value(value) < 0)
		exposition_real(exposition, labels, (double)json_integer_value(value));
	else if (json_is_integer(value))
		exposition_number(exposition, labels,
				  (unsigned long long)json_integer_value(value));
	else if (json_is_boolean(value))
		exposition_number(exposition, labels, json_is_true(value));
	else
		return false;
	return true;
}

static void exposition_bucket(struct exposition *exposition, const struct exposition_labels *labels,
			      const char *le, json_int_t count)
{
	exposition_head(exposition, "_bucket", labels, le);
	exposition_print(exposition, "%" JSON_INTEGER_FORMAT "\n", count);
}

/* Formats a bound as OpenMetrics requires, with a point or an exponent; NULL: not a number. */
static const char *exposition_bound(const json_t *bound, char buf[static NUMBER_SIZE])
{
	char number[NUMBER_SIZE];
	const char *text;

	if (!json_is_number(bound))
		return NULL;
	text = exposition_text(json_number_value(bound), number);
	(void)snprintf(buf, NUMBER_SIZE, "%.36s%s", text, strpbrk(text, ".eI") ? "" : ".0");
	return buf;
}

void exposition_histogram(struct exposition *exposition, const struct exposition_labels *labels,
			  const json_t *histogram)
{
	json_int_t count = json_integer_value(json_object_get(histogram, "count"));
	const json_t *bounds = json_object_get(histogram, "le");
	char buf[NUMBER_SIZE];

	for (size_t i = 0; i < json_array_size(bounds); i++) {
		const json_t *pair = json_array_get(bounds, i);
		const json_t *below = json_array_get(pair, 1);
		const char *le = exposition_bound(json_array_get(pair, 0), buf);

		if (!le || !json_is_integer(below))
			break;
		exposition_bucket(exposition, labels, le, json_integer_value(below));
	}
	exposition_bucket(exposition, labels, "+Inf", count);
	exposition_head(exposition, "_sum", labels, NULL);
	exposition_print(
		exposition, "%s\n",
		exposition_text(json_number_value(json_object_get(histogram, "sum")), buf));
	exposition_head(exposition, "_count", labels, NULL);
	exposition_print(exposition, "%" JSON_INTEGER_FORMAT "\n", count);
}

void exposition_end(struct exposition *exposition)
{
	if (exposition->format == EXPOSITION_OPENMETRICS)
		exposition_print(exposition, "# EOF\n");
}
