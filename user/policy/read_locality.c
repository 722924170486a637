/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * localityLbSetting and zoneAwareLbSetting: Istio's checks (pkg/config/validation/agent), without
 * its blind spots: every mistake is told, not the first, and a wildcard that could never match is a
 * mistake.
 */
#include "policy/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/label.h"
#include "base/name.h"
#include "policy/locality.h"
#include "policy/locality_set.h"

enum { WEIGHT_TOTAL = 100 };

struct setting_draft {
	struct mrd_flag enabled;
	const struct mrd_doc_node *distribute;
	const struct mrd_doc_node *failover;
	const struct mrd_doc_node *priority;
	struct mrd_number min_cluster_size;
};

/* Those that both settings have. */
#define SHARED_FIELDS                                                       \
	{                                                                   \
		.name = "enabled",                                          \
		.read = mrd_read_flag,                                      \
		.offset = offsetof(struct setting_draft, enabled),          \
	},                                                                  \
		{                                                           \
			.name = "failover",                                 \
			.read = mrd_read_list_node,                         \
			.offset = offsetof(struct setting_draft, failover), \
		},                                                          \
	{                                                                   \
		.name = "failoverPriority", .read = mrd_read_list_node,     \
		.offset = offsetof(struct setting_draft, priority),         \
	}

static const struct mrd_field setting_fields[] = {
	SHARED_FIELDS,
	{
		.name = "distribute",
		.read = mrd_read_list_node,
		.offset = offsetof(struct setting_draft, distribute),
	},
};
static const struct mrd_block setting_block = MRD_BLOCK(setting_fields);

struct distribute_draft {
	struct mrd_text from;
	const struct mrd_doc_node *to;
};

static const struct mrd_field distribute_fields[] = {
	{
		.name = "from",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_text,
		.offset = offsetof(struct distribute_draft, from),
	},
	{
		.name = "to",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_map_node,
		.offset = offsetof(struct distribute_draft, to),
	},
};
static const struct mrd_block distribute_block = MRD_BLOCK(distribute_fields);

struct failover_draft {
	struct mrd_text from;
	struct mrd_text to;
};

static const struct mrd_field failover_fields[] = {
	{
		.name = "from",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_text,
		.offset = offsetof(struct failover_draft, from),
	},
	{
		.name = "to",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_text,
		.offset = offsetof(struct failover_draft, to),
	},
};
static const struct mrd_block failover_block = MRD_BLOCK(failover_fields);

/* ------------------------------------------------------------------------------- distribute */

static bool has_more_levels(const char *text)
{
	size_t slashes = 0;

	for (; *text; text++)
		slashes += *text == '/';
	return slashes > 2;
}

/* Istio takes any text; but where nodes are is said by labels of theirs. */
static void check_place(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const char *name)
{
	const char *fault = mrd_name_fault_label(name);

	if (fault)
		mrd_read_warning(reader, node, "matches nothing: \"%s\" %s", name, fault);
}

static void parse_locality(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   struct mrd_locality_match *match)
{
	switch (mrd_locality_parse(node->text, match)) {
	case 0:
		check_place(reader, node, match->region);
		check_place(reader, node, match->zone);
		check_place(reader, node, match->subzone);
		if (has_more_levels(node->text))
			mrd_read_warning(reader, node,
					 "\"%s\": levels below the subzone are passed over",
					 node->text);
		return;
	case -EINVAL:
		mrd_read_error(reader, node, "\"%s\" has an empty segment", node->text);
		return;
	case -EDOM:
		mrd_read_error(reader, node, "\"%s\": a \"*\" stands at the end alone", node->text);
		return;
	default:
		reader->no_memory = true;
		return;
	}
}

/* The localities of one list that came before, with their nodes. */
struct locality_list {
	struct mrd_locality_set *set;
	const struct mrd_doc_node **nodes; /* of the first ones by index; borrowed */
};

static void check_overlap(struct mrd_reader *reader, struct locality_list *list, size_t index,
			  const struct mrd_locality_match *match)
{
	size_t earlier = 0;
	int r;

	if (!match->region) /* it is no locality, which is told already */
		return;
	r = mrd_locality_set_add(list->set, match, index, &earlier);
	if (r < 0) {
		reader->no_memory = true;
	} else if (r) {
		MRD_AUTO_FREE char *place = mrd_read_place(reader, list->nodes[earlier]);

		mrd_read_error(reader, list->nodes[index], "overlaps with \"%s\" at %s",
			       list->nodes[earlier]->text, place ? place : "?");
	}
}

