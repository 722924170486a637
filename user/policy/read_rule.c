/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* DestinationRule, its metadata and our annotations. */
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/host.h"
#include "policy/locality.h"

#define OUR_PREFIX "meridian.dev/"

enum { OVERPROVISIONING_MAX = 100000 };

static const struct mrd_list_of texts = {.read = mrd_read_text};

/* ------------------------------------------------------------------------------- annotations */

struct ours_draft {
	struct mrd_word cap;
	struct mrd_span probation;
	struct mrd_number overprovisioning;
};

static const char *const cap_words[] = {"envoy", "always-one"};
static const enum mrd_ejection_cap caps[] = {MRD_CAP_ENVOY, MRD_CAP_ALWAYS_ONE};
static const struct mrd_words cap_spec = MRD_WORDS(cap_words);

static const char *const fallback_words[] = {"next-region"};
static const struct mrd_words fallback_spec = MRD_WORDS(fallback_words);
static const char *const regions_words[] = {"strict"};
static const struct mrd_words regions_spec = MRD_WORDS(regions_words);
static const char *const unready_words[] = {"count", "drop"};
static const struct mrd_words unready_spec = MRD_WORDS(unready_words);
static const char *const on_eject_words[] = {"keep", "close", "reset"};
static const struct mrd_words on_eject_spec = MRD_WORDS(on_eject_words);

/* A factor below 100 would send traffic away from a tier without a fault. */
static const struct mrd_number_limits overprovisioning_limits = {.min = 100,
								 .max = OVERPROVISIONING_MAX};

static const struct mrd_field our_fields[] = {
	{
		.name = OUR_PREFIX "ejection-cap",
		.read = mrd_read_word,
		.spec = &cap_spec,
		.offset = offsetof(struct ours_draft, cap),
	},
	{
		.name = OUR_PREFIX "probation",
		.read = mrd_read_span,
		.offset = offsetof(struct ours_draft, probation),
	},
	{
		.name = OUR_PREFIX "overprovisioning-percent",
		.read = mrd_read_number,
		.spec = &overprovisioning_limits,
		.offset = offsetof(struct ours_draft, overprovisioning),
	},
	{
		.name = OUR_PREFIX "fallback",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_word,
		.spec = &fallback_spec,
	},
	{
		.name = OUR_PREFIX "regions",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_word,
		.spec = &regions_spec,
	},
	{
		.name = OUR_PREFIX "unready",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_word,
		.spec = &unready_spec,
	},
	{
		.name = OUR_PREFIX "on-eject",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_word,
		.spec = &on_eject_spec,
	},
	{
		.name = OUR_PREFIX "warmup",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_span,
	},
};
static const struct mrd_block our_block = MRD_BLOCK(our_fields);

static void read_annotations(struct mrd_reader *reader, const struct mrd_doc_node *node,
			     const void *unused, void *ours_at)
{
	struct ours_draft draft = {0};
	struct mrd_ours *ours = ours_at;

	(void)unused;
	for (size_t i = 0; i < node->count && node->kind == MRD_DOC_MAP; i++)
		if (!strncmp(node->keys[i]->text, OUR_PREFIX, strlen(OUR_PREFIX)))
			mrd_read_one(reader, &our_block, node->keys[i], node->items[i], &draft);
	if (draft.cap.node) {
		ours->has_cap = true;
		ours->cap = caps[draft.cap.index];
	}
	if (draft.probation.node) {
		ours->has_probation = true;
		ours->probation_ms = draft.probation.ms;
	}
	if (draft.overprovisioning.node)
		ours->overprovisioning_percent = draft.overprovisioning.value;
}

/* ------------------------------------------------------------------------------- metadata */

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
	{
		.name = "annotations",
		.read = read_annotations,
		.offset = offsetof(struct mrd_meta_draft, ours),
	},
	SILENT("labels"),
	SILENT("generateName"),
	SILENT("creationTimestamp"),
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
		       const void *unused, void *meta_draft)
{
	(void)unused;
	mrd_read_block(reader, node, &metadata_block, meta_draft);
}

/* ------------------------------------------------------------------------------- spec */

