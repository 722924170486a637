// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "tc_world.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "maps/seal.h"
#include "wire.h"

enum { MAP_ROWS = 256, HOP_ID = 7, SHORT_FRAME = WIRE_ETH + 40 };

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static int quiet_unless_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

/* Sizes say nothing about programs, but for the map that a test fills up. */
static void shrink_maps(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		const bool is_flow = !strcmp(bpf_map__name(map), "mrd_flow");

		switch (bpf_map__type(map)) {
		case BPF_MAP_TYPE_RINGBUF:
			bpf_map__set_max_entries(map, (unsigned)sysconf(_SC_PAGESIZE));
			break;
		case BPF_MAP_TYPE_HASH:
		case BPF_MAP_TYPE_PERCPU_HASH:
		case BPF_MAP_TYPE_LRU_HASH:
		case BPF_MAP_TYPE_LPM_TRIE:
			bpf_map__set_max_entries(map, is_flow ? WORLD_FLOWS : MAP_ROWS);
			break;
		default:
			break;
		}
	}
}

static int map_fd(struct bpf_object *object, const char *name)
{
	const int fd = bpf_object__find_map_fd_by_name(object, name);

	must(fd >= 0, name);
	return fd;
}

static int program_fd(struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	must(program, name);
	return bpf_program__fd(program);
}

/* Those that a test run can feed. */
static bool is_wanted(const char *program)
{
	static const char *const begins[] = {"mrd_tc_", "mrd_probe_", "mrd_flow_delete"};

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (!strncmp(program, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static int keep_event(void *self, void *event, size_t len)
{
	struct world_heard *heard = self;

	if (len == sizeof(struct mrd_event) && heard->count < WORLD_EVENTS)
		memcpy(&heard->events[heard->count++], event, len);
	return 0;
}

void world_enter(void)
{
	struct sockaddr_in *to, *mask;
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct rtentry route = {.rt_dev = loopback.ifr_name, .rt_flags = RTF_UP};
	int fd;

	must(unshare(CLONE_NEWNET) == 0, "a network namespace");
	fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	must(fd >= 0 && write(fd, "1", 1) == 1, "forwarding");
	close(fd);
	to = (struct sockaddr_in *)&route.rt_dst;
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(0x0a000000);
	mask = (struct sockaddr_in *)&route.rt_genmask;
	mask->sin_family = AF_INET;
	mask->sin_addr.s_addr = htonl(0xff000000);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0, "loopback");
	must(ioctl(fd, SIOCADDRT, &route) == 0, "a route");
	close(fd);
}

void world_load(struct world *world, const char *object_path)
{
	static const char *const names[] = {"mrd_tc_forward", "mrd_tc_reverse"};
	static const char *const probes[] = {"mrd_probe_egress", "mrd_probe_ingress"};
	static struct world_heard heard;
	struct bpf_object *object;
	struct bpf_program *program;

	world->heard = &heard;
	libbpf_set_print(quiet_unless_warning);
	object = bpf_object__open_file(object_path, NULL);
	must(object, object_path);
	shrink_maps(object);
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, is_wanted(bpf_program__name(program)));
	must(bpf_object__load(object) == 0, "load");
	for (int way = FORWARD; way <= REVERSE; way++) {
		world->programs[way] = program_fd(object, names[way]);
		world->probes[way] = program_fd(object, probes[way]);
	}
	world->flow_delete = program_fd(object, "mrd_flow_delete");
	world->events = ring_buffer__new(map_fd(object, "mrd_event"), keep_event, &heard, NULL);
	must(world->events, "mrd_event");
	world->service = map_fd(object, "mrd_service");
	world->route = map_fd(object, "mrd_route");
	world->member = map_fd(object, "mrd_member");
	world->health = map_fd(object, "mrd_health");
	world->flow = map_fd(object, "mrd_flow");
	world->fragment = map_fd(object, "mrd_fragment");
	world->interface = map_fd(object, "mrd_interface");
	world->config = map_fd(object, "mrd_config");
	world->count = map_fd(object, "mrd_count");
	world->stat = map_fd(object, "mrd_stat");
	world->failure = map_fd(object, "mrd_failure");
	world->ticket = map_fd(object, "mrd_ticket");
	world->affinity = map_fd(object, "mrd_affinity");
	world->setting = map_fd(object, "mrd_setting");
	world->open = map_fd(object, "mrd_open");
	world->opened = map_fd(object, "mrd_opened");
	world->settled = map_fd(object, "mrd_settled");
	world_put_probe(world, true);
}

/* ------------------------------------------------------------------------------------- rows */

static enum mrd_family put_addr(uint8_t addr[MRD_ADDR_LEN], const char *text)
{
	const bool is_ipv6 = strchr(text, ':');

	memset(addr, 0, MRD_ADDR_LEN);
	must(inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, addr) == 1, text);
	return is_ipv6 ? MRD_FAMILY_IPV6 : MRD_FAMILY_IPV4;
}

