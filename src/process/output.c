/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/output.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/rate.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longest part of a line that is logged, longest incomplete line, and octets read at once. */
enum { OUTPUT_LINE_MAX = 1000, OUTPUT_WAIT_MAX = 4096, OUTPUT_READ = 32768 };

/*
 * Readings per second up to which each line is read at once, so that lines of several processes
 * stay in order. Beyond that, a pause in microseconds after each reading saves wake-ups.
 */
enum { OUTPUT_READINGS_MAX = 1000, OUTPUT_REST_US = 2000 };

/* Size of the pipe: octets that a child can write until it is read again. */
enum { OUTPUT_PIPE = 256 * 1024 };

struct output {
	char *name;
	bool process;
	bool let_go;
	int fd;
	struct event *readable; /* one of these two is pending until the end */
	struct event *rest;
	struct evbuffer *input;
	struct rate readings;
};

/* Output of the C library or a sanitizer, for example, is not a record. */
static void output_process_line(const struct output *output, const char *line, size_t len)
{
	struct log_record record;

	if (!log_record_unpack(&record, line, len))
		log_record_begin(&record, LOG_WARNING, LOG_EVENT_NONE, "%.*s",
				 len < OUTPUT_LINE_MAX ? (int)len : OUTPUT_LINE_MAX, line);
	log_of_process(output->name, &record);
}

static void output_line(const struct output *output, const char *line, size_t len)
{
	char shown[OUTPUT_LINE_MAX];

	if (output->process)
		output_process_line(output, line, len);
	else
		log_info("%s: %s", output->name, log_escape(line, len, shown, sizeof(shown)));
}

static void output_lines(const struct output *output)
{
	char *line;
	size_t len;

	while ((line = evbuffer_readln(output->input, &len, EVBUFFER_EOL_LF))) {
		output_line(output, line, len);
		free(line);
	}
	/* The beginning of an overlong line is enough. */
	if (evbuffer_get_length(output->input) >= OUTPUT_WAIT_MAX) {
		char begin[OUTPUT_LINE_MAX + 1];
		int n = evbuffer_remove(output->input, begin, OUTPUT_LINE_MAX);

		begin[n > 0 ? n : 0] = '\0';
		output_line(output, begin, strlen(begin));
		(void)evbuffer_drain(output->input, evbuffer_get_length(output->input));
	}
}

/* False at end of file. */
static bool output_read(const struct output *output)
{
	int n = evbuffer_read(output->input, output->fd, OUTPUT_READ);

	if (n > 0)
		output_lines(output);
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR));
}

static void output_on_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval rest = {.tv_usec = OUTPUT_REST_US};
	struct output *output = arg;

	(void)fd;
	(void)what;
	if (output_read(output)) {
		if (!rate_take(&output->readings, (uint64_t)clock_ms())) {
			(void)event_del(output->readable);
			loop_add(output->rest, &rest);
		}
		return;
	}
	(void)event_del(output->readable);
	output_drain(output);
	if (output->let_go)
		output_free(output);
}

static void output_on_rested(evutil_socket_t fd, short what, void *arg)
{
	const struct output *output = arg;

	(void)fd;
	(void)what;
	loop_add(output->readable, NULL);
}

struct output *output_new(struct event_base *base, const char *name, bool process, int *writer)
{
	struct output *output = calloc(1, sizeof(*output));
	int fds[2] = {-1, -1};

	*writer = -1;
	if (!output)
		return NULL;
	output->process = process;
	output->fd = -1;
	rate_init(&output->readings, OUTPUT_READINGS_MAX, (uint64_t)clock_ms());
	if (pipe2(fds, O_CLOEXEC) == -1)
		goto failed;
	output->fd = fds[0];
	output->name = strdup(name);
	output->input = evbuffer_new();
	output->readable =
		event_new(base, fds[0], EV_READ | EV_PERSIST, output_on_readable, output);
	output->rest = evtimer_new(base, output_on_rested, output);
	/* Without the privilege for it, it has the usual size. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, OUTPUT_PIPE);
	if (!output->name || !output->input || !output->readable || !output->rest ||
	    evutil_make_socket_nonblocking(fds[0]) == -1 || event_add(output->readable, NULL) == -1)
		goto failed;
	*writer = fds[1];
	return output;
failed:
	if (fds[1] != -1)
		close(fds[1]);
	output_free(output);
	return NULL;
}

void output_drain(struct output *output)
{
	/* Bounded: the writer may continue. */
	for (int i = 0; i < 64; i++) {
		int n = evbuffer_read(output->input, output->fd, OUTPUT_READ);

		if (n == 0) {
			(void)event_del(output->readable);
			(void)event_del(output->rest);
		}
		if (n <= 0)
			break;
		output_lines(output);
	}
	if (evbuffer_get_length(output->input) > 0 && evbuffer_add(output->input, "\n", 1) == 0)
		output_lines(output);
}

void output_free(struct output *output)
{
	if (!output)
		return;
	if (output->readable)
		event_free(output->readable);
	if (output->rest)
		event_free(output->rest);
	if (output->input)
		evbuffer_free(output->input);
	if (output->fd != -1)
		close(output->fd);
	free(output->name);
	free(output);
}

void output_let_go(struct output *output)
{
	output->let_go = true;
	/* All writers may have closed it before. */
	if (!event_pending(output->readable, EV_READ, NULL) &&
	    !event_pending(output->rest, EV_TIMEOUT, NULL))
		output_free(output);
}
