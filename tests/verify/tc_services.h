/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The services of the packets' world, and who is who in it. */
#ifndef MRD_TESTS_TC_SERVICES_H
#define MRD_TESTS_TC_SERVICES_H

#include "tc_world.h"

#define CLIENT4 "10.0.0.2"
#define CLIENT6 "fd00::2"
#define VIP4	"172.16.0.10"
#define VIP6	"fd00:16::10"
#define POD4	"10.1.0.2"
#define POD6	"fd00:1::2"
#define SELF4	"172.16.0.20" /* the client and POD4 */
#define LONE4	"172.16.0.21" /* the client alone */
#define LONE6	"fd00:16::21"
#define NONE4	"172.16.0.30"
#define NONE6	"fd00:16::30"
#define OTHER4	"10.1.0.3"
#define OTHER6	"fd00:1::3"
#define PAIR4	"172.16.0.40" /* POD4, then OTHER4 */
#define PAIR6	"fd00:16::40"
#define SLOW4	"172.16.0.41" /* likewise, and may take two minutes to answer */
#define ALONE4	"172.16.0.42" /* likewise, and is not rescued */
#define ROUTER4 "192.0.2.1"
#define ROUTER6 "2001:db8::1"

extern const struct world_service tc_services[];
extern const size_t tc_service_count;
extern const struct world_setting tc_settings[];
extern const size_t tc_setting_count;

#endif
