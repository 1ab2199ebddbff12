/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the server's control socket, of root and of others: one that is taken has all that
 * its command needs and nothing else, in range; of any other one there is a word and a line to say.
 */
#include "fuzz.h"

#include "server/control/requests.h"

#include <stdlib.h>
#include <string.h>

static bool is_word(const char *text)
{
	static const char *const words[] = {"denied",  "unknown", "bad",
					    "missing", "busy",	  "failed"};
	size_t i = 0;

	while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i], text) != 0)
		i++;
	return i < sizeof(words) / sizeof(words[0]);
}

static void check_member(const struct ctl_request *request, const struct ctl_member *member)
{
	const char *text = ctl_request_text(request, member->name);
	int64_t number = -1;
	bool has_number = ctl_request_number(request, member->name, &number);

	if (member->required)
		FUZZ_CHECK(has_number);
	if (!has_number)
		return;
	if (member->type == CTL_TEXT)
		FUZZ_CHECK(text && text[0] != '\0' && strlen(text) <= CTL_REQUEST_MAX);
	else
		FUZZ_CHECK(!text && number >= 0 && number <= member->max);
}

static void check_taken(const struct ctl_request *request, bool root)
{
	const struct ctl_command *command = request->command;
	size_t known = 0;

	FUZZ_CHECK(command >= requests_commands.list &&
		   command < requests_commands.list + requests_commands.count);
	FUZZ_CHECK(root || !command->root);
	FUZZ_CHECK(strcmp(ctl_request_text(request, "command"), command->name) == 0);
	for (const struct ctl_member *member = command->members; member->name; member++) {
		check_member(request, member);
		known += json_object_get(request->object, member->name) != NULL;
	}
	known += json_object_get(request->object, "v") != NULL;
	FUZZ_CHECK(json_object_size(request->object) == known + 1);
}

static void check_refused(const struct ctl_refusal *refusal, bool root)
{
	size_t len = strnlen(refusal->text, sizeof(refusal->text));

	FUZZ_CHECK(is_word(ctl_code_name(refusal->code)));
	FUZZ_CHECK(refusal->code != CTL_DENIED || !root);
	FUZZ_CHECK(len > 0 && len < sizeof(refusal->text));
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(refusal->text[i] >= ' ' && refusal->text[i] <= '~');
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};

	/* The same names are in the same places of a table each time. */
	json_object_seed(1);
	while (input.left > 0) {
		struct ctl_refusal refusal = {.text = ""};
		struct ctl_request request;
		bool root = fuzz_bool(&input);
		size_t len;
		char *line = fuzz_line(&input, &len);

		if (ctl_request_read(&requests_commands, line, len, root, &request, &refusal))
			check_taken(&request, root);
		else
			check_refused(&refusal, root);
		ctl_request_free(&request);
		free(line);
	}
}
