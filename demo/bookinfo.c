// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Bookinfo, the sample of the guide, as one small program with four roles:
 *
 *	bookinfo productpage      GET /productpage: the page, made from details and reviews
 *	bookinfo details          GET /details: the book
 *	bookinfo ratings          GET /ratings: stars by reviewer
 *	bookinfo reviews VERSION  GET /reviews: v1 without stars, v2 with black, v3 with red ones
 *
 * All listen on port 9080. Whom they call is in the environment: DETAILS_URL, REVIEWS_URL,
 * RATINGS_URL, each an address of a service (http://172.16.0.20:9080), so that a call is a
 * connection to a VIP like any pod's. REGION and POD_NAME are what an instance tells of itself.
 *
 * Calls keep no connection alive: Meridian chooses an endpoint when a connection is made, and the
 * demo counts pages, so a page has to be a choice.
 *
 * POST /fail?code=503 makes an instance answer everything with 503 until POST /fail?code=0.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>
#include <microhttpd.h>

enum {
	PORT = 9080,
	THREADS = 8, /* a page waits for its calls, and others must not wait for it */
	CALL_TIMEOUT_MS = 3000,
	STARS = 5,
};

struct app {
	const char *service;
	const char *version; /* of reviews, else "" */
	const char *region;
	const char *pod;
	const char *details_url;
	const char *reviews_url;
	const char *ratings_url;
	const char *stars_color; /* NULL: this version of reviews shows none */
	const struct role *role;
	atomic_uint fail_code; /* 0: healthy */
};

struct role {
	const char *service;
	const char *path;
	const char *content_type;
	char *(*render)(const struct app *app); /* to be freed; NULL without memory */
};

struct body {
	char *text;
	size_t len;
};

static size_t collect(const void *data, size_t size, size_t count, void *self)
{
	struct body *body = self;
	char *text = realloc(body->text, body->len + size * count + 1);

	if (!text)
		return 0;
	memcpy(text + body->len, data, size * count);
	body->text = text;
	body->len += size * count;
	text[body->len] = '\0';
	return size * count;
}

/* Gets base + path as JSON; NULL if that cannot be had, for whatever reason. */
static json_t *call(const char *base, const char *path)
{
	struct body body = {0};
	json_t *doc = NULL;
	long status = 0;
	char url[256];
	CURL *curl = curl_easy_init();

	if (!curl || !base)
		goto out;
	snprintf(url, sizeof(url), "%s%s", base, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	if (curl_easy_perform(curl) != CURLE_OK)
		goto out;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == MHD_HTTP_OK && body.text)
		doc = json_loads(body.text, 0, NULL);
out:
	curl_easy_cleanup(curl);
	free(body.text);
	return doc;
}

static char *dump(json_t *doc)
{
	char *text = json_dumps(doc, JSON_INDENT(2));

	json_decref(doc);
	return text;
}

/* Every answer tells who gave it. */
static json_t *self(const struct app *app)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "service", app->service, "version", app->version,
			 "region", app->region, "pod", app->pod);
}

static char *render_details(const struct app *app)
{
	return dump(json_pack("{s:o, s:s, s:s, s:i, s:s}", "self", self(app), "title",
			      "The Comedy of Errors", "author", "William Shakespeare", "year", 1594,
			      "type", "paperback"));
}

static char *render_ratings(const struct app *app)
{
	return dump(json_pack("{s:o, s:{s:i, s:i}}", "self", self(app), "stars", "Reviewer1", 5,
			      "Reviewer2", 4));
}

static json_t *review(const char *reviewer, const char *text, json_t *stars, const char *color)
{
	json_t *doc = json_pack("{s:s, s:s}", "reviewer", reviewer, "text", text);
	json_t *count = json_object_get(json_object_get(stars, "stars"), reviewer);

	if (count) {
		json_object_set(doc, "stars", count);
		json_object_set_new(doc, "color", json_string(color));
	}
	return doc;
}

/* v1 does not know of ratings; the others show reviews without stars if ratings does not answer. */
static char *render_reviews(const struct app *app)
{
	json_t *stars = app->stars_color ? call(app->ratings_url, "/ratings") : NULL;
	json_t *doc = json_pack(
		"{s:o, s:[o, o]}", "self", self(app), "reviews",
		review("Reviewer1", "Two pairs of twins, and I laughed at each of them.", stars,
		       app->stars_color),
		review("Reviewer2", "Short, loud, and over before anybody could be sensible.",
		       stars, app->stars_color));

	if (stars)
		json_object_set(doc, "ratings", json_object_get(stars, "self"));
	json_decref(stars);
	return dump(doc);
}

static const char *text_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

/* One line, so that counting pages by who answered is one grep. */
static void print_answered(FILE *page, const json_t *who)
{
	if (who)
		fprintf(page, "<li>answered: %s %s %s %s</li>\n", text_of(who, "service"),
			*text_of(who, "version") ? text_of(who, "version") : "-",
			text_of(who, "region"), text_of(who, "pod"));
}

static void print_review(FILE *page, const json_t *doc)
{
	const int stars = (int)json_integer_value(json_object_get(doc, "stars"));

	fprintf(page, "<blockquote>%s <cite>%s</cite></blockquote>\n", text_of(doc, "text"),
		text_of(doc, "reviewer"));
	if (!stars)
		return;
	fprintf(page, "<p style=\"color:%s\"><!-- full stars: -->", text_of(doc, "color"));
	for (int i = 0; i < STARS; i++)
		fputs(i < stars ? "&#9733;" : "&#9734;", page);
	fputs("</p>\n", page);
}

