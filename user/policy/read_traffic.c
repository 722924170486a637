/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* trafficPolicy and its blocks: the fields of Istio's TrafficPolicy, and what is made of them. */
#include "policy/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/locality.h"

enum {
	MAX_EJECTION_MS = 300000, /* Envoy's max_ejection_time, which Istio never sets */
	PORT_MAX = 65535,
	CONNECT_TIMEOUT_MAX_MS = 3600 * 1000, /* Istio's own limit */
};

static const struct mrd_number_limits percent = {.min = 0, .max = 100};
static const struct mrd_number_limits int32 = {.min = 0, .max = INT32_MAX};
static const struct mrd_list_of texts = {.read = mrd_read_text};

/* ------------------------------------------------------------------------- outlierDetection */

struct outlier_draft {
	struct mrd_number consecutive_5xx;
	struct mrd_number consecutive_gateway;
	struct mrd_flag split;
	struct mrd_number consecutive_local_origin;
	struct mrd_span interval;
	struct mrd_span base_ejection;
	struct mrd_number max_percent;
	struct mrd_number min_health;
};

static const struct mrd_number_limits http_code = {.min = 100, .max = 599};
static const struct mrd_list_of http_codes = {.read = mrd_read_number, .spec = &http_code};

static const struct mrd_field outlier_fields[] = {
	{
		.name = "consecutive5xxErrors",
		.read = mrd_read_number,
		.offset = offsetof(struct outlier_draft, consecutive_5xx),
	},
	{
		.name = "consecutiveGatewayErrors",
		.read = mrd_read_number,
		.offset = offsetof(struct outlier_draft, consecutive_gateway),
	},
	{
		.name = "splitExternalLocalOriginErrors",
		.read = mrd_read_flag,
		.offset = offsetof(struct outlier_draft, split),
	},
	{
		.name = "consecutiveLocalOriginFailures",
		.read = mrd_read_number,
		.offset = offsetof(struct outlier_draft, consecutive_local_origin),
	},
	{
		.name = "interval",
		.read = mrd_read_span,
		.offset = offsetof(struct outlier_draft, interval),
	},
	{
		.name = "baseEjectionTime",
		.read = mrd_read_span,
		.offset = offsetof(struct outlier_draft, base_ejection),
	},
	{
		.name = "maxEjectionPercent",
		.read = mrd_read_number,
		.spec = &percent,
		.offset = offsetof(struct outlier_draft, max_percent),
	},
	{
		.name = "minHealthPercent",
		.read = mrd_read_number,
		.spec = &percent,
		.offset = offsetof(struct outlier_draft, min_health),
	},
	{
		.name = "outlierDetectionHttpErrorCodes",
		.use = MRD_FIELD_IGNORED,
		.read = mrd_read_list,
		.spec = &http_codes,
		.why = "500 to 599 count as errors",
	},
	{
		.name = "consecutiveErrors",
		.use = MRD_FIELD_DEPRECATED,
		.read = mrd_read_number,
		.spec = &int32,
		.why = "write consecutive5xxErrors or consecutiveGatewayErrors",
	},
};
static const struct mrd_block outlier_block = MRD_BLOCK(outlier_fields);

static void check_outlier(struct mrd_reader *reader, const struct outlier_draft *draft,
			  const struct mrd_outlier_rule *rule)
{
	struct mrd_step step = {.up = reader->at};

	reader->at = &step;
	step.name = "consecutiveLocalOriginFailures";
	if (draft->consecutive_local_origin.node && rule->consecutive_local_origin &&
	    !rule->split_local_origin)
		mrd_read_error(reader, draft->consecutive_local_origin.node,
			       "needs splitExternalLocalOriginErrors: true");
	step.name = "consecutiveGatewayErrors";
	if (rule->consecutive_gateway && rule->consecutive_5xx &&
	    rule->consecutive_gateway >= rule->consecutive_5xx)
		mrd_read_warning(reader, draft->consecutive_gateway.node,
				 "no effect: consecutive5xxErrors (%u) is reached first",
				 rule->consecutive_5xx);
	step.name = "maxEjectionPercent";
	if (draft->max_percent.node && !draft->max_percent.value)
		mrd_read_warning(reader, draft->max_percent.node,
				 "0 is the same as not given; it does not mean never");
	reader->at = step.up;
}

static uint32_t number_or(const struct mrd_number *number, uint32_t absent)
{
	return number->node ? number->value : absent;
}

static uint64_t span_or(const struct mrd_span *span, uint64_t absent_ms)
{
	return span->node ? span->ms : absent_ms;
}

