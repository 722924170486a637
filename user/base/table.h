/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A hash table from byte strings to pointers. Keys are copied, values are borrowed unless a free
 * function is given. Iteration is in order of insertion, so that what is printed from it is stable.
 */
#ifndef MRD_BASE_TABLE_H
#define MRD_BASE_TABLE_H

#include <stddef.h>

struct mrd_table;
typedef void (*mrd_table_free_fn)(void *value);

/* free_value may be NULL. Returns NULL without memory. */
struct mrd_table *mrd_table_new(mrd_table_free_fn free_value);
void mrd_table_free(struct mrd_table *table); /* NULL is fine */

size_t mrd_table_count(const struct mrd_table *table);

/* Replaces (and frees) an older value of the key. -ENOMEM leaves the table as it was. */
int mrd_table_put(struct mrd_table *table, const void *key, size_t key_len, void *value);
void *mrd_table_get(const struct mrd_table *table, const void *key, size_t key_len);
/* Removes without freeing the value, which is returned (NULL: there was none). */
void *mrd_table_take(struct mrd_table *table, const void *key, size_t key_len);
/* Removes and frees. 0, or -ENOENT. */
int mrd_table_delete(struct mrd_table *table, const void *key, size_t key_len);

/* The same with a zero-terminated string as key (its zero is not part of the key). */
int mrd_table_put_str(struct mrd_table *table, const char *key, void *value);
void *mrd_table_get_str(const struct mrd_table *table, const char *key);
int mrd_table_delete_str(struct mrd_table *table, const char *key);

/*
 * Walks in order of insertion: start with *cursor = 0; returns NULL at the end. ret_key and
 * ret_key_len may be NULL; a key is zero-terminated beyond its length. Deleting the entry last
 * returned is allowed while walking; putting is not.
 */
void *mrd_table_next(const struct mrd_table *table, size_t *cursor, const void **ret_key,
		     size_t *ret_key_len);

#endif
