/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl(8): asks an agent what it does, and the kernel what it holds. */
#include "ctl/options.h"
#include "ctl/verbs.h"

int main(int argc, char **argv)
{
	struct mrd_ctl_options options;
	int status = mrd_ctl_options_read(argc, argv, stderr, &options);

	if (status != MRD_EXIT_GOOD)
		return status;
	status = mrd_ctl_run(&options, stdout, stderr);
	mrd_ctl_options_free(&options);
	return status;
}
