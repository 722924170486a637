/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What conversations do not show: requests in full, credentials, counters, and bounds. */
#include "tests/unit/kube/talk.h"

#define URL "/apis/discovery.k8s.io/v1/endpointslices"

static const struct mrd_reflector_config slices = {
	.group = "discovery.k8s.io",
	.versions = "v1",
	.resource = "endpointslices",
	.kind = "EndpointSlice",
	.label_selector = "!service.kubernetes.io/headless,a in (b, c)",
};

static struct mrd_reflector_request ask_whole(struct mrd_reflector *reflector, uint64_t *now_ns)
{
	struct mrd_reflector_request request;

	*now_ns = mrd_reflector_due_ns(reflector);
	assert_true(mrd_reflector_request(reflector, *now_ns, &request));
	return request;
}

static const char *ask(struct mrd_reflector *reflector, uint64_t *now_ns)
{
	return ask_whole(reflector, now_ns).path;
}

static int feed(struct mrd_reflector *reflector, const char *text, uint64_t now_ns)
{
	return mrd_reflector_on_body(reflector, text, strlen(text), now_ns);
}

/* One request and its answer, whole. */
static void answer(struct mrd_reflector *reflector, unsigned int status, const char *body,
		   uint64_t *now_ns)
{
	ask(reflector, now_ns);
	mrd_reflector_on_head(reflector, status, "application/json", 0, *now_ns);
	feed(reflector, body, *now_ns);
	mrd_reflector_on_end(reflector, "", *now_ns);
}

static struct mrd_reflector_status status_of(const struct mrd_reflector *reflector)
{
	struct mrd_reflector_status status;

	mrd_reflector_get_status(reflector, &status);
	return status;
}

/* text begins with head, then there are seconds of a watch, then comes tail. */
static void check_request(const char *text, const char *head, const char *tail)
{
	char *end;
	unsigned long seconds;

	print_message("%s\n", text);
	assert_int_equal(strncmp(text, head, strlen(head)), 0);
	seconds = strtoul(text + strlen(head), &end, 10);
	assert_in_range(seconds, 300, 600);
	assert_string_equal(end, tail);
}

#define SELECTOR "&labelSelector=%21service.kubernetes.io%2Fheadless%2Ca%20in%20%28b%2C%20c%29"

static void requests_in_full(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 1;
	struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);

	(void)state;
	check_request(ask(reflector, &now_ns),
		      URL "?watch=1&allowWatchBookmarks=true&timeoutSeconds=",
		      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan" SELECTOR);
	mrd_reflector_on_head(reflector, 422, "", 0, now_ns);
	mrd_reflector_on_end(reflector, "", now_ns);
	assert_string_equal(ask(reflector, &now_ns), URL "?limit=500" SELECTOR);
	mrd_reflector_on_head(reflector, 200, "", 0, now_ns);
	feed(reflector, LIST(VERSION("1") TOKEN("x y"), ITEM("a")), now_ns);
	mrd_reflector_on_end(reflector, "", now_ns);
	assert_string_equal(ask(reflector, &now_ns), URL "?limit=500&continue=x%20y" SELECTOR);
	mrd_reflector_on_head(reflector, 200, "application/json; charset=utf-8", 0, now_ns);
	feed(reflector, LIST(VERSION("1"), ""), now_ns);
	mrd_reflector_on_end(reflector, "", now_ns);
	check_request(ask(reflector, &now_ns),
		      URL "?watch=1&allowWatchBookmarks=true&timeoutSeconds=",
		      "&resourceVersion=1" SELECTOR);
	assert_string_equal(calls.text, "begin put EndpointSlice:a end ");
	mrd_reflector_free(reflector);
}

/* The time that a watch asks for lies anywhere between 5 and 10 minutes. */
static void watches_do_not_end_together(void **state)
{
	unsigned long least = 600;
	unsigned long most = 300;

	(void)state;
	for (uint32_t seed = 0; seed < 500; seed++) {
		struct mrd_reflector_config config = slices;
		MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
		uint64_t now_ns = 1;
		struct mrd_reflector *reflector;
		unsigned long seconds;

		config.seed = seed;
		reflector = talk_reflector(&config, &calls, now_ns);
		seconds =
			strtoul(strstr(ask(reflector, &now_ns), "timeoutSeconds=") + 15, NULL, 10);
		least = seconds < least ? seconds : least;
		most = seconds > most ? seconds : most;
		mrd_reflector_free(reflector);
	}
	assert_in_range(least, 300, 310);
	assert_in_range(most, 590, 600);
}

