/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A configuration while it is read, shared by config.c (keys) and config_check.c (what concerns
 * several keys, and defaults). */
#ifndef MRD_CONFIG_CONFIG_READING_H
#define MRD_CONFIG_CONFIG_READING_H

#include "config/config.h"
#include "config/keys.h"

/* One block of addresses with its place, to be compared with all others. */
struct mrd_config_block {
	struct mrd_cidr cidr;
	size_t cluster;
	bool is_service;
	const struct mrd_doc_node *node;
	char *path;
};

/* What is known only while reading. */
struct mrd_config_reading {
	struct mrd_key_reader reader; /* first: readers of fields get a pointer to it */
	struct mrd_agent_config *config;
	struct mrd_config_block *blocks;
	size_t block_count;
	size_t cluster; /* whose keys are being read */
};

/* clusters: the list's node; NULL is fine as long as no cluster was read. */
void mrd_config_check_home(struct mrd_config_reading *reading, const struct mrd_doc_node *clusters);
void mrd_config_check_overlaps(struct mrd_config_reading *reading);

#endif
