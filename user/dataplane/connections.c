/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A row of mrd_connection names a socket by its cookie and a network namespace by its own. A
 * namespace is found in /run/netns, where container runtimes keep those of pods, or through the
 * processes in it, each looked at once; none is kept open, for that would keep a deleted pod's
 * network alive. The thread enters it, ends the sockets, and comes back.
 */
#include "dataplane/connections.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dataplane/flow_delete.h"
#include "dataplane/map_io.h"
#include "dataplane/sock_diag.h"
#include "maps/abi.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

struct target {
	struct mrd_connection_key key;
	struct mrd_connection row;
	bool is_connecting; /* it may be rescued yet, and its row goes along */
};

struct resetting {
	const uint32_t *endpoint_ids;
	size_t endpoint_count;
	struct target *targets; /* by namespace and socket, once they are collected */
	size_t count;
	size_t most;
	struct mrd_flow_key *flows;
	size_t flow_count;
	uint64_t netns_cookie; /* of the namespace that the thread is in */
	enum mrd_protocol protocol;
	struct mrd_reset *reset;
};

/* ------------------------------------------------------------------------------- what to end */

static int compare_ids(const void *left, const void *right)
{
	const uint32_t a = *(const uint32_t *)left;
	const uint32_t b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static bool is_of_these(const struct resetting *resetting, uint32_t endpoint_id)
{
	return bsearch(&endpoint_id, resetting->endpoint_ids, resetting->endpoint_count,
		       sizeof(endpoint_id), compare_ids) != NULL;
}

static int collect_connection(void *self, const void *key, const void *value)
{
	struct resetting *resetting = self;
	struct target *target;

	if (!is_of_these(resetting, ((const struct mrd_connection_key *)key)->endpoint_id))
		return 0;
	if (resetting->count == resetting->most) {
		resetting->reset->more = true;
		return 0;
	}
	target = &resetting->targets[resetting->count++];
	memcpy(&target->key, key, sizeof(target->key));
	memcpy(&target->row, value, sizeof(target->row));
	target->is_connecting = false;
	return 0;
}

static int collect_flow(void *self, const void *key, const void *value)
{
	struct resetting *resetting = self;

	const struct mrd_flow *row = value;

	/* A forward row takes the other one along. Where nobody has answered it leads elsewhere
	 * soon. */
	if (row->way != MRD_FLOW_FORWARD || row->state == MRD_FLOW_CUT ||
	    row->state == MRD_FLOW_SYN_SENT || !is_of_these(resetting, row->endpoint_id))
		return 0;
	if (resetting->flow_count == resetting->most)
		resetting->reset->more = true;
	else
		memcpy(&resetting->flows[resetting->flow_count++], key,
		       sizeof(struct mrd_flow_key));
	return 0;
}

static int compare_targets(const void *left, const void *right)
{
	const struct target *a = left;
	const struct target *b = right;

	if (a->row.netns_cookie != b->row.netns_cookie)
		return a->row.netns_cookie < b->row.netns_cookie ? -1 : 1;
	return (a->key.socket_cookie > b->key.socket_cookie) -
	       (a->key.socket_cookie < b->key.socket_cookie);
}

static struct target *find_target(const struct resetting *resetting, uint64_t socket_cookie)
{
	const struct target wanted = {.key.socket_cookie = socket_cookie,
				      .row.netns_cookie = resetting->netns_cookie};

	return bsearch(&wanted, resetting->targets, resetting->count, sizeof(wanted),
		       compare_targets);
}

static bool is_wanted(void *self, uint64_t socket_cookie, bool is_connecting)
{
	const struct resetting *resetting = self;
	struct target *target = find_target(resetting, socket_cookie);

	if (!target || target->row.protocol != resetting->protocol)
		return false;
	target->is_connecting = is_connecting;
	return !is_connecting;
}

/* ------------------------------------------------------------------------------- namespaces */

static size_t count_targets(const struct resetting *resetting)
{
	size_t count = 0;

	for (size_t i = 0; i < resetting->count; i++)
		count += resetting->targets[i].row.netns_cookie == resetting->netns_cookie;
	return count;
}

static int read_cookie(uint64_t *ret_cookie)
{
	MRD_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret_cookie);

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &len) < 0)
		return errno == ENOPROTOOPT ? -EOPNOTSUPP : -errno;
	return 0;
}

static int end_here(struct resetting *resetting)
{
	int r = read_cookie(&resetting->netns_cookie);
	const size_t targets = r ? 0 : count_targets(resetting);

	if (!targets)
		return r;
	resetting->reset->unseen -= targets;
	resetting->protocol = MRD_PROTOCOL_TCP;
	r = mrd_sock_diag_end(IPPROTO_TCP, is_wanted, resetting, &resetting->reset->ended);
	resetting->protocol = MRD_PROTOCOL_UDP;
	return r ? r
		 : mrd_sock_diag_end(IPPROTO_UDP, is_wanted, resetting, &resetting->reset->ended);
}

