/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * {"from": "cn-hangzhou", "service": "default/reviews", "ports": [{
 *   … all of the plan's entry (plan/plan_json.h) …,
 *   "rule": "default/reviews", "rule_place": "policy.yaml:4:9", "locality_place": "",
 *   "outlier_place": "", "reasons": ["failover: …"],
 *   "ejections": [{"address": "10.0.0.5:9080", "left_ms": 4000}],
 *   "what_if": [{"what": "endpoint-fails", "region": "cn-hangzhou", "endpoint": "10.0.0.6:9080",
 *     "capped": false, "changes": true, "warms_up": false,
 *     "shares": [{"region": "cn-hangzhou", "share": 0.7}]}]}]}
 *
 * unwritten is beside ports, and only if the kernel does not hold that plan: {"error": "mrd_member
 * is full (kernel.limits.members)", "since_ms": 5000}, where since_ms is null if it is not known.
 *
 * warnings are the plan's, and behind them what is written and has no effect; beside ports, and
 * only if there is such a thing, they say which ports are left out, and why; if all are, also what
 * rules have no effect. left_ms is null if it
 * is not known. The values of what: endpoint-fails (one more is ejected), endpoint-unready
 * (it cannot be ejected: with capped because no more may be now), region-fails, return (of what is
 * ejected), ready (what is not, and does not end). warms_up: the shares are those at first, as
 * something warms up.
 */
#include "view/view_explain.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "plan/plan_json.h"
#include "view/parts.h"

#define PERCENT 100.0

enum { SPAN_ROOM = 32, PLACE_ROOM = 256 };

/* ---------------------------------------------------------------------------------- document */

static int append_texts(json_t *list, char *const *texts, size_t count)
{
	int r = list ? 0 : -1;

	for (size_t i = 0; !r && i < count; i++)
		r = json_array_append_new(list, json_string(texts[i]));
	return r;
}

static json_t *text_list(char *const *texts, size_t count)
{
	json_t *list = json_array();

	if (append_texts(list, texts, count)) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *ejection_list(const struct mrd_explained_port *port)
{
	json_t *list = json_array();

	for (size_t i = 0; i < port->ejection_count; i++) {
		const struct mrd_explained_ejection *ejection = &port->ejections[i];
		char text[MRD_IP_TEXT_MAX];

		json_array_append_new(
			list, json_pack("{s:s, s:o}", "address",
					mrd_ip_port_format(&ejection->ip, ejection->port, text),
					"left_ms",
					ejection->is_timed ? mrd_view_number(ejection->left_ms)
							   : json_null()));
	}
	return list;
}

static json_t *share_list(const struct mrd_what_if *what_if)
{
	json_t *list = json_array();

	for (size_t i = 0; i < what_if->share_count; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:f}", "region", what_if->shares[i].region,
						"share", what_if->shares[i].share));
	return list;
}

static json_t *what_if_list(const struct mrd_explained_port *port)
{
	static const char *const names[] = {
		[MRD_WHAT_ENDPOINT_FAILS] = "endpoint-fails",
		[MRD_WHAT_ENDPOINT_UNREADY] = "endpoint-unready",
		[MRD_WHAT_REGION_FAILS] = "region-fails",
		[MRD_WHAT_RETURN] = "return",
		[MRD_WHAT_READY] = "ready",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < port->if_count; i++) {
		const struct mrd_what_if *what_if = &port->ifs[i];
		const bool is_endpoint = what_if->what == MRD_WHAT_ENDPOINT_FAILS ||
					 what_if->what == MRD_WHAT_ENDPOINT_UNREADY;
		char text[MRD_IP_TEXT_MAX] = "";

		if (is_endpoint)
			mrd_ip_port_format(&what_if->ip, what_if->port, text);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:o}", "what",
						names[what_if->what], "region", what_if->region,
						"endpoint", text, "capped", what_if->capped,
						"changes", what_if->changes, "warms_up",
						what_if->warms_up, "shares", share_list(what_if)));
	}
	return list;
}

/* Without memory json_pack() answers NULL for a part, and then for the whole. */
static json_t *port_entry(const struct mrd_plan *plan, const struct mrd_explained_port *port)
{
	MRD_AUTO_STRBUF struct mrd_strbuf planned = {0};
	json_t *entry;
	json_t *more;
	int r;

	mrd_plan_port_json(plan, &plan->ports[port->index], &planned);
	entry = planned.failed ? NULL : json_loadb(planned.text, planned.len, 0, NULL);
	more = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "rule", port->rule, "rule_place",
			 port->rule_place, "locality_place", port->locality_place, "outlier_place",
			 port->outlier_place, "reasons",
			 text_list(port->reasons, port->reason_count), "ejections",
			 ejection_list(port), "what_if", what_if_list(port));
	r = append_texts(json_object_get(entry, "warnings"), port->warnings, port->warning_count);
	if (!r)
		r = json_object_update(entry, more);
	json_decref(more);
	if (r) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

