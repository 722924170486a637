/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A locality is a way down a tree: anywhere, region, zone, subzone. An earlier one is equal or
 * around if it ends on this way; it is inside if its own way leads through this one's end. So the
 * first index that ends at a node, and the first that leads through it, are all that must be known.
 */
#include "policy/locality_set.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/table.h"

enum { LEVELS = 3 };

/* From a node, "region/zone", to index + 1. */
struct mrd_locality_set {
	struct mrd_table *ends;
	struct mrd_table *ways;
};

struct mrd_locality_set *mrd_locality_set_new(void)
{
	struct mrd_locality_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->ends = mrd_table_new(NULL);
	set->ways = mrd_table_new(NULL);
	if (set->ends && set->ways)
		return set;
	mrd_locality_set_free(set);
	return NULL;
}

void mrd_locality_set_free(struct mrd_locality_set *set)
{
	if (!set)
		return;
	mrd_table_free(set->ends);
	mrd_table_free(set->ways);
	free(set);
}

/* The nodes of a way are the beginnings of one text. Returns how many there are below the root. */
static size_t write_way(const struct mrd_locality_match *match, struct mrd_strbuf *text,
			size_t lens[LEVELS + 1])
{
	const char *const parts[LEVELS] = {match->region, match->zone, match->subzone};
	size_t depth = 0;

	mrd_strbuf_addf(text, "/"); /* no locality has a "/" in a part: ways cannot be mixed up */
	lens[0] = text->len;
	for (; depth < LEVELS && *parts[depth]; depth++) {
		mrd_strbuf_addf(text, "%s/", parts[depth]);
		lens[depth + 1] = text->len;
	}
	return depth;
}

static size_t lesser(size_t found, const struct mrd_table *table, const char *text, size_t len)
{
	const size_t other = (uintptr_t)mrd_table_get(table, text, len);

	return other && (!found || other < found) ? other : found;
}

static int put_first(struct mrd_table *table, const char *text, size_t len, size_t index)
{
	if (mrd_table_get(table, text, len))
		return 0;
	return mrd_table_put(table, text, len, (void *)(uintptr_t)(index + 1));
}

int mrd_locality_set_add(struct mrd_locality_set *set, const struct mrd_locality_match *match,
			 size_t index, size_t *ret_earlier)
{
	MRD_AUTO_STRBUF struct mrd_strbuf way = {0};
	size_t lens[LEVELS + 1];
	const size_t depth = write_way(match, &way, lens);
	size_t found = 0;
	int r;

	if (way.failed)
		return -ENOMEM;
	for (size_t i = 0; i <= depth; i++)
		found = lesser(found, set->ends, way.text, lens[i]);
	if (depth)
		found = lesser(found, set->ways, way.text, lens[depth]);
	r = put_first(set->ends, way.text, lens[depth], index);
	for (size_t i = 0; !r && i <= depth; i++)
		r = put_first(set->ways, way.text, lens[i], index);
	if (r)
		return r;
	if (!found)
		return 0;
	*ret_earlier = found - 1;
	return 1;
}
