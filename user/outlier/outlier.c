/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Envoy sweeps each interval; here a sweep that nobody needs is skipped. That comes out the same,
 * because a sweep does three things only, in this order: it un-ejects a host whose time is over, it
 * judges the rates of the interval, and it lowers the multiplier of a host that is healthy after
 * that by one. The first has a date that next_sweep tells. The second is due at the end of an
 * interval in which something was counted (buckets_due_ms). The third is counted: each host
 * remembers the sweep up to which its multiplier is right (decayed_to_ms), and every later sweep
 * takes one away.
 *
 * A signal costs one binary search among the hosts' numbers and no memory.
 */
#include "outlier/outlier.h"

#include <errno.h>
#include <stdlib.h>

#include "outlier/outlier_state.h"
#include "outlier/success_rate.h"

enum {
	CODE_CONNECT_FAILED = 503, /* what Envoy makes of an event without a code */
	CODE_TIMEOUT = 504,
	CODE_CONNECTED = 200,
	CODE_SUCCESS = 200,
	CODE_ERROR = 500,
	GATEWAY_DEFAULT = 5, /* Envoy's own detector, which nobody enforces */
};

const struct mrd_outlier_rule mrd_outlier_unheard = {
	.gateway_off = true,
	.interval_ms = 1000,
	.base_ejection_ms = 30000,
	.max_ejection_ms = 300000,
	.cap = MRD_CAP_REGIONAL,
};

/* Who wants to hear what a call finds out, and when it happens. */
struct report {
	mrd_outlier_fn fn;
	void *self;
	uint64_t now_ms;
};

/* ------------------------------------------------------------------------------- sweeps */

static uint64_t sweep_at_or_before(const struct mrd_outlier *outlier, uint64_t time_ms)
{
	if (time_ms <= outlier->epoch_ms)
		return outlier->epoch_ms;
	return time_ms - (time_ms - outlier->epoch_ms) % outlier->rule.interval_ms;
}

static uint64_t sweep_at_or_after(const struct mrd_outlier *outlier, uint64_t time_ms)
{
	const uint64_t first_ms = outlier->epoch_ms + outlier->rule.interval_ms;

	if (time_ms <= first_ms)
		return first_ms;
	return sweep_at_or_before(outlier, time_ms + outlier->rule.interval_ms - 1);
}

/* Takes off what the sweeps up to sweep_ms would have taken. */
static void decay(const struct mrd_outlier *outlier, struct mrd_watched *host, uint64_t sweep_ms)
{
	uint64_t sweeps;

	if (host->ejected || sweep_ms <= host->decayed_to_ms)
		return;
	sweeps = (sweep_ms - host->decayed_to_ms) / outlier->rule.interval_ms;
	host->multiplier = sweeps < host->multiplier ? host->multiplier - (uint32_t)sweeps : 0;
	host->decayed_to_ms = sweep_ms;
}

static uint64_t wanted_sweep(const struct mrd_outlier *outlier, const struct mrd_watched *host)
{
	if (host->ejected)
		return sweep_at_or_after(outlier, host->ejected_until_ms);
	return host->multiplier ? host->decayed_to_ms + outlier->rule.interval_ms : UINT64_MAX;
}

void mrd_outlier_plan_sweep(struct mrd_outlier *outlier)
{
	uint64_t next_ms = outlier->buckets_due_ms;

	for (size_t i = 0; i < outlier->count; i++) {
		const uint64_t wanted_ms = wanted_sweep(outlier, &outlier->hosts[i]);

		if (wanted_ms < next_ms)
			next_ms = wanted_ms;
	}
	outlier->next_sweep_ms = next_ms;
}

