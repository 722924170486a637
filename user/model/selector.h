/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Kubernetes label selectors: "app=web,tier!=db,env in (a,b),!legacy,owner". */
#ifndef MRD_MODEL_SELECTOR_H
#define MRD_MODEL_SELECTOR_H

#include <stdbool.h>

#include "model/object.h"

struct mrd_selector;

int mrd_selector_parse(const char *text, struct mrd_selector **ret_selector); /* -EINVAL */
void mrd_selector_free(struct mrd_selector *selector);			      /* NULL is fine */
bool mrd_selector_matches(const struct mrd_selector *selector, const struct mrd_labels *labels);

#endif
