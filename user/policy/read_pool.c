/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * connectionPool: its limits are a proxy's, which sees requests and queues them. All of it is
 * checked as Istio does, and each field that is set is named as not honoured.
 */
#include "policy/read.h"

#include <string.h>

enum { CONNECT_TIMEOUT_MAX_MS = 3600 * 1000 }; /* Istio's own limit */

static const struct mrd_number_limits int32 = {.min = 0, .max = INT32_MAX};
static const struct mrd_span_limits connect_timeout = {.min_ms = 1,
						       .max_ms = CONNECT_TIMEOUT_MAX_MS};
static const struct mrd_span_limits or_zero = {.min_ms = 0};

static const struct mrd_field keepalive_fields[] = {
	{.name = "probes", .read = mrd_read_number},
	{.name = "time", .read = mrd_read_span},
	{.name = "interval", .read = mrd_read_span},
};
static const struct mrd_block keepalive_block = MRD_BLOCK(keepalive_fields);

static const struct mrd_field tcp_fields[] = {
	MRD_IGNORED("maxConnections", mrd_read_number, &int32),
	MRD_IGNORED("connectTimeout", mrd_read_span, &connect_timeout),
	MRD_IGNORED("tcpKeepalive", mrd_read_block, &keepalive_block),
	MRD_IGNORED("maxConnectionDuration", mrd_read_span, NULL),
	MRD_IGNORED("idleTimeout", mrd_read_span, &or_zero),
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
	MRD_IGNORED("http1MaxPendingRequests", mrd_read_number, &int32),
	MRD_IGNORED("http2MaxRequests", mrd_read_number, &int32),
	MRD_IGNORED("maxRequestsPerConnection", mrd_read_number, &int32),
	MRD_IGNORED("maxRetries", mrd_read_number, &int32),
	MRD_IGNORED("idleTimeout", mrd_read_span, NULL),
	MRD_IGNORED("h2UpgradePolicy", mrd_read_word, &upgrades),
	MRD_IGNORED("useClientProtocol", mrd_read_flag, NULL),
	MRD_IGNORED("maxConcurrentStreams", mrd_read_number, &int32),
	MRD_IGNORED("http2KeepAlive", mrd_read_block, &http2_keepalive_block),
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
