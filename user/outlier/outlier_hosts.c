/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whom a detector watches, and by which numbers. */
#include "outlier/outlier_state.h"

#include <errno.h>
#include <stdlib.h>

static int compare_hosts(const void *a, const void *b)
{
	const uint32_t a_id = ((const struct mrd_watched *)a)->given.id;
	const uint32_t b_id = ((const struct mrd_watched *)b)->given.id;

	return (a_id > b_id) - (a_id < b_id);
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t a_id = ((const struct mrd_host_number *)a)->id;
	const uint32_t b_id = ((const struct mrd_host_number *)b)->id;

	return (a_id > b_id) - (a_id < b_id);
}

struct mrd_watched *mrd_outlier_find_host(const struct mrd_outlier *outlier, uint32_t id)
{
	const struct mrd_host_number wanted = {.id = id};
	const struct mrd_host_number *number = NULL;

	if (outlier->number_count)
		number = bsearch(&wanted, outlier->numbers, outlier->number_count, sizeof(wanted),
				 compare_numbers);
	return number ? &outlier->hosts[number->index] : NULL;
}

/* What is known of a host by either number. */
static const struct mrd_watched *find_known(const struct mrd_outlier *outlier,
					    const struct mrd_outlier_host *given)
{
	const struct mrd_watched *host = mrd_outlier_find_host(outlier, given->id);
	const struct mrd_watched *twin =
		given->twin ? mrd_outlier_find_host(outlier, given->twin) : NULL;

	if (!host || !twin)
		return host ? host : twin;
	if (host->ejected != twin->ejected)
		return host->ejected ? host : twin;
	return twin->ejected_until_ms > host->ejected_until_ms ? twin : host;
}

/* Another mention of the same host. */
static void merge_given(struct mrd_outlier_host *host, const struct mrd_outlier_host *again)
{
	host->twin = host->twin ? host->twin : again->twin;
	host->in_route |= again->in_route;
	host->usable |= again->usable;
	host->unheard &= again->unheard;
}

/* Returns how many numbers the hosts have. */
static size_t number_hosts(const struct mrd_watched *hosts, size_t count,
			   struct mrd_host_number *numbers)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		numbers[known++] = (struct mrd_host_number){hosts[i].given.id, (uint32_t)i};
		if (hosts[i].given.twin)
			numbers[known++] =
				(struct mrd_host_number){hosts[i].given.twin, (uint32_t)i};
	}
	if (known)
		qsort(numbers, known, sizeof(*numbers), compare_numbers);
	return known;
}

int mrd_outlier_set_hosts(struct mrd_outlier *outlier, const struct mrd_outlier_host *hosts,
			  size_t count)
{
	struct mrd_watched *set = calloc(count ? count : 1, sizeof(*set));
	double *rates = calloc(count ? count : 1, sizeof(*rates));
	struct mrd_host_number *numbers = calloc(2 * count + 1, sizeof(*numbers));
	size_t kept = 0;

	if (!set || !rates || !numbers) {
		free(set);
		free(rates);
		free(numbers);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		const struct mrd_watched *known = find_known(outlier, &hosts[i]);

		if (known)
			set[i] = *known;
		else
			set[i].decayed_to_ms = outlier->epoch_ms;
		set[i].given = hosts[i];
	}
	qsort(set, count, sizeof(*set), compare_hosts);
	for (size_t i = 0; i < count; i++)
		if (kept && set[kept - 1].given.id == set[i].given.id)
			merge_given(&set[kept - 1].given, &set[i].given);
		else
			set[kept++] = set[i];

	free(outlier->hosts);
	free(outlier->rates);
	free(outlier->numbers);
	outlier->hosts = set;
	outlier->rates = rates;
	outlier->count = kept;
	outlier->numbers = numbers;
	outlier->number_count = number_hosts(set, kept, numbers);
	outlier->ejected_count = 0;
	for (size_t i = 0; i < kept; i++)
		outlier->ejected_count += set[i].ejected;
	mrd_outlier_plan_sweep(outlier);
	return 0;
}

int mrd_outlier_add_hosts(struct mrd_outlier *outlier, const struct mrd_outlier_host *hosts,
			  size_t count)
{
	struct mrd_outlier_host *all = calloc(outlier->count + count + 1, sizeof(*all));
	size_t total = 0;
	int r;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < outlier->count; i++)
		all[total++] = outlier->hosts[i].given;
	for (size_t i = 0; i < count; i++)
		all[total++] = hosts[i];
	r = mrd_outlier_set_hosts(outlier, all, total);
	free(all);
	return r;
}