/* Told once, and again only when the attempt that followed has been paid for with a wait. */
static void unauthorized(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 1;
	struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);

	(void)state;
	for (int round = 0; round < 3; round++) {
		print_message("round %d\n", round);
		ask(reflector, &now_ns);
		assert_int_equal(mrd_reflector_on_head(reflector, 401, "", 0, now_ns), -EACCES);
		mrd_reflector_on_end(reflector, "", now_ns);
		assert_true(mrd_reflector_due_ns(reflector) >= now_ns + 800 * talk_ms);
		mrd_reflector_retry(reflector, "", true, now_ns);
		assert_int_equal(mrd_reflector_due_ns(reflector), now_ns);

		ask(reflector, &now_ns);
		assert_int_equal(mrd_reflector_on_head(reflector, 401, "", 0, now_ns), 0);
		mrd_reflector_on_end(reflector, "", now_ns);
		assert_true(mrd_reflector_due_ns(reflector) >= now_ns + 800 * talk_ms);
		assert_string_equal(status_of(reflector).error,
				    "the API server does not accept the credentials (401)");
	}
	/* Another answer in between: told at once again. */
	ask(reflector, &now_ns);
	mrd_reflector_on_head(reflector, 401, "", 0, now_ns);
	mrd_reflector_on_end(reflector, "", now_ns);
	answer(reflector, 503, "", &now_ns);
	ask(reflector, &now_ns);
	assert_int_equal(mrd_reflector_on_head(reflector, 401, "", 0, now_ns), -EACCES);
	mrd_reflector_free(reflector);
}

static void retries(void **state)
{
	static const struct {
		const char *name;
		bool under_way;
		bool head;
		bool no_backoff;
		uint64_t least_ms;
		uint64_t most_ms;
		uint64_t failures;
	} cases[] = {
		{.name = "could not be sent",
		 .under_way = true,
		 .least_ms = 800,
		 .most_ms = 1600,
		 .failures = 1},
		{.name = "cancelled in the middle",
		 .under_way = true,
		 .head = true,
		 .least_ms = 800,
		 .most_ms = 1600,
		 .failures = 1},
		{.name = "other credentials", .under_way = true, .head = true, .no_backoff = true},
		{.name = "other credentials before anything", .no_backoff = true},
		{.name = "nothing was under way"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
		uint64_t now_ns = 500000 * talk_ms;
		struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);

		print_message("%s\n", cases[i].name);
		if (cases[i].under_way)
			ask(reflector, &now_ns);
		if (cases[i].head) {
			mrd_reflector_on_head(reflector, 200, "", 0, now_ns);
			feed(reflector, ADDED("a", "5") "{", now_ns);
		}
		mrd_reflector_retry(reflector, "no credentials yet", cases[i].no_backoff, now_ns);
		assert_in_range(mrd_reflector_due_ns(reflector),
				now_ns + cases[i].least_ms * talk_ms,
				now_ns + cases[i].most_ms * talk_ms);
		assert_int_equal(status_of(reflector).failures, cases[i].failures);
		assert_string_equal(status_of(reflector).error,
				    cases[i].failures ? "no credentials yet" : "");
		/* Nothing of the answer before is left. */
		answer(reflector, 200, ADDED("b", "6") MARK("7"), &now_ns);
		assert_true(status_of(reflector).synced);
		assert_string_equal(status_of(reflector).error, "");
		mrd_reflector_free(reflector);
	}
}

