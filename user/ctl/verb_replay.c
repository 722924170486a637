/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The clock of a replay starts at 0 with the detector, so sweeps come at multiples of the rule's
 * interval; events of the time of a sweep come before it. Everything is read and checked before the
 * first event is fed: wrong input prints nothing on out.
 */
#include "ctl/verb_replay.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/duration.h"
#include "base/strbuf.h"
#include "ctl/options.h"
#include "ctl/replay_events.h"
#include "ctl/replay_world.h"
#include "outlier/event_log.h"
#include "policy/policy_yaml.h"

#define CLUSTER_DOMAIN "cluster.local"
#define ROOT_NAMESPACE "istio-system"

enum { PORT_MAX = 65535, DECIMAL = 10 };

static const char usage[] =
	"usage: meridianctl replay [--policy FILE]... --host HOST\n"
	"                          --endpoints IP:PORT[@R[/Z[/S]]],... [--from R[/Z[/S]]]\n"
	"                          [--protocol http|tcp] [--until TIME] [-o text|json] EVENTS\n"
	"\n"
	"Feeds timed responses to the outlier detector and prints Envoy's event log, offline.\n"
	"\n"
	"  --policy     a file or folder; may be given several times\n"
	"  --host       whose rule holds: NAME (namespace default), NAMESPACE/NAME, or the host,\n"
	"               each with :PORT if it is not the first endpoint's\n"
	"  --endpoints  all endpoints of the service; may be given several times\n"
	"  --from       where the node is, which decides what is in the route\n"
	"  --protocol   what the port speaks (http)\n"
	"  --until      where the clock stops: 5m (the last event's time)\n"
	"\n"
	"EVENTS (- is standard input) has one JSON object a line:\n"
	"  {\"t_ms\": 0, \"endpoint\": \"10.0.0.5:9080\", \"code\": 503}\n"
	"  {\"t_ms\": 5, \"endpoint\": \"10.0.0.5:9080\", \"event\": \"connect-failed\"}\n"
	"Other events are reset, timeout and connected; one may carry a code.\n"
	"\n"
	"Exit status: 0 good, 1 an input is broken, 2 wrong usage.\n";

struct replay {
	const char **policy; /* of the command line */
	size_t policy_count;
	char *host; /* owned, as are the two in it */
	struct mrd_replay_service service;
	struct mrd_replay_endpoint *endpoints; /* owned */
	char region[MRD_NAME_LEN];
	char zone[MRD_NAME_LEN];
	char subzone[MRD_NAME_LEN];
	bool has_until;
	uint64_t until_ms;
	bool json;
	bool help;
	const char *file;
	struct mrd_replay_events events;
	struct mrd_policy *rules;
	struct mrd_outlier *detector;
	struct mrd_strbuf cluster; /* Istio's name of it */
	struct mrd_strbuf text;	   /* what will be printed */
	uint64_t now_ms;
};

static void replay_cleanup(struct replay *replay)
{
	free(replay->policy);
	free(replay->host);
	free(replay->endpoints);
	mrd_replay_events_free(&replay->events);
	mrd_policy_free(replay->rules);
	mrd_outlier_free(replay->detector);
	mrd_strbuf_free(&replay->cluster);
	mrd_strbuf_free(&replay->text);
}

/* ------------------------------------------------------------------------------ command line */

static int add_policy(struct replay *replay, const char *path, FILE *err)
{
	const char **policy =
		reallocarray(replay->policy, replay->policy_count + 1, sizeof(*policy));

	if (!policy)
		return mrd_ctl_no_memory(err);
	policy[replay->policy_count++] = path;
	replay->policy = policy;
	return MRD_EXIT_GOOD;
}

static bool is_known(const struct replay *replay, const struct mrd_replay_endpoint *endpoint)
{
	for (size_t i = 0; i < replay->service.endpoint_count; i++)
		if (!strcmp(replay->endpoints[i].url, endpoint->url))
			return true;
	return false;
}

