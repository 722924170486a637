/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What holds for a service, written out and read back: it makes the same plan, says the same again,
 * and is found fault with only where what it was made from was. Over random policies, with settings
 * of ports and subsets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "plan/plan_text.h"
#include "policy/policy_text.h"
#include "stage.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { SEEDS = 2000 };

static const uint16_t ports[] = {80, 7000};
/* The Service, of the seed. */
static enum mrd_traffic_distribution distribution;
static bool stays;
static const char world_text[] = "r1/z1:AAE r1/z2:AU r2/z1:AEE@1 r3/z3:A@1";

static bool chance(int one_in)
{
	return rand() % one_in == 0;
}

#define ANY_OF(words) ((words)[(size_t)rand() % COUNT(words)])

/* -------------------------------------------------------------------------------- random YAML */

static void add(struct mrd_strbuf *out, int one_in, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct mrd_strbuf *out, int one_in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (chance(one_in))
		mrd_strbuf_vaddf(out, format, args);
	va_end(args);
}

static void add_outlier(struct mrd_strbuf *out)
{
	static const char *const spans[] = {"1s", "250ms", "1m30s", "400s"};

	add(out, 1, "outlierDetection: {");
	add(out, 2, "consecutive5xxErrors: %d, ", rand() % 7);
	add(out, 3, "consecutiveGatewayErrors: %d, ", rand() % 7);
	add(out, 4, "splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: %d, ",
	    1 + rand() % 9);
	add(out, 3, "interval: %s, ", ANY_OF(spans));
	add(out, 3, "baseEjectionTime: %s, ", ANY_OF(spans));
	add(out, 3, "maxEjectionPercent: %d, ", 1 + rand() % 100);
	add(out, 3, "minHealthPercent: %d, ", rand() % 101);
	add(out, 5, "outlierDetectionHttpErrorCodes: [429, 503], ");
	add(out, 1, "}, ");
}

static void add_pool(struct mrd_strbuf *out)
{
	add(out, 1, "connectionPool: {http: {maxRequestsPerConnection: %d, ", rand() % 3);
	add(out, 4, "idleTimeout: 30s, ");
	add(out, 4, "maxRetries: 4, ");
	add(out, 1, "}, ");
	if (chance(2)) {
		add(out, 1, "tcp: {connectTimeout: 2s, ");
		add(out, 2, "maxConnections: %d, ", 1 + rand() % 9);
		add(out, 4, "idleTimeout: 5m, ");
		add(out, 3, "tcpKeepalive: {%s}, ", chance(2) ? "" : "probes: 3, time: 1m");
		add(out, 1, "}, ");
	}
	add(out, 1, "}, ");
}

#define BOTH(head) \
	(head      \
	 "distribute: [{from: r1/*, to: {r1: 90, r2/z1: 10}}], failover: [{from: r1, to: r3}]}, ")

static const char *const localities[] = {
	"localityLbSetting: {enabled: false}, ",
	"localityLbSetting: {failover: [{from: r1, to: r2}, {from: r2, to: r3}]}, ",
	"localityLbSetting: {failoverPriority: [topology.istio.io/network, 'app=b']}, ",
	"localityLbSetting: {distribute: [{from: r1/*, to: {r1: 90, r2/z1: 10}}]}, ",
	"localityLbSetting: {distribute: [{from: '*', to: {r1/z1: 60, r2: 30, '*': 10}}]}, ",
	"zoneAwareLbSetting: {minClusterSize: 2, failover: [{from: r1, to: r3}]}, ",
	"localityLbSetting: {enabled: false, failover: [{from: r1, to: r2}]}, ",
	BOTH("localityLbSetting: {"),
	BOTH("localityLbSetting: {enabled: false, "),
	"",
};

static void add_balancer(struct mrd_strbuf *out)
{
	static const char *const kinds[] = {
		"simple: ROUND_ROBIN, ",
		"simple: RANDOM, ",
		"simple: LEAST_REQUEST, ",
		"simple: PASSTHROUGH, ",
		"consistentHash: {useSourceIp: true}, ",
		"simple: ROUND_ROBIN, warmup: {duration: 30s, minimumPercent: 2.5}, ",
		"warmup: {duration: 1m, aggression: 2}, ",
		"",
	};

	add(out, 1, "loadBalancer: {%s%s}, ", ANY_OF(kinds), ANY_OF(localities));
}

/* One of them is there at least: blocks of nothing are an error. */
static void add_blocks(struct mrd_strbuf *out)
{
	enum { OUTLIER = 1, POOL = 2, BALANCER = 4, ALL = 7 };
	const int which = 1 + rand() % ALL;

	if (which & OUTLIER)
		add_outlier(out);
	if (which & POOL)
		add_pool(out);
	if (which & BALANCER)
		add_balancer(out);
}

