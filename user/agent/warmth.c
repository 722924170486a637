/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/warmth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

struct thing {
	bool was_asked;
	bool is_old;	  /* it was up at the first plan, and ever since */
	uint64_t back_ms; /* if not old */
};

struct mrd_warmth {
	struct mrd_table *up; /* by name */
};

struct mrd_warmth *mrd_warmth_new(void)
{
	struct mrd_warmth *warmth = calloc(1, sizeof(*warmth));

	if (warmth)
		warmth->up = mrd_table_new(free);
	if (warmth && !warmth->up) {
		free(warmth);
		return NULL;
	}
	return warmth;
}

void mrd_warmth_free(struct mrd_warmth *warmth)
{
	if (!warmth)
		return;
	mrd_table_free(warmth->up);
	free(warmth);
}

static struct thing *add(struct mrd_warmth *warmth, const char *name)
{
	struct thing *thing = calloc(1, sizeof(*thing));

	if (thing && mrd_table_put_str(warmth->up, name, thing)) {
		free(thing);
		return NULL;
	}
	return thing;
}

void mrd_warmth_know(struct mrd_warmth *warmth, const char *name)
{
	struct thing *thing = warmth ? add(warmth, name) : NULL;

	if (thing)
		thing->is_old = true;
}

static uint64_t back_ms(const struct thing *thing, uint64_t now_ms)
{
	return thing->is_old ? UINT64_MAX : now_ms - thing->back_ms;
}

uint64_t mrd_warmth_ask(struct mrd_warmth *warmth, const char *name, uint64_t now_ms)
{
	struct thing *thing = warmth ? mrd_table_get_str(warmth->up, name) : NULL;

	if (!warmth)
		return UINT64_MAX;
	if (!thing) {
		thing = add(warmth, name);
		if (!thing)
			return UINT64_MAX;
		thing->back_ms = now_ms;
	}
	thing->was_asked = true;
	return back_ms(thing, now_ms);
}

uint64_t mrd_warmth_peek(const struct mrd_warmth *warmth, const char *name, uint64_t now_ms,
			 uint64_t unknown_ms)
{
	const struct thing *thing = warmth ? mrd_table_get_str(warmth->up, name) : NULL;

	if (!warmth)
		return UINT64_MAX;
	return thing ? back_ms(thing, now_ms) : unknown_ms;
}

void mrd_warmth_settle(struct mrd_warmth *warmth)
{
	const void *name;
	size_t name_len;
	size_t cursor = 0;
	struct thing *thing;

	while (warmth && (thing = mrd_table_next(warmth->up, &cursor, &name, &name_len))) {
		if (thing->was_asked)
			thing->was_asked = false;
		else
			mrd_table_delete(warmth->up, name, name_len);
	}
}
