/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/sessions.h"

#include "tests/unit/web/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sessions *sessions;
static struct evbuffer *out;

static void add(const char *row)
{
	json_t *json = said_json(row);

	sessions_add(sessions, json);
	json_decref(json);
}

/* Three, in the order of ids. */
static void answer(int64_t now, int alice_octets)
{
	char row[300];

	sessions_begin(sessions);
	(void)snprintf(row, sizeof(row),
		       "{'session':{'id':1,'user':'alice','type':'network','transport':'udp',"
		       "'peer':'203.0.113.7','port':4321,'prefixes':['2001:db8:100::/56'],"
		       "'since':50,'in_octets':%d,'out_octets':9,'path':'alive'}}",
		       alice_octets);
	add(row);
	add("{'session':{'id':5,'user':'Bob','type':'host','transport':'ipv6',"
	    "'peer':'9.0.0.1','address':'2001:db8:1::2','since':60,'in_octets':3,'dropped':7}}");
	add("{'session':{'id':9,'user':'<b>\\\"x\\\\','type':'host','peer':'203.0.113.70',"
	    "'address':'2001:db8:1::1','since':70,'in_octets':1000000000000}}");
	sessions_end(sessions, now);
}

/* The ids of an answer, in its order, and how many matched. */
static void expect(struct sessions_query query, const char *ids, int matched)
{
	char found[100] = "";
	json_t *object, *list;
	char *text;

	if (!query.search)
		query.search = "";
	if (!query.sort)
		query.sort = "id";
	if (!query.limit)
		query.limit = 100;
	assert_true(sessions_sort_known(query.sort));
	assert_int_equal(evbuffer_add(out, "{", 1), 0);
	assert_true(sessions_select(sessions, &query, out));
	assert_int_equal(evbuffer_add(out, "}", 1), 0);
	text = strdup(said_text(out));
	object = json_loads(text, 0, NULL);
	if (!object)
		fail_msg("not JSON: %s", text);
	free(text);
	list = json_object_get(object, "sessions");
	for (size_t i = 0; i < json_array_size(list); i++)
		(void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%lld ",
			       (long long)json_integer_value(
				       json_object_get(json_array_get(list, i), "id")));
	assert_string_equal(found, ids);
	assert_int_equal(json_integer_value(json_object_get(object, "matched")), matched);
	assert_int_equal(json_integer_value(json_object_get(object, "total")),
			 sessions_count(sessions));
	json_decref(object);
}

#define QUERY(...) ((struct sessions_query){__VA_ARGS__})

static void orders(void **state)
{
	static const struct {
		const char *sort;
		const char *ids;
	} all[] = {
		{"id", "1 5 9 "},	   {"user", "9 5 1 "},	     {"type", "5 9 1 "},
		{"transport", "9 5 1 "},   {"peer", "5 1 9 "},	     {"address", "1 9 5 "},
		{"prefixes", "5 9 1 "},	   {"since", "1 5 9 "},	     {"in_octets", "5 1 9 "},
		{"dropped", "1 9 5 "},	   {"path", "5 9 1 "},	     {"out_octets", "5 9 1 "},
		{"in_rate", "1 5 9 "},	   {"in_packets", "1 5 9 "}, {"out_rate", "1 5 9 "},
		{"out_packets", "1 5 9 "},
	};

	(void)state;
	answer(1000, 100);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect(QUERY(.sort = all[i].sort), all[i].ids, 3);
	expect(QUERY(.sort = "in_octets", .descending = true), "9 1 5 ", 3);
	assert_false(sessions_sort_known("secret"));
	assert_false(sessions_sort_known(""));
}

static void searches(void **state)
{
	static const struct {
		const char *search;
		const char *ids;
		int matched;
	} all[] = {
		{"", "1 5 9 ", 3},
		{"bob", "5 ", 1}, /* whatever the case */
		{"ALICE", "1 ", 1},
		{"203.0.113.7", "1 9 ", 2}, /* part of a word */
		{"host", "5 9 ", 2},
		{"<b>\"x\\", "9 ", 1},
		{"2001:db8:100:a0::7", "1 ", 1}, /* in a prefix */
		{"2001:db8:1::2", "5 ", 1},
		{"2001:db8::/32", "1 5 9 ", 3}, /* a prefix that they are in */
		{"2001:db8:100:a0::/60", "1 ", 1},
		{"2001:db8:101::7", "", 0},
		{"nobody", "", 0},
		{"%s%n", "", 0},
	};

	(void)state;
	answer(1000, 100);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect(QUERY(.search = all[i].search), all[i].ids, all[i].matched);
}

