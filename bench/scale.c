/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How the agent's own work grows: COUNT services of ten endpoints in four clusters, and 1,000
 * rules. No kernel: rows end in a writer that counts them, so what is timed is model, policy, plan,
 * diff and detector.
 *
 * Usage: scale SERVICES CHANGES FOLDER
 * Writes the rules to FOLDER/rules.yaml. Prints "name value" a line:
 *   full_ms      all services from a filled model to their rows, written for the first time
 *   rss_mb       resident memory behind that, the model included
 *   change_us    one slice put into the model → its service's rows written; a line each
 * and per cent of a core that 10,000 errors a second cost, each of which ejects:
 *   events_core  in the detector, up to its verdict
 *   planned_core from there on, until the services' new plans are in rows
 *   returns_core un-ejected at a sweep, and planned again
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/engine.h"
#include "base/clock.h"
#include "base/doc.h"
#include "base/log.h"
#include "policy/policy_yaml.h"
#include "source/object_doc.h"

enum {
	CLUSTERS = 4,
	RULES = 1000,
	NAMESPACES = 100,
	ENDPOINTS = 10,
	EVENTS = 100000,
	EVENTS_PER_S = 10000,
	TEXT_ROOM = 4096,
	US_PER_MS = 1000,
};

static const char *const regions[CLUSTERS] = {"cn-hangzhou", "cn-shanghai", "cn-beijing",
					      "cn-shenzhen"};
static const unsigned int sizes[CLUSTERS] = {4, 2, 2, 2};

struct scale {
	unsigned int services;
	struct mrd_model *model;
	struct mrd_policy *policy;
	struct mrd_engine *engine;
	size_t cluster; /* whose object is being read */
	uint64_t written;
	uint64_t ahead_ns; /* of the clock: time that passes at a stroke */
	uint32_t *endpoint_ids;
	uint32_t *service_ids;
	size_t endpoint_count;
};

static struct scale scale;

static void must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "scale: %s: %s\n", what, strerror(-result));
		exit(1);
	}
}

static uint64_t now_ns(void)
{
	return mrd_clock_ns() + scale.ahead_ns;
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------------------------- objects */

static int put_object(void *self, struct mrd_meta *object, const struct mrd_place *at)
{
	(void)self, (void)at;
	return mrd_model_put(scale.model, scale.cluster, object);
}

static void put_text(size_t cluster, const char *text)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_doc_file *file = NULL;

	scale.cluster = cluster;
	must(mrd_doc_parse("scale", text, strlen(text), &diag, &file), "parse");
	must(mrd_object_read(mrd_doc_root(file, 0), "scale", &diag, put_object, NULL), "object");
	mrd_doc_free(file);
}

static void put_service(unsigned int number)
{
	char text[TEXT_ROOM];

	snprintf(
		text, sizeof(text),
		"{apiVersion: v1, kind: Service, metadata: {name: svc-%u, namespace: ns-%u}, spec: "
		"{clusterIP: 172.%u.%u.%u, ports: [{name: http, port: 80, protocol: TCP}]}}",
		number, number % NAMESPACES, 16 + number / 65536, number / 256 % 256, number % 256);
	put_text(0, text);
}

/* The last endpoint is ready or not: two versions of the slice. */
static void put_slice(unsigned int number, size_t cluster, bool whole)
{
	char text[TEXT_ROOM];
	size_t at = (size_t)snprintf(
		text, sizeof(text),
		"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: svc-%u-a, "
		"namespace: ns-%u, labels: {kubernetes.io/service-name: svc-%u}}, addressType: "
		"IPv4, ports: [{name: http, port: 9080, protocol: TCP}], endpoints: [",
		number, number % NAMESPACES, number);

	for (unsigned int i = 0; i < sizes[cluster]; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "%s{addresses: [%u.%u.%u.%u], conditions: {ready: %s}, "
				       "zone: %s-%c}",
				       i ? ", " : "", 20 + (unsigned int)cluster, number / 256,
				       number % 256, i + 1,
				       whole || i + 1 < sizes[cluster] ? "true" : "false",
				       regions[cluster], 'a' + (char)(i % 2));
	snprintf(text + at, sizeof(text) - at, "]}");
	put_text(cluster, text);
}

