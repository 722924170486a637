/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* loadBalancer: Istio's LoadBalancerSettings with the checks of its pkg/config/validation. */
#include "policy/read.h"

#include <math.h>
#include <string.h>

#include "policy/locality.h"

enum { SIMPLE_UNSPECIFIED = 0, SIMPLE_LEAST_CONN = 5 };

static const struct mrd_span_limits or_zero = {.min_ms = 0};

static const char *const simple_words[] = {
	"UNSPECIFIED", "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH", "LEAST_CONN",
};
static const enum mrd_lb simple_lbs[] = {
	MRD_LB_LEAST_REQUEST, MRD_LB_LEAST_REQUEST, MRD_LB_ROUND_ROBIN,
	MRD_LB_RANDOM,	      MRD_LB_PASSTHROUGH,   MRD_LB_LEAST_REQUEST,
};
static const struct mrd_words simples = MRD_WORDS(simple_words);

/* ------------------------------------------------------------------------- consistentHash */

enum {
	RING_MAX = 8388608,  /* Envoy's limit */
	TABLE_MAX = 5000010, /* Istio's, one below Envoy's */
};

static const char in_requests[] =
	"it is inside the requests, which are not seen when a connection chooses its endpoint";
static const char own_table[] = "a client's address is kept to its endpoint without a ring";

static const char old_ring[] =
	"deprecated for ringHash: {minimumRingSize}, and a client's address is "
	"kept to its endpoint without a ring";

static const struct mrd_field attribute_fields[] = {
	{.name = "name", .use = MRD_FIELD_REQUIRED, .read = mrd_read_text},
	{.name = "value", .read = mrd_read_text},
};
static const struct mrd_block attribute_block = MRD_BLOCK(attribute_fields);
static const struct mrd_list_of attributes = {.read = mrd_read_block, .spec = &attribute_block};

static void read_cookie_name(struct mrd_reader *reader, const struct mrd_doc_node *node,
			     const void *unused, void *draft)
{
	struct mrd_text name = {0};

	(void)draft;
	mrd_read_text(reader, node, unused, &name);
	if (name.node && !*name.text)
		mrd_read_error(reader, node, "must not be empty");
}

static const struct mrd_field cookie_fields[] = {
	{.name = "name", .use = MRD_FIELD_REQUIRED, .read = read_cookie_name},
	{.name = "path", .read = mrd_read_text},
	{.name = "ttl", .read = mrd_read_span, .spec = &or_zero},
	{.name = "attributes", .read = mrd_read_list, .spec = &attributes},
};
static const struct mrd_block cookie_block = MRD_BLOCK(cookie_fields);

static const struct mrd_number_limits ring_limits = {.min = 0, .max = RING_MAX};
static const struct mrd_field ring_fields[] = {
	{.name = "minimumRingSize", .read = mrd_read_number, .spec = &ring_limits},
};
static const struct mrd_block ring_block = MRD_BLOCK(ring_fields);

/* Envoy's, and so Istio's: 1 is one of them. */
static bool is_prime(uint32_t number)
{
	for (uint32_t i = 2; (uint64_t)i * i <= number; i++)
		if (number % i == 0)
			return false;
	return number > 0;
}

static void read_table_size(struct mrd_reader *reader, const struct mrd_doc_node *node,
			    const void *unused, void *draft)
{
	static const struct mrd_number_limits limits = {.min = 1, .max = TABLE_MAX};
	struct mrd_number size = {0};

	(void)unused, (void)draft;
	mrd_read_number(reader, node, &limits, &size);
	if (size.node && !is_prime(size.value))
		mrd_read_error(reader, node, "must be a prime number, which %u is not", size.value);
}

static const struct mrd_field maglev_fields[] = {
	{.name = "tableSize", .use = MRD_FIELD_REQUIRED, .read = read_table_size},
};
static const struct mrd_block maglev_block = MRD_BLOCK(maglev_fields);

struct hash_draft {
	struct mrd_flag source_ip;
	struct mrd_number ring_size;
};

static const struct mrd_field hash_fields[] = {
	MRD_IGNORED_WHY("httpHeaderName", mrd_read_text, NULL, in_requests),
	MRD_IGNORED_WHY("httpCookie", mrd_read_block, &cookie_block, in_requests),
	{
		.name = "useSourceIp",
		.read = mrd_read_flag,
		.offset = offsetof(struct hash_draft, source_ip),
	},
	MRD_IGNORED_WHY("httpQueryParameterName", mrd_read_text, NULL, in_requests),
	MRD_IGNORED_WHY("ringHash", mrd_read_block, &ring_block, own_table),
	MRD_IGNORED_WHY("maglev", mrd_read_block, &maglev_block, own_table),
	{
		.name = "minimumRingSize",
		.use = MRD_FIELD_KEPT,
		.read = mrd_read_number,
		.spec = &ring_limits,
		.offset = offsetof(struct hash_draft, ring_size),
		.why = old_ring,
	},
};
static const struct mrd_block hash_block = MRD_BLOCK(hash_fields);

