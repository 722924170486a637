/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is wrong with files and objects, in the log. */
#ifndef MRD_AGENT_FINDINGS_H
#define MRD_AGENT_FINDINGS_H

#include "base/diag.h"

/* One line each. consequence: of errors. */
void mrd_findings_log(const struct mrd_diag *diag, const char *msg, const char *consequence);

#endif