static void make_model(void)
{
	struct mrd_model_cluster clusters[CLUSTERS] = {0};

	for (size_t i = 0; i < CLUSTERS; i++)
		clusters[i] = (struct mrd_model_cluster){
			.name = regions[i],
			.region = regions[i],
			.network = "",
		};
	must(mrd_model_new(clusters, CLUSTERS, 0, "", &scale.model), "model");
	for (unsigned int i = 0; i < scale.services; i++) {
		put_service(i);
		for (size_t cluster = 0; cluster < CLUSTERS; cluster++)
			put_slice(i, cluster, true);
	}
}

static void make_policy(const char *folder)
{
	static const struct mrd_policy_names names = {"cluster.local", "istio-system"};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	char path[TEXT_ROOM];
	const char *const paths[] = {path};
	FILE *file;

	snprintf(path, sizeof(path), "%s/rules.yaml", folder);
	file = fopen(path, "w");
	must(file ? 0 : -errno, path);
	for (unsigned int i = 0; i < RULES; i++)
		fprintf(file,
			"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
			"metadata: { name: svc-%u, namespace: ns-%u }\nspec:\n  host: svc-%u\n"
			"  trafficPolicy:\n    outlierDetection: { consecutive5xxErrors: 1, "
			"interval: "
			"1s, baseEjectionTime: 1s, maxEjectionPercent: 100 }\n    loadBalancer:\n"
			"      localityLbSetting:\n        failover: [ { from: cn-hangzhou, to: "
			"cn-shanghai } ]\n",
			i, i % NAMESPACES, i);
	must(fclose(file) ? -errno : 0, path);
	must(mrd_policy_load(paths, 1, &names, &diag, &scale.policy), "policy");
}

/* ----------------------------------------------------------------------------------- engine */

/* Endpoints of services that have a rule are remembered, for events. */
static int put_row(void *self, enum mrd_map map, const void *key, const void *value,
		   int create_only)
{
	(void)self, (void)create_only;
	scale.written++;
	if (map == MRD_MAP_HEALTH && scale.endpoint_count < (size_t)RULES * ENDPOINTS) {
		scale.endpoint_ids[scale.endpoint_count] = *(const uint32_t *)key;
		scale.service_ids[scale.endpoint_count++] =
			((const struct mrd_health *)value)->service_id;
	}
	return 0;
}

static int delete_row(void *self, enum mrd_map map, const void *key, uint32_t service_id)
{
	(void)self, (void)map, (void)key, (void)service_id;
	scale.written++;
	return 0;
}

static void run_rounds(void)
{
	while (mrd_engine_round(scale.engine, UINT64_MAX))
		;
}

static void make_engine(void)
{
	static const struct mrd_plan_node node = {
		.name = "node-a",
		.region = "cn-hangzhou",
		.zone = "cn-hangzhou-a",
		.subzone = "",
	};
	const struct mrd_engine_config config = {
		.writer = {.put = put_row, .del = delete_row},
		.now_ns = now_ns,
		.event_fd = -1,
	};
	const struct mrd_engine_input input = {
		.model = scale.model,
		.policy = scale.policy,
		.node = &node,
		.cluster_domain = "cluster.local",
	};

	scale.endpoint_ids = calloc((size_t)RULES * ENDPOINTS, sizeof(*scale.endpoint_ids));
	scale.service_ids = calloc((size_t)RULES * ENDPOINTS, sizeof(*scale.service_ids));
	must(scale.endpoint_ids && scale.service_ids ? 0 : -ENOMEM, "memory");
	must(mrd_engine_new(&config, &scale.engine), "engine");
	mrd_engine_set_input(scale.engine, &input);
}