/* Whether what was set for a key says anything. */
static bool has_effect(const char *name, const struct mrd_doc_node *value)
{
	bool use = true;

	if (value->kind == MRD_DOC_SCALAR && !*value->text)
		return false;
	return strcmp(name, "useSourceIp") != 0 || mrd_doc_bool(value, &use) || use;
}

/* A oneof of Istio's: each key that stands after the first is an error that names both. One that
 * is set to false or to nothing is set, too: an API server asks whether it is there. */
static void check_hash_keys(struct mrd_reader *reader, const struct mrd_doc_node *node)
{
	static const char *const keys[] = {"httpHeaderName", "httpCookie", "useSourceIp",
					   "httpQueryParameterName"};
	const char *found = NULL;
	bool any_effect = false;

	if (node->kind != MRD_DOC_MAP)
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct mrd_doc_node *value = mrd_doc_get(node, keys[i]);

		if (!value || value->kind == MRD_DOC_NULL)
			continue;
		any_effect |= has_effect(keys[i], value);
		if (found)
			mrd_read_exclusive(reader, node, found, keys[i], "");
		else
			found = keys[i];
	}
	if (!any_effect)
		mrd_read_warning(reader, reader->key,
				 "no effect without one of httpHeaderName, httpCookie, "
				 "httpQueryParameterName and useSourceIp: true");
}

static void read_hash(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *source_ip)
{
	struct hash_draft draft = {0};

	(void)unused;
	mrd_read_block(reader, node, &hash_block, &draft);
	check_hash_keys(reader, node);
	mrd_read_exclusive(reader, node, "ringHash", "maglev", "");
	if (draft.ring_size.value) {
		mrd_read_exclusive(reader, node, "minimumRingSize", "ringHash", "");
		mrd_read_exclusive(reader, node, "minimumRingSize", "maglev", "");
	}
	*(bool *)source_ip = draft.source_ip.value;
}

/* ------------------------------------------------------------------------- warmup */

static const struct mrd_real_limits percent = {.min = 0, .max = 100};
static const struct mrd_real_limits one_and_up = {.min = 1, .max = INFINITY};

struct warmup_draft {
	struct mrd_span duration;
	struct mrd_real minimum_percent;
	struct mrd_real aggression;
};

static const struct mrd_field warmup_fields[] = {
	{
		.name = "duration",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_span,
		.offset = offsetof(struct warmup_draft, duration),
	},
	{
		.name = "minimumPercent",
		.read = mrd_read_real,
		.spec = &percent,
		.offset = offsetof(struct warmup_draft, minimum_percent),
	},
	{
		.name = "aggression",
		.read = mrd_read_real,
		.spec = &one_and_up,
		.offset = offsetof(struct warmup_draft, aggression),
	},
};
static const struct mrd_block warmup_block = MRD_BLOCK(warmup_fields);

static const struct mrd_warmup_rule warmup_defaults = {.minimum_percent = 10, .aggression = 1};

static void read_warmup(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const void *unused, void *rule)
{
	struct warmup_draft draft = {0};
	struct mrd_warmup_rule warmup = warmup_defaults;

	(void)unused;
	mrd_read_block(reader, node, &warmup_block, &draft);
	warmup.duration_ms = draft.duration.ms;
	if (draft.minimum_percent.node)
		warmup.minimum_percent = draft.minimum_percent.value;
	if (draft.aggression.node)
		warmup.aggression = draft.aggression.value;
	*(struct mrd_warmup_rule *)rule = warmup;
}

static void read_warmup_alias(struct mrd_reader *reader, const struct mrd_doc_node *node,
			      const void *unused, void *rule)
{
	struct mrd_span span = {0};

	mrd_read_span(reader, node, unused, &span);
	if (!span.node)
		return;
	mrd_read_warning(reader, reader->key, "deprecated: write warmup: {duration: %s}",
			 node->text);
	*(struct mrd_warmup_rule *)rule = warmup_defaults;
	((struct mrd_warmup_rule *)rule)->duration_ms = span.ms;
}

/* ------------------------------------------------------------------------- the block */

