/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/request.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Size of a quotation from a request in an error, escaped. */
enum { REQUEST_SHOWN = 80 };

const char *ctl_code_name(enum ctl_code code)
{
	static const char *const names[] = {
		[CTL_DENIED] = "denied",   [CTL_UNKNOWN] = "unknown", [CTL_BAD] = "bad",
		[CTL_MISSING] = "missing", [CTL_BUSY] = "busy",	      [CTL_FAILED] = "failed",
	};

	return names[code];
}

/* Sets the reason and returns false. */
static __attribute__((format(printf, 3, 4))) bool
request_refuse(struct ctl_refusal *refusal, enum ctl_code code, const char *format, ...)
{
	va_list ap;

	refusal->code = code;
	va_start(ap, format);
	(void)vsnprintf(refusal->text, sizeof(refusal->text), format, ap);
	va_end(ap);
	return false;
}

/* Text from a request, escaped for display. */
static const char *request_shown(const char *text, char buf[static REQUEST_SHOWN])
{
	return log_escape(text, strlen(text), buf, REQUEST_SHOWN);
}

static bool request_parse(const char *line, size_t len, json_t **object,
			  struct ctl_refusal *refusal)
{
	char shown[2 * REQUEST_SHOWN];
	json_error_t error;

	*object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!*object && json_error_code(&error) == json_error_out_of_memory)
		return request_refuse(refusal, CTL_FAILED, "out of memory");
	if (!*object)
		return request_refuse(
			refusal, CTL_BAD, "not JSON, at octet %d: %s", error.position,
			log_escape(error.text, strlen(error.text), shown, sizeof(shown)));
	if (!json_is_object(*object))
		return request_refuse(refusal, CTL_BAD, "a JSON object is needed");
	return true;
}

static const struct ctl_command *request_find(const struct ctl_commands *commands, const char *name)
{
	for (size_t i = 0; i < commands->count; i++) {
		if (strcmp(commands->list[i].name, name) == 0)
			return &commands->list[i];
	}
	return NULL;
}

static const struct ctl_member *request_find_member(const struct ctl_command *command,
						    const char *name)
{
	for (const struct ctl_member *member = command->members; member->name; member++) {
		if (strcmp(member->name, name) == 0)
			return member;
	}
	return NULL;
}

/* Whether the value is valid for the member. */
static bool request_check(const struct ctl_member *member, const json_t *value,
			  struct ctl_refusal *refusal)
{
	if (member->type == CTL_TEXT)
		return (json_is_string(value) && json_string_length(value) > 0) ||
		       request_refuse(refusal, CTL_BAD, "\"%s\": a text is needed", member->name);
	return (json_is_integer(value) && json_integer_value(value) >= 0 &&
		json_integer_value(value) <= member->max) ||
	       request_refuse(refusal, CTL_BAD,
			      "\"%s\": a whole number from 0 to %" PRId64 " is needed",
			      member->name, member->max);
}

/* Whether it has the required members of the command, and no others. */
static bool request_check_members(const struct ctl_command *command, json_t *object,
				  struct ctl_refusal *refusal)
{
	char shown[REQUEST_SHOWN];
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const struct ctl_member *member = request_find_member(command, name);

		if (strcmp(name, "command") == 0 || strcmp(name, "v") == 0)
			continue;
		if (!member)
			return request_refuse(refusal, CTL_BAD, "%s takes no \"%s\"", command->name,
					      request_shown(name, shown));
		if (!request_check(member, value, refusal))
			return false;
	}
	for (const struct ctl_member *member = command->members; member->name; member++) {
		if (member->required && !json_object_get(object, member->name))
			return request_refuse(refusal, CTL_BAD, "%s needs \"%s\"", command->name,
					      member->name);
	}
	return true;
}

static bool request_check_all(const struct ctl_commands *commands, bool root,
			      struct ctl_request *request, struct ctl_refusal *refusal)
{
	const json_t *version = json_object_get(request->object, "v");
	const char *name = json_string_value(json_object_get(request->object, "command"));
	char shown[REQUEST_SHOWN];

	if (version && (!json_is_integer(version) || json_integer_value(version) != CTL_VERSION))
		return request_refuse(refusal, CTL_BAD, "\"v\": the version here is %d",
				      CTL_VERSION);
	if (!name)
		return request_refuse(refusal, CTL_BAD, "\"command\": a text is needed");
	request->command = request_find(commands, name);
	if (!request->command)
		return request_refuse(refusal, CTL_UNKNOWN, "there is no command \"%s\"",
				      request_shown(name, shown));
	if (request->command->root && !root)
		return request_refuse(refusal, CTL_DENIED, "%s is for root only",
				      request->command->name);
	return request_check_members(request->command, request->object, refusal);
}

bool ctl_request_read(const struct ctl_commands *commands, const char *line, size_t len, bool root,
		      struct ctl_request *request, struct ctl_refusal *refusal)
{
	*request = (struct ctl_request){0};
	if (request_parse(line, len, &request->object, refusal) &&
	    request_check_all(commands, root, request, refusal))
		return true;
	ctl_request_free(request);
	return false;
}

void ctl_request_free(struct ctl_request *request)
{
	json_decref(request->object);
	*request = (struct ctl_request){0};
}

const char *ctl_request_text(const struct ctl_request *request, const char *member)
{
	return json_string_value(json_object_get(request->object, member));
}

bool ctl_request_number(const struct ctl_request *request, const char *member, int64_t *number)
{
	const json_t *value = json_object_get(request->object, member);

	if (value)
		*number = json_integer_value(value);
	return value;
}