/* Namespaces that were looked at, by inode. */
struct seen {
	ino_t *inodes;
	size_t count;
};

/* 1: it is new. */
static int see(struct seen *seen, ino_t inode)
{
	ino_t *more;

	for (size_t i = 0; i < seen->count; i++)
		if (seen->inodes[i] == inode)
			return 0;
	more = reallocarray(seen->inodes, seen->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	seen->inodes = more;
	more[seen->count++] = inode;
	return 1;
}

/* A process that ends meanwhile, or is not ours to look at, is passed over. */
static int end_at(struct resetting *resetting, const char *path, struct seen *seen)
{
	struct stat found;
	int r = stat(path, &found) < 0 ? 0 : see(seen, found.st_ino);
	MRD_AUTO_FD int fd = r == 1 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return r < 0 ? r : 0;
	if (setns(fd, CLONE_NEWNET) < 0)
		return errno == EPERM ? -EPERM : 0;
	return end_here(resetting);
}

static int end_in(struct resetting *resetting, const char *folder, const char *inside,
		  struct seen *seen)
{
	DIR *names = opendir(folder);
	const struct dirent *entry;
	int r = 0;

	while (!r && names && (entry = readdir(names))) {
		char path[PATH_MAX];

		if (*entry->d_name == '.' ||
		    (*inside && (*entry->d_name < '0' || *entry->d_name > '9')))
			continue;
		snprintf(path, sizeof(path), "%s/%s%s", folder, entry->d_name, inside);
		r = end_at(resetting, path, seen);
	}
	if (names)
		closedir(names);
	return r;
}

static int end_everywhere(struct resetting *resetting)
{
	MRD_AUTO_FD int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct seen seen = {0};
	int r;

	if (home < 0)
		return -errno;
	resetting->reset->unseen = resetting->count;
	r = end_in(resetting, "/run/netns", "", &seen);
	if (!r)
		r = end_in(resetting, "/proc", "/ns/net", &seen);
	free(seen.inodes);
	if (setns(home, CLONE_NEWNET) < 0 && !r)
		r = -errno;
	return r;
}

/* To enter one's own takes the same right. */
int mrd_connections_check(void)
{
	MRD_AUTO_FD int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	uint64_t cookie;

	if (home < 0 || setns(home, CLONE_NEWNET) < 0)
		return -errno;
	return read_cookie(&cookie);
}

/* ----------------------------------------------------------------------------------- the whole */

static int collect(struct resetting *resetting, int connection_fd, int flow_fd)
{
	struct mrd_map_io io;
	int r;

	resetting->targets = calloc(resetting->most, sizeof(*resetting->targets));
	resetting->flows = calloc(resetting->most, sizeof(*resetting->flows));
	if (!resetting->targets || !resetting->flows)
		return -ENOMEM;
	r = mrd_map_io_init(connection_fd, &io);
	r = r ? r : mrd_map_io_walk(&io, collect_connection, resetting);
	r = r ? r : mrd_map_io_init(flow_fd, &io);
	r = r ? r : mrd_map_io_walk(&io, collect_flow, resetting);
	if (!r && resetting->count)
		qsort(resetting->targets, resetting->count, sizeof(*resetting->targets),
		      compare_targets);
	return r;
}

static int forget(const struct resetting *resetting, int connection_fd)
{
	struct mrd_map_io io;
	int r = mrd_map_io_init(connection_fd, &io);

	for (size_t i = 0; !r && i < resetting->count; i++)
		if (!resetting->targets[i].is_connecting)
			r = mrd_map_io_del(&io, &resetting->targets[i].key);
	return r;
}

static int drop_flows(const struct resetting *resetting, int delete_fd)
{
	int r = 0;

	for (size_t i = 0; !r && i < resetting->flow_count; i++) {
		r = mrd_flow_reset(delete_fd, &resetting->flows[i]);
		resetting->reset->flows += !r;
		if (r != -EBUSY)
			continue;
		resetting->reset->more = true;
		r = 0;
	}
	return r;
}

int mrd_connections_reset(int connection_fd, int flow_fd, int delete_fd,
			  const uint32_t *endpoint_ids, size_t count, size_t most,
			  struct mrd_reset *ret_reset)
{
	struct resetting resetting = {
		.endpoint_ids = endpoint_ids,
		.endpoint_count = count,
		.most = most,
		.reset = ret_reset,
	};
	int r;

	*ret_reset = (struct mrd_reset){0};
	r = collect(&resetting, connection_fd, flow_fd);
	if (!r)
		r = drop_flows(&resetting, delete_fd);
	if (!r && resetting.count)
		r = end_everywhere(&resetting);
	if (!r)
		r = forget(&resetting, connection_fd);
	free(resetting.targets);
	free(resetting.flows);
	return r;
}