/* The same after a change of one host that wanted a sweep at was_ms. */
static void replan_sweep(struct mrd_outlier *outlier, const struct mrd_watched *host,
			 uint64_t was_ms)
{
	const uint64_t wanted_ms = wanted_sweep(outlier, host);

	if (wanted_ms <= outlier->next_sweep_ms)
		outlier->next_sweep_ms = wanted_ms;
	else if (was_ms == outlier->next_sweep_ms)
		mrd_outlier_plan_sweep(outlier);
}

static bool judges_rates(const struct mrd_outlier_rule *rule)
{
	return rule->success_rate.on || rule->failure_percentage.on;
}

static void empty_buckets(struct mrd_outlier *outlier)
{
	for (size_t i = 0; i < outlier->count; i++)
		for (int origin = 0; origin < MRD_RESULT_ORIGINS; origin++)
			outlier->hosts[i].buckets[origin] = (struct mrd_bucket){0};
	outlier->buckets_due_ms = UINT64_MAX;
}

/* ------------------------------------------------------------------------------- making */

static void take_rule(struct mrd_outlier *outlier, const struct mrd_outlier_rule *rule)
{
	outlier->rule = *rule;
	/* Validated rules have these; a division by zero would be too high a price for one. */
	if (!outlier->rule.interval_ms)
		outlier->rule.interval_ms = 1;
	if (!outlier->rule.base_ejection_ms)
		outlier->rule.base_ejection_ms = 1;
	if (outlier->rule.max_ejection_ms < outlier->rule.base_ejection_ms)
		outlier->rule.max_ejection_ms = outlier->rule.base_ejection_ms;
	if (outlier->rule.max_jitter_ms == UINT64_MAX)
		outlier->rule.max_jitter_ms--;
}

int mrd_outlier_new(const struct mrd_outlier_rule *rule, bool is_http, uint64_t now_ms,
		    struct mrd_outlier **ret_outlier)
{
	struct mrd_outlier *outlier = calloc(1, sizeof(*outlier));

	if (!outlier)
		return -ENOMEM;
	take_rule(outlier, rule);
	outlier->is_http = is_http;
	outlier->epoch_ms = now_ms;
	outlier->swept_ms = now_ms;
	outlier->next_sweep_ms = UINT64_MAX;
	outlier->buckets_due_ms = UINT64_MAX;
	*ret_outlier = outlier;
	return 0;
}

void mrd_outlier_free(struct mrd_outlier *outlier)
{
	if (!outlier)
		return;
	free(outlier->hosts);
	free(outlier->rates);
	free(outlier->numbers);
	free(outlier);
}

void mrd_outlier_set_rule(struct mrd_outlier *outlier, const struct mrd_outlier_rule *rule,
			  uint64_t now_ms)
{
	/* Another interval means another row of sweeps; the old row is closed first. */
	if (rule->interval_ms != outlier->rule.interval_ms) {
		const uint64_t last_ms = sweep_at_or_before(outlier, now_ms);

		for (size_t i = 0; i < outlier->count; i++) {
			decay(outlier, &outlier->hosts[i], last_ms);
			outlier->hosts[i].decayed_to_ms = now_ms;
		}
		outlier->epoch_ms = now_ms;
		outlier->swept_ms = now_ms;
		if (outlier->buckets_due_ms != UINT64_MAX)
			outlier->buckets_due_ms = now_ms + rule->interval_ms;
	}
	take_rule(outlier, rule);
	if (!judges_rates(rule))
		empty_buckets(outlier);
	mrd_outlier_plan_sweep(outlier);
}

void mrd_outlier_set_http(struct mrd_outlier *outlier, bool is_http)
{
	outlier->is_http = is_http;
}

void mrd_outlier_set_random(struct mrd_outlier *outlier, uint64_t (*random)(void *self), void *self)
{
	outlier->random = random;
	outlier->random_self = self;
}

