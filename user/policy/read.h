/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The blocks of Istio's documents. A NULL target: the block is checked and has no effect. */
#ifndef MRD_POLICY_READ_H
#define MRD_POLICY_READ_H

#include "policy/field.h"
#include "policy/rules.h"

/* localityLbSetting → struct mrd_locality_setting * */
void mrd_read_locality(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *setting_at);
/* zoneAwareLbSetting: never honoured */
void mrd_read_zone_aware(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const void *unused, void *draft);
/* outlierDetection → struct mrd_outlier_block */
void mrd_read_outlier(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *block);
/* connectionPool: never honoured */
void mrd_read_pool(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *draft);
/* trafficPolicy → struct mrd_traffic, which may hold what is inherited */
void mrd_read_traffic(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *traffic);

/* metadata */
struct mrd_meta_draft {
	struct mrd_text name;
	struct mrd_text namespace_;
	struct mrd_ours ours;
};
void mrd_read_metadata(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *meta_draft);

/* A whole DestinationRule → one more rule of the policy, whose mesh must be read before. */
void mrd_read_rule(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_policy *policy);

/* A mesh-wide document. seen: by key, what earlier documents set. */
void mrd_read_mesh(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_table *seen, struct mrd_policy *policy);

/* Two blocks of one map that exclude each other: an error at the second, which names both. */
void mrd_read_exclusive(struct mrd_reader *reader, const struct mrd_doc_node *map, const char *a,
			const char *b);

#endif
