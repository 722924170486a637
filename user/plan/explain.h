/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Why the traffic of a service goes where it goes: its plan, the rules behind it in words, and what
 * would change it. That last part is no guess: the service is planned again with the endpoints
 * failed in question. Pure, for the agent (which knows what is ejected) and for files.
 */
#ifndef MRD_PLAN_EXPLAIN_H
#define MRD_PLAN_EXPLAIN_H

#include "plan/plan.h"

/* "NAMESPACE/NAME[:PORT]", a port by its name or number. */
struct mrd_explain_target {
	char namespace_[MRD_NAME_LEN];
	char service[MRD_NAME_LEN];
	char port[MRD_NAME_LEN]; /* "": all of them */
};

/* -EINVAL: not of that form; -EDOM: the port is neither a name nor a number as they are written. */
int mrd_explain_target_parse(const char *text, struct mrd_explain_target *ret_target);
/* How it is written, of -EINVAL and -EDOM, in a sentence. */
const char *mrd_explain_target_fault(int error);

struct mrd_explain_input {
	const struct mrd_explain_target *target;
	const struct mrd_model *model;
	const struct mrd_policy *policy;
	const struct mrd_plan_node *node;
	/* Why the kernel does not hold this plan; NULL: it does, or no kernel is asked about. */
	const char *unwritten;
	uint64_t unwritten_ms;		     /* for how long not; UINT64_MAX: that is not known */
	struct mrd_plan_ejections ejections; /* its function may be NULL: none */
	/* How long an ejected endpoint stays so. NULL, or false: it is not known. Gets the same
	 * self. */
	bool (*left_ms)(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
			const struct mrd_view_endpoint *endpoint, uint64_t *ret_ms);
};

struct mrd_region_share {
	char *region;
	double share;
};

enum mrd_what {
	MRD_WHAT_ENDPOINT_FAILS,   /* one more of the region is ejected */
	MRD_WHAT_ENDPOINT_UNREADY, /* or is not ready any more, if it cannot be ejected */
	MRD_WHAT_REGION_FAILS,	   /* none of it is ready any more, or serves */
	MRD_WHAT_RETURN,	   /* whatever is ejected returns */
	MRD_WHAT_READY,		   /* whatever is not ready, and does not end, becomes it */
};

struct mrd_what_if {
	enum mrd_what what;
	char *region;	  /* "" of MRD_WHAT_RETURN and MRD_WHAT_READY */
	struct mrd_ip ip; /* of the endpoint that fails */
	uint16_t port;	  /* likewise */
	bool capped;	  /* it is not ejected, as no more may be; of MRD_WHAT_ENDPOINT_UNREADY */
	bool changes;	  /* some region's share */
	bool warms_up;	  /* the shares are those at first */
	struct mrd_region_share *shares; /* in the order of the hops; all 0: refused */
	size_t share_count;
};

struct mrd_explained_ejection {
	struct mrd_ip ip;
	uint16_t port;
	bool is_timed;
	uint64_t left_ms; /* if is_timed; it returns at the sweep after that */
};

struct mrd_explained_port {
	size_t index;	/* of the plan's port */
	char **reasons; /* why it has its mode, and what makes an endpoint fail: sentences */
	size_t reason_count;
	char **warnings; /* beyond the plan's: what is written and has no effect */
	size_t warning_count;
	char *rule; /* "namespace/name", "" = none */
	char *rule_place;
	char *locality_place;
	char *outlier_place;
	struct mrd_explained_ejection *ejections;
	size_t ejection_count;
	struct mrd_what_if *ifs;
	size_t if_count;
};

struct mrd_explanation {
	char *from;	 /* the node's locality */
	char *unwritten; /* as in the input */
	uint64_t unwritten_ms;
	struct mrd_plan *plan;
	struct mrd_explained_port *ports;
	size_t port_count;
	const struct mrd_plan_left_out **left_out; /* of the plan's, as far as it was asked for */
	size_t left_out_count;
	char **warnings; /* if no port that was asked for is planned: what rules do not do */
	size_t warning_count;
};

/* -ENOENT: no such service, or none of ours; -ENXIO: it has no such port; -ENOMEM. Borrows
 * nothing. */
int mrd_explain_make(const struct mrd_explain_input *input,
		     struct mrd_explanation **ret_explanation);
/* What -ENOENT and -ENXIO mean, in a sentence. */
const char *mrd_explain_failure(int error);
void mrd_explanation_free(struct mrd_explanation *explanation); /* NULL is fine */

#endif