int mrd_outlier_restore(struct mrd_outlier *outlier, uint32_t host_id,
			const struct mrd_outlier_state *state)
{
	struct mrd_watched *host = mrd_outlier_find_host(outlier, host_id);

	if (!host)
		return -ENOENT;
	outlier->ejected_count += (size_t)state->ejected - (size_t)host->ejected;
	host->ejected = state->ejected;
	host->ejected_at_ms = state->ejected_at_ms;
	host->ejected_until_ms = state->ejected_until_ms;
	host->ejections = state->ejections;
	host->multiplier = state->multiplier;
	mrd_outlier_plan_sweep(outlier);
	return 0;
}

/* ------------------------------------------------------------------------------- the cap */

static bool within_percent(size_t ejected, size_t all, uint32_t percent)
{
	return 100ULL * (ejected + 1) <= (uint64_t)percent * all;
}

/*
 * A region may go while another one of the route can take its traffic. In the last one Envoy's
 * default holds, except that one of two or more may always go: a service of a few endpoints would
 * otherwise never eject any.
 */
static bool region_allows(const struct mrd_outlier *outlier, const struct mrd_watched *host)
{
	size_t ejected = 0;
	size_t all = 0;

	for (size_t i = 0; i < outlier->count; i++) {
		const struct mrd_watched *other = &outlier->hosts[i];

		if (other->given.region == host->given.region) {
			all++;
			ejected += other->ejected;
		} else if (other->given.in_route && other->given.usable && !other->ejected) {
			return true;
		}
	}
	return within_percent(ejected, all, MRD_CAP_ENVOY_PERCENT) || (all >= 2 && !ejected);
}

/* Is there another that may be handed out, and of which the clusters tell? */
static bool has_heard_one(const struct mrd_outlier *outlier)
{
	for (size_t i = 0; i < outlier->count; i++) {
		const struct mrd_watched *host = &outlier->hosts[i];

		if (!host->given.unheard && host->given.in_route && host->given.usable &&
		    !host->ejected)
			return true;
	}
	return false;
}

static bool may_eject(const struct mrd_outlier *outlier, const struct mrd_watched *host)
{
	const size_t ejected = outlier->ejected_count;

	if (host->given.unheard && has_heard_one(outlier))
		return true;
	switch (outlier->rule.cap) {
	case MRD_CAP_REGIONAL:
		return region_allows(outlier, host);
	case MRD_CAP_ENVOY:
		return within_percent(ejected, outlier->count, MRD_CAP_ENVOY_PERCENT);
	case MRD_CAP_ALWAYS_ONE:
		return !ejected || within_percent(ejected, outlier->count, MRD_CAP_ENVOY_PERCENT);
	case MRD_CAP_PERCENT:
		return within_percent(ejected, outlier->count, outlier->rule.max_ejection_percent);
	}
	return false;
}

/* ------------------------------------------------------------------------------- ejection */

static void clear_runs(struct mrd_watched *host)
{
	host->run_5xx = 0;
	host->run_gateway = 0;
	host->run_local = 0;
	host->run_answers = false;
}

static uint64_t jitter_ms(const struct mrd_outlier *outlier)
{
	const uint64_t max_ms = outlier->rule.max_jitter_ms;

	return max_ms && outlier->random ? outlier->random(outlier->random_self) % (max_ms + 1) : 0;
}

static void eject(struct mrd_outlier *outlier, struct mrd_watched *host, uint64_t now_ms)
{
	const uint64_t base_ms = outlier->rule.base_ejection_ms;
	const uint64_t max_ms = outlier->rule.max_ejection_ms;
	const uint64_t was_ms = wanted_sweep(outlier, host);

	/* A sweep at this very time comes after the event. */
	if (now_ms)
		decay(outlier, host, sweep_at_or_before(outlier, now_ms - 1));
	/* Envoy's "multiplier × base < max + base", without its overflow. */
	if (!host->multiplier || host->multiplier - 1 <= (max_ms - 1) / base_ms)
		host->multiplier++;
	host->ejected = true;
	host->ejected_at_ms = now_ms;
	host->ejected_until_ms =
		now_ms +
		(host->multiplier > max_ms / base_ms ? max_ms : host->multiplier * base_ms) +
		jitter_ms(outlier);
	host->ejections++;
	outlier->ejected_count++;
	replan_sweep(outlier, host, was_ms);
}

