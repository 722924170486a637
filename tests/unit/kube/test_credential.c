/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/credential.h"

#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "kube/plugin.h"
#include "rig.h"

#define SECRET "hunter2"
#define SERVER "    server: https://10.0.0.1:6443\n"
/* Whatever begins so is PEM enough for who does not open it. */
#define PEM(text) "-----BEGIN CERTIFICATE-----\n" text "\n"
#define V1	  "client.authentication.k8s.io/v1"
#define ANSWER(status) \
	"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":" status "}"

static struct mrd_credential *credential;
static unsigned int changes;
static unsigned int findings;
static bool changed;

static void on_change(void *self)
{
	(void)self;
	changes++;
	changed = true;
	assert_null(strstr(mrd_credential_error(credential), SECRET));
}

static void on_findings(void *self, const struct mrd_diag *diag)
{
	(void)self;
	assert_true(diag->count > 0);
	findings++;
}

static void open_credential(void)
{
	const struct mrd_kube_where where = {.kubeconfig = rig_path("config"), .context = ""};

	changes = findings = 0;
	changed = false;
	assert_int_equal(
		mrd_credential_new(rig_loop, &where, on_change, on_findings, NULL, &credential), 0);
}

static void wait_for_change(void)
{
	rig_run_until(&changed);
	changed = false;
}

/* The token that a request would carry; NULL: none can be sent. */
static const char *token(void)
{
	struct mrd_credential_now now;

	return mrd_credential_get(credential, mrd_clock_ns(), &now) ? NULL : now.token;
}

static uint64_t generation(void)
{
	struct mrd_credential_now now;

	assert_int_equal(mrd_credential_get(credential, mrd_clock_ns(), &now), 0);
	return now.generation;
}

static int close_credential(void **state)
{
	(void)state;
	mrd_credential_free(credential);
	credential = NULL;
	return 0;
}

/* ------------------------------------------------------------------------ files */

static void a_token_file_that_is_replaced_takes_effect(void **state)
{
	(void)state;
	rig_write("token", "first\n");
	rig_kubeconfig("config", SERVER, "    tokenFile: token\n");
	open_credential();
	wait_for_change(); /* it is ready */
	assert_string_equal(token(), "first");
	assert_int_equal(generation(), 1);
	rig_replace("token", "second\n");
	wait_for_change();
	assert_string_equal(token(), "second");
	assert_int_equal(generation(), 2);
	rig_replace("token", "second\n"); /* the same once more is no change */
	rig_run_for(50);
	assert_int_equal(generation(), 2);
	assert_int_equal(changes, 2);
}

/* As kubelet does it: ..data is a link to a folder, and is replaced. */
static void a_token_in_a_volume_that_is_replaced_takes_effect(void **state)
{
	char data[128];

	(void)state;
	mkdir(rig_path("v"), 0700);
	mkdir(rig_path("v/..1"), 0700);
	mkdir(rig_path("v/..2"), 0700);
	rig_write("v/..1/token", "first");
	rig_write("v/..2/token", "second");
	assert_int_equal(symlink("..1", rig_path("v/..data")), 0);
	assert_int_equal(symlink("..data/token", rig_path("v/token")), 0);
	rig_kubeconfig("config", SERVER, "    tokenFile: v/token\n");
	open_credential();
	wait_for_change();
	assert_string_equal(token(), "first");
	assert_int_equal(symlink("..2", rig_path("v/..new")), 0);
	snprintf(data, sizeof(data), "%s", rig_path("v/..data"));
	assert_int_equal(rename(rig_path("v/..new"), data), 0);
	wait_for_change();
	assert_string_equal(token(), "second");
}

