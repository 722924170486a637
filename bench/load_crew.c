/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "bench/load_crew.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct share {
	double rate;
	size_t requests;
};

static struct {
	pthread_barrier_t meeting;
	struct share shares[LOAD_CREW_MAX];
} * common; /* NULL: alone */
static size_t crew_count, own;

/* It has said why. */
static void on_child(int signal)
{
	(void)signal;
	_exit(1);
}

static int begin_common(size_t count)
{
	pthread_barrierattr_t shared;
	int error;

	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (common == MAP_FAILED)
		return -1;
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	error = pthread_barrier_init(&common->meeting, &shared, (unsigned int)count);
	pthread_barrierattr_destroy(&shared);
	errno = error;
	return error ? -1 : 0;
}

int load_crew_begin(size_t count)
{
	const struct sigaction die = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
	const pid_t first = getpid();

	crew_count = count;
	if (count < 2)
		return 0;
	if (begin_common(count) < 0 || sigaction(SIGCHLD, &die, NULL) < 0)
		return -1;
	for (size_t i = 1; i < count; i++) {
		const pid_t pid = fork();

		if (pid < 0)
			return -1;
		if (pid > 0)
			continue;
		signal(SIGCHLD, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != first)
			_exit(1);
		own = i;
		return (int)own;
	}
	return 0;
}

void load_crew_meet(void)
{
	if (common)
		pthread_barrier_wait(&common->meeting);
}

bool load_crew_add_up(double *rate, size_t *requests)
{
	if (!common)
		return true;
	common->shares[own] = (struct share){.rate = *rate, .requests = *requests};
	load_crew_meet();
	*rate = 0;
	*requests = 0;
	for (size_t i = 0; i < crew_count; i++) {
		*rate += common->shares[i].rate;
		*requests += common->shares[i].requests;
	}
	return !own;
}

bool load_crew_end(void)
{
	bool good = true;
	int status;

	if (!own)
		signal(SIGCHLD, SIG_DFL);
	load_crew_meet();
	if (own)
		exit(0);
	for (size_t i = 1; i < crew_count; i++)
		if (wait(&status) < 0 || status)
			good = false;
	return good;
}