static void uneject(struct mrd_outlier *outlier, struct mrd_watched *host, uint64_t time_ms,
		    const struct report *report)
{
	const struct mrd_outlier_verdict verdict = {
		.host = host->given.id,
		.twin = host->given.twin,
		.type = MRD_CONSECUTIVE_5XX, /* Envoy's log says so, whatever ejected it */
		.last_action_known = true,
		.since_last_action_ms =
			time_ms > host->ejected_at_ms ? time_ms - host->ejected_at_ms : 0,
		.ejections = host->ejections,
	};

	host->ejected = false;
	host->has_returned = true;
	host->returned_at_ms = time_ms;
	/* The first step back is due when the host has been back for an interval. */
	host->decayed_to_ms = sweep_at_or_after(outlier, time_ms);
	clear_runs(host);
	outlier->ejected_count--;
	report->fn(report->self, &verdict);
}

/* An outlier: what says so, and whether that may eject. */
struct finding {
	enum mrd_outlier_type type;
	bool enforced;
	struct mrd_outlier_rates rates;
};

static void detect(struct mrd_outlier *outlier, struct mrd_watched *host,
		   const struct finding *finding, const struct report *report)
{
	const bool allowed = may_eject(outlier, host);
	struct mrd_outlier_verdict verdict = {
		.host = host->given.id,
		.twin = host->given.twin,
		.type = finding->type,
		.ejected = true,
		.enforced = finding->enforced && allowed,
		.capped = !allowed,
		.last_action_known = host->has_returned,
		.rates = finding->rates,
	};

	if (host->has_returned && report->now_ms > host->returned_at_ms)
		verdict.since_last_action_ms = report->now_ms - host->returned_at_ms;
	if (verdict.enforced)
		eject(outlier, host, report->now_ms);
	verdict.ejections = host->ejections;
	report->fn(report->self, &verdict);
}

static bool on_probation(const struct mrd_outlier *outlier, const struct mrd_watched *host,
			 uint64_t now_ms)
{
	return outlier->rule.probation_ms && host->has_returned &&
	       now_ms <= host->returned_at_ms + outlier->rule.probation_ms;
}

static void count_error(struct mrd_outlier *outlier, struct mrd_watched *host,
			enum mrd_outlier_type type, uint32_t threshold, uint32_t *run,
			const struct report *report)
{
	const struct finding finding = {.type = type, .enforced = threshold != 0};

	if (type == MRD_CONSECUTIVE_GATEWAY_FAILURE && !threshold && !outlier->rule.gateway_off)
		threshold = GATEWAY_DEFAULT;
	if (!threshold)
		return;
	if (finding.enforced && on_probation(outlier, host, report->now_ms))
		threshold = 1;
	++*run;
	/* An ejected host is out already; its run ends when it returns. */
	if (*run < threshold || host->ejected)
		return;
	*run = 0;
	detect(outlier, host, &finding, report);
}

/* ------------------------------------------------------------------------------- rates */

static void count_result(struct mrd_outlier *outlier, struct mrd_watched *host,
			 enum mrd_result_origin origin, bool is_failure, uint64_t now_ms)
{
	struct mrd_bucket *bucket = &host->buckets[origin];
	uint64_t due_ms;

	if (!judges_rates(&outlier->rule))
		return;
	bucket->total++;
	bucket->failed += is_failure;
	if (outlier->buckets_due_ms != UINT64_MAX)
		return;
	due_ms = sweep_at_or_after(outlier,
				   now_ms > outlier->swept_ms ? now_ms : outlier->swept_ms + 1);
	outlier->buckets_due_ms = due_ms;
	if (due_ms < outlier->next_sweep_ms)
		outlier->next_sweep_ms = due_ms;
}

