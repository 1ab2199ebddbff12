/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/root/check_print.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

static const struct {
	const char *shown;
	const char *key; /* in JSON */
} check_print_steps[CLIENT_STEPS] = {
	[CLIENT_STEP_NAME] = {"name", "name"},
	[CLIENT_STEP_PORT] = {"port", "port"},
	[CLIENT_STEP_GREETING] = {"greeting", "greeting"},
	[CLIENT_STEP_LOGIN] = {"login", "login"},
	[CLIENT_STEP_TYPE] = {"type", "type"},
	[CLIENT_STEP_NAT] = {"NAT", "nat"},
	[CLIENT_STEP_PROTO41] = {"protocol 41", "protocol41"},
	[CLIENT_STEP_UDP] = {"UDP", "udp"},
	[CLIENT_STEP_MTU] = {"path MTU", "mtu"},
	[CLIENT_STEP_BEYOND] = {"IPv6 beyond", "beyond"},
};

static const struct {
	const char *word;
	const char *tick;
	const char *key;
} check_print_results[CLIENT_STEP_RESULTS] = {
	[CLIENT_STEP_OK] = {"ok", "\xe2\x9c\x93", "ok"},
	[CLIENT_STEP_FAIL] = {"FAIL", "\xe2\x9c\x97", "fail"},
	[CLIENT_STEP_SKIP] = {"skip", "-", "skip"},
};

static bool check_print_text(char *text, size_t size)
{
	if (strnlen(text, size) == size)
		return false;
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
	return true;
}

bool check_print_take(struct client_step *step, uint32_t next)
{
	return step->step < CLIENT_STEPS && step->step == next &&
	       step->result < CLIENT_STEP_RESULTS && step->prefix.len <= 128 &&
	       check_print_text(step->text, sizeof(step->text)) &&
	       check_print_text(step->advice, sizeof(step->advice));
}

void check_print_line(FILE *out, const struct client_step *step, bool ticks)
{
	const char *result = ticks ? check_print_results[step->result].tick
				   : check_print_results[step->result].word;

	/* A symbol has several octets, but one column. */
	if (ticks)
		(void)fprintf(out, "%s  ", result);
	else
		(void)fprintf(out, "%-4s  ", result);
	(void)fprintf(out, "%-11s  %s%s%s\n", check_print_steps[step->step].shown, step->text,
		      step->advice[0] ? "; " : "", step->advice);
}

/* Printable text as a JSON string. */
static void check_print_string(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

/* Written before each member of an object but the first. */
static const char *check_print_comma(bool *first)
{
	const char *comma = *first ? "" : ",";

	*first = false;
	return comma;
}

static void check_print_ipv4(FILE *out, bool *first, const char *key, struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	if (address.s_addr)
		(void)fprintf(out, "%s\"%s\":\"%s\"", check_print_comma(first), key,
			      inet_ntop(AF_INET, &address, text, sizeof(text)));
}

static void check_print_ipv6(FILE *out, bool *first, const char *key,
			     const struct in6_addr *address)
{
	char text[INET6_ADDRSTRLEN];

	if (!IN6_IS_ADDR_UNSPECIFIED(address))
		(void)fprintf(out, "%s\"%s\":\"%s\"", check_print_comma(first), key,
			      inet_ntop(AF_INET6, address, text, sizeof(text)));
}

static void check_print_number(FILE *out, bool *first, const char *key, uint32_t number)
{
	if (number)
		(void)fprintf(out, "%s\"%s\":%" PRIu32, check_print_comma(first), key, number);
}

static void check_print_data(FILE *out, const struct client_step *step)
{
	char text[PREFIX6_STRLEN];
	bool first = true;

	(void)fputc('{', out);
	check_print_ipv4(out, &first, "address", step->address);
	check_print_number(out, &first, "port", step->port);
	check_print_ipv4(out, &first, "here", step->here);
	check_print_ipv4(out, &first, "seen", step->seen);
	if (step->prefix.len)
		(void)fprintf(out, "%s\"prefix\":\"%s\"", check_print_comma(&first),
			      prefix6_format(&step->prefix, text));
	check_print_ipv6(out, &first, "own", &step->own);
	check_print_ipv6(out, &first, "target", &step->target);
	if (step->rtt_us)
		(void)fprintf(out, "%s\"rtt_ms\":%.3f", check_print_comma(&first),
			      step->rtt_us / 1000.0);
	check_print_number(out, &first, "path_mtu", step->path_mtu);
	check_print_number(out, &first, "mtu", step->mtu);
	(void)fputc('}', out);
}

void check_print_json(FILE *out, const struct client_step *step)
{
	(void)fprintf(out, "{\"step\":\"%s\",\"result\":\"%s\",\"text\":",
		      check_print_steps[step->step].key, check_print_results[step->result].key);
	check_print_string(out, step->text);
	(void)fputs(",\"advice\":", out);
	check_print_string(out, step->advice);
	(void)fprintf(out, ",\"milliseconds\":%" PRIu32 ",\"data\":", step->milliseconds);
	check_print_data(out, step);
	(void)fputs("}\n", out);
}