static void certificates_come_from_files(void **state)
{
	struct mrd_credential_now now;

	(void)state;
	rig_write("ca.crt", PEM("authority"));
	rig_write("me.crt", PEM("me"));
	rig_write("me.key", PEM("key"));
	rig_kubeconfig("config", SERVER "    certificate-authority: ca.crt\n",
		       "    client-certificate: me.crt\n    client-key: me.key\n");
	open_credential();
	assert_int_equal(mrd_credential_get(credential, mrd_clock_ns(), &now), 0);
	assert_string_equal(now.ca, PEM("authority"));
	assert_string_equal(now.certificate, PEM("me"));
	assert_string_equal(now.key, PEM("key"));
	assert_int_equal(now.key_len, strlen(PEM("key")));
	assert_string_equal(now.token, "");
	wait_for_change();
	rig_write("ca.crt", PEM("another"));
	wait_for_change();
	assert_int_equal(mrd_credential_get(credential, mrd_clock_ns(), &now), 0);
	assert_string_equal(now.ca, PEM("another"));
	assert_int_equal(now.generation, 2);
}

static void a_kubeconfig_may_change_and_come_later(void **state)
{
	(void)state;
	unlink(rig_path("config"));
	open_credential();
	assert_null(token());
	wait_for_change();
	assert_non_null(strstr(mrd_credential_error(credential), "cannot be read: No such file"));
	assert_int_equal(findings, 1);
	rig_kubeconfig("config", SERVER, "    token: first\n");
	wait_for_change();
	assert_string_equal(token(), "first");
	assert_string_equal(mrd_credential_error(credential), "");
	rig_kubeconfig("config", SERVER "    tls-server-name: a\n", "    token: first\n");
	wait_for_change();
	assert_int_equal(generation(), 2); /* not only secrets count */
}

static const struct broken_row {
	const char *name;
	const char *cluster;
	const char *user;
	const char *file; /* its content is written to "file" */
	const char *error;
} broken_rows[] = {
	{.name = "no URL",
	 .cluster = "    server: 'a b'\n",
	 .user = "    token: " SECRET "\n",
	 .error = "clusters[0].cluster.server: must be a URL"},
	{.name = "no file",
	 .cluster = SERVER,
	 .user = "    tokenFile: nowhere\n",
	 .error = "/nowhere: No such file or directory"},
	{.name = "an empty file",
	 .cluster = SERVER,
	 .user = "    tokenFile: file\n",
	 .file = "\n",
	 .error = "/file: its token must be one line"},
	{.name = "two lines in a file",
	 .cluster = SERVER,
	 .user = "    tokenFile: file\n",
	 .file = SECRET "\nX-Header: a\n",
	 .error = "/file: its token must be one line"},
	{.name = "two lines in the kubeconfig",
	 .cluster = SERVER,
	 .user = "    token: \"" SECRET "\\r\\nX-Header: a\"\n",
	 .error = "/config: its token must be one line"},
	{.name = "an authority that is none",
	 .cluster = SERVER "    certificate-authority: file\n",
	 .user = "    token: " SECRET "\n",
	 .file = SECRET,
	 .error = "/file: has no PEM block"},
};

static void what_cannot_be_read_leaves_the_last_good_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken_rows) / sizeof(broken_rows[0]); i++) {
		const struct broken_row *row = &broken_rows[i];

		print_message("%s\n", row->name);
		rig_kubeconfig("config", SERVER, "    token: good\n");
		open_credential();
		wait_for_change();
		if (row->file)
			rig_write("file", row->file);
		rig_kubeconfig("config", row->cluster, row->user);
		wait_for_change();
		print_message("  %s\n", mrd_credential_error(credential));
		assert_non_null(strstr(mrd_credential_error(credential), row->error));
		assert_string_equal(token(), "good");
		rig_kubeconfig("config", SERVER, "    token: better\n");
		wait_for_change();
		assert_string_equal(mrd_credential_error(credential), "");
		assert_string_equal(token(), "better");
		close_credential(NULL);
	}
}

static void findings_are_told_once(void **state)
{
	(void)state;
	rig_kubeconfig("config", SERVER "    insecure-skip-tls-verify: true\n", "    token: a\n");
	open_credential();
	assert_int_equal(findings, 1);
	rig_kubeconfig("config", SERVER "    insecure-skip-tls-verify: true\n", "    token: b\n");
	wait_for_change();
	rig_run_for(50);
	assert_string_equal(token(), "b");
	assert_int_equal(findings, 1);
}

