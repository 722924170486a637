/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* systemd's notification protocol, sd_notify(3), without its library. */
#ifndef MRD_AGENT_NOTIFY_H
#define MRD_AGENT_NOTIFY_H

/* Sends a state ("READY=1") to the supervisor that $NOTIFY_SOCKET names. 0 also if there is none;
 * -errno. */
int mrd_notify(const char *state);

#endif
