/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What holds for a service, written out: YAML with Istio's field names in which every default is
 * said, and a comment behind each block names the place that decided it. Read back as a policy it
 * means the same, except where a note says otherwise.
 */
#ifndef MRD_POLICY_POLICY_TEXT_H
#define MRD_POLICY_POLICY_TEXT_H

#include <stdint.h>

#include "base/strbuf.h"
#include "policy/policy.h"

/* The blocks of a trafficPolicy, indented by so many spaces. */
void mrd_effective_text(const struct mrd_effective *effective, unsigned int indent,
			struct mrd_strbuf *out);

/* A whole DestinationRule for one port of a service, subsets included. distribution: the Service's
 * trafficDistribution, which goes before the mesh's locality setting; "": it has none. */
void mrd_policy_text(const struct mrd_policy *policy, const char *namespace_, const char *service,
		     uint16_t port, const char *distribution, struct mrd_strbuf *out);

#endif
