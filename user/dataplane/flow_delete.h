/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A connection's rows of mrd_flow go (or tell its client of its end), with the place in mrd_open
 * and the counts that they hold. */
#ifndef MRD_DATAPLANE_FLOW_DELETE_H
#define MRD_DATAPLANE_FLOW_DELETE_H

struct mrd_flow_key;

/*
 * key: of the forward row, which takes the other one along, or of a reverse row that is alone. 0,
 * also if there is none; or -errno: it stays; -EBUSY: for now, as it is in use. program_fd:
 * bpf/flow_delete.bpf.c.
 */
int mrd_flow_delete(int program_fd, const struct mrd_flow_key *key);

/*
 * Likewise, but for a TCP connection that TC alone translates: its forward row stays in
 * MRD_FLOW_CUT, and the client's next packet is answered by a reset.
 */
int mrd_flow_reset(int program_fd, const struct mrd_flow_key *key);

#endif