static void put(int map, const void *key, const void *value)
{
	must(bpf_map_update_elem(map, key, value, BPF_ANY) == 0, "a row");
}

static void add_member(const struct world *world, const struct world_service *service,
		       uint32_t slot)
{
	const struct mrd_member_key key = {service->id, HOP_ID, slot};
	struct mrd_member member = {
		.port = service->member_port,
		.endpoint_id = service->id * MRD_HOPS_MAX + slot + 1,
	};
	struct mrd_health health = {
		.port = member.port,
		.service_id = service->id,
		.state = MRD_STATE_ACTIVE,
		.locality_id = 3,
	};
	const struct mrd_stat stat = {0};

	health.family = put_addr(member.addr, service->members[slot]);
	member.seal = mrd_member_seal(service->id, &member);
	memcpy(health.addr, member.addr, MRD_ADDR_LEN);
	put(world->stat, &member.endpoint_id, &stat);
	put(world->health, &member.endpoint_id, &health);
	put(world->member, &key, &member);
}

void world_add(const struct world *world, const struct world_service *service)
{
	struct mrd_vip_key vip = {
		.protocol = (enum mrd_protocol)service->protocol,
		.port = service->port,
	};
	struct mrd_service row = {
		.service_id = service->id,
		.affinity = service->affinity,
		.affinity_timeout_s = 60,
		.has_setting = 1,
	};
	struct mrd_route route = {
		.service_id = service->id,
		.hop_count = 1,
		.hops = {{.hop_id = HOP_ID, .locality_id = 3, .until = MRD_SHARE_TOTAL}},
	};

	while (route.hops[0].member_count < 4 && service->members[route.hops[0].member_count])
		add_member(world, service, route.hops[0].member_count++);
	vip.family = put_addr(vip.addr, service->vip);
	row.seal = mrd_service_seal(&vip, &row);
	put(world->route, &service->id, &route);
	put(world->service, &vip, &row);
}

void world_set(const struct world *world, const struct world_setting *setting)
{
	put(world->setting, &setting->service_id, &setting->setting);
}

void world_put_open(const struct world *world, uint32_t service_id, int64_t connections)
{
	const struct mrd_open row = {.connections = connections};

	put(world->open, &service_id, &row);
}

int64_t world_open_of(const struct world *world, uint32_t service_id)
{
	struct mrd_open row;

	must(bpf_map_lookup_elem(world->open, &service_id, &row) == 0, "open connections");
	return row.connections;
}

static void empty(int map, void *key)
{
	while (bpf_map_get_next_key(map, NULL, key) == 0)
		must(bpf_map_delete_elem(map, key) == 0, "an old row");
}

void world_forward_fast(const struct world *world, bool fast)
{
	struct mrd_config config;
	const uint32_t index = 0;

	must(bpf_map_lookup_elem(world->config, &index, &config) == 0, "the configuration");
	config.fast_forward = fast;
	put(world->config, &index, &config);
}

