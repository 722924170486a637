/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* trafficPolicy and its blocks: the fields of Istio's TrafficPolicy, and what is made of them. */
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/locality.h"

enum { PORT_MAX = 65535 };

static const struct mrd_list_of texts = {.read = mrd_read_text};
static const struct mrd_span_limits or_zero = {.min_ms = 0};

/* ------------------------------------------------------------------------- loadBalancer */

enum { SIMPLE_LEAST_CONN = 5 };

static const char *const simple_words[] = {
	"UNSPECIFIED", "LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH", "LEAST_CONN",
};
static const enum mrd_lb simple_lbs[] = {
	MRD_LB_LEAST_REQUEST, MRD_LB_LEAST_REQUEST, MRD_LB_ROUND_ROBIN,
	MRD_LB_RANDOM,	      MRD_LB_PASSTHROUGH,   MRD_LB_LEAST_REQUEST,
};
static const struct mrd_words simples = MRD_WORDS(simple_words);

static const struct mrd_field attribute_fields[] = {
	{.name = "name", .use = MRD_FIELD_REQUIRED, .read = mrd_read_text},
	{.name = "value", .read = mrd_read_text},
};
static const struct mrd_block attribute_block = MRD_BLOCK(attribute_fields);
static const struct mrd_list_of attributes = {.read = mrd_read_block, .spec = &attribute_block};

static const struct mrd_field cookie_fields[] = {
	{.name = "name", .use = MRD_FIELD_REQUIRED, .read = mrd_read_text},
	{.name = "path", .read = mrd_read_text},
	{.name = "ttl", .read = mrd_read_span, .spec = &or_zero},
	{.name = "attributes", .read = mrd_read_list, .spec = &attributes},
};
static const struct mrd_block cookie_block = MRD_BLOCK(cookie_fields);

static const struct mrd_field ring_fields[] = {
	{.name = "minimumRingSize", .read = mrd_read_number},
};
static const struct mrd_block ring_block = MRD_BLOCK(ring_fields);

static const struct mrd_field maglev_fields[] = {
	{.name = "tableSize", .read = mrd_read_number},
};
static const struct mrd_block maglev_block = MRD_BLOCK(maglev_fields);

static const struct mrd_field hash_fields[] = {
	{.name = "httpHeaderName", .read = mrd_read_text},
	{.name = "httpCookie", .read = mrd_read_block, .spec = &cookie_block},
	{.name = "useSourceIp", .read = mrd_read_flag},
	{.name = "httpQueryParameterName", .read = mrd_read_text},
	{.name = "ringHash", .read = mrd_read_block, .spec = &ring_block},
	{.name = "maglev", .read = mrd_read_block, .spec = &maglev_block},
	{.name = "minimumRingSize", .read = mrd_read_number},
};
static const struct mrd_block hash_block = MRD_BLOCK(hash_fields);

static const struct mrd_field warmup_fields[] = {
	{.name = "duration", .use = MRD_FIELD_REQUIRED, .read = mrd_read_span},
	{.name = "minimumPercent", .read = mrd_read_any},
	{.name = "aggression", .read = mrd_read_any},
};
static const struct mrd_block warmup_block = MRD_BLOCK(warmup_fields);

struct lb_draft {
	struct mrd_word simple;
	struct mrd_locality_setting *locality; /* owned */
};

static const struct mrd_field lb_fields[] = {
	{
		.name = "simple",
		.read = mrd_read_word,
		.spec = &simples,
		.offset = offsetof(struct lb_draft, simple),
	},
	{
		.name = "localityLbSetting",
		.read = mrd_read_locality,
		.offset = offsetof(struct lb_draft, locality),
	},
	MRD_IGNORED("consistentHash", mrd_read_block, &hash_block),
	MRD_IGNORED("warmup", mrd_read_block, &warmup_block),
	MRD_IGNORED("warmupDurationSecs", mrd_read_span, NULL),
	MRD_IGNORED("zoneAwareLbSetting", mrd_read_zone_aware, NULL),
};
static const struct mrd_block lb_block = MRD_BLOCK(lb_fields);

static void read_lb(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		    void *traffic)
{
	const struct mrd_step simple = {.up = reader->at, .name = "simple"};
	struct mrd_traffic *into = traffic;
	struct lb_draft draft = {0};

	(void)unused;
	mrd_read_block(reader, node, &lb_block, &draft);
	mrd_read_exclusive(reader, node, "localityLbSetting", "zoneAwareLbSetting");
	if (draft.simple.node && draft.simple.index == SIMPLE_LEAST_CONN) {
		reader->at = &simple;
		mrd_read_warning(reader, draft.simple.node,
				 "LEAST_CONN is deprecated: write LEAST_REQUEST");
		reader->at = simple.up;
	}
	mrd_read_exclusive(reader, node, "simple", "consistentHash");
	if (!into) {
		mrd_locality_setting_free(draft.locality);
		return;
	}
	into->lb = draft.simple.node ? simple_lbs[draft.simple.index] : MRD_LB_LEAST_REQUEST;
	into->locality = draft.locality;
}