struct lb_draft {
	struct mrd_word simple;
	bool source_ip;
	struct mrd_warmup_rule warmup;
	struct mrd_warmup_rule warmup_alias;
	struct mrd_locality_setting *locality; /* both owned */
	struct mrd_locality_setting *zone_aware;
};

static const struct mrd_field lb_fields[] = {
	{
		.name = "simple",
		.read = mrd_read_word,
		.spec = &simples,
		.offset = offsetof(struct lb_draft, simple),
	},
	{
		.name = "consistentHash",
		.read = read_hash,
		.offset = offsetof(struct lb_draft, source_ip),
	},
	{
		.name = "warmup",
		.read = read_warmup,
		.offset = offsetof(struct lb_draft, warmup),
	},
	{
		.name = "warmupDurationSecs",
		.read = read_warmup_alias,
		.offset = offsetof(struct lb_draft, warmup_alias),
	},
	{
		.name = "localityLbSetting",
		.read = mrd_read_locality,
		.offset = offsetof(struct lb_draft, locality),
	},
	{
		.name = "zoneAwareLbSetting",
		.read = mrd_read_zone_aware,
		.offset = offsetof(struct lb_draft, zone_aware),
	},
};
static const struct mrd_block lb_block = MRD_BLOCK(lb_fields);

/* Weights grow with a warmup, and not everything chooses by weights. Returns whether it does. */
static bool check_warmup(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const struct lb_draft *draft)
{
	static const char *const names[] = {"warmup", "warmupDurationSecs"};
	const enum mrd_lb lb = simple_lbs[draft->simple.index];
	const struct mrd_doc_node *hash = mrd_doc_get(node, "consistentHash");
	const bool is_hashed = hash && hash->kind != MRD_DOC_NULL;
	struct mrd_step step = {.up = reader->at};

	mrd_read_exclusive(reader, node, names[0], names[1], "");
	if ((lb == MRD_LB_LEAST_REQUEST || lb == MRD_LB_ROUND_ROBIN) && !is_hashed)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct mrd_doc_node *key = mrd_read_key(node, names[i]);

		if (!key || mrd_doc_get(node, names[i])->kind == MRD_DOC_NULL)
			continue;
		step.name = names[i];
		reader->at = &step;
		mrd_read_warning(reader, key,
				 "no effect with %s, as in Istio: only ROUND_ROBIN and "
				 "LEAST_REQUEST warm endpoints up",
				 is_hashed ? "consistentHash" : simple_words[draft->simple.index]);
		reader->at = step.up;
	}
	return false;
}

/* What a proxy would do by the requests that it sees. What was not written is not named. */
static void check_simple(struct mrd_reader *reader, const struct lb_draft *draft)
{
	const struct mrd_step simple = {.up = reader->at, .name = "simple"};
	const enum mrd_lb lb = simple_lbs[draft->simple.index];

	if (!draft->simple.node || draft->simple.index == SIMPLE_UNSPECIFIED ||
	    (lb != MRD_LB_LEAST_REQUEST && lb != MRD_LB_RANDOM))
		return;
	reader->at = &simple;
	mrd_read_warning(reader, draft->simple.node,
			 "%snot honoured: new connections are spread evenly, in turn",
			 draft->simple.index == SIMPLE_LEAST_CONN
				 ? "deprecated, write LEAST_REQUEST; "
				 : "");
	reader->at = simple.up;
}

void mrd_read_lb(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		 void *block)
{
	struct mrd_lb_block *into = block;
	const struct mrd_doc_node *locality;
	struct lb_draft draft = {0};
	bool can_warm_up;

	(void)unused;
	into->given = true;
	into->place = mrd_read_place(reader, reader->key);
	mrd_read_block(reader, node, &lb_block, &draft);
	mrd_read_exclusive(reader, node, "localityLbSetting", "zoneAwareLbSetting", "");
	mrd_read_exclusive(reader, node, "simple", "consistentHash", "");
	check_simple(reader, &draft);
	can_warm_up = check_warmup(reader, node, &draft);
	into->lb = simple_lbs[draft.simple.index];
	into->hash_source_ip = draft.source_ip;
	if (can_warm_up)
		into->warmup = draft.warmup.duration_ms ? draft.warmup : draft.warmup_alias;
	into->locality = draft.zone_aware ? draft.zone_aware : draft.locality;
	if (draft.zone_aware)
		mrd_locality_setting_free(draft.locality);
	locality =
		mrd_read_key(node, draft.zone_aware ? "zoneAwareLbSetting" : "localityLbSetting");
	if (into->locality)
		into->locality_place = mrd_read_place(reader, locality);
}