static void parts(void **state)
{
	(void)state;
	answer(1000, 100);
	expect(QUERY(.limit = 2), "1 5 ", 3);
	expect(QUERY(.limit = 2, .offset = 2), "9 ", 3);
	expect(QUERY(.limit = 2, .offset = 3), "", 3);
	expect(QUERY(.limit = 2, .offset = SESSIONS_MAX), "", 3);
	expect(QUERY(.limit = SESSIONS_ROWS_MAX, .offset = 1), "5 9 ", 3);
}

/* From one answer to the next, of the same session, and not over too long a time. */
static void rates(void **state)
{
	(void)state;
	answer(1000, 100);
	assert_true(sessions_get(sessions, 0)->in_rate < 0);
	answer(3000, 2100);
	assert_true(sessions_get(sessions, 0)->in_rate >= 999.9 &&
		    sessions_get(sessions, 0)->in_rate <= 1000.1);
	assert_true(sessions_get(sessions, 0)->out_rate >= 0 &&
		    sessions_get(sessions, 0)->out_rate <= 0.1);
	expect(QUERY(.sort = "in_rate", .descending = true), "1 5 9 ", 3);
	/* Counters that go back are those of somebody else. */
	answer(4000, 50);
	assert_true(sessions_get(sessions, 0)->in_rate < 0);
	answer(400000, 5000);
	assert_true(sessions_get(sessions, 0)->in_rate < 0);
	/* The id is somebody else's now. */
	sessions_begin(sessions);
	add("{'session':{'id':1,'user':'carol','since':50,'in_octets':9999}}");
	sessions_end(sessions, 401000);
	assert_true(sessions_get(sessions, 0)->in_rate < 0);
}

/* Until an answer is complete, the one before is there. */
static void halves(void **state)
{
	(void)state;
	answer(1000, 100);
	sessions_begin(sessions);
	add("{'session':{'id':7,'user':'carol'}}");
	expect(QUERY(.limit = 10), "1 5 9 ", 3);
	sessions_begin(sessions);
	sessions_end(sessions, 2000);
	expect(QUERY(.limit = 10), "", 0);
}

static void nonsense(void **state)
{
	(void)state;
	sessions_begin(sessions);
	add("{}");
	add("{'session':7}");
	add("{'session':{}}");
	add("{'session':{'id':'x','user':'a'}}");
	add("{'session':{'id':4,'user':'a','prefixes':[7,'x','2001:db8::/200',null],'peer':7,"
	    "'address':'no','in_octets':-5,'since':'x','port':70000}}");
	sessions_end(sessions, 1000);
	expect(QUERY(.limit = 10), "4 ", 1);
	expect(QUERY(.search = "2001:db8::1"), "", 0);
}

/* As many prefixes as a line has room for. */
static void many_prefixes(void **state)
{
	json_t *list = json_array();
	json_t *row =
		json_pack("{s:{s:i,s:s,s:o}}", "session", "id", 1, "user", "a", "prefixes", list);

	(void)state;
	for (int i = 0; i < 500; i++)
		assert_int_equal(json_array_append_new(list, json_string("2001:db8::/48")), 0);
	sessions_begin(sessions);
	sessions_add(sessions, row);
	sessions_end(sessions, 1000);
	expect(QUERY(.search = "2001:db8::1"), "1 ", 1);
	json_decref(row);
}

static int make(void **state)
{
	(void)state;
	sessions = sessions_new();
	out = evbuffer_new();
	return sessions && out ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	sessions_free(sessions);
	evbuffer_free(out);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

/* What a server that was taken over says does not fill the memory. */
static void much_is_not_kept(void **state)
{
	enum { NOTE = 60000, ROWS = 2000 };
	char *note = malloc(NOTE + 1);
	json_t *row;

	(void)state;
	assert_non_null(note);
	memset(note, 'x', NOTE);
	note[NOTE] = '\0';
	row = json_pack("{s:{s:i,s:s,s:s}}", "session", "id", 1, "user", "alice", "note", note);
	free(note);
	sessions_begin(sessions);
	for (int i = 0; i < ROWS; i++)
		sessions_add(sessions, row);
	json_decref(row);
	sessions_end(sessions, 1);
	assert_in_range(sessions_count(sessions), 100, SESSIONS_OCTETS_MAX / (3 * NOTE) + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(orders), TEST(searches), TEST(parts),	   TEST(rates),
		TEST(halves), TEST(nonsense), TEST(many_prefixes), TEST(much_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