static void counts_and_times(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);
	struct mrd_reflector_status status = status_of(reflector);

	(void)state;
	assert_string_equal(status.version, "");
	assert_string_equal(status.error, "");
	assert_int_equal(status.last_heard_ns, 0);
	assert_false(status.synced);

	answer(reflector, 200, ADDED("a", "5") EVENT("ADDED", "{}") MARK("7"), &now_ns);
	status = status_of(reflector);
	assert_true(status.synced);
	assert_false(status.watching);
	assert_string_equal(status.version, "7");
	assert_int_equal(status.objects, 1);
	assert_int_equal(status.undecoded, 1);
	assert_int_equal(status.lists, 1);
	assert_int_equal(status.watches, 0);
	assert_int_equal(status.failures, 0);
	assert_int_equal(status.last_heard_ns, now_ns);

	ask(reflector, &now_ns);
	mrd_reflector_on_head(reflector, 200, "", 0, now_ns);
	assert_true(status_of(reflector).watching);
	assert_int_equal(feed(reflector, DELETED("a", "8") "{", now_ns + 5), 0);
	status = status_of(reflector);
	assert_true(status.watching);
	assert_string_equal(status.version, "8");
	assert_int_equal(status.objects, 2);
	assert_int_equal(status.watches, 1);
	assert_int_equal(status.last_heard_ns, now_ns + 5);
	/* Bytes that make no sense are not heard. */
	assert_int_equal(feed(reflector, "]", now_ns + 9), -EBADMSG);
	assert_int_equal(feed(reflector, "]", now_ns + 9), -EBADMSG);
	mrd_reflector_on_end(reflector, "given up", now_ns + 9);
	status = status_of(reflector);
	assert_int_equal(status.last_heard_ns, now_ns + 5);
	assert_int_equal(status.failures, 1);
	assert_int_equal(status.failing_since_ns, now_ns + 9);
	mrd_reflector_free(reflector);
}

/* A server that opens watches only to end them has failed since the first one. */
static void failing_since(void **state)
{
	static const struct {
		const char *name;
		const char *body;
		uint64_t lasts_ms;
		bool since_first;
	} cases[] = {
		{.name = "at once", .since_first = true},
		{.name = "refused by event", .body = ERROR("500", ""), .since_first = true},
		{.name = "after an event", .body = BOOKMARK("9") ERROR("500", "")},
		{.name = "after a while", .lasts_ms = 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
		uint64_t now_ns = 500000 * talk_ms;
		struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);
		uint64_t first_ns;

		print_message("%s\n", cases[i].name);
		answer(reflector, 200, MARK("7"), &now_ns);
		answer(reflector, 500, "", &now_ns);
		first_ns = now_ns;
		assert_int_equal(status_of(reflector).failing_since_ns, first_ns);
		answer(reflector, 200, LIST(VERSION("7"), ""), &now_ns); /* still has it all */
		assert_int_equal(status_of(reflector).failing_since_ns, first_ns);
		ask(reflector, &now_ns);
		mrd_reflector_on_head(reflector, 200, "", 0, now_ns);
		assert_int_equal(status_of(reflector).failing_since_ns, 0);
		assert_string_equal(status_of(reflector).error, "");
		if (cases[i].body)
			feed(reflector, cases[i].body, now_ns);
		now_ns += cases[i].lasts_ms * talk_ms;
		mrd_reflector_on_end(reflector, "cut", now_ns);
		assert_int_equal(status_of(reflector).failing_since_ns,
				 cases[i].since_first ? first_ns : now_ns);
		mrd_reflector_free(reflector);
	}
}

