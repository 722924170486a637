/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which of several rules holds, what their parts do to each other, and their places. */
#include "policy/policy.h"

#include "tests/unit/policy/rows.h"

#define OBJECT(namespace_, name)               \
	"---\n"                                \
	"apiVersion: networking.istio.io/v1\n" \
	"kind: DestinationRule\n"              \
	"metadata: {name: " name ", namespace: " namespace_ "}\n"

static struct mrd_effective effective_at(const struct mrd_policy *policy, const char *namespace_,
					 const char *service, uint16_t port)
{
	struct mrd_effective got;

	mrd_policy_effective(policy, namespace_, service, port, &got);
	return got;
}

struct exported {
	const char *namespace_;
	const char *name;
	const char *host;
	const char *to;
};

static char *text_of(const struct exported *rules, size_t count)
{
	struct mrd_strbuf text = {0};

	for (size_t i = 0; i < count; i++)
		mrd_strbuf_addf(&text,
				"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				"metadata: {name: %s, namespace: %s}\n"
				"spec: {host: '%s', exportTo: %s}\n",
				rules[i].name, rules[i].namespace_, rules[i].host, rules[i].to);
	return mrd_strbuf_steal(&text);
}

/*
 * Istio's table of visibility, without its clients: the hook that chooses an endpoint knows the
 * service and not who asks. So a service's own namespace is asked for all clients, then the root
 * namespace; in Istio the client's namespace comes before both. istio is what Istio answers to the
 * row's client; why says what makes a difference.
 */
