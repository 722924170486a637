/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Any bytes as a policy file: it is taken as a whole, or refused with a reason. */
#include "policy/policy_yaml.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/policy_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mrd_policy_names names = {.cluster_domain = "cluster.local",
					       .root_namespace = "istio-system"};
	struct mrd_diag diag = {0};
	struct mrd_policy *policy = NULL;
	struct mrd_effective effective;
	struct mrd_strbuf text = {0};
	const uint16_t port = 9080;
	const int fd = memfd_create("policy", MFD_CLOEXEC);
	char path[64];
	const char *const paths[] = {path};
	int ret;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = mrd_policy_load(paths, 1, &names, &diag, &policy);
	if (ret != 0 && ret != -EBADMSG)
		abort();
	if (!ret != !diag.errors || !ret != !!policy)
		abort();
	if (policy) {
		mrd_policy_effective(policy, "default", "reviews", port, &effective);
		mrd_policy_text(policy, "default", "reviews",
				&(struct mrd_policy_ports){&port, 1, "PreferSameZone", false},
				&text);
	}
	mrd_strbuf_free(&text);
	mrd_policy_free(policy);
	mrd_diag_free(&diag);
	close(fd);
	return 0;
}
