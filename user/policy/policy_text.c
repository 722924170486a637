/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "policy/policy_text.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "policy/locality.h"

enum {
	STEP = 2,	/* spaces of a level */
	REAL_ROOM = 32, /* a double in decimal */
};

/* A text that grows by lines, each behind its indentation. */
struct writer {
	struct mrd_strbuf *out;
	unsigned int indent;
	const char *distribution; /* the Service's; "": none */
	bool stays;		  /* its internalTrafficPolicy is Local */
};

static void begin(struct writer *writer)
{
	mrd_strbuf_addf(writer->out, "%*s", (int)writer->indent, "");
}

static void line(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line(struct writer *writer, const char *format, ...)
{
	va_list args;

	begin(writer);
	va_start(args, format);
	mrd_strbuf_vaddf(writer->out, format, args);
	va_end(args);
	mrd_strbuf_addf(writer->out, "\n");
}

/* Ends a line, with where what is in it comes from. */
static void comment(struct writer *writer, const char *origin, const char *place)
{
	const char *const words[] = {origin, *origin && *place ? ", " : "", place};

	if (*origin || *place)
		mrd_strbuf_addf(writer->out, " # ");
	/* Names may hold anything; a comment ends with its line, of which Unicode has more ends. */
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (const char *at = words[i]; *at; at++)
			mrd_strbuf_addf(writer->out, "%c", *at < ' ' || *at > '~' ? '?' : *at);
	mrd_strbuf_addf(writer->out, "\n");
}

/* A block's name, with where it comes from; what is in it follows one level deeper. */
static void open_block(struct writer *writer, const char *name, const char *origin,
		       const char *place)
{
	begin(writer);
	mrd_strbuf_addf(writer->out, "%s:", name);
	comment(writer, origin, place);
	writer->indent += STEP;
}

static void close_block(struct writer *writer)
{
	writer->indent -= STEP;
}

static void number(struct writer *writer, const char *name, uint64_t value)
{
	line(writer, "%s: %llu", name, (unsigned long long)value);
}

/* 0 is what stands for "not given". */
static void number_if(struct writer *writer, const char *name, uint64_t value)
{
	if (value)
		number(writer, name, value);
}

static void span(struct writer *writer, const char *name, uint64_t ms)
{
	char buf[MRD_DURATION_TEXT_MAX];

	line(writer, "%s: %s", name, mrd_duration_format(ms, buf));
}

static void span_if(struct writer *writer, const char *name, uint64_t ms)
{
	if (ms)
		span(writer, name, ms);
}

/* With as many digits as read back the same. */
static void real(struct writer *writer, const char *name, double value)
{
	char buf[REAL_ROOM];

	for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			break;
	}
	line(writer, "%s: %s", name, buf);
}

/* What users wrote stands in quotes: JSON's are YAML's too. */
static void text(struct writer *writer, const char *name, const char *value)
{
	begin(writer);
	mrd_strbuf_addf(writer->out, "%s: ", name);
	mrd_strbuf_add_json(writer->out, value);
	mrd_strbuf_addf(writer->out, "\n");
}

/* ------------------------------------------------------------------------------- blocks */

/*
 * What is Istio's default and is not honoured here anyway (an idle timeout, which endpoint has the
 * fewest requests) is left out or unspecified: nobody wrote it, so reading it back must not warn.
 */
static void write_keepalive(struct writer *writer, const struct mrd_pool_rule *pool)
{
	if (!pool->has_keepalive)
		return;
	if (!pool->keepalive_probes && !pool->keepalive_time_ms && !pool->keepalive_interval_ms) {
		line(writer, "tcpKeepalive: {}");
		return;
	}
	open_block(writer, "tcpKeepalive", "", "");
	number_if(writer, "probes", pool->keepalive_probes);
	span_if(writer, "time", pool->keepalive_time_ms);
	span_if(writer, "interval", pool->keepalive_interval_ms);
	close_block(writer);
}

