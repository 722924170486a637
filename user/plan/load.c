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

/* A level's health with overprovisioning: what it could carry of all load, in whole per cent. */
static uint32_t level_health(const struct mrd_load_level *level, uint32_t overprovisioning_percent)
{
	if (!level->total)
		return 0;
	return at_most_percent((uint64_t)overprovisioning_percent * level->healthy / level->total);
}

/* Strictly below the threshold; an empty level counts as 0 % healthy, as in Envoy. */
static bool below_threshold(const struct mrd_load_level *level, uint32_t panic_percent)
{
	return (uint64_t)level->healthy * PERCENT < (uint64_t)panic_percent * level->total ||
	       (!level->total && panic_percent);
}

/* Each level takes what it can carry of what is left; the first healthy one takes the rounding. */
static void share_by_health(struct mrd_load_level *levels, size_t count,
			    uint32_t overprovisioning_percent, uint32_t health_sum)
{
	struct mrd_load_level *first = NULL;
	uint32_t left = PERCENT;

	for (size_t i = 0; i < count; i++) {
		const uint32_t health = level_health(&levels[i], overprovisioning_percent);
		const uint32_t wanted = health * PERCENT / health_sum;

		if (!first && health)
			first = &levels[i];
		levels[i].percent = wanted < left ? wanted : left;
		left -= levels[i].percent;
	}
	if (first)
		first->percent += left;
}

/* Every level panics: health says nothing any more, so the number of hosts decides. */
static void share_by_hosts(struct mrd_load_level *levels, size_t count)
{
	struct mrd_load_level *first = NULL;
	uint64_t hosts = 0;
	uint32_t left = PERCENT;

	for (size_t i = 0; i < count; i++) {
		levels[i].percent = 0;
		hosts += levels[i].total - levels[i].unfit;
	}
	if (!hosts)
		return;

	for (size_t i = 0; i < count; i++) {
		const uint64_t fit = levels[i].total - levels[i].unfit;

		if (!first && fit)
			first = &levels[i];
		levels[i].percent = (uint32_t)(PERCENT * fit / hosts);
		left -= levels[i].percent;
	}
	first->percent += left;
}

void mrd_load_levels(struct mrd_load_level *levels, size_t count, uint32_t overprovisioning_percent,
		     uint32_t panic_percent)
{
	uint64_t sum = 0;
	bool all_panic = count > 0;

	for (size_t i = 0; i < count; i++) {
		sum += level_health(&levels[i], overprovisioning_percent);
		levels[i].percent = 0;
		levels[i].panic = false;
	}
	if (sum)
		share_by_health(levels, count, overprovisioning_percent, at_most_percent(sum));
	if (sum >= PERCENT)
		return; /* the levels together carry everything: nobody panics */

	for (size_t i = 0; i < count; i++) {
		levels[i].panic = below_threshold(&levels[i], panic_percent);
		all_panic = all_panic && levels[i].panic;
	}
	if (all_panic)
		share_by_hosts(levels, count);
}

double mrd_load_locality(double weight, uint32_t healthy, uint32_t total,
			 uint32_t overprovisioning_percent)
{
	double available;

	if (!total)
		return 0;
	available = (double)overprovisioning_percent * healthy / ((double)PERCENT * total);
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
