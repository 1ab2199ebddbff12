/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target on files instead of made-up inputs, so that what was found once stays found
 * without clang. Each argument is a file, or a folder of them. Every beginning of a file is run as
 * well: where an input is cut short is where a parser is most easily wrong.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	REPLAY_MAX = 1 << 16,
	REPLAY_CUTS = 512, /* of a long file not every beginning */
};

static unsigned int replay_runs;

static void replay_bytes(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);

	fuzz_one(copy, size);
	free(copy);
	replay_runs++;
}

static bool replay_file(const char *path)
{
	static uint8_t data[REPLAY_MAX];
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file) {
		perror(path);
		return false;
	}
	size = fread(data, 1, sizeof(data), file);
	if (ferror(file) || size == sizeof(data)) {
		(void)fprintf(stderr, "%s: cannot be read, or is too large\n", path);
		(void)fclose(file);
		return false;
	}
	(void)fclose(file);
	/* The last line that is seen when it fails. */
	(void)fprintf(stderr, "%s\n", path);
	replay_bytes(data, size);
	for (size_t cut = 0; cut < size; cut += size / REPLAY_CUTS + 1)
		replay_bytes(data, cut);
	return true;
}

static bool replay_folder(const char *path)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, alphasort);
	bool ok = count >= 0;

	if (!ok)
		perror(path);
	for (int i = 0; i < count; i++) {
		char name[4096];

		(void)snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (ok && entries[i]->d_name[0] != '.')
			ok = replay_file(name);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = true;

	fuzz_replays = true;
	for (int i = 1; ok && i < argc; i++) {
		struct stat status;

		/* Not every target has regressions. */
		if (stat(argv[i], &status) == -1)
			continue;
		ok = S_ISDIR(status.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
	}
	if (ok && replay_runs == 0) {
		(void)fprintf(stderr, "%s: nothing to run\n", argv[0]);
		ok = false;
	}
	return ok ? 0 : 1;
}