static void write_tcp(struct writer *writer, const struct mrd_pool_rule *pool)
{
	const bool idle = pool->idle_timeout_ms != mrd_pool_defaults.idle_timeout_ms;

	if (!pool->max_connections && !pool->connect_timeout_ms && !pool->has_keepalive &&
	    !pool->max_connection_duration_ms && !idle)
		return;
	open_block(writer, "tcp", "", "");
	number_if(writer, "maxConnections", pool->max_connections);
	span_if(writer, "connectTimeout", pool->connect_timeout_ms);
	write_keepalive(writer, pool);
	span_if(writer, "maxConnectionDuration", pool->max_connection_duration_ms);
	if (idle)
		span(writer, "idleTimeout", pool->idle_timeout_ms);
	close_block(writer);
}

static void write_http2(struct writer *writer, const struct mrd_pool_rule *pool)
{
	if (pool->h2_upgrade != MRD_H2_UPGRADE_DEFAULT)
		line(writer, "h2UpgradePolicy: %s", mrd_h2_upgrade_words[pool->h2_upgrade]);
	if (pool->use_client_protocol)
		line(writer, "useClientProtocol: true");
	if (!pool->http2_keepalive_interval_ms)
		return;
	open_block(writer, "http2KeepAlive", "", "");
	span(writer, "interval", pool->http2_keepalive_interval_ms);
	span(writer, "timeout", pool->http2_keepalive_timeout_ms);
	close_block(writer);
}

static void write_pool(struct writer *writer, const struct mrd_effective *effective)
{
	const struct mrd_pool_rule *pool = effective->pool;

	open_block(writer, "connectionPool", *effective->pool_place ? "" : "default",
		   effective->pool_place);
	write_tcp(writer, pool);
	open_block(writer, "http", "", "");
	number_if(writer, "http1MaxPendingRequests", pool->http1_max_pending_requests);
	number_if(writer, "http2MaxRequests", pool->http2_max_requests);
	number(writer, "maxRequestsPerConnection", pool->max_requests_per_connection);
	number_if(writer, "maxRetries", pool->max_retries);
	number_if(writer, "maxConcurrentStreams", pool->max_concurrent_streams);
	if (pool->http_idle_timeout_ms != pool->idle_timeout_ms)
		span(writer, "idleTimeout", pool->http_idle_timeout_ms);
	write_http2(writer, pool);
	close_block(writer);
	close_block(writer);
}

static void write_codes(struct writer *writer, const struct mrd_outlier_rule *rule)
{
	const char *comma = "";

	begin(writer);
	mrd_strbuf_addf(writer->out, "outlierDetectionHttpErrorCodes: [");
	for (unsigned int i = 0; i <= MRD_ERROR_CODE_MAX - MRD_ERROR_CODE_MIN; i++) {
		if (!(rule->error_codes[i / 8] >> i % 8 & 1))
			continue;
		mrd_strbuf_addf(writer->out, "%s%u", comma, MRD_ERROR_CODE_MIN + i);
		comma = ", ";
	}
	mrd_strbuf_addf(writer->out, "]\n");
}

static const struct mrd_outlier_rule *detector_of(const struct writer *writer,
						  const struct mrd_effective *effective)
{
	return mrd_effective_detector(effective, *writer->distribution);
}

static void write_panic(struct writer *writer, const struct mrd_effective *effective)
{
	const uint32_t holds = mrd_effective_panic_percent(effective, *writer->distribution);

	begin(writer);
	mrd_strbuf_addf(writer->out, "minHealthPercent: %u", effective->min_health_percent);
	comment(writer,
		holds == effective->min_health_percent
			? ""
			: "no effect: with the Service's trafficDistribution no region panics",
		"");
}

static void write_outlier(struct writer *writer, const struct mrd_effective *effective)
{
	const struct mrd_outlier_rule *rule = effective->outlier;

	if (!rule) {
		line(writer, detector_of(writer, effective)
				     ? "# no outlierDetection: failed handshakes alone eject"
				     : "# no outlierDetection: nothing is ejected");
		return;
	}
	open_block(writer, "outlierDetection", "", effective->outlier_place);
	number(writer, "consecutive5xxErrors", rule->consecutive_5xx);
	if (rule->consecutive_gateway || rule->gateway_off)
		number(writer, "consecutiveGatewayErrors", rule->consecutive_gateway);
	line(writer, "splitExternalLocalOriginErrors: %s",
	     rule->split_local_origin ? "true" : "false");
	if (rule->split_local_origin)
		number(writer, "consecutiveLocalOriginFailures", rule->consecutive_local_origin);
	span(writer, "interval", rule->interval_ms);
	span(writer, "baseEjectionTime", rule->base_ejection_ms);
	if (rule->cap == MRD_CAP_PERCENT)
		number(writer, "maxEjectionPercent", rule->max_ejection_percent);
	write_panic(writer, effective);
	if (rule->has_error_codes)
		write_codes(writer, rule);
	close_block(writer);
}

