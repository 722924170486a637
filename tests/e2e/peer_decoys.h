/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* HTTP/1 traffic that looks like something else: see peer_decoys.c. Return exit codes. */
#ifndef MRD_E2E_PEER_DECOYS_H
#define MRD_E2E_PEER_DECOYS_H

/* decoy-server ADDRESS PORT */
int peer_decoy_server(char **args, int count);
/* decoys ADDRESS PORT ROUNDS: prints "ok N", N being the responses that a probe must count. */
int peer_decoy_client(char **args, int count);

#endif