void world_reset(const struct world *world, bool uplink)
{
	const struct mrd_interface interface = {.netns_id = -1, .is_uplink = uplink};
	const uint32_t ifindex = WORLD_IFINDEX;
	struct mrd_fragment_key fragment;
	struct mrd_ticket_key ticket;
	struct mrd_flow_key flow;

	empty(world->flow, &flow);
	empty(world->fragment, &fragment);
	empty(world->ticket, &ticket);
	put(world->interface, &ifindex, &interface);
	world_forward_fast(world, false);
	must(ring_buffer__consume(world->events) >= 0, "events");
}

/* -------------------------------------------------------------------------------------- run */

int world_run(const struct world *world, enum way way, const uint8_t *in, size_t in_len,
	      uint8_t *out, size_t *ret_out_len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = (uint32_t)in_len,
		    .data_out = out, .data_size_out = WIRE_MAX, .repeat = 1);

	if (bpf_prog_test_run_opts(world->programs[way], &opts) < 0) {
		must(errno == EINVAL && in_len < SHORT_FRAME, "a test run");
		memcpy(out, in, in_len);
		*ret_out_len = in_len;
		return TC_NEXT;
	}
	*ret_out_len = opts.data_size_out;
	return (int)opts.retval;
}

uint64_t world_count(const struct world *world, enum mrd_reason reason)
{
	uint64_t counts[1024] = {0}, sum = 0;
	const uint32_t key = reason;
	const int cpus = libbpf_num_possible_cpus();

	must(cpus > 0 && cpus <= 1024, "the number of processors");
	must(bpf_map_lookup_elem(world->count, &key, counts) == 0, "a counter");
	for (int i = 0; i < cpus; i++)
		sum += counts[i];
	return sum;
}

void world_put_flow(const struct world *world, const struct mrd_flow_key *key)
{
	const struct mrd_flow row = {0};

	world_put_row(world, key, &row);
}

void world_put_row(const struct world *world, const struct mrd_flow_key *key,
		   const struct mrd_flow *row)
{
	put(world->flow, key, row);
}

static void change_flows(const struct world *world, void (*change)(struct mrd_flow *row))
{
	struct mrd_flow_key keys[WORLD_FLOWS], *last = NULL;
	unsigned int count = 0;
	struct mrd_flow row;

	/* Once they are known: a row that is written anew changes its place. */
	while (count < WORLD_FLOWS && bpf_map_get_next_key(world->flow, last, &keys[count]) == 0)
		last = &keys[count++];
	while (count-- > 0) {
		must(bpf_map_lookup_elem(world->flow, &keys[count], &row) == 0, "a flow");
		change(&row);
		put(world->flow, &keys[count], &row);
	}
}

static void age(struct mrd_flow *row)
{
	if (row->way == MRD_FLOW_FORWARD)
		row->sent_ns = 1;
}

void world_age(const struct world *world)
{
	change_flows(world, age);
}

static void idle(struct mrd_flow *row)
{
	row->last_ns = 0;
}

void world_idle(const struct world *world)
{
	change_flows(world, idle);
}

static void put_tuple(struct mrd_flow_tuple *tuple, const char *from, uint16_t from_port,
		      const char *to, uint16_t to_port)
{
	put_addr(tuple->source, from);
	put_addr(tuple->destination, to);
	tuple->source_port = from_port;
	tuple->destination_port = to_port;
}

