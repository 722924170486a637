/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* DestinationRule. Its annotations are read first: they decide what its blocks may say. */
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ip.h"
#include "base/label.h"
#include "policy/host.h"

/* ------------------------------------------------------------------------------- spec */

struct spec_draft {
	struct mrd_text host;
	struct mrd_traffic traffic;
	const struct mrd_doc_node *subsets;
	const struct mrd_doc_node *export_to;
	const struct mrd_doc_node *selector;
};

static const struct mrd_field selector_fields[] = {
	{.name = "matchLabels", .read = mrd_read_labels},
};
static const struct mrd_block selector_block = MRD_BLOCK(selector_fields);

static void read_selector(struct mrd_reader *reader, const struct mrd_doc_node *node,
			  const void *unused, void *selector_at)
{
	(void)unused;
	mrd_read_block(reader, node, &selector_block, NULL);
	*(const struct mrd_doc_node **)selector_at = node;
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
		.use = MRD_FIELD_KEPT,
		.read = mrd_read_list_node,
		.offset = offsetof(struct spec_draft, subsets),
		.why = "subsets act only through a VirtualService, which is not applied",
	},
	{
		.name = "exportTo",
		.read = mrd_read_list_node,
		.offset = offsetof(struct spec_draft, export_to),
	},
	{
		.name = "workloadSelector",
		.use = MRD_FIELD_KEPT,
		.read = read_selector,
		.offset = offsetof(struct spec_draft, selector),
		.why = "the rule holds for all clients",
	},
};
static const struct mrd_block spec_block = MRD_BLOCK(spec_fields);

struct rule_draft {
	struct mrd_text head; /* apiVersion and kind, which the loader has looked at */
	struct mrd_meta_draft meta;
	struct spec_draft spec;
	struct mrd_rule_subset *subsets; /* owned */
	size_t subset_count;
};

static const struct mrd_field rule_fields[] = {
	{
		.name = "apiVersion",
		.read = mrd_read_text,
		.offset = offsetof(struct rule_draft, head),
	},
	{
		.name = "kind",
		.read = mrd_read_text,
		.offset = offsetof(struct rule_draft, head),
	},
	{.name = "metadata", .use = MRD_FIELD_REQUIRED, .read = mrd_read_any}, /* read before */
	{
		.name = "spec",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_block,
		.spec = &spec_block,
		.offset = offsetof(struct rule_draft, spec),
	},
	{.name = "status", .use = MRD_FIELD_SILENT, .read = mrd_read_any},
};
static const struct mrd_block rule_block = MRD_BLOCK(rule_fields);

/* ------------------------------------------------------------------------------- exportTo */

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* One entry, "." written out, after its checks. */
static char *read_export(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 struct mrd_table *seen, const struct mrd_rule *rule)
{
	const struct mrd_doc_node *first;
	struct mrd_text text = {0};
	const char *name;
	char *copy;

	mrd_read_text(reader, node, NULL, &text);
	name = !text.node ? "" : strcmp(text.text, ".") != 0 ? text.text : rule->namespace_;
	if (text.node && strcmp(name, "*") != 0 && !mrd_label_is_dns(name, strlen(name)))
		mrd_read_error(reader, node, "must be \".\", \"*\" or a namespace, not \"%s\"",
			       text.text);
	first = text.node ? mrd_read_first(reader, seen, name, node) : NULL;
	if (first)
		mrd_read_error(reader, node, "\"%s\" is there twice%s", text.text,
			       !strcmp(first->text, text.text)
				       ? ""
				       : ": \".\" is the rule's own namespace");
	copy = strdup(name);
	if (!copy)
		reader->no_memory = true;
	return copy;
}

static void free_exports(struct mrd_rule *rule)
{
	for (size_t i = 0; i < rule->export_count; i++)
		free(rule->exports[i]);
	rule->export_count = 0;
}

