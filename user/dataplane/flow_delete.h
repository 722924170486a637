/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A row of mrd_flow goes, and the place in mrd_open that it may hold. */
#ifndef MRD_DATAPLANE_FLOW_DELETE_H
#define MRD_DATAPLANE_FLOW_DELETE_H

struct mrd_flow_key;

/* 0, also if there is no such row; or -errno: it stays. program_fd: bpf/flow_delete.bpf.c. */
int mrd_flow_delete(int program_fd, const struct mrd_flow_key *key);

#endif