static double success_rate(const struct mrd_bucket *bucket)
{
	return (double)(bucket->total - bucket->failed) * 100.0 / (double)bucket->total;
}

static bool has_volume(const struct mrd_watched *host, enum mrd_result_origin origin,
		       uint32_t volume)
{
	return host->is_judged && host->buckets[origin].total >= volume;
}

static void judge_success_rates(struct mrd_outlier *outlier, enum mrd_result_origin origin,
				const struct report *report)
{
	const struct mrd_success_rate_rule *rule = &outlier->rule.success_rate;
	struct finding finding = {
		.type = origin == MRD_RESULT_LOCAL ? MRD_SUCCESS_RATE_LOCAL_ORIGIN
						   : MRD_SUCCESS_RATE,
		.enforced = rule->enforced,
	};
	struct mrd_success_rate_limit limit;
	size_t count = 0;

	for (size_t i = 0; i < outlier->count; i++)
		if (has_volume(&outlier->hosts[i], origin, rule->request_volume))
			outlier->rates[count++] = success_rate(&outlier->hosts[i].buckets[origin]);
	if (!rule->on || !count || count < rule->minimum_hosts)
		return;
	limit = mrd_success_rate_limit(outlier->rates, count, rule->stdev_factor);
	for (size_t i = 0; i < outlier->count; i++) {
		struct mrd_watched *host = &outlier->hosts[i];

		if (!has_volume(host, origin, rule->request_volume) ||
		    !(success_rate(&host->buckets[origin]) < limit.threshold))
			continue;
		finding.rates = (struct mrd_outlier_rates){
			.host = (uint32_t)success_rate(&host->buckets[origin]),
			.average = (uint32_t)limit.average,
			.threshold = (uint32_t)limit.threshold,
		};
		detect(outlier, host, &finding, report);
	}
}

static void judge_failure_percentages(struct mrd_outlier *outlier, enum mrd_result_origin origin,
				      const struct report *report)
{
	const struct mrd_failure_percentage_rule *rule = &outlier->rule.failure_percentage;
	struct finding finding = {
		.type = origin == MRD_RESULT_LOCAL ? MRD_FAILURE_PERCENTAGE_LOCAL_ORIGIN
						   : MRD_FAILURE_PERCENTAGE,
		.enforced = rule->enforced,
	};
	size_t count = 0;

	for (size_t i = 0; i < outlier->count; i++)
		count += has_volume(&outlier->hosts[i], origin, rule->request_volume);
	if (!rule->on || count < rule->minimum_hosts)
		return;
	for (size_t i = 0; i < outlier->count; i++) {
		struct mrd_watched *host = &outlier->hosts[i];
		const struct mrd_bucket *bucket = &host->buckets[origin];

		if (!has_volume(host, origin, rule->request_volume) ||
		    bucket->failed * 100 < rule->threshold * bucket->total)
			continue;
		/* Its success rate may have ejected it just now. Then Envoy goes on to log what it
		 * does not enforce, as far as the cap has room for one more. */
		if (host->ejected && (rule->enforced || !may_eject(outlier, host)))
			continue;
		finding.rates.host = (uint32_t)success_rate(bucket);
		detect(outlier, host, &finding, report);
	}
}

/* Both detectors look at the hosts that were in before either of them. */
static void judge_rates(struct mrd_outlier *outlier, const struct report *report)
{
	for (enum mrd_result_origin origin = MRD_RESULT_EXTERNAL; origin < MRD_RESULT_ORIGINS;
	     origin++) {
		for (size_t i = 0; i < outlier->count; i++) {
			struct mrd_watched *host = &outlier->hosts[i];

			host->is_judged = !host->ejected && host->buckets[origin].total;
		}
		judge_success_rates(outlier, origin, report);
		judge_failure_percentages(outlier, origin, report);
	}
	empty_buckets(outlier);
}

