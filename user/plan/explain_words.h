/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Private to explain.c: what the rules say, in sentences, and what of it has no effect. */
#ifndef MRD_PLAN_EXPLAIN_WORDS_H
#define MRD_PLAN_EXPLAIN_WORDS_H

#include "plan/explain.h"

struct mrd_explain_words {
	const struct mrd_explain_input *input;
	const struct mrd_view *view;
	const struct mrd_plan_port *planned;
	const struct mrd_view_port *seen;
};

/* Fills reasons, warnings, rule and places. -ENOMEM. */
int mrd_explain_add_words(const struct mrd_explain_words *words, struct mrd_explained_port *port);

/* Warnings alone, of rules that do not hold or name nobody: what is to be said of a port that is
 * not planned. -ENOMEM. */
int mrd_explain_add_rule_warnings(const struct mrd_explain_input *input,
				  const struct mrd_view *view, uint16_t number,
				  struct mrd_explained_port *port);

#endif