/* ------------------------------------------------------------------------------- locality */

static void add_locality(struct mrd_strbuf *out, const struct mrd_locality_match *match)
{
	struct mrd_strbuf all MRD_AUTO_STRBUF = {0};

	mrd_locality_match_format(match, &all);
	out->failed |= all.failed;
	mrd_strbuf_add_json(out, all.text ? all.text : "");
}

static void write_distribute(struct writer *writer, const struct mrd_locality_setting *setting)
{
	if (!setting->distribute_count)
		return;
	line(writer, "distribute:");
	for (size_t i = 0; i < setting->distribute_count; i++) {
		const struct mrd_distribute *rule = &setting->distribute[i];

		begin(writer);
		mrd_strbuf_addf(writer->out, "- from: ");
		add_locality(writer->out, &rule->from);
		mrd_strbuf_addf(writer->out, "\n");
		writer->indent += STEP;
		open_block(writer, "to", "", "");
		for (size_t j = 0; j < rule->to_count; j++) {
			begin(writer);
			add_locality(writer->out, &rule->to[j].to);
			mrd_strbuf_addf(writer->out, ": %u\n", rule->to[j].weight);
		}
		close_block(writer);
		writer->indent -= STEP;
	}
}

static void write_failover(struct writer *writer, const struct mrd_locality_setting *setting)
{
	if (setting->failover_count)
		line(writer, "failover:");
	for (size_t i = 0; i < setting->failover_count; i++) {
		text(writer, "- from", setting->failover[i].from);
		text(writer, "  to", setting->failover[i].to);
	}
	if (setting->priority_count)
		line(writer, "failoverPriority:");
	for (size_t i = 0; i < setting->priority_count; i++) {
		struct mrd_strbuf label MRD_AUTO_STRBUF = {0};
		const char *value = setting->priority[i].value;

		mrd_strbuf_addf(&label, "%s%s%s", setting->priority[i].key, value ? "=" : "",
				value ? value : "");
		begin(writer);
		mrd_strbuf_addf(writer->out, "- ");
		mrd_strbuf_add_json(writer->out, label.text ? label.text : "");
		mrd_strbuf_addf(writer->out, "\n");
	}
}

/* Does a list let failed handshakes eject? It does so on a Service that stays on each node, too. */
static bool asks_for_detector(const struct writer *writer, const struct mrd_effective *effective)
{
	return detector_of(writer, effective) != effective->outlier;
}

/* What of the setting acts on such a Service. */
static const char *use_of_setting(const struct writer *writer,
				  const struct mrd_effective *effective)
{
	if (!effective->locality)
		return "";
	return asks_for_detector(writer, effective)
		       ? ": of the locality setting all that acts is that failed handshakes eject"
		       : ": the locality setting has no effect";
}

static void write_locality_above(struct writer *writer, const struct mrd_effective *effective)
{
	if (writer->stays)
		line(writer, "# by the Service's internalTrafficPolicy, Local%s",
		     use_of_setting(writer, effective));
	else if (mrd_effective_is_by_service(effective, *writer->distribution))
		line(writer, "# by the Service's trafficDistribution, %s%s", writer->distribution,
		     effective->locality ? ": the mesh's setting has no effect" : "");
}

static bool has_locality(const struct writer *writer, const struct mrd_effective *effective)
{
	if (mrd_effective_is_by_service(effective, *writer->distribution))
		return false;
	return effective->locality && (!writer->stays || asks_for_detector(writer, effective));
}

/* Of one document both are an error without a fallback; a rule may lift that of the mesh's. */
static bool writes_both(const struct mrd_effective *effective)
{
	return mrd_locality_lists_both(effective->locality) && effective->fallback_next_region;
}

