/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "agent/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/findings.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "source/file_source.h"
#include "source/kube_source.h"

struct mrd_cluster {
	struct mrd_cluster_place place;
	struct mrd_file_source *folder; /* one of these two */
	struct mrd_kube_source *server;
	struct mrd_watch *watch; /* of the folder */
	bool has_leftovers;	 /* the model has objects of a source before, still unmet */
	bool is_lost;		 /* said so, with */
	char *error;		 /* this reason; NULL: none */
	bool was_read;		 /* said so */
	bool is_stale;
	uint64_t changes;	   /* of the model, that were met with */
	uint64_t looked_ns;	   /* when this was, before what may be read next */
	uint64_t pending_since_ns; /* the oldest that is not in the kernel; 0: all are */
	struct mrd_histogram delays;
	struct mrd_timer *silence; /* for when it would be, as far as is known */
	bool is_counting;	   /* it is set */
};

/* A server is asked for a sign of life so often in the time it may be silent. */
enum { PINGS_PER_SILENCE = 3 };

/* ------------------------------------------------------------------------------------- telling */

void mrd_cluster_get_status(const struct mrd_cluster *cluster, struct mrd_source_status *ret_status)
{
	if (cluster->folder)
		mrd_file_source_get_status(cluster->folder, ret_status);
	else
		mrd_kube_source_get_status(cluster->server, ret_status);
}

void mrd_cluster_each_broken(const struct mrd_cluster *cluster, mrd_broken_fn fn, void *self)
{
	if (cluster->folder)
		mrd_file_source_each_broken(cluster->folder, fn, self);
	else
		mrd_kube_source_each_broken(cluster->server, fn, self);
}

const char *mrd_cluster_get_resource(const struct mrd_cluster *cluster, size_t index,
				     struct mrd_reflector_status *ret_status)
{
	return cluster->server ? mrd_kube_source_get_resource(cluster->server, index, ret_status)
			       : NULL;
}

static void tell_lost(struct mrd_cluster *cluster, const struct mrd_source_status *status)
{
	const char *error = *status->error ? status->error : "not there";

	if (cluster->is_lost && cluster->error && !strcmp(cluster->error, error))
		return;
	cluster->is_lost = true;
	free(cluster->error);
	cluster->error = strdup(error);
	mrd_log_error("cluster cannot be read", MRD_KV("cluster", cluster->place.config->name),
		      MRD_KV("source", status->where), MRD_KV("reason", error),
		      MRD_KV("consequence", status->read || cluster->has_leftovers
						    ? "its last good state stays in force"
						    : "it is waited for"));
}

static void tell_read(struct mrd_cluster *cluster, const struct mrd_source_status *status)
{
	const struct mrd_cluster_place *place = &cluster->place;
	const struct mrd_model *model = place->model;

	cluster->was_read = true;
	mrd_log_info("cluster read", MRD_KV("cluster", place->config->name),
		     MRD_KV("source", status->where),
		     MRD_KV_NUM("services", mrd_model_count(model, place->index, MRD_KIND_SERVICE)),
		     MRD_KV_NUM("slices", mrd_model_count(model, place->index, MRD_KIND_SLICE)),
		     MRD_KV_NUM("nodes", mrd_model_count(model, place->index, MRD_KIND_NODE)));
}

bool mrd_cluster_is_stale(const struct mrd_cluster *cluster)
{
	return cluster->is_stale;
}

/* Between two looks it may become stale on its own. */
static void count_silence(struct mrd_cluster *cluster, uint64_t alive_ns)
{
	if (cluster->is_counting || cluster->is_stale || alive_ns == UINT64_MAX)
		return;
	mrd_timer_set(cluster->silence, alive_ns + cluster->place.stale_after_ms * MRD_NS_PER_MS);
	cluster->is_counting = true;
}

