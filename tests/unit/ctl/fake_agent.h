/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* An agent's control socket that answers one client with a fixed text. */
#ifndef MRD_TESTS_FAKE_AGENT_H
#define MRD_TESTS_FAKE_AGENT_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fake_agent {
	char folder[32];
	char path[64];
	const char *answer; /* NULL: reads the request and says nothing until it is stopped */
	size_t chunk;	    /* bytes a write; 0: all at once */
	char request[128];
	int fd;
	pthread_t thread;
};

static inline void *fake_agent_serve(void *self)
{
	struct fake_agent *agent = self;
	int client = accept(agent->fd, NULL, NULL);
	size_t len = 0;

	if (client < 0)
		return NULL;
	while (len + 1 < sizeof(agent->request) && !memchr(agent->request, '\n', len)) {
		const ssize_t got =
			read(client, agent->request + len, sizeof(agent->request) - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	if (!agent->answer) {
		char end;

		(void)!read(client, &end, 1); /* until the client gives up */
	}
	for (const char *at = agent->answer; at && *at;) {
		const size_t left = strlen(at);
		const ssize_t sent =
			send(client, at, agent->chunk && agent->chunk < left ? agent->chunk : left,
			     MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		at += sent;
	}
	close(client);
	return NULL;
}

static inline void fake_agent_start(struct fake_agent *agent, const char *answer)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	strcpy(agent->folder, "/tmp/mrd-agent-XXXXXX");
	assert_non_null(mkdtemp(agent->folder));
	snprintf(agent->path, sizeof(agent->path), "%s/control.sock", agent->folder);
	strcpy(addr.sun_path, agent->path);
	agent->answer = answer;
	agent->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(agent->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(agent->fd, 1), 0);
	assert_int_equal(pthread_create(&agent->thread, NULL, fake_agent_serve, agent), 0);
}

static inline void fake_agent_stop(struct fake_agent *agent)
{
	pthread_join(agent->thread, NULL);
	close(agent->fd);
	unlink(agent->path);
	rmdir(agent->folder);
}

#endif
