/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The mesh-wide document: keys of Istio's MeshConfig, without apiVersion and kind. It may be spread
 * over several documents and files, but each key stands once: which one would win could not be
 * seen.
 */
#include "policy/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/locality.h"

enum { CONNECT_TIMEOUT_MAX_MS = 3600 * 1000 };

/* Where an earlier document set a key; it borrows from that document. */
struct seen {
	const char *file;
	const struct mrd_doc_node *key;
	const struct mrd_doc_node *value;
};

struct mesh_draft {
	struct mrd_outlier_block outlier; /* members of these are owned */
	struct mrd_pool_block pool;
	struct mrd_locality_setting *locality;
	struct mrd_locality_setting *zone_aware;
	const struct mrd_doc_node *services;
};

/* ------------------------------------------------------------------------- the document */

static const struct mrd_span_limits connect_timeout = {.min_ms = 1,
						       .max_ms = CONNECT_TIMEOUT_MAX_MS};

static const struct mrd_field default_traffic_fields[] = {
	{
		.name = "connectionPool",
		.read = mrd_read_pool,
		.offset = offsetof(struct mesh_draft, pool),
	},
	{
		.name = "outlierDetection",
		.read = mrd_read_outlier,
		.offset = offsetof(struct mesh_draft, outlier),
	},
};
static const struct mrd_block default_traffic_block = MRD_BLOCK(default_traffic_fields);

static const struct mrd_field mesh_fields[] = {
	{.name = "metadata", .use = MRD_FIELD_SILENT, .read = mrd_read_any},
	{
		.name = "localityLbSetting",
		.read = mrd_read_locality,
		.offset = offsetof(struct mesh_draft, locality),
	},
	{
		.name = "serviceSettings",
		.read = mrd_read_list_node,
		.offset = offsetof(struct mesh_draft, services),
	},
	{
		.name = "defaultTrafficPolicy",
		.read = mrd_read_block,
		.spec = &default_traffic_block,
	},
	{
		.name = "zoneAwareLbSetting",
		.read = mrd_read_zone_aware,
		.offset = offsetof(struct mesh_draft, zone_aware),
	},
	{
		.name = "connectTimeout",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_span,
		.spec = &connect_timeout,
	},
	MRD_IGNORED("accessLogEncoding", mrd_read_any, NULL),
	MRD_IGNORED("accessLogFile", mrd_read_any, NULL),
	MRD_IGNORED("accessLogFormat", mrd_read_any, NULL),
	MRD_IGNORED("ca", mrd_read_any, NULL),
	MRD_IGNORED("caCertificates", mrd_read_any, NULL),
	MRD_IGNORED("certificates", mrd_read_any, NULL),
	MRD_IGNORED("configSources", mrd_read_any, NULL),
	MRD_IGNORED("defaultConfig", mrd_read_any, NULL),
	MRD_IGNORED("defaultDestinationRuleExportTo", mrd_read_any, NULL),
	MRD_IGNORED("defaultHttpRetryPolicy", mrd_read_any, NULL),
	MRD_IGNORED("defaultProviders", mrd_read_any, NULL),
	MRD_IGNORED("defaultServiceExportTo", mrd_read_any, NULL),
	MRD_IGNORED("defaultVirtualServiceExportTo", mrd_read_any, NULL),
	MRD_IGNORED("disableEnvoyListenerLog", mrd_read_any, NULL),
	MRD_IGNORED("discoverySelectors", mrd_read_any, NULL),
	MRD_IGNORED("dnsRefreshRate", mrd_read_any, NULL),
	MRD_IGNORED("enableAutoMtls", mrd_read_any, NULL),
	MRD_IGNORED("enableEnvoyAccessLogService", mrd_read_any, NULL),
	MRD_IGNORED("enablePrometheusMerge", mrd_read_any, NULL),
	MRD_IGNORED("enableTracing", mrd_read_any, NULL),
	MRD_IGNORED("extensionProviders", mrd_read_any, NULL),
	MRD_IGNORED("h2UpgradePolicy", mrd_read_any, NULL),
	MRD_IGNORED("inboundClusterStatName", mrd_read_any, NULL),
	MRD_IGNORED("inboundTrafficPolicy", mrd_read_any, NULL),
	MRD_IGNORED("ingressClass", mrd_read_any, NULL),
	MRD_IGNORED("ingressControllerMode", mrd_read_any, NULL),
	MRD_IGNORED("ingressSelector", mrd_read_any, NULL),
	MRD_IGNORED("ingressService", mrd_read_any, NULL),
	MRD_IGNORED("meshMTLS", mrd_read_any, NULL),
	MRD_IGNORED("outboundClusterStatName", mrd_read_any, NULL),
	MRD_IGNORED("outboundTrafficPolicy", mrd_read_any, NULL),
	MRD_IGNORED("pathNormalization", mrd_read_any, NULL),
	MRD_IGNORED("protocolDetectionTimeout", mrd_read_any, NULL),
	MRD_IGNORED("proxyHttpPort", mrd_read_any, NULL),
	MRD_IGNORED("proxyInboundListenPort", mrd_read_any, NULL),
	MRD_IGNORED("proxyListenPort", mrd_read_any, NULL),
	MRD_IGNORED("rootNamespace", mrd_read_any, NULL),
	MRD_IGNORED("tcpKeepalive", mrd_read_any, NULL),
	MRD_IGNORED("thriftConfig", mrd_read_any, NULL),
	MRD_IGNORED("tlsDefaults", mrd_read_any, NULL),
	MRD_IGNORED("trustDomain", mrd_read_any, NULL),
	MRD_IGNORED("trustDomainAliases", mrd_read_any, NULL),
	MRD_IGNORED("verifyCertificateAtClient", mrd_read_any, NULL),
};
static const struct mrd_block mesh_block = MRD_BLOCK(mesh_fields);