static void a_refused_credential_is_read_again_once(void **state)
{
	(void)state;
	rig_kubeconfig("config", SERVER, "    token: a\n");
	open_credential();
	assert_false(mrd_credential_refuse(credential, 1)); /* it is still the same */
	assert_false(mrd_credential_refuse(credential, 1));
	assert_string_equal(token(), "a");
	close_credential(NULL);

	open_credential();
	rig_kubeconfig("config", SERVER, "    token: b\n");
	assert_true(mrd_credential_refuse(credential, 1)); /* no event of the loop was needed */
	assert_string_equal(token(), "b");
	assert_int_equal(generation(), 2);
	assert_true(mrd_credential_refuse(credential, 1)); /* there is a newer one already */
}

/* ------------------------------------------------------------------------ plugins */

static void write_plugin(const char *body)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text, "#!/bin/sh\n%s\n", body);
	rig_replace("plugin", text.text);
	assert_int_equal(chmod(rig_path("plugin"), 0700), 0);
}

struct run {
	struct mrd_plugin_answer answer;
	char *error;
	bool done;
};

static void on_done(void *self, const char *error, struct mrd_plugin_answer *answer)
{
	struct run *run = self;

	run->error = strdup(error);
	run->answer = *answer;
	*answer = (struct mrd_plugin_answer){0};
	run->done = true;
}

static void clear_run(struct run *run)
{
	free(run->error);
	mrd_plugin_answer_free(&run->answer);
}

static struct mrd_kube_env variables[] = {{.name = (char *)"GREETING", .value = (char *)"hello"},
					  {.name = (char *)"HOME", .value = (char *)"/new"}};

static int start_plugin(struct mrd_kube_exec *exec, uint64_t timeout_ms, struct run *run,
			struct mrd_plugin **ret_plugin)
{
	struct mrd_kube_access access = {.server = (char *)"https://10.0.0.1:6443",
					 .tls_server_name = (char *)"",
					 .proxy_url = (char *)"",
					 .exec = exec};
	const struct mrd_secret ca = {.data = (char *)"pem", .len = 3};

	return mrd_plugin_start(rig_loop, &access, &ca, timeout_ms, on_done, run, ret_plugin);
}

static struct mrd_kube_exec exec_of(char *command, char **args)
{
	return (struct mrd_kube_exec){
		.api_version = (char *)V1,
		.command = command,
		.args = args,
		.env = variables,
		.env_count = 2,
		.provide_cluster_info = true,
		.install_hint = (char *)"",
	};
}

/* A descriptor that would outlive an exec, as libcurl's do. */
enum { LEFT_OPEN = 99 };
#define LEFT_OPEN_TEXT "99"