/* A kind that is served in one version, in another, or in none, and all of that changes. */
static void the_version_that_is_served_is_found(void **state)
{
	static const char v1[] = "/apis/g/v1/things?";
	static const char v1beta1[] = "/apis/g/v1beta1/things?";
	static const char v1alpha3[] = "/apis/g/v1alpha3/things?";
	static const char list[] = LIST(VERSION("7"), ITEM("a"));
	static const struct {
		const char *path;
		unsigned int status;
		const char *body;
		bool missing;
		bool soon; /* what is next */
	} steps[] = {
		{.path = v1, .status = 404, .soon = true},
		{.path = v1beta1, .status = 404, .soon = true},
		{.path = v1alpha3, .status = 404, .missing = true},
		{.path = v1, .status = 404, .missing = true, .soon = true},
		{.path = v1beta1, .status = 404, .missing = true, .soon = true},
		{.path = v1alpha3, .status = 422, .missing = true, .soon = true},
		{.path = v1alpha3, .status = 200, .body = list, .soon = true},
		{.path = v1alpha3, .status = 404, .soon = true}, /* of its watch */
		{.path = v1, .status = 404, .soon = true},
		{.path = v1beta1, .status = 404}, /* gone, it seems */
		{.path = v1, .status = 404, .soon = true},
		{.path = v1beta1, .status = 503},
		{.path = v1beta1, .status = 404, .soon = true},
		{.path = v1alpha3, .status = 404, .missing = true}, /* it is */
		{.path = v1, .status = 404, .missing = true, .soon = true},
		{.path = v1beta1, .status = 200, .body = list, .soon = true},
		{.path = v1beta1, .status = 410, .soon = true}, /* stays where it is served */
		{.path = v1beta1, .status = 200, .body = list, .soon = true},
		{.path = v1beta1, .status = 404, .soon = true}, /* served in another version now */
		{.path = v1alpha3, .status = 404, .soon = true},
		{.path = v1, .status = 200, .body = list, .soon = true},
	};
	const struct mrd_reflector_config config = {
		.group = "g",
		.versions = "v1 v1beta1 v1alpha3",
		.resource = "things",
		.kind = "Thing",
		.may_be_missing = true,
	};
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&config, &calls, now_ns);

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *request = ask(reflector, &now_ns);

		print_message("%s\n", request);
		assert_int_equal(strncmp(request, steps[i].path, strlen(steps[i].path)), 0);
		mrd_reflector_on_head(reflector, steps[i].status, "application/json", 0, now_ns);
		feed(reflector, steps[i].body ? steps[i].body : "{}", now_ns);
		mrd_reflector_on_end(reflector, "", now_ns);
		assert_int_equal(status_of(reflector).missing, steps[i].missing);
		assert_int_equal(mrd_reflector_due_ns(reflector) == now_ns, steps[i].soon);
	}
	assert_string_equal(calls.text, "begin end begin put Thing:a end begin end "
					"begin put Thing:a end begin put Thing:a end "
					"begin put Thing:a end ");
	mrd_reflector_free(reflector);
}

#define PLAIN	   "Accept: application/json"
#define ONE_OF_IT  PLAIN ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define LIST_OF_IT PLAIN ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