/* ------------------------------------------------------------------------- each key once */

/* One of the two modes in each of two documents is the mistake that users really make. */
static const char *mode_of(const struct mrd_doc_node *setting, const struct mrd_doc_node **ret_key)
{
	static const char *const modes[] = {"distribute", "failover"};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		const struct mrd_doc_node *list = mrd_doc_get(setting, modes[i]);

		if (!list || !list->count)
			continue;
		*ret_key = mrd_read_key(setting, modes[i]);
		return modes[i];
	}
	return NULL;
}

static void twice(struct mrd_reader *reader, const struct seen *former, const struct seen *now)
{
	const struct mrd_doc_node *former_key = NULL;
	const struct mrd_doc_node *now_key = NULL;
	const char *former_mode = mode_of(former->value, &former_key);
	const char *now_mode = mode_of(now->value, &now_key);
	const struct mrd_step step = {.up = reader->at, .name = now_mode};

	if (!former_mode || !now_mode || !strcmp(former_mode, now_mode)) {
		mrd_read_error(reader, now->key,
			       "set at %s:%u:%u and again at %s:%u:%u: remove one", former->file,
			       former->key->line, former->key->column, now->file, now->key->line,
			       now->key->column);
		return;
	}
	reader->at = &step;
	mrd_read_error(reader, now_key,
		       "%s (%s:%u:%u) and %s (%s:%u:%u) exclude each other: remove one",
		       former_mode, former->file, former_key->line, former_key->column, now_mode,
		       now->file, now_key->line, now_key->column);
	reader->at = step.up;
}

/* prefix keeps keys of different maps apart. */
static void note_key(struct mrd_reader *reader, const struct mrd_doc_node *map, size_t index,
		     const char *prefix, struct mrd_table *seen)
{
	const struct seen now = {
		.file = reader->file, .key = map->keys[index], .value = map->items[index]};
	const struct mrd_step step = {.up = reader->at, .name = now.key->text};
	MRD_AUTO_FREE struct seen *copy = malloc(sizeof(*copy));
	MRD_AUTO_FREE char *key = NULL;
	const struct seen *former;

	if (asprintf(&key, "%s%s", prefix, now.key->text) < 0)
		key = NULL;
	if (!key || !copy) {
		reader->no_memory = true;
		return;
	}
	former = mrd_table_get_str(seen, key);
	if (former) {
		reader->at = &step;
		twice(reader, former, &now);
		reader->at = step.up;
		return;
	}
	*copy = now;
	if (mrd_table_put_str(seen, key, copy) < 0)
		reader->no_memory = true;
	else
		(void)MRD_STEAL_PTR(copy);
}

static void note_document(struct mrd_reader *reader, const struct mrd_doc_node *root,
			  struct mrd_table *seen)
{
	const struct mrd_step metadata = {.up = reader->at, .name = "metadata"};
	const struct mrd_step annotations = {.up = &metadata, .name = "annotations"};
	const struct mrd_doc_node *notes =
		mrd_doc_get(mrd_doc_get(root, metadata.name), annotations.name);

