/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* metadata, and in it the annotations that say what Istio has no field for. */
#include "policy/read.h"

#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "base/instant.h"
#include "base/strbuf.h"

#define OUR_PREFIX "meridian.dev/"

enum {
	OVERPROVISIONING_MAX = 100000,
	PERCENT_MAX = 100,
	SYN_TIMEOUT_MAX_MS = 120 * 1000, /* the kernel's TCP_RTO_MAX */
};

/* ------------------------------------------------------------------------------- values */

struct ours_draft {
	struct mrd_note at[MRD_OUR_COUNT];
	uint64_t value[MRD_OUR_COUNT];
};

struct our_spec {
	enum mrd_our_key key;
	struct mrd_words words;
	const uint64_t *values; /* of the words */
	const void *limits;
};

static void keep(struct ours_draft *draft, const struct our_spec *spec,
		 const struct mrd_doc_node *node, uint64_t value)
{
	if (!node)
		return;
	draft->at[spec->key].value = node;
	draft->value[spec->key] = value;
}

static void read_our_word(struct mrd_reader *reader, const struct mrd_doc_node *node,
			  const void *spec_at, void *draft)
{
	const struct our_spec *spec = spec_at;
	struct mrd_word word = {0};

	mrd_read_word(reader, node, &spec->words, &word);
	keep(draft, spec, word.node, spec->values[word.index]);
}

static void read_our_span(struct mrd_reader *reader, const struct mrd_doc_node *node,
			  const void *spec_at, void *draft)
{
	const struct our_spec *spec = spec_at;
	struct mrd_span span = {0};

	mrd_read_span(reader, node, spec->limits, &span);
	keep(draft, spec, span.node, span.ms);
}

static void read_our_number(struct mrd_reader *reader, const struct mrd_doc_node *node,
			    const void *spec_at, void *draft)
{
	const struct our_spec *spec = spec_at;
	struct mrd_number number = {0};

	mrd_read_number(reader, node, spec->limits, &number);
	keep(draft, spec, number.node, number.value);
}

/* ------------------------------------------------------------------------------- the keys */