static void set_cleanup(struct mrd_locality_set **set)
{
	mrd_locality_set_free(*set);
}

static void read_weight(struct mrd_reader *reader, const struct mrd_doc_node *map, size_t index,
			struct locality_list *list, struct mrd_distribute_to *to)
{
	static const struct mrd_number_limits limits = {.min = 1, .max = WEIGHT_TOTAL};
	const struct mrd_doc_node *key = map->keys[index];
	const struct mrd_step step = {.up = reader->at, .name = key->text};
	struct mrd_number weight = {0};

	reader->at = &step;
	parse_locality(reader, key, &to->to);
	check_overlap(reader, list, index, &to->to);
	mrd_read_number(reader, map->items[index], &limits, &weight);
	to->weight = weight.value;
	reader->at = step.up;
}

/* Of a bare "*", or as many as there are. */
static size_t find_rest(const struct mrd_doc_node *map)
{
	size_t at = 0;

	while (at < map->count && strcmp(map->keys[at]->text, "*") != 0)
		at++;
	return at;
}

/* A map has no order, and an API server sorts its keys: a bare "*" is for the rest wherever it
 * stands. */
static void read_weights(struct mrd_reader *reader, const struct mrd_doc_node *map,
			 struct mrd_distribute *rule)
{
	MRD_CLEANUP(set_cleanup) struct mrd_locality_set *set = mrd_locality_set_new();
	struct locality_list list = {.set = set, .nodes = (const struct mrd_doc_node **)map->keys};
	const struct mrd_step step = {.up = reader->at, .name = "to"};
	const size_t rest = find_rest(map);
	uint32_t total = 0;
	bool all_valid = !map->has_doubles;

	rule->to = calloc(map->count ? map->count : 1, sizeof(*rule->to));
	if (!rule->to || !set) {
		reader->no_memory = true;
		return;
	}
	rule->to_count = map->count;
	reader->at = &step;
	for (size_t i = 0; i < map->count; i++) {
		const size_t from = i < rest ? i : i + 1 < map->count ? i + 1 : rest;

		read_weight(reader, map, from, &list, &rule->to[i]);
		total += rule->to[i].weight;
		all_valid &= rule->to[i].weight != 0;
	}
	if (all_valid && total != WEIGHT_TOTAL)
		mrd_read_error(reader, map, "the weights add up to %u, not to %d", total,
			       WEIGHT_TOTAL);
	reader->at = step.up;
}

static void read_distribute(struct mrd_reader *reader, const struct mrd_doc_node *list,
			    size_t index, struct locality_list *froms, struct mrd_distribute *rule)
{
	const struct mrd_step item = {.up = reader->at, .index = index};
	const struct mrd_step from = {.up = &item, .name = "from"};
	struct distribute_draft draft = {0};

	reader->at = &item;
	mrd_read_block(reader, list->items[index], &distribute_block, &draft);
	froms->nodes[index] = draft.from.node;
	if (draft.from.node) {
		reader->at = &from;
		parse_locality(reader, draft.from.node, &rule->from);
		check_overlap(reader, froms, index, &rule->from);
		reader->at = &item;
	}
	if (draft.to)
		read_weights(reader, draft.to, rule);
	reader->at = item.up;
}

static void read_distributes(struct mrd_reader *reader, const struct mrd_doc_node *list,
			     struct mrd_locality_setting *setting)
{
	const struct mrd_step step = {.up = reader->at, .name = "distribute"};
	MRD_CLEANUP(set_cleanup) struct mrd_locality_set *set = NULL;
	MRD_AUTO_FREE const struct mrd_doc_node **nodes = NULL;
	struct locality_list froms;

	if (!list || !list->count)
		return;
	set = mrd_locality_set_new();
	nodes = calloc(list->count, sizeof(*nodes));
	froms = (struct locality_list){.set = set, .nodes = nodes};
	setting->distribute = calloc(list->count, sizeof(*setting->distribute));
	if (!set || !nodes || !setting->distribute) {
		reader->no_memory = true;
		return;
	}
	setting->distribute_count = list->count;
	reader->at = &step;
	for (size_t i = 0; i < list->count; i++)
		read_distribute(reader, list, i, &froms, &setting->distribute[i]);
	reader->at = step.up;
}

/* ------------------------------------------------------------------------------- failover */