/* What is asked for: a stream, pages, a watch, the check before the next one. */
static void metadata_is_asked_for(void **state)
{
	static const struct {
		const char *name;
		bool metadata_only;
		unsigned int before; /* answered to the first request, unless 0 */
		const char *accepts[4];
	} cases[] = {
		{"whole objects", false, 0, {PLAIN, PLAIN, PLAIN, LIST_OF_IT}},
		{"metadata", true, 0, {ONE_OF_IT, LIST_OF_IT, ONE_OF_IT, LIST_OF_IT}},
		{"a server without", true, 406, {PLAIN, PLAIN, PLAIN, PLAIN}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
		const struct mrd_reflector_config config = {.metadata_only =
								    cases[i].metadata_only};
		uint64_t now_ns = 1;
		struct mrd_reflector *reflector = talk_reflector(&config, &calls, now_ns);

		print_message("%s\n", cases[i].name);
		if (cases[i].before) {
			answer(reflector, cases[i].before, "", &now_ns);
			assert_int_equal(mrd_reflector_due_ns(reflector), now_ns);
			assert_int_equal(status_of(reflector).failures, 0);
		}
		for (size_t k = 0; k < 4; k++) {
			const char *got = ask_whole(reflector, &now_ns).accept;

			print_message("  %s\n", got);
			assert_string_equal(got, cases[i].accepts[k]);
			mrd_reflector_on_head(reflector, k ? 200 : 422, "", 0, now_ns);
			feed(reflector, k == 1 ? LIST(VERSION("1"), "") : "", now_ns);
			now_ns += 2000 * talk_ms;
			mrd_reflector_on_end(reflector, "", now_ns);
		}
		mrd_reflector_free(reflector);
	}
}

/* Who does not give whole objects either fails as others do. */
static void not_acceptable_is_no_circle(void **state)
{
	const struct mrd_reflector_config config = {.metadata_only = true};
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 1;
	struct mrd_reflector *reflector = talk_reflector(&config, &calls, now_ns);

	(void)state;
	answer(reflector, 406, "", &now_ns);
	answer(reflector, 406, "", &now_ns);
	assert_int_equal(status_of(reflector).failures, 1);
	assert_true(mrd_reflector_due_ns(reflector) >= now_ns + 800 * talk_ms);
	mrd_reflector_free(reflector);
}

/* ------------------------------------------------------------------- a server that is back */

enum { NO_ANSWER };

/* Answered so many times by status, each as soon as it is due. */
static void fail_often(struct mrd_reflector *reflector, unsigned int count, unsigned int status,
		       uint64_t retry_after_ms, uint64_t *now_ns)
{
	for (unsigned int i = 0; i < count; i++) {
		ask(reflector, now_ns);
		if (status != NO_ANSWER)
			mrd_reflector_on_head(reflector, status, "", retry_after_ms, *now_ns);
		mrd_reflector_on_end(reflector, status == NO_ANSWER ? "refused" : "", *now_ns);
	}
}

static void who_waits_is_hurried(void **state)
{
	static const struct {
		const char *name;
		unsigned int count; /* of failures */
		unsigned int status;
		uint64_t retry_after_ms;
		uint64_t after_ms; /* the hurry, after the last one */
		uint64_t least_ms; /* from there to the next request */
		uint64_t most_ms;
		uint64_t then_ms; /* the least wait if that fails, too, with 500 */
	} cases[] = {
		{.name = "a server that was away", .count = 9, .after_ms = 1, .then_ms = 800},
		{.name = "one that answered",
		 .count = 9,
		 .status = 500,
		 .after_ms = 1,
		 .then_ms = 30000},
		{.name = "one that said when",
		 .count = 1,
		 .status = 503,
		 .retry_after_ms = 4000,
		 .after_ms = 1000,
		 .least_ms = 3000,
		 .most_ms = 3000,
		 .then_ms = 1600},
		{.name = "it is due before that",
		 .count = 1,
		 .status = 503,
		 .retry_after_ms = 9000,
		 .after_ms = 9000,
		 .then_ms = 1600},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
		uint64_t now_ns = 500000 * talk_ms;
		struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);

		print_message("%s\n", cases[i].name);
		fail_often(reflector, cases[i].count, cases[i].status, cases[i].retry_after_ms,
			   &now_ns);
		now_ns += cases[i].after_ms * talk_ms;
		mrd_reflector_hurry(reflector, now_ns);
		assert_in_range(mrd_reflector_due_ns(reflector),
				now_ns + cases[i].least_ms * talk_ms,
				now_ns + cases[i].most_ms * talk_ms);
		fail_often(reflector, 1, 500, 0, &now_ns);
		assert_in_range(mrd_reflector_due_ns(reflector),
				now_ns + cases[i].then_ms * talk_ms,
				now_ns + cases[i].then_ms * 2 * talk_ms);
		mrd_reflector_free(reflector);
	}
}

/* Nothing is asked before its time by who does not fail, or is asked already. */
static void who_does_not_wait_is_left_alone(void **state)
{
	const struct mrd_reflector_config config = {.may_be_missing = true};
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&config, &calls, now_ns);
	uint64_t due_ns;

	(void)state;
	answer(reflector, 404, "", &now_ns);
	due_ns = mrd_reflector_due_ns(reflector);
	assert_true(due_ns > now_ns);
	mrd_reflector_hurry(reflector, now_ns + 1);
	assert_int_equal(mrd_reflector_due_ns(reflector), due_ns);
	ask(reflector, &now_ns);
	mrd_reflector_hurry(reflector, now_ns);
	assert_true(mrd_reflector_due_ns(reflector) == UINT64_MAX);
	mrd_reflector_free(reflector);
}

