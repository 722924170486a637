/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* An explanation (plan/explain.h) as a document, and the document as text. Apart from view.h, for
 * it needs no maps. */
#ifndef MRD_VIEW_VIEW_EXPLAIN_H
#define MRD_VIEW_VIEW_EXPLAIN_H

#include <stdio.h>

#include <jansson.h>

#include "plan/explain.h"

/* A new reference, or NULL without memory. */
json_t *mrd_view_explain(const struct mrd_explanation *explanation);
void mrd_view_print_explain(const json_t *doc, FILE *out);

#endif
