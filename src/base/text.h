/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of texts: encoding, byte order marks. */
#ifndef DTCP_BASE_TEXT_H
#define DTCP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the byte order mark of UTF-8, which is not part of the text. */
#define TEXT_MARK_LEN 3

/* True if the text of len octets begins with this mark. */
bool text_has_mark(const char *text, size_t len);

/* True if it begins with the byte order mark of UTF-16, which is not supported. */
bool text_is_utf16(const char *text, size_t len);

/* True if it is UTF-8 without control characters, so that it can be displayed anywhere. */
bool text_is_plain(const char *text);

#endif