/* ------------------------------------------------------------------------- trafficPolicy */

static const char *const tls_words[] = {"DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"};
static const struct mrd_words tls_modes = MRD_WORDS(tls_words);

static const struct mrd_field tls_fields[] = {
	{.name = "mode", .read = mrd_read_word, .spec = &tls_modes},
	{.name = "clientCertificate", .read = mrd_read_text},
	{.name = "privateKey", .read = mrd_read_text},
	{.name = "caCertificates", .read = mrd_read_text},
	{.name = "credentialName", .read = mrd_read_text},
	{.name = "subjectAltNames", .read = mrd_read_list, .spec = &texts},
	{.name = "sni", .read = mrd_read_text},
	{.name = "insecureSkipVerify", .read = mrd_read_flag},
	{.name = "caCrl", .read = mrd_read_text},
};
static const struct mrd_block tls_block = MRD_BLOCK(tls_fields);

static const struct mrd_number_limits port_number = {.min = 1, .max = PORT_MAX};
static const struct mrd_field port_fields[] = {
	{
		.name = "number",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_number,
		.spec = &port_number,
	},
};
static const struct mrd_block port_block = MRD_BLOCK(port_fields);

static const struct mrd_field port_level_fields[] = {
	{.name = "port", .use = MRD_FIELD_REQUIRED, .read = mrd_read_block, .spec = &port_block},
	{.name = "loadBalancer", .read = read_lb},
	{.name = "connectionPool", .read = mrd_read_pool},
	{.name = "outlierDetection", .read = mrd_read_outlier},
	{.name = "tls", .read = mrd_read_block, .spec = &tls_block},
};
static const struct mrd_block port_level_block = MRD_BLOCK(port_level_fields);
static const struct mrd_list_of port_levels = {.read = mrd_read_block, .spec = &port_level_block};

static const struct mrd_field tunnel_fields[] = {
	{.name = "protocol", .read = mrd_read_text},
	{.name = "targetHost", .use = MRD_FIELD_REQUIRED, .read = mrd_read_text},
	{
		.name = "targetPort",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_number,
		.spec = &port_number,
	},
};
static const struct mrd_block tunnel_block = MRD_BLOCK(tunnel_fields);

static const char *const proxy_words[] = {"V1", "V2"};
static const struct mrd_words proxy_versions = MRD_WORDS(proxy_words);
static const struct mrd_field proxy_fields[] = {
	{.name = "version", .read = mrd_read_word, .spec = &proxy_versions},
};
static const struct mrd_block proxy_block = MRD_BLOCK(proxy_fields);

static const struct mrd_field retry_fields[] = {
	{.name = "percent", .read = mrd_read_any},
	{.name = "minRetryConcurrency", .read = mrd_read_number},
};
static const struct mrd_block retry_block = MRD_BLOCK(retry_fields);

static const struct mrd_field traffic_fields[] = {
	{.name = "loadBalancer", .read = read_lb},
	{.name = "connectionPool", .read = mrd_read_pool},
	{
		.name = "outlierDetection",
		.read = mrd_read_outlier,
		.offset = offsetof(struct mrd_traffic, outlier),
	},
	MRD_IGNORED("tls", mrd_read_block, &tls_block),
	MRD_IGNORED("portLevelSettings", mrd_read_list, &port_levels),
	MRD_IGNORED("tunnel", mrd_read_block, &tunnel_block),
	MRD_IGNORED("proxyProtocol", mrd_read_block, &proxy_block),
	MRD_IGNORED("retryBudget", mrd_read_block, &retry_block),
};
static const struct mrd_block traffic_block = MRD_BLOCK(traffic_fields);

void mrd_read_traffic(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *traffic)
{
	static const char *const way[] = {"loadBalancer", "localityLbSetting", "failover"};
	struct mrd_traffic *into = traffic;
	struct mrd_step steps[sizeof(way) / sizeof(*way)];
	const struct mrd_step *up = reader->at;

	(void)unused;
	mrd_read_block(reader, node, &traffic_block, traffic);
	if (!into)
		return;
	into->given = true;
	if (into->outlier.given || !into->locality || !into->locality->failover_count)
		return;
	/* The most frequent complaint about Istio's locality failover is this silence. */
	for (size_t i = 0; i < sizeof(way) / sizeof(*way); i++) {
		steps[i] = (struct mrd_step){.up = reader->at, .name = way[i]};
		reader->at = &steps[i];
		node = mrd_doc_get(node, way[i]);
	}
	mrd_read_warning(reader, node,
			 "works from readiness and failed handshakes; Istio would ignore it "
			 "without outlierDetection");
	reader->at = up;
}
