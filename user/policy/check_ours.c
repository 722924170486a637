/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Annotations of ours beside what a rule says: those that nothing in it asks are told, as far as
 * the documents alone can tell. What depends on a Service is the plan's to say.
 */
#include "policy/locality.h"
#include "policy/read.h"

/* What the blocks of a rule, each port's over the mesh's, come to; one of them is enough. */
struct uses {
	bool acts;	 /* not all ports are left alone */
	bool answers;	 /* outlierDetection */
	bool handshakes; /* a failover list without it */
	bool inherits;	 /* the mesh's outlierDetection */
	bool cap;	 /* either, without maxEjectionPercent */
	bool distributes;
	bool subset_asks; /* for a fallback */
};

static void add_blocks(const struct mrd_mesh *mesh, const struct mrd_ours *ours,
		       const struct mrd_blocks *blocks, struct uses *uses)
{
	struct mrd_effective effective;

	mrd_blocks_effective(mesh, ours, blocks, &effective);
	if (effective.lb == MRD_LB_PASSTHROUGH)
		return;
	uses->acts = true;
	uses->answers |= effective.outlier != NULL;
	uses->inherits |= effective.outlier_origin == MRD_ORIGIN_MESH;
	uses->handshakes |= !effective.outlier && effective.detector;
	uses->cap |= effective.detector && effective.detector->cap != MRD_CAP_PERCENT;
	/* Lists that are not enabled are an error all the same. */
	uses->distributes |= effective.locality_mode == MRD_LOCALITY_DISTRIBUTE ||
			     mrd_locality_lists_both(effective.locality);
}

static void add_traffic(const struct mrd_mesh *mesh, const struct mrd_ours *ours,
			const struct mrd_traffic *traffic, struct uses *uses)
{
	add_blocks(mesh, ours, &traffic->blocks, uses);
	for (size_t i = 0; i < traffic->port_count; i++)
		add_blocks(mesh, ours, &traffic->ports[i].blocks, uses);
}

static bool has_port(const struct mrd_traffic *traffic, uint32_t number)
{
	for (size_t i = 0; i < traffic->port_count; i++)
		if (traffic->ports[i].number == number)
			return true;
	return false;
}

/* A subset's blocks, each whole, over those of its rule or of one of its rule's ports. */
static void add_over(const struct mrd_mesh *mesh, const struct mrd_ours *ours,
		     const struct mrd_blocks *below, const struct mrd_blocks *own,
		     struct uses *uses)
{
	const struct mrd_blocks blocks = {
		.outlier = own->outlier.given ? own->outlier : below->outlier,
		.lb = own->lb.given ? own->lb : below->lb,
	};

	add_blocks(mesh, ours, &blocks, uses);
}

static void add_subset(const struct mrd_mesh *mesh, const struct mrd_ours *ours,
		       const struct mrd_traffic *traffic, const struct mrd_traffic *own,
		       struct uses *uses)
{
	add_over(mesh, ours, &traffic->blocks, &own->blocks, uses);
	for (size_t i = 0; i < traffic->port_count; i++)
		if (!has_port(own, traffic->ports[i].number))
			add_over(mesh, ours, &traffic->ports[i].blocks, &own->blocks, uses);
	for (size_t i = 0; i < own->port_count; i++)
		add_blocks(mesh, ours, &own->ports[i].blocks, uses);
}

static const char nothing_is_ejected[] =
	"no effect: nothing is ejected without outlierDetection or a failover list";

/* Why one of a detector of rates changes nothing. */
static const char *idle_rate(enum mrd_our_key key, const struct mrd_ours *ours,
			     const struct uses *uses)
{
	const bool is_failure = key >= MRD_OUR_FP_ENFORCING;
	const enum mrd_our_key enforcing = is_failure ? MRD_OUR_FP_ENFORCING : MRD_OUR_SR_ENFORCING;

	if (mrd_ours_rate_is_off(ours, enforcing)) {
		if (key == enforcing)
			return NULL;
		return is_failure ? "no effect: meridian.dev/failure-percentage-enforcing is off"
				  : "no effect: meridian.dev/success-rate-enforcing is off";
	}
	return uses->answers ? NULL : "no effect: there is no outlierDetection";
}

