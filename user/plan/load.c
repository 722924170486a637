/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whole per cents are deliberate: Envoy rounds each level's health down before it shares the load,
 * and users compare our numbers with theirs. Everything behind the levels is exact (double).
 */
#include "plan/load.h"

#include <math.h>

enum { PERCENT = 100 };

/* Below this, two shares differ by the noise of floating point only. */
static const double share_noise = 1e-9;

static uint32_t at_most_percent(uint64_t value)
{
	return value < PERCENT ? (uint32_t)value : PERCENT;
}

static uint32_t host_count(const struct mrd_load_level *level)
{
	return level->total - level->excluded;
}

/* What a level could carry of all load by part of its hosts, in whole per cent. */
static uint32_t availability(const struct mrd_load_level *level, uint64_t hosts, uint64_t weight,
			     uint32_t overprovisioning_percent)
{
	if (!host_count(level))
		return 0;
	if (level->total_weight)
		return at_most_percent(overprovisioning_percent * weight / level->total_weight);
	return at_most_percent(overprovisioning_percent * hosts / host_count(level));
}

static uint32_t health(const struct mrd_load_level *level, uint32_t overprovisioning_percent)
{
	return availability(level, level->healthy, level->healthy_weight, overprovisioning_percent);
}

static uint32_t degradation(const struct mrd_load_level *level, uint32_t overprovisioning_percent)
{
	return availability(level, level->degraded, level->degraded_weight,
			    overprovisioning_percent);
}

/* Strictly below the threshold; a level without hosts counts as 0 % healthy. */
static bool below_threshold(const struct mrd_load_level *level, uint32_t panic_percent)
{
	const uint64_t available = (uint64_t)level->healthy + level->degraded;

	if (!host_count(level))
		return panic_percent;
	return available * PERCENT < (uint64_t)panic_percent * host_count(level);
}

/* As much as a level can carry of what is left; notes the first level that can carry anything. */
static uint32_t take(uint32_t available, uint32_t normalised, uint32_t *at, uint32_t **first,
		     uint32_t left)
{
	const uint32_t wanted = available * PERCENT / normalised;

	if (!*first && available)
		*first = at;
	*at = wanted < left ? wanted : left;
	return left - *at;
}

/* Healthy hosts of all levels in order, then degraded ones; the first takes the rounding. */
static void share_by_health(struct mrd_load_level *levels, size_t count,
			    uint32_t overprovisioning_percent, uint32_t normalised)
{
	uint32_t *first = NULL;
	uint32_t left = PERCENT;

	for (size_t i = 0; i < count; i++)
		left = take(health(&levels[i], overprovisioning_percent), normalised,
			    &levels[i].percent, &first, left);
	for (size_t i = 0; i < count; i++)
		left = take(degradation(&levels[i], overprovisioning_percent), normalised,
			    &levels[i].degraded_percent, &first, left);
	*first += left;
}

/* Every level panics: health says nothing any more, so the number of hosts decides. */
static void share_by_hosts(struct mrd_load_level *levels, size_t count)
{
	struct mrd_load_level *first = NULL;
	uint64_t hosts = 0;
	uint32_t left = PERCENT;

	for (size_t i = 0; i < count; i++) {
		const uint32_t fit = levels[i].total - levels[i].unfit;

		if (!first && fit)
			first = &levels[i];
		hosts += fit;
	}
	for (size_t i = 0; i < count; i++) {
		const uint64_t fit = levels[i].total - levels[i].unfit;

		levels[i].percent = hosts ? (uint32_t)(PERCENT * fit / hosts) : 0;
		levels[i].degraded_percent = 0;
		left -= levels[i].percent;
	}
	(first ? first : levels)->percent += left;
}

uint32_t mrd_load_levels(struct mrd_load_level *levels, size_t count,
			 uint32_t overprovisioning_percent, uint32_t panic_percent)
{
	uint64_t sum = 0;
	uint32_t normalised;
	bool all_panic = true;

	for (size_t i = 0; i < count; i++) {
		sum += health(&levels[i], overprovisioning_percent);
		sum += degradation(&levels[i], overprovisioning_percent);
		levels[i].percent = levels[i].degraded_percent = 0;
		levels[i].panic = false;
	}
	normalised = at_most_percent(sum);
	if (!count)
		return normalised;
	if (normalised)
		share_by_health(levels, count, overprovisioning_percent, normalised);
	if (normalised == PERCENT)
		return normalised; /* the levels together carry everything: nobody panics */
	if (!normalised && !panic_percent) {
		levels[0].percent = PERCENT;
		return normalised;
	}

	for (size_t i = 0; i < count; i++) {
		levels[i].panic = below_threshold(&levels[i], panic_percent);
		all_panic = all_panic && levels[i].panic;
	}
	if (all_panic)
		share_by_hosts(levels, count);
	return normalised;
}

double mrd_load_locality(double weight, double healthy, uint32_t total,
			 uint32_t overprovisioning_percent)
{
	double available;

	if (!total)
		return 0;
	available = overprovisioning_percent * healthy / ((double)PERCENT * total);
	return available < 1 ? weight * available : weight;
}

/* The exact parts of a share, of which ret_parts are the whole ones. */
static double quota(double share, double sum, uint32_t parts_total)
{
	return share > 0 ? share / sum * parts_total : 0;
}

/* Gives what rounding down left over, one by one, to the largest remainders. */
static void give_rest(const double *shares, size_t count, double sum, uint32_t parts_total,
		      uint32_t given, uint32_t *ret_parts)
{
	for (; given < parts_total; given++) {
		double best_rest = -1;
		size_t best = 0;

		for (size_t i = 0; i < count; i++) {
			const double rest = quota(shares[i], sum, parts_total) - ret_parts[i];

			if (shares[i] > 0 && rest > best_rest + share_noise) {
				best_rest = rest;
				best = i;
			}
		}
		ret_parts[best]++;
	}
}

/* No share above 0 may vanish: the largest part gives one away, as long as it has more than one. */
static void lift_zeros(const double *shares, size_t count, uint32_t *ret_parts)
{
	for (size_t i = 0; i < count; i++) {
		size_t largest = 0;

		if (shares[i] <= 0 || ret_parts[i])
			continue;
		for (size_t k = 1; k < count; k++)
			if (ret_parts[k] > ret_parts[largest])
				largest = k;
		if (ret_parts[largest] < 2)
			return;
		ret_parts[largest]--;
		ret_parts[i]++;
	}
}

void mrd_load_apportion(const double *shares, size_t count, uint32_t parts_total,
			uint32_t *ret_parts)
{
	double sum = 0;
	uint32_t given = 0;

	for (size_t i = 0; i < count; i++) {
		ret_parts[i] = 0;
		sum += shares[i] > 0 ? shares[i] : 0;
	}
	if (sum <= 0)
		return;

	for (size_t i = 0; i < count; i++) {
		ret_parts[i] = (uint32_t)floor(quota(shares[i], sum, parts_total) + share_noise);
		given += ret_parts[i];
	}
	give_rest(shares, count, sum, parts_total, given, ret_parts);
	lift_zeros(shares, count, ret_parts);
}