static int add_endpoint(struct replay *replay, const char *text, FILE *err)
{
	const size_t count = replay->service.endpoint_count;
	struct mrd_replay_endpoint endpoint;
	struct mrd_replay_endpoint *endpoints;

	if (mrd_replay_endpoint_parse(text, &endpoint) < 0)
		return mrd_ctl_usage(
			err, "--endpoints takes IP:PORT[@REGION[/ZONE[/SUBZONE]]], not", text);
	if (is_known(replay, &endpoint))
		return mrd_ctl_usage(err, "--endpoints names twice", endpoint.url);
	if (count && replay->endpoints[0].ip.version != endpoint.ip.version)
		return mrd_ctl_usage(err, "endpoints of one IP family are replayed, not also",
				     endpoint.url);
	endpoints = reallocarray(replay->endpoints, count + 1, sizeof(*endpoints));
	if (!endpoints)
		return mrd_ctl_no_memory(err);
	endpoints[replay->service.endpoint_count++] = endpoint;
	replay->endpoints = endpoints;
	replay->service.endpoints = endpoints;
	return MRD_EXIT_GOOD;
}

static int add_endpoints(struct replay *replay, const char *list, FILE *err)
{
	MRD_AUTO_FREE char *copy = strdup(list);
	char *rest = copy;
	char *word;
	int status = MRD_EXIT_GOOD;

	if (!copy)
		return mrd_ctl_no_memory(err);
	while (status == MRD_EXIT_GOOD && (word = strsep(&rest, ",")))
		status = add_endpoint(replay, word, err);
	return status;
}

/* Cuts a tail off, if the text has it. */
static void cut_tail(char *text, const char *tail)
{
	const size_t len = strlen(text);
	const size_t tail_len = strlen(tail);

	if (len > tail_len && !strcmp(text + len - tail_len, tail))
		text[len - tail_len] = '\0';
}

static bool split_port(char *host, uint16_t *ret_port)
{
	char *colon = strrchr(host, ':');
	unsigned long port;
	char *end;

	if (!colon)
		return true;
	port = strtoul(colon + 1, &end, DECIMAL);
	if (colon[1] < '0' || colon[1] > '9' || *end || !port || port > PORT_MAX)
		return false;
	*colon = '\0';
	*ret_port = (uint16_t)port;
	return true;
}

/* NAME, NAME.NAMESPACE[.svc[.DOMAIN]] or NAMESPACE/NAME, with or without :PORT. */
static bool split_host(struct replay *replay)
{
	struct mrd_replay_service *service = &replay->service;
	char *slash;
	char *dot;

	if (!split_port(replay->host, &service->port))
		return false;
	service->namespace_ = "default";
	service->name = replay->host;
	slash = strchr(replay->host, '/');
	if (slash) {
		*slash = '\0';
		service->namespace_ = replay->host;
		service->name = slash + 1;
	} else {
		cut_tail(replay->host, ".svc." CLUSTER_DOMAIN);
		cut_tail(replay->host, ".svc");
		dot = strchr(replay->host, '.');
		if (dot) {
			*dot = '\0';
			service->namespace_ = dot + 1;
		}
	}
	return *service->name && *service->namespace_ && !strpbrk(service->name, "./*") &&
	       !strpbrk(service->namespace_, "./*");
}

static int set_host(struct replay *replay, const char *text, FILE *err)
{
	free(replay->host);
	replay->host = strdup(text);
	if (!replay->host)
		return mrd_ctl_no_memory(err);
	if (!split_host(replay))
		return mrd_ctl_usage(err,
				     "--host takes NAME, NAMESPACE/NAME or "
				     "NAME.NAMESPACE.svc." CLUSTER_DOMAIN
				     ", each with or without :PORT, not",
				     text);
	return MRD_EXIT_GOOD;
}

static int set_words(struct replay *replay, int option, const char *text, FILE *err)
{
	switch (option) {
	case 'f':
		if (mrd_replay_locality_parse(text, replay->region, replay->zone, replay->subzone) <
		    0)
			return mrd_ctl_usage(err, "--from takes REGION[/ZONE[/SUBZONE]], not",
					     text);
		break;
	case 'r':
		replay->service.is_http = !strcmp(text, "http");
		if (!replay->service.is_http && strcmp(text, "tcp") != 0)
			return mrd_ctl_usage(err, "--protocol takes http or tcp, not", text);
		break;
	case 'u':
		replay->has_until = true;
		if (mrd_duration_parse(text, &replay->until_ms) < 0)
			return mrd_ctl_usage(err, "--until takes a time such as 5m or 1500ms, not",
					     text);
		break;
	case 'o':
		replay->json = !strcmp(text, "json");
		if (!replay->json && strcmp(text, "text") != 0)
			return mrd_ctl_usage(err, "-o takes text or json, not", text);
		break;
	}
	return MRD_EXIT_GOOD;
}

