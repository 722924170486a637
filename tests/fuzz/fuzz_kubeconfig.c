/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Kubeconfigs, and what exec plugins print. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kube/access.h"
#include "kube/plugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_kubeconfig(const uint8_t *data, size_t len)
{
	static int fd = -1;
	char path[32];
	struct mrd_kube_where where = {.kubeconfig = path, .context = ""};
	struct mrd_diag diag = {0};
	struct mrd_kube_access *access = NULL;

	if (fd < 0)
		fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		return;
	if (mrd_kube_access_read(&where, &diag, &access) == 0 && diag.errors)
		__builtin_trap(); /* good and wrong at once */
	mrd_kube_access_free(access);
	mrd_diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mrd_plugin_answer answer = {0};
	const char *reason = NULL;

	read_kubeconfig(data, len);
	if (mrd_plugin_answer_read((const char *)data, len, "client.authentication.k8s.io/v1",
				   &reason, &answer) == 0 &&
	    !answer.token.len && !answer.key.len)
		__builtin_trap();
	mrd_plugin_answer_free(&answer);
	return 0;
}
