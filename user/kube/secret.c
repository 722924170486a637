/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Nothing here is grown by realloc(), which would leave copies behind. */
#include "kube/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A file that grows meanwhile is read as far as it was long: whoever writes it closes it, and it is
 * read again then. */
static int read_bytes(int fd, struct mrd_secret *secret, size_t size)
{
	while (secret->len < size) {
		const ssize_t got = read(fd, secret->data + secret->len, size - secret->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		secret->len += (size_t)got;
	}
	return 0;
}

int mrd_secret_read(const char *path, struct mrd_secret *ret_secret)
{
	MRD_AUTO_SECRET struct mrd_secret secret = {0};
	MRD_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;
	int ret;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (S_ISDIR(info.st_mode))
		return -EISDIR;
	if (!S_ISREG(info.st_mode))
		return -EINVAL;
	if (info.st_size > MRD_SECRET_FILE_MAX)
		return -EFBIG;
	secret.data = calloc(1, (size_t)info.st_size + 1);
	if (!secret.data)
		return -ENOMEM;
	ret = read_bytes(fd, &secret, (size_t)info.st_size);
	if (ret < 0)
		return ret;
	*ret_secret = secret;
	secret = (struct mrd_secret){0};
	return 0;
}

int mrd_secret_copy(const void *data, size_t len, struct mrd_secret *ret_secret)
{
	char *copy = calloc(1, len + 1);

	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, data, len);
	*ret_secret = (struct mrd_secret){.data = copy, .len = len};
	return 0;
}

void mrd_secret_free(struct mrd_secret *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->len);
	free(secret->data);
	*secret = (struct mrd_secret){0};
}

void mrd_secret_text_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}
