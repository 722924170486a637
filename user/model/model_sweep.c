/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* All objects of a kind at once: those that a new reading did not meet go; a whole cluster moves
 * from one model to another. */
#include "model/model.h"

#include <errno.h>

#include "model/internal.h"

void mrd_model_mark(struct mrd_model *model, size_t cluster, enum mrd_kind kind)
{
	model->clusters[cluster].rounds[kind]++;
}

int mrd_model_keep(struct mrd_model *model, size_t cluster, enum mrd_kind kind,
		   const char *namespace_, const char *name)
{
	const struct mrd_cluster_state *state = &model->clusters[cluster];
	char key[MRD_KEY_MAX];
	const size_t key_len = mrd_model_key(key, namespace_, name);
	struct mrd_meta *object =
		key_len ? mrd_table_get(state->objects[kind], key, key_len) : NULL;

	if (!object)
		return -ENOENT;
	object->round = state->rounds[kind];
	return 0;
}

int mrd_model_put_unmet(struct mrd_model *model, size_t cluster, struct mrd_meta *object)
{
	const int ret = mrd_model_put(model, cluster, object);

	if (ret < 0)
		return ret;
	object->round = model->clusters[cluster].rounds[object->kind] - 1;
	object->born = model->clusters[cluster].swept[object->kind];
	return 0;
}

size_t mrd_model_sweep(struct mrd_model *model, size_t cluster, enum mrd_kind kind)
{
	struct mrd_cluster_state *state = &model->clusters[cluster];
	const struct mrd_meta *object;
	size_t cursor = 0;
	size_t gone = 0;

	while ((object = mrd_table_next(state->objects[kind], &cursor, NULL, NULL)))
		if (object->round != state->rounds[kind])
			gone += !mrd_model_delete(model, cluster, kind, object->namespace_,
						  object->name);
	state->swept[kind] = state->rounds[kind];
	return gone;
}

size_t mrd_model_forget(struct mrd_model *model, size_t cluster, enum mrd_kind kind)
{
	const struct mrd_cluster_state *state = &model->clusters[cluster];
	const struct mrd_meta *object;
	size_t cursor = 0;
	size_t gone = 0;

	while ((object = mrd_table_next(state->objects[kind], &cursor, NULL, NULL)))
		if (object->born > state->swept[kind])
			gone += !mrd_model_delete(model, cluster, kind, object->namespace_,
						  object->name);
	return gone;
}

int mrd_model_copy(const struct mrd_model *from, size_t from_cluster, struct mrd_model *to,
		   size_t to_cluster)
{
	for (int kind = 0; kind < MRD_KIND_COUNT; kind++) {
		const struct mrd_table *objects = from->clusters[from_cluster].objects[kind];
		const struct mrd_meta *object;
		size_t cursor = 0;

		while ((object = mrd_table_next(objects, &cursor, NULL, NULL))) {
			struct mrd_meta *copy = mrd_object_copy(object);
			const int ret = copy ? mrd_model_put(to, to_cluster, copy) : -ENOMEM;

			if (ret < 0)
				return ret;
			copy->round = object->round; /* a list may be under way */
			copy->born = object->born;
		}
		to->clusters[to_cluster].rounds[kind] = from->clusters[from_cluster].rounds[kind];
		to->clusters[to_cluster].swept[kind] = from->clusters[from_cluster].swept[kind];
	}
	return 0;
}