/* Why an annotation changes nothing; NULL: it may. */
static const char *idle_reason(enum mrd_our_key key, const struct mrd_ours *ours,
			       const struct uses *uses)
{
	const bool ejects = uses->answers || uses->handshakes;

	if (key == MRD_OUR_FALLBACK && uses->subset_asks)
		return NULL;
	if (!uses->acts)
		return ours->value[key] ? mrd_left_alone : NULL;
	switch (key) {
	case MRD_OUR_CAP:
		if (ejects || !ours->value[key])
			return uses->cap || !ours->value[key]
				       ? NULL
				       : "no effect: maxEjectionPercent is given";
		return nothing_is_ejected;
	case MRD_OUR_PROBATION:
	case MRD_OUR_MAX_EJECTION:
	case MRD_OUR_MAX_JITTER:
		return ejects || !ours->value[key] ? NULL : nothing_is_ejected;
	case MRD_OUR_FALLBACK:
		return uses->distributes || !ours->value[key] ? NULL
							      : "no effect: there is no distribute";
	case MRD_OUR_SYN_TIMEOUT:
		return ours->value[MRD_OUR_RESCUE] ? "no effect: meridian.dev/rescue is off" : NULL;
	default:
		return key >= MRD_OUR_SR_ENFORCING ? idle_rate(key, ours, uses) : NULL;
	}
}

static void warn_of_idle(struct mrd_reader *reader, const struct uses *uses)
{
	for (enum mrd_our_key key = 0; key < MRD_OUR_COUNT; key++) {
		const char *reason = idle_reason(key, &reader->notes->ours, uses);

		if (reader->notes->at[key].own && reason)
			mrd_note_warning(reader, key, "%s", reason);
	}
}

/* A subset acts on nothing, but with both lists it is an error without a fallback. */
static bool needs_fallback(const struct mrd_rule_subset *subset)
{
	const struct mrd_traffic *traffic = &subset->traffic;
	bool both = mrd_locality_lists_both(traffic->blocks.lb.locality);

	for (size_t i = 0; i < traffic->port_count; i++)
		both |= mrd_locality_lists_both(traffic->ports[i].blocks.lb.locality);
	return both;
}

void mrd_check_rule_notes(struct mrd_reader *reader, const struct mrd_traffic *traffic,
			  const struct mrd_rule_subset *subsets, size_t subset_count, bool is_sound)
{
	static const struct mrd_blocks none;
	const struct mrd_mesh *mesh = reader->mesh;
	const bool own_max = reader->notes->at[MRD_OUR_MAX_EJECTION].own;
	const size_t errors = reader->diag->errors;
	struct uses of_subsets = {0};
	struct uses of_mesh = {0};
	struct uses uses = {0};

	add_blocks(mesh, &mesh->ours, &none, &of_mesh);
	add_traffic(mesh, &reader->notes->ours, traffic, &uses);
	for (size_t i = 0; i < subset_count; i++) {
		uses.subset_asks |= needs_fallback(&subsets[i]);
		add_subset(mesh, &reader->notes->ours, traffic, &subsets[i].traffic, &of_subsets);
	}
	/* Blocks that a rule gives itself have been checked where they stand. */
	if (own_max && (uses.inherits || of_subsets.inherits))
		mrd_check_max_ejection(reader, mesh->outlier.rule.base_ejection_ms,
				       mesh->outlier.place);
	/* What is wrong with the mesh's alone is told once, there. */
	if ((uses.handshakes || of_subsets.handshakes) && (own_max || !of_mesh.handshakes))
		mrd_check_max_ejection(reader, mrd_handshakes_defaults.base_ejection_ms, NULL);
	if (is_sound && reader->diag->errors == errors)
		warn_of_idle(reader, &uses);
}

void mrd_check_mesh_notes(struct mrd_reader *reader, const struct mrd_policy *policy, bool is_sound)
{
	static const struct mrd_blocks none;
	struct uses uses = {0};

	add_blocks(&policy->mesh, &policy->mesh.ours, &none, &uses);
	if (uses.handshakes)
		mrd_check_max_ejection(reader, mrd_handshakes_defaults.base_ejection_ms, NULL);
	for (size_t i = 0; i < policy->rule_count; i++)
		add_traffic(&policy->mesh, &policy->rules[i]->ours, &policy->rules[i]->traffic,
			    &uses);
	if (is_sound)
		warn_of_idle(reader, &uses);
}