static char *read_region(struct mrd_reader *reader, const struct mrd_text *text, const char *name)
{
	const struct mrd_step step = {.up = reader->at, .name = name};
	char *region;

	if (!text->node)
		return NULL;
	reader->at = &step;
	if (!*text->text)
		mrd_read_error(reader, text->node, "must name a region");
	else if (strchr(text->text, '/'))
		mrd_read_error(reader, text->node, "\"%s\" must be a region alone, without \"/\"",
			       text->text);
	else if (strchr(text->text, '*'))
		mrd_read_error(reader, text->node, "\"%s\" must be a region, without \"*\"",
			       text->text);
	else
		check_place(reader, text->node, text->text);
	reader->at = step.up;
	region = strdup(text->text);
	if (!region)
		reader->no_memory = true;
	return region;
}

static void read_failover(struct mrd_reader *reader, const struct mrd_doc_node *node,
			  struct mrd_table *seen, struct mrd_failover *pair)
{
	struct failover_draft draft = {0};
	const void *first = NULL;
	struct mrd_step step = {.up = reader->at, .name = "to"};

	mrd_read_block(reader, node, &failover_block, &draft);
	pair->from = read_region(reader, &draft.from, "from");
	pair->to = read_region(reader, &draft.to, "to");
	if (pair->from)
		first = mrd_read_first(reader, seen, pair->from, node);
	if (!pair->from || !pair->to)
		return;
	reader->at = &step;
	if (!strcmp(pair->from, pair->to))
		mrd_read_error(reader, draft.to.node, "from and to must be different regions");
	step.name = "from";
	if (first)
		mrd_read_warning(reader, draft.from.node,
				 "no effect: the first pair from \"%s\" decides", pair->from);
	reader->at = step.up;
}

static void read_failovers(struct mrd_reader *reader, const struct mrd_doc_node *list,
			   struct mrd_locality_setting *setting)
{
	const struct mrd_step step = {.up = reader->at, .name = "failover"};
	MRD_AUTO_TABLE struct mrd_table *seen = NULL;

	if (!list || !list->count)
		return;
	seen = mrd_table_new(NULL);
	setting->failover = calloc(list->count, sizeof(*setting->failover));
	if (!setting->failover) {
		reader->no_memory = true;
		return;
	}
	setting->failover_count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step item = {.up = &step, .index = i};

		reader->at = &item;
		read_failover(reader, list->items[i], seen, &setting->failover[i]);
	}
	reader->at = step.up;
}

/* ------------------------------------------------------------------------------- failoverPriority
 */

static bool is_topology(const char *key)
{
	return !strcmp(key, MRD_LABEL_REGION) || !strcmp(key, MRD_LABEL_ZONE) ||
	       !strcmp(key, MRD_LABEL_SUBZONE);
}

static const char none_is_asked[] = "what follows in the list is not asked";

/* The entries of one key. As Istio does it, each keeps its place, but the last value is that of
 * all. */
struct key_use {
	const struct mrd_doc_node *first;
	const struct mrd_doc_node *valued; /* the last with a value, or NULL */
};

static size_t key_length(const struct mrd_doc_node *node)
{
	return strcspn(node->text, "=");
}

/* Behind the one "=", or NULL; behind several of them there is none, as in Istio. */
static const char *value_of(const struct mrd_doc_node *node)
{
	const char *value = strchr(node->text, '=');

	return value && !strchr(value + 1, '=') ? value + 1 : NULL;
}

/* "key" or "key=value", as labels have them; Istio does not look. What cannot be there is "". */
static void check_words(struct mrd_reader *reader, const struct mrd_doc_node *node)
{
	const size_t len = key_length(node);
	const char *value = value_of(node);

	if (!mrd_label_is_key(node->text, len))
		mrd_read_warning(reader, node, "\"%.*s\" is no key of a label: %s", (int)len,
				 node->text, value && *value ? none_is_asked : "no effect");
	else if (node->text[len] && !value)
		mrd_read_warning(reader, node,
				 "more than one \"=\": taken as \"%.*s\", as in Istio", (int)len,
				 node->text);
	else if (value && !mrd_label_is_value(value, strlen(value)))
		mrd_read_warning(reader, node, "\"%s\" is no value of a label: %s", value,
				 none_is_asked);
}

/* A network at the head of the list is a preference, behind which it may be asked once more. */
static void check_use(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const struct key_use *use, bool heads_list)
{
	const int len = (int)key_length(node);

	if (node != use->first && !heads_list)
		mrd_read_warning(reader, node, "no effect: \"%.*s\" is there already", len,
				 node->text);
	else if (use->valued && strcmp(use->valued->text, node->text) != 0)
		mrd_read_warning(reader, node,
				 "taken as \"%s\": the last value of a key counts, as in Istio",
				 use->valued->text);
}

