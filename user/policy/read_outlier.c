/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* outlierDetection: Istio's OutlierDetection, with the defaults and the meanings of Envoy's. */
#include "policy/read.h"

#include "base/cleanup.h"

struct outlier_draft {
	struct mrd_number consecutive_5xx;
	struct mrd_number consecutive_gateway;
	struct mrd_flag split;
	struct mrd_number consecutive_local_origin;
	struct mrd_span interval;
	struct mrd_span base_ejection;
	struct mrd_number max_percent;
	struct mrd_number min_health;
	const struct mrd_doc_node *codes;
};

static const struct mrd_number_limits percent = {.min = 0, .max = 100};
static const struct mrd_number_limits errors = {.min = INT32_MIN, .max = INT32_MAX};

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
		.read = mrd_read_list_node,
		.offset = offsetof(struct outlier_draft, codes),
	},
	{
		.name = "consecutiveErrors",
		.use = MRD_FIELD_DEPRECATED,
		.read = mrd_read_number,
		.spec = &errors,
		.why = "write consecutive5xxErrors or consecutiveGatewayErrors",
	},
};
static const struct mrd_block outlier_block = MRD_BLOCK(outlier_fields);

static void check_zero(struct mrd_reader *reader, const struct mrd_number *number)
{
	if (number->node && !number->value)
		mrd_read_warning(reader, number->node,
				 "0 is the same as not given; it does not mean never");
}

/* Without the split, connections that fail count as gateway errors, too. */
static bool has_gateway_codes(const struct mrd_outlier_rule *rule)
{
	static const unsigned int codes[] = {502, 503, 504};

	if (!rule->has_error_codes)
		return true;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		const unsigned int bit = codes[i] - MRD_ERROR_CODE_MIN;

		if (rule->error_codes[bit / 8] >> bit % 8 & 1)
			return true;
	}
	return false;
}

static void check_outlier(struct mrd_reader *reader, const struct outlier_draft *draft,
			  const struct mrd_outlier_rule *rule)
{
	struct mrd_step step = {.up = reader->at};

	reader->at = &step;
	step.name = "consecutiveLocalOriginFailures";
	if (draft->consecutive_local_origin.value && !rule->split_local_origin)
		mrd_read_error(reader, draft->consecutive_local_origin.node,
			       "needs splitExternalLocalOriginErrors: true");
	check_zero(reader, &draft->consecutive_local_origin);
	step.name = "consecutiveGatewayErrors";
	if (rule->consecutive_gateway && rule->consecutive_5xx &&
	    rule->consecutive_gateway >= rule->consecutive_5xx)
		mrd_read_warning(reader, draft->consecutive_gateway.node,
				 "no effect on who is ejected: consecutive5xxErrors (%u) is "
				 "reached %s",
				 rule->consecutive_5xx,
				 rule->consecutive_gateway > rule->consecutive_5xx
					 ? "first"
					 : "no later (where all are gateway errors, the log "
					   "says CONSECUTIVE_GATEWAY_FAILURE)");
	else if (rule->consecutive_gateway && !has_gateway_codes(rule) && rule->split_local_origin)
		mrd_read_warning(reader, draft->consecutive_gateway.node,
				 "no effect: outlierDetectionHttpErrorCodes has none of 502, 503 "
				 "and 504");
	step.name = "outlierDetectionHttpErrorCodes";
	if (rule->has_error_codes && mrd_outlier_ejects(rule) && !rule->consecutive_5xx &&
	    !rule->consecutive_gateway && !rule->success_rate.on && !rule->failure_percentage.on)
		mrd_read_warning(reader, draft->codes,
				 "no effect: consecutive5xxErrors is 0, and nothing else counts "
				 "responses");
	step.name = "maxEjectionPercent";
	check_zero(reader, &draft->max_percent);
	reader->at = step.up;
}

/* Codes that count as errors instead of 500 to 599; an empty list is none given. */
static void read_codes(struct mrd_reader *reader, const struct mrd_doc_node *list,
		       struct mrd_outlier_rule *rule)
{
	static const struct mrd_number_limits limits = {.min = MRD_ERROR_CODE_MIN,
							.max = MRD_ERROR_CODE_MAX};
	const struct mrd_step step = {.up = reader->at, .name = "outlierDetectionHttpErrorCodes"};

	for (size_t i = 0; list && i < list->count; i++) {
		const struct mrd_step item = {.up = &step, .index = i};
		struct mrd_number code = {0};
		uint32_t bit;

		reader->at = &item;
		mrd_read_number(reader, list->items[i], &limits, &code);
		reader->at = step.up;
		if (!code.node)
			continue;
		bit = code.value - MRD_ERROR_CODE_MIN;
		rule->has_error_codes = true;
		rule->error_codes[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
}

static void check_base(struct mrd_reader *reader, const struct mrd_span *base,
		       const struct mrd_outlier_rule *rule)
{
	MRD_AUTO_FREE char *place = mrd_read_place(reader, base->node ? base->node : reader->key);

	if (place)
		mrd_check_max_ejection(reader, rule->base_ejection_ms, place);
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
	if (draft.consecutive_local_origin.value)
		rule.consecutive_local_origin = draft.consecutive_local_origin.value;
	rule.interval_ms = span_or(&draft.interval, rule.interval_ms);
	rule.base_ejection_ms = span_or(&draft.base_ejection, rule.base_ejection_ms);
	rule.max_ejection_ms = mrd_outlier_longest(rule.base_ejection_ms);
	if (draft.max_percent.value) {
		rule.cap = MRD_CAP_PERCENT;
		rule.max_ejection_percent = draft.max_percent.value;
	}
	read_codes(reader, draft.codes, &rule);
	mrd_ours_apply(&reader->notes->ours, &rule);
	check_outlier(reader, &draft, &rule);
	check_base(reader, &draft.base_ejection, &rule);
	if (!mrd_outlier_ejects(&rule))
		mrd_read_warning(reader, reader->key, "%s", mrd_outlier_ejects_nobody);
	*(struct mrd_outlier_block *)block = (struct mrd_outlier_block){
		.given = true,
		.rule = rule,
		.min_health_percent = draft.min_health.value,
		.place = mrd_read_place(reader, reader->key),
		.path = mrd_read_path(reader),
	};
}
