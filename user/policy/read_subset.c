/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* subsets: checked and kept for printing. They act through a VirtualService, and none is applied.
 */
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/label.h"

struct subset_draft {
	struct mrd_text name;
	const struct mrd_doc_node *labels;
	struct mrd_traffic traffic;
};

static void read_labels(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const void *unused, void *labels_at)
{
	mrd_read_labels(reader, node, unused, NULL);
	if (node->kind == MRD_DOC_MAP)
		*(const struct mrd_doc_node **)labels_at = node;
}

static const struct mrd_field subset_fields[] = {
	{
		.name = "name",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_text,
		.offset = offsetof(struct subset_draft, name),
	},
	{
		.name = "labels",
		.read = read_labels,
		.offset = offsetof(struct subset_draft, labels),
	},
	{
		.name = "trafficPolicy",
		.read = mrd_read_traffic,
		.offset = offsetof(struct subset_draft, traffic),
	},
};
static const struct mrd_block subset_block = MRD_BLOCK(subset_fields);

static void check_name(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const char *first_place)
{
	const struct mrd_step step = {.up = reader->at, .name = "name"};

	reader->at = &step;
	if (!*node->text)
		mrd_read_error(reader, node, "must not be empty");
	else if (!mrd_label_is_dns(node->text, strlen(node->text)))
		mrd_read_error(reader, node,
			       "\"%s\" is no DNS label: small letters, digits and \"-\" inside",
			       node->text);
	if (*node->text && first_place)
		mrd_read_error(reader, node, "\"%s\" is there twice, first at %s", node->text,
			       first_place);
	reader->at = step.up;
}

static void keep_labels(struct mrd_reader *reader, const struct mrd_doc_node *map,
			struct mrd_rule_subset *subset)
{
	if (!map || !map->count)
		return;
	subset->labels = calloc(map->count, sizeof(*subset->labels));
	if (!subset->labels) {
		reader->no_memory = true;
		return;
	}
	subset->label_count = map->count;
	for (size_t i = 0; i < map->count; i++) {
		subset->labels[i].key = strdup(map->keys[i]->text);
		subset->labels[i].value = strdup(map->items[i]->text);
		if (!subset->labels[i].key || !subset->labels[i].value)
			reader->no_memory = true;
	}
}

static void read_subset(struct mrd_reader *reader, const struct mrd_doc_node *node,
			struct mrd_table *seen, struct mrd_rule_subset *subset)
{
	struct subset_draft draft = {0};
	const char *first;

	mrd_read_block(reader, node, &subset_block, &draft);
	subset->traffic = draft.traffic;
	keep_labels(reader, draft.labels, subset);
	subset->name = strdup(draft.name.node ? draft.name.text : "");
	subset->place = mrd_read_place(reader, draft.name.node ? draft.name.node : node);
	if (!subset->name || !subset->place) {
		reader->no_memory = true;
		return;
	}
	first = mrd_read_first(reader, seen, subset->name, subset->place);
	if (draft.name.node)
		check_name(reader, draft.name.node, first);
}

void mrd_read_subsets(struct mrd_reader *reader, const struct mrd_doc_node *list,
		      struct mrd_rule_subset **ret_subsets, size_t *ret_count)
{
	MRD_AUTO_TABLE struct mrd_table *seen = NULL;
	struct mrd_rule_subset *subsets;

	if (!list || !list->count)
		return;
	seen = mrd_table_new(NULL);
	subsets = calloc(list->count, sizeof(*subsets));
	if (!subsets) {
		reader->no_memory = true;
		return;
	}
	/* One note for all of them: what is inside is checked, but not named. */
	reader->muted++;
	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step step = {.up = reader->at, .index = i};

		reader->at = &step;
		read_subset(reader, list->items[i], seen, &subsets[i]);
		reader->at = step.up;
	}
	reader->muted--;
	*ret_subsets = subsets;
	*ret_count = list->count;
}
