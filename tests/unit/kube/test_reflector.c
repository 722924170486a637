/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What conversations do not show: requests in full, credentials, counters, and bounds. */
#include "tests/unit/kube/talk.h"

#define URL "/apis/discovery.k8s.io/v1/endpointslices"

static const struct mrd_reflector_config slices = {
	.path = URL,
	.api_version = "discovery.k8s.io/v1",
	.kind = "EndpointSlice",
	.label_selector = "!service.kubernetes.io/headless,a in (b, c)",
};

static const char *ask(struct mrd_reflector *reflector, uint64_t *now_ns)
{
	uint64_t silence_ms;
	const char *request;

	*now_ns = mrd_reflector_due_ns(reflector);
	request = mrd_reflector_request(reflector, *now_ns, &silence_ms);
	assert_non_null(request);
	return request;
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

/* A kind that is served in one version, in the other, or in none. */
static void another_version_is_asked_for(void **state)
{
	static const char first[] = "/apis/g/v1/things?";
	static const char other[] = "/apis/g/v1beta1/things?";
	static const char list[] = LIST(VERSION("7"), ITEM("a"));
	static const struct {
		const char *path;
		unsigned int status;
		const char *body;
		bool missing;
		bool soon; /* what is next */
	} steps[] = {
		{.path = first, .status = 404, .soon = true},
		{.path = other, .status = 404, .missing = true},
		{.path = first, .status = 404, .missing = true, .soon = true},
		{.path = other, .status = 422, .missing = true, .soon = true},
		{.path = other, .status = 200, .body = list, .soon = true},
		{.path = other, .status = 404},			 /* of its watch */
		{.path = first, .status = 404, .soon = true},	 /* gone, it seems */
		{.path = other, .status = 404, .missing = true}, /* it is */
		{.path = first, .status = 200, .body = list, .soon = true},
		{.path = first, .status = 410, .soon = true}, /* stays where it is served */
		{.path = first, .status = 200, .body = list, .soon = true},
	};
	const struct mrd_reflector_config config = {
		.path = "/apis/g/v1/things",
		.api_version = "g/v1",
		.kind = "Thing",
		.may_be_missing = true,
		.other_path = "/apis/g/v1beta1/things",
		.other_api_version = "g/v1beta1",
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
	mrd_reflector_free(reflector);
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
		cmocka_unit_test(another_version_is_asked_for),
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
