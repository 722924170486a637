/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The life of the data plane, step by step. open() finds the cgroup and the bpffs folder, clears
 * up behind an agent that died on the way, decides whether what is pinned can be
 * adopted, and loads programs and maps; of all this nothing is seen from outside yet. The caller
 * writes the first plan. attach() then stages a new set (an adopted one is in place already), puts
 * the programs on their links and promotes the set: pins.h tells why a kill between any two steps
 * leaves every hook with a whole set.
 */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <linux/bpf.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/connections.h"
#include "dataplane/events.h"
#include "dataplane/failure.h"
#include "dataplane/features.h"
#include "dataplane/flow_delete.h"
#include "dataplane/inspect.h"
#include "dataplane/links.h"
#include "dataplane/map_io.h"
#include "dataplane/mounts.h"
#include "dataplane/object.h"
#include "dataplane/pins.h"
#include "dataplane/pinset.h"
#include "dataplane/tc.h"

enum {
	IPV4_MAPPED_BITS = 96, /* ::ffff:0:0/96 */
	IPV4_MAPPED_BYTES = 12,
};

struct mrd_dataplane {
	char *cgroup;
	char *bpffs;
	char *mounted; /* where a bpffs had to be mounted, or NULL */
	int cgroup_fd;
	enum mrd_adoption adoption;
	bool numbers_kept;
	bool connections_kept;
	struct mrd_features features;
	struct mrd_pinset set;
	struct mrd_map_io maps[MRD_MAP_COUNT];
	struct mrd_map_io flows;
	struct mrd_map_io counters;
	struct mrd_map_cursor *flow_cursor;		  /* NULL: at the start */
	struct mrd_hook_program programs[MRD_HOOK_COUNT]; /* closed once attached */
	int limit_fd;					  /* likewise: of mrd_followed's */
	int delete_fd;					  /* mrd_flow_delete() */
	struct mrd_tc tc; /* its programs stay open: interfaces come at any time */
	char *tc_error;
	struct mrd_events *events;
	bool attached;
};

static void close_programs(struct mrd_dataplane *dataplane)
{
	for (size_t i = 0; i < MRD_HOOK_COUNT; i++) {
		mrd_cleanup_fd(&dataplane->programs[i].fd);
		dataplane->programs[i].fd = -1;
	}
	mrd_cleanup_fd(&dataplane->limit_fd);
	dataplane->limit_fd = -1;
}

void mrd_dataplane_free(struct mrd_dataplane *dataplane)
{
	if (!dataplane)
		return;
	mrd_events_close(dataplane->events);
	mrd_map_cursor_free(dataplane->flow_cursor);
	close_programs(dataplane);
	mrd_cleanup_fd(&dataplane->delete_fd);
	for (size_t i = 0; i < MRD_TC_PROGRAMS; i++)
		mrd_cleanup_fd(&dataplane->tc.program_fds[i]);
	mrd_pinset_close(&dataplane->set);
	mrd_cleanup_fd(&dataplane->cgroup_fd);
	free(dataplane->tc_error);
	free(dataplane->mounted);
	free(dataplane->bpffs);
	free(dataplane->cgroup);
	free(dataplane);
}

static void dataplane_cleanup(struct mrd_dataplane **dataplane)
{
	mrd_dataplane_free(*dataplane);
}

static void object_cleanup(struct mrd_object **object)
{
	mrd_object_close(*object);
}

static struct mrd_dataplane *dataplane_new(void)
{
	struct mrd_dataplane *dataplane = calloc(1, sizeof(*dataplane));

	if (!dataplane)
		return NULL;
	dataplane->cgroup_fd = -1;
	dataplane->limit_fd = -1;
	dataplane->delete_fd = -1;
	mrd_pinset_init(&dataplane->set);
	for (size_t i = 0; i < MRD_HOOK_COUNT; i++)
		dataplane->programs[i].fd = -1;
	for (size_t i = 0; i < MRD_TC_PROGRAMS; i++)
		dataplane->tc.program_fds[i] = -1;
	return dataplane;
}

/* -------------------------------------------------------------------------------------- open */

/* Kernels before 5.11 count maps against this limit; without the right to raise it, the load tells.
 */
