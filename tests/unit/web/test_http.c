/* SPDX-License-Identifier: BSD-2-Clause */
/* What is let in, what every reply has, and how many connections there are. */
#include "web/http.h"

#include "base/log.h"
#include "tests/unit/web/said.h"
#include "web/api.h"
#include "web/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/http.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct event_base *base;
static struct http *http;
static struct address at;
static const struct address_names names = {.listen = &at, .n_listen = 1};

static void handle(struct http_request *request, const struct http_route *route, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	const char *a = http_query(request, "a");
	size_t number = 5;

	(void)arg;
	assert_non_null(body);
	if (http_query_number(request, "number", 10, &number)) {
		assert_true(evbuffer_add_printf(body, "%s a=%s number=%zu", route->path,
						a ? a : "-", number) > 0);
		http_reply(request, HTTP_OK, "text/plain", body);
	}
	evbuffer_free(body);
}

/* Three of them are more than may wait for their readers. */
enum { LONG_LEN = 30 << 20 };

static struct body *shared;

/* What all readers share, or, with a=own, one of its own. */
static void handle_long(struct http_request *request, const struct http_route *route, void *arg)
{
	static const char octets[LONG_LEN];
	struct evbuffer *body = evbuffer_new();

	(void)route;
	(void)arg;
	assert_non_null(body);
	assert_int_equal(evbuffer_add_reference(body, octets, sizeof(octets), NULL, NULL), 0);
	if (http_query(request, "a"))
		http_reply(request, HTTP_OK, "text/plain", body);
	else if (shared)
		http_reply_shared(request, HTTP_OK, "text/plain", shared);
	else
		http_reply_sharing(request, HTTP_OK, "text/plain", body, &shared);
	evbuffer_free(body);
}

static const struct http_route routes[] = {
	{"/", "", handle, NULL},
	{"/x", "a b number", handle, NULL},
	{"/api/x", "a number", handle, NULL},
	{"/long", "a", handle_long, NULL},
};

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, &at.any, address_len(&at)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void on_deadline(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	*(bool *)arg = true;
}

/* What comes until the other end closes; or, if part is not NULL, until that has come. */
static const char *heard(int fd, const char *part)
{
	bool late = false;
	struct event *timer = evtimer_new(base, on_deadline, &late);
	const struct timeval limit = {.tv_sec = 30};
	static char text[65536];
	size_t len = 0;
	ssize_t n = -1;

	assert_non_null(timer);
	assert_int_equal(evtimer_add(timer, &limit), 0);
	text[0] = '\0';
	while (n != 0 && !late && !(part && strstr(text, part))) {
		assert_int_not_equal(event_base_loop(base, EVLOOP_NONBLOCK), -1);
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (n == -1 && errno == ECONNRESET)
			n = 0;
		len += n > 0 ? (size_t)n : 0;
		text[len] = '\0';
	}
	event_free(timer);
	assert_false(late);
	return text;
}

/* Sends a request and returns all that comes until the connection ends. */
static const char *talk(const char *request)
{
	int fd = connected();
	const char *text;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	text = heard(fd, NULL);
	(void)close(fd);
	return text;
}

#define CLOSE	 "Connection: close\r\n\r\n"
#define GET(uri) "GET " uri " HTTP/1.1\r\nHost: localhost\r\n" CLOSE

static void expect(const char *request, const char *status, const char *body)
{
	const char *text = talk(request);
	const char *end = strstr(text, "\r\n\r\n");
	char line[60];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %s", status);
	if (strncmp(text, line, strlen(line)) != 0 || !end || !strstr(end, body))
		fail_msg("%s\nnot %s, %s, but:\n%s", request, status, body, text);
}