static void write_locality(struct writer *writer, const struct mrd_effective *effective)
{
	const struct mrd_locality_setting *setting = effective->locality;

	write_locality_above(writer, effective);
	if (!has_locality(writer, effective))
		return;
	open_block(writer, setting->zone_aware ? "zoneAwareLbSetting" : "localityLbSetting",
		   effective->locality_origin == MRD_ORIGIN_MESH ? "mesh" : "",
		   effective->locality_place);
	line(writer, "enabled: %s", setting->enabled ? "true" : "false");
	number_if(writer, "minClusterSize", setting->min_cluster_size);
	write_distribute(writer, setting);
	if (mrd_locality_lists_both(setting) && !writes_both(effective))
		line(writer, "# failover: no effect beside distribute without a fallback");
	else
		write_failover(writer, setting);
	close_block(writer);
}

static void write_lb(struct writer *writer, const struct mrd_effective *effective)
{
	static const char *const names[] = {
		[MRD_LB_LEAST_REQUEST] = "UNSPECIFIED # LEAST_REQUEST",
		[MRD_LB_ROUND_ROBIN] = "ROUND_ROBIN",
		[MRD_LB_RANDOM] = "RANDOM",
		[MRD_LB_PASSTHROUGH] = "PASSTHROUGH # the port is left alone",
	};

	open_block(writer, "loadBalancer", *effective->lb_place ? "" : "default",
		   effective->lb_place);
	if (effective->hash_source_ip) {
		open_block(writer, "consistentHash", "", "");
		line(writer, "useSourceIp: true");
		close_block(writer);
	} else {
		line(writer, "simple: %s", names[effective->lb]);
	}
	if (effective->lb != MRD_LB_PASSTHROUGH && effective->warmup.duration_ms) {
		open_block(writer, "warmup", "", "");
		span(writer, "duration", effective->warmup.duration_ms);
		real(writer, "minimumPercent", effective->warmup.minimum_percent);
		real(writer, "aggression", effective->warmup.aggression);
		close_block(writer);
	}
	if (effective->lb != MRD_LB_PASSTHROUGH)
		write_locality(writer, effective);
	close_block(writer);
}

static void write_traffic(struct writer *writer, const struct mrd_effective *effective)
{
	if (effective->lb != MRD_LB_PASSTHROUGH) {
		write_pool(writer, effective);
		write_outlier(writer, effective);
	}
	write_lb(writer, effective);
}

void mrd_effective_text(const struct mrd_effective *effective, unsigned int indent,
			struct mrd_strbuf *out)
{
	struct writer writer = {.out = out, .indent = indent, .distribution = ""};

	write_traffic(&writer, effective);
}

/* ------------------------------------------------------------------------------- annotations */

static void our_word(struct writer *writer, const char *name, const char *value)
{
	line(writer, "meridian.dev/%s: %s", name, value);
}

static void our_number(struct writer *writer, const char *name, uint64_t value)
{
	line(writer, "meridian.dev/%s: \"%llu\"", name, (unsigned long long)value);
}

static void our_span(struct writer *writer, const char *name, uint64_t ms)
{
	char buf[MRD_DURATION_TEXT_MAX];

	if (ms)
		our_word(writer, name, mrd_duration_format(ms, buf));
}

static void write_detectors(struct writer *writer, const struct mrd_outlier_rule *rule)
{
	const struct mrd_success_rate_rule *rate = &rule->success_rate;
	const struct mrd_failure_percentage_rule *failure = &rule->failure_percentage;

	if (rate->on) {
		our_number(writer, "success-rate-enforcing", rate->enforced ? 100 : 0);
		our_number(writer, "success-rate-minimum-hosts", rate->minimum_hosts);
		our_number(writer, "success-rate-request-volume", rate->request_volume);
		our_number(writer, "success-rate-stdev-factor", rate->stdev_factor);
	}
	if (failure->on) {
		our_number(writer, "failure-percentage-enforcing", failure->enforced ? 100 : 0);
		our_number(writer, "failure-percentage-threshold", failure->threshold);
		our_number(writer, "failure-percentage-minimum-hosts", failure->minimum_hosts);
		our_number(writer, "failure-percentage-request-volume", failure->request_volume);
	}
}