static const struct plugin_row {
	const char *name;
	const char *body;
	const char *error; /* the end of it; NULL: there is none */
	const char *token;
	const char *certificate;
	uint64_t expires_wall_ms;
	uint64_t timeout_ms; /* 0: longer than it takes */
} plugin_rows[] = {
	{.name = "a token",
	 .body = "printf %s '" ANSWER("{\"token\":\"" SECRET "\"}") "'",
	 .token = SECRET},
	{.name = "YAML",
	 .body = "printf 'apiVersion: " V1 "\\nkind: ExecCredential\\nstatus: {token: t}\\n'",
	 .token = "t"},
	{.name = "a certificate that expires",
	 .body = "printf %s '" ANSWER(
		 "{\"clientCertificateData\":\"c\\nd\",\"clientKeyData\":\"k\","
		 "\"expirationTimestamp\":\"2026-11-26T14:20:01Z\"}") "'",
	 .certificate = "c\nd",
	 .expires_wall_ms = 1795702801000},
	{.name = "a time with zone and fraction",
	 .body = "printf %s '" ANSWER("{\"token\":\"t\",\"expirationTimestamp\":"
				      "\"2026-11-26T15:50:01.123+01:30\"}") "'",
	 .token = "t",
	 .expires_wall_ms = 1795702801000},
	{.name = "arguments, variables, and nothing to read",
	 .body = "read x && exit 9\n[ \"$1 $2 $GREETING $HOME\" = 'one  hello /new' ] || exit 8\n"
		 "printf %s '" ANSWER("{\"token\":\"t\"}") "'",
	 .token = "t"},
	{.name = "what it is told",
	 .body = "case $KUBERNETES_EXEC_INFO in '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
		 "\",\"spec\":{\"interactive\":false,\"cluster\":{\"insecure-skip-tls-verify\":"
		 "false,\"server\":\"https://10.0.0.1:6443\",\"certificate-authority-data\":"
		 "\"cGVt\"}}}') printf %s '" ANSWER("{\"token\":\"t\"}") "';; esac",
	 .token = "t"},
	{.name = "what it started lives on with its output",
	 .body = "sleep 60 &\nprintf %s '" ANSWER("{\"token\":\"t\"}") "'",
	 .token = "t"},
	{.name = "nothing is open but what is its own",
	 .body = "[ -e /proc/self/fd/" LEFT_OPEN_TEXT
		 " ] && exit 7\nprintf %s '" ANSWER("{\"token\":\"t\"}") "'",
	 .token = "t"},
	{.name = "its errors are not repeated",
	 .body = "echo " SECRET " >&2; echo " SECRET "; exit 3",
	 .error = "it failed with exit status 3"},
	{.name = "a signal", .body = "kill -9 $$", .error = "it was ended by signal 9"},
	{.name = "nothing", .body = ":", .error = "its answer is no JSON"},
	{.name = "garbage", .body = "echo '{" SECRET ": ['", .error = "its answer is no JSON"},
	{.name = "bytes",
	 .body = "head -c 300 /dev/urandom; printf '\\000'",
	 .error = "its answer is no JSON"},
	{.name = "another kind",
	 .body = "echo '{\"apiVersion\":\"" V1 "\",\"kind\":\"Status\",\"status\":{}}'",
	 .error = "its answer is no ExecCredential"},
	{.name = "another version",
	 .body = "echo '{\"apiVersion\":\"" V1
		 "beta1\",\"kind\":\"ExecCredential\",\"status\":{}}'",
	 .error = "its answer has another apiVersion than it was asked for"},
	{.name = "no status",
	 .body = "printf %s '" ANSWER("null") "'",
	 .error = "its answer has no status"},
	{.name = "no credential",
	 .body = "printf %s '" ANSWER("{\"token\":\"\"}") "'",
	 .error = "its answer has neither token nor certificate"},
	{.name = "a certificate without key",
	 .body = "printf %s '" ANSWER("{\"token\":\"t\",\"clientCertificateData\":\"" SECRET
				      "\"}") "'",
	 .error = "its answer has one of certificate and key without the other"},
	{.name = "a token that is a list",
	 .body = "printf %s '" ANSWER("{\"token\":[\"" SECRET "\"]}") "'",
	 .error = "a part of its answer's status is no text"},
	{.name = "a token of two lines",
	 .body = "printf %s '" ANSWER("{\"token\":\"a\\nb\"}") "'",
	 .error = "its answer's token must be one line"},
	{.name = "a time that is none",
	 .body = "printf %s '" ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}") "'",
	 .error = "its answer's expirationTimestamp is no time"},
	{.name = "no end", .body = "yes", .error = "its answer is too long"},
	{.name = "no answer",
	 .body = "sleep 60",
	 .timeout_ms = 200,
	 .error = "no answer within 0.2 s"},
};