static void judge_silence(struct mrd_cluster *cluster, const struct mrd_source_status *status,
			  uint64_t now_ns)
{
	const struct mrd_cluster_place *place = &cluster->place;
	const bool is_stale = status->alive_ns < now_ns &&
			      now_ns - status->alive_ns >= place->stale_after_ms * MRD_NS_PER_MS;

	if (is_stale != cluster->is_stale && is_stale)
		mrd_log_warn(
			"cluster is stale", MRD_KV("cluster", place->config->name),
			MRD_KV_NUM("silent_for_ms", (now_ns - status->alive_ns) / MRD_NS_PER_MS),
			MRD_KV("consequence",
			       "its endpoints are kept while they answer, and given up first"));
	else if (is_stale != cluster->is_stale)
		mrd_log_info("cluster is heard again", MRD_KV("cluster", place->config->name));
	cluster->is_stale = is_stale;
	mrd_model_set_unheard(place->model, place->index, is_stale);
	count_silence(cluster, status->alive_ns);
}

/* Says once that a cluster is lost, once that it is back, and once that it was read. */
static void watch_over(struct mrd_cluster *cluster, uint64_t now_ns)
{
	struct mrd_source_status status;

	mrd_cluster_get_status(cluster, &status);
	if (!status.readable) {
		if (!status.settling)
			tell_lost(cluster, &status);
	} else if (cluster->is_lost) {
		cluster->is_lost = false;
		mrd_log_info("cluster read again", MRD_KV("cluster", cluster->place.config->name),
			     MRD_KV("source", status.where));
	}
	if (cluster->server && status.read && !cluster->was_read)
		tell_read(cluster, &status);
	judge_silence(cluster, &status, now_ns);
}

static void on_findings(void *self, const struct mrd_diag *diag)
{
	const struct mrd_cluster *cluster = self;

	mrd_findings_log(diag, cluster->folder ? "manifest" : "object",
			 "its last good state stays in force");
}

static void on_recovered(void *self, const char *what)
{
	const struct mrd_cluster *cluster = self;

	mrd_log_info(cluster->server ? "object whole again" : "manifest whole again",
		     MRD_KV(cluster->server ? "object" : "file", what),
		     MRD_KV("cluster", cluster->place.config->name));
}

/* ------------------------------------------------------------------------------------ how late */

/* Changes since the last look came no earlier than that: there is one before each piece. */
static void note_changes(struct mrd_cluster *cluster)
{
	const struct mrd_cluster_place *place = &cluster->place;
	const uint64_t changes = mrd_model_changes(place->model, place->index);

	if (changes != cluster->changes && !cluster->pending_since_ns)
		cluster->pending_since_ns = cluster->looked_ns;
	cluster->changes = changes;
	cluster->looked_ns = mrd_clock_ns();
}

void mrd_cluster_settle(struct mrd_cluster *cluster, uint64_t now_ns, bool counted)
{
	if (cluster->pending_since_ns && counted)
		mrd_histogram_add(&cluster->delays, now_ns - cluster->pending_since_ns);
	cluster->pending_since_ns = 0;
}

const struct mrd_histogram *mrd_cluster_delays(const struct mrd_cluster *cluster)
{
	return &cluster->delays;
}

uint64_t mrd_cluster_behind_since(const struct mrd_cluster *cluster)
{
	struct mrd_source_status status;
	uint64_t since_ns;

	mrd_cluster_get_status(cluster, &status);
	since_ns = status.silent_since_ns;
	if (!since_ns || (cluster->pending_since_ns && cluster->pending_since_ns < since_ns))
		since_ns = cluster->pending_since_ns;
	return since_ns;
}

/* ------------------------------------------------------------------------------- what is left */