static void pages(void **state)
{
	(void)state;
	expect(GET("/"), "200 OK", "/ a=- number=5");
	expect(GET("/x?a=b%20c%3Cd&number=10"), "200 OK", "/x a=b c<d number=10");
	expect("GET http://localhost/x HTTP/1.1\r\nHost: localhost\r\n" CLOSE, "200 OK", "/x a=-");
	expect("GET http://[::1]:80/x HTTP/1.1\r\nHost: localhost\r\n" CLOSE, "200 OK", "/x a=-");
	expect("GET http://localhost?x=1 HTTP/1.1\r\nHost: localhost\r\n" CLOSE, "400 ",
	       "x: there is no query here");
}

static void every_reply(void **state)
{
	static const char *const requests[] = {
		GET("/"),
		GET("/none"),
		GET("/x?c=1"),
		("POST / HTTP/1.1\r\nHost: localhost\r\n" CLOSE),
		("GET / HTTP/1.1\r\nHost: evil.example\r\n" CLOSE),
	};
	static const char *const headers[] = {
		("\r\nContent-Security-Policy: default-src 'self'; base-uri 'none'; "
		 "form-action 'none'; frame-ancestors 'none'\r\n"),
		"\r\nX-Content-Type-Options: nosniff\r\n",
		"\r\nX-Frame-Options: DENY\r\n",
		"\r\nReferrer-Policy: no-referrer\r\n",
		"\r\nCache-Control: no-store\r\n",
		"\r\nContent-Length: ",
		"\r\nContent-Type: text/plain",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const char *text = talk(requests[i]);

		for (size_t k = 0; k < sizeof(headers) / sizeof(headers[0]); k++)
			said_expect(text, headers[k], 1);
		said_expect(text, "Access-Control", 0);
	}
}

/* The same, without its body. */
static void head(void **state)
{
	const char *text = talk("HEAD /x?a=1 HTTP/1.1\r\nHost: localhost\r\n" CLOSE);

	(void)state;
	said_expect(text, "HTTP/1.1 200 OK\r\n", 1);
	said_expect(text, "\r\nContent-Length: 15\r\n", 1);
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	/* The next request on the same connection is understood. */
	text = talk("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" GET("/x"));
	said_expect(text, "HTTP/1.1 200 OK\r\n", 2);
	said_expect(text, "/x a=- number=5", 1);
}

static void methods(void **state)
{
	static const char *const all[] = {"POST",  "PUT",   "DELETE", "OPTIONS",
					  "PATCH", "TRACE", "FOO",    "GETS"};
	static const char tunnel[] = "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n" CLOSE;
	char request[200];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		(void)snprintf(request, sizeof(request),
			       "%s / HTTP/1.1\r\nHost: localhost\r\n" CLOSE, all[i]);
		expect(request, "405 Method Not Allowed", "only GET and HEAD are served");
	}
	expect("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n"
	       "\r\nabc",
	       "405 Method Not Allowed", "only GET");
	said_expect(talk("PUT / HTTP/1.1\r\nHost: localhost\r\n" CLOSE), "\r\nAllow: GET, HEAD\r\n",
		    1);
	/* evhttp never closes after this one. */
	fd = connected();
	assert_int_equal(send(fd, tunnel, strlen(tunnel), MSG_NOSIGNAL), strlen(tunnel));
	said_expect(heard(fd, "only GET and HEAD are served"), "HTTP/1.1 405 ", 1);
	(void)close(fd);
}

