/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The blocks of Istio's documents. Each reader fills what it is given, which its caller frees. */
#ifndef MRD_POLICY_READ_H
#define MRD_POLICY_READ_H

#include "policy/field.h"
#include "policy/rules.h"

/* localityLbSetting, zoneAwareLbSetting → struct mrd_locality_setting * */
void mrd_read_locality(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *setting_at);
void mrd_read_zone_aware(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const void *unused, void *setting_at);
/* A setting where no outlierDetection is given: warnings at its lists that ask for failover. Istio
 * would silently do nothing with them, which is what its users complain about most. */
void mrd_read_unwatched(struct mrd_reader *reader, const struct mrd_doc_node *setting);
/* outlierDetection → struct mrd_outlier_block */
void mrd_read_outlier(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *block);
/* connectionPool → struct mrd_pool_block */
void mrd_read_pool(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *block);
/* loadBalancer → struct mrd_lb_block */
void mrd_read_lb(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		 void *block);
/* Why a setting changes nothing beside loadBalancer.simple PASSTHROUGH. */
extern const char mrd_left_alone[];
/* trafficPolicy → struct mrd_traffic */
void mrd_read_traffic(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *traffic);

/* ------------------------------------------------------------------------------- metadata */

/* Where an annotation stands. file is NULL for one that was not given. */
struct mrd_note {
	const char *file;
	const struct mrd_doc_node *value;
	bool own; /* of this document, not inherited from the mesh's */
};

/* What the annotations say for a document: its own over the mesh's. */
struct mrd_notes {
	struct mrd_ours ours;
	struct mrd_note at[MRD_OUR_COUNT];
	const struct mrd_step *root; /* the way to the document */
};

bool mrd_is_ours(const char *annotation);

/* A document's metadata; annotations of ours go into notes, which may hold the mesh's already. */
struct mrd_meta_draft {
	struct mrd_text name;
	struct mrd_text namespace_;
	struct mrd_notes *notes;
};
void mrd_read_metadata(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       struct mrd_meta_draft *draft);

/* Findings at an annotation, wherever it stands. */
void mrd_note_error(struct mrd_reader *reader, enum mrd_our_key key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void mrd_note_warning(struct mrd_reader *reader, enum mrd_our_key key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Envoy refuses a longest ejection below the base; place is where the base comes from, NULL for
 * that of failed handshakes. */
void mrd_check_max_ejection(struct mrd_reader *reader, uint64_t base_ms, const char *place);

/* Those of a rule's own, or of the mesh's for all rules, beside what is said: warnings about what
 * changes nothing there. is_sound: no error was found in the rule, or in any document. */
void mrd_check_rule_notes(struct mrd_reader *reader, const struct mrd_traffic *traffic,
			  const struct mrd_rule_subset *subsets, size_t subset_count,
			  bool is_sound);
void mrd_check_mesh_notes(struct mrd_reader *reader, const struct mrd_policy *policy,
			  bool is_sound);

/* ------------------------------------------------------------------------------- documents */

/* subsets → an array of them, whose members and itself the caller frees */
void mrd_read_subsets(struct mrd_reader *reader, const struct mrd_doc_node *list,
		      struct mrd_rule_subset **ret_subsets, size_t *ret_count);

/* A whole DestinationRule → one more rule of the policy, whose mesh must be read before. */
void mrd_read_rule(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_policy *policy);

/* The mesh's serviceSettings, a list or NULL. */
void mrd_read_services(struct mrd_reader *reader, const struct mrd_doc_node *list,
		       struct mrd_policy *policy);
/* A mesh-wide document: first the annotations of all of them, then the rest of each. */
void mrd_read_mesh_notes(struct mrd_reader *reader, const struct mrd_doc_node *root,
			 struct mrd_notes *notes);
/* seen: by key, what earlier documents set. */
void mrd_read_mesh(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_table *seen, struct mrd_policy *policy);
/* After all rules: what is wrong with these documents only beside them. */
void mrd_read_mesh_end(struct mrd_reader *reader, const struct mrd_table *seen,
		       const struct mrd_policy *policy);

/* Two blocks of one map that exclude each other: an error at the second, which names both. */
void mrd_read_exclusive(struct mrd_reader *reader, const struct mrd_doc_node *map, const char *a,
			const char *b, const char *remedy);

#endif
