/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Ownership visible in the declaration: what a variable owns is released when it goes out of scope.
 */
#ifndef MRD_BASE_CLEANUP_H
#define MRD_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MRD_CLEANUP(fn) __attribute__((cleanup(fn)))
#define MRD_AUTO_FREE	MRD_CLEANUP(mrd_cleanup_free)
#define MRD_AUTO_FD	MRD_CLEANUP(mrd_cleanup_fd)
#define MRD_AUTO_FILE	MRD_CLEANUP(mrd_cleanup_file)
#define MRD_AUTO_DIR	MRD_CLEANUP(mrd_cleanup_dir)

/* Hands the value out and leaves nothing behind to clean up. */
#define MRD_STEAL_PTR(ptr)                       \
	({                                       \
		__typeof__(ptr) stolen_ = (ptr); \
		(ptr) = NULL;                    \
		stolen_;                         \
	})
#define MRD_STEAL_FD(fd)            \
	({                          \
		int stolen_ = (fd); \
		(fd) = -1;          \
		stolen_;            \
	})

static inline void mrd_cleanup_free(void *at)
{
	free(*(void **)at);
}

static inline void mrd_cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void mrd_cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void mrd_cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
