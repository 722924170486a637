/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The clock is the events' own and starts at 0, as the detector does. A sweep follows the events of
 * its time.
 */
#include "ctl/verb_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "config/config_model.h"
#include "ctl/offline.h"
#include "ctl/replay_arguments.h"
#include "ctl/replay_events.h"
#include "ctl/replay_route.h"
#include "outlier/event_log.h"
#include "policy/policy_yaml.h"

static const char usage[] =
	"usage: meridianctl replay [--policy FILE]... [--config FILE] --host HOST[:PORT]\n"
	"                          --endpoints IP:PORT[+IP:PORT][@R[/Z[/S]]][=CLUSTER],...\n"
	"                          [--from R[/Z[/S]]] [--protocol http|tcp] [--until DURATION]\n"
	"                          [--seed N] [-o text|json]\n"
	"                          EVENTS.jsonl\n"
	"\n"
	"Feeds timed responses to the outlier detector, without agent, kernel or root, and prints\n"
	"the lines of Envoy's outlier event log, with t_ms in the place of the timestamp.\n"
	"\n"
	"  --policy     a file or folder; may be given several times\n"
	"  --config     the agent's configuration: its names and clusters, and what options do\n"
	"               not say of policy and of where the node is\n"
	"  --host       the Service: reviews (of namespace default), ns/reviews or its whole host\n"
	"               name; without a port, that of the first endpoint\n"
	"  --endpoints  all of the Service, with the locality of each; a pod with an IPv4 and an\n"
	"               IPv6 address is one: IP:PORT+IP:PORT. Without CLUSTER it is of the home\n"
	"               cluster\n"
	"  --from       where the node is\n"
	"  --protocol   http (the default), or tcp: a handshake is a success\n"
	"  --until      where the clock stops; without it, at the last event\n"
	"  --seed       what a jitter of ejections is drawn from (0): the same number, the same\n"
	"               times\n"
	"\n"
	"An event is {\"t_ms\":0,\"endpoint\":\"10.0.0.5:9080\",\"code\":503}, or has an event "
	"beside\n"
	"or instead of the code: connect-failed, reset, timeout, connected. - is standard input.\n"
	"\n"
	"Exit status: 0 good, 1 an input is broken, 2 wrong usage.\n";

/* All that is read; owned. */
struct replay {
	struct mrd_agent_config *config; /* the agent's, or one without a word */
	struct mrd_replay_arguments arguments;
	struct mrd_replay_events events;
	struct mrd_policy *policy;
	struct mrd_replay_route route;
	struct mrd_outlier *detector;
	uint64_t draws; /* of the generator that stands for chance */
};

static void replay_cleanup(struct replay *replay)
{
	mrd_agent_config_free(replay->config);
	mrd_replay_arguments_free(&replay->arguments);
	mrd_replay_events_free(&replay->events);
	mrd_policy_free(replay->policy);
	mrd_replay_route_free(&replay->route);
	mrd_outlier_free(replay->detector);
}

/* ------------------------------------------------------------------------------------- reading */

/* The home cluster's name, and where the node is, unless labels say otherwise. */
static int take_clusters(const struct mrd_agent_config *config,
			 struct mrd_replay_arguments *arguments)
{
	struct mrd_start *from = &arguments->from;
	struct mrd_locality_name at;
	struct mrd_model *model;
	int r = mrd_replay_arguments_name_home(arguments, config->clusters[config->home].name);

	if (r || *from->region)
		return r;
	r = mrd_config_model_new(config, &model);
	if (r)
		return r;
	mrd_config_locality(config, model, &at);
	mrd_model_free(model);
	snprintf(from->region, sizeof(from->region), "%s", at.region);
	snprintf(from->zone, sizeof(from->zone), "%s", at.zone);
	snprintf(from->subzone, sizeof(from->subzone), "%s", at.subzone);
	return 0;
}

/* What options do not say: names, policy, clusters, and where the node is. */
static int read_config(struct replay *replay, FILE *err)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_replay_arguments *arguments = &replay->arguments;
	int r;

	if (arguments->config) {
		r = mrd_agent_config_load(arguments->config, &diag, &replay->config);
		r = mrd_offline_conclude(r, &diag, err);
		if (r != MRD_EXIT_GOOD)
			return r;
	} else {
		replay->config = calloc(1, sizeof(*replay->config));
		if (!replay->config || mrd_config_set_defaults(replay->config))
			return mrd_ctl_no_memory(err);
	}
	if (arguments->config && take_clusters(replay->config, arguments))
		return mrd_ctl_no_memory(err);
	return mrd_replay_arguments_read_host(arguments, replay->config->cluster_domain, err);
}

