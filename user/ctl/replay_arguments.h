/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The command line of replay. */
#ifndef MRD_CTL_REPLAY_ARGUMENTS_H
#define MRD_CTL_REPLAY_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/ip.h"
#include "base/table.h"
#include "ctl/arguments.h"

/* IP:PORT[+IP:PORT][@R[/Z[/S]]][=CLUSTER]; of two addresses the IPv4 one is the first. */
struct mrd_replay_endpoint {
	struct mrd_ip ip;
	uint16_t port;
	struct mrd_ip twin_ip; /* of the same pod, by the other family; MRD_IP_NONE: it has one */
	uint16_t twin_port;
	struct mrd_start at;
	size_t cluster; /* among the arguments' */
};

struct mrd_replay_arguments {
	const char **policy; /* of the command line, as is the rest that is not owned */
	size_t policy_count;
	const char *config; /* the agent's, or NULL */
	const char *host;   /* as it is written */
	char *service;	    /* what it says, with the next two */
	char *namespace_;
	uint16_t port; /* the host's, or else the first endpoint's */
	struct mrd_replay_endpoint *endpoints;
	size_t endpoint_count;
	char **clusters; /* names; the first is home, and has none ("") unless it is given one */
	size_t cluster_count;
	struct mrd_table *numbers; /* "10.0.0.5:9080", also a twin's → its endpoint's index + 1 */
	struct mrd_start from;
	bool is_http;
	bool has_until;
	uint64_t until_ms;
	uint64_t seed;
	const char *events; /* a path, or "-" */
	bool json;
	bool help;
};

/* The options behind the verb, argv[0], but for what --host says. Returns MRD_EXIT_GOOD, or the
 * status to exit with after what is wrong was said on err. */
int mrd_replay_arguments_read(int argc, char **argv, FILE *err,
			      struct mrd_replay_arguments *ret_arguments);
/* The rest; likewise. domain: the one in which Services have their names. */
int mrd_replay_arguments_read_host(struct mrd_replay_arguments *arguments, const char *domain,
				   FILE *err);
/* The home cluster has a name after all, and so has endpoints that name it. -ENOMEM. */
int mrd_replay_arguments_name_home(struct mrd_replay_arguments *arguments, const char *name);
void mrd_replay_arguments_free(struct mrd_replay_arguments *arguments); /* frees what is in it */
#define MRD_AUTO_REPLAY_ARGUMENTS __attribute__((cleanup(mrd_replay_arguments_free)))

/* The index of the endpoint, or -ENOENT. */
int mrd_replay_find_endpoint(const struct mrd_replay_arguments *arguments, const struct mrd_ip *ip,
			     uint16_t port, size_t *ret_index);

#endif
