/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Taking the data plane out of the kernel. Apart from the rest of it, so that meridianctl does not
 * carry the BPF objects. */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "dataplane/failure.h"
#include "dataplane/links.h"
#include "dataplane/mounts.h"
#include "dataplane/pins.h"
#include "dataplane/pinset.h"
#include "dataplane/tc.h"

static int remove_tc(const char *bpffs, size_t *ret_programs)
{
	MRD_AUTO_FD int interface_fd = -1;
	char path[PATH_MAX];

	mrd_pin_path(path, bpffs, "", mrd_pin_name(MRD_PIN_INTERFACE));
	interface_fd = bpf_obj_get(path);
	return mrd_tc_remove(bpffs, interface_fd, ret_programs);
}

int mrd_dataplane_detach(const char *bpffs, size_t *ret_links, size_t *ret_maps, char **ret_error)
{
	size_t programs = 0, links = 0, maps = 0;
	int r, r_links, r_maps;

	*ret_error = NULL;
	*ret_links = 0;
	*ret_maps = 0;
	if (access(bpffs, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (!mrd_mounts_is_bpffs(bpffs))
		return mrd_failure(ret_error, -EINVAL,
				   "%s is not on bpffs: name the agent's kernel.bpffs", bpffs);
	/* It complains of every interface that has no filters. */
	mrd_libbpf_log_start();
	r = remove_tc(bpffs, &programs);
	r_links = mrd_links_remove(bpffs, &links);
	r_maps = mrd_pins_remove(bpffs, &maps);
	mrd_libbpf_log_stop();
	*ret_links = programs + links;
	*ret_maps = maps;
	r = r < 0 ? r : r_links;
	r = r < 0 ? r : r_maps;
	if (r < 0)
		return mrd_permission_failure(r, "not everything could be removed", ret_error);
	return 0;
}

bool mrd_dataplane_is_held(const char *bpffs)
{
	return mrd_pins_is_locked(bpffs);
}
