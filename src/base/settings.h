/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program's settings as one table: what each key means, how its value is read and written, and
 * whether it can change while the program runs. The command line, the configuration file and
 * messages about changes all use the table.
 *
 * The values are fields of a struct of the program, which begins with struct settings_source.
 */
#ifndef DTCP_BASE_SETTINGS_H
#define DTCP_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest number of keys in a table. */
#define SETTINGS_MAX 64

/* Sizes of buffers: for a key, for "FILE:LINE: key", and for a value as text. */
#define SETTINGS_KEY_SIZE   48
#define SETTINGS_WHERE_SIZE 320
#define SETTINGS_TEXT_SIZE  64

/* The line of a value that is derived from the name of the file. */
#define SETTINGS_LINE_NONE UINT32_MAX

/* Origins of the values. */
struct settings_source {
	const char *file;	      /* the configuration file; NULL: none */
	char *texts;		      /* texts of the file that values point into, or NULL */
	uint32_t lines[SETTINGS_MAX]; /* line of each setting in the file; 0: not from the file */
	const char *given[SETTINGS_MAX]; /* the last value of each as text; NULL: the default */
	char *renewed[SETTINGS_MAX];	 /* copies made by settings_renew() */
};

enum setting_type {
	SETTING_TEXT,	 /* const char *, not empty; NULL by default */
	SETTING_CHOICE,	 /* bool: one of two words */
	SETTING_NUMBER,	 /* uint16_t or uint32_t, min to max */
	SETTING_ADDRESS, /* struct in_addr */
	SETTING_OTHER,	 /* parsed by read, printed by write */
};

struct setting_choice {
	const char *off;
	const char *on;
	const char *both; /* for messages */
};

extern const struct setting_choice setting_yes_no;
extern const struct setting_choice setting_log_format;

struct setting {
	const char *key;
	enum setting_type type;
	size_t field; /* offset of the value in the program's struct, and its size */
	size_t size;
	size_t flag; /* offset of a bool that is set if there is a value; 0: none */
	/*
	 * Offset of a size_t: the number of values, as each one adds to those before; 0: the last
	 * one is used. Values of the command line replace those of the file.
	 */
	size_t count;
	const char *initial; /* the default as text, NULL: none */
	uint32_t min;	     /* of a number */
	uint32_t max;
	const struct setting_choice *choice;
	bool (*read)(void *field, const char *where, const char *value);
	const char *(*write)(const void *field, char buf[static SETTINGS_TEXT_SIZE]);
	/* Checks a parsed value; NULL: no further check. */
	bool (*check)(const void *field, const char *where, const char *value);
	bool live;  /* a new value takes effect while the program runs */
	int letter; /* the equivalent short option, 0: none */
	const char *help;
};

struct settings {
	const struct setting *list; /* in alphabetical order of the keys */
	size_t count;
	const char *manual; /* the manual page, such as "dtcps.conf(5)" */
	const char *option; /* prefix of a key on the command line: "-o ", "--" */
};

/* Sets all values to their defaults; the rest of the struct is unchanged. */
void settings_default(const struct settings *settings, void *values);

/* Frees the texts of the configuration file, and those of settings_renew(). */
void settings_free(void *values);

/* The number of a key, or settings->count if it is unknown. */
size_t settings_find(const struct settings *settings, const char *key);

/* The number of the setting with that short option, or settings->count. */
size_t settings_find_letter(const struct settings *settings, int letter);

/*
 * Parses one value, which must stay valid as long as values. where is its origin for messages
 * ("-p", "-o port", "FILE:LINE: port"); line is its line in the file, 0 if it is not from a file.
 * False after options_bad().
 */
bool settings_set(const struct settings *settings, void *values, size_t number, const char *where,
		  const char *value, uint32_t line);

/* Replaces a value, keeping a copy of the new one; its origin in messages is the key. */
bool settings_renew(const struct settings *settings, void *values, size_t number, const char *value,
		    uint32_t line);

/* Parses "key=value" of an option -o; hint is printed for a word without "=". */
bool settings_set_pair(const struct settings *settings, void *values, const char *pair,
		       const char *hint);

/* The value as text for settings_set(), "" if there is none; in buf, or in values itself. */
const char *settings_value(const struct settings *settings, const void *values, size_t number,
			   char buf[static SETTINGS_TEXT_SIZE]);

/*
 * Reports an error of a value that was accepted before: format continues after its origin, which is
 * "FILE:LINE: key", or the option. Returns false.
 */
__attribute__((format(printf, 4, 5))) bool settings_bad(const struct settings *settings,
							const void *values, const char *key,
							const char *format, ...);

/* Prints a line about each setting. */
void settings_print(const struct settings *settings);

/* --- configfile.c: "key = value", and sections "name { ... }" of keys that begin with "name." --
 */

/* A longer file is rejected. */
#define CONFIGFILE_MAX 65536

/*
 * Reads the file into values, to be freed with settings_free(); path must stay valid as well. A
 * missing file is no error, unless it is required. False, with nothing to free, after logging a
 * line "FILE:LINE: ..." for each error.
 */
bool configfile_read(const struct settings *settings, void *values, const char *path,
		     bool required);

/* The same from memory; path is only for messages. */
bool configfile_parse(const struct settings *settings, void *values, const char *path,
		      const char *text);

#endif
