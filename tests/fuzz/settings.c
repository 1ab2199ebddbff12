/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an administrator writes: the client's password file, the configuration files and the command
 * lines of both programs with the server's -o. The first octet says which; a line is an argument.
 */
#include "fuzz.h"

#include "base/options.h"
#include "base/settings.h"
#include "client/options_parts.h"
#include "client/root/authfile.h"
#include "netconf/tun.h"
#include "server/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define SERVER "broker.example"
#define USER   "foo"

enum { ARGUMENTS = 24 };

/* --- the password file -------------------------------------------------------------------- */

/* The password where a line is the entry, looked at in another way; its length in *password_len. */
static const char *entry_of(const char *line, size_t len, size_t *password_len)
{
	const size_t server = strlen(SERVER), begin = strlen(SERVER ":" USER ":");

	for (; len >= 3 && strncmp(line, "\xef\xbb\xbf", 3) == 0; len -= 3)
		line += 3;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len <= begin || len > begin + DTCP_PASSWORD_MAX ||
	    strncasecmp(line, SERVER, server) != 0 ||
	    strncmp(line + server, ":" USER ":", begin - server) != 0)
		return NULL;
	for (size_t i = begin; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < ' ' || c == 0x7f)
			return NULL;
	}
	*password_len = len - begin;
	return line + begin;
}

static void try_password_file(struct fuzz_input *input)
{
	char password[DTCP_PASSWORD_MAX + 1] = "", other[DTCP_PASSWORD_MAX + 1] = "";
	struct authfile_entry entries[] = {{.server = "Other", .password = other},
					   {.server = SERVER, .password = password}};
	char path[64];
	const char *expected = NULL;
	char *line = NULL;
	bool first = true;
	size_t len = 0, password_len = 0;
	int fd = memfd_create("auth", MFD_CLOEXEC);

	FUZZ_CHECK(fd != -1 && write(fd, input->at, input->left) == (ssize_t)input->left);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_CHECK((authfile_find(path, USER, entries, 2) == AUTHFILE_FOUND) ==
		   (entries[0].found && entries[1].found));
	while (!expected && input->left > 0) {
		const char *text;

		free(line);
		line = fuzz_line(input, &len);
		/* A file in UTF-16 has nothing that could be read. */
		for (text = line; first && strncmp(text, "\xef\xbb\xbf", 3) == 0;)
			text += 3;
		if (first &&
		    (strncmp(text, "\xff\xfe", 2) == 0 || strncmp(text, "\xfe\xff", 2) == 0))
			break;
		first = false;
		expected = entry_of(line, len, &password_len);
	}
	FUZZ_CHECK(entries[1].found == (expected != NULL));
	if (expected)
		FUZZ_CHECK(strlen(password) == password_len &&
			   strncmp(password, expected, password_len) == 0);
	free(line);
	(void)close(fd);
}

/* --- command lines ------------------------------------------------------------------------ */

/* What monitor hands on to its rooms says all of it, and again the same. */
static void check_words(const struct server_options *options)
{
	struct server_options again;
	int argc = 0, argc_again = 0;
	char **words = server_options_words(options, "dtcps", &argc), **words_again;

	FUZZ_CHECK(words);
	optind = 0;
	FUZZ_CHECK(server_options_parse_room(&again, argc, words) == OPTIONS_OK);
	words_again = server_options_words(&again, "dtcps", &argc_again);
	FUZZ_CHECK(words_again && argc_again == argc);
	for (int i = 0; i < argc; i++)
		FUZZ_CHECK(strcmp(words[i], words_again[i]) == 0);
	server_options_free_words(words_again, argc_again);
	server_options_free(&again);
	server_options_free_words(words, argc);
}

static void check_server(const struct server_options *options)
{
	char name[IFNAMSIZ];

	FUZZ_CHECK(options->port && options->udp_port && options->mtu >= 1280 &&
		   options->mtu <= 1480);
	FUZZ_CHECK(options->sessions_max >= 1 && options->timeout_login >= 1 &&
		   options->timeout_idle >= 1 && options->attempts >= 1);
	FUZZ_CHECK(!options->has_host || options->host_prefix.len == 64);
	FUZZ_CHECK(!options->numbered || options->has_host);
	FUZZ_CHECK(!options->has_pool || options->network_length > options->pool.len);
	FUZZ_CHECK(!options->has_pool || !options->has_host ||
		   !prefix6_overlaps(&options->pool, &options->host_prefix));
	/* Every session can have an interface. */
	server_interface_name(options, options->sessions_max, name);
	FUZZ_CHECK(tun_name_valid(name));
	FUZZ_CHECK(options->database && *options->database);
	check_words(options);
}