/* Returns whether there was memory for all of them. */
static bool read_exports(struct mrd_reader *reader, const struct mrd_doc_node *list,
			 struct mrd_rule *rule)
{
	MRD_AUTO_TABLE struct mrd_table *seen = mrd_table_new(NULL);
	struct mrd_step all = {.up = reader->at, .index = list->count}; /* none so far */

	rule->exports = reallocarray(NULL, list->count, sizeof(*rule->exports));
	if (!rule->exports) {
		reader->no_memory = true;
		return false;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step step = {.up = reader->at, .index = i};
		char *entry;

		reader->at = &step;
		entry = read_export(reader, list->items[i], seen, rule);
		reader->at = step.up;
		if (!entry)
			return false;
		rule->exports[rule->export_count++] = entry;
		if (all.index == list->count && !strcmp(entry, "*"))
			all.index = i;
	}
	if (all.index < list->count && list->count > 1) {
		reader->at = &all;
		mrd_read_error(reader, list->items[all.index], "\"*\" must stand alone");
		reader->at = all.up;
	}
	if (all.index < list->count)
		free_exports(rule);
	else
		qsort(rule->exports, rule->export_count, sizeof(*rule->exports), compare_texts);
	return true;
}

/* In the root namespace it is asked about the service's namespace, which a host may name. */
static void warn_of_exports(struct mrd_reader *reader, const struct mrd_doc_node *list,
			    const struct mrd_rule *rule, const struct mrd_policy *policy)
{
	MRD_AUTO_FREE char *namespace_ = NULL;
	const char *at;
	size_t len;

	if (strcmp(rule->namespace_, policy->root_namespace) != 0) {
		mrd_read_warning(reader, list, "not honoured: the rule holds for all clients");
		return;
	}
	at = mrd_host_namespace(rule->host, policy->cluster_domain, &len);
	namespace_ = at ? strndup(at, len) : NULL;
	reader->no_memory |= at && !namespace_;
	if (namespace_ && strcmp(namespace_, rule->namespace_) != 0 &&
	    !mrd_rule_is_exported_to(rule, namespace_))
		mrd_read_warning(reader, list,
				 "no effect: the rule is not exported to %s, whose host it is for",
				 namespace_);
}

/* exportTo names namespaces of clients, whom nobody knows at the socket: see policy.c. */
static void check_exports(struct mrd_reader *reader, const struct rule_draft *draft,
			  struct mrd_rule *rule, const struct mrd_policy *policy)
{
	const struct mrd_step spec = {.up = reader->at, .name = "spec"};
	const struct mrd_step step = {.up = &spec, .name = "exportTo"};
	const struct mrd_doc_node *list = draft->spec.export_to;
	const size_t errors = reader->diag->errors;