static void check_label(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const struct key_use *use, bool heads_list, bool has_failover)
{
	/* They order the tiers of a failover already; Istio refuses the bare keys too. */
	if (has_failover && is_topology(node->text)) {
		mrd_read_error(reader, node, "\"%s\" cannot stand beside failover", node->text);
		return;
	}
	if (node == use->first && !use->valued && !strchr(node->text, '=') &&
	    !mrd_label_is_of_place(node->text))
		mrd_read_warning(reader, node,
				 "this node's label is compared with those of the endpoints' Pods: "
				 "those of the client's pod and of the endpoints' Nodes are not "
				 "seen");
	check_words(reader, node);
	check_use(reader, node, use, heads_list);
}

/* What a list holds of each key; NULL at what is none. */
static void find_uses(struct mrd_reader *reader, const struct mrd_doc_node *list,
		      struct mrd_table *by_key, struct key_use *uses, struct key_use **of_item)
{
	const struct mrd_step *at = reader->at;

	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step item = {.up = at, .index = i};
		const struct mrd_doc_node *node = list->items[i];
		struct mrd_text text = {0};
		size_t len;

		reader->at = &item;
		mrd_read_text(reader, node, NULL, &text);
		len = text.node ? key_length(node) : 0;
		if (text.node && !len)
			mrd_read_error(reader, node, "must start with a label's key");
		if (!len)
			continue;
		of_item[i] = mrd_table_get(by_key, node->text, len);
		if (!of_item[i]) {
			of_item[i] = &uses[i];
			uses[i].first = node;
			if (mrd_table_put(by_key, node->text, len, &uses[i]) < 0)
				reader->no_memory = true;
		}
		if (value_of(node))
			of_item[i]->valued = node;
	}
	reader->at = at;
}

static void read_label(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const struct key_use *use, struct mrd_failover_label *label)
{
	label->key = strndup(node->text, key_length(node));
	if (use->valued)
		label->value = strdup(value_of(use->valued));
	if (!label->key || (use->valued && !label->value))
		reader->no_memory = true;
}

static void read_labels(struct mrd_reader *reader, const struct mrd_doc_node *list,
			struct mrd_locality_setting *setting)
{
	MRD_AUTO_TABLE struct mrd_table *by_key = mrd_table_new(NULL);
	MRD_AUTO_FREE struct key_use *uses = calloc(list->count, sizeof(*uses));
	MRD_AUTO_FREE struct key_use **of_item = calloc(list->count, sizeof(*of_item));
	const struct mrd_step *at = reader->at;
	const struct key_use *network;

	if (!by_key || !uses || !of_item) {
		reader->no_memory = true;
		return;
	}
	find_uses(reader, list, by_key, uses, of_item);
	network = mrd_table_get_str(by_key, MRD_LABEL_NETWORK);
	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step item = {.up = at, .index = i};

		if (!of_item[i])
			continue;
		reader->at = &item;
		check_label(reader, list->items[i], of_item[i],
			    of_item[i] == network && network == &uses[0],
			    setting->failover_count > 0);
		read_label(reader, list->items[i], of_item[i], &setting->priority[i]);
	}
	reader->at = at;
}

static void read_priority(struct mrd_reader *reader, const struct setting_draft *draft,
			  struct mrd_locality_setting *setting)
{
	const struct mrd_step step = {.up = reader->at, .name = "failoverPriority"};
	const struct mrd_doc_node *list = draft->priority;

	if (!list || !list->count)
		return;
	setting->priority = calloc(list->count, sizeof(*setting->priority));
	if (!setting->priority) {
		reader->no_memory = true;
		return;
	}
	setting->priority_count = list->count;
	reader->at = &step;
	read_labels(reader, list, setting);
	if (setting->enabled && setting->distribute_count &&
	    !reader->notes->ours.value[MRD_OUR_FALLBACK])
		mrd_read_warning(reader, list, "no effect: distribute decides");
	reader->at = step.up;
}

/* ------------------------------------------------------------------------------- the setting */

/* As protobuf has it: a message is set by being there, however empty; a list by its items. */
static bool is_set(const struct mrd_doc_node *map, const char *name)
{
	const struct mrd_doc_node *value = mrd_doc_get(map, name);

	return value && value->kind != MRD_DOC_NULL &&
	       (value->kind != MRD_DOC_LIST || value->count);
}