static void add_traffic(struct mrd_strbuf *out)
{
	add(out, 1, "trafficPolicy: {");
	add_blocks(out);
	if (chance(2)) {
		add(out, 1, "portLevelSettings: [{port: {number: %d}, ", chance(4) ? 9 : 7000);
		add_blocks(out);
		add(out, 1, "}], ");
	}
	add(out, 1, "}");
}

static void add_annotations(struct mrd_strbuf *out)
{
	add(out, 1, "{");
	add(out, 2, "meridian.dev/fallback: %s, ", chance(4) ? "none" : "next-region");
	add(out, 4, "meridian.dev/overprovisioning-percent: '200', ");
	add(out, 4, "meridian.dev/unready: drop, ");
	add(out, 4, "meridian.dev/regions: strict, ");
	add(out, 4, "meridian.dev/warmup: 30s, ");
	add(out, 4, "meridian.dev/on-eject: reset, ");
	add(out, 4, "meridian.dev/syn-timeout: 75ms, ");
	add(out, 6, "meridian.dev/rescue: 'off', ");
	add(out, 4, "meridian.dev/ejection-cap: envoy, ");
	add(out, 4, "meridian.dev/probation: 20s, ");
	add(out, 4, "meridian.dev/max-ejection-time: %s, ", chance(2) ? "10m" : "40s");
	add(out, 4, "meridian.dev/max-ejection-time-jitter: 1s, ");
	add(out, 5, "meridian.dev/success-rate-stdev-factor: '1500', ");
	add(out, 5, "meridian.dev/failure-percentage-enforcing: '100', ");
	add(out, 1, "}");
}

static void add_mesh(struct mrd_strbuf *out)
{
	if (chance(3))
		return;
	add(out, 1, "{");
	if (chance(2)) {
		add(out, 1, "metadata: {annotations: ");
		add_annotations(out);
		add(out, 1, "}, ");
	}
	if (chance(2)) {
		add(out, 1, "defaultTrafficPolicy: {");
		add_outlier(out);
		add(out, 1, "}, ");
	}
	/* One of them: a document that says nothing is none. The last of the list is "". */
	add(out, 1, "%s}\n---\n", localities[(size_t)rand() % (COUNT(localities) - 1)]);
}

static void add_subsets(struct mrd_strbuf *out)
{
	static const char *const names[] = {"123", "on", "null", "0x1f", "1e3", "2001-01-01", "v1"};

	add(out, 1, "\n  subsets:\n");
	for (size_t i = (size_t)rand() % 3; i < COUNT(names); i += 2) {
		add(out, 1, "  - {name: '%s', labels: {version: '%s'}, ", names[i], names[i]);
		if (chance(2))
			add_traffic(out);
		add(out, 1, "}\n");
	}
}

/* Of one host: rules of another name are merged with it. */
static void add_rule(struct mrd_strbuf *out, const char *name, bool has_traffic, bool has_subsets)
{
	add(out, 1, "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n");
	add(out, 1, "metadata: {name: %s, annotations: ", name);
	add_annotations(out);
	add(out, 1, "}\nspec:\n  host: reviews\n  ");
	if (has_traffic)
		add_traffic(out);
	if (has_subsets)
		add_subsets(out);
}

static void add_rules(struct mrd_strbuf *out)
{
	const bool are_two = chance(5);

	add_rule(out, "r", !are_two || !chance(3), chance(3));
	if (!are_two)
		return;
	add(out, 1, "\n---\n");
	add_rule(out, "s", chance(2), !chance(4));
}

/* -------------------------------------------------------------------------------- the trip */

struct loaded {
	struct stage stage;
	size_t errors;
	size_t others; /* but for the notes of is_expected() */
	struct mrd_strbuf words;
};

/* That subsets have no effect; and that a list works without outlierDetection, which is no news of
 * the mesh's list, but is of a rule's. */
static bool is_expected(const struct mrd_finding *finding)
{
	return !strcmp(finding->field, "spec.subsets") ||
	       strstr(finding->reason, "Istio would ignore it without outlierDetection");
}

static void load(const char *text, struct loaded *loaded)
{
	static const struct mrd_policy_names names = {"cluster.local", "istio-system"};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	char path[] = "/tmp/mrd-test-trip-XXXXXX.yaml";
	const char *const paths[] = {path};
	const int fd = mkstemps(path, (int)strlen(".yaml"));

	*loaded = (struct loaded){0};
	stage_init(&loaded->stage, NULL);
	mrd_policy_free(loaded->stage.policy);
	loaded->stage.policy = NULL;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	mrd_policy_load(paths, 1, &names, &diag, &loaded->stage.policy);
	unlink(path);
	loaded->errors = diag.errors;
	for (size_t i = 0; i < diag.count; i++) {
		loaded->others += !is_expected(&diag.findings[i]);
		mrd_strbuf_addf(&loaded->words, "%u:%u: %s: %s\n", diag.findings[i].line,
				diag.findings[i].column, diag.findings[i].field,
				diag.findings[i].reason);
	}
}