static void paths(void **state)
{
	static const char *const all[] = {
		GET("/y"),   GET("/x//"), GET("/x/"),	      GET("/../etc/passwd"), GET("/x%2f"),
		GET("/%78"), GET("*"),	  GET("/index.html"), GET("/x;a=1"),	     GET("/x%00"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect(all[i], "404 Not Found", "there is no such page");
	expect(GET("/api/y"), "404 ",
	       "{\"ok\":false,\"v\":1,\"code\":\"missing\",\"error\":\"there is no such page\"}");
}

static void queries(void **state)
{
	(void)state;
	expect(GET("/?a=1"), "400 ", "a: there is no query here");
	expect(GET("/x?c=1"), "400 ", "c: not a word of this query");
	expect(GET("/x?a=1&a=2"), "400 ", "a: there are two of it");
	expect(GET("/x?a%00b=1"), "400 ", "the query cannot be read");
	expect(GET("/x?a"), "400 ", "the query cannot be read");
	expect(GET("/x?number=11"), "400 ", "number: a number from 0 to 10 is needed");
	expect(GET("/x?number=-1"), "400 ", "number: a number from 0 to 10 is needed");
	expect(GET("/x?number="), "400 ", "number: a number from 0 to 10 is needed");
	expect(GET("/x?number=0"), "200 ", "number=0");
	expect(GET("/x?number=1x"), "400 ", "number: a number from 0 to 10 is needed");
	expect(GET("/x?number=99999999999999999999"), "400 ", "number: a number from 0 to 10");
	/* What was asked comes back as text only, and as JSON in JSON. */
	expect(GET("/x?%3Cb%3E%0A\"=1"), "400 ", "%3Cb%3E%0A\": not a word of this query");
	expect(GET("/api/x?%3Cb%3E\"%5C=1"), "400 ",
	       "\"error\":\"%3Cb%3E\\\"%5C: not a word of this query\"}");
}

/* The name of another page's host leads here, but is not ours. */
static void hosts(void **state)
{
	(void)state;
	expect("GET / HTTP/1.1\r\nHost: evil.example\r\n" CLOSE, "421 Misdirected Request",
	       "this is not evil.example; if it is to be, start dtcpweb with --host");
	expect("GET / HTTP/1.1\r\nHost: a\x01<\r\n" CLOSE, "421 ", "this is not a\\x01<;");
	expect("GET / HTTP/1.1\r\n" CLOSE, "400 ", "one header Host is needed");
	expect("GET / HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n" CLOSE, "400 ",
	       "one header Host is needed");
	expect("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n" CLOSE, "421 ",
	       "this is not evil.example");
	expect(GET("//evil.example/x"), "421 ", "this is not evil.example");
	expect("GET / HTTP/1.1\r\nHost: \r\n" CLOSE, "421 ", "this is not ");
	expect("GET /api/x HTTP/1.1\r\nHost: evil.example\r\n" CLOSE, "421 ", "\"code\":\"host\"");
}

static void too_much(void **state)
{
	static char long_header[HTTP_HEAD_MAX + 200];
	static char long_line[HTTP_HEAD_MAX + 200];

	(void)state;
	(void)snprintf(long_header, sizeof(long_header),
		       "GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
	memset(long_header + strlen(long_header), 'x', HTTP_HEAD_MAX);
	(void)strcat(long_header, "\r\n\r\n");
	expect(long_header, "400 Bad Request", "");
	(void)snprintf(long_line, sizeof(long_line), "GET /");
	memset(long_line + strlen(long_line), 'x', HTTP_HEAD_MAX);
	(void)strcat(long_line, " HTTP/1.1\r\n\r\n");
	expect(long_line, "400 Bad Request", "");
	expect("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4097\r\n\r\n",
	       "413 Request Entity Too Large", "");
	expect("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "400 ", "");
}

static void not_http(void **state)
{
	static const char *const all[] = {
		"what is this, that it is so long?\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n and this is how TLS begins\r\n\r\n",
		"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *text = talk(all[i]);

		if (strncmp(text, "HTTP/1.1 400 ", 13) != 0 && text[0] != '\0')
			fail_msg("%s\nwas answered with\n%s", all[i], text);
	}
	expect(GET("/"), "200 OK", "/ a=-");
}

/* Who only takes places up loses one as soon as somebody else comes. */
static void crowd(void **state)
{
	int fds[GATE_MAX + 8];
	const char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = connected();
		assert_int_equal(send(fds[i], "GET ", 4, MSG_NOSIGNAL), 4);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	}
	text = talk(GET("/"));
	said_expect(text, "/ a=- number=5", 1);
	/* The first have waited for longest. */
	assert_string_equal(heard(fds[0], NULL), "");
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		(void)close(fds[i]);
	for (int i = 0; i < 3 * GATE_MAX; i++)
		expect(GET("/"), "200 OK", "/ a=-");
}

static int asked(const char *request)
{
	int fd = connected();

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return fd;
}

/* However many read one long reply slowly, it is there once; there is a bound to different ones. */
static void slow_readers(void **state)
{
	const char *busy = "too many long replies wait for those who read them; try again";
	int fds[20], own, tries = 0;
	const char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = asked(GET("/long"));
		said_expect(heard(fds[i], "\r\n\r\n"), "HTTP/1.1 200 OK", 1);
		assert_non_null(shared);
	}
	own = asked(GET("/long?a=own"));
	said_expect(heard(own, "\r\n\r\n"), "HTTP/1.1 200 OK", 1);
	expect(GET("/long?a=own"), "503 ", busy);
	/* Short ones go on, and so does what is there anyway. */
	expect(GET("/"), "200 OK", "/ a=-");
	expect("HEAD /long HTTP/1.1\r\nHost: localhost\r\n" CLOSE, "200 OK", "");
	/* It is there until the last of them has gone. */
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		assert_non_null(shared);
		(void)close(fds[i]);
		expect(GET("/"), "200 OK", "/ a=-");
	}
	while (shared)
		assert_int_not_equal(event_base_loop(base, EVLOOP_NONBLOCK), -1);
	(void)close(own);
	/* Until it is seen that the other one has gone, too. */
	do {
		assert_true(++tries < 1000);
		own = asked(GET("/long?a=own"));
		text = heard(own, "\r\n\r\n");
		(void)close(own);
	} while (strncmp(text, "HTTP/1.1 200 OK", 15) != 0);
	/* Of a head, nothing stays. */
	expect("HEAD /long HTTP/1.1\r\nHost: localhost\r\n" CLOSE, "200 OK", "");
	assert_null(shared);
}

/* A connection that goes on has its place while it asks. */
static void kept(void **state)
{
	static const char request[] = "GET /x?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = connected();

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
		said_expect(heard(fd, "/x a=1 number=5"), "HTTP/1.1 200 OK", 1);
	}
	(void)close(fd);
}