/* Both are read, so that one run shows every mistake. */
static int read_inputs(struct replay *replay, FILE *err)
{
	const struct mrd_replay_arguments *arguments = &replay->arguments;
	const struct mrd_policy_names names = {
		.cluster_domain = replay->config->cluster_domain,
		.root_namespace = replay->config->root_namespace,
	};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const bool is_given = arguments->policy_count > 0;
	int r = mrd_policy_load(is_given ? arguments->policy
					 : (const char *const *)replay->config->policy,
				is_given ? arguments->policy_count : replay->config->policy_count,
				&names, &diag, &replay->policy);

	if (r != -ENOMEM)
		r = mrd_replay_events_read(arguments, &diag, &replay->events) ?: r;
	return mrd_offline_conclude(r, &diag, err);
}

static bool is_host(const struct replay *replay, size_t endpoint)
{
	for (size_t i = 0; i < replay->route.host_count; i++)
		if (replay->route.hosts[i].id == mrd_replay_host(endpoint))
			return true;
	return false;
}

static void warn_of_others(const struct replay *replay, FILE *err)
{
	for (size_t i = 0; i < replay->arguments.endpoint_count; i++) {
		const struct mrd_replay_endpoint *endpoint = &replay->arguments.endpoints[i];
		char text[MRD_IP_TEXT_MAX];

		if (!is_host(replay, i))
			fprintf(err,
				"warning: %s is not in the route: the detector does not hear of "
				"it\n",
				mrd_ip_port_format(&endpoint->ip, endpoint->port, text));
	}
}

/* Where nobody has said which cluster an endpoint is of, one that is elsewhere may be meant to be
 * of another. */
static void warn_of_clusters(const struct replay *replay, FILE *err)
{
	const struct mrd_replay_arguments *arguments = &replay->arguments;
	struct mrd_effective effective;
	bool is_elsewhere = false;

	mrd_policy_effective(replay->policy, arguments->namespace_, arguments->service,
			     arguments->port, &effective);
	for (size_t i = 0; i < arguments->endpoint_count; i++) {
		const char *region = arguments->endpoints[i].at.region;

		is_elsewhere |= *region && strcmp(region, arguments->from.region) != 0;
	}
	if (effective.cluster_local && is_elsewhere && arguments->cluster_count == 1)
		fprintf(err, "warning: the service is cluster-local, and all endpoints count as "
			     "the home cluster's: name another's IP:PORT@REGION=CLUSTER\n");
}

/* SplitMix64: of one seed, the same numbers in every run. */
static uint64_t draw(void *self)
{
	uint64_t number = *(uint64_t *)self += 0x9e3779b97f4a7c15;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}

static int make_detector(struct replay *replay)
{
	const struct mrd_replay_route *route = &replay->route;
	int r = mrd_outlier_new(&route->plan->ports[0].outlier, replay->arguments.is_http, 0,
				&replay->detector);

	if (r)
		return r;
	replay->draws = replay->arguments.seed;
	mrd_outlier_set_random(replay->detector, draw, &replay->draws);
	return mrd_outlier_set_hosts(replay->detector, route->hosts, route->host_count);
}

/* Why there is no detector; false: there is one. */
static bool tell_none(const struct replay *replay, FILE *err)
{
	const struct mrd_replay_arguments *arguments = &replay->arguments;
	const struct mrd_plan *plan = replay->route.plan;

	for (size_t i = 0; i < plan->left_out_count; i++)
		fprintf(err, "meridianctl: %s/%s: %s\n", arguments->namespace_, arguments->service,
			plan->left_out[i].why);
	if (plan->port_count && !plan->ports[0].has_outlier)
		fprintf(err, "meridianctl: no outlierDetection holds for %s/%s port %u\n",
			arguments->namespace_, arguments->service, arguments->port);
	return !plan->port_count || !plan->ports[0].has_outlier;
}

/* ------------------------------------------------------------------------------------- feeding */

/* The log that is being written. */
struct telling {
	const struct replay *replay;
	const char *cluster;
	uint64_t now_ms;
	struct mrd_strbuf *out;
};