static void raise_memlock(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit limit;

	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int open_places(struct mrd_dataplane *dataplane, const struct mrd_dataplane_config *config,
		       char **ret_error)
{
	int r = mrd_mounts_open_cgroup(config->cgroup, &dataplane->cgroup, &dataplane->cgroup_fd,
				       ret_error);

	if (r < 0)
		return r;
	dataplane->bpffs = strdup(config->bpffs);
	if (!dataplane->bpffs)
		return mrd_failure(ret_error, -ENOMEM, "no memory");
	r = mrd_mounts_make_bpffs(dataplane->bpffs, &dataplane->mounted, ret_error);
	if (r < 0)
		return r;
	r = mrd_pins_recover(dataplane->bpffs);
	if (r < 0)
		return mrd_permission_failure(
			r, "what an earlier agent left in kernel.bpffs cannot be cleared",
			ret_error);
	return 0;
}

static void close_inspect(struct mrd_inspect **inspect)
{
	mrd_inspect_close(*inspect);
}

/* What hooks have found out speaks in numbers: it is of use only with the rows that name them. */
static int keep(struct mrd_dataplane *dataplane, struct mrd_object *object,
		const struct mrd_pinset *pinned)
{
	MRD_CLEANUP(close_inspect) struct mrd_inspect *old = NULL;

	dataplane->numbers_kept = mrd_inspect_open(dataplane->bpffs, &old) == 0;
	dataplane->connections_kept = false;
	return dataplane->numbers_kept
		       ? mrd_object_keep(object, pinned, &dataplane->connections_kept)
		       : 0;
}

/* Takes the pinned set over if it is whole and of this version and size; or what it can of it. */
static int adopt(struct mrd_dataplane *dataplane, struct mrd_object *object, char **ret_error)
{
	MRD_AUTO_PINSET struct mrd_pinset pinned;
	int r;

	mrd_pinset_init(&pinned);
	if (!mrd_pins_present(dataplane->bpffs)) {
		dataplane->adoption = MRD_ADOPTION_FRESH;
		return 0;
	}
	r = mrd_pinset_open(dataplane->bpffs, 0, &pinned);
	if (r == -EPERM || r == -EACCES)
		return mrd_permission_failure(r, "the pinned maps cannot be opened", ret_error);
	if (r == 0 && mrd_object_fits(object, &pinned)) {
		dataplane->adoption = MRD_ADOPTION_ADOPTED;
		r = mrd_object_reuse(object, &pinned);
	} else {
		dataplane->adoption = MRD_ADOPTION_REPLACED;
		r = r < 0 ? 0 : keep(dataplane, object, &pinned);
	}
	return r < 0 ? mrd_failure(ret_error, r, "the pinned maps cannot be adopted: %s",
				   strerror(-r))
		     : 0;
}

/* The rows that the agent writes must be those that the object was compiled with. */
static int open_maps(struct mrd_dataplane *dataplane)
{
	for (size_t i = 0; i < MRD_MAP_COUNT; i++) {
		const int r = mrd_map_io_init(dataplane->set.fds[i], &dataplane->maps[i]);

		if (r < 0)
			return r;
		if (dataplane->maps[i].key_size != mrd_map_key_size((enum mrd_map)i) ||
		    dataplane->maps[i].value_size != mrd_map_value_size((enum mrd_map)i))
			return -EPROTO;
	}
	return mrd_map_io_init(dataplane->set.fds[MRD_PIN_FLOW], &dataplane->flows)
		       ?: mrd_map_io_init(dataplane->set.fds[MRD_PIN_COUNTERS],
					  &dataplane->counters);
}

/* Loads the object, with the programs of interfaces or without. */
static int load_object(struct mrd_dataplane *dataplane, const struct mrd_dataplane_config *config,
		       const struct mrd_dataplane_limits *limits, bool tc,
		       struct mrd_object **ret_object, char **ret_error)
{
	MRD_CLEANUP(object_cleanup) struct mrd_object *object = NULL;
	const struct mrd_object_wishes wishes = {
		.atomic_result = dataplane->features.items[MRD_FEATURE_ATOMIC_RESULT].used,
		.probe = config->probe,
		.tc = tc,
	};
	int r = mrd_object_open(&wishes, limits, &object, ret_error);

	r = r < 0 ? r : adopt(dataplane, object, ret_error);
	r = r < 0 ? r : mrd_object_load(object, ret_error);
	if (r < 0)
		return r;
	*ret_object = MRD_STEAL_PTR(object);
	return 0;
}

static enum mrd_tc_mode tc_mode(const struct mrd_dataplane *dataplane)
{
	if (dataplane->tc.program_fds[MRD_TC_FORWARD] < 0)
		return MRD_TC_NONE;
	return dataplane->features.items[MRD_FEATURE_TCX].used ? MRD_TC_TCX : MRD_TC_CLSACT;
}

static int load(struct mrd_dataplane *dataplane, const struct mrd_dataplane_config *config,
		const struct mrd_dataplane_limits *limits, char **ret_error)
{
	MRD_CLEANUP(object_cleanup) struct mrd_object *object = NULL;
	int r = load_object(dataplane, config, limits, true, &object, &dataplane->tc_error);

	/* What is wrong may be with them alone: then the socket hooks serve. */
	if (r < 0) {
		mrd_libbpf_log_start();
		r = load_object(dataplane, config, limits, false, &object, ret_error);
	}
	if (r < 0)
		return r;
	r = mrd_object_take(object, &dataplane->set, dataplane->programs, dataplane->tc.program_fds,
			    &dataplane->limit_fd, &dataplane->delete_fd);
	if (r == 0)
		r = open_maps(dataplane);
	dataplane->tc.folder = dataplane->bpffs;
	dataplane->tc.interface_fd = dataplane->set.fds[MRD_PIN_INTERFACE];
	dataplane->tc.mode = tc_mode(dataplane);
	if (r == 0)
		r = mrd_events_open(dataplane->set.fds[MRD_PIN_EVENT], &dataplane->events);
	if (r == 0)
		r = mrd_dataplane_configure(dataplane, config);
	if (r < 0)
		return mrd_failure(ret_error, r, "the loaded maps cannot be used: %s",
				   strerror(-r));
	return 0;
}

int mrd_dataplane_open(const struct mrd_dataplane_config *config,
		       struct mrd_dataplane **ret_dataplane, char **ret_error)
{
	MRD_CLEANUP(dataplane_cleanup) struct mrd_dataplane *dataplane = dataplane_new();
	struct mrd_dataplane_limits limits;
	struct utsname name;
	int r;

	*ret_error = NULL;
	if (!dataplane)
		return mrd_failure(ret_error, -ENOMEM, "no memory");
	r = uname(&name) == 0 ? mrd_check_kernel(name.release, ret_error) : 0;
	if (r < 0)
		return r;
	r = mrd_limits_resolve(&config->limits, (uint32_t)sysconf(_SC_PAGESIZE), &limits,
			       ret_error);
	if (r < 0)
		return r;
	raise_memlock();
	mrd_libbpf_log_start();
	mrd_features_probe(&dataplane->features);
	r = open_places(dataplane, config, ret_error);
	if (r == 0)
		r = load(dataplane, config, &limits, ret_error);
	mrd_libbpf_log_stop();
	/* Loading needs some ten megabytes for a moment (the kernel's types); the agent lives on
	 * with less than one. */
	malloc_trim(0);
	if (r < 0)
		return r;
	*ret_dataplane = MRD_STEAL_PTR(dataplane);
	return 0;
}

/* ------------------------------------------------------------------------------------ attach */

/*
 * No link holds this program, but the map, which may be the one that hooks use already; sockets
 * keep the program under which they came into it. So it comes when its maps hold the plan, and
 * before the hooks that put sockets there; and goes again if they stay the old ones after all.
 */
static int attach_limit(const struct mrd_dataplane *dataplane, int limit_fd, char **ret_error)
{
	if (bpf_prog_attach(limit_fd, dataplane->set.fds[MRD_PIN_FOLLOWED], BPF_SK_MSG_VERDICT,
			    0) == 0)
		return 0;
	return mrd_failure(ret_error, -errno, "mrd_request_limit cannot be attached: %s",
			   strerror(errno));
}

/* The one that is there; -1: none, or it cannot be had (before 5.18, or without CAP_SYS_ADMIN). */
static int limit_there(const struct mrd_dataplane *dataplane)
{
	__u32 id = 0, count = 1, flags = 0;

	if (bpf_prog_query(dataplane->set.fds[MRD_PIN_FOLLOWED], BPF_SK_MSG_VERDICT, 0, &flags, &id,
			   &count) < 0 ||
	    !count)
		return -1;
	return bpf_prog_get_fd_by_id(id);
}

static int swap_links(struct mrd_dataplane *dataplane, int old_limit_fd,
		      struct mrd_link_changes *changes, char **ret_error)
{
	const bool staged = dataplane->adoption != MRD_ADOPTION_ADOPTED;
	const int r = mrd_links_attach(dataplane->bpffs, dataplane->cgroup_fd, dataplane->programs,
				       changes, ret_error);

	if (r == 0)
		return 0;
	/* If a hook had to be left with the new program, its maps must stay where the next start
	 * finds them. */
	if (mrd_links_undo(dataplane->bpffs, changes) < 0)
		return r;
	if (old_limit_fd >= 0)
		attach_limit(dataplane, old_limit_fd, NULL);
	if (staged)
		mrd_pins_unstage(dataplane->bpffs);
	return r;
}

int mrd_dataplane_attach(struct mrd_dataplane *dataplane, char **ret_error)
{
	const bool stage = dataplane->adoption != MRD_ADOPTION_ADOPTED;
	MRD_AUTO_FD int old_limit_fd = -1;
	struct mrd_link_changes changes;
	int r;

	*ret_error = NULL;
	if (dataplane->attached)
		return 0;
	r = stage ? mrd_pins_stage(dataplane->bpffs, &dataplane->set) : 0;
	if (r < 0)
		return mrd_permission_failure(r, "the maps cannot be pinned", ret_error);
	old_limit_fd = limit_there(dataplane);
	r = attach_limit(dataplane, dataplane->limit_fd, ret_error);
	if (r < 0 && stage)
		mrd_pins_unstage(dataplane->bpffs);
	r = r < 0 ? r : swap_links(dataplane, old_limit_fd, &changes, ret_error);
	if (r < 0)
		return r;
	mrd_links_keep(&changes);
	mrd_links_sweep(dataplane->bpffs, dataplane->programs);
	r = stage ? mrd_pins_promote(dataplane->bpffs) : 0;
	if (r < 0)
		return mrd_failure(ret_error, r,
				   "the new maps cannot be moved into %s (%s): the hooks use "
				   "them, and the next start moves them",
				   dataplane->bpffs, strerror(-r));
	mrd_pins_sweep(dataplane->bpffs);
	dataplane->attached = true;
	close_programs(dataplane);
	return 0;
}

/* -------------------------------------------------------------------------------------- rows */

static int put_row(void *self, enum mrd_map map, const void *key, const void *value,
		   int create_only)
{
	struct mrd_dataplane *dataplane = self;

	return mrd_map_io_put(&dataplane->maps[map], key, value, create_only);
}

static int del_row(void *self, enum mrd_map map, const void *key, uint32_t service_id)
{
	struct mrd_dataplane *dataplane = self;
	struct mrd_service service;

	/* A VIP may have been handed to another service meanwhile. */
	if (map == MRD_MAP_SERVICE) {
		const int r = mrd_map_io_get(&dataplane->maps[map], key, &service);

		if (r < 0)
			return r == -ENOENT ? 0 : r;
		if (service.service_id != service_id)
			return 0;
	}
	return mrd_map_io_del(&dataplane->maps[map], key);
}

static int get_row(void *self, enum mrd_map map, const void *key, void *ret_value)
{
	const struct mrd_dataplane *dataplane = self;

	return mrd_map_io_get(&dataplane->maps[map], key, ret_value);
}

struct mrd_map_writer mrd_dataplane_writer(struct mrd_dataplane *dataplane)
{
	return (struct mrd_map_writer){
		.self = dataplane,
		.put = put_row,
		.del = del_row,
		.get = get_row,
	};
}

int mrd_dataplane_walk(const struct mrd_dataplane *dataplane, enum mrd_map map,
		       int (*fn)(void *self, const void *key, const void *value), void *self)
{
	return mrd_map_io_walk(&dataplane->maps[map], fn, self);
}

int mrd_dataplane_get(const struct mrd_dataplane *dataplane, enum mrd_map map, const void *key,
		      void *ret_value)
{
	return mrd_map_io_get(&dataplane->maps[map], key, ret_value);
}

int mrd_dataplane_reset(const struct mrd_dataplane *dataplane, const uint32_t *endpoint_ids,
			size_t count, size_t most, struct mrd_reset *ret_reset)
{
	return mrd_connections_reset(dataplane->set.fds[MRD_PIN_CONNECTION],
				     dataplane->set.fds[MRD_PIN_FLOW], dataplane->delete_fd,
				     endpoint_ids, count, most, ret_reset);
}

/* ------------------------------------------------------------------------------------ config */

static struct mrd_cidr_key cidr_key(const struct mrd_cidr *cidr)
{
	struct mrd_cidr_key key = {.prefix_len = cidr->prefix_len};

	if (cidr->ip.version == MRD_IPV4) {
		key.prefix_len += IPV4_MAPPED_BITS;
		key.addr[IPV4_MAPPED_BYTES - 2] = 0xff;
		key.addr[IPV4_MAPPED_BYTES - 1] = 0xff;
		memcpy(key.addr + IPV4_MAPPED_BYTES, cidr->ip.bytes,
		       MRD_ADDR_LEN - IPV4_MAPPED_BYTES);
	} else {
		memcpy(key.addr, cidr->ip.bytes, MRD_ADDR_LEN);
	}
	return key;
}

static bool is_configured(const struct mrd_dataplane_config *config, const struct mrd_cidr_key *key)
{
	for (size_t i = 0; i < config->service_cidr_count; i++) {
		const struct mrd_cidr_key wanted = cidr_key(&config->service_cidrs[i]);

		if (memcmp(&wanted, key, sizeof(wanted)) == 0)
			return true;
	}
	return false;
}

static int delete_stale_cidrs(int fd, const struct mrd_dataplane_config *config)
{
	struct mrd_cidr_key stale[MRD_CIDRS_MAX];
	struct mrd_cidr_key key;
	size_t count = 0;
	int r;

	/* Collected first: a deleted key is no place to go on from. */
	for (r = bpf_map_get_next_key(fd, NULL, &key); r == 0 && count < MRD_CIDRS_MAX;
	     r = bpf_map_get_next_key(fd, &key, &key))
		if (!is_configured(config, &key))
			stale[count++] = key;
	if (r < 0 && errno != ENOENT)
		return -errno;
	for (size_t i = 0; i < count; i++)
		if (bpf_map_delete_elem(fd, &stale[i]) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

int mrd_dataplane_configure(struct mrd_dataplane *dataplane,
			    const struct mrd_dataplane_config *config)
{
	const struct mrd_config row = {
		.abi_version = MRD_ABI_VERSION,
		.unknown_service = config->unknown_service,
		.fast_forward = config->fast_forward,
		.probe = config->probe,
		.jiffies_per_s = config->rescue && dataplane->tc.mode != MRD_TC_NONE
					 ? mrd_clock_jiffies_per_s()
					 : 0,
	};
	const int cidr_fd = dataplane->set.fds[MRD_PIN_CIDR];
	const __u32 zero = 0;

	for (size_t i = 0; i < config->service_cidr_count; i++) {
		const struct mrd_cidr_key key = cidr_key(&config->service_cidrs[i]);
		const __u32 value = 1;

		if (bpf_map_update_elem(cidr_fd, &key, &value, BPF_ANY) < 0)
			return -errno;
	}
	if (bpf_map_update_elem(dataplane->set.fds[MRD_PIN_CONFIG], &zero, &row, BPF_ANY) < 0)
		return -errno;
	return delete_stale_cidrs(cidr_fd, config);
}

/* --------------------------------------------------------------------------------- accessors */

enum mrd_adoption mrd_dataplane_adoption(const struct mrd_dataplane *dataplane)
{
	return dataplane->adoption;
}

bool mrd_dataplane_keeps_numbers(const struct mrd_dataplane *dataplane)
{
	return dataplane->numbers_kept;
}

bool mrd_dataplane_keeps_connections(const struct mrd_dataplane *dataplane)
{
	return dataplane->connections_kept;
}

const char *mrd_dataplane_cgroup(const struct mrd_dataplane *dataplane)
{
	return dataplane->cgroup;
}

const char *mrd_dataplane_mounted(const struct mrd_dataplane *dataplane)
{
	return dataplane->mounted;
}

const struct mrd_feature *mrd_dataplane_features(const struct mrd_dataplane *dataplane,
						 size_t *ret_count)
{
	*ret_count = MRD_FEATURE_COUNT;
	return dataplane->features.items;
}

/* ------------------------------------------------------------------------ network interfaces */

const char *mrd_tc_mode_name(enum mrd_tc_mode mode)
{
	static const char *const names[] = {
		[MRD_TC_NONE] = "none",
		[MRD_TC_CLSACT] = "clsact",
		[MRD_TC_TCX] = "tcx",
	};

	return names[mode];
}

enum mrd_tc_mode mrd_dataplane_tc_mode(const struct mrd_dataplane *dataplane)
{
	return dataplane->tc.mode;
}

const char *mrd_dataplane_tc_error(const struct mrd_dataplane *dataplane)
{
	return dataplane->tc.mode == MRD_TC_NONE ? dataplane->tc_error : NULL;
}

int mrd_dataplane_tc_serve(struct mrd_dataplane *dataplane, uint32_t index,
			   const struct mrd_interface *row, char **ret_error)
{
	*ret_error = NULL;
	return mrd_tc_serve(&dataplane->tc, index, row, ret_error);
}

int mrd_dataplane_tc_leave(struct mrd_dataplane *dataplane, uint32_t index, char **ret_error)
{
	*ret_error = NULL;
	return mrd_tc_leave(&dataplane->tc, index, ret_error);
}

bool mrd_dataplane_tc_is_left(const struct mrd_dataplane *dataplane, uint32_t index)
{
	return mrd_tc_is_left(&dataplane->tc, index);
}

int mrd_dataplane_tc_left(const struct mrd_dataplane *dataplane, uint32_t **ret_indexes,
			  size_t *ret_count)
{
	return mrd_tc_left(&dataplane->tc, ret_indexes, ret_count);
}

/* ----------------------------------------------------------------------------- flows of packets */

int mrd_dataplane_flows_next(struct mrd_dataplane *dataplane,
			     int (*fn)(void *self, const void *key, const void *value), void *self)
{
	int r = 0;

	if (!dataplane->flow_cursor)
		r = mrd_map_cursor_new(&dataplane->flows, &dataplane->flow_cursor);
	if (r < 0)
		return r;
	r = mrd_map_cursor_next(dataplane->flow_cursor, fn, self);
	if (r > 0)
		return r;
	mrd_map_cursor_free(dataplane->flow_cursor);
	dataplane->flow_cursor = NULL;
	return r;
}

int mrd_dataplane_count(const struct mrd_dataplane *dataplane, enum mrd_reason reason,
			uint64_t *ret_count)
{
	const uint32_t key = (uint32_t)reason;

	return mrd_map_io_get(&dataplane->counters, &key, ret_count);
}

int mrd_dataplane_flow_get(const struct mrd_dataplane *dataplane, const struct mrd_flow_key *key,
			   struct mrd_flow *ret_flow)
{
	return mrd_map_io_get(&dataplane->flows, key, ret_flow);
}

int mrd_dataplane_flow_del(struct mrd_dataplane *dataplane, const struct mrd_flow_key *key)
{
	return mrd_flow_delete(dataplane->delete_fd, key);
}

int mrd_dataplane_places(const struct mrd_dataplane *dataplane,
			 uint64_t ret_opened[MRD_PLACE_ANY + 1])
{
	const int fd = dataplane->set.fds[MRD_PIN_OPENED];
	uint32_t places[MRD_PLACE_ANY + 1], next = 0, count = MRD_PLACE_ANY + 1;

	if (bpf_map_lookup_batch(fd, NULL, &next, places, ret_opened, &count, NULL) &&
	    errno != ENOENT) /* the end */
		return -errno;
	return count == MRD_PLACE_ANY + 1 ? 0 : -EIO;
}

int mrd_dataplane_settle(const struct mrd_dataplane *dataplane, uint32_t place, uint64_t opened)
{
	const int fd = dataplane->set.fds[MRD_PIN_SETTLED];

	return bpf_map_update_elem(fd, &place, &opened, BPF_ANY) ? -errno : 0;
}

/* ------------------------------------------------------------------------------------ events */

void mrd_dataplane_on_event(struct mrd_dataplane *dataplane, mrd_event_fn fn, void *self)
{
	mrd_events_set(dataplane->events, fn, self);
}

int mrd_dataplane_event_fd(const struct mrd_dataplane *dataplane)
{
	return mrd_events_fd(dataplane->events);
}

int mrd_dataplane_dispatch(struct mrd_dataplane *dataplane)
{
	return mrd_events_dispatch(dataplane->events);
}