struct spec_draft {
	struct mrd_text host;
	struct mrd_traffic traffic;
};

static const struct mrd_field subset_fields[] = {
	{.name = "name", .use = MRD_FIELD_REQUIRED, .read = mrd_read_text},
	{.name = "labels", .read = mrd_read_texts},
	{.name = "trafficPolicy", .read = mrd_read_traffic},
};
static const struct mrd_block subset_block = MRD_BLOCK(subset_fields);
static const struct mrd_list_of subsets = {.read = mrd_read_block, .spec = &subset_block};

static const struct mrd_field selector_fields[] = {
	{.name = "matchLabels", .read = mrd_read_texts},
};
static const struct mrd_block selector_block = MRD_BLOCK(selector_fields);

/* ["*"] is the default, and what happens here in any case. */
static void read_export_to(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const void *unused, void *draft)
{
	bool has_all = false;

	(void)unused, (void)draft;
	mrd_read_list(reader, node, &texts, NULL);
	for (size_t i = 0; i < node->count && node->kind == MRD_DOC_LIST; i++) {
		const struct mrd_step step = {.up = reader->at, .index = i};

		has_all |= !strcmp(node->items[i]->text, "*");
		reader->at = &step;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(node->items[i]->text, node->items[j]->text))
				mrd_read_error(reader, node->items[i], "\"%s\" is there twice",
					       node->items[i]->text);
		reader->at = step.up;
	}
	if (has_all && node->count > 1)
		mrd_read_error(reader, node, "\"*\" must stand alone");
	else if (node->count && !has_all)
		mrd_read_warning(reader, node, "not honoured: the rule holds for all clients");
}

static const struct mrd_field spec_fields[] = {
	{
		.name = "host",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_text,
		.offset = offsetof(struct spec_draft, host),
	},
	{
		.name = "trafficPolicy",
		.read = mrd_read_traffic,
		.offset = offsetof(struct spec_draft, traffic),
	},
	{
		.name = "subsets",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_list,
		.spec = &subsets,
		.why = "subsets act only through a VirtualService, which is not applied",
	},
	{.name = "exportTo", .read = read_export_to},
	{
		.name = "workloadSelector",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_block,
		.spec = &selector_block,
		.why = "the rule holds for all clients",
	},
};
static const struct mrd_block spec_block = MRD_BLOCK(spec_fields);

struct rule_draft {
	struct mrd_meta_draft meta;
	struct spec_draft spec;
};

static const struct mrd_field rule_fields[] = {
	{.name = "apiVersion", .read = mrd_read_text},
	{.name = "kind", .read = mrd_read_text},
	{
		.name = "metadata",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_metadata,
		.offset = offsetof(struct rule_draft, meta),
	},
	{
		.name = "spec",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_block,
		.spec = &spec_block,
		.offset = offsetof(struct rule_draft, spec),
	},
	SILENT("status"),
};
static const struct mrd_block rule_block = MRD_BLOCK(rule_fields);

/* ------------------------------------------------------------------------------- the rule */

static void rule_cleanup(struct mrd_rule **rule)
{
	mrd_rule_free(*rule);
}

/* Istio says nothing about a host that no service has; here it is the likeliest typo. */
static void check_host(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const struct mrd_rule *rule, const struct mrd_policy *policy)
{
	const char *domain = policy->cluster_domain;
	const char *namespace_;
	size_t len = 0;

	if (!mrd_host_may_be_service(rule->host, domain)) {
		mrd_read_warning(reader, node,
				 "no effect: \"%s\" is no Service (their hosts end with .svc.%s)",
				 rule->host, domain);
		return;
	}
	namespace_ = mrd_host_namespace(rule->host, domain, &len);
	if (!namespace_ || !strcmp(rule->namespace_, policy->root_namespace) ||
	    (strlen(rule->namespace_) == len && !memcmp(rule->namespace_, namespace_, len)))
		return;
	mrd_read_warning(reader, node,
			 "no effect: rules are looked up in the service's namespace (%.*s) and in "
			 "%s, not in %s",
			 (int)len, namespace_, policy->root_namespace, rule->namespace_);
}

