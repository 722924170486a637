/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* trafficPolicy: the fields of Istio's TrafficPolicy, and those of single ports. */
#include "policy/read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "policy/host.h"

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

static const char *const tunnel_words[] = {"CONNECT", "POST"};
static const struct mrd_words tunnel_protocols = MRD_WORDS(tunnel_words);

static void read_target_host(struct mrd_reader *reader, const struct mrd_doc_node *node,
			     const void *unused, void *draft)
{
	struct mrd_text host = {0};

	(void)draft;
	mrd_read_text(reader, node, unused, &host);
	if (host.node && (!mrd_host_is_valid(host.text) || mrd_host_is_wildcard(host.text)))
		mrd_read_error(reader, node, "must be a host name or an IP address, not \"%s\"",
			       host.text);
}

static const struct mrd_field tunnel_fields[] = {
	{.name = "protocol", .read = mrd_read_word, .spec = &tunnel_protocols},
	{.name = "targetHost", .use = MRD_FIELD_REQUIRED, .read = read_target_host},
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
#define TLS MRD_IGNORED_WHY("tls", read_tls, NULL, "payload is not touched")

static bool is_given(const struct mrd_doc_node *map, const char *name)
{
	const struct mrd_doc_node *value = mrd_doc_get(map, name);

	return value && (value->kind == MRD_DOC_SCALAR ? *value->text != 0 : value->count > 0);
}

/* Fields that must not stand beside what reason names. */
static void refuse_fields(struct mrd_reader *reader, const struct mrd_doc_node *node,
			  const char *const *names, const char *reason)
{
	for (; *names; names++) {
		const struct mrd_step step = {.up = reader->at, .name = *names};

		if (!is_given(node, *names))
			continue;
		reader->at = &step;
		mrd_read_error(reader, mrd_read_key(node, *names), "must not stand beside %s",
			       reason);
		reader->at = step.up;
	}
}

/* A client that shows a certificate needs one. */
static void require_fields(struct mrd_reader *reader, const struct mrd_doc_node *node,
			   const struct mrd_doc_node *mode, const char *const *names)
{
	for (; *names; names++) {
		const struct mrd_step step = {.up = reader->at, .name = *names};

		if (is_given(node, *names))
			continue;
		reader->at = &step;
		mrd_read_error(reader, mode,
			       "must be given with mode: MUTUAL, or else credentialName");
		reader->at = step.up;
	}
}

static void read_tls(struct mrd_reader *reader, const struct mrd_doc_node *node, const void *unused,
		     void *draft)
{
	static const char *const files[] = {"clientCertificate", "privateKey", "caCertificates",
					    "caCrl", NULL};
	static const char *const checks[] = {"caCertificates", "subjectAltNames", NULL};
	static const char *const named[] = {"credentialName", NULL};
	static const char *const own[] = {"clientCertificate", "privateKey", NULL};
	const struct mrd_doc_node *mode = mrd_doc_get(node, "mode");
	const bool simple = mode && !strcmp(mode->text, "SIMPLE");
	const bool mutual = mode && !strcmp(mode->text, "MUTUAL");
	bool skip = false;

	(void)unused, (void)draft;
	mrd_read_block(reader, node, &tls_block, NULL);
	if (node->kind != MRD_DOC_MAP || (!simple && !mutual))
		return;
	if (!mrd_doc_bool(mrd_doc_get(node, "insecureSkipVerify"), &skip) && skip) {
		refuse_fields(reader, node, checks, "insecureSkipVerify: true");
		if (simple)
			refuse_fields(reader, node, named, "insecureSkipVerify: true");
	}
	if (is_given(node, "credentialName"))
		refuse_fields(reader, node, files, "credentialName");
	else if (mutual)
		require_fields(reader, node, mode, own);
}

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

const char mrd_left_alone[] =
	"no effect: loadBalancer.simple is PASSTHROUGH, which leaves the port alone";

/* Does it ask for anything? A limit or a time of 0 does not. */
static bool is_asked(const struct mrd_doc_node *value)
{
	uint64_t ms;

	if (!value || value->kind == MRD_DOC_NULL)
		return false;
	if (value->kind != MRD_DOC_SCALAR)
		return true;
	return mrd_duration_parse(value->text, &ms) ? strtod(value->text, NULL) != 0 : ms != 0;
}

/* What would act on the port if that were not left alone. */
static void warn_left_alone(struct mrd_reader *reader, const struct mrd_doc_node *node)
{
	enum { DEEPEST = 3 };
	static const char *const idle[][DEEPEST] = {
		{"outlierDetection"},
		{"loadBalancer", "localityLbSetting"},
		{"loadBalancer", "zoneAwareLbSetting"},
		{"connectionPool", "tcp", "maxConnections"},
		{"connectionPool", "tcp", "connectTimeout"},
		{"connectionPool", "tcp", "tcpKeepalive"},
		{"connectionPool", "http", "maxRequestsPerConnection"},
	};
	const struct mrd_step *top = reader->at;

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		struct mrd_step steps[DEEPEST];
		const struct mrd_doc_node *value = node;
		const struct mrd_doc_node *key = NULL;

		for (size_t k = 0; value && k < DEEPEST && idle[i][k]; k++) {
			steps[k] = (struct mrd_step){.up = reader->at, .name = idle[i][k]};
			reader->at = &steps[k];
			key = mrd_read_key(value, idle[i][k]);
			value = mrd_doc_get(value, idle[i][k]);
		}
		if (is_asked(value))
			mrd_read_warning(reader, key, "%s", mrd_left_alone);
		reader->at = top;
	}
}

