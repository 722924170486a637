// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The one place where the maps live; every other object of the link names them as extern. */
#include "lib/kern.h"

struct mrd_service_map mrd_service SEC(".maps");
struct mrd_route_map mrd_route SEC(".maps");
struct mrd_member_map mrd_member SEC(".maps");
struct mrd_health_map mrd_health SEC(".maps");
struct mrd_stat_map mrd_stat SEC(".maps");
struct mrd_ticket_map mrd_ticket SEC(".maps");
struct mrd_name_map mrd_name SEC(".maps");
struct mrd_locality_map mrd_locality SEC(".maps");
struct mrd_cidr_map mrd_cidr SEC(".maps");
struct mrd_affinity_map mrd_affinity SEC(".maps");
struct mrd_udp_flow_map mrd_udp_flow SEC(".maps");
struct mrd_udp_reply_map mrd_udp_reply SEC(".maps");
struct mrd_setting_map mrd_setting SEC(".maps");
struct mrd_open_map mrd_open SEC(".maps");
struct mrd_connection_map mrd_connection SEC(".maps");
struct mrd_flow_map mrd_flow SEC(".maps");
struct mrd_fragment_map mrd_fragment SEC(".maps");
struct mrd_interface_map mrd_interface SEC(".maps");
struct mrd_opened_map mrd_opened SEC(".maps");
struct mrd_settled_map mrd_settled SEC(".maps");
struct mrd_handshake_map mrd_handshake SEC(".maps");
struct mrd_count_map mrd_count SEC(".maps");
struct mrd_failure_map mrd_failure SEC(".maps");
struct mrd_config_map mrd_config SEC(".maps");
struct mrd_event_map mrd_event SEC(".maps");
struct mrd_request_map mrd_request SEC(".maps");
struct mrd_followed_map mrd_followed SEC(".maps");
struct mrd_socket_map mrd_socket SEC(".maps");
struct mrd_storage_map mrd_storage SEC(".maps");

char mrd_license[] SEC("license") = "Dual BSD/GPL";
