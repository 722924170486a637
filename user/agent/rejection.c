/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/rejection.h"

#include <stdlib.h>
#include <string.h>

static void add(struct mrd_rejection *rejection, char *text)
{
	if (text)
		rejection->findings[rejection->count++] = text;
}

void mrd_rejection_set(struct mrd_rejection *rejection, const struct mrd_diag *diag, int error,
		       uint64_t now_ns)
{
	const uint64_t since_ns = rejection->since_ns ? rejection->since_ns : now_ns;

	mrd_rejection_clear(rejection);
	rejection->since_ns = since_ns;
	rejection->findings = calloc(diag->count + 1, sizeof(*rejection->findings));
	for (size_t i = 0; rejection->findings && i < diag->count; i++)
		if (diag->findings[i].severity == MRD_ERROR)
			add(rejection, mrd_finding_text(&diag->findings[i]));
	if (rejection->findings && !rejection->count)
		add(rejection, strdup(strerror(-error)));
}

void mrd_rejection_clear(struct mrd_rejection *rejection)
{
	for (size_t i = 0; i < rejection->count; i++)
		free(rejection->findings[i]);
	free(rejection->findings);
	*rejection = (struct mrd_rejection){0};
}
