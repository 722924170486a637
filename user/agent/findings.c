/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/findings.h"

#include "base/cleanup.h"
#include "base/log.h"

void mrd_findings_log(const struct mrd_diag *diag, const char *msg, const char *consequence)
{
	for (size_t i = 0; i < diag->count; i++) {
		const struct mrd_finding *finding = &diag->findings[i];
		char *text MRD_AUTO_FREE = mrd_finding_text(finding);

		if (!text)
			continue;
		if (finding->severity == MRD_ERROR)
			mrd_log_error(msg, MRD_KV("reason", text),
				      MRD_KV("consequence", consequence));
		else
			mrd_log_warn(msg, MRD_KV("reason", text));
	}
}