/* What the annotations can have an effect on, of all that is printed; the others are left out. */
struct uses {
	bool acts; /* not all ports are left alone */
	bool distributes;
	bool subset_asks; /* for a fallback, without which its lists are an error */
	bool ejects;
	bool caps;	  /* by what ejection-cap says: without maxEjectionPercent */
	bool max_differs; /* as defaults do; a time that somebody gave is the same everywhere */
	struct mrd_outlier_rule rule; /* what ours say in the detectors, put together */
};

static void add_max(struct uses *uses, const struct mrd_outlier_rule *rule)
{
	if (!uses->rule.max_ejection_ms)
		uses->rule.max_ejection_ms = rule->max_ejection_ms;
	uses->max_differs |= uses->rule.max_ejection_ms != rule->max_ejection_ms;
}

static void add_uses(struct uses *uses, const struct writer *writer,
		     const struct mrd_effective *effective)
{
	const struct mrd_outlier_rule *rule = detector_of(writer, effective);

	if (effective->lb == MRD_LB_PASSTHROUGH)
		return;
	uses->acts = true;
	uses->distributes |=
		has_locality(writer, effective) &&
		(effective->locality_mode == MRD_LOCALITY_DISTRIBUTE || writes_both(effective));
	if (!rule)
		return;
	uses->ejects = true;
	uses->caps |= rule->cap != MRD_CAP_PERCENT;
	if (rule->cap != MRD_CAP_PERCENT)
		uses->rule.cap = rule->cap;
	uses->rule.probation_ms = rule->probation_ms;
	uses->rule.max_jitter_ms = rule->max_jitter_ms;
	if (rule->success_rate.on)
		uses->rule.success_rate = rule->success_rate;
	if (rule->failure_percentage.on)
		uses->rule.failure_percentage = rule->failure_percentage;
	add_max(uses, rule);
}

static void write_ejection_notes(struct writer *writer, const struct uses *uses)
{
	static const char *const caps[] = {
		[MRD_CAP_REGIONAL] = "regional",
		[MRD_CAP_ENVOY] = "envoy",
		[MRD_CAP_ALWAYS_ONE] = "always-one",
	};
	const struct mrd_outlier_rule *rule = &uses->rule;

	if (uses->caps)
		our_word(writer, "ejection-cap", caps[rule->cap]);
	our_span(writer, "probation", rule->probation_ms);
	if (!uses->max_differs)
		our_span(writer, "max-ejection-time", rule->max_ejection_ms);
	our_span(writer, "max-ejection-time-jitter", rule->max_jitter_ms);
	write_detectors(writer, rule);
}

static void write_acting(struct writer *writer, const struct mrd_effective *effective,
			 const struct uses *uses)
{
	static const char *const on_eject[] = {
		[MRD_ON_EJECT_KEEP] = "keep",
		[MRD_ON_EJECT_CLOSE] = "close",
		[MRD_ON_EJECT_RESET] = "reset",
	};

	our_number(writer, "overprovisioning-percent", effective->overprovisioning_percent);
	if (!writer->stays)
		our_word(writer, "regions", effective->regions_strict ? "strict" : "all");
	our_word(writer, "unready", effective->unready_drop ? "drop" : "count");
	our_word(writer, "on-eject", on_eject[effective->on_eject]);
	/* Quoted, or YAML reads a boolean. */
	our_word(writer, "rescue", effective->rescue_off ? "\"off\"" : "\"on\"");
	if (!effective->rescue_off && !effective->syn_timeout_ms)
		our_word(writer, "syn-timeout", "0s # by what handshakes take");
	if (!effective->rescue_off)
		our_span(writer, "syn-timeout", effective->syn_timeout_ms);
	our_span(writer, "warmup", effective->region_warmup_ms);
	if (uses->ejects)
		write_ejection_notes(writer, uses);
}