static void test_export_to(void **state)
{
	static const char any[] = "*.svc.cluster.local";
	const struct exported rules[] = {
		{"test1", "one", any, "[., ns1]"},
		{"test2", "two", any, "[test2, ns1, test1, newns]"},
		{"test4", "four", any, "[test4]"},
		{"istio-system", "root", any, "['*']"},
		{"istio-system", "local", any, "[.]"},
		{"istio-system", "org", "*.istio-system.svc.cluster.local", "[.]"},
		{"istio-system", "narrow", "*.test8.svc.cluster.local", "[test9]"},
		{"istio-system", "private", "*.test10.svc.cluster.local", "[.]"},
		{"istio-system", "named", "*.test9.svc.cluster.local", "[test9]"},
		/* The table's host of K14 has no root rule, so that these come last. */
		{"test5", "five", "api.test7.svc.cluster.local", "[istio-system]"},
		{"test6", "six", "api.test7.svc.cluster.local", "[istio-system]"},
	};
	static const struct {
		const char *id;
		const char *client;
		const char *service_namespace;
		const char *istio;
		const char *want;
		const char *why;
		size_t first_rule;
	} cases[] = {
		{"K1", "test1", "test1", "test1/one", "test1/one", "", 0},
		{"K3", "test2", "test1", "test2/two", "test1/one", "a client's own rules", 0},
		{"K4", "newns", "test2", "test2/two", "test2/two", "", 0},
		{"K6", "test5", "test4", "istio-system/root", "test4/four",
		 "the service's own rule, whatever its exportTo", 0},
		{"K7", "ns1", "test1", "test1/one", "test1/one", "", 0},
		{"K9", "random", "random", "istio-system/root", "istio-system/root", "", 0},
		{"K11", "istio-system", "random", "istio-system/local", "istio-system/root",
		 "a client's own rules", 0},
		{"K12", "istio-system", "istio-system", "istio-system/org", "istio-system/org", "",
		 0},
		{"K14", "istio-system", "test7", "", "", "", 9},
		{"behind one that is for others", "test8", "test8", "", "", "", 0},
		{"behind the root namespace's own", "test10", "test10", "istio-system/root",
		 "istio-system/root", "", 0},
		{"exported by name", "test9", "test9", "istio-system/named", "istio-system/named",
		 "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const size_t first = cases[i].first_rule;
		char *text = text_of(rules + first, sizeof(rules) / sizeof(*rules) - first);
		struct mrd_policy *policy = policy_of(text);

		print_message("%s: client %s, service %s\n", cases[i].id, cases[i].client,
			      cases[i].service_namespace);
		assert_string_equal(
			effective_at(policy, cases[i].service_namespace, "api", 80).rule,
			cases[i].want);
		assert_int_equal(!*cases[i].why, !strcmp(cases[i].want, cases[i].istio));
		mrd_policy_free(policy);
		free(text);
	}
}

/* "name:interval name:interval": the subsets that hold, in order. */
static char *subsets_of(const struct mrd_policy *policy, const char *service, uint16_t port)
{
	struct mrd_strbuf text = {0};
	struct mrd_subset subset;
	size_t count = 0;

	mrd_strbuf_addf(&text, "%s", "");
	for (; !mrd_policy_subset(policy, "default", service, port, count, &subset); count++)
		mrd_strbuf_addf(&text, "%s%s", count ? " " : "", subset.name);
	assert_int_equal(count, mrd_policy_subset_count(policy, "default", service));
	return mrd_strbuf_steal(&text);
}

static void test_merging(void **state)
{
#define SUBSETS(a, b)	      "subsets: [{name: " a "}, {name: " b "}]"
#define RULE_OF(name, inside) OBJECT("default", name) "spec: {host: reviews, " inside "}\n"
#define DATED(name, created, n)                                            \
	"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: " name ", creationTimestamp: " created "}\n"     \
	"spec: {host: reviews, subsets: [{name: s" n "}], " TRAFFIC(n) "}\n"
#define ITEM(name, created, n)                                            \
	"- apiVersion: networking.istio.io/v1\n  kind: DestinationRule\n" \
	"  metadata: {name: " name ", creationTimestamp: " created "}\n"  \
	"  spec: {host: reviews, subsets: [{name: s" n "}], " TRAFFIC(n) "}\n"
#define TRAFFIC(n) "trafficPolicy: {outlierDetection: {consecutive5xxErrors: " n "}}"
	static const struct {
		const char *id;
		const char *text;
		const char *rule;
		const char *subsets;
		uint32_t errors; /* 0: no outlierDetection */
	} cases[] = {
		{
			.id = "B1: one host, namespace and exportTo",
			.text = RULE_OF("a", SUBSETS("s1", "s2")) RULE_OF("b", SUBSETS("s3", "s4")),
			.rule = "default/a",
			.subsets = "s1 s2 s3 s4",
		},
		{
			.id = "B1: the same exportTo, in other words",
			.text = RULE_OF("a", SUBSETS("s1", "s2") ", exportTo: [x, .]")
				RULE_OF("b", SUBSETS("s3", "s4") ", exportTo: [default, x]"),
			.rule = "default/a",
			.subsets = "s1 s2 s3 s4",
		},
		{
			.id = "B2: another exportTo is kept apart, and all clients come first",
			.text = RULE_OF("a", SUBSETS("s1", "s2") ", exportTo: [x]")
				RULE_OF("b", SUBSETS("s3", "s4") ", exportTo: [.]")
					RULE_OF("c", SUBSETS("s5", "s6")),
			.rule = "default/c",
			.subsets = "s5 s6",
		},
		{
			.id = "B2: then the own namespace",
			.text = RULE_OF("a", SUBSETS("s1", "s2") ", exportTo: [x]")
				RULE_OF("b", SUBSETS("s3", "s4") ", exportTo: [., y]"),
			.rule = "default/b",
			.subsets = "s3 s4",
		},
		{
			.id = "of those that name the own namespace the first, however many others",
			.text = RULE_OF("a", SUBSETS("s1", "s2") ", exportTo: [default]") RULE_OF(
				"b", SUBSETS("s3", "s4") ", exportTo: [default, other, third]"),
			.rule = "default/a",
			.subsets = "s1 s2",
		},
		{
			.id = "some clients of the own namespace come last",
			.text = RULE_OF("a", "workloadSelector: {matchLabels: {a: b}}, " TRAFFIC(
						     "1")) RULE_OF("b", TRAFFIC("2")),
			.rule = "default/b",
			.subsets = "",
			.errors = 2,
		},
		{
			.id = "the first trafficPolicy, and all subsets",
			.text = RULE_OF("a", SUBSETS("s1", "s2"))
				RULE_OF("b", SUBSETS("s3", "s1") ", " TRAFFIC("7"))
					RULE_OF("c", SUBSETS("s2", "s4") ", " TRAFFIC("8")),
			.rule = "default/b",
			.subsets = "s1 s2 s3 s4",
			.errors = 7,
		},
		{
			.id = "the oldest first, wherever it stands",
			.text = DATED("a-new", "'2026-02-01T00:00:00Z'", "1")
				DATED("m-newer", "2026-02-01T00:00:01Z", "2")
					DATED("z-old", "2025-12-31T23:59:59Z", "3"),
			.rule = "default/z-old",
			.subsets = "s3 s1 s2",
			.errors = 3,
		},
		{
			.id = "the oldest by the clock, not by the text",
			.text = DATED("a-new", "2026-02-01T00:00:00Z", "1")
				DATED("z-old", "2026-02-01T07:59:59+08:00", "2")
					DATED("b-last", "2026-01-31T23:00:00-05:00", "3"),
			.rule = "default/z-old",
			.subsets = "s2 s1 s3",
			.errors = 2,
		},
		{
			.id = "an age that is none is not known",
			.text = DATED("b", "yesterday", "1")
				DATED("a", "2026-02-01T00:00:00Z", "2"),
			.rule = "default/a",
			.subsets = "s2 s1",
			.errors = 2,
		},
		{
			.id = "of one age by name",
			.text = DATED("b", "2026-02-01T00:00:00Z", "1")
				DATED("a", "2026-02-01T00:00:00Z", "2"),
			.rule = "default/a",
			.subsets = "s2 s1",
			.errors = 2,
		},
		{
			.id = "without an age in order of appearance, behind those with one",
			.text = DATED("c", "null", "1") DATED("b", "''", "2")
				DATED("d", "2026-02-01T00:00:00Z", "3"),
			.rule = "default/d",
			.subsets = "s3 s1 s2",
			.errors = 3,
		},
		{
			.id = "a dump of a cluster is sorted by name",
			.text = "apiVersion: v1\nkind: List\nitems:\n" ITEM(
				"a-new", "2026-01-01T00:00:00Z", "1")
				ITEM("z-old", "2025-01-01T00:00:00Z", "2"),
			.rule = "default/z-old",
			.subsets = "s2 s1",
			.errors = 2,
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mrd_policy *policy = policy_of(cases[i].text);
		const struct mrd_effective got = effective_at(policy, "default", "reviews", 80);
		char *subsets = subsets_of(policy, "reviews", 80);

		print_message("%s\n", cases[i].id);
		assert_string_equal(got.rule, cases[i].rule);
		assert_string_equal(subsets, cases[i].subsets);
		assert_int_equal(got.outlier ? got.outlier->consecutive_5xx : 0, cases[i].errors);
		free(subsets);
		mrd_policy_free(policy);
	}
}

/* Names of several rules against the rule as it is written down: each name once, the first counts.
 */
static void test_random_subsets(void **state)
{
	enum { ROUNDS = 50, RULES = 4, NAMES = 12 };

	(void)state;
	srand(17);
	for (size_t round = 0; round < ROUNDS; round++) {
		MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
		MRD_AUTO_STRBUF struct mrd_strbuf want = {0};
		const char *texts[] = {NULL, NULL};
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		struct mrd_policy *policy = NULL;
		bool held[NAMES] = {false};
		size_t repeated = 0;
		size_t told = 0;
		char *got;

		mrd_strbuf_addf(&want, "%s", "");
		for (size_t i = 0; i < RULES; i++) {
			mrd_strbuf_addf(&text, OBJECT("default", "r") "spec:\n  host: reviews\n"
								      "  subsets:\n");
			for (size_t k = 0; k < NAMES; k++) {
				const size_t name = (k * 5 + round) % NAMES;

				if (rand() % 2)
					continue;
				mrd_strbuf_addf(&text, "  - {name: s%zu}\n", name);
				repeated += held[name];
				if (!held[name])
					mrd_strbuf_addf(&want, "%ss%zu", want.len ? " " : "", name);
				held[name] = true;
			}
		}
		texts[0] = text.text;
		assert_int_equal(load_texts(texts, &diag, &policy), 0);
		for (size_t i = 0; i < diag.count; i++)
			told += strstr(diag.findings[i].reason, "already") != NULL;
		got = subsets_of(policy, "reviews", 80);
		print_message("round %zu: %zu repeated\n", round, repeated);
		assert_string_equal(got, want.text);
		assert_int_equal(told, repeated);
		free(got);
		mrd_policy_free(policy);
	}
}

static void test_merging_findings(void **state)
{
	static const struct row rows[] = {
		{
			.id = "what the later rule says in vain",
			.text = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				"metadata: {name: a}\n"
				"spec: {host: reviews, subsets: [{name: v1}], trafficPolicy: "
				"{outlierDetection: {}}}\n",
			.second = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				  "metadata: {name: b, annotations: {meridian.dev/regions: "
				  "strict}}\n"
				  "spec: {host: reviews, subsets: [{name: v1}], trafficPolicy: "
				  "{outlierDetection: {}}}"
				  "\n",
			.want = "warning a:4:23 spec.subsets\n"
				"warning b:4:14 spec.host\n"
				"warning b:4:14 spec.host\n"
				"warning b:4:23 spec.subsets\n"
				"warning b:4:33 spec.subsets[0]\n",
			.says = "\"v1\" is at ",
		},
		{
			.id = "a dot at the end makes no other host",
			.text = OBJECT("default", "a") "spec: {host: reviews, trafficPolicy: "
						       "{outlierDetection: {}}}\n",
			.second = OBJECT("default",
					 "b") "spec: {host: reviews.default.svc.cluster.local., "
					      "trafficPolicy: "
					      "{outlierDetection: {}}}\n",
			.want = "warning b:5:14 spec.host\n",
			.says = "trafficPolicy has no effect: default/a",
		},
		{
			.id = "a full name of the root namespace is one with a dot at its end, too",
			.text = OBJECT("istio-system",
				       "a") "spec: {host: reviews.default.svc.cluster.local.}\n",
			.want = "",
		},
		{
			.id = "the newer one says it in vain, though it stands first, and says "
			      "where",
			.text = "apiVersion: v1\nkind: List\nitems:\n" ITEM(
				"a", "2026-01-01T00:00:00Z", "1")
				ITEM("z", "2025-01-01T00:00:00Z", "1"),
			.want = "warning a:7:16 items[0].spec.host\n"
				"warning a:7:25 items[0].spec.subsets\n"
				"warning a:7:35 items[0].spec.subsets[0]\n"
				"warning a:11:25 items[1].spec.subsets\n",
			.says = "default/z",
		},
		{
			.id = "B2: of two that are kept apart one holds",
			.text = OBJECT("default", "a") "spec: {host: reviews, exportTo: [x]}\n",
			.second = OBJECT("default", "b") "spec: {host: reviews}\n",
			.want = "warning a:5:33 spec.exportTo\n"
				"warning b:5:14 spec.host\n",
			.says = "instead of default/a",
		},
		{
			.id = "B2: and the other does not",
			.text = OBJECT("default", "a") "spec: {host: reviews}\n",
			.second = OBJECT("default", "b") "spec: {host: reviews, exportTo: [x]}\n",
			.want = "warning b:5:14 spec.host\n"
				"warning b:5:33 spec.exportTo\n",
			.says = "no effect: default/a",
		},
		{
			.id = "a root rule that is not exported to whom it is for",
			.text = OBJECT("istio-system", "a") "spec: {host: "
							    "'*.shop.svc.cluster.local', "
							    "exportTo: [., x]}\n",
			.want = "warning a:5:52 spec.exportTo\n",
			.says = "no effect: the rule is not exported to shop",
		},
		{
			.id = "one that is, and one for many",
			.text = OBJECT("istio-system", "a") "spec: {host: "
							    "'*.shop.svc.cluster.local', "
							    "exportTo: [x, shop]}\n",
			.second = OBJECT("istio-system", "b") "spec: {host: "
							      "'*.svc.cluster.local', "
							      "exportTo: [x]}\n",
			.want = "",
		},
		{
			.id = "an address is no host of a rule",
			.text = OBJECT("default", "a") "spec: {host: 10.0.0.1}\n",
			.second = OBJECT("default", "b") "spec: {host: '2a00:4000::614'}\n",
			.want = "error a:5:14 spec.host\n"
				"error b:5:14 spec.host\n",
			.says = "is an address: name the Service",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* A row's answer: outlierDetection's threshold, the pool's retries and requests, the balancer. */
struct answer {
	uint32_t errors;
	uint32_t retries;
	uint32_t requests;
	enum mrd_lb lb;
};

static struct answer answer_of(const struct mrd_effective *effective)
{
	return (struct answer){
		.errors = effective->outlier ? effective->outlier->consecutive_5xx : 0,
		.retries = effective->pool->max_retries,
		.requests = effective->pool->http2_max_requests,
		.lb = effective->lb,
	};
}

static void check_answer(const struct mrd_effective *effective, const struct answer *want)
{
	const struct answer got = answer_of(effective);

	assert_int_equal(got.errors, want->errors);
	assert_int_equal(got.retries, want->retries);
	assert_int_equal(got.requests, want->requests);
	assert_int_equal(got.lb, want->lb);
}

#define ERRORS(n)   "outlierDetection: {consecutive5xxErrors: " n "}"
#define RETRIES	    "connectionPool: {http: {maxRetries: 10}}"
#define REQUESTS    "connectionPool: {http: {http2MaxRequests: 1000}}"
#define RANDOM	    "loadBalancer: {simple: RANDOM}"
#define PORT(n, of) "portLevelSettings: [{port: {number: " n "}, " of "}]"
#define BASE_MESH                                                                            \
	"defaultTrafficPolicy: {connectionPool: {http: {maxRetries: 3}}, outlierDetection: " \
	"{consecutive5xxErrors: 99}}\n"

static void test_blocks(void **state)
{
	static const struct {
		const char *id;
		const char *mesh;
		const char *traffic;
		const char *subset; /* its trafficPolicy's inside; NULL: asked for the rule */
		uint16_t port;
		struct answer want;
	} cases[] = {
		{
			.id = "a port's settings",
			.traffic = ERRORS("20") ", " PORT("8080", ERRORS("15")),
			.port = 8080,
			.want = {.errors = 15},
		},
		{
			.id = "of other ports no word",
			.traffic = ERRORS("20") ", " PORT("8080", ERRORS("15")),
			.port = 80,
			.want = {.errors = 20},
		},
		{
			.id = "a port's omitted blocks are not the parent's",
			.traffic = ERRORS("20") ", " RETRIES ", " PORT("8080", RANDOM),
			.port = 8080,
			.want = {.lb = MRD_LB_RANDOM},
		},
		{
			.id = "but the mesh's baseline",
			.mesh = BASE_MESH,
			.traffic = ERRORS("20") ", " RETRIES ", " PORT("8080", RANDOM),
			.port = 8080,
			.want = {.errors = 99, .retries = 3, .lb = MRD_LB_RANDOM},
		},
		{
			.id = "a rule inherits from the mesh block by block, each whole",
			.mesh = BASE_MESH,
			.traffic = REQUESTS,
			.want = {.errors = 99, .requests = 1000},
		},
		{
			.id = "the mesh alone",
			.mesh = BASE_MESH,
			.traffic = "tls: {}",
			.want = {.errors = 99, .retries = 3},
		},
		{
			.id = "B3: other blocks of the rule stand beside the subset's",
			.traffic = ERRORS("20") ", tls: {mode: MUTUAL, credentialName: c}",
			.subset = RETRIES,
			.want = {.errors = 20, .retries = 10},
		},
		{
			.id = "B6: a subset's port stands alone",
			.traffic = ERRORS("20") ", " RANDOM ", " RETRIES
						", " PORT("8080", ERRORS("15")),
			.subset = PORT("8080", ERRORS("13")),
			.port = 8080,
			.want = {.errors = 13},
		},
		{
			.id = "B6: on another port the subset says nothing",
			.traffic = ERRORS("20") ", " RANDOM ", " PORT("8080", ERRORS("15")),
			.subset = PORT("8081", ERRORS("13")),
			.port = 8080,
			.want = {.errors = 15},
		},
		{
			.id = "B8: whole blocks",
			.traffic = RETRIES,
			.subset = REQUESTS,
			.want = {.requests = 1000},
		},
		{
			.id = "a subset over the rule's port",
			.traffic = ERRORS("20") ", " RETRIES ", " PORT("8080", ERRORS("15")),
			.subset = RANDOM,
			.port = 8080,
			.want = {.errors = 15, .lb = MRD_LB_RANDOM},
		},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[1024];
		struct mrd_policy *policy;
		struct mrd_subset subset;
		struct mrd_effective got;

		snprintf(text, sizeof(text),
			 "%s" OBJECT("default", "r") "spec: {host: reviews, trafficPolicy: {%s}, "
						     "subsets: [{name: v1, trafficPolicy: {%s}}]}",
			 cases[i].mesh ? cases[i].mesh : "", cases[i].traffic,
			 cases[i].subset ? cases[i].subset : "tls: {}");
		print_message("%s\n", cases[i].id);
		policy = policy_of(text);
		assert_int_equal(
			mrd_policy_subset(policy, "default", "reviews", cases[i].port, 0, &subset),
			0);
		got = cases[i].subset ? subset.effective
				      : effective_at(policy, "default", "reviews", cases[i].port);
		check_answer(&got, &cases[i].want);
		assert_int_equal(
			mrd_policy_subset(policy, "default", "reviews", cases[i].port, 1, &subset),
			-ENOENT);
		mrd_policy_free(policy);
	}
}

static void test_subset(void **state)
{
	struct mrd_policy *policy =
		policy_of(RULE_OF("r", "subsets: [{name: v1, labels: {version: v1, 'a/b': c}}]"));
	struct mrd_subset subset;

	(void)state;
	assert_int_equal(mrd_policy_subset(policy, "default", "reviews", 80, 0, &subset), 0);
	assert_string_equal(subset.name, "v1");
	assert_string_equal(strrchr(subset.place, '/'), "/a.yaml:5:40");
	assert_int_equal(subset.label_count, 2);
	assert_string_equal(subset.labels[1].key, "a/b");
	assert_string_equal(subset.labels[1].value, "c");
	assert_int_equal(mrd_policy_subset(policy, "default", "other", 80, 0, &subset), -ENOENT);
	assert_int_equal(mrd_policy_subset_count(policy, "default", "other"), 0);
	mrd_policy_free(policy);
}

/* Where each block comes from, for whoever asks why. */
static void test_places(void **state)
{
	static const char text[] =
		"localityLbSetting: {distribute: [{from: a, to: {b: 100}}]}\n"
		"defaultTrafficPolicy:\n"
		"  outlierDetection: {}\n"
		"  connectionPool: {tcp: {}}\n" OBJECT(
			"default", "r") "spec:\n"
					"  host: reviews\n"
					"  trafficPolicy:\n"
					"    loadBalancer:\n"
					"      zoneAwareLbSetting: {enabled: true}\n"
					"    portLevelSettings:\n"
					"    - port: {number: 81}\n"
					"      outlierDetection: {}\n";
	static const struct {
		const char *service;
		uint16_t port;
		const char *rule, *outlier, *locality, *pool, *lb;
		enum mrd_origin origin;
		enum mrd_locality_mode mode;
		bool zone_aware;
	} cases[] = {
		{"reviews", 80, "10:9", "3:3", "13:7", "4:3", "12:5", MRD_ORIGIN_RULE,
		 MRD_LOCALITY_FAILOVER, true},
		{"reviews", 81, "10:9", "16:7", "1:1", "4:3", "", MRD_ORIGIN_MESH,
		 MRD_LOCALITY_DISTRIBUTE, false},
		{"other", 80, "", "3:3", "1:1", "4:3", "", MRD_ORIGIN_MESH, MRD_LOCALITY_DISTRIBUTE,
		 false},
	};
	struct mrd_policy *policy = policy_of(text);
	struct mrd_policy *empty = policy_of("");
	struct mrd_effective got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *want[] = {cases[i].rule, cases[i].outlier, cases[i].locality,
				      cases[i].pool, cases[i].lb};

		got = effective_at(policy, "default", cases[i].service, cases[i].port);
		const char *is[] = {got.rule_place, got.outlier_place, got.locality_place,
				    got.pool_place, got.lb_place};
		for (size_t j = 0; j < sizeof(want) / sizeof(*want); j++) {
			print_message("%s:%u place %zu\n", cases[i].service, cases[i].port, j);
			assert_string_equal(*want[j] ? strchr(is[j], ':') + 1 : is[j], want[j]);
		}
		assert_int_equal(got.locality_origin, cases[i].origin);
		assert_int_equal(got.locality_mode, cases[i].mode);
		assert_int_equal(got.locality->zone_aware, cases[i].zone_aware);
	}
	got = effective_at(empty, "default", "reviews", 80);
	assert_string_equal(got.outlier_place, "");
	assert_string_equal(got.locality_place, "");
	assert_string_equal(got.pool_place, "");
	assert_ptr_equal(got.pool, &mrd_pool_defaults);
	assert_int_equal(got.locality_origin, MRD_ORIGIN_NONE);
	mrd_policy_free(empty);
	mrd_policy_free(policy);
}

static void test_parts(void **state)
{
#define NAMED(inside)                                                 \
	"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n" \
	"metadata: {name: r, namespace: shop}\nspec: {host: cart, " inside "}\n"
	static const struct row rows[] = {
		{
			.id = "exportTo: own, by both its names",
			.text = NAMED("exportTo: [., shop]"),
			.want = "error a:4:34 spec.exportTo[1]\n",
			.says = "own namespace",
		},
		{
			.id = "exportTo: no namespaces",
			.text = NAMED("exportTo: [~, '~', Shop, a.b, 5, ns1]"),
			.want = "error a:4:31 spec.exportTo[0]\n"
				"error a:4:34 spec.exportTo[1]\n"
				"error a:4:39 spec.exportTo[2]\n"
				"error a:4:45 spec.exportTo[3]\n"
				"error a:4:50 spec.exportTo[4]\n",
		},
		{.id = "exportTo: nobody is everybody", .text = NAMED("exportTo: []"), .want = ""},
		{
			.id = "workloadSelector",
			.text = NAMED("workloadSelector: {matchLabels: {a: b}}, exportTo: [.]"),
			.want = "warning a:4:20 spec.workloadSelector\n"
				"warning a:4:71 spec.exportTo\n",
			.says = "all clients",
		},
		{
			.id = "workloadSelector beyond the own namespace",
			.text = NAMED("workloadSelector: {matchLabels: {a: b}}, exportTo: [other]"),
			.want = "warning a:4:20 spec.workloadSelector\n"
				"error a:4:71 spec.exportTo\n",
		},
		{
			.id = "subsets: names",
			.text = NAMED("subsets: [{name: V1}, {name: v1}, {name: v1}, {name: a_b}, "
				      "{name: ''}, {name: -a}]"),
			.want = "warning a:4:20 spec.subsets\n"
				"error a:4:37 spec.subsets[0].name\n"
				"error a:4:61 spec.subsets[2].name\n"
				"error a:4:73 spec.subsets[3].name\n"
				"error a:4:86 spec.subsets[4].name\n"
				"error a:4:98 spec.subsets[5].name\n",
			.says = "\"v1\" is there twice, first at ",
		},
		{
			.id = "subsets: two without a name are two that are empty",
			.text = NAMED("subsets: [{name: ''}, {name: \"\"}]"),
			.want = "warning a:4:20 spec.subsets\n"
				"error a:4:37 spec.subsets[0].name\n"
				"error a:4:49 spec.subsets[1].name\n",
			.says = "must not be empty",
		},
		{
			.id = "ports: twice, as Istio takes it, and without a number",
			.text = NAMED("trafficPolicy: {portLevelSettings: [\n"
				      "{port: {number: 80}, outlierDetection: {}},\n"
				      "{port: {number: 81}, outlierDetection: {}},\n"
				      "{port: {number: '80'}, outlierDetection: {}},\n"
				      "{port: {}, outlierDetection: {}},\n"
				      "{outlierDetection: {}},\n"
				      "{port: {number: 65536}, outlierDetection: {}}]}"),
			.want = "warning a:7:17 "
				"spec.trafficPolicy.portLevelSettings[2].port.number\n"
				"error a:8:8 spec.trafficPolicy.portLevelSettings[3].port.number\n"
				"error a:9:1 spec.trafficPolicy.portLevelSettings[4].port\n"
				"error a:10:17 "
				"spec.trafficPolicy.portLevelSettings[5].port.number\n",
			.says = "no effect: port 80 is at ",
		},
		{
			.id = "V8: for a port alone",
			.text = NAMED("trafficPolicy: {outlierDetection: {}, portLevelSettings: "
				      "[{port: {number: 80}, loadBalancer: {localityLbSetting: "
				      "{failoverPriority: [a=b]}}}]}"),
			.want = "warning a:4:152 spec.trafficPolicy.portLevelSettings[0]."
				"loadBalancer.localityLbSetting.failoverPriority\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export_to),      cmocka_unit_test(test_merging),
		cmocka_unit_test(test_random_subsets), cmocka_unit_test(test_merging_findings),
		cmocka_unit_test(test_blocks),	       cmocka_unit_test(test_subset),
		cmocka_unit_test(test_places),	       cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