/* ---------------------------------------------------------------------------------- figures */

static double resident_mb(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[TEXT_ROOM];
	double kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtod(line + 6, NULL);
	if (file)
		fclose(file);
	return kib * 1024 / 1e6;
}

static void time_full_plan(void)
{
	const uint64_t start_ns = mrd_clock_ns();

	run_rounds();
	printf("full_ms %.3f\n", (double)(mrd_clock_ns() - start_ns) / MRD_NS_PER_MS);
	printf("rss_mb %.1f\n", resident_mb());
}

static void time_changes(unsigned int changes)
{
	for (unsigned int i = 0; i < changes; i++) {
		/* A prime's multiples: far apart, and all over the table. */
		const unsigned int number = (unsigned int)((uint64_t)i / 2 * 7919 % scale.services);
		const uint64_t before = scale.written;
		uint64_t start_ns;

		start_ns = mrd_clock_ns();
		put_slice(number, 0, i % 2 != 0);
		run_rounds();
		printf("change_us %.2f\n",
		       (double)(mrd_clock_ns() - start_ns) * US_PER_MS / MRD_NS_PER_MS);
		must(scale.written > before ? 0 : -ENODATA, "a change without a row");
	}
}

static void send_errors(size_t first, size_t count)
{
	for (size_t i = first; i < first + count && i < scale.endpoint_count; i++) {
		const struct mrd_event event = {
			.kind = MRD_EVENT_RESPONSE,
			.service_id = scale.service_ids[i],
			.endpoint_id = scale.endpoint_ids[i],
			.status = 503,
			.time_ns = now_ns(),
		};

		mrd_engine_event(scale.engine, &event);
	}
}

static double since(double *start_s)
{
	const double now_s = cpu_s();
	const double spent_s = now_s - *start_s;

	*start_s = now_s;
	return spent_s;
}

/* Ten endpoints of a hundred services a batch, as a drained ring buffer would bring them; two
 * seconds pass between batches, so that all are back. */
static void time_events(void)
{
	const double percent = 100.0 * EVENTS_PER_S / EVENTS;
	const size_t batch = ENDPOINTS * 100;
	double detected_s = 0;
	double planned_s = 0;
	double returned_s = 0;
	size_t ejected = 0;

	for (size_t done = 0; done < EVENTS; done += batch) {
		double start_s = cpu_s();
		struct mrd_engine_status status;

		send_errors(done % scale.endpoint_count, batch);
		detected_s += since(&start_s);
		run_rounds();
		planned_s += since(&start_s);
		mrd_engine_get_status(scale.engine, &status);
		ejected += status.ejected;
		scale.ahead_ns += 2000ULL * MRD_NS_PER_MS;
		start_s = cpu_s();
		mrd_engine_tick(scale.engine);
		run_rounds();
		returned_s += since(&start_s);
	}
	must(ejected * 2 > EVENTS ? 0 : -ENODATA, "events that eject nothing");
	printf("events_core %.3f\n", detected_s * percent);
	printf("planned_core %.3f\n", planned_s * percent);
	printf("returns_core %.3f\n", returned_s * percent);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: scale SERVICES CHANGES FOLDER\n");
		return 2;
	}
	mrd_log_set(MRD_LOG_ERROR, false);
	scale.services = (unsigned int)strtoul(argv[1], NULL, 10);
	if (scale.services < RULES || scale.services > 65536) {
		fprintf(stderr, "scale: SERVICES must be %d to 65536\n", RULES);
		return 2;
	}
	make_policy(argv[3]);
	make_model();
	make_engine();
	time_full_plan();
	time_changes((unsigned int)strtoul(argv[2], NULL, 10));
	time_events();
	mrd_engine_free(scale.engine);
	mrd_model_free(scale.model);
	mrd_policy_free(scale.policy);
	free(scale.endpoint_ids);
	free(scale.service_ids);
	return 0;
}
