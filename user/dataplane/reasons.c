/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "dataplane/inspect.h"

/* Part of what users script against: a name, once given, stays. */
static const char *const names[] = {
	[MRD_REASON_PASS_NOT_SERVICE] = "pass_not_service",
	[MRD_REASON_PASS_PROTOCOL] = "pass_protocol",
	[MRD_REASON_PICK_POOL] = "pick_pool",
	[MRD_REASON_PICK_FAILOVER] = "pick_failover",
	[MRD_REASON_PICK_DISTRIBUTE] = "pick_distribute",
	[MRD_REASON_PICK_AFFINITY] = "pick_affinity",
	[MRD_REASON_PICK_UDP_FLOW] = "pick_udp_flow",
	[MRD_REASON_NEXT_MEMBER] = "next_member",
	[MRD_REASON_NEXT_HOP] = "next_hop",
	[MRD_REASON_RACE] = "race",
	[MRD_REASON_REFUSE_NO_ROUTE] = "refuse_no_route",
	[MRD_REASON_REFUSE_NO_ENDPOINT] = "refuse_no_endpoint",
	[MRD_REASON_REFUSE_UNKNOWN] = "refuse_unknown",
	[MRD_REASON_NO_SOCKET_STORAGE] = "no_socket_storage",
	[MRD_REASON_NO_UDP_FLOW] = "no_udp_flow",
	[MRD_REASON_REPLY_UDP] = "reply_udp",
	[MRD_REASON_PEER_NAME] = "peer_name",
	[MRD_REASON_HANDSHAKE_DONE] = "handshake_done",
	[MRD_REASON_HANDSHAKE_REFUSED] = "handshake_refused",
	[MRD_REASON_HANDSHAKE_UNREACHABLE] = "handshake_unreachable",
	[MRD_REASON_HANDSHAKE_TIMEOUT] = "handshake_timeout",
	[MRD_REASON_HANDSHAKE_ABANDONED] = "handshake_abandoned",
	[MRD_REASON_RESET_IN_REQUEST] = "reset_in_request",
	[MRD_REASON_RESPONSE] = "response",
	[MRD_REASON_EVENT_LOST] = "event_lost",
	[MRD_REASON_PASS_MALFORMED] = "pass_malformed",
	[MRD_REASON_PASS_HEADERS] = "pass_headers",
	[MRD_REASON_PASS_FRAGMENT] = "pass_fragment",
	[MRD_REASON_HAIRPIN] = "hairpin",
	[MRD_REASON_ICMP_ERROR] = "icmp_error",
	[MRD_REASON_REFUSE_FLOWS] = "refuse_flows",
	[MRD_REASON_REFUSE_CLASH] = "refuse_clash",
	[MRD_REASON_RESCUE_TIMEOUT] = "rescue_timeout",
	[MRD_REASON_RESCUE_REFUSED] = "rescue_refused",
	[MRD_REASON_RESCUE_UNREACHABLE] = "rescue_unreachable",
	[MRD_REASON_RESCUE_NOWHERE] = "rescue_nowhere",
	[MRD_REASON_LATE_ANSWER] = "late_answer",
	[MRD_REASON_DROP_UNWRITTEN] = "drop_unwritten",
	[MRD_REASON_REFUSE_LIMIT] = "refuse_limit",
	[MRD_REASON_REQUEST_LAST] = "request_last",
	[MRD_REASON_REQUEST_EJECTED] = "request_ejected",
	[MRD_REASON_NO_CONNECTION_ROW] = "no_connection_row",
	[MRD_REASON_REQUEST_UNSURE] = "request_unsure",
	[MRD_REASON_FLOW_CUT] = "flow_cut",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == MRD_REASON_COUNT, "a name for every reason");

const char *mrd_reason_name(enum mrd_reason reason)
{
	return (unsigned int)reason < MRD_REASON_COUNT && names[reason] ? names[reason] : "unknown";
}