static void unload(struct loaded *loaded)
{
	mrd_strbuf_free(&loaded->words);
	stage_free(&loaded->stage);
}

/* Without what stands behind "#": places, and where a setting came from. */
static void drop_comments(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '#') {
			while (to > text && to[-1] == ' ')
				to--;
			from += strcspn(from, "\n");
			if (to > text && to[-1] == '\n')
				continue;
		}
		*to++ = *from;
	}
	*to = '\0';
}

static char *text_of(const struct loaded *loaded)
{
	const struct mrd_policy_ports service_ports = {
		.numbers = ports,
		.count = COUNT(ports),
		.distribution = mrd_distribution_name(distribution),
		.stays = stays,
	};
	struct mrd_strbuf text = {0};

	mrd_policy_text(loaded->stage.policy, "default", "reviews", &service_ports, &text);
	return mrd_strbuf_steal(&text);
}

/* Both ports, without the lines that name rules and places. */
static char *plan_of(const struct loaded *loaded)
{
	struct world *world = world_new(world_text);
	const struct mrd_plan_ejections ejections = {.is_ejected = world_is_ejected, .self = world};
	struct mrd_view_port both[COUNT(ports)];
	struct mrd_strbuf text = {0};
	struct mrd_plan *plan;

	for (size_t i = 0; i < COUNT(ports); i++) {
		both[i] = world->port;
		both[i].number = ports[i];
	}
	world->view.traffic_distribution = distribution;
	world->view.internal_local = stays;
	world->view.ports = both;
	world->view.port_count = COUNT(ports);
	assert_int_equal(mrd_plan_make(&world->view, loaded->stage.model, loaded->stage.policy,
				       &loaded->stage.node, &ejections, &plan),
			 0);
	for (size_t i = 0; i < plan->port_count; i++) {
		mrd_strbuf_addf(&text, "%zu %d\n", i, plan->ports[i].has_outlier);
		for (size_t k = 0; k < plan->ports[i].hop_count; k++)
			mrd_strbuf_addf(&text, "%zu %u %s/%s %.9f\n", i,
					plan->ports[i].hops[k].priority,
					plan->ports[i].hops[k].region, plan->ports[i].hops[k].zone,
					plan->ports[i].hops[k].share);
	}
	mrd_plan_free(plan);
	world_free(world);
	return mrd_strbuf_steal(&text);
}

/* How many policies nobody found fault with, and how many cannot be read: both lists, and nothing
 * that reconciles them. */
static unsigned int clean;
static unsigned int refused;

static void compare(const char *yaml, const struct loaded *source)
{
	struct loaded again;
	char *text = text_of(source);
	char *text_again;
	char *plan;
	char *plan_again;

	load(text, &again);
	if (again.errors || (!source->others && again.others))
		fail_msg("found only in what was written out:\n%s%s\n%s", again.words.text, yaml,
			 text);
	text_again = text_of(&again);
	plan = plan_of(source);
	plan_again = plan_of(&again);
	drop_comments(text);
	drop_comments(text_again);
	assert_string_equal(text, text_again);
	assert_string_equal(plan, plan_again);
	free(text);
	free(text_again);
	free(plan);
	free(plan_again);
	unload(&again);
}

static void check_trip(const char *yaml)
{
	struct loaded source;

	load(yaml, &source);
	if (source.errors)
		refused++;
	else
		compare(yaml, &source);
	clean += !source.others;
	unload(&source);
}

static void test_round_trip(void **state)
{
	const char *one = getenv("MRD_SEED");

	(void)state;
	for (unsigned int seed = 0; seed < SEEDS; seed++) {
		struct mrd_strbuf yaml MRD_AUTO_STRBUF = {0};

		mrd_strbuf_add(&yaml, "", 0);
		srand(one ? (unsigned int)strtoul(one, NULL, 10) : seed);
		distribution = chance(4) ? MRD_DISTRIBUTION_SAME_ZONE : MRD_DISTRIBUTION_NONE;
		stays = chance(6);
		add_mesh(&yaml);
		if (!chance(8))
			add_rules(&yaml);
		print_message("seed %u\n", seed);
		assert_false(yaml.failed);
		check_trip(yaml.text);
		if (one)
			return;
	}
	print_message("without a finding: %u, refused: %u\n", clean, refused);
	assert_true(clean > SEEDS / 20);
	assert_true(refused < SEEDS / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
