/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/flow_delete.h"

#include <errno.h>

#include <bpf/bpf.h>

#include "maps/abi.h"

int mrd_flow_delete(int program_fd, const struct mrd_flow_key *key)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = key, .data_size_in = sizeof(*key));

	if (bpf_prog_test_run_opts(program_fd, &opts) < 0)
		return -errno;
	return opts.retval ? -EBUSY : 0;
}
