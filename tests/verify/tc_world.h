/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The TC programs in the kernel, attached nowhere, and maps with a few services of the tests' own.
 */
#ifndef MRD_TESTS_TC_WORLD_H
#define MRD_TESTS_TC_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/abi.h"
#include "maps/event.h"

/* What a program answers; MRD_TC_REDIRECT by the kernel's helper. */
enum { TC_NEXT = -1, TC_DROP = 2, TC_REDIRECT = 7 };

enum way { FORWARD, REVERSE };

enum { WORLD_FLOWS = 64, WORLD_IFINDEX = 1 }; /* the device of a test run is loopback */

enum { WORLD_EVENTS = 16 };

struct world_heard {
	struct mrd_event events[WORLD_EVENTS];
	size_t count;
};

struct world {
	int programs[2]; /* by way */
	int probes[2];	 /* at sockets: of what they send, and receive */
	int flow_delete;
	struct ring_buffer *events;
	struct world_heard *heard; /* by world_hear() */
	int service, route, member, health, flow, fragment, interface, config, count, stat, failure,
		ticket, affinity, setting, open, opened, settled;
};

/* One member of a service; NULL ends a list. */
struct world_service {
	const char *vip;
	uint16_t port;
	uint8_t protocol;
	uint32_t id;
	enum mrd_affinity_mode affinity;
	const char *members[4];
	uint16_t member_port;
};

struct world_setting {
	uint32_t service_id;
	struct mrd_setting setting;
};

/*
 * A network namespace of its own, that forwards, and has a route to all of 10.0.0.0/8, by its
 * loopback. Exits if it cannot be had, as does the next.
 */
void world_enter(void);
void world_load(struct world *world, const char *object_path);
void world_add(const struct world *world, const struct world_service *service);
void world_set(const struct world *world, const struct world_setting *setting);
/* As many connections of a service are open. */
void world_put_open(const struct world *world, uint32_t service_id, int64_t connections);
int64_t world_open_of(const struct world *world, uint32_t service_id);
/* No flow and no fragment is known, and events have room; uplink: of the one interface. */
void world_reset(const struct world *world, bool uplink);
void world_forward_fast(const struct world *world, bool fast);

/*
 * Runs a program on a frame, which it may change in length, too. Some kernels feed no frame that
 * ends within its IP header, unless a VLAN's tag hides that: TC_NEXT, for nobody has seen it.
 */
int world_run(const struct world *world, enum way way, const uint8_t *in, size_t in_len,
	      uint8_t *out, size_t *ret_out_len);
uint64_t world_count(const struct world *world, enum mrd_reason reason);
void world_put_flow(const struct world *world, const struct mrd_flow_key *key);
void world_put_row(const struct world *world, const struct mrd_flow_key *key,
		   const struct mrd_flow *row);
/* Every endpoint has had its time to answer. */
void world_age(const struct world *world);
/* Nothing has come by for a while. */
void world_idle(const struct world *world);
/* The rows of a socket's connection that has gone from one endpoint to another. */
struct world_move {
	const char *client, *from, *to;
	uint16_t client_port, port;
	uint8_t protocol;
};
void world_put_move(const struct world *world, const struct world_move *move);
/* An endpoint's run of failures; answers: of these, errors behind a handshake. */
void world_put_run(const struct world *world, uint32_t endpoint_id, uint32_t run, uint32_t answers);
void world_stat(const struct world *world, uint32_t endpoint_id, struct mrd_stat *ret_stat);
/* What the programs have told since the last time. */
void world_hear(const struct world *world);
/* What is to be told of a service's members. */
void world_put_report(const struct world *world, uint32_t service_id, enum mrd_report report);
/* Whether responses are read at all. */
void world_put_probe(const struct world *world, bool on);
/* As many more, whatever else is counted. */
void world_add_run(const struct world *world, uint32_t endpoint_id, uint32_t more);
uint32_t world_run_of(const struct world *world, uint32_t endpoint_id);
unsigned int world_flows(const struct world *world);
/* As the agent's sweep does where it sees no rows. */
void world_settle(const struct world *world, uint32_t place);
bool world_flow(const struct world *world, const struct mrd_flow_key *key,
		struct mrd_flow *ret_flow);
/* As the agent does. Not 0: the row stays. */
int world_delete(const struct world *world, const struct mrd_flow_key *key);
/* The same with on-eject: reset. */
int world_cut(const struct world *world, const struct mrd_flow_key *key);

#endif