/* What the blocks of one level mean beside each other. */
static void check_level(struct mrd_reader *reader, const struct mrd_doc_node *node,
			const struct mrd_blocks *blocks)
{
	if (blocks->lb.lb == MRD_LB_PASSTHROUGH)
		warn_left_alone(reader, node);
	else
		warn_unwatched(reader, node, blocks);
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

/* Istio takes the first of two. */
static void check_port(struct mrd_reader *reader, const struct mrd_number *number,
		       struct mrd_table *seen)
{
	const struct mrd_step port = {.up = reader->at, .name = "port"};
	const struct mrd_step step = {.up = &port, .name = "number"};
	const struct mrd_doc_node *first;
	MRD_AUTO_FREE char *place = NULL;
	char text[sizeof("4294967295")];

	if (!number->node)
		return;
	snprintf(text, sizeof(text), "%" PRIu32, number->value);
	first = mrd_read_first(reader, seen, text, number->node);
	if (!first)
		return;
	place = mrd_read_place(reader, first);
	reader->at = &step;
	mrd_read_warning(reader, number->node, "no effect: port %s is at %s already", text,
			 place ? place : "?");
	reader->at = port.up;
}

/* As Istio asks for: what says nothing was meant to say something. Fields that nobody knows count,
 * too, as they are told by themselves. */
static void check_filled(struct mrd_reader *reader, const struct mrd_doc_node *node,
			 const char *except, const char *wanted)
{
	if (node->kind != MRD_DOC_MAP)
		return;
	for (size_t i = 0; i < node->count; i++)
		if (strcmp(node->keys[i]->text, except) != 0 &&
		    node->items[i]->kind != MRD_DOC_NULL &&
		    (node->items[i]->kind != MRD_DOC_LIST || node->items[i]->count))
			return;
	mrd_read_error(reader, node, "must have %s, or be left out", wanted);
}

static void read_ports(struct mrd_reader *reader, const struct mrd_doc_node *node,
		       const void *unused, void *traffic_at)
{
	struct mrd_traffic *traffic = traffic_at;
	MRD_AUTO_TABLE struct mrd_table *seen = NULL;
	const struct mrd_doc_node *list = NULL;

	mrd_read_list_node(reader, node, unused, &list);
	if (!list || !list->count)
		return;
	seen = mrd_table_new(NULL);
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
		if (draft.number.node)
			traffic->ports[i].place = mrd_read_place(reader, draft.number.node);
		traffic->ports[i].blocks = draft.blocks;
		check_port(reader, &draft.number, seen);
		check_filled(reader, list->items[i], "port",
			     "loadBalancer, connectionPool, outlierDetection or tls");
		check_level(reader, list->items[i], &draft.blocks);
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
	check_filled(reader, node, "", "a field");
	mrd_read_exclusive(reader, node, "tunnel", "proxyProtocol", "");
	check_level(reader, node, &into->blocks);
}
