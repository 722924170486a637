/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What holds for a service, written out: YAML with Istio's field names in which every default is
 * said that acts here, and a comment behind each block names the place that decided it. Read back
 * as a policy it means the same, and nothing is found in it that was not found in what it says.
 */
#ifndef MRD_POLICY_POLICY_TEXT_H
#define MRD_POLICY_POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "policy/policy.h"

/* The blocks of a trafficPolicy, indented by so many spaces. */
void mrd_effective_text(const struct mrd_effective *effective, unsigned int indent,
			struct mrd_strbuf *out);

/* What the text asks of a Service. */
struct mrd_policy_ports {
	const uint16_t *numbers;
	size_t count;
	/* trafficDistribution, which goes before the mesh's locality setting; "": it has none. */
	const char *distribution;
	/* internalTrafficPolicy: Local, which leaves locality nothing to choose between. */
	bool stays;
};

/* A whole DestinationRule for a service: its ports that differ as portLevelSettings, and subsets.
 */
void mrd_policy_text(const struct mrd_policy *policy, const char *namespace_, const char *service,
		     const struct mrd_policy_ports *ports, struct mrd_strbuf *out);

#endif
