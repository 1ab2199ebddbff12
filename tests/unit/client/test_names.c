/* SPDX-License-Identifier: BSD-2-Clause */
/* hosts(5) and resolv.conf(5), read from descriptors. */
#include "client/names.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ADDRESSES_MAX = 4 };

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("names", MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* expected: the addresses with a blank behind each. */
static void expect_hosts(const char *text, const char *name, const char *expected)
{
	struct in_addr found[ADDRESSES_MAX];
	char shown[ADDRESSES_MAX * (INET_ADDRSTRLEN + 1)] = "";
	int fd = file_of(text, strlen(text));
	size_t count = names_in_hosts(fd, name, found, ADDRESSES_MAX);

	assert_in_range(count, 0, ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		char address[INET_ADDRSTRLEN];

		(void)strlcat(shown, inet_ntop(AF_INET, &found[i], address, sizeof(address)),
			      sizeof(shown));
		(void)strlcat(shown, " ", sizeof(shown));
	}
	assert_string_equal(shown, expected);
	close(fd);
}

static void test_hosts(void **state)
{
	static const char text[] = "# a comment\n"
				   "127.0.0.1\tlocalhost\n"
				   "\n"
				   "::1 broker\n"
				   "  192.0.2.1   first.example.net  broker Alias # 192.0.2.9\n"
				   "192.0.2.2 broker.\r\n"
				   "192.0.2.3 brokers xbroker\n"
				   "192.0.2.300 broker\n"
				   "broker 192.0.2.4\n"
				   "192.0.2.5\n"
				   "192.0.2.6 #broker\n"
				   "192.0.2.7 broker";

	(void)state;
	expect_hosts(text, "broker", "192.0.2.1 192.0.2.2 192.0.2.7 ");
	expect_hosts(text, "BROKER.", "192.0.2.1 192.0.2.2 192.0.2.7 ");
	expect_hosts(text, "alias", "192.0.2.1 ");
	expect_hosts(text, "first.example.net", "192.0.2.1 ");
	expect_hosts(text, "first", "");
	expect_hosts(text, "192.0.2.1", "");
	expect_hosts(text, "localhost", "127.0.0.1 ");
	expect_hosts("", "localhost", "127.0.0.1 ");
	expect_hosts("192.0.2.1 localhost\n", "localhost", "192.0.2.1 ");
	expect_hosts("", "broker", "");
	expect_hosts("1.0.0.1 a\n1.0.0.2 a\n1.0.0.3 a\n1.0.0.4 a\n1.0.0.5 a\n", "a",
		     "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 ");
}

/* Lines and files that are longer than any buffer; what is cut is never taken for a name. */
static void test_hosts_long(void **state)
{
	char text[20000];
	size_t len = 0;

	(void)state;
	len += (size_t)snprintf(text, sizeof(text), "192.0.2.1 in");
	while (len < 1020)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " word");
	/* Octet 1024 lies in the middle of this one. */
	len += (size_t)snprintf(text + len, sizeof(text) - len, " brokerage behind\n");
	while (len < 15000)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "192.0.2.2 other\n");
	(void)snprintf(text + len, sizeof(text) - len, "192.0.2.3 last\n");
	expect_hosts(text, "in", "192.0.2.1 ");
	expect_hosts(text, "last", "192.0.2.3 ");
	expect_hosts(text, "behind", "");
	for (size_t cut = 1; cut <= 9; cut++) {
		char part[10];

		(void)snprintf(part, sizeof(part), "%.*s", (int)cut, "brokerage");
		expect_hosts(text, part, "");
	}
}