/* ------------------------------------------------------------------------------- signals */

static void http_code(struct mrd_outlier *outlier, struct mrd_watched *host,
		      enum mrd_outlier_signal signal, uint32_t code, const struct report *report)
{
	const bool is_error = code >= 500 && code <= 599;

	count_result(outlier, host, MRD_RESULT_EXTERNAL, is_error, report->now_ms);
	if (signal == MRD_SIGNAL_ANSWERED && outlier->is_http && host->run_answers)
		return;
	if (!is_error) {
		host->run_5xx = 0;
		host->run_gateway = 0;
		host->run_answers = false;
		return;
	}
	host->run_answers |= signal == MRD_SIGNAL_RESPONSE || signal == MRD_SIGNAL_RESET;
	/* The order of Envoy, which its log shows when one answer ends both runs. */
	if (code >= 502 && code <= 504)
		count_error(outlier, host, MRD_CONSECUTIVE_GATEWAY_FAILURE,
			    outlier->rule.consecutive_gateway, &host->run_gateway, report);
	else
		host->run_gateway = 0;
	count_error(outlier, host, MRD_CONSECUTIVE_5XX, outlier->rule.consecutive_5xx,
		    &host->run_5xx, report);
}

static void local_origin(struct mrd_outlier *outlier, struct mrd_watched *host,
			 enum mrd_outlier_signal signal, const struct report *report)
{
	const bool is_error = signal != MRD_SIGNAL_CONNECTED && signal != MRD_SIGNAL_ANSWERED;

	count_result(outlier, host, MRD_RESULT_LOCAL, is_error, report->now_ms);
	if (!is_error) {
		host->run_local = 0;
		return;
	}
	count_error(outlier, host, MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE,
		    outlier->rule.consecutive_local_origin, &host->run_local, report);
}

/*
 * What a response counts as under a list of error codes, as Envoy's router reports it to its
 * detector: what is not listed is a success, what is listed an error. A listed 5xx stays what it
 * is, so that 502 to 504 go on being gateway errors if they are listed; any other code becomes a
 * 500, which is none. Events are not looked up: the list is about responses.
 */
static uint32_t listed_code(const struct mrd_outlier_rule *rule, uint32_t code)
{
	const uint32_t bit = code - MRD_ERROR_CODE_MIN;

	if (!rule->has_error_codes)
		return code;
	if (code < MRD_ERROR_CODE_MIN || code > MRD_ERROR_CODE_MAX ||
	    !(rule->error_codes[bit / 8] & 1U << bit % 8))
		return CODE_SUCCESS;
	return code < CODE_ERROR ? CODE_ERROR : code;
}

/* Without the split an event counts as the code that a proxy would have answered with; 0: as none.
 */
static uint32_t code_of(const struct mrd_outlier *outlier, enum mrd_outlier_signal signal,
			uint32_t code)
{
	if (code)
		return code;
	switch (signal) {
	case MRD_SIGNAL_CONNECT_FAILED:
	case MRD_SIGNAL_RESET:
		return CODE_CONNECT_FAILED;
	case MRD_SIGNAL_TIMEOUT:
		return CODE_TIMEOUT;
	case MRD_SIGNAL_CONNECTED:
		return outlier->is_http ? 0 : CODE_CONNECTED;
	case MRD_SIGNAL_ANSWERED:
		return CODE_CONNECTED;
	case MRD_SIGNAL_RESPONSE:
		break;
	}
	return 0;
}

/* It did not answer, and nobody says that it still is there. */
static void give_up(struct mrd_outlier *outlier, struct mrd_watched *host,
		    const struct report *report)
{
	const struct finding finding = {
		.type = MRD_CONSECUTIVE_LOCAL_ORIGIN_FAILURE,
		.enforced = true,
	};

	if (!host->ejected)
		detect(outlier, host, &finding, report);
}