void world_put_move(const struct world *world, const struct world_move *move)
{
	struct mrd_flow_key key = {.protocol = (enum mrd_protocol)move->protocol};
	struct mrd_flow row = {.is_socket = 1, .ifindex = WORLD_IFINDEX, .service_id = 1};
	uint8_t addr[MRD_ADDR_LEN];
	const uint32_t place = WORLD_IFINDEX;
	uint64_t opened;

	key.family = put_addr(addr, move->client);
	put_tuple(&key.tuple, move->to, move->port, move->client, move->client_port);
	put_tuple(&row.tuple, move->from, move->port, move->client, move->client_port);
	row.way = MRD_FLOW_REVERSE;
	put(world->flow, &key, &row);
	put_tuple(&key.tuple, move->client, move->client_port, move->from, move->port);
	put_tuple(&row.tuple, move->client, move->client_port, move->to, move->port);
	row.way = MRD_FLOW_FORWARD;
	row.state = MRD_FLOW_SYN_SENT;
	put(world->flow, &key, &row);
	must(bpf_map_lookup_elem(world->opened, &place, &opened) == 0, "a place");
	opened++;
	put(world->opened, &place, &opened);
}

void world_put_run(const struct world *world, uint32_t endpoint_id, uint32_t run, uint32_t answers)
{
	const struct mrd_stat stat = {.run = run, .run_answers = answers};
	const uint32_t slot = endpoint_id % MRD_FAILURE_SLOTS;
	const uint64_t latest_ns = run != 0;

	put(world->stat, &endpoint_id, &stat);
	put(world->failure, &slot, &latest_ns);
}

void world_stat(const struct world *world, uint32_t endpoint_id, struct mrd_stat *ret_stat)
{
	must(bpf_map_lookup_elem(world->stat, &endpoint_id, ret_stat) == 0,
	     "an endpoint's counters");
}

void world_hear(const struct world *world)
{
	world->heard->count = 0;
	must(ring_buffer__consume(world->events) >= 0, "events");
}

void world_put_report(const struct world *world, uint32_t service_id, enum mrd_report report)
{
	const struct mrd_member_key key = {service_id, HOP_ID, 0};
	struct mrd_member member;

	must(bpf_map_lookup_elem(world->member, &key, &member) == 0, "a member");
	member.report = report;
	put(world->member, &key, &member);
}

void world_put_probe(const struct world *world, bool on)
{
	struct mrd_config config;
	const uint32_t index = 0;

	must(bpf_map_lookup_elem(world->config, &index, &config) == 0, "the configuration");
	config.probe = on;
	put(world->config, &index, &config);
}

void world_add_run(const struct world *world, uint32_t endpoint_id, uint32_t more)
{
	const uint32_t slot = endpoint_id % MRD_FAILURE_SLOTS;
	const uint64_t latest_ns = 1;
	struct mrd_stat stat;

	world_stat(world, endpoint_id, &stat);
	stat.run += more;
	put(world->stat, &endpoint_id, &stat);
	put(world->failure, &slot, &latest_ns);
}

uint32_t world_run_of(const struct world *world, uint32_t endpoint_id)
{
	struct mrd_stat stat;

	world_stat(world, endpoint_id, &stat);
	return stat.run;
}

unsigned int world_flows(const struct world *world)
{
	struct mrd_flow_key key, *last = NULL;
	unsigned int count = 0;

	for (; bpf_map_get_next_key(world->flow, last, &key) == 0; last = &key)
		count++;
	return count;
}

void world_settle(const struct world *world, uint32_t place)
{
	uint64_t opened;

	must(bpf_map_lookup_elem(world->opened, &place, &opened) == 0, "a place");
	put(world->settled, &place, &opened);
}

bool world_flow(const struct world *world, const struct mrd_flow_key *key,
		struct mrd_flow *ret_flow)
{
	return bpf_map_lookup_elem(world->flow, key, ret_flow) == 0;
}

static int order(const struct world *world, const struct mrd_flow_order *order)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = order, .data_size_in = sizeof(*order));

	must(bpf_prog_test_run_opts(world->flow_delete, &opts) == 0, "a row's deletion");
	return (int)opts.retval;
}

int world_delete(const struct world *world, const struct mrd_flow_key *key)
{
	return order(world, &(struct mrd_flow_order){.key = *key});
}

int world_cut(const struct world *world, const struct mrd_flow_key *key)
{
	return order(world, &(struct mrd_flow_order){.key = *key, .is_reset = 1});
}
