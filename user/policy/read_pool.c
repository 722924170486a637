/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * connectionPool: checked as Istio does. Some of its limits are a proxy's, which sees requests and
 * queues them; each field that is set and not acted on is named, once.
 */
#include "policy/read.h"

#include <string.h>

enum { MS_PER_S = 1000 };

static const char no_requests[] = "it counts requests, which are not seen at the socket";
static const char no_protocol[] = "the application chooses its protocol";
static const char own_sockets[] = "connections are the application's own";

static const struct mrd_number_limits int32 = {.min = 0, .max = INT32_MAX};
/* Istio's limit of an hour is for the mesh's own connectTimeout; TCP_USER_TIMEOUT is an int. */
static const struct mrd_span_limits connect_timeout = {.min_ms = 1, .max_ms = INT32_MAX};
static const struct mrd_span_limits or_zero = {.min_ms = 0};

/* ------------------------------------------------------------------------------- tcp */

struct pool_draft {
	struct mrd_number max_connections;
	struct mrd_span connect_timeout;
	bool has_keepalive;
	struct mrd_number probes;
	struct mrd_span keepalive_time;
	struct mrd_span keepalive_interval;
	struct mrd_span max_duration;
	struct mrd_span idle_timeout;
	struct mrd_number pending;
	struct mrd_number requests;
	struct mrd_number per_connection;
	struct mrd_number retries;
	struct mrd_number streams;
	struct mrd_span http_idle_timeout;
	struct mrd_word h2_upgrade;
	struct mrd_flag use_client_protocol;
	struct mrd_span http2_interval;
	struct mrd_span http2_timeout;
};

/* The blocks inside share the pool's draft. */
static const struct mrd_field keepalive_fields[] = {
	{
		.name = "probes",
		.read = mrd_read_number,
		.offset = offsetof(struct pool_draft, probes),
	},
	{
		.name = "time",
		.read = mrd_read_span,
		.offset = offsetof(struct pool_draft, keepalive_time),
	},
	{
		.name = "interval",
		.read = mrd_read_span,
		.offset = offsetof(struct pool_draft, keepalive_interval),
	},
};
static const struct mrd_block keepalive_block = MRD_BLOCK(keepalive_fields);

uint32_t mrd_keepalive_seconds(uint64_t ms)
{
	const uint64_t seconds = ms / MS_PER_S + (ms % MS_PER_S != 0);

	return seconds < MRD_KEEPALIVE_MAX_S ? (uint32_t)seconds : MRD_KEEPALIVE_MAX_S;
}

uint32_t mrd_keepalive_probes(uint32_t probes)
{
	return probes < MRD_KEEPALIVE_PROBES_MAX ? probes : MRD_KEEPALIVE_PROBES_MAX;
}

static void compare_span(struct mrd_reader *reader, const struct mrd_span *given)
{
	const uint32_t seconds = mrd_keepalive_seconds(given->ms);

	if (given->node && (uint64_t)seconds * MS_PER_S != given->ms)
		mrd_read_warning(reader, given->node,
				 "the kernel takes whole seconds, at most %d: %us holds",
				 MRD_KEEPALIVE_MAX_S, seconds);
}

static void compare_probes(struct mrd_reader *reader, const struct mrd_number *given)
{
	const uint32_t probes = mrd_keepalive_probes(given->value);

	if (given->node && probes != given->value)
		mrd_read_warning(reader, given->node, "the kernel takes at most %u, which hold",
				 probes);
}

/* An empty one asks for keep-alive with the kernel's own times. */
static void read_keepalive(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const void *unused, void *draft)
{
	struct pool_draft *pool = draft;

	(void)unused;
	mrd_read_block(reader, node, &keepalive_block, pool);
	pool->has_keepalive = node->kind == MRD_DOC_MAP;
	compare_span(reader, &pool->keepalive_time);
	compare_span(reader, &pool->keepalive_interval);
	compare_probes(reader, &pool->probes);
}

#define TAKEN(field, reader_fn, field_spec, member)                         \
	{                                                                   \
		.name = (field), .read = (reader_fn), .spec = (field_spec), \
		.offset = offsetof(struct pool_draft, member)               \
	}

#define KEPT(field, reader_fn, field_spec, member, reason)                                         \
	{                                                                                          \
		.name = (field), .use = MRD_FIELD_KEPT, .read = (reader_fn), .spec = (field_spec), \
		.offset = offsetof(struct pool_draft, member), .why = (reason)                     \
	}

static const struct mrd_field tcp_fields[] = {
	TAKEN("maxConnections", mrd_read_number, &int32, max_connections),
	TAKEN("connectTimeout", mrd_read_span, &connect_timeout, connect_timeout),
	{.name = "tcpKeepalive", .read = read_keepalive},
	KEPT("maxConnectionDuration", mrd_read_span, NULL, max_duration, NULL),
	KEPT("idleTimeout", mrd_read_span, &or_zero, idle_timeout, own_sockets),
};
static const struct mrd_block tcp_block = MRD_BLOCK(tcp_fields);

