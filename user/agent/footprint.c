/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * libcurl brings two dozen libraries, whose beginnings alone touch ten megabytes. Only segments
 * that are not writable are let go: relocations, which are no longer in the file, stand in others.
 */
#include "agent/footprint.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int drop_pages(struct dl_phdr_info *object, size_t size, void *self)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)self;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		const uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
		const uintptr_t from = begin & ~(page - 1);

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			madvise((void *)from, begin - from + segment->p_memsz, MADV_DONTNEED);
	}
	return 0;
}

void mrd_footprint_trim(void)
{
	malloc_trim(0);
}

void mrd_footprint_shrink(void)
{
	mrd_footprint_trim();
	dl_iterate_phdr(drop_pages, NULL);
}