static void accepts(void **state)
{
	static const struct {
		const char *accept;
		bool open;
	} all[] = {
		{NULL, false},
		{"", false},
		{"*/*", false},
		{"text/html,*/*;q=0.8", false},
		{"application/openmetrics-text", true},
		{"application/openmetrics-text; version=1.0.0; charset=utf-8", true},
		{"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
		 "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 true},
		{"text/plain;q=0.9, application/openmetrics-text;q=0.1", false},
		{"application/openmetrics-text;q=0", false},
		{"application/openmetrics-textual", false},
		{"Application/OpenMetrics-Text ; q=0.3", true},
		{",,;;q=,", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(scrape_wants_openmetrics(all[i].accept), all[i].open);
}

static int make(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at.v4);

	(void)state;
	at = (struct address){
		.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	if (fd == -1 || bind(fd, &at.any, sizeof(at.v4)) == -1 || listen(fd, SOMAXCONN) == -1 ||
	    getsockname(fd, &at.any, &len) == -1)
		return -1;
	base = event_base_new();
	http = http_new(base, &fd, 1, &names, routes, sizeof(routes) / sizeof(routes[0]), NULL);
	return http ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	http_free(http);
	event_base_free(base);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages),   TEST(every_reply), TEST(head),	      TEST(methods),  TEST(paths),
		TEST(queries), TEST(hosts),	  TEST(too_much),     TEST(not_http), TEST(crowd),
		TEST(kept),    TEST(accepts),	  TEST(slow_readers),
	};

	log_init("dtcpweb", NULL, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
