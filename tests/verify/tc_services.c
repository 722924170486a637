// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_services.h"

#include "wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct world_service tc_services[] = {
	{VIP4, 80, TCP, 1, MRD_AFFINITY_NONE, {POD4}, 8080},
	{VIP6, 80, TCP, 2, MRD_AFFINITY_NONE, {POD6}, 8080},
	{VIP4, 53, UDP, 3, MRD_AFFINITY_NONE, {POD4}, 5353},
	{VIP6, 53, UDP, 4, MRD_AFFINITY_NONE, {POD6}, 5353},
	{SELF4, 80, TCP, 5, MRD_AFFINITY_NONE, {CLIENT4, POD4}, 8080},
	{LONE4, 80, TCP, 6, MRD_AFFINITY_NONE, {CLIENT4}, 8080},
	{LONE6, 53, UDP, 7, MRD_AFFINITY_NONE, {CLIENT6}, 5353},
	{NONE4, 80, TCP, 8, MRD_AFFINITY_NONE, {NULL}, 8080},
	{NONE6, 80, TCP, 9, MRD_AFFINITY_NONE, {NULL}, 8080},
	{NONE4, 53, UDP, 10, MRD_AFFINITY_NONE, {NULL}, 5353},
	{NONE6, 53, UDP, 11, MRD_AFFINITY_NONE, {NULL}, 5353},
	{VIP4, 54, UDP, 12, MRD_AFFINITY_CLIENT_IP, {POD4, "10.1.0.3", "10.1.0.4"}, 5353},
	{PAIR4, 80, TCP, 13, MRD_AFFINITY_NONE, {POD4, OTHER4}, 8080},
	{PAIR6, 80, TCP, 14, MRD_AFFINITY_NONE, {POD6, OTHER6}, 8080},
	{PAIR4, 53, UDP, 15, MRD_AFFINITY_NONE, {POD4, OTHER4}, 5353},
	{PAIR6, 53, UDP, 16, MRD_AFFINITY_NONE, {POD6, OTHER6}, 5353},
	{SLOW4, 80, TCP, 17, MRD_AFFINITY_NONE, {POD4, OTHER4}, 8080},
	{ALONE4, 80, TCP, 18, MRD_AFFINITY_NONE, {POD4, OTHER4}, 8080},
};
const size_t tc_service_count = COUNT(tc_services);

const struct world_setting tc_settings[] = {
	{17, {.syn_timeout_ms = 120000}},
	{18, {.rescue = MRD_RESCUE_OFF}},
};
const size_t tc_setting_count = COUNT(tc_settings);
