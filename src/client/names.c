/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/names.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_LINE_MAX = 1024, NAMES_SERVERS_MAX = 16, NAMES_DOMAINS_MAX = 16, NAMES_PORT = 53 };

static const char names_blanks[] = " \t\r";

int names_open(const char *path)
{
	/* Neither waiting for the other end of a pipe nor taking a terminal for our own. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd != -1 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	if (fd != -1)
		close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

/* A file, line by line. */
struct names_reader {
	int fd;
	char buffer[4096];
	size_t at;
	size_t len;
	char line[NAMES_LINE_MAX];
};

static int names_byte(struct names_reader *reader)
{
	if (reader->at == reader->len) {
		ssize_t n;

		do
			n = read(reader->fd, reader->buffer, sizeof(reader->buffer));
		while (n == -1 && errno == EINTR);
		if (n <= 0)
			return -1;
		reader->at = 0;
		reader->len = (size_t)n;
	}
	return (unsigned char)reader->buffer[reader->at++];
}

/* The next line without its end and a comment; one that is too long loses its last words. */
static bool names_line(struct names_reader *reader, const char *comments)
{
	size_t len = 0;
	int byte = names_byte(reader);

	if (byte == -1)
		return false;
	for (; byte != -1 && byte != '\n'; byte = names_byte(reader)) {
		if (len < sizeof(reader->line))
			reader->line[len++] = (char)byte;
	}
	/* Half a word would be another one. */
	if (len == sizeof(reader->line)) {
		do
			len--;
		while (len > 0 && !strchr(names_blanks, reader->line[len]));
	}
	reader->line[len] = '\0';
	reader->line[strcspn(reader->line, comments)] = '\0';
	return true;
}

static char *names_word(char **rest)
{
	char *word;

	do
		word = strsep(rest, names_blanks);
	while (word && *word == '\0');
	return word;
}

static size_t names_length(const char *name)
{
	size_t len = strlen(name);

	/* A final dot says that the name is complete. */
	return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

static bool names_same(const char *a, const char *b)
{
	size_t len = names_length(a);

	return len == names_length(b) && strncasecmp(a, b, len) == 0;
}

static bool names_line_has(char *rest, const char *name)
{
	const char *word;

	while ((word = names_word(&rest))) {
		if (names_same(word, name))
			return true;
	}
	return false;
}

size_t names_in_hosts(int hosts, const char *name, struct in_addr *out, size_t max)
{
	struct names_reader reader = {.fd = hosts};
	size_t count = 0;

	while (count < max && names_line(&reader, "#")) {
		char *rest = reader.line;
		const char *address = names_word(&rest);
		struct in_addr parsed;

		if (address && inet_pton(AF_INET, address, &parsed) == 1 &&
		    names_line_has(rest, name))
			out[count++] = parsed;
	}
	if (count == 0 && max > 0 && names_same(name, "localhost"))
		out[count++].s_addr = htonl(INADDR_LOOPBACK);
	return count;
}

/* if_nametoindex() looks into files first, which there are none of here. 0: there is none. */
static unsigned int names_interface(const char *name)
{
	struct ifreq request = {.ifr_ifindex = 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return 0;
	(void)strlcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ioctl(fd, SIOCGIFINDEX, &request) == -1)
		request.ifr_ifindex = 0;
	close(fd);
	return (unsigned int)request.ifr_ifindex;
}

static bool names_add_server(struct evdns_base *dns, char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(NAMES_PORT)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(NAMES_PORT)};
	char *rest = text;
	const char *address = strsep(&rest, "%");

	if (!rest && inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return evdns_base_nameserver_sockaddr_add(dns, (const struct sockaddr *)&v4,
							  sizeof(v4), 0) == 0;
	if (inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return false;
	if (rest)
		v6.sin6_scope_id = names_interface(rest);
	return evdns_base_nameserver_sockaddr_add(dns, (const struct sockaddr *)&v6, sizeof(v6),
						  0) == 0;
}

/* Those that are about what libevent does; others, such as "rotate", are for other resolvers. */
static void names_set_option(struct evdns_base *dns, const char *option)
{
	static const char *const known[] = {"ndots:", "timeout:", "attempts:"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i]);

		if (strncmp(option, known[i], len) == 0)
			(void)evdns_base_set_option(dns, known[i], option + len);
	}
}

/* The domains of a line; the last such line counts. */
static void names_search(struct evdns_base *dns, char *rest)
{
	const char *domains[NAMES_DOMAINS_MAX];
	size_t count = 0;

	while (count < NAMES_DOMAINS_MAX && (domains[count] = names_word(&rest)))
		count++;
	evdns_base_search_clear(dns);
	/* libevent asks first with what was added last. */
	while (count > 0)
		evdns_base_search_add(dns, domains[--count]);
}

/* Without a search list the domain is that of this machine. */
static void names_search_own(struct evdns_base *dns)
{
	char host[256];
	const char *domain;

	if (gethostname(host, sizeof(host)) == -1)
		return;
	host[sizeof(host) - 1] = '\0';
	domain = strchr(host, '.');
	if (domain && domain[1] != '\0')
		evdns_base_search_add(dns, domain + 1);
}

void names_configure(int resolv, struct evdns_base *dns)
{
	struct names_reader reader = {.fd = resolv};
	bool searches = false;
	size_t servers = 0;

	while (names_line(&reader, "#;")) {
		char *rest = reader.line;
		const char *key = names_word(&rest);
		char *word;

		if (!key)
			continue;
		if (strcmp(key, "nameserver") == 0) {
			word = names_word(&rest);
			if (word && servers < NAMES_SERVERS_MAX && names_add_server(dns, word))
				servers++;
		} else if (strcmp(key, "domain") == 0 || strcmp(key, "search") == 0) {
			names_search(dns, rest);
			searches = true;
		} else if (strcmp(key, "options") == 0) {
			while ((word = names_word(&rest)))
				names_set_option(dns, word);
		}
	}
	if (!searches)
		names_search_own(dns);
	if (servers == 0) {
		char local[] = "127.0.0.1";

		(void)names_add_server(dns, local);
	}
}
