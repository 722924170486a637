/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* meridianctl(8): asks an agent what it does, and the kernel what it holds; checks and plans
 * without either. */
#include "ctl/dispatch.h"

int main(int argc, char **argv)
{
	return mrd_ctl_dispatch(argc, argv, stdout, stderr);
}