static void plugins_answer_or_are_refused(void **state)
{
	(void)state;
	assert_int_equal(dup2(STDERR_FILENO, LEFT_OPEN), LEFT_OPEN);
	for (size_t i = 0; i < sizeof(plugin_rows) / sizeof(plugin_rows[0]); i++) {
		const struct plugin_row *row = &plugin_rows[i];
		char *args[] = {(char *)"one", (char *)"", NULL};
		struct mrd_kube_exec exec = exec_of((char *)rig_path("plugin"), args);
		struct mrd_plugin *plugin;
		struct run run = {0};

		print_message("%s\n", row->name);
		write_plugin(row->body);
		assert_int_equal(start_plugin(&exec, row->timeout_ms ? row->timeout_ms : 10000,
					      &run, &plugin),
				 0);
		assert_false(run.done);
		rig_run_until(&run.done);
		print_message("  %s\n", run.error);
		assert_null(strstr(run.error, SECRET));
		if (row->error)
			assert_non_null(strstr(run.error, row->error));
		else
			assert_string_equal(run.error, "");
		if (row->error)
			assert_non_null(strstr(run.error, exec.command));
		assert_string_equal(run.answer.token.data ? run.answer.token.data : "",
				    row->token ? row->token : "");
		assert_string_equal(run.answer.certificate.data ? run.answer.certificate.data : "",
				    row->certificate ? row->certificate : "");
		assert_int_equal(run.answer.expires_wall_ms, row->expires_wall_ms);
		clear_run(&run);
	}
	close(LEFT_OPEN);
}

static void a_plugin_that_is_not_there_is_told_at_once(void **state)
{
	char *args[] = {NULL};
	struct mrd_kube_exec exec = exec_of((char *)"mrd-no-such-plugin", args);
	struct mrd_plugin *plugin = NULL;
	struct run run = {0};

	(void)state;
	assert_int_equal(start_plugin(&exec, 10000, &run, &plugin), -ENOENT);
	assert_null(plugin);
	assert_false(run.done);
}

/* With all that it has started. */
static void a_plugin_ends_with_who_wants_it(void **state)
{
	char *args[] = {NULL};
	struct mrd_kube_exec exec = exec_of((char *)rig_path("plugin"), args);
	struct mrd_plugin *plugin;
	struct run run = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf body = {0};

	(void)state;
	mrd_strbuf_addf(&body, "(while :; do date +%%N >%s; done) & wait", rig_path("alive"));
	write_plugin(body.text);
	assert_int_equal(start_plugin(&exec, 10000, &run, &plugin), 0);
	for (int i = 0; i < 200 && access(rig_path("alive"), F_OK); i++)
		rig_run_for(20);
	mrd_plugin_free(plugin);
	rig_run_for(20);
	assert_int_equal(unlink(rig_path("alive")), 0);
	rig_run_for(100);
	assert_int_not_equal(access(rig_path("alive"), F_OK), 0);
	assert_false(run.done);
}

/* ------------------------------------------------------------------------ plugins in use */

#define EXEC                                                                                      \
	"    exec: {apiVersion: " V1 ", command: ./plugin, interactiveMode: Never, installHint: " \
	"get it}\n"

/* Answers run-1, run-2, …, each for so many seconds (-1: for ever). */
static void write_counter(int life_s)
{
	MRD_AUTO_STRBUF struct mrd_strbuf body = {0};
	char expiry[96] = "";

	unlink(rig_path("count"));
	if (life_s >= 0)
		snprintf(expiry, sizeof(expiry),
			 ",\\\"expirationTimestamp\\\":\\\"$(date -u -d '+%d seconds' "
			 "+%%Y-%%m-%%dT%%H:%%M:%%SZ)\\\"",
			 life_s);
	mrd_strbuf_addf(&body,
			"echo >>%s\nn=$(wc -l <%s)\n"
			"echo \"{\\\"apiVersion\\\":\\\"" V1
			"\\\",\\\"kind\\\":\\\"ExecCredential\\\","
			"\\\"status\\\":{\\\"token\\\":\\\"run-$n\\\"%s}}\"",
			rig_path("count"), rig_path("count"), expiry);
	write_plugin(body.text);
}

static void a_plugin_runs_before_the_first_request(void **state)
{
	(void)state;
	write_counter(-1);
	rig_kubeconfig("config", SERVER, EXEC);
	open_credential();
	assert_null(token()); /* not yet, and nothing waits for it */
	assert_string_equal(mrd_credential_error(credential), "");
	while (!token())
		wait_for_change();
	assert_string_equal(token(), "run-1");
	rig_run_for(100);
	assert_string_equal(token(), "run-1"); /* it is not asked again */
}