	if (!list || !list->count)
		return;
	reader->at = &step;
	if (!read_exports(reader, list, rule)) {
		reader->at = spec.up;
		return;
	}
	if (draft->spec.selector &&
	    (rule->export_count != 1 || strcmp(rule->exports[0], rule->namespace_) != 0))
		mrd_read_error(reader, list,
			       "with a workloadSelector it must be the rule's own namespace");
	else if (rule->export_count && errors == reader->diag->errors)
		warn_of_exports(reader, list, rule, policy);
	reader->at = spec.up;
}

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
	if (!strcmp(rule->namespace_, policy->root_namespace) &&
	    strlen(node->text) < strlen(rule->host))
		mrd_read_warning(reader, node,
				 "means %s, a Service of the root namespace itself: others are "
				 "named in full",
				 rule->host);
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
static struct mrd_rule *make_rule(struct mrd_reader *reader, struct rule_draft *draft,
				  const struct mrd_policy *policy)
{
	const char *namespace_ = draft->meta.namespace_.node && *draft->meta.namespace_.text
					 ? draft->meta.namespace_.text
					 : "default";
	MRD_CLEANUP(rule_cleanup) struct mrd_rule *rule = calloc(1, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->namespace_ = strdup(namespace_);
	rule->place = mrd_read_place(reader, draft->spec.host.node);
	if (!rule->namespace_ || !rule->place)
		return NULL;
	if (asprintf(&rule->label, "%s/%s", namespace_, draft->meta.name.text) < 0) {
		rule->label = NULL;
		return NULL;
	}
	if (mrd_host_expand(draft->spec.host.text, namespace_, policy->cluster_domain,
			    &rule->host) < 0)
		return NULL;
	rule->ours = reader->notes->ours;
	for (size_t i = 0; i < MRD_OUR_COUNT; i++)
		rule->has_own |= reader->notes->at[i].own;
	rule->has_selector = draft->spec.selector;
	rule->traffic = draft->spec.traffic;
	draft->spec.traffic = (struct mrd_traffic){0};
	rule->subsets = MRD_STEAL_PTR(draft->subsets);
	rule->subset_count = draft->subset_count;
	rule->inherited = policy->mesh.outlier.rule;
	mrd_ours_apply(&rule->ours, &rule->inherited);
	rule->handshakes = mrd_handshakes_defaults;
	mrd_ours_apply_to_handshakes(&rule->ours, &rule->handshakes);
	return MRD_STEAL_PTR(rule);
}

/* What a rule of the same host has said before; of both, the first counts. */
static void check_former(struct mrd_reader *reader, const struct rule_draft *draft,
			 const struct mrd_rule *former, const struct mrd_rule *rule)
{
	const struct mrd_step subsets = {.up = reader->at->up, .name = "subsets"};
	const struct mrd_step *at = reader->at;
	const struct mrd_doc_node *host = draft->spec.host.node;
	const bool holds = rule->traffic.given && !former->traffic.given;

	if (former->traffic.given && rule->traffic.given)
		mrd_read_warning(reader, host,
				 "trafficPolicy has no effect: %s (%s) set one for this host first",
				 former->label, former->place);
	if (holds ? former->has_own : rule->has_own)
		mrd_read_warning(
			reader, host,
			"the annotations of %s (%s) have no effect: %s holds for this host",
			holds ? former->label : rule->label, holds ? former->place : rule->place,
			holds ? rule->label : former->label);
	for (size_t i = 0; i < rule->subset_count; i++) {
		const struct mrd_step item = {.up = &subsets, .index = i};
		const struct mrd_rule_subset *held = mrd_rule_held(former, rule->subsets[i].name);

		if (!held)
			continue;
		reader->at = &item;
		mrd_read_warning(reader, draft->spec.subsets->items[i],
				 "no effect: \"%s\" is at %s already", held->name, held->place);
		reader->at = at;
	}
}

/* Rules of one host for different clients, who are not told apart: one of them holds for all. */
static void check_rival(struct mrd_reader *reader, const struct mrd_doc_node *host,
			const struct mrd_rule *before, const struct mrd_rule *rule,
			const struct mrd_policy *policy)
{
	/* In the root namespace exportTo is by the service's namespace, which is known. */
	if (!before || !strcmp(rule->namespace_, policy->root_namespace))
		return;
	if (mrd_policy_first(policy, rule) == rule)
		mrd_read_warning(reader, host,
				 "holds for all clients instead of %s (%s), which is for fewer",
				 before->label, before->place);
	else
		mrd_read_warning(reader, host,
				 "no effect: %s (%s) holds for all clients of this host",
				 before->label, before->place);
}

static void add_rule(struct mrd_reader *reader, struct rule_draft *draft, struct mrd_policy *policy)
{
	const struct mrd_step spec = {.up = reader->at, .name = "spec"};
	const struct mrd_step at = {.up = &spec, .name = "host"};
	const struct mrd_doc_node *host = draft->spec.host.node;
	const struct mrd_rule *before;
	const struct mrd_rule *former;
	struct mrd_rule *rule = make_rule(reader, draft, policy);
	struct mrd_ip ip;

	if (!rule) {
		reader->no_memory = true;
		return;
	}
	check_exports(reader, draft, rule, policy);
	reader->at = &at;
	if (!mrd_host_is_valid(draft->spec.host.text))
		mrd_read_error(reader, host, "\"%s\" is no host name", draft->spec.host.text);
	else if (!mrd_ip_parse(draft->spec.host.text, &ip))
		mrd_read_error(reader, host, "\"%s\" is an address: name the Service",
			       draft->spec.host.text);
	else
		check_host(reader, host, rule, policy);
	before = mrd_policy_first(policy, rule);
	former = mrd_policy_peer(policy, rule);
	if (former)
		check_former(reader, draft, former, rule);
	if (mrd_policy_add(policy, rule) < 0)
		reader->no_memory = true;
	else if (!former)
		check_rival(reader, host, before, rule, policy);
	reader->at = spec.up;
}

static void inherit_notes(const struct mrd_notes *mesh, const struct mrd_step *root,
			  struct mrd_notes *notes)
{
	*notes = *mesh;
	notes->root = root;
	for (size_t i = 0; i < MRD_OUR_COUNT; i++)
		notes->at[i].own = false;
}

/* Names are printed, and keep rules apart. An empty namespace is none given. */
static void check_names(struct mrd_reader *reader, const struct mrd_meta_draft *meta)
{
	const struct mrd_text *name = &meta->name;
	const struct mrd_text *namespace_ = &meta->namespace_;
	struct mrd_step step = {.up = reader->at, .name = "name"};

	reader->at = &step;
	if (name->node && !mrd_label_is_dns_name(name->text, strlen(name->text)))
		mrd_read_error(reader, name->node,
			       "\"%s\" is no name of an object: small letters, digits, \"-\" and "
			       "\".\" inside",
			       name->text);
	step.name = "namespace";
	if (namespace_->node && *namespace_->text &&
	    !mrd_label_is_dns(namespace_->text, strlen(namespace_->text)))
		mrd_read_error(reader, namespace_->node,
			       "\"%s\" is no DNS label: small letters, digits and \"-\" inside",
			       namespace_->text);
	reader->at = step.up;
}

static void read_parts(struct mrd_reader *reader, const struct mrd_doc_node *root,
		       struct rule_draft *draft)
{
	const struct mrd_step metadata = {.up = reader->at, .name = "metadata"};
	const struct mrd_step spec = {.up = reader->at, .name = "spec"};
	const struct mrd_step subsets = {.up = &spec, .name = "subsets"};
	const struct mrd_doc_node *meta = mrd_doc_get(root, metadata.name);
	const size_t errors = reader->diag->errors;
	bool is_sound;

	mrd_read_metadata(reader, meta, &draft->meta);
	is_sound = reader->diag->errors == errors;
	mrd_read_block(reader, root, &rule_block, draft);
	reader->at = &metadata;
	/* Neither left out nor left empty; what else may be wrong with it has been told. */
	if (meta && meta->kind == MRD_DOC_MAP &&
	    (!mrd_doc_get(meta, "name") || (is_sound && !draft->meta.name.node)))
		mrd_read_error(reader, meta, "must have a name");
	check_names(reader, &draft->meta);
	reader->at = &subsets;
	mrd_read_subsets(reader, draft->spec.subsets, &draft->subsets, &draft->subset_count);
	reader->at = metadata.up;
}

void mrd_read_rule(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_policy *policy)
{
	const struct mrd_notes *mesh_notes = reader->notes;
	const size_t errors = reader->diag->errors;
	struct mrd_notes notes;
	struct rule_draft draft = {.meta.notes = &notes};

	inherit_notes(mesh_notes, reader->at, &notes);
	reader->notes = &notes;
	read_parts(reader, root, &draft);
	mrd_check_rule_notes(reader, &draft.spec.traffic, draft.subsets, draft.subset_count,
			     reader->diag->errors == errors);
	if (draft.meta.name.node && draft.spec.host.node)
		add_rule(reader, &draft, policy);
	reader->notes = mesh_notes;
	mrd_traffic_free(&draft.spec.traffic);
	for (size_t i = 0; draft.subsets && i < draft.subset_count; i++)
		mrd_rule_subset_free(&draft.subsets[i]);
	free(draft.subsets);
}
