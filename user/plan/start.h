/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where connections start that somebody asks about, as it is written: "REGION[/ZONE[/SUBZONE]]", or
 * the address of a pod, which has its place by its endpoint. */
#ifndef MRD_PLAN_START_H
#define MRD_PLAN_START_H

#include "base/ip.h"
#include "maps/abi.h"

struct mrd_start {
	struct mrd_ip ip; /* MRD_IP_NONE: the place is said; else it is "" */
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN]; /* "" = not said; so is the subzone */
	char subzone[MRD_NAME_LEN];
};

/* NULL, or what is wrong, in words; *ret_start is untouched then. Levels below the third are passed
 * over, as Istio does with the locality of a workload. */
const char *mrd_start_parse(const char *text, struct mrd_start *ret_start);
/* The same of places alone. */
const char *mrd_start_parse_place(const char *text, struct mrd_start *ret_start);

#endif