void mrd_outlier_signal(struct mrd_outlier *outlier, uint32_t host_id,
			enum mrd_outlier_signal signal, uint32_t code, uint64_t now_ms,
			mrd_outlier_fn fn, void *self)
{
	const struct report report = {.fn = fn, .self = self, .now_ms = now_ms};
	struct mrd_watched *host = mrd_outlier_find_host(outlier, host_id);

	if (!host)
		return;
	if (host->given.unheard && !code &&
	    (signal == MRD_SIGNAL_CONNECT_FAILED || signal == MRD_SIGNAL_TIMEOUT)) {
		give_up(outlier, host, &report);
		return;
	}
	if (outlier->rule.split_local_origin && signal != MRD_SIGNAL_RESPONSE) {
		local_origin(outlier, host, signal, &report);
		return;
	}
	code = code_of(outlier, signal, code);
	if (code && signal == MRD_SIGNAL_RESPONSE)
		code = listed_code(&outlier->rule, code);
	if (code)
		http_code(outlier, host, signal, code, &report);
}

uint64_t mrd_outlier_next_sweep(const struct mrd_outlier *outlier)
{
	return outlier->next_sweep_ms;
}

void mrd_outlier_sweep(struct mrd_outlier *outlier, uint64_t now_ms, mrd_outlier_fn fn, void *self)
{
	const uint64_t last_ms = sweep_at_or_before(outlier, now_ms);
	const struct report report = {.fn = fn, .self = self, .now_ms = last_ms};

	if (now_ms < outlier->next_sweep_ms)
		return;
	for (size_t i = 0; i < outlier->count; i++) {
		struct mrd_watched *host = &outlier->hosts[i];
		const uint64_t due_ms = sweep_at_or_after(outlier, host->ejected_until_ms);

		/* A late caller does not lengthen an ejection: the host is back since the sweep. */
		if (host->ejected && due_ms <= last_ms)
			uneject(outlier, host, due_ms, &report);
	}
	if (outlier->buckets_due_ms <= last_ms)
		judge_rates(outlier, &report);
	/* Last: a host that its rate ejects at this sweep loses nothing by it. */
	for (size_t i = 0; i < outlier->count; i++)
		decay(outlier, &outlier->hosts[i], last_ms);
	outlier->swept_ms = last_ms;
	mrd_outlier_plan_sweep(outlier);
}

void mrd_outlier_uneject(struct mrd_outlier *outlier, uint32_t host_id, uint64_t now_ms,
			 mrd_outlier_fn fn, void *self)
{
	const struct report report = {.fn = fn, .self = self, .now_ms = now_ms};
	struct mrd_watched *host = mrd_outlier_find_host(outlier, host_id);

	if (!host || !host->ejected)
		return;
	uneject(outlier, host, now_ms, &report);
	mrd_outlier_plan_sweep(outlier);
}

/* ------------------------------------------------------------------------------- asking */

int mrd_outlier_get(const struct mrd_outlier *outlier, uint32_t host_id,
		    struct mrd_outlier_state *ret_state)
{
	const struct mrd_watched *host = mrd_outlier_find_host(outlier, host_id);

	if (!host)
		return -ENOENT;
	*ret_state = (struct mrd_outlier_state){
		.ejected = host->ejected,
		.ejected_at_ms = host->ejected_at_ms,
		.ejected_until_ms = host->ejected ? host->ejected_until_ms : 0,
		.ejections = host->ejections,
		.multiplier = host->multiplier,
	};
	return 0;
}

bool mrd_outlier_may_eject(const struct mrd_outlier *outlier, uint32_t host_id)
{
	const struct mrd_watched *host = mrd_outlier_find_host(outlier, host_id);

	return host && !host->ejected && may_eject(outlier, host);
}

size_t mrd_outlier_ejected_count(const struct mrd_outlier *outlier)
{
	return outlier->ejected_count;
}
