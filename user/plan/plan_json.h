/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Plans as one JSON document, with `meridianctl plan -o json`'s names (meridianctl(8)):
 *
 * {"from":"cn-hangzhou/cn-hangzhou-h","services":[{"service":"default/reviews","port":"http",
 *   "number":9080,"protocol":"TCP","family":"IPv4","vips":["172.16.0.20:9080"],"mode":"failover",
 *   "hops":[{"region":"cn-hangzhou","zone":"","subzone":"","priority":0,"share":1,"panic":false,
 *     "healthy":1,"total":1,"endpoints":[{"address":"10.0.0.5:9080","cluster":"ack-hangzhou",
 *       "state":"ACTIVE","share":1}]}],
 *   "warnings":[]}]}
 *
 * The same plans give the same bytes, whatever their order. A failure for want of memory stays in
 * the string buffer (strbuf.h).
 */
#ifndef MRD_PLAN_PLAN_JSON_H
#define MRD_PLAN_PLAN_JSON_H

#include "base/strbuf.h"
#include "plan/plan.h"

/* One entry for each service, port and family: sorted by service, number, protocol, family. */
void mrd_plans_json(const struct mrd_plan_node *node, struct mrd_plan *const *plans, size_t count,
		    struct mrd_strbuf *out);
/* That of one port. */
void mrd_plan_port_json(const struct mrd_plan *plan, const struct mrd_plan_port *port,
			struct mrd_strbuf *out);

/* "cn-hangzhou/cn-hangzhou-h": as far as it is known. */
void mrd_plan_node_text(const struct mrd_plan_node *node, struct mrd_strbuf *out);

#endif