/* NULL without memory. */
static struct mrd_rule *make_rule(const struct mrd_reader *reader, struct rule_draft *draft,
				  const struct mrd_policy *policy)
{
	const char *namespace_ = draft->meta.namespace_.node && *draft->meta.namespace_.text
					 ? draft->meta.namespace_.text
					 : "default";
	const struct mrd_doc_node *host = draft->spec.host.node;
	MRD_CLEANUP(rule_cleanup) struct mrd_rule *rule = calloc(1, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->namespace_ = strdup(namespace_);
	if (!rule->namespace_)
		return NULL;
	if (asprintf(&rule->label, "%s/%s", namespace_, draft->meta.name.text) < 0) {
		rule->label = NULL;
		return NULL;
	}
	if (asprintf(&rule->place, "%s:%u:%u", reader->file, host->line, host->column) < 0) {
		rule->place = NULL;
		return NULL;
	}
	if (mrd_host_expand(draft->spec.host.text, namespace_, policy->cluster_domain,
			    &rule->host) < 0)
		return NULL;
	rule->ours = draft->meta.ours;
	rule->traffic = draft->spec.traffic;
	draft->spec.traffic.locality = NULL;
	mrd_ours_apply(&rule->ours, &policy->mesh.ours, &rule->traffic.outlier.rule);
	return MRD_STEAL_PTR(rule);
}

static void add_rule(struct mrd_reader *reader, struct rule_draft *draft, struct mrd_policy *policy)
{
	const struct mrd_step spec = {.up = reader->at, .name = "spec"};
	const struct mrd_step at = {.up = &spec, .name = "host"};
	const struct mrd_doc_node *host = draft->spec.host.node;
	const struct mrd_rule *former = NULL;
	struct mrd_rule *rule = make_rule(reader, draft, policy);

	if (!rule) {
		reader->no_memory = true;
		return;
	}
	reader->at = &at;
	if (!mrd_host_is_valid(draft->spec.host.text))
		mrd_read_error(reader, host, "\"%s\" is no host name", draft->spec.host.text);
	else
		check_host(reader, host, rule, policy);
	if (mrd_policy_add(policy, rule, &former) < 0)
		reader->no_memory = true;
	else if (former)
		mrd_read_warning(reader, host,
				 "trafficPolicy has no effect: %s (%s) set one for this host first",
				 former->label, former->place);
	reader->at = spec.up;
}

static void check_annotations(struct mrd_reader *reader, const struct mrd_doc_node *root,
			      const struct rule_draft *draft)
{
	static const char *const way[] = {"metadata", "annotations", OUR_PREFIX "ejection-cap"};
	struct mrd_step steps[sizeof(way) / sizeof(*way)];
	const struct mrd_step *up = reader->at;
	const struct mrd_doc_node *node = root;

	if (!draft->meta.ours.has_cap || draft->spec.traffic.outlier.rule.cap != MRD_CAP_PERCENT)
		return;
	for (size_t i = 0; i < sizeof(way) / sizeof(*way); i++) {
		steps[i] = (struct mrd_step){.up = reader->at, .name = way[i]};
		reader->at = &steps[i];
		node = mrd_doc_get(node, way[i]);
	}
	mrd_read_warning(reader, node, "no effect: maxEjectionPercent is given");
	reader->at = up;
}

void mrd_read_rule(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_policy *policy)
{
	const struct mrd_step step = {.up = reader->at, .name = "metadata"};
	struct rule_draft draft = {.spec.traffic.outlier = policy->mesh.outlier};

	mrd_read_block(reader, root, &rule_block, &draft);
	check_annotations(reader, root, &draft);
	if (mrd_doc_get(root, "metadata") && !mrd_doc_get(mrd_doc_get(root, "metadata"), "name")) {
		reader->at = &step;
		mrd_read_error(reader, mrd_doc_get(root, "metadata"), "must have a name");
		reader->at = step.up;
	}
	if (draft.meta.name.node && draft.spec.host.node)
		add_rule(reader, &draft, policy);
	mrd_locality_setting_free(draft.spec.traffic.locality);
}
