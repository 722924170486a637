/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Any bytes as the events of a replay: each line is an event, in order of time, or a finding at its
 * place, which is one line whatever stands in it. */
#include "ctl/replay_events.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* The endpoints that the seeds speak of. */
static void make_arguments(struct mrd_replay_arguments *arguments)
{
	char *argv[] = {(char *)"replay",
			(char *)"--host",
			(char *)"web",
			(char *)"--endpoints",
			(char *)"10.0.0.1:80,10.0.0.2:80,[fd00::1]:80",
			(char *)"-"};

	require(!mrd_replay_arguments_read(sizeof(argv) / sizeof(*argv), argv, stderr, arguments));
	require(!mrd_replay_arguments_read_host(arguments, "cluster.local", stderr));
}

static void check_events(const struct mrd_replay_arguments *arguments,
			 const struct mrd_replay_events *events)
{
	for (size_t i = 0; i < events->count; i++) {
		const struct mrd_replay_event *event = &events->events[i];

		require(!i || event[-1].t_ms <= event->t_ms);
		require(event->endpoint < arguments->endpoint_count);
		require(!event->code || (event->code >= 100 && event->code <= 599));
	}
}

static void check_findings(const struct mrd_diag *diag, unsigned int lines)
{
	for (size_t i = 0; i < diag->count; i++) {
		char *text = mrd_finding_text(&diag->findings[i]);

		require(text && !strpbrk(text, "\n\x1b"));
		require(diag->findings[i].line && diag->findings[i].line <= lines);
		require(diag->findings[i].column);
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mrd_replay_arguments arguments;
	struct mrd_replay_events events = {0};
	struct mrd_diag diag = {0};
	unsigned int lines = 1;
	const int fd = memfd_create("events", MFD_CLOEXEC);
	char path[64];

	if (!arguments.endpoint_count)
		make_arguments(&arguments);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	arguments.events = path;
	require(!mrd_replay_events_read(&arguments, &diag, &events));
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	require(events.count <= lines);
	check_events(&arguments, &events);
	check_findings(&diag, lines);
	mrd_replay_events_free(&events);
	mrd_diag_free(&diag);
	close(fd);
	return 0;
}
