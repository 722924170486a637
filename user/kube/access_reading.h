/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What access.c and access_fill.c share. Nobody else includes this. */
#ifndef MRD_KUBE_ACCESS_READING_H
#define MRD_KUBE_ACCESS_READING_H

#include "base/doc.h"
#include "kube/access.h"

struct mrd_access_reading {
	const char *file;
	const char *folder; /* of the file; "" = the working directory */
	struct mrd_diag *diag;
	size_t errors;
	bool no_memory;
};

enum { MRD_ACCESS_NAME_MAX = 64 }; /* "users[12345].user.exec.env[12]" */

/* A map of the document and its way from the root. */
struct mrd_access_part {
	const struct mrd_doc_node *node;
	char name[MRD_ACCESS_NAME_MAX];
};

/* key "": the part itself. */
void mrd_access_error(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		      const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void mrd_access_warn(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		     const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* NULL: not there, or null. */
const struct mrd_doc_node *mrd_access_get(const struct mrd_access_part *part, const char *key);
/* Borrowed; "" if there is none. */
const char *mrd_access_text(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			    const char *key);
bool mrd_access_bool(struct mrd_access_reading *reading, const struct mrd_access_part *part,
		     const char *key);
size_t mrd_access_count(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			const char *key);
void mrd_access_set_name(struct mrd_access_part *part, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct mrd_access_part mrd_access_item(const struct mrd_access_part *part, const char *key,
				       size_t index);
/* Copies; NULL only with no_memory. */
char *mrd_access_copy(struct mrd_access_reading *reading, const char *text);
char *mrd_access_path(struct mrd_access_reading *reading, const char *path); /* from the folder */

void mrd_access_set_server(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			   const char *key, const char *server, struct mrd_kube_access *access);
void mrd_access_read_cluster(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			     struct mrd_kube_access *access);
void mrd_access_read_user(struct mrd_access_reading *reading, const struct mrd_access_part *part,
			  struct mrd_kube_access *access);

#endif