static void test_hosts_nul(void **state)
{
	static const char text[] = "192.0.2.1 a\0b\n192.0.2.2 b\n";
	struct in_addr found[ADDRESSES_MAX];
	int fd = file_of(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(names_in_hosts(fd, "b", found, ADDRESSES_MAX), 1);
	close(fd);
}

/* The name servers that text gives, each in brackets with its port and interface. */
static void expect_servers(const char *text, const char *expected)
{
	struct event_base *base = event_base_new();
	struct evdns_base *dns = base ? evdns_base_new(base, 0) : NULL;
	int fd = file_of(text, strlen(text));
	char shown[1000] = "";

	assert_non_null(dns);
	names_configure(fd, dns);
	for (int i = 0; i < evdns_base_count_nameservers(dns); i++) {
		char address[INET6_ADDRSTRLEN] = "";
		struct sockaddr_storage found;
		size_t len = strlen(shown);
		uint32_t scope = 0;

		assert_true(evdns_base_get_nameserver_addr(dns, i, (struct sockaddr *)&found,
							   sizeof(found)) > 0);
		if (found.ss_family == AF_INET) {
			struct sockaddr_in v4;

			memcpy(&v4, &found, sizeof(v4));
			(void)inet_ntop(AF_INET, &v4.sin_addr, address, sizeof(address));
			assert_int_equal(ntohs(v4.sin_port), 53);
		} else {
			struct sockaddr_in6 v6;

			memcpy(&v6, &found, sizeof(v6));
			(void)inet_ntop(AF_INET6, &v6.sin6_addr, address, sizeof(address));
			assert_int_equal(ntohs(v6.sin6_port), 53);
			scope = v6.sin6_scope_id;
		}
		(void)snprintf(shown + len, sizeof(shown) - len, "[%s %u]", address, scope);
	}
	assert_string_equal(shown, expected);
	evdns_base_free(dns, 0);
	event_base_free(base);
	close(fd);
}

static void test_servers(void **state)
{
	char expected[64];

	(void)state;
	expect_servers("", "[127.0.0.1 0]");
	expect_servers("# nameserver 192.0.2.1\n; nameserver 192.0.2.2\n", "[127.0.0.1 0]");
	expect_servers("nameserver 192.0.2.1\n", "[192.0.2.1 0]");
	expect_servers(
		"search a b\nnameserver 192.0.2.1 # first\noptions rotate ndots:2 timeout:1\n"
		"nameserver\t2001:db8::53\ndomain example.net\nsortlist x\n",
		"[192.0.2.1 0][2001:db8::53 0]");
	expect_servers("nameserver\nnameserver x\nnameserver 192.0.2.1%lo\nnameservers 192.0.2.2\n"
		       "options\nsearch\ndomain\noptions timeout:x ndots: attempts:-1\n",
		       "[127.0.0.1 0]");
	(void)snprintf(expected, sizeof(expected), "[fe80::1 %u]", if_nametoindex("lo"));
	expect_servers("nameserver fe80::1%lo\n", expected);
	expect_servers("nameserver fe80::1%nosuchinterface\n", "[fe80::1 0]");
}

/* A file that names hundreds of them does not cost hundreds of sockets. */
static void test_servers_many(void **state)
{
	struct event_base *base = event_base_new();
	struct evdns_base *dns = base ? evdns_base_new(base, 0) : NULL;
	char text[8000] = "";
	int fd;

	(void)state;
	assert_non_null(dns);
	for (int i = 1; i <= 200; i++) {
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, "nameserver 192.0.2.%d\n", i);
	}
	fd = file_of(text, strlen(text));
	names_configure(fd, dns);
	assert_int_equal(evdns_base_count_nameservers(dns), 16);
	evdns_base_free(dns, 0);
	event_base_free(base);
	close(fd);
}

static void expect_opened(const char *path, const char *expected)
{
	char text[64];
	int fd = names_open(path);
	ssize_t n;

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	n = read(fd, text, sizeof(text));
	assert_int_equal(n, (ssize_t)strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
	close(fd);
}

static void test_open(void **state)
{
	char path[] = "/tmp/dtcp-names-XXXXXX";
	char file[64];

	(void)state;
	assert_non_null(mkdtemp(path));
	(void)snprintf(file, sizeof(file), "%s/file", path);
	expect_opened(file, "");
	/* A pipe that nobody writes to must not be waited for. */
	assert_int_equal(mkfifo(file, 0600), 0);
	expect_opened(file, "");
	assert_int_equal(unlink(file), 0);
	expect_opened(path, "");
	expect_opened("/dev/zero", "");

	FILE *out = fopen(file, "we");

	assert_non_null(out);
	assert_true(fputs("text", out) >= 0);
	assert_int_equal(fclose(out), 0);
	expect_opened(file, "text");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),	     cmocka_unit_test(test_hosts_long),
		cmocka_unit_test(test_hosts_nul),    cmocka_unit_test(test_servers),
		cmocka_unit_test(test_servers_many), cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("client names", tests, NULL, NULL);
}
