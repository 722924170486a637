/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* trafficPolicy: the fields of Istio's TrafficPolicy, and those of single ports. */
#include "policy/read.h"

#include <stdlib.h>

enum { PORT_MAX = 65535 };

static const struct mrd_list_of texts = {.read = mrd_read_text};

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

static const struct mrd_real_limits percent = {.min = 0, .max = 100};
static const struct mrd_field retry_fields[] = {
	{.name = "percent", .read = mrd_read_real, .spec = &percent},
	{.name = "minRetryConcurrency", .read = mrd_read_number},
};
static const struct mrd_block retry_block = MRD_BLOCK(retry_fields);

#define BLOCK(field, reader_fn, type, member)                                          \
	{                                                                              \
		.name = (field), .read = (reader_fn), .offset = offsetof(type, member) \
	}
#define TLS MRD_IGNORED_WHY("tls", mrd_read_block, &tls_block, "payload is not touched")

/* Blocks beside which nothing watches the endpoints. */
static void warn_unwatched(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const struct mrd_blocks *blocks)
{
	static const char *const settings[] = {"localityLbSetting", "zoneAwareLbSetting"};
	const struct mrd_step balancer = {.up = reader->at, .name = "loadBalancer"};

	if (blocks->outlier.given || reader->mesh->outlier.given)
		return;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		const struct mrd_step step = {.up = &balancer, .name = settings[i]};

		reader->at = &step;
		mrd_read_unwatched(reader,
				   mrd_doc_get(mrd_doc_get(node, balancer.name), step.name));
		reader->at = balancer.up;
	}
}

/* ------------------------------------------------------------------------- portLevelSettings */

static const struct mrd_field port_fields[] = {
	{
		.name = "number",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_number,
		.spec = &port_number,
	},
};
static const struct mrd_block port_block = MRD_BLOCK(port_fields);

struct port_draft {
	struct mrd_number number;
	struct mrd_blocks blocks;
};

static const struct mrd_field port_level_fields[] = {
	{
		.name = "port",
		.use = MRD_FIELD_REQUIRED,
		.read = mrd_read_block,
		.spec = &port_block,
		.offset = offsetof(struct port_draft, number),
	},
	BLOCK("loadBalancer", mrd_read_lb, struct port_draft, blocks.lb),
	BLOCK("connectionPool", mrd_read_pool, struct port_draft, blocks.pool),
	BLOCK("outlierDetection", mrd_read_outlier, struct port_draft, blocks.outlier),
	TLS,
};
static const struct mrd_block port_level_block = MRD_BLOCK(port_level_fields);

static void check_port(struct mrd_reader *reader, const struct mrd_doc_node *list, size_t index,
		       const struct mrd_port_level *ports)
{
	const struct mrd_step port = {.up = reader->at, .name = "port"};
	const struct mrd_step step = {.up = &port, .name = "number"};

	for (size_t i = 0; i < index; i++) {
		const struct mrd_doc_node *first;

		if (!ports[index].number || ports[i].number != ports[index].number)
			continue;
		first = mrd_doc_get(mrd_doc_get(list->items[i], port.name), step.name);
		reader->at = &step;
		mrd_read_error(reader,
			       mrd_doc_get(mrd_doc_get(list->items[index], port.name), step.name),
			       "port %u is there twice, first at %s:%u:%u", ports[i].number,
			       reader->file, first->line, first->column);
		reader->at = port.up;
		return;
	}
}

static void read_ports(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *traffic_at)
{
	struct mrd_traffic *traffic = traffic_at;
	const struct mrd_doc_node *list = NULL;

	mrd_read_list_node(reader, node, unused, &list);
	if (!list || !list->count)
		return;
	traffic->ports = calloc(list->count, sizeof(*traffic->ports));
	if (!traffic->ports) {
		reader->no_memory = true;
		return;
	}
	traffic->port_count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		const struct mrd_step step = {.up = reader->at, .index = i};
		struct port_draft draft = {0};

		reader->at = &step;
		mrd_read_block(reader, list->items[i], &port_level_block, &draft);
		traffic->ports[i].number = draft.number.value;
		traffic->ports[i].blocks = draft.blocks;
		check_port(reader, list, i, traffic->ports);
		warn_unwatched(reader, list->items[i], &draft.blocks);
		reader->at = step.up;
	}
}

/* ------------------------------------------------------------------------- the policy */

static const struct mrd_field traffic_fields[] = {
	BLOCK("loadBalancer", mrd_read_lb, struct mrd_traffic, blocks.lb),
	BLOCK("connectionPool", mrd_read_pool, struct mrd_traffic, blocks.pool),
	BLOCK("outlierDetection", mrd_read_outlier, struct mrd_traffic, blocks.outlier),
	TLS,
	{.name = "portLevelSettings", .read = read_ports},
	MRD_IGNORED_WHY("tunnel", mrd_read_block, &tunnel_block, "payload is not touched"),
	MRD_IGNORED_WHY("proxyProtocol", mrd_read_block, &proxy_block, "payload is not touched"),
	MRD_IGNORED_WHY("retryBudget", mrd_read_block, &retry_block,
			"requests are not repeated at the socket"),
};
static const struct mrd_block traffic_block = MRD_BLOCK(traffic_fields);

void mrd_read_traffic(struct mrd_reader *reader, const struct mrd_doc_node *node,
		      const void *unused, void *traffic)
{
	struct mrd_traffic *into = traffic;

	(void)unused;
	into->given = true;
	mrd_read_block(reader, node, &traffic_block, into);
	warn_unwatched(reader, node, &into->blocks);
}