/* A source that lists tells by itself what is gone; a folder has been read as a whole. */
static void sweep_leftovers(struct mrd_cluster *cluster)
{
	struct mrd_source_status status;

	if (!cluster->has_leftovers)
		return;
	mrd_cluster_get_status(cluster, &status);
	if (cluster->folder ? !status.complete : !status.read)
		return;
	for (int kind = 0; kind < MRD_KIND_COUNT; kind++)
		if (cluster->folder || kind == MRD_KIND_POD)
			mrd_model_sweep(cluster->place.model, cluster->place.index, kind);
	cluster->has_leftovers = false;
}

static void after(struct mrd_cluster *cluster, uint64_t now_ns)
{
	sweep_leftovers(cluster);
	note_changes(cluster);
	watch_over(cluster, now_ns);
	cluster->place.changed(cluster->place.self);
}

/* ------------------------------------------------------------------------------------- callbacks
 */

static void on_folder(void *self, uint32_t epoll_events)
{
	struct mrd_cluster *cluster = self;

	(void)epoll_events;
	note_changes(cluster);
	cluster->place.before(cluster->place.self);
	mrd_file_source_dispatch(cluster->folder, mrd_clock_ns());
	after(cluster, mrd_clock_ns());
}

/* Before and behind each piece of a stream of objects. */
static void on_piece(void *self)
{
	struct mrd_cluster *cluster = self;

	note_changes(cluster);
	cluster->place.between(cluster->place.self);
	cluster->place.changed(cluster->place.self);
}

static void on_changed(void *self)
{
	struct mrd_cluster *cluster = self;

	if (cluster->server) /* not while it is being made */
		after(cluster, mrd_clock_ns());
}

static void on_dropped(void *self)
{
	const struct mrd_cluster *cluster = self;

	cluster->place.dropped(cluster->place.self);
}

static void on_silence(void *self)
{
	struct mrd_cluster *cluster = self;

	cluster->is_counting = false;
	after(cluster, mrd_clock_ns());
}

void mrd_cluster_tick(struct mrd_cluster *cluster, uint64_t now_ns)
{
	note_changes(cluster);
	if (cluster->folder)
		mrd_file_source_tick(cluster->folder, now_ns);
	after(cluster, now_ns);
}

/* ------------------------------------------------------------------------------------------ life
 */

static struct mrd_file_source_config folder_config(struct mrd_cluster *cluster)
{
	return (struct mrd_file_source_config){
		.directory = cluster->place.config->directory,
		.model = cluster->place.model,
		.cluster = cluster->place.index,
		.findings = on_findings,
		.recovered = on_recovered,
		.self = cluster,
	};
}

static struct mrd_kube_source_hooks server_hooks(struct mrd_cluster *cluster)
{
	return (struct mrd_kube_source_hooks){
		.before = on_piece,
		.changed = on_changed,
		.findings = on_findings,
		.recovered = on_recovered,
		.dropped = on_dropped,
		.self = cluster,
	};
}

static struct mrd_kube_where where_of(const struct mrd_cluster_config *config)
{
	return (struct mrd_kube_where){
		.kubeconfig = config->kubeconfig ?: "",
		.context = config->context ?: "",
		.in_cluster = config->in_cluster,
	};
}

static int open_folder(struct mrd_cluster *cluster, struct mrd_loop *loop)
{
	const struct mrd_file_source_config config = folder_config(cluster);
	const int r = mrd_file_source_new(&config, mrd_clock_ns(), &cluster->folder);

	return r
		       ?: mrd_loop_watch(loop, mrd_file_source_fd(cluster->folder), EPOLLIN,
					 on_folder, cluster, &cluster->watch);
}

static void set_ping(const struct mrd_cluster *cluster)
{
	mrd_kube_source_set_ping(cluster->server,
				 cluster->place.stale_after_ms / PINGS_PER_SILENCE);
}