void mrd_read_exclusive(struct mrd_reader *reader, const struct mrd_doc_node *map, const char *a,
			const char *b, const char *remedy)
{
	const struct mrd_doc_node *first = mrd_read_key(map, a);
	const struct mrd_doc_node *second = mrd_read_key(map, b);
	struct mrd_step step = {.up = reader->at};
	MRD_AUTO_FREE char *second_place = NULL;
	MRD_AUTO_FREE char *first_place = NULL;

	if (!first || !second || !is_set(map, a) || !is_set(map, b))
		return;
	if (first->line > second->line ||
	    (first->line == second->line && first->column > second->column)) {
		first = second;
		second = mrd_read_key(map, a);
	}
	step.name = second->text;
	reader->at = &step;
	first_place = mrd_read_place(reader, first);
	second_place = mrd_read_place(reader, second);
	mrd_read_error(reader, second, "%s (%s) and %s (%s) exclude each other: remove one%s",
		       first->text, first_place ?: "?", second->text, second_place ?: "?", remedy);
	reader->at = step.up;
}

static bool has_list(const struct mrd_doc_node *map, const char *name)
{
	const struct mrd_doc_node *list = mrd_doc_get(map, name);

	return list && list->kind == MRD_DOC_LIST && list->count;
}

/* Which lists of a setting that is off were written all the same. */
static void check_disabled(struct mrd_reader *reader, const struct mrd_doc_node *node)
{
	static const char *const lists[] = {"distribute", "failover", "failoverPriority"};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const struct mrd_step step = {.up = reader->at, .name = lists[i]};

		if (!has_list(node, lists[i]))
			continue;
		reader->at = &step;
		mrd_read_warning(reader, mrd_doc_get(node, lists[i]),
				 "no effect: the setting is not enabled");
		reader->at = step.up;
	}
}

void mrd_read_unwatched(struct mrd_reader *reader, const struct mrd_doc_node *setting)
{
	static const char *const lists[] = {"failover", "failoverPriority"};
	bool enabled = true;

	if (!mrd_doc_bool(mrd_doc_get(setting, "enabled"), &enabled) && !enabled)
		return;
	if (has_list(setting, "distribute") && !reader->notes->ours.value[MRD_OUR_FALLBACK])
		return;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const struct mrd_step step = {.up = reader->at, .name = lists[i]};

		if (!has_list(setting, lists[i]))
			continue;
		reader->at = &step;
		mrd_read_warning(reader, mrd_doc_get(setting, lists[i]),
				 "works from readiness and failed handshakes; Istio would ignore "
				 "it without outlierDetection");
		reader->at = step.up;
	}
}

static void setting_cleanup(struct mrd_locality_setting **setting)
{
	mrd_locality_setting_free(*setting);
}

static void read_setting(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const struct mrd_block *block, struct mrd_locality_setting **setting_at)
{
	MRD_CLEANUP(setting_cleanup)
	struct mrd_locality_setting *setting = calloc(1, sizeof(*setting));
	struct setting_draft draft = {0};

	if (!setting) {
		reader->no_memory = true;
		return;
	}
	mrd_read_block(reader, node, block, &draft);
	setting->enabled = !draft.enabled.node || draft.enabled.value;
	setting->min_cluster_size = draft.min_cluster_size.value;
	read_distributes(reader, draft.distribute, setting);
	read_failovers(reader, draft.failover, setting);
	read_priority(reader, &draft, setting);
	if (!setting->enabled)
		check_disabled(reader, node);
	*setting_at = MRD_STEAL_PTR(setting);
}

void mrd_read_locality(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *setting_at)
{
	(void)unused;
	read_setting(reader, node, &setting_block, setting_at);
	if (!reader->notes->ours.value[MRD_OUR_FALLBACK])
		mrd_read_exclusive(reader, node, "distribute", "failover",
				   ", or set meridian.dev/fallback: next-region");
}

/* ------------------------------------------------------------------------------- zone-aware */

static const struct mrd_field zone_aware_fields[] = {
	SHARED_FIELDS,
	{
		.name = "minClusterSize",
		.use = MRD_FIELD_KEPT,
		.read = mrd_read_number,
		.offset = offsetof(struct setting_draft, min_cluster_size),
		.why = "zones are not weighed by their capacity, however many endpoints there are",
	},
};
static const struct mrd_block zone_aware_block = MRD_BLOCK(zone_aware_fields);

void mrd_read_zone_aware(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const void *unused, void *setting_at)
{
	struct mrd_locality_setting **setting = setting_at;
	const char *words;

	(void)unused;
	read_setting(reader, node, &zone_aware_block, setting);
	if (!*setting)
		return;
	(*setting)->zone_aware = true;
	words = mrd_locality_unweighed(*setting);
	if ((*setting)->enabled && words)
		mrd_read_warning(reader, reader->key, "%s", words);
}