static void a_plugin_runs_again_before_its_answer_expires(void **state)
{
	(void)state;
	write_counter(6);
	rig_kubeconfig("config", SERVER, EXEC);
	open_credential();
	while (!token())
		wait_for_change();
	assert_string_equal(token(), "run-1");
	while (!token() || !strcmp(token(), "run-1"))
		wait_for_change();
	assert_string_equal(token(), "run-2");
}

static void an_answer_that_has_expired_is_no_answer(void **state)
{
	(void)state;
	write_counter(0);
	rig_kubeconfig("config", SERVER, EXEC);
	open_credential();
	while (!mrd_credential_error(credential)[0])
		wait_for_change();
	assert_null(token());
	assert_non_null(strstr(mrd_credential_error(credential), "its answer has expired already"));
}

static void a_plugin_that_failed_runs_again_later(void **state)
{
	(void)state;
	write_plugin("exit 1");
	rig_kubeconfig("config", SERVER, EXEC);
	open_credential();
	while (!mrd_credential_error(credential)[0])
		wait_for_change();
	assert_null(token());
	assert_non_null(strstr(mrd_credential_error(credential),
			       "/plugin: it failed with exit status 1: get it"));
	write_counter(-1);
	while (!token())
		wait_for_change();
	assert_string_equal(token(), "run-1");
	assert_string_equal(mrd_credential_error(credential), "");
}

static void a_plugin_runs_again_when_it_is_refused_once(void **state)
{
	(void)state;
	write_counter(-1);
	rig_kubeconfig("config", SERVER, EXEC);
	open_credential();
	while (!token())
		wait_for_change();
	assert_true(mrd_credential_refuse(credential, generation()));
	assert_null(token());
	while (!token())
		wait_for_change();
	assert_string_equal(token(), "run-2");
	assert_false(mrd_credential_refuse(credential, generation()));
	assert_string_equal(token(), "run-2");
}

static void a_token_stands_in_front_of_a_plugin(void **state)
{
	(void)state;
	write_counter(-1);
	rig_kubeconfig("config", SERVER, EXEC "    token: mine\n");
	open_credential();
	assert_string_equal(token(), "mine");
	rig_run_for(100);
	assert_int_not_equal(access(rig_path("count"), F_OK), 0);
}

static void a_credential_may_end_while_its_plugin_runs(void **state)
{
	(void)state;
	write_plugin("sleep 60");
	rig_kubeconfig("config", SERVER, EXEC);
	open_credential();
	assert_null(token());
	rig_run_for(50);
}

#define CREDENTIAL_TEST(fn) cmocka_unit_test_teardown(fn, close_credential)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CREDENTIAL_TEST(a_token_file_that_is_replaced_takes_effect),
		CREDENTIAL_TEST(a_token_in_a_volume_that_is_replaced_takes_effect),
		CREDENTIAL_TEST(certificates_come_from_files),
		CREDENTIAL_TEST(a_kubeconfig_may_change_and_come_later),
		CREDENTIAL_TEST(what_cannot_be_read_leaves_the_last_good_one),
		CREDENTIAL_TEST(findings_are_told_once),
		CREDENTIAL_TEST(a_refused_credential_is_read_again_once),
		cmocka_unit_test(plugins_answer_or_are_refused),
		cmocka_unit_test(a_plugin_that_is_not_there_is_told_at_once),
		cmocka_unit_test(a_plugin_ends_with_who_wants_it),
		CREDENTIAL_TEST(a_plugin_runs_before_the_first_request),
		CREDENTIAL_TEST(a_plugin_runs_again_before_its_answer_expires),
		CREDENTIAL_TEST(an_answer_that_has_expired_is_no_answer),
		CREDENTIAL_TEST(a_plugin_that_failed_runs_again_later),
		CREDENTIAL_TEST(a_plugin_runs_again_when_it_is_refused_once),
		CREDENTIAL_TEST(a_token_stands_in_front_of_a_plugin),
		CREDENTIAL_TEST(a_credential_may_end_while_its_plugin_runs),
	};

	return cmocka_run_group_tests_name("kube/credential", tests, rig_set_up, rig_tear_down);
}