/* Two kinds whose watches open only to end would hurry each other in a circle. */
static void hurries_are_few(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);
	const uint64_t end_ns = now_ns + 60000 * talk_ms;
	unsigned int asked = 0;

	(void)state;
	fail_often(reflector, 9, NO_ANSWER, 0, &now_ns);
	while (now_ns < end_ns + 1000000 * talk_ms && asked < 1000) {
		mrd_reflector_hurry(reflector, now_ns);
		if (mrd_reflector_due_ns(reflector) > now_ns) {
			now_ns += 100 * talk_ms;
			continue;
		}
		fail_often(reflector, 1, NO_ANSWER, 0, &now_ns);
		asked++;
	}
	print_message("asked %u times\n", asked);
	assert_in_range(asked, 1, 600);
	mrd_reflector_free(reflector);
}

/* The first answer after none: what it refuses may be had in a moment. */
static void an_answer_begins_the_backoff_anew(void **state)
{
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);

	(void)state;
	fail_often(reflector, 9, NO_ANSWER, 0, &now_ns);
	fail_often(reflector, 1, 503, 0, &now_ns);
	assert_in_range(mrd_reflector_due_ns(reflector), now_ns + 800 * talk_ms,
			now_ns + 1600 * talk_ms);
	/* Not each time, where only every other request is answered. */
	fail_often(reflector, 1, NO_ANSWER, 0, &now_ns);
	fail_often(reflector, 1, 503, 0, &now_ns);
	assert_in_range(mrd_reflector_due_ns(reflector), now_ns + 3200 * talk_ms,
			now_ns + 6400 * talk_ms);
	mrd_reflector_free(reflector);
}

/* A right that is missing for a moment is told as such, and one that stays away is not. */
static void rights_settle(void **state)
{
	static const struct {
		unsigned int status;
		uint64_t after_ms; /* of the last one */
		bool settling;
	} steps[] = {
		{.status = NO_ANSWER},
		{.status = 403, .after_ms = 2000, .settling = true},
		{.status = 503, .after_ms = 2000},
		{.status = 403, .after_ms = 2999, .settling = true},
		{.status = 403, .after_ms = 1},
		{.status = 403, .after_ms = 600000},
		{.status = NO_ANSWER, .after_ms = 1000},
		{.status = 403, .after_ms = 30000, .settling = true},
		{.status = 403, .after_ms = 5000},
		{.status = 200, .after_ms = 60000},
		{.status = 403, .after_ms = 60000, .settling = true},
	};
	MRD_AUTO_STRBUF struct mrd_strbuf calls = {0};
	uint64_t now_ns = 500000 * talk_ms;
	struct mrd_reflector *reflector = talk_reflector(&slices, &calls, now_ns);

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct mrd_reflector_request request;
		const uint64_t until_ns = now_ns + steps[i].after_ms * talk_ms;

		print_message("step %zu\n", i);
		mrd_reflector_retry(reflector, "", true, now_ns); /* it is due at once */
		now_ns = until_ns;
		assert_true(mrd_reflector_request(reflector, now_ns, &request));
		if (steps[i].status != NO_ANSWER)
			mrd_reflector_on_head(reflector, steps[i].status, "", 0, now_ns);
		if (steps[i].status == 200)
			feed(reflector, MARK("7"), now_ns);
		mrd_reflector_on_end(reflector, steps[i].status ? "" : "refused", now_ns);
		assert_int_equal(status_of(reflector).settling, steps[i].settling);
		assert_int_equal(status_of(reflector).failing_since_ns != 0,
				 steps[i].status != 200);
		assert_int_equal(strstr(status_of(reflector).error, "403") != NULL,
				 steps[i].status == 403);
	}
	mrd_reflector_free(reflector);
}

/* ------------------------------------------------------------------- bounds */

static int ignore_put(void *self, const char *json, size_t len)
{
	(void)self, (void)json, (void)len;
	return 0;
}

static void ignore(void *self)
{
	(void)self;
}

static struct mrd_reflector *idle_reflector(void)
{
	struct mrd_reflector_config config = slices;
	struct mrd_reflector *reflector = NULL;

	config.put = config.remove = ignore_put;
	config.list_begin = config.list_end = config.list_drop = ignore;
	assert_int_equal(mrd_reflector_new(&config, 1, &reflector), 0);
	return reflector;
}

