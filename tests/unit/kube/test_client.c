/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/client.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "kube/http.h"
#include "rig.h"
#include "server.h"

#define OBJECT(name, version)                                                      \
	"{\"kind\":\"Thing\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" name \
	"\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define END_OF_LIST(version)                                                           \
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Thing\",\"apiVersion\":\"v1\"," \
	"\"metadata\":{\"resourceVersion\":\"" version                                 \
	"\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"

/* ------------------------------------------------------------------------ the server */

static void say_chunk(struct server_conn *conn, const char *text)
{
	char size[24];

	snprintf(size, sizeof(size), "%zx\r\n", strlen(text));
	server_say(conn, size);
	server_say(conn, text);
	server_say(conn, "\r\n");
}

static void begin(struct server_conn *conn)
{
	server_say(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n");
}

static bool say_list(struct server_conn *conn, const char *list)
{
	begin(conn);
	say_chunk(conn, list);
	say_chunk(conn, "");
	return true;
}

/* Things a and b, then c instead of a, then nothing for long; to who knows all of that, d. */
static bool serve_things(struct server_conn *conn)
{
	const bool is_list = strstr(conn->request, "sendInitialEvents=true");

	if (strstr(conn->request, "limit=1"))
		return say_list(conn, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}");
	begin(conn);
	if (is_list) {
		say_chunk(conn, EVENT("ADDED", OBJECT("a", "3")) EVENT("ADDED", OBJECT("b", "4")));
		say_chunk(conn, END_OF_LIST("5"));
	} else if (strstr(conn->request, "resourceVersion=5")) {
		say_chunk(conn, EVENT("ADDED", OBJECT("c", "6")));
		say_chunk(conn, EVENT("DELETED", OBJECT("a", "7")));
	} else if (strstr(conn->request, "resourceVersion=7")) {
		say_chunk(conn, EVENT("ADDED", OBJECT("d", "8")));
	}
	pause();
	return false;
}

static bool refuse(struct server_conn *conn, const char *status)
{
	server_say(conn, "HTTP/1.1 ");
	server_say(conn, status);
	server_say(conn, "\r\nContent-Length: 0\r\n\r\n");
	return true;
}

static bool script(struct server_conn *conn)
{
	if (!strstr(conn->request, "Authorization: Bearer good\r\n"))
		return refuse(conn, "401 Unauthorized");
	if (server_asked(conn, "/api/v1/things"))
		return serve_things(conn);
	return refuse(conn, "404 Not Found");
}

/* Another server, which knows only b. */
static bool other_script(struct server_conn *conn)
{
	begin(conn);
	if (strstr(conn->request, "sendInitialEvents=true"))
		say_chunk(conn, EVENT("ADDED", OBJECT("b", "2")) END_OF_LIST("2"));
	pause();
	return false;
}

/* A server that starts: it knows nobody's roles yet, and has no gadgets. */
static bool starting_script(struct server_conn *conn)
{
	if (server_asked(conn, "/api/v1/things"))
		return refuse(conn, "403 Forbidden");
	return refuse(conn, "429 Too Many Requests");
}

/* Gadgets are refused at first; then things are served, and not before. When gadgets are asked for
 * again is told by a file. */
static bool script_of_two(struct server_conn *conn)
{
	const bool refused = !access(rig_path("refused"), F_OK);
	char now[32];

	snprintf(now, sizeof(now), "%" PRIu64, mrd_clock_ns());
	if (server_asked(conn, "/apis/example/v1/gadgets") && !refused) {
		rig_replace("refused", now);
		return refuse(conn, "500 Internal Server Error");
	}
	if (server_asked(conn, "/apis/example/v1/gadgets")) {
		rig_replace("again", now);
		return serve_things(conn);
	}
	while (access(rig_path("refused"), F_OK))
		usleep(1000);
	return serve_things(conn);
}

/* ------------------------------------------------------------------------ the client */

static struct mrd_strbuf seen; /* what came, as "( +a +b ) +c -a" */
static const char *expected;
static struct mrd_kube_client *client;
static struct server server;
static unsigned int befores;
static unsigned int changes;
static bool arrived;
static bool failed;
static bool freed_in_change;

static void see(const char *text)
{
	mrd_strbuf_addf(&seen, "%s%s", seen.len ? " " : "", text);
	arrived = expected && !strcmp(seen.text, expected);
}

static int see_object(char sign, const char *json)
{
	const char *name = strstr(json, "\"name\":\"");
	char text[3] = {sign, name ? name[8] : '?', '\0'};

	assert_true(befores % 2); /* once before, and not yet after */
	see(text);
	return 0;
}

static int on_put(void *self, const char *json, size_t len)
{
	(void)self;
	(void)len;
	return see_object('+', json);
}

static int on_remove(void *self, const char *json, size_t len)
{
	(void)self;
	(void)len;
	return see_object('-', json);
}

static void on_list_begin(void *self)
{
	(void)self;
	see("(");
}

static void on_list_end(void *self)
{
	(void)self;
	see(")");
}

static void on_before(void *self)
{
	(void)self;
	befores++;
}

static void on_changed(void *self)
{
	struct mrd_kube_client_status status;

	(void)self;
	changes++;
	mrd_kube_client_get_status(client, &status);
	failed = status.failing_since_ns && status.error[0];
	if (!freed_in_change)
		return;
	mrd_kube_client_free(client);
	client = NULL;
}

static const struct mrd_reflector_config resources[] = {
	{.group = "",
	 .versions = "v1",
	 .resource = "things",
	 .kind = "Thing",
	 .label_selector = "",
	 .seed = 1,
	 .put = on_put,
	 .remove = on_remove,
	 .list_begin = on_list_begin,
	 .list_end = on_list_end},
	{.group = "example",
	 .versions = "v1",
	 .resource = "gadgets",
	 .kind = "Gadget",
	 .label_selector = "",
	 .may_be_missing = true,
	 .seed = 2,
	 .put = on_put,
	 .remove = on_remove,
	 .list_begin = on_list_begin,
	 .list_end = on_list_end},
};

static void open_client(size_t count)
{
	const struct mrd_kube_client_config config = {
		.name = "east",
		.where = {.kubeconfig = rig_path("config"), .context = ""},
		.resources = resources,
		.resource_count = count,
		.before = on_before,
		.changed = on_changed,
	};

	changes = befores = 0;
	failed = freed_in_change = false;
	assert_int_equal(mrd_kube_client_new(&config, rig_loop, &client), 0);
}

static void start(server_script what)
{
	const struct server_config config = {.script = what, .port = server.port};

	server = server_start(&config);
}

static void write_config(int port, const char *user)
{
	char cluster[64];

	snprintf(cluster, sizeof(cluster), "    server: http://127.0.0.1:%d\n", port);
	rig_kubeconfig("config", cluster, user);
}

static void wait_for(const char *text)
{
	expected = text;
	arrived = seen.text && !strcmp(seen.text, text);
	rig_run_until(&arrived);
	expected = NULL;
}

static struct mrd_kube_client_status status_of(void)
{
	struct mrd_kube_client_status status;

	mrd_kube_client_get_status(client, &status);
	return status;
}

static int close_client(void **state)
{
	(void)state;
	mrd_kube_client_free(client);
	client = NULL;
	server_stop(&server);
	server.port = 0;
	mrd_strbuf_free(&seen);
	return 0;
}

/* ------------------------------------------------------------------------ cases */

static void objects_are_listed_and_watched(void **state)
{
	struct mrd_reflector_status things;

	(void)state;
	start(script);
	write_config(server.port, "    token: good\n");
	open_client(1);
	assert_false(status_of().synced);
	assert_int_equal(status_of().last_heard_ns, 0);
	wait_for("( +a +b ) +c -a");
	rig_run_for(20);
	assert_true(status_of().synced);
	assert_int_not_equal(status_of().last_heard_ns, 0);
	assert_int_equal(status_of().failing_since_ns, 0);
	assert_string_equal(status_of().error, "");
	assert_memory_equal(status_of().server, "http://127.0.0.1:", 17);
	assert_int_equal(changes, 1); /* synced */
	assert_int_equal(befores % 2, 0);
	mrd_kube_client_get_resource(client, 0, &things);
	assert_true(things.watching);
	assert_string_equal(things.version, "7");
}

static void a_kind_that_may_be_missing_does_not_fail(void **state)
{
	struct mrd_reflector_status gadgets;

	(void)state;
	start(script);
	write_config(server.port, "    token: good\n");
	open_client(2);
	while (!status_of().synced)
		rig_run_for(20);
	mrd_kube_client_get_resource(client, 1, &gadgets);
	assert_true(gadgets.missing);
	assert_int_equal(status_of().failing_since_ns, 0);
	assert_string_equal(status_of().error, "");
}

/* A right that may be there in a moment is no reason that is told, beside one that is. */
static void what_settles_is_told_last(void **state)
{
	struct mrd_reflector_status kinds[2];

	(void)state;
	start(starting_script);
	write_config(server.port, "    token: good\n");
	open_client(2);
	do {
		rig_run_for(5);
		mrd_kube_client_get_resource(client, 0, &kinds[0]);
		mrd_kube_client_get_resource(client, 1, &kinds[1]);
	} while (!kinds[0].error[0] || !kinds[1].error[0]);
	assert_true(kinds[0].settling);
	assert_false(status_of().settling);
	assert_non_null(strstr(status_of().error, "429"));
}

static void without_a_kubeconfig_it_waits_for_one(void **state)
{
	(void)state;
	unlink(rig_path("config"));
	start(script);
	open_client(1);
	rig_run_until(&failed);
	assert_non_null(strstr(status_of().error, "/config: error: cannot be read"));
	assert_string_equal(status_of().server, "");
	write_config(server.port, "    token: good\n");
	wait_for("( +a +b ) +c -a");
	assert_int_equal(status_of().failing_since_ns, 0);
	assert_string_equal(status_of().error, "");
}

/* Nothing fails for good while its first run is under way; that it fails is told. */
static void a_plugin_that_runs_is_no_failure(void **state)
{
	static const char user[] = "    exec: {apiVersion: client.authentication.k8s.io/v1, "
				   "command: ./plugin, interactiveMode: Never}\n";

	(void)state;
	start(script);
	rig_replace("plugin", "#!/bin/sh\nwhile [ ! -e go ]; do sleep 0.01; done\nexit 3\n");
	assert_int_equal(chmod(rig_path("plugin"), 0700), 0);
	write_config(server.port, user);
	assert_int_equal(chdir(rig_folder), 0);
	open_client(1);
	rig_run_for(50);
	assert_string_equal(status_of().error, "");
	assert_true(status_of().settling);
	rig_write("go", "");
	rig_run_until(&failed);
	assert_non_null(strstr(status_of().error, "it failed with exit status 3"));
	assert_false(status_of().settling);
	assert_int_equal(chdir("/"), 0);
}

static void a_refused_token_is_read_again_and_then_backed_off(void **state)
{
	struct mrd_reflector_status things;

	(void)state;
	start(script);
	rig_write("token", "bad");
	write_config(server.port, "    tokenFile: token\n");
	open_client(1);
	rig_run_until(&failed);
	mrd_kube_client_get_resource(client, 0, &things);
	assert_int_equal(things.failures, 1);
	print_message("%s\n", status_of().error);
	assert_null(strstr(status_of().error, "bad"));
	rig_replace("token", "good");
	wait_for("( +a +b ) +c -a");
	assert_string_equal(status_of().error, "");
}

/* The file has changed, and nobody has told of it yet. */
static void a_refused_token_that_is_old_costs_no_wait(void **state)
{
	struct mrd_reflector_status things;

	(void)state;
	start(script);
	rig_write("token", "bad");
	write_config(server.port, "    tokenFile: token\n");
	open_client(1);
	rig_replace("token", "good");
	wait_for("( +a +b ) +c -a");
	mrd_kube_client_get_resource(client, 0, &things);
	assert_int_equal(things.failures, 0);
}

static void a_server_that_is_lost_is_told_and_comes_back(void **state)
{
	(void)state;
	start(script);
	write_config(server.port, "    token: good\n");
	open_client(1);
	wait_for("( +a +b ) +c -a");
	server_stop(&server);
	rig_run_until(&failed);
	print_message("%s\n", status_of().error);
	assert_true(status_of().synced); /* what is known stays known */
	assert_string_equal(seen.text, "( +a +b ) +c -a");
	start(script); /* on the same port */
	wait_for("( +a +b ) +c -a +d");
	assert_int_equal(status_of().failing_since_ns, 0);
	assert_string_equal(status_of().error, "");
}

static uint64_t time_in(const char *name)
{
	FILE *in = fopen(rig_path(name), "re");
	uint64_t ns = 0;

	assert_non_null(in);
	assert_int_equal(fscanf(in, "%" SCNu64, &ns), 1);
	fclose(in);
	return ns;
}

/* Sooner than any backoff lets it, unless the machine is slow; then it is tried again. */
static void who_waits_is_told_that_the_server_answers(void **state)
{
	enum { TRIES = 20 };
	static const uint64_t backoff_ns = 800 * MRD_NS_PER_MS;
	uint64_t waited_ns = backoff_ns;

	for (int i = 0; i < TRIES && waited_ns >= backoff_ns; i++) {
		unlink(rig_path("refused"));
		unlink(rig_path("again"));
		start(script_of_two);
		write_config(server.port, "    token: good\n");
		open_client(2);
		while (access(rig_path("again"), F_OK))
			rig_run_for(5);
		waited_ns = time_in("again") - time_in("refused");
		print_message("asked again after %" PRIu64 " ms\n", waited_ns / MRD_NS_PER_MS);
		close_client(state);
	}
	assert_true(waited_ns < backoff_ns);
}

/* What is not in the other one's list goes with its end. */
static void another_server_is_listed_anew(void **state)
{
	struct server other;

	(void)state;
	start(script);
	write_config(server.port, "    token: good\n");
	open_client(1);
	wait_for("( +a +b ) +c -a");
	other = server_start(&(struct server_config){.script = other_script});
	write_config(other.port, "    token: good\n");
	wait_for("( +a +b ) +c -a ( +b )");
	assert_string_equal(status_of().error, "");
	server_stop(&other);
}

/* It is watched on as before. */
static void another_token_leaves_the_watch_alone(void **state)
{
	struct mrd_reflector_status things;

	(void)state;
	start(script);
	write_config(server.port, "    token: good\n");
	open_client(1);
	wait_for("( +a +b ) +c -a");
	write_config(server.port, "    token: better\n");
	rig_run_for(100);
	mrd_kube_client_get_resource(client, 0, &things);
	assert_true(things.watching);
	assert_int_equal(things.watches, 1);
}

static void it_may_end_when_it_tells_of_a_change(void **state)
{
	(void)state;
	start(script);
	write_config(server.port, "    token: good\n");
	open_client(1);
	freed_in_change = true;
	while (client)
		rig_run_for(20);
	assert_int_equal(changes, 1);
}

#define CLIENT_TEST(fn) cmocka_unit_test_teardown(fn, close_client)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(objects_are_listed_and_watched),
		CLIENT_TEST(a_kind_that_may_be_missing_does_not_fail),
		CLIENT_TEST(what_settles_is_told_last),
		CLIENT_TEST(without_a_kubeconfig_it_waits_for_one),
		CLIENT_TEST(a_plugin_that_runs_is_no_failure),
		CLIENT_TEST(a_refused_token_is_read_again_and_then_backed_off),
		CLIENT_TEST(a_refused_token_that_is_old_costs_no_wait),
		CLIENT_TEST(a_server_that_is_lost_is_told_and_comes_back),
		CLIENT_TEST(who_waits_is_told_that_the_server_answers),
		CLIENT_TEST(another_server_is_listed_anew),
		CLIENT_TEST(another_token_leaves_the_watch_alone),
		CLIENT_TEST(it_may_end_when_it_tells_of_a_change),
	};

	return cmocka_run_group_tests_name("kube/client", tests, rig_set_up, rig_tear_down);
}