	for (size_t i = 0; i < root->count; i++)
		if (strcmp(root->keys[i]->text, metadata.name) != 0)
			note_key(reader, root, i, "", seen);
	reader->at = &annotations;
	for (size_t i = 0; notes && notes->kind == MRD_DOC_MAP && i < notes->count; i++)
		if (mrd_is_ours(notes->keys[i]->text))
			note_key(reader, notes, i, "annotations/", seen);
	reader->at = metadata.up;
}

/* Of two documents; in one it is told already. */
static void note_setting(struct mrd_reader *reader, const struct mrd_doc_node *root,
			 const struct mrd_table *seen)
{
	static const char *const names[] = {"localityLbSetting", "zoneAwareLbSetting"};

	for (size_t i = 0; i < 2; i++) {
		const struct mrd_doc_node *key = mrd_read_key(root, names[i]);
		const struct seen *other = mrd_table_get_str(seen, names[1 - i]);
		const struct mrd_step step = {.up = reader->at, .name = names[i]};

		if (!key || !other || mrd_doc_get(root, names[1 - i]))
			continue;
		reader->at = &step;
		mrd_read_error(reader, key,
			       "%s (%s:%u:%u) and %s (%s:%u:%u) exclude each other: remove one",
			       names[1 - i], other->file, other->key->line, other->key->column,
			       names[i], reader->file, key->line, key->column);
		reader->at = step.up;
	}
}

static void take_draft(struct mrd_reader *reader, const struct mrd_doc_node *root,
		       struct mesh_draft *draft, struct mrd_mesh *mesh)
{
	const char *name = draft->zone_aware ? "zoneAwareLbSetting" : "localityLbSetting";
	struct mrd_locality_setting **setting =
		draft->zone_aware ? &draft->zone_aware : &draft->locality;

	/* What stands twice is an error; the first is kept so that nothing leaks. */
	if (draft->outlier.given && !mesh->outlier.given)
		mesh->outlier = draft->outlier;
	else
		mrd_outlier_block_free(&draft->outlier);
	if (draft->pool.given && !mesh->pool.given)
		mesh->pool = draft->pool;
	else
		free(draft->pool.place);
	if (*setting && !mesh->locality) {
		mesh->locality = MRD_STEAL_PTR(*setting);
		mesh->locality_place = mrd_read_place(reader, mrd_read_key(root, name));
	}
	mrd_locality_setting_free(draft->locality);
	mrd_locality_setting_free(draft->zone_aware);
}

/* "spec" is no key of the mesh's: a rule that lost its head, which is told once. */
static bool is_headless_rule(const struct mrd_doc_node *root)
{
	return mrd_doc_get(root, "spec") != NULL;
}

void mrd_read_mesh_notes(struct mrd_reader *reader, const struct mrd_doc_node *root,
			 struct mrd_notes *notes)
{
	struct mrd_meta_draft draft = {.notes = notes};

	if (!is_headless_rule(root))
		mrd_read_metadata(reader, mrd_doc_get(root, "metadata"), &draft);
}

void mrd_read_mesh(struct mrd_reader *reader, const struct mrd_doc_node *root,
		   struct mrd_table *seen, struct mrd_policy *policy)
{
	struct mesh_draft draft = {0};

	if (is_headless_rule(root)) {
		mrd_read_error(reader, root,
			       "has a spec, but neither apiVersion nor kind: is it a "
			       "DestinationRule of networking.istio.io/v1?");
		return;
	}
	mrd_read_block(reader, root, &mesh_block, &draft);
	mrd_read_exclusive(reader, root, "localityLbSetting", "zoneAwareLbSetting", "");
	note_setting(reader, root, seen);
	note_document(reader, root, seen);
	mrd_read_services(reader, draft.services, policy);
	take_draft(reader, root, &draft, &policy->mesh);
}

static bool is_watched(const struct mrd_traffic *traffic)
{
	for (size_t i = 0; i < traffic->port_count; i++)
		if (traffic->ports[i].blocks.outlier.given)
			return true;
	return traffic->blocks.outlier.given;
}

/* One rule's outlierDetection is enough to say nothing: explain says what holds for a service. */
void mrd_read_mesh_end(struct mrd_reader *reader, const struct mrd_table *seen,
		       const struct mrd_policy *policy)
{
	static const char *const names[] = {"localityLbSetting", "zoneAwareLbSetting"};

	if (policy->mesh.outlier.given)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		if (is_watched(&policy->rules[i]->traffic))
			return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct seen *setting = mrd_table_get_str(seen, names[i]);
		const struct mrd_step step = {.up = reader->at, .name = names[i]};

		if (!setting)
			continue;
		reader->at = &step;
		reader->file = setting->file;
		mrd_read_unwatched(reader, setting->value);
		reader->at = step.up;
	}
}