/* ------------------------------------------------------------------------------- http */

static const struct mrd_field http2_keepalive_fields[] = {
	{
		.name = "interval",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_span,
		.offset = offsetof(struct pool_draft, http2_interval),
	},
	{
		.name = "timeout",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_span,
		.offset = offsetof(struct pool_draft, http2_timeout),
	},
};
static const struct mrd_block http2_keepalive_block = MRD_BLOCK(http2_keepalive_fields);

const char *const mrd_h2_upgrade_words[MRD_H2_UPGRADES] = {
	[MRD_H2_UPGRADE_DEFAULT] = "DEFAULT",
	[MRD_H2_UPGRADE_NEVER] = "DO_NOT_UPGRADE",
	[MRD_H2_UPGRADE_ALWAYS] = "UPGRADE",
};
static const struct mrd_words upgrades = MRD_WORDS(mrd_h2_upgrade_words);

static const struct mrd_field http_fields[] = {
	KEPT("http1MaxPendingRequests", mrd_read_number, &int32, pending, no_requests),
	KEPT("http2MaxRequests", mrd_read_number, &int32, requests, no_requests),
	TAKEN("maxRequestsPerConnection", mrd_read_number, &int32, per_connection),
	KEPT("maxRetries", mrd_read_number, &int32, retries, no_requests),
	KEPT("idleTimeout", mrd_read_span, NULL, http_idle_timeout, own_sockets),
	KEPT("h2UpgradePolicy", mrd_read_word, &upgrades, h2_upgrade, no_protocol),
	KEPT("useClientProtocol", mrd_read_flag, NULL, use_client_protocol, no_protocol),
	KEPT("maxConcurrentStreams", mrd_read_number, &int32, streams, no_requests),
	{
		.name = "http2KeepAlive",
		.use = MRD_FIELD_KEPT,
		.read = mrd_read_block,
		.spec = &http2_keepalive_block,
		.why = own_sockets,
	},
};
static const struct mrd_block http_block = MRD_BLOCK(http_fields);

static void read_pool_http(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const void *unused, void *draft)
{
	const struct pool_draft *pool = draft;

	(void)unused;
	mrd_read_block(reader, node, &http_block, draft);
	if (pool->h2_upgrade.node && pool->h2_upgrade.index == MRD_H2_UPGRADE_ALWAYS &&
	    pool->use_client_protocol.value)
		mrd_read_exclusive(reader, node, "h2UpgradePolicy", "useClientProtocol", "");
}

/* ------------------------------------------------------------------------------- the block */

static const struct mrd_field pool_fields[] = {
	{.name = "tcp", .read = mrd_read_block, .spec = &tcp_block},
	{.name = "http", .read = read_pool_http},
};
static const struct mrd_block pool_block = MRD_BLOCK(pool_fields);

static bool is_set(const struct mrd_doc_node *map, const char *name)
{
	const struct mrd_doc_node *value = mrd_doc_get(map, name);

	return value && value->kind != MRD_DOC_NULL;
}

void mrd_read_pool(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		   void *block)
{
	struct mrd_pool_block *into = block;
	const struct mrd_doc_node *key = reader->key;
	struct mrd_pool_rule rule = mrd_pool_defaults;
	struct pool_draft draft = {0};

	(void)unused;
	mrd_read_block(reader, node, &pool_block, &draft);
	if (node->kind == MRD_DOC_MAP && !is_set(node, "tcp") && !is_set(node, "http"))
		mrd_read_error(reader, node, "must have tcp or http, or be left out");
	rule.max_connections = draft.max_connections.value;
	rule.connect_timeout_ms = draft.connect_timeout.ms;
	rule.has_keepalive = draft.has_keepalive;
	rule.keepalive_probes = draft.probes.value;
	rule.keepalive_time_ms = draft.keepalive_time.ms;
	rule.keepalive_interval_ms = draft.keepalive_interval.ms;
	rule.max_connection_duration_ms = draft.max_duration.ms;
	if (draft.idle_timeout.node)
		rule.idle_timeout_ms = draft.idle_timeout.ms;
	rule.http_idle_timeout_ms =
		draft.http_idle_timeout.node ? draft.http_idle_timeout.ms : rule.idle_timeout_ms;
	rule.http1_max_pending_requests = draft.pending.value;
	rule.http2_max_requests = draft.requests.value;
	rule.max_requests_per_connection = draft.per_connection.value;
	rule.max_retries = draft.retries.value;
	rule.max_concurrent_streams = draft.streams.value;
	rule.h2_upgrade = (enum mrd_h2_upgrade)draft.h2_upgrade.index;
	rule.use_client_protocol = draft.use_client_protocol.value;
	rule.http2_keepalive_interval_ms = draft.http2_interval.ms;
	rule.http2_keepalive_timeout_ms = draft.http2_timeout.ms;
	into->given = true;
	into->rule = rule;
	into->place = mrd_read_place(reader, key);
}