void mrd_read_outlier(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *block)
{
	struct outlier_draft draft = {0};
	struct mrd_outlier_rule rule = mrd_outlier_defaults;

	(void)unused;
	mrd_read_block(reader, node, &outlier_block, &draft);
	rule.consecutive_5xx = number_or(&draft.consecutive_5xx, rule.consecutive_5xx);
	rule.consecutive_gateway = draft.consecutive_gateway.value;
	rule.gateway_off = draft.consecutive_gateway.node && !draft.consecutive_gateway.value;
	rule.split_local_origin = draft.split.value;
	rule.consecutive_local_origin =
		number_or(&draft.consecutive_local_origin, rule.consecutive_local_origin);
	rule.interval_ms = span_or(&draft.interval, rule.interval_ms);
	rule.base_ejection_ms = span_or(&draft.base_ejection, rule.base_ejection_ms);
	rule.max_ejection_ms =
		rule.base_ejection_ms > MAX_EJECTION_MS ? rule.base_ejection_ms : MAX_EJECTION_MS;
	if (draft.max_percent.value) {
		rule.cap = MRD_CAP_PERCENT;
		rule.max_ejection_percent = draft.max_percent.value;
	}
	check_outlier(reader, &draft, &rule);
	if (block)
		*(struct mrd_outlier_block *)block = (struct mrd_outlier_block){
			.given = true,
			.rule = rule,
			.min_health_percent = draft.min_health.value,
		};
}

/* ------------------------------------------------------------------------- connectionPool */

static const struct mrd_span_limits connect_timeout = {.min_ms = 1,
						       .max_ms = CONNECT_TIMEOUT_MAX_MS};
static const struct mrd_span_limits or_zero = {.min_ms = 0};

static const struct mrd_field keepalive_fields[] = {
	{.name = "probes", .read = mrd_read_number},
	{.name = "time", .read = mrd_read_span},
	{.name = "interval", .read = mrd_read_span},
};
static const struct mrd_block keepalive_block = MRD_BLOCK(keepalive_fields);

#define IGNORED(field, reader_fn, field_spec)                                   \
	{                                                                       \
		.name = (field), .use = MRD_FIELD_IGNORED, .read = (reader_fn), \
		.spec = (field_spec)                                            \
	}

static const struct mrd_field tcp_fields[] = {
	IGNORED("maxConnections", mrd_read_number, &int32),
	IGNORED("connectTimeout", mrd_read_span, &connect_timeout),
	IGNORED("tcpKeepalive", mrd_read_block, &keepalive_block),
	IGNORED("maxConnectionDuration", mrd_read_span, NULL),
	IGNORED("idleTimeout", mrd_read_span, &or_zero),
};
static const struct mrd_block tcp_block = MRD_BLOCK(tcp_fields);

static const struct mrd_field http2_keepalive_fields[] = {
	{.name = "interval", .use = MRD_FIELD_REQUIRED, .read = mrd_read_span},
	{.name = "timeout", .use = MRD_FIELD_REQUIRED, .read = mrd_read_span},
};
static const struct mrd_block http2_keepalive_block = MRD_BLOCK(http2_keepalive_fields);

static const char *const upgrade_words[] = {"DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"};
static const struct mrd_words upgrades = MRD_WORDS(upgrade_words);

static const struct mrd_field http_fields[] = {
	IGNORED("http1MaxPendingRequests", mrd_read_number, &int32),
	IGNORED("http2MaxRequests", mrd_read_number, &int32),
	IGNORED("maxRequestsPerConnection", mrd_read_number, &int32),
	IGNORED("maxRetries", mrd_read_number, &int32),
	IGNORED("idleTimeout", mrd_read_span, NULL),
	IGNORED("h2UpgradePolicy", mrd_read_word, &upgrades),
	IGNORED("useClientProtocol", mrd_read_flag, NULL),
	IGNORED("maxConcurrentStreams", mrd_read_number, &int32),
	IGNORED("http2KeepAlive", mrd_read_block, &http2_keepalive_block),
};
static const struct mrd_block http_block = MRD_BLOCK(http_fields);

static void read_pool_http(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const void *unused, void *draft)
{
	const struct mrd_doc_node *upgrade = mrd_doc_get(node, "h2UpgradePolicy");
	const struct mrd_doc_node *client = mrd_doc_get(node, "useClientProtocol");
	bool use_client = false;

	(void)unused, (void)draft;
	mrd_read_block(reader, node, &http_block, NULL);
	if (upgrade && !strcmp(upgrade->text, "UPGRADE") && client &&
	    !mrd_doc_bool(client, &use_client) && use_client)
		mrd_read_exclusive(reader, node, "h2UpgradePolicy", "useClientProtocol");
}

static const struct mrd_field pool_fields[] = {
	{.name = "tcp", .read = mrd_read_block, .spec = &tcp_block},
	{.name = "http", .read = read_pool_http},
};
static const struct mrd_block pool_block = MRD_BLOCK(pool_fields);

void mrd_read_pool(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *draft)
{
	(void)unused, (void)draft;
	mrd_read_block(reader, node, &pool_block, NULL);
	if (node->kind == MRD_DOC_MAP && !node->count)
		mrd_read_error(reader, node, "must have tcp or http, or be left out");
}

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
	IGNORED("consistentHash", mrd_read_block, &hash_block),
	IGNORED("warmup", mrd_read_block, &warmup_block),
	IGNORED("warmupDurationSecs", mrd_read_span, NULL),
	IGNORED("zoneAwareLbSetting", mrd_read_zone_aware, NULL),
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
	IGNORED("tls", mrd_read_block, &tls_block),
	IGNORED("portLevelSettings", mrd_read_list, &port_levels),
	IGNORED("tunnel", mrd_read_block, &tunnel_block),
	IGNORED("proxyProtocol", mrd_read_block, &proxy_block),
	IGNORED("retryBudget", mrd_read_block, &retry_block),
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
