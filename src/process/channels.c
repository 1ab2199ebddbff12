/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/channels.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

/* Milliseconds to flush the last messages to a guard. */
enum { CHANNELS_FLUSH_MS = 1000 };

void channels_init(struct channels *channels)
{
	memset(channels->ends, -1, sizeof(channels->ends));
}

static bool channels_pair(int *one, int *other)
{
	int pair[2];

	if (ipc_pair(pair)) {
		log_warn("cannot make a socket pair");
		return false;
	}
	*one = pair[0];
	*other = pair[1];
	return true;
}

bool channels_open_one(struct channels *channels, size_t place)
{
	const struct process *process = &channels->program->processes[place];
	const struct process_rows *rows = process->rows;
	int fd;

	if (!channels_pair(&fd, &channels->ends[place][place]))
		return false;
	channels->root[place] = ipc_new(channels->base, fd, process->name, rows ? rows->list : NULL,
					rows ? rows->count : 0, channels->closed, channels->arg);
	if (!channels->root[place]) {
		log_warnx("out of memory");
		close(fd);
		return false;
	}
	ipc_set_handlers_arg(channels->root[place], channels->handlers_arg);
	if (process->batched)
		ipc_batch(channels->root[place]);
	return true;
}

bool channels_open(struct channels *channels, struct event_base *base)
{
	const struct program *program = channels->program;

	channels->base = base;
	for (size_t i = 0; i < program->n_processes; i++) {
		for (size_t j = 0; j < i; j++) {
			if (process_linked(program, i, j) &&
			    !channels_pair(&channels->ends[i][j], &channels->ends[j][i]))
				return false;
		}
	}
	for (size_t i = 0; i < program->n_processes; i++) {
		if (process_wanted(program, i) && program->processes[i].kind != PROCESS_GUARD &&
		    !channels_open_one(channels, i))
			return false;
	}
	return true;
}

size_t channels_take(struct channels *channels, size_t place, int fds[static PROCESS_MAX])
{
	size_t count = 0;

	fds[count++] = channels->ends[place][place];
	channels->ends[place][place] = -1;
	for (size_t i = 0; i < PROCESS_MAX; i++) {
		if (channels->ends[place][i] != -1)
			fds[count++] = channels->ends[place][i];
		channels->ends[place][i] = -1;
	}
	return count;
}

void channels_close(struct channels *channels)
{
	const struct program *program = channels->program;

	for (size_t i = 0; i < program->n_processes; i++) {
		if (program->processes[i].kind != PROCESS_GUARD)
			ipc_free(&channels->root[i]);
	}
	for (size_t i = 0; i < program->n_processes; i++) {
		if (channels->root[i])
			ipc_flush(channels->root[i], CHANNELS_FLUSH_MS);
		ipc_free(&channels->root[i]);
		for (size_t j = 0; j < program->n_processes; j++) {
			if (channels->ends[i][j] != -1)
				close(channels->ends[i][j]);
			channels->ends[i][j] = -1;
		}
	}
}