#define WORDS(name, key_, ...)                                   \
	static const char *const name##_words[] = {__VA_ARGS__}; \
	static const struct our_spec name##_spec = {             \
		.key = (key_), .words = MRD_WORDS(name##_words), .values = name##_values}

/* Each has a value that says the default: what the mesh's document sets, a rule can lift. */
static const uint64_t cap_values[] = {MRD_CAP_REGIONAL, MRD_CAP_ENVOY, MRD_CAP_ALWAYS_ONE};
WORDS(cap, MRD_OUR_CAP, "regional", "envoy", "always-one");
static const uint64_t fallback_values[] = {0, 1};
WORDS(fallback, MRD_OUR_FALLBACK, "none", "next-region");
static const uint64_t regions_values[] = {0, 1};
WORDS(regions, MRD_OUR_REGIONS, "all", "strict");
static const uint64_t unready_values[] = {0, 1};
WORDS(unready, MRD_OUR_UNREADY, "count", "drop");
static const uint64_t on_eject_values[] = {MRD_ON_EJECT_KEEP, MRD_ON_EJECT_CLOSE,
					   MRD_ON_EJECT_RESET};
WORDS(on_eject, MRD_OUR_ON_EJECT, "keep", "close", "reset");
static const uint64_t rescue_values[] = {0, 1};
WORDS(rescue, MRD_OUR_RESCUE, "on", "off");
/* Envoy's chance in per cent; what a dice would decide could not be explained afterwards. */
static const uint64_t sr_enforcing_values[] = {MRD_RATE_TELLS, MRD_RATE_EJECTS, MRD_RATE_OFF};
WORDS(sr_enforcing, MRD_OUR_SR_ENFORCING, "0", "100", "off");
static const uint64_t fp_enforcing_values[] = {MRD_RATE_TELLS, MRD_RATE_EJECTS, MRD_RATE_OFF};
WORDS(fp_enforcing, MRD_OUR_FP_ENFORCING, "0", "100", "off");

/* A factor below 100 would send traffic away from a tier without a fault. */
static const struct mrd_number_limits overprovisioning = {.min = PERCENT_MAX,
							  .max = OVERPROVISIONING_MAX};
static const struct mrd_number_limits percent = {.min = 0, .max = PERCENT_MAX};
static const struct mrd_span_limits or_zero = {.min_ms = 0};
static const struct mrd_span_limits syn_timeout = {.min_ms = 0, .max_ms = SYN_TIMEOUT_MAX_MS};

#define OURS(field, reader_fn, spec_at)                                          \
	{                                                                        \
		.name = OUR_PREFIX field, .read = (reader_fn), .spec = (spec_at) \
	}
#define PLAIN(key_, limits_) (&(const struct our_spec){.key = (key_), .limits = (limits_)})

static const struct mrd_field our_fields[] = {
	OURS("ejection-cap", read_our_word, &cap_spec),
	OURS("probation", read_our_span, PLAIN(MRD_OUR_PROBATION, &or_zero)),
	OURS("overprovisioning-percent", read_our_number,
	     PLAIN(MRD_OUR_OVERPROVISION, &overprovisioning)),
	OURS("fallback", read_our_word, &fallback_spec),
	OURS("regions", read_our_word, &regions_spec),
	OURS("unready", read_our_word, &unready_spec),
	OURS("on-eject", read_our_word, &on_eject_spec),
	OURS("syn-timeout", read_our_span, PLAIN(MRD_OUR_SYN_TIMEOUT, &syn_timeout)),
	OURS("rescue", read_our_word, &rescue_spec),
	OURS("warmup", read_our_span, PLAIN(MRD_OUR_WARMUP, &or_zero)),
	OURS("max-ejection-time", read_our_span, PLAIN(MRD_OUR_MAX_EJECTION, NULL)),
	OURS("max-ejection-time-jitter", read_our_span, PLAIN(MRD_OUR_MAX_JITTER, &or_zero)),
	OURS("success-rate-enforcing", read_our_word, &sr_enforcing_spec),
	OURS("success-rate-minimum-hosts", read_our_number, PLAIN(MRD_OUR_SR_HOSTS, NULL)),
	OURS("success-rate-request-volume", read_our_number, PLAIN(MRD_OUR_SR_VOLUME, NULL)),
	OURS("success-rate-stdev-factor", read_our_number, PLAIN(MRD_OUR_SR_FACTOR, NULL)),
	OURS("failure-percentage-enforcing", read_our_word, &fp_enforcing_spec),
	OURS("failure-percentage-threshold", read_our_number,
	     PLAIN(MRD_OUR_FP_THRESHOLD, &percent)),
	OURS("failure-percentage-minimum-hosts", read_our_number, PLAIN(MRD_OUR_FP_HOSTS, NULL)),
	OURS("failure-percentage-request-volume", read_our_number, PLAIN(MRD_OUR_FP_VOLUME, NULL)),
};
static const struct mrd_block our_block = MRD_BLOCK(our_fields);

bool mrd_is_ours(const char *annotation)
{
	return !strncmp(annotation, OUR_PREFIX, strlen(OUR_PREFIX));
}

static void check_string(struct mrd_reader *reader, const char *key,
			 const struct mrd_doc_node *value)
{
	const struct mrd_step step = {.up = reader->at, .name = key};

	if (value->kind != MRD_DOC_SCALAR)
		return;
	reader->at = &step;
	mrd_read_string(reader, value);
	reader->at = step.up;
}

static void read_annotations(struct mrd_reader *reader, const struct mrd_doc_node *node,
			     const void *unused, void *meta_draft)
{
	struct mrd_notes *notes = ((struct mrd_meta_draft *)meta_draft)->notes;
	struct ours_draft draft = {0};

	mrd_read_map_node(reader, node, unused, NULL);
	for (size_t i = 0; i < node->count && node->kind == MRD_DOC_MAP; i++) {
		const size_t errors = reader->diag->errors;

		if (mrd_is_ours(node->keys[i]->text))
			mrd_read_one(reader, &our_block, node->keys[i], node->items[i], &draft);
		if (errors == reader->diag->errors)
			check_string(reader, node->keys[i]->text, node->items[i]);
	}
	for (size_t i = 0; i < MRD_OUR_COUNT; i++) {
		if (!draft.at[i].value)
			continue;
		notes->ours.given[i] = true;
		notes->ours.value[i] = draft.value[i];
		notes->at[i] = (struct mrd_note){
			.file = reader->file, .value = draft.at[i].value, .own = true};
	}
}

/* ------------------------------------------------------------------------------- metadata */

/* The loader orders rules by it. */
static void read_created(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const void *unused, void *draft)
{
	struct mrd_text text = {0};
	int64_t created_us;

	(void)draft;
	mrd_read_text(reader, node, unused, &text);
	if (text.node && mrd_instant_parse(text.text, &created_us))
		mrd_read_warning(reader, node, "is no time as RFC 3339 has it: taken as not given");
}

#define SILENT(field)                                                          \
	{                                                                      \
		.name = (field), .use = MRD_FIELD_SILENT, .read = mrd_read_any \
	}

static const struct mrd_field metadata_fields[] = {
	{
		.name = "name",
		.read = mrd_read_text,
		.offset = offsetof(struct mrd_meta_draft, name),
	},
	{
		.name = "namespace",
		.read = mrd_read_text,
		.offset = offsetof(struct mrd_meta_draft, namespace_),
	},
	{.name = "annotations", .read = read_annotations},
	{.name = "creationTimestamp", .use = MRD_FIELD_CHECKED, .read = read_created},
	SILENT("labels"),
	SILENT("generateName"),
	SILENT("deletionTimestamp"),
	SILENT("deletionGracePeriodSeconds"),
	SILENT("finalizers"),
	SILENT("generation"),
	SILENT("managedFields"),
	SILENT("ownerReferences"),
	SILENT("resourceVersion"),
	SILENT("selfLink"),
	SILENT("uid"),
};
static const struct mrd_block metadata_block = MRD_BLOCK(metadata_fields);

void mrd_read_metadata(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       struct mrd_meta_draft *draft)
{
	const struct mrd_step step = {.up = reader->at, .name = "metadata"};

	if (!node || node->kind == MRD_DOC_NULL)
		return;
	reader->at = &step;
	mrd_read_block(reader, node, &metadata_block, draft);
	reader->at = step.up;
}

/* ------------------------------------------------------------------------------- findings */

static const char *key_name(enum mrd_our_key key)
{
	for (size_t i = 0; i < our_block.count; i++)
		if (((const struct our_spec *)our_fields[i].spec)->key == key)
			return our_fields[i].name;
	return "";
}

static void add_finding(struct mrd_reader *reader, enum mrd_our_key key, bool is_error,
			const char *format, va_list args)
{
	const struct mrd_note *note = &reader->notes->at[key];
	const struct mrd_step metadata = {.up = reader->notes->root, .name = "metadata"};
	const struct mrd_step annotations = {.up = &metadata, .name = "annotations"};
	const struct mrd_step step = {.up = &annotations, .name = key_name(key)};
	const struct mrd_step *at = reader->at;
	const char *file = reader->file;
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	mrd_strbuf_vaddf(&text, format, args);
	reader->no_memory |= text.failed;
	reader->at = &step;
	reader->file = note->file;
	if (is_error)
		mrd_read_error(reader, note->value, "%s", text.text ? text.text : "");
	else
		mrd_read_warning(reader, note->value, "%s", text.text ? text.text : "");
	reader->at = at;
	reader->file = file;
}

void mrd_note_error(struct mrd_reader *reader, enum mrd_our_key key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_finding(reader, key, true, format, args);
	va_end(args);
}

void mrd_note_warning(struct mrd_reader *reader, enum mrd_our_key key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_finding(reader, key, false, format, args);
	va_end(args);
}

void mrd_check_max_ejection(struct mrd_reader *reader, uint64_t base_ms, const char *place)
{
	const struct mrd_ours *ours = &reader->notes->ours;
	char max[MRD_DURATION_TEXT_MAX];
	char base[MRD_DURATION_TEXT_MAX];

	if (!ours->given[MRD_OUR_MAX_EJECTION] || ours->value[MRD_OUR_MAX_EJECTION] >= base_ms)
		return;
	mrd_note_error(reader, MRD_OUR_MAX_EJECTION, "%s is less than baseEjectionTime, %s%s%s",
		       mrd_duration_format(ours->value[MRD_OUR_MAX_EJECTION], max),
		       mrd_duration_format(base_ms, base),
		       place ? " at " : " without outlierDetection", place ? place : "");
}

/* ------------------------------------------------------------------------------- effect */

static void apply_number(const struct mrd_ours *ours, enum mrd_our_key key, uint32_t *into)
{
	if (ours->given[key])
		*into = (uint32_t)ours->value[key];
}

static void apply_time(const struct mrd_ours *ours, enum mrd_our_key key, uint64_t *into)
{
	if (ours->given[key])
		*into = ours->value[key];
}

bool mrd_ours_rate_is_off(const struct mrd_ours *ours, enum mrd_our_key enforcing)
{
	return ours->given[enforcing] && ours->value[enforcing] == MRD_RATE_OFF;
}

/* A detector of rates is on if any of its annotations is given, and none of them says off. */
static bool is_rate_on(const struct mrd_ours *ours, enum mrd_our_key enforcing,
		       enum mrd_our_key last)
{
	if (mrd_ours_rate_is_off(ours, enforcing))
		return false;
	for (size_t i = enforcing; i <= last; i++)
		if (ours->given[i])
			return true;
	return false;
}

void mrd_ours_apply_to_handshakes(const struct mrd_ours *ours, struct mrd_outlier_rule *rule)
{
	if (rule->cap != MRD_CAP_PERCENT && ours->given[MRD_OUR_CAP])
		rule->cap = (enum mrd_ejection_cap)ours->value[MRD_OUR_CAP];
	apply_time(ours, MRD_OUR_PROBATION, &rule->probation_ms);
	apply_time(ours, MRD_OUR_MAX_EJECTION, &rule->max_ejection_ms);
	apply_time(ours, MRD_OUR_MAX_JITTER, &rule->max_jitter_ms);
}

void mrd_ours_apply(const struct mrd_ours *ours, struct mrd_outlier_rule *rule)
{
	struct mrd_success_rate_rule *rate = &rule->success_rate;
	struct mrd_failure_percentage_rule *failure = &rule->failure_percentage;

	mrd_ours_apply_to_handshakes(ours, rule);

	rate->on = is_rate_on(ours, MRD_OUR_SR_ENFORCING, MRD_OUR_SR_FACTOR);
	if (ours->given[MRD_OUR_SR_ENFORCING])
		rate->enforced = ours->value[MRD_OUR_SR_ENFORCING] == MRD_RATE_EJECTS;
	apply_number(ours, MRD_OUR_SR_HOSTS, &rate->minimum_hosts);
	apply_number(ours, MRD_OUR_SR_VOLUME, &rate->request_volume);
	apply_number(ours, MRD_OUR_SR_FACTOR, &rate->stdev_factor);

	failure->on = is_rate_on(ours, MRD_OUR_FP_ENFORCING, MRD_OUR_FP_VOLUME);
	if (ours->given[MRD_OUR_FP_ENFORCING])
		failure->enforced = ours->value[MRD_OUR_FP_ENFORCING] == MRD_RATE_EJECTS;
	apply_number(ours, MRD_OUR_FP_THRESHOLD, &failure->threshold);
	apply_number(ours, MRD_OUR_FP_HOSTS, &failure->minimum_hosts);
	apply_number(ours, MRD_OUR_FP_VOLUME, &failure->request_volume);
}

void mrd_ours_replace(const struct mrd_ours *ours, struct mrd_outlier_rule *rule)
{
	if (rule->cap != MRD_CAP_PERCENT)
		rule->cap = mrd_outlier_defaults.cap;
	rule->probation_ms = mrd_outlier_defaults.probation_ms;
	rule->max_ejection_ms = mrd_outlier_longest(rule->base_ejection_ms);
	rule->max_jitter_ms = mrd_outlier_defaults.max_jitter_ms;
	rule->success_rate = mrd_outlier_defaults.success_rate;
	rule->failure_percentage = mrd_outlier_defaults.failure_percentage;
	mrd_ours_apply(ours, rule);
}
