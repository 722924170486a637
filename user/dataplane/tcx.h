/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Programs at interfaces by tcx links, Linux 6.6: an interface's number and a direction have one
 * pin. */
#ifndef MRD_DATAPLANE_TCX_H
#define MRD_DATAPLANE_TCX_H

#include "dataplane/tc.h"

/* enum bpf_attach_type of newer headers than this is built with */
enum { MRD_TCX_INGRESS = 46, MRD_TCX_EGRESS = 47 };

/* Puts a program in, before all others; or has the link that is there run it, in one step. */
int mrd_tcx_put(const char *folder, uint32_t index, enum mrd_tc_direction direction,
		int program_fd);
/* 1: a program was taken out, 0: there was none. */
int mrd_tcx_take(const char *folder, uint32_t index, enum mrd_tc_direction direction);
/* The number of the program of ours that is there; 0: none. */
uint32_t mrd_tcx_program(const char *folder, uint32_t index, enum mrd_tc_direction direction);
/* The numbers of the interfaces that pins are named after, one for each pin; *ret_indexes is to be
 * freed.
 */
int mrd_tcx_list(const char *folder, uint32_t **ret_indexes, size_t *ret_count);

#endif
