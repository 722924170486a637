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

static struct {
	pthread_barrier_t meeting;
	struct load_sum shares[LOAD_CREW_MAX];
} * common; /* NULL: alone */
static size_t crew_count, own;

/* One that fails has said why. All is well with those that end behind the last meeting. */
static void on_child(int signal)
{
	static const char killed[] = "load: a worker was killed by a signal\n";
	int status;

	(void)signal;
	while (waitpid(-1, &status, WNOHANG) > 0) {
		if (WIFSIGNALED(status))
			(void)!write(STDERR_FILENO, killed, sizeof(killed) - 1);
		if (status)
			_exit(1);
	}
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

bool load_crew_add_up(struct load_sum *sum)
{
	if (!common)
		return true;
	common->shares[own] = *sum;
	load_crew_meet();
	*sum = (struct load_sum){0};
	for (size_t i = 0; i < crew_count; i++) {
		const struct load_sum *share = &common->shares[i];

		sum->requests += share->requests;
		sum->good += share->good;
		if (share->took_ns > sum->took_ns)
			sum->took_ns = share->took_ns;
	}
	return !own;
}

bool load_crew_end(void)
{
	bool good = true;
	int status;

	load_crew_meet();
	if (own)
		exit(0);
	signal(SIGCHLD, SIG_DFL);
	while (wait(&status) > 0)
		good &= !status;
	return good;
}
