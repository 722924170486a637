/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Private to explain.c: whom the port's detector may eject yet, by the cap that it keeps. */
#ifndef MRD_PLAN_EXPLAIN_EJECT_H
#define MRD_PLAN_EXPLAIN_EJECT_H

#include "outlier/outlier.h"
#include "plan/explain.h"
#include "plan/ids.h"

struct mrd_explain_detector {
	struct mrd_ids *ids;
	uint32_t service_id;
	struct mrd_outlier *outlier; /* NULL: nobody is ever ejected */
	bool ejects;		     /* whom its cluster tells of, too */
};

enum mrd_explain_eject {
	MRD_EXPLAIN_EJECT_NEVER,  /* nothing that it does ejects it */
	MRD_EXPLAIN_EJECT_CAPPED, /* not while as many are ejected as are now */
	MRD_EXPLAIN_EJECT_MAY,
};

/* Of the plan's port at index, with the ejections of now; seen is the view's. -ENOMEM leaves a part
 * of it to be freed, as success does. */
int mrd_explain_detector_make(const struct mrd_explain_input *input, const struct mrd_view *view,
			      const struct mrd_view_port *seen, const struct mrd_plan *plan,
			      size_t index, struct mrd_explain_detector *ret_detector);
void mrd_explain_detector_clear(struct mrd_explain_detector *detector);

enum mrd_explain_eject mrd_explain_eject(const struct mrd_explain_detector *detector,
					 const struct mrd_plan_endpoint *endpoint);

#endif