/* Feeds the same piece until it is too much; how many bytes that took. */
static uint64_t feed_endlessly(struct mrd_reflector *reflector, const char *piece, size_t len,
			       uint64_t now_ns)
{
	uint64_t fed = len;

	while (mrd_reflector_on_body(reflector, piece, len, now_ns) == 0) {
		fed += len;
		assert_true(fed < UINT64_C(1) << 32);
	}
	return fed;
}

static void endless_answers(void **state)
{
	enum { PIECE = 64 * 1024, MIB = 1024 * 1024 };
	static const struct {
		const char *name;
		unsigned int status;
		const char *head;
		const char *first; /* of each piece, which is filled with a */
		const char *last;
		uint64_t least_mib;
		uint64_t most_mib;
		const char *fails;
	} cases[] = {
		{.name = "a refusal",
		 .status = 503,
		 .first = "",
		 .last = "",
		 .least_mib = 1,
		 .most_mib = 1,
		 .fails = "answers 503: aaaa"},
		{.name = "an object",
		 .status = 200,
		 .head = "{\"items\":[\"",
		 .first = "",
		 .last = "",
		 .least_mib = 4,
		 .most_mib = 4,
		 .fails = "an object is larger than 4 MiB"},
		{.name = "a list",
		 .status = 200,
		 .head = "{\"items\":[0",
		 .first = ",\"",
		 .last = "\"",
		 .least_mib = 512,
		 .most_mib = 1024,
		 .fails = "the list is larger than 512 MiB"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mrd_reflector *reflector = idle_reflector();
		MRD_AUTO_FREE char *piece = malloc(PIECE);
		uint64_t now_ns = 1;
		uint64_t fed;

		print_message("%s\n", cases[i].name);
		memset(piece, 'a', PIECE);
		memcpy(piece, cases[i].first, strlen(cases[i].first));
		memcpy(piece + PIECE - strlen(cases[i].last), cases[i].last, strlen(cases[i].last));
		answer(reflector, 422, "", &now_ns);
		ask(reflector, &now_ns);
		mrd_reflector_on_head(reflector, cases[i].status, "", 0, now_ns);
		if (cases[i].head)
			assert_int_equal(feed(reflector, cases[i].head, now_ns), 0);
		fed = feed_endlessly(reflector, piece, PIECE, now_ns);
		assert_in_range(fed, cases[i].least_mib * MIB - PIECE,
				cases[i].most_mib * MIB + PIECE);
		mrd_reflector_on_end(reflector, "given up", now_ns);
		assert_non_null(strstr(status_of(reflector).error, cases[i].fails));
		assert_in_range(strlen(status_of(reflector).error), 1, 500);
		mrd_reflector_free(reflector);
	}
}

static void endless_pages(void **state)
{
	struct mrd_reflector *reflector = idle_reflector();
	uint64_t now_ns = 1;
	unsigned int pages = 0;

	(void)state;
	answer(reflector, 422, "", &now_ns);
	while (!status_of(reflector).failures) {
		char page[128];

		snprintf(page, sizeof(page), LIST(VERSION("1") TOKEN("%u"), ""), pages++);
		answer(reflector, 200, page, &now_ns);
		assert_in_range(pages, 1, 10000);
	}
	assert_int_equal(pages, 10000);
	assert_string_equal(status_of(reflector).error, "list endpointslices: the list has no end");
	assert_null(strstr(ask(reflector, &now_ns), "continue"));
	mrd_reflector_free(reflector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_that_is_served_is_found),
		cmocka_unit_test(metadata_is_asked_for),
		cmocka_unit_test(not_acceptable_is_no_circle),
		cmocka_unit_test(who_waits_is_hurried),
		cmocka_unit_test(who_does_not_wait_is_left_alone),
		cmocka_unit_test(hurries_are_few),
		cmocka_unit_test(an_answer_begins_the_backoff_anew),
		cmocka_unit_test(rights_settle),
		cmocka_unit_test(requests_in_full),
		cmocka_unit_test(watches_do_not_end_together),
		cmocka_unit_test(unauthorized),
		cmocka_unit_test(retries),
		cmocka_unit_test(counts_and_times),
		cmocka_unit_test(failing_since),
		cmocka_unit_test(endless_answers),
		cmocka_unit_test(endless_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