static void write_annotations(struct writer *writer, const struct mrd_effective *effective,
			      const struct uses *uses)
{
	const bool fallback = uses->distributes || uses->subset_asks;

	if (!uses->acts && !fallback)
		return;
	open_block(writer, "annotations", "", "");
	if (fallback)
		our_word(writer, "fallback",
			 effective->fallback_next_region ? "next-region" : "none");
	if (uses->acts)
		write_acting(writer, effective, uses);
	close_block(writer);
}

/* ------------------------------------------------------------------------------- the rule */

/* Whose rule is printed. */
struct subject {
	const struct mrd_policy *policy;
	const char *namespace_;
	const char *service;
	const uint16_t *ports;
	size_t port_count;
};

enum { NO_PORT = 0, NO_SUBSET = SIZE_MAX };

static void hold(const struct subject *subject, size_t subset, uint16_t port,
		 struct mrd_effective *ret_effective)
{
	struct mrd_subset found;

	if (subset == NO_SUBSET) {
		mrd_policy_effective(subject->policy, subject->namespace_, subject->service, port,
				     ret_effective);
		return;
	}
	mrd_policy_subset(subject->policy, subject->namespace_, subject->service, port, subset,
			  &found);
	*ret_effective = found.effective;
}

/* Does a port have settings of its own? They name another place, if they say nothing else. */
static bool differs(const struct subject *subject, size_t subset, uint16_t port)
{
	struct mrd_strbuf all MRD_AUTO_STRBUF = {0};
	struct mrd_strbuf own MRD_AUTO_STRBUF = {0};
	struct mrd_effective effective;

	hold(subject, subset, NO_PORT, &effective);
	mrd_effective_text(&effective, 0, &all);
	hold(subject, subset, port, &effective);
	mrd_effective_text(&effective, 0, &own);
	return all.failed || own.failed || strcmp(all.text, own.text) != 0;
}

/* A port of the service that is printed apart: once, though it may be TCP's and UDP's. A subset
 * repeats the ports of its rule, whose settings would hold for it otherwise. */
static bool is_apart(const struct subject *subject, size_t subset, size_t index)
{
	const uint16_t port = subject->ports[index];

	for (size_t i = 0; i < index; i++)
		if (subject->ports[i] == port)
			return false;
	return differs(subject, NO_SUBSET, port) ||
	       (subset != NO_SUBSET && differs(subject, subset, port));
}

static void write_port(struct writer *writer, const struct subject *subject, size_t subset,
		       uint16_t port)
{
	struct mrd_effective effective;

	hold(subject, subset, port, &effective);
	line(writer, "- port:");
	writer->indent += STEP;
	line(writer, "  number: %u", port);
	write_traffic(writer, &effective);
	writer->indent -= STEP;
}

static void write_policy(struct writer *writer, const struct subject *subject, size_t subset)
{
	struct mrd_effective effective;
	bool any = false;

	hold(subject, subset, NO_PORT, &effective);
	open_block(writer, "trafficPolicy", "", "");
	write_traffic(writer, &effective);
	for (size_t i = 0; i < subject->port_count; i++) {
		if (!is_apart(subject, subset, i))
			continue;
		if (!any)
			line(writer, "portLevelSettings:");
		any = true;
		write_port(writer, subject, subset, subject->ports[i]);
	}
	close_block(writer);
}

static void write_subset(struct writer *writer, const struct subject *subject, size_t index,
			 const struct mrd_subset *subset)
{
	begin(writer);
	mrd_strbuf_addf(writer->out, "- name: ");
	mrd_strbuf_add_json(writer->out, subset->name);
	comment(writer, "", subset->place);
	writer->indent += STEP;
	if (subset->label_count)
		open_block(writer, "labels", "", "");
	for (size_t i = 0; i < subset->label_count; i++) {
		begin(writer);
		mrd_strbuf_add_json(writer->out, subset->labels[i].key);
		mrd_strbuf_addf(writer->out, ": ");
		mrd_strbuf_add_json(writer->out, subset->labels[i].value);
		mrd_strbuf_addf(writer->out, "\n");
	}
	if (subset->label_count)
		close_block(writer);
	write_policy(writer, subject, index);
	writer->indent -= STEP;
}

/* The rule that holds may say less for the longest ejection than a subset of another one for its
 * first: nothing acts on a subset, but it could not be read back. */
