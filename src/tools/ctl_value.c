/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/ctl_value.h"

#include <string.h>

json_t *ctl_value(const json_t *object, const char *path)
{
	size_t len = strcspn(path, ".");
	json_t *value = json_object_getn(object, path, len);

	while (value && path[len]) {
		path += len + 1;
		len = strcspn(path, ".");
		value = json_object_getn(value, path, len);
	}
	return value;
}

double ctl_value_number(const json_t *object, const char *path)
{
	return json_number_value(ctl_value(object, path));
}

const char *ctl_value_text(const json_t *object, const char *path)
{
	const char *text = json_string_value(ctl_value(object, path));

	return text ? text : "";
}