static void tell(void *self, const struct mrd_outlier_verdict *verdict)
{
	const struct telling *telling = self;
	const struct mrd_replay_endpoint *endpoint =
		&telling->replay->arguments.endpoints[verdict->host - mrd_replay_host(0)];
	char upstream[MRD_IP_TEXT_MAX];

	mrd_event_log_add(
		&(struct mrd_event_log_line){
			.verdict = verdict,
			.cluster_name = telling->cluster,
			.upstream_url = mrd_ip_port_format(&endpoint->ip, endpoint->port, upstream),
			.t_ms = telling->now_ms,
		},
		telling->out);
}

/* The sweeps that are due before the time. */
static void sweep_before(struct mrd_outlier *detector, uint64_t time_ms, struct telling *telling)
{
	while (mrd_outlier_next_sweep(detector) < time_ms) {
		telling->now_ms = mrd_outlier_next_sweep(detector);
		mrd_outlier_sweep(detector, telling->now_ms, tell, telling);
	}
}

static void feed(struct replay *replay, struct telling *telling)
{
	const struct mrd_replay_arguments *arguments = &replay->arguments;
	const struct mrd_replay_events *events = &replay->events;
	uint64_t until_ms = events->count ? events->events[events->count - 1].t_ms : 0;

	if (arguments->has_until)
		until_ms = arguments->until_ms;
	for (size_t i = 0; i < events->count && events->events[i].t_ms <= until_ms; i++) {
		const struct mrd_replay_event *event = &events->events[i];

		sweep_before(replay->detector, event->t_ms, telling);
		telling->now_ms = event->t_ms;
		mrd_outlier_signal(replay->detector, mrd_replay_host(event->endpoint),
				   event->signal, event->code, event->t_ms, tell, telling);
	}
	sweep_before(replay->detector, until_ms + 1, telling);
}

/* ------------------------------------------------------------------------------------ printing */

/* Each line is a JSON document by itself. */
static void print_array(char *lines, FILE *out)
{
	const char *before = "[\n";

	for (char *line; (line = strsep(&lines, "\n")) && *line; before = ",\n")
		fprintf(out, "%s  %s", before, line);
	fputs(*before == '[' ? "[]\n" : "\n]\n", out);
}

static int run(struct replay *replay, FILE *out, FILE *err)
{
	const struct mrd_replay_arguments *arguments = &replay->arguments;
	MRD_AUTO_STRBUF struct mrd_strbuf cluster = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf lines = {0};
	int r;

	mrd_event_log_add_cluster(arguments->port, arguments->service, arguments->namespace_,
				  replay->config->cluster_domain, &cluster);
	r = cluster.failed ? -ENOMEM
			   : mrd_replay_route_make(arguments, replay->config, replay->policy,
						   &replay->route);
	if (r == -ENOMEM)
		return mrd_ctl_no_memory(err);
	if (r) {
		fprintf(err, "meridianctl: %s/%s cannot be planned: %s\n", arguments->namespace_,
			arguments->service, strerror(-r));
		return MRD_EXIT_BAD_NEWS;
	}
	if (!tell_none(replay, err)) {
		if (make_detector(replay))
			return mrd_ctl_no_memory(err);
		warn_of_clusters(replay, err);
		warn_of_others(replay, err);
		feed(replay,
		     &(struct telling){.replay = replay, .cluster = cluster.text, .out = &lines});
	}
	if (lines.failed)
		return mrd_ctl_no_memory(err);
	if (arguments->json)
		print_array(lines.text, out);
	else
		fputs(lines.text ? lines.text : "", out);
	return mrd_ctl_flush(out, err);
}

int mrd_ctl_replay(int argc, char **argv, FILE *out, FILE *err)
{
	MRD_CLEANUP(replay_cleanup) struct replay replay = {0};
	int status = mrd_replay_arguments_read(argc, argv, err, &replay.arguments);

	if (status == MRD_EXIT_GOOD && replay.arguments.help) {
		fputs(usage, out);
		return MRD_EXIT_GOOD;
	}
	if (status == MRD_EXIT_GOOD)
		status = read_config(&replay, err);
	if (status == MRD_EXIT_GOOD)
		status = read_inputs(&replay, err);
	return status == MRD_EXIT_GOOD ? run(&replay, out, err) : status;
}