static bool is_too_long(const struct writer *writer, const struct subject *subject, size_t subset)
{
	struct mrd_effective effective;
	const struct mrd_outlier_rule *rule;

	for (size_t i = 0; i <= subject->port_count; i++) {
		hold(subject, subset, i < subject->port_count ? subject->ports[i] : NO_PORT,
		     &effective);
		rule = detector_of(writer, &effective);
		if (effective.lb != MRD_LB_PASSTHROUGH && rule &&
		    rule->base_ejection_ms > rule->max_ejection_ms)
			return true;
	}
	return false;
}

static void leave_out(struct writer *writer, const struct mrd_subset *subset)
{
	begin(writer);
	mrd_strbuf_addf(writer->out,
			"# subset %s is left out: its baseEjectionTime is more than "
			"meridian.dev/max-ejection-time",
			subset->name);
	comment(writer, "", subset->place);
}

static void write_subsets(struct writer *writer, const struct subject *subject)
{
	const size_t count =
		mrd_policy_subset_count(subject->policy, subject->namespace_, subject->service);
	struct mrd_subset subset;
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		mrd_policy_subset(subject->policy, subject->namespace_, subject->service, NO_PORT,
				  i, &subset);
		if (is_too_long(writer, subject, i)) {
			leave_out(writer, &subset);
			continue;
		}
		if (!any)
			line(writer, "subsets: # without effect: no VirtualService is applied");
		any = true;
		write_subset(writer, subject, i, &subset);
	}
}

/* What the reader asks of subsets, too: that their base times are less than the longest one, and
 * that a fallback stands beside a distribution with a list. */
static void add_subset(struct uses *uses, const struct writer *writer,
		       const struct mrd_effective *effective)
{
	if (effective->lb == MRD_LB_PASSTHROUGH)
		return;
	uses->subset_asks |= has_locality(writer, effective) && writes_both(effective);
	if (effective->detector)
		add_max(uses, effective->detector);
}

static void add_all_uses(const struct subject *subject, const struct writer *writer,
			 struct uses *uses)
{
	struct mrd_effective effective;
	struct mrd_subset subset;

	for (size_t i = 0; i <= subject->port_count; i++) {
		const uint16_t port = i < subject->port_count ? subject->ports[i] : NO_PORT;

		hold(subject, NO_SUBSET, port, &effective);
		add_uses(uses, writer, &effective);
		for (size_t k = 0; !mrd_policy_subset(subject->policy, subject->namespace_,
						      subject->service, port, k, &subset);
		     k++)
			if (!is_too_long(writer, subject, k))
				add_subset(uses, writer, &subset.effective);
	}
}

static void write_metadata(struct writer *writer, const struct subject *subject,
			   const struct mrd_effective *effective)
{
	struct uses uses = {0};

	add_all_uses(subject, writer, &uses);
	open_block(writer, "metadata", *effective->rule ? effective->rule : "no DestinationRule",
		   effective->rule_place);
	text(writer, "name", subject->service);
	text(writer, "namespace", subject->namespace_);
	write_annotations(writer, effective, &uses);
	close_block(writer);
}

void mrd_policy_text(const struct mrd_policy *policy, const char *namespace_, const char *service,
		     const struct mrd_policy_ports *ports, struct mrd_strbuf *out)
{
	const struct subject subject = {
		.policy = policy,
		.namespace_ = namespace_,
		.service = service,
		.ports = ports->numbers,
		.port_count = ports->count,
	};
	struct writer writer = {
		.out = out,
		.distribution = ports->distribution,
		.stays = ports->stays,
	};
	struct mrd_effective effective;

	hold(&subject, NO_SUBSET, NO_PORT, &effective);
	if (effective.cluster_local)
		line(&writer, "# cluster-local: endpoints of the home cluster only");
	line(&writer, "apiVersion: networking.istio.io/v1");
	line(&writer, "kind: DestinationRule");
	write_metadata(&writer, &subject, &effective);
	open_block(&writer, "spec", "", "");
	text(&writer, "host", service);
	write_policy(&writer, &subject, NO_SUBSET);
	write_subsets(&writer, &subject);
	close_block(&writer);
}
