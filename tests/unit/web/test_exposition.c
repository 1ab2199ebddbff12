/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/exposition.h"

#include "tests/unit/web/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct evbuffer *out;
static struct exposition exposition;
static const struct exposition_labels none;

static void begin(enum exposition_format format)
{
	exposition_init(&exposition, format, out);
}

/* What was written is exactly this. */
static void expect(const char *text)
{
	assert_false(exposition.failed);
	assert_string_equal(said_text(out), text);
}

static void value(const char *json)
{
	json_t *number = said_json(json);

	assert_true(exposition_json(&exposition, &none, json_array_get(number, 0)));
	json_decref(number);
}

static void older_format(void **state)
{
	(void)state;
	begin(EXPOSITION_PROMETHEUS);
	exposition_family(&exposition, "a_bytes", EXPOSITION_COUNTER, "bytes", "Octets.");
	exposition_number(&exposition, &none, 7);
	exposition_family(&exposition, "b", EXPOSITION_INFO, NULL, "What it is.");
	exposition_number(&exposition, &none, 1);
	exposition_end(&exposition);
	expect("# HELP a_bytes_total Octets.\n# TYPE a_bytes_total counter\na_bytes_total 7\n"
	       "# HELP b_info What it is.\n# TYPE b_info gauge\nb_info 1\n");
}

/* The same: names of families without their suffixes, units, and an end. */
static void open_format(void **state)
{
	(void)state;
	begin(EXPOSITION_OPENMETRICS);
	exposition_family(&exposition, "a_bytes", EXPOSITION_COUNTER, "bytes", "Octets.");
	exposition_number(&exposition, &none, 7);
	exposition_family(&exposition, "b", EXPOSITION_INFO, NULL, "What it is.");
	exposition_number(&exposition, &none, 1);
	exposition_end(&exposition);
	expect("# HELP a_bytes Octets.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\n"
	       "a_bytes_total 7\n"
	       "# HELP b What it is.\n# TYPE b info\nb_info 1\n# EOF\n");
}

/* Nobody who has such a name can add a line or a label. */
static void labels_are_escaped(void **state)
{
	struct exposition_labels labels = {0};

	(void)state;
	begin(EXPOSITION_PROMETHEUS);
	exposition_family(&exposition, "a", EXPOSITION_GAUGE, NULL, "A.");
	(void)said_text(out);
	exposition_add_label(&labels, "user", "x\"} 1\ny{z=\"\\");
	exposition_add_label(&labels, "other", "\xc3\xa4");
	exposition_number(&exposition, &labels, 2);
	expect("a{user=\"x\\\"} 1\\ny{z=\\\"\\\\\",other=\"\xc3\xa4\"} 2\n");
}

static void numbers(void **state)
{
	(void)state;
	begin(EXPOSITION_PROMETHEUS);
	exposition_family(&exposition, "a", EXPOSITION_GAUGE, NULL, "A.");
	(void)said_text(out);
	value("[0]");
	value("[9223372036854775807]");
	value("[-5]");
	value("[0.1]");
	value("[1796049079.363]");
	value("[18446744073709551614.0]");
	value("[true]");
	value("[false]");
	expect("a 0\na 9223372036854775807\na -5\na 0.1\na 1796049079.363\n"
	       "a 1.8446744073709552e+19\na 1\na 0\n");
}

static void not_a_number(void **state)
{
	json_t *list = said_json("['7', null, [], {}]");

	(void)state;
	begin(EXPOSITION_PROMETHEUS);
	exposition_family(&exposition, "a", EXPOSITION_GAUGE, NULL, "A.");
	(void)said_text(out);
	for (size_t i = 0; i < json_array_size(list); i++)
		assert_false(exposition_json(&exposition, &none, json_array_get(list, i)));
	assert_false(exposition_json(&exposition, &none, NULL));
	expect("");
	json_decref(list);
}

static void histogram(const char *json)
{
	json_t *object = said_json(json);

	begin(EXPOSITION_OPENMETRICS);
	exposition_family(&exposition, "h", EXPOSITION_HISTOGRAM, NULL, "H.");
	(void)said_text(out);
	exposition_histogram(&exposition, &none, object);
	json_decref(object);
}

static void histograms(void **state)
{
	(void)state;
	histogram("{'count':9,'sum':0.012,'le':[[0.001,5],[1,8],['+Inf',9]]}");
	expect("h_bucket{le=\"0.001\"} 5\nh_bucket{le=\"1.0\"} 8\nh_bucket{le=\"+Inf\"} 9\n"
	       "h_sum 0.012\nh_count 9\n");
	/* Without its last bound, and with bounds that are none. */
	histogram("{'count':3,'sum':1,'le':[[0.5,2]]}");
	expect("h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 1\nh_count 3\n");
	histogram("{'count':3,'le':[[0.5,2],['x',2],[0.6,2]]}");
	expect("h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 0\nh_count 3\n");
	histogram("{}");
	expect("h_bucket{le=\"+Inf\"} 0\nh_sum 0\nh_count 0\n");
}

static int make_buffer(void **state)
{
	(void)state;
	out = evbuffer_new();
	return out ? 0 : -1;
}

static int free_buffer(void **state)
{
	(void)state;
	evbuffer_free(out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_format),	      cmocka_unit_test(open_format),
		cmocka_unit_test(labels_are_escaped), cmocka_unit_test(numbers),
		cmocka_unit_test(not_a_number),	      cmocka_unit_test(histograms),
	};

	return cmocka_run_group_tests(tests, make_buffer, free_buffer);
}
