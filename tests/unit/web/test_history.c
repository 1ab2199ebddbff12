/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/history.h"

#include "tests/unit/web/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct history history;
static struct evbuffer *out;

static void add(int64_t at, const char *status)
{
	json_t *json = status ? said_json(status) : NULL;

	history_add(&history, at, json);
	json_decref(json);
}

static const char *written(void)
{
	assert_true(history_write(&history, out));
	return said_text(out);
}

static void a_server(void **state)
{
	(void)state;
	add(1000, "{'pid':1,'sessions':{'now':2},'traffic':{'user':{'in_octets':5,'out_octets':50},"
		  "'kernel':{'in_octets':5,'out_octets':0}}}");
	add(11000, "{'pid':1,'sessions':{'now':3},'traffic':{'user':{'in_octets':5,"
		   "'out_octets':150},'kernel':{'in_octets':2005,'out_octets':0}}}");
	assert_string_equal(written(), "\"step\":10,\"time\":[1.000,11.000],\"count\":[2,3],"
				       "\"in\":[null,200],\"out\":[null,10]");
}

static void a_client(void **state)
{
	(void)state;
	add(1000, "{'pid':1,'state':'up','in_octets':0,'out_octets':0}");
	add(11000, "{'pid':1,'state':'waiting','in_octets':1000,'out_octets':0}");
	assert_string_equal(written(), "\"step\":10,\"time\":[1.000,11.000],\"count\":[1,0],"
				       "\"in\":[null,100],\"out\":[null,0]");
}

/* Neither what was silent nor one that has begun anew has a rate. */
static void gaps(void **state)
{
	(void)state;
	add(0, "{'pid':1,'state':'up','in_octets':1000,'out_octets':0}");
	add(10000, NULL);
	add(20000, "{'pid':1,'state':'up','in_octets':3000,'out_octets':0}");
	add(30000, "{'pid':2,'state':'up','in_octets':9000,'out_octets':0}");
	add(40000, "{'pid':2,'state':'up','in_octets':8000,'out_octets':10}");
	/* The clock was set back. */
	add(39000, "{'pid':2,'state':'up','in_octets':9000,'out_octets':20}");
	assert_string_equal(written(),
			    "\"step\":10,\"time\":[0.000,10.000,20.000,30.000,40.000,39.000],"
			    "\"count\":[1,null,1,1,1,1],\"in\":[null,null,null,null,null,null],"
			    "\"out\":[null,null,null,null,1,null]");
}

static void nothing(void **state)
{
	(void)state;
	assert_string_equal(written(), "\"step\":10,\"time\":[],\"count\":[],\"in\":[],\"out\":[]");
}

/* The last hour, however long it runs. */
static void an_hour(void **state)
{
	json_t *object, *list;
	size_t last = HISTORY_SAMPLES - 1;
	char status[100];

	(void)state;
	for (int i = 0; i < 3 * HISTORY_SAMPLES; i++) {
		(void)snprintf(status, sizeof(status),
			       "{'pid':1,'state':'up','in_octets':%d,'out_octets':0}", 10 * i);
		add(INT64_C(10000) * i, status);
	}
	assert_int_equal(evbuffer_add(out, "{", 1), 0);
	assert_true(history_write(&history, out));
	assert_int_equal(evbuffer_add(out, "}", 1), 0);
	object = json_loads(said_text(out), 0, NULL);
	list = json_object_get(object, "time");
	assert_int_equal(json_array_size(list), HISTORY_SAMPLES);
	assert_int_equal(json_number_value(json_array_get(list, last)) -
				 json_number_value(json_array_get(list, 0)),
			 3600);
	assert_int_equal(json_number_value(json_array_get(list, last)),
			 10 * (3 * HISTORY_SAMPLES - 1));
	list = json_object_get(object, "in");
	assert_true(json_is_null(json_array_get(list, 0)));
	for (size_t i = 1; i <= last; i++)
		assert_int_equal(json_integer_value(json_array_get(list, i)), 1);
	json_decref(object);
}

static int make(void **state)
{
	(void)state;
	history = (struct history){0};
	out = evbuffer_new();
	return out ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	evbuffer_free(out);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server), TEST(a_client), TEST(gaps), TEST(nothing), TEST(an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
