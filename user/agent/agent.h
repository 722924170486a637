/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The running agent: one thread, one loop, in which the kernel's events, the clusters' folders, the
 * policy files, the control socket, signals and timers meet. Starting:
 *
 *	configuration, policy → control socket (one agent only) → clusters read → programs and maps
 *	loaded or adopted → first plan written → hooks attached (or swapped) → "ready"
 *
 * Ending (SIGTERM, SIGINT) leaves links and maps as they are: traffic goes on by the last plan.
 */
#ifndef MRD_AGENT_AGENT_H
#define MRD_AGENT_AGENT_H

#include "config/config.h"

/* Runs until told to end. config_path is read again at SIGHUP. Takes config over. Returns the
 * process's exit status. */
int mrd_agent_run(const char *config_path, struct mrd_agent_config *config);

#endif