/* --- the server's configuration file -------------------------------------------------------- */

static void try_configuration(const struct fuzz_input *input)
{
	char *text = malloc(input->left + 1);
	unsigned int warnings = fuzz_warnings;
	struct server_options options;
	bool good;

	FUZZ_CHECK(text);
	memcpy(text, input->at, input->left);
	text[input->left] = '\0';
	server_options_default(&options);
	good = configfile_parse(&server_settings, &options, "dtcps.conf", text);
	/* A line for each thing that is wrong. */
	FUZZ_CHECK(good == (fuzz_warnings == warnings));
	if (good && server_settings_finish(&options))
		check_server(&options);
	server_options_free(&options);
	free(text);
}

static void check_client(const struct client_options *options)
{
	FUZZ_CHECK(options->n_servers >= 1 && options->n_servers <= CLIENT_SERVERS_MAX);
	for (size_t i = 0; i < options->n_servers; i++)
		FUZZ_CHECK(options->servers[i] && *options->servers[i]);
	FUZZ_CHECK(options->port);
	FUZZ_CHECK(options->mtu >= 1280 && options->mtu <= 1480 && options->keepalive >= 1 &&
		   options->keepalive_timeout >= 1);
	FUZZ_CHECK(options->type != TUNNEL_NONE && tun_name_valid(options->interface));
	FUZZ_CHECK(options->n_routes <= CLIENT_ROUTES_MAX);
	FUZZ_CHECK(!options->login || dtcp_user_valid(options->login));
	FUZZ_CHECK(!options->nat_port || options->transport != SESSION_IPV6);
}

/* A named configuration; what is said of it then is what is said to the other processes. */
static void try_client_configuration(const struct fuzz_input *input)
{
	char *text = malloc(input->left + 1);
	unsigned int warnings = fuzz_warnings;
	struct client_options options = {.named = NULL};
	bool good;

	FUZZ_CHECK(text);
	memcpy(text, input->at, input->left);
	text[input->left] = '\0';
	settings_default(&client_settings, &options);
	good = configfile_parse(&client_settings, &options, "home.conf", text);
	FUZZ_CHECK(good == (fuzz_warnings == warnings));
	if (good && options.n_servers > 0 && client_settings_finish(&options))
		check_client(&options);
	client_options_free(&options);
	free(text);
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/* These print, and say nothing about the rest. */
static bool asks(const char *word)
{
	return strncmp(word, "--h", 3) == 0 || strncmp(word, "--v", 3) == 0;
}

static void try_arguments(struct fuzz_input *input, bool server)
{
	char name[] = "program";
	char *argv[ARGUMENTS + 2] = {name};
	struct server_options server_options;
	struct client_options client_options;
	enum options_result result;
	unsigned int warnings = fuzz_warnings;
	int argc = 1;

	while (input->left > 0 && argc <= ARGUMENTS) {
		size_t len;
		char *word = fuzz_line(input, &len);

		/* Whoever starts the program may write into its log what he likes; not here. */
		if (is_printable(word) && !asks(word))
			argv[argc++] = word;
		else
			free(word);
	}
	/* Makes getopt(3) forget its last command line. */
	optind = 0;
	if (server)
		result = server_options_parse_room(&server_options, argc, argv);
	else
		result = client_options_parse_room(&client_options, argc, argv);
	/* One line says what is wrong, and only then. */
	FUZZ_CHECK(fuzz_warnings - warnings == (result == OPTIONS_ERROR));
	if (result == OPTIONS_OK && server) {
		check_server(&server_options);
		server_options_free(&server_options);
	} else if (result == OPTIONS_OK) {
		check_client(&client_options);
		client_options_free(&client_options);
	}
	for (int i = 1; i < argc; i++)
		free(argv[i]);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};

	switch (fuzz_byte(&input)) {
	case 'a':
		try_password_file(&input);
		break;
	case 'f':
		try_configuration(&input);
		break;
	case 'g':
		try_client_configuration(&input);
		break;
	case 's':
		try_arguments(&input, true);
		break;
	case 'c':
		try_arguments(&input, false);
		break;
	default:
		break;
	}
}