static int open_server(struct mrd_cluster *cluster, struct mrd_loop *loop)
{
	const struct mrd_kube_source_config config = {
		.name = cluster->place.config->name,
		.where = where_of(cluster->place.config),
		.model = cluster->place.model,
		.cluster = cluster->place.index,
		.rules = cluster->place.rules,
		.services_max = cluster->place.services_max,
		.members_max = cluster->place.members_max,
		.hooks = server_hooks(cluster),
	};
	const int r = mrd_kube_source_new(&config, loop, mrd_clock_ns(), &cluster->server);

	if (!r)
		set_ping(cluster);
	return r;
}

void mrd_cluster_has_leftovers(struct mrd_cluster *cluster)
{
	cluster->has_leftovers = true;
}

static void cleanup_cluster(struct mrd_cluster **cluster)
{
	mrd_cluster_free(*cluster);
}

static int open_cluster(const struct mrd_cluster_place *place, struct mrd_loop *loop,
			bool has_leftovers, struct mrd_cluster **ret_cluster)
{
	struct mrd_cluster *cluster MRD_CLEANUP(cleanup_cluster) = calloc(1, sizeof(*cluster));
	int r;

	if (!cluster)
		return -ENOMEM;
	cluster->place = *place;
	cluster->has_leftovers = has_leftovers;
	cluster->changes = mrd_model_changes(place->model, place->index);
	cluster->looked_ns = mrd_clock_ns();
	r = mrd_loop_timer(loop, on_silence, cluster, &cluster->silence);
	if (!r)
		r = place->config->directory ? open_folder(cluster, loop)
					     : open_server(cluster, loop);
	if (r)
		return r;
	sweep_leftovers(cluster);
	note_changes(cluster);
	watch_over(cluster, mrd_clock_ns());
	*ret_cluster = MRD_STEAL_PTR(cluster);
	return 0;
}

int mrd_cluster_open(const struct mrd_cluster_place *place, struct mrd_loop *loop,
		     struct mrd_cluster **ret_cluster)
{
	return open_cluster(place, loop, false, ret_cluster);
}

int mrd_cluster_replace(const struct mrd_cluster_place *place, struct mrd_loop *loop,
			struct mrd_cluster **ret_cluster)
{
	for (int kind = 0; kind < MRD_KIND_COUNT; kind++)
		mrd_model_mark(place->model, place->index, kind);
	return open_cluster(place, loop, true, ret_cluster);
}

void mrd_cluster_free(struct mrd_cluster *cluster)
{
	if (!cluster)
		return;
	mrd_loop_unwatch(cluster->watch);
	mrd_timer_free(cluster->silence);
	mrd_file_source_free(cluster->folder);
	mrd_kube_source_free(cluster->server);
	free(cluster->error);
	free(cluster);
}

static bool same(const char *a, const char *b)
{
	return !strcmp(a ?: "", b ?: "");
}

bool mrd_cluster_has_source_of(const struct mrd_cluster_config *a,
			       const struct mrd_cluster_config *b)
{
	return same(a->directory, b->directory) && same(a->kubeconfig, b->kubeconfig) &&
	       same(a->context, b->context) && a->in_cluster == b->in_cluster;
}

bool mrd_cluster_is_of(const struct mrd_cluster *cluster, const struct mrd_cluster_place *place)
{
	return same(cluster->place.config->name, place->config->name) &&
	       mrd_cluster_has_source_of(cluster->place.config, place->config) &&
	       cluster->place.rules == place->rules;
}

void mrd_cluster_move(struct mrd_cluster *cluster, const struct mrd_cluster_place *place)
{
	cluster->place = *place;
	cluster->changes = mrd_model_changes(place->model, place->index);
	cluster->is_counting = false; /* it may be another time now */
	mrd_model_set_unheard(place->model, place->index, cluster->is_stale);
	if (cluster->folder) {
		const struct mrd_file_source_config config = folder_config(cluster);

		mrd_file_source_move(cluster->folder, &config);
	} else {
		const struct mrd_kube_source_hooks hooks = server_hooks(cluster);

		mrd_kube_source_move(cluster->server, place->model, place->index, &hooks);
		set_ping(cluster);
	}
}
