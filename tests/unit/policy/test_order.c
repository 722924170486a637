/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the order of documents and files must not matter, it does not: rules that say how old they
 * are, rules that no other one is merged with, and the mesh's documents among them.
 */
#include "policy/policy.h"

#include "tests/unit/policy/load_text.h"

#include "policy/policy_text.h"

enum { ROUNDS = 150, RULES_MAX = 12, DOCUMENTS_MAX = RULES_MAX + 2, FILES = 3 };

struct documents {
	char *texts[DOCUMENTS_MAX];
	size_t count;
};

static const char *one_of(const char *const *words, size_t count)
{
	return words[(size_t)rand() % count];
}
#define ONE_OF(words) one_of(words, sizeof(words) / sizeof(*(words)))

static void add_document(struct documents *documents, struct mrd_strbuf *text)
{
	documents->texts[documents->count] = mrd_strbuf_steal(text);
	assert_non_null(documents->texts[documents->count]);
	documents->count++;
}

/* Ages may be equal: then the name decides. */
static void add_rule(struct documents *documents, size_t index)
{
	static const char *const namespaces[] = {"default", "shop", "istio-system"};
	static const char *const hosts[] = {
		"web", "cart.shop.svc.cluster.local",	"'*.default.svc.cluster.local'",
		"'*'", "web.default.svc.cluster.local",
	};
	static const char *const exports[] = {"['*']", "[.]", "[default]", "[other, .]", "[]"};
	static const char *const policies[][2] = {
		{"outlierDetection: {consecutive5xxErrors: ", "}"},
		{"connectionPool: {http: {maxRetries: ", "}}"},
		{"loadBalancer: {localityLbSetting: {failover: [{from: r", ", to: s}]}}"},
		{"portLevelSettings: [{port: {number: 80}, outlierDetection: "
		 "{consecutive5xxErrors: ",
		 "}}]"},
	};
	const size_t policy = (size_t)rand() % 5; /* the last: none */
	struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text,
			"apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
			"metadata:\n  name: r%zu\n  namespace: %s\n"
			"  creationTimestamp: \"2026-01-0%dT00:00:00Z\"\n",
			index, ONE_OF(namespaces), 1 + rand() % 6);
	if (rand() % 4 == 0)
		mrd_strbuf_addf(&text, "  annotations: {meridian.dev/probation: %zus}\n",
				index + 1);
	mrd_strbuf_addf(&text, "spec:\n  host: %s\n  exportTo: %s\n  subsets: [{name: s%d}]\n",
			ONE_OF(hosts), ONE_OF(exports), rand() % 3);
	if (policy < 4)
		mrd_strbuf_addf(&text, "  trafficPolicy: {%s%zu%s}\n", policies[policy][0],
				index + 1, policies[policy][1]);
	add_document(documents, &text);
}

static void make_documents(struct documents *documents)
{
	const size_t rules = 1 + (size_t)rand() % RULES_MAX;
	struct mrd_strbuf text = {0};

	for (size_t i = 0; i < rules; i++)
		add_rule(documents, i);
	if (rand() % 2) {
		mrd_strbuf_addf(&text, "localityLbSetting: {failover: [{from: m, to: n}]}\n");
		add_document(documents, &text);
	}
	if (rand() % 2) {
		mrd_strbuf_addf(&text,
				"metadata: {annotations: {meridian.dev/probation: 99s}}\n"
				"defaultTrafficPolicy: {outlierDetection: {interval: 7s}}\n");
		add_document(documents, &text);
	}
}

static void shuffle(struct documents *documents)
{
	for (size_t i = documents->count; i > 1; i--) {
		const size_t k = (size_t)rand() % i;
		char *other = documents->texts[k];

		documents->texts[k] = documents->texts[i - 1];
		documents->texts[i - 1] = other;
	}
}

/* Places differ with the order; they stand in comments, behind which nothing else is. */
static void add_without_places(struct mrd_strbuf *all, const char *text)
{
	while (*text) {
		const size_t line = strcspn(text, "\n");
		const char *comment = memchr(text, '#', line);
		size_t len = comment ? (size_t)(comment - text) : line;

		mrd_strbuf_add(all, text, len);
		mrd_strbuf_add(all, "\n", 1);
		text += line + (text[line] == '\n');
	}
}

/* All that the policy says about some services, as text. */
static char *answers_of(const struct documents *documents)
{
	static const char *const services[][2] = {
		{"default", "web"}, {"default", "other"},    {"shop", "cart"},
		{"shop", "web"},    {"istio-system", "web"},
	};
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_strbuf files[FILES] = {{0}};
	const char *texts[FILES + 1] = {NULL};
	struct mrd_policy *policy = NULL;
	struct mrd_strbuf all = {0};

	for (size_t i = 0; i < documents->count; i++)
		mrd_strbuf_addf(&files[rand() % FILES], "---\n%s", documents->texts[i]);
	for (size_t i = 0; i < FILES; i++)
		texts[i] = files[i].text ? files[i].text : "";
	if (load_texts(texts, &diag, &policy) < 0)
		mrd_diag_print(&diag, stderr);
	assert_non_null(policy);
	mrd_strbuf_addf(&all, "%zu findings\n", diag.count);
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
		for (uint16_t port = 80; port < 82; port++) {
			MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
			struct mrd_effective effective;

			mrd_policy_effective(policy, services[i][0], services[i][1], port,
					     &effective);
			mrd_policy_text(policy, services[i][0], services[i][1],
					&(struct mrd_policy_ports){&port, 1, "", false}, &text);
			mrd_strbuf_addf(&all, "%s/%s:%u by %s\n", services[i][0], services[i][1],
					port, effective.rule);
			add_without_places(&all, text.text);
		}
	for (size_t i = 0; i < FILES; i++)
		mrd_strbuf_free(&files[i]);
	mrd_policy_free(policy);
	return mrd_strbuf_steal(&all);
}

static void the_order_of_documents_decides_nothing(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct documents documents = {0};
		char *first;
		char *second;

		srand(round);
		print_message("round %u\n", round);
		make_documents(&documents);
		first = answers_of(&documents);
		shuffle(&documents);
		second = answers_of(&documents);
		assert_string_equal(first, second);
		free(first);
		free(second);
		for (size_t i = 0; i < documents.count; i++)
			free(documents.texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_documents_decides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