static void print_page(FILE *page, const struct app *app, const json_t *details,
		       const json_t *reviews)
{
	json_t *me = self(app);
	const json_t *each;
	size_t i;

	fputs("<!DOCTYPE html>\n<html><head><title>Bookinfo</title></head><body>\n", page);
	if (details)
		fprintf(page, "<h1>%s</h1>\n<p>%s, %d, %s</p>\n", text_of(details, "title"),
			text_of(details, "author"),
			(int)json_integer_value(json_object_get(details, "year")),
			text_of(details, "type"));
	else
		fputs("<p>error: details are unavailable</p>\n", page);
	json_array_foreach(json_object_get(reviews, "reviews"), i, each) print_review(page, each);
	if (!reviews)
		fputs("<p>error: reviews are unavailable</p>\n", page);
	fputs("<ul>\n", page);
	print_answered(page, me);
	print_answered(page, json_object_get(details, "self"));
	print_answered(page, json_object_get(reviews, "self"));
	print_answered(page, json_object_get(reviews, "ratings"));
	fputs("</ul>\n</body></html>\n", page);
	json_decref(me);
}

/* A page without its reviews is still a page (200), as in the original: its reader sees the rest.
 */
static char *render_productpage(const struct app *app)
{
	json_t *details = call(app->details_url, "/details");
	json_t *reviews = call(app->reviews_url, "/reviews");
	char *text = NULL;
	size_t len;
	FILE *page = open_memstream(&text, &len);

	if (page) {
		print_page(page, app, details, reviews);
		if (fclose(page) == EOF) {
			free(text);
			text = NULL;
		}
	}
	json_decref(details);
	json_decref(reviews);
	return text;
}

static const struct role roles[] = {
	{
		.service = "productpage",
		.path = "/productpage",
		.content_type = "text/html; charset=utf-8",
		.render = render_productpage,
	},
	{
		.service = "details",
		.path = "/details",
		.content_type = "application/json",
		.render = render_details,
	},
	{
		.service = "reviews",
		.path = "/reviews",
		.content_type = "application/json",
		.render = render_reviews,
	},
	{
		.service = "ratings",
		.path = "/ratings",
		.content_type = "application/json",
		.render = render_ratings,
	},
};

/* Takes over text, which may be NULL. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int code,
			      const char *content_type, char *text)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result set_fail(struct app *app, struct MHD_Connection *connection)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "code");
	char *end;
	const unsigned long code = text ? strtoul(text, &end, 10) : 1;

	if (!text || *end || (code && (code < 400 || code > 599)))
		return answer(connection, MHD_HTTP_BAD_REQUEST, "text/plain",
			      strdup("code: 0, or 400 to 599\n"));
	atomic_store(&app->fail_code, (unsigned int)code);
	return answer(connection, MHD_HTTP_OK, "text/plain", strdup("as you wish\n"));
}

static enum MHD_Result handle(void *self_arg, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_len, void **state)
{
	struct app *app = self_arg;
	unsigned int code;

	(void)version, (void)upload;
	/* The first call is for the headers only; a body, which nobody reads, comes after it. */
	if (!*state) {
		*state = app;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	if (!strcmp(method, MHD_HTTP_METHOD_POST) && !strcmp(url, "/fail"))
		return set_fail(app, connection);
	code = atomic_load(&app->fail_code);
	if (code)
		return answer(connection, code, "text/plain", strdup("failing, as told\n"));
	if (strcmp(url, app->role->path) != 0)
		return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain", strdup("not here\n"));
	return answer(connection, MHD_HTTP_OK, app->role->content_type, app->role->render(app));
}

static const char *env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static int app_init(struct app *app, int argc, char *argv[])
{
	*app = (struct app){
		.service = argc > 1 ? argv[1] : "",
		.version = argc > 2 ? argv[2] : "",
		.region = env("REGION", "-"),
		.pod = env("POD_NAME", "-"),
		.details_url = env("DETAILS_URL", NULL),
		.reviews_url = env("REVIEWS_URL", NULL),
		.ratings_url = env("RATINGS_URL", NULL),
	};
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(roles[i].service, app->service))
			app->role = &roles[i];
	if (!strcmp(app->version, "v2"))
		app->stars_color = "black";
	if (!strcmp(app->version, "v3"))
		app->stars_color = "red";
	return app->role ? 0 : -EINVAL;
}

int main(int argc, char *argv[])
{
	struct MHD_Daemon *daemon;
	struct app app;
	sigset_t stop;
	int signal_number;

	if (app_init(&app, argc, argv) < 0) {
		fprintf(stderr, "usage: bookinfo productpage|details|ratings|reviews [VERSION]\n");
		return 2;
	}
	/* Blocked before there are threads, so that the signal waits for sigwait below. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_DUAL_STACK, PORT, NULL,
				  NULL, handle, &app, MHD_OPTION_THREAD_POOL_SIZE,
				  (unsigned int)THREADS, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "bookinfo %s: port %d: %s\n", app.service, PORT, strerror(errno));
		return 1;
	}
	sigwait(&stop, &signal_number);
	MHD_stop_daemon(daemon);
	curl_global_cleanup();
	return 0;
}