static int set_option(struct replay *replay, int option, const char *text, char *word, FILE *err)
{
	switch (option) {
	case 'p':
		return add_policy(replay, text, err);
	case 'h':
		return set_host(replay, text, err);
	case 'e':
		return add_endpoints(replay, text, err);
	case 'H':
		replay->help = true;
		return MRD_EXIT_GOOD;
	case ':':
		return mrd_ctl_usage(err, "a value is missing after", word);
	case '?':
		return mrd_ctl_usage(err, "unknown option", word);
	default:
		return set_words(replay, option, text, err);
	}
}

static int check_options(struct replay *replay, int argc, char **argv, FILE *err)
{
	if (!replay->host)
		return mrd_ctl_usage(err, "--host is missing", NULL);
	if (!replay->service.endpoint_count)
		return mrd_ctl_usage(err, "--endpoints is missing", NULL);
	if (optind >= argc)
		return mrd_ctl_usage(err, "a file of events is missing (- is standard input)",
				     NULL);
	if (optind + 1 < argc)
		return mrd_ctl_usage(err, "unexpected argument", argv[optind + 1]);
	replay->file = argv[optind];
	if (!replay->service.port)
		replay->service.port = replay->endpoints[0].port;
	return MRD_EXIT_GOOD;
}

static int read_options(struct replay *replay, int argc, char **argv, FILE *err)
{
	static const struct option options[] = {
		{"policy", required_argument, NULL, 'p'},
		{"host", required_argument, NULL, 'h'},
		{"endpoints", required_argument, NULL, 'e'},
		{"from", required_argument, NULL, 'f'},
		{"protocol", required_argument, NULL, 'r'},
		{"until", required_argument, NULL, 'u'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'H'},
		{NULL, 0, NULL, 0},
	};
	int status = MRD_EXIT_GOOD;
	int option;

	optind = 0; /* once more from the start, and with operands anywhere */
	opterr = 0;
	while (status == MRD_EXIT_GOOD && !replay->help &&
	       (option = getopt_long(argc, argv, ":o:h", options, NULL)) != -1)
		status = set_option(replay, option == 'h' && !optarg ? 'H' : option, optarg,
				    argv[optind - 1], err);
	if (status != MRD_EXIT_GOOD || replay->help)
		return status;
	return check_options(replay, argc, argv, err);
}

/* ------------------------------------------------------------------------------------ inputs */

static int conclude(int result, struct mrd_diag *diag, FILE *err)
{
	mrd_diag_sort(diag);
	mrd_diag_print(diag, err);
	if (result && !diag->errors)
		fprintf(err, "meridianctl: %s\n", strerror(-result));
	return result || diag->errors ? MRD_EXIT_BAD_NEWS : MRD_EXIT_GOOD;
}

static int read_policy(struct replay *replay, FILE *err)
{
	static const struct mrd_policy_names names = {CLUSTER_DOMAIN, ROOT_NAMESPACE};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const int r = mrd_policy_load(replay->policy, replay->policy_count, &names, &diag,
				      &replay->rules);

	return conclude(r, &diag, err);
}

static int read_events(struct replay *replay, FILE *err)
{
	const bool is_input = !strcmp(replay->file, "-");
	const char *name = is_input ? "<stdin>" : replay->file;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	FILE *in = is_input ? stdin : fopen(replay->file, "re");
	const struct mrd_place place = {.file = name};
	int r = in ? 0 : -errno;

	if (in)
		r = mrd_replay_events_read(in, name, &replay->service, &diag, &replay->events);
	if (in && !is_input)
		fclose(in);
	if (r && r != -ENOMEM)
		mrd_diag_add(&diag, MRD_ERROR, &place, "", "cannot be read: %s", strerror(-r));
	return conclude(r, &diag, err);
}