static json_t *left_out_list(const struct mrd_explanation *explanation)
{
	const struct mrd_plan *plan = explanation->plan;
	json_t *list = json_array();

	for (size_t i = 0; i < explanation->left_out_count; i++) {
		const struct mrd_plan_left_out *left_out = explanation->left_out[i];
		const bool by_rule = *left_out->rule;

		if (json_array_append_new(list,
					  json_sprintf("%s/%s: %s%s%s%s%s%s", plan->namespace_,
						       plan->service, left_out->why,
						       by_rule ? " (rule " : "", left_out->rule,
						       by_rule ? ", " : "", left_out->rule_place,
						       by_rule ? ")" : ""))) {
			json_decref(list);
			return NULL;
		}
	}
	for (size_t i = 0; i < explanation->warning_count; i++)
		if (json_array_append_new(list,
					  json_sprintf("%s/%s: %s", plan->namespace_, plan->service,
						       explanation->warnings[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *unwritten(const struct mrd_explanation *explanation)
{
	return json_pack("{s:s, s:o}", "error", explanation->unwritten, "since_ms",
			 explanation->unwritten_ms == UINT64_MAX
				 ? json_null()
				 : mrd_view_number(explanation->unwritten_ms));
}

json_t *mrd_view_explain(const struct mrd_explanation *explanation)
{
	MRD_AUTO_STRBUF struct mrd_strbuf service = {0};
	json_t *ports = json_array();
	json_t *doc;

	mrd_strbuf_addf(&service, "%s/%s", explanation->plan->namespace_,
			explanation->plan->service);
	for (size_t i = 0; i < explanation->port_count; i++)
		if (json_array_append_new(ports,
					  port_entry(explanation->plan, &explanation->ports[i]))) {
			json_decref(ports);
			return NULL;
		}
	doc = json_pack("{s:s, s:s, s:o}", "from", explanation->from, "service",
			service.text ? service.text : "", "ports", ports);
	if (doc && explanation->unwritten &&
	    json_object_set_new(doc, "unwritten", unwritten(explanation))) {
		json_decref(doc);
		return NULL;
	}
	if (doc && explanation->left_out_count &&
	    json_object_set_new(doc, "warnings", left_out_list(explanation))) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

/* -------------------------------------------------------------------------------------- text */

static void print_rule(const json_t *port, FILE *out)
{
	const char *rule = mrd_view_text(port, "rule");
	const char *place = mrd_view_text(port, "rule_place");

	if (*rule)
		fprintf(out, "  rule %s%s%s\n", rule, *place ? ", " : "", place);
	else
		fprintf(out, "  no rule is for this host\n");
}

static void print_place(const char *what, const char *place, FILE *out)
{
	if (*place)
		fprintf(out, "  %s at %s\n", what, place);
}

static void print_reasons(const json_t *port, FILE *out)
{
	const json_t *reason;
	size_t i;

	json_array_foreach(json_object_get(port, "reasons"), i, reason)
		fprintf(out, "  %s\n", json_string_value(reason));
	print_rule(port, out);
	print_place("locality setting", mrd_view_text(port, "locality_place"), out);
	print_place("outlierDetection", mrd_view_text(port, "outlier_place"), out);
}

/* " for 43s more" of an ejected endpoint, as far as it is known. */
static void print_ejection(const json_t *port, const char *address, FILE *out)
{
	const json_t *ejection;
	char span[SPAN_ROOM];
	size_t i;

	json_array_foreach(json_object_get(port, "ejections"), i, ejection)
	{
		const json_t *left_ms = json_object_get(ejection, "left_ms");

		if (!strcmp(mrd_view_text(ejection, "address"), address) &&
		    json_is_integer(left_ms))
			fprintf(out, " for %s more",
				mrd_view_span(json_integer_value(left_ms), span, sizeof(span)));
	}
}

static void print_endpoint(const json_t *port, const json_t *endpoint, FILE *out)
{
	const char *address = mrd_view_text(endpoint, "address");
	const char *state = mrd_view_text(endpoint, "state");

	fprintf(out, "      %s %s %s", address, mrd_view_text(endpoint, "cluster"), state);
	if (!strcmp(state, "EJECTED"))
		print_ejection(port, address, out);
	fprintf(out, " %.4g%%\n", mrd_view_real(endpoint, "share") * PERCENT);
}

static void print_hops(const json_t *port, FILE *out)
{
	const json_t *endpoint;
	const json_t *hop;
	char place[PLACE_ROOM];
	size_t i;
	size_t k;

	json_array_foreach(json_object_get(port, "hops"), i, hop)
	{
		const char *text = mrd_view_place(hop, place, sizeof(place));

		fprintf(out, "    priority %lld %s %.4g%%, healthy %lld of %lld%s\n",
			mrd_view_integer(hop, "priority"), *text ? text : "-",
			mrd_view_real(hop, "share") * PERCENT, mrd_view_integer(hop, "healthy"),
			mrd_view_integer(hop, "total"),
			json_is_true(json_object_get(hop, "panic")) ? ", panic: ejected ones too"
								    : "");
		json_array_foreach(json_object_get(hop, "endpoints"), k, endpoint)
			print_endpoint(port, endpoint, out);
	}
}

static void print_shares(const json_t *shares, FILE *out)
{
	const json_t *share;
	bool any = false;
	size_t i;

	json_array_foreach(shares, i, share)
	{
		const char *region = mrd_view_text(share, "region");

		if (mrd_view_real(share, "share") <= 0)
			continue;
		fprintf(out, "%s %s %.4g%%", any ? "," : "", *region ? region : "-",
			mrd_view_real(share, "share") * PERCENT);
		any = true;
	}
	fprintf(out, any ? "\n" : " new connections are refused\n");
}

static void print_what_if(const json_t *what_if, FILE *out)
{
	const char *what = mrd_view_text(what_if, "what");
	const char *region = mrd_view_text(what_if, "region");

	region = *region ? region : "(no region)";
	if (!strcmp(what, "endpoint-fails"))
		fprintf(out, "  if 1 more endpoint of %s fails (%s):", region,
			mrd_view_text(what_if, "endpoint"));
	else if (!strcmp(what, "endpoint-unready"))
		fprintf(out, "  if 1 more endpoint of %s is not ready (%s%s):", region,
			mrd_view_text(what_if, "endpoint"),
			json_is_true(json_object_get(what_if, "capped"))
				? "; no more may be ejected now"
				: "");
	else if (!strcmp(what, "region-fails"))
		fprintf(out, "  if %s is lost:", region);
	else if (!strcmp(what, "ready"))
		fprintf(out, "  when those that are not ready become it:");
	else
		fprintf(out, "  when the ejected ones return:");
	if (json_is_true(json_object_get(what_if, "warms_up")))
		fprintf(out, " at first");
	if (json_is_true(json_object_get(what_if, "changes")))
		print_shares(json_object_get(what_if, "shares"), out);
	else
		fprintf(out, " the regions' shares stay\n");
}

static void print_port(const json_t *doc, const json_t *port, FILE *out)
{
	const char *name = mrd_view_text(port, "port");
	const json_t *item;
	size_t i;

	fprintf(out, "%s%s%s port %lld/%s %s, from %s\n", mrd_view_text(port, "service"),
		*name ? ":" : "", name, mrd_view_integer(port, "number"),
		mrd_view_text(port, "protocol"), mrd_view_text(port, "family"),
		mrd_view_text(doc, "from"));
	json_array_foreach(json_object_get(port, "vips"), i, item)
		fprintf(out, "%s%s", i ? ", " : "  at ", json_string_value(item));
	fprintf(out, "\n");
	print_reasons(port, out);
	print_hops(port, out);
	json_array_foreach(json_object_get(port, "what_if"), i, item) print_what_if(item, out);
	json_array_foreach(json_object_get(port, "warnings"), i, item)
		fprintf(out, "  warning: %s\n", json_string_value(item));
}

static void print_unwritten(const json_t *doc, FILE *out)
{
	const json_t *unwritten = json_object_get(doc, "unwritten");
	const json_t *since_ms = json_object_get(unwritten, "since_ms");
	char span[SPAN_ROOM];

	if (!unwritten)
		return;
	fprintf(out, "%s NOT WRITTEN to the kernel: %s", mrd_view_text(doc, "service"),
		mrd_view_text(unwritten, "error"));
	if (json_is_integer(since_ms))
		fprintf(out, ", for %s",
			mrd_view_span(json_integer_value(since_ms), span, sizeof(span)));
	fprintf(out, "; what the kernel holds of it stands, and what follows holds once it is "
		     "written\n\n");
}

void mrd_view_print_explain(const json_t *doc, FILE *out)
{
	const json_t *ports = json_object_get(doc, "ports");
	const json_t *item;
	size_t i;

	print_unwritten(doc, out);
	json_array_foreach(ports, i, item)
	{
		if (i)
			fprintf(out, "\n");
		print_port(doc, item, out);
	}
	json_array_foreach(json_object_get(doc, "warnings"), i, item) fprintf(
		out, "%s%s\n", !i && json_array_size(ports) ? "\n" : "", json_string_value(item));
}
