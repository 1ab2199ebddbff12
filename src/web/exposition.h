/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes metrics in a text format for Prometheus and others: OpenMetrics 1.0, or Prometheus's older
 * one, version 0.0.4. All samples of a family must follow it immediately.
 */
#ifndef DTCP_WEB_EXPOSITION_H
#define DTCP_WEB_EXPOSITION_H

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum exposition_format { EXPOSITION_PROMETHEUS, EXPOSITION_OPENMETRICS, EXPOSITION_FORMATS };

enum exposition_type {
	EXPOSITION_GAUGE,
	EXPOSITION_COUNTER, /* samples end in _total */
	EXPOSITION_HISTOGRAM,
	EXPOSITION_INFO,     /* samples end in _info and are 1 */
	EXPOSITION_STATESET, /* one sample for each state */
};

/* Largest number of labels of a sample. */
#define EXPOSITION_LABELS_MAX 8

struct exposition_label {
	const char *name;
	const char *value; /* UTF-8; any characters */
};

struct exposition_labels {
	struct exposition_label list[EXPOSITION_LABELS_MAX];
	size_t count;
};

struct exposition {
	struct evbuffer *out;
	enum exposition_format format;
	/* The family of the samples that follow. */
	const char *name;
	enum exposition_type type;
	bool failed; /* memory was short: out is incomplete */
};

void exposition_init(struct exposition *exposition, enum exposition_format format,
		     struct evbuffer *out);

/* The content type of an HTTP reply. */
const char *exposition_content_type(enum exposition_format format);

/*
 * name is without _total and _info, and stays valid until the next family; unit is its last word,
 * NULL if it has none.
 */
void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
		       const char *unit, const char *help);

/* Adds a label; there must be fewer than EXPOSITION_LABELS_MAX. */
void exposition_add_label(struct exposition_labels *labels, const char *name, const char *value);

/*
 * Writes integers, and other numbers; booleans are 1 and 0. Other values: returns false, and writes
 * nothing.
 */
bool exposition_json(struct exposition *exposition, const struct exposition_labels *labels,
		     const json_t *value);

void exposition_number(struct exposition *exposition, const struct exposition_labels *labels,
		       unsigned long long value);
void exposition_real(struct exposition *exposition, const struct exposition_labels *labels,
		     double value);

/*
 * Writes {"count":9,"sum":0.012,"le":[[0.001,5],["+Inf",9]]}, cumulative. An invalid bound, and all
 * after it, are left out, but there is always +Inf, which has the count.
 */
void exposition_histogram(struct exposition *exposition, const struct exposition_labels *labels,
			  const json_t *histogram);

/* Ends the output. */
void exposition_end(struct exposition *exposition);

#endif