static int make_detector(struct replay *replay, const struct mrd_outlier_rule *rule)
{
	const struct mrd_plan_node node = {
		.name = "",
		.region = replay->region,
		.zone = replay->zone,
		.subzone = replay->subzone,
	};
	MRD_AUTO_FREE struct mrd_outlier_host *hosts = NULL;
	int r = mrd_replay_hosts(&replay->service, replay->rules, &node, &hosts);

	r = r ?: mrd_outlier_new(rule, replay->service.is_http, 0, &replay->detector);
	return r ?: mrd_outlier_set_hosts(replay->detector, hosts, replay->service.endpoint_count);
}

/* ------------------------------------------------------------------------------------- clock */

static void on_verdict(void *self, const struct mrd_outlier_verdict *verdict)
{
	struct replay *replay = self;
	const struct mrd_event_log_line line = {
		.verdict = verdict,
		.cluster_name = replay->cluster.text,
		.upstream_url = replay->endpoints[verdict->host - 1].url,
		.t_ms = replay->now_ms,
	};
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	mrd_event_log_add(&line, &text);
	if (text.failed)
		replay->text.failed = true;
	if (!text.len)
		return; /* a detection that the cap has stopped */
	if (replay->json && replay->text.len)
		mrd_strbuf_addf(&replay->text, ",");
	mrd_strbuf_add(&replay->text, text.text,
		       text.len - replay->json); /* without its line feed */
}

/* All sweeps up to a time, or before it. */
static void sweep(struct replay *replay, uint64_t until_ms, bool inclusive)
{
	uint64_t next_ms;

	while ((next_ms = mrd_outlier_next_sweep(replay->detector)) < until_ms ||
	       (inclusive && next_ms == until_ms)) {
		replay->now_ms = next_ms;
		mrd_outlier_sweep(replay->detector, next_ms, on_verdict, replay);
	}
}

static void run(struct replay *replay)
{
	const struct mrd_replay_events *events = &replay->events;
	uint64_t until_ms = replay->until_ms;

	if (!replay->has_until)
		until_ms = events->count ? events->items[events->count - 1].t_ms : 0;
	for (size_t i = 0; i < events->count && events->items[i].t_ms <= until_ms; i++) {
		const struct mrd_replay_event *event = &events->items[i];

		sweep(replay, event->t_ms, false);
		replay->now_ms = event->t_ms;
		mrd_outlier_signal(replay->detector, event->endpoint + 1, event->signal,
				   event->code, event->t_ms, on_verdict, replay);
	}
	sweep(replay, until_ms, true);
}

static int print(const struct replay *replay, FILE *out, FILE *err)
{
	if (replay->text.failed || replay->cluster.failed)
		return mrd_ctl_no_memory(err);
	if (replay->json)
		fprintf(out, "[%s]\n", replay->text.text ? replay->text.text : "");
	else
		fputs(replay->text.text ? replay->text.text : "", out);
	return mrd_ctl_flush(out, err);
}

int mrd_ctl_replay(int argc, char **argv, FILE *out, FILE *err)
{
	MRD_CLEANUP(replay_cleanup) struct replay replay = {.service.is_http = true};
	struct mrd_effective effective;
	int status = read_options(&replay, argc, argv, err);
	int r;

	if (status != MRD_EXIT_GOOD)
		return status;
	if (replay.help) {
		fputs(usage, out);
		return MRD_EXIT_GOOD;
	}
	/* Both are read, so that both are told about. */
	status = read_policy(&replay, err);
	if (read_events(&replay, err) != MRD_EXIT_GOOD || status != MRD_EXIT_GOOD)
		return MRD_EXIT_BAD_NEWS;
	mrd_policy_effective(replay.rules, replay.service.namespace_, replay.service.name,
			     replay.service.port, &effective);
	if (!effective.outlier) {
		fprintf(err, "meridianctl: no outlierDetection holds for %s/%s port %u\n",
			replay.service.namespace_, replay.service.name, replay.service.port);
		return print(&replay, out, err);
	}
	mrd_strbuf_addf(&replay.cluster, "outbound|%u||%s.%s.svc.%s", replay.service.port,
			replay.service.name, replay.service.namespace_, CLUSTER_DOMAIN);
	r = make_detector(&replay, effective.outlier);
	if (r) {
		fprintf(err, "meridianctl: %s\n", strerror(-r));
		return MRD_EXIT_BAD_NEWS;
	}
	run(&replay);
	return print(&replay, out, err);
}
