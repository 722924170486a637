/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What this kernel can do of the things that not every supported kernel can. */
#ifndef MRD_DATAPLANE_FEATURES_H
#define MRD_DATAPLANE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/dataplane.h"

enum mrd_feature_index {
	MRD_FEATURE_SET_RETVAL,	   /* bpf_set_retval, Linux 5.18 */
	MRD_FEATURE_ATOMIC_RESULT, /* atomic operations that return the old value, Linux 5.12 */
	MRD_FEATURE_TCX,	   /* links at network interfaces, Linux 6.6 */
	MRD_FEATURE_COUNT,
};

struct mrd_features {
	struct mrd_feature items[MRD_FEATURE_COUNT];
};

/* Asks the kernel by loading programs of a few instructions. Without the rights to load any, all
 * read as missing; the load of the real programs then tells the reason. */
void mrd_features_probe(struct mrd_features *features);

#endif
