/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* HTTP/2 as nginx speaks it. */
#include "kube/http.h"

#include "web.h"

enum { LONG_LEN = 16 * 1024 * 1024 };

static pid_t start_nginx(int port)
{
	MRD_AUTO_STRBUF struct mrd_strbuf config = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};
	char folder[128];
	char *argv[] = {(char *)"nginx",      (char *)"-p", folder,	      (char *)"-c",
			(char *)"nginx.conf", (char *)"-e", (char *)"stderr", NULL};
	pid_t pid;

	snprintf(folder, sizeof(folder), "%s/", rig_folder);
	rig_write("good.crt", good.pem);
	rig_write("good.key", good.key_pem);
	mrd_strbuf_addf(&text, "%0100000d", 0); /* takes 100 s */
	rig_write("long", text.text);
	mrd_strbuf_addf(&config,
			"daemon off; master_process off; pid nginx.pid; error_log stderr crit;\n"
			"events {}\n"
			"http { access_log off; client_body_temp_path b; proxy_temp_path p;\n"
			"fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n"
			"server { listen 127.0.0.1:%d ssl http2; root .;\n"
			"ssl_certificate good.crt; ssl_certificate_key good.key;\n"
			"location /big { alias %s; }\n"
			"location /slow { alias %s; limit_rate 1000; }\n"
			"location / { return 200 \"$server_protocol $connection\"; } } }\n",
			port, folder, folder);
	rig_write("nginx.conf", config.text);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also of a test that fails */
		execvp("nginx", argv);
		execv("/usr/sbin/nginx", argv);
		_exit(1);
	}
	return pid;
}

/* It needs a moment to listen. */
static void get_when_up(struct rig *rig, const char *path, struct answer *answer)
{
	for (int tries = 0; tries < 100; tries++) {
		clear(answer);
		get(rig, path, 0, answer);
		rig_run_until(&answer->done);
		if (!strstr(answer->error, "Connection refused"))
			break;
		rig_run_for(50);
	}
	assert_string_equal(answer->error, "");
}

static void over_http2_all_requests_share_a_connection(void **state)
{
	struct side side = {.cert = &good};
	struct answer first = {0};
	struct answer answers[4] = {{0}};
	struct answer slow = {0};
	struct rig rig;
	pid_t pid;

	(void)state;
	close(server_listen(0, &side.port));
	pid = start_nginx(side.port);
	open_rig(&rig, &side);
	get_when_up(&rig, "/", &first);
	assert_memory_equal(first.body.text, "HTTP/2.0 ", 9);
	get(&rig, "/slow/long", 0, &slow);
	for (size_t i = 0; i < 4; i++)
		get(&rig, "/", 0, &answers[i]);
	for (size_t i = 0; i < 4; i++) {
		rig_run_until(&answers[i].done);
		assert_string_equal(answers[i].error, "");
		assert_string_equal(answers[i].body.text, first.body.text);
		clear(&answers[i]);
	}
	assert_false(slow.done);
	close_rig(&rig);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	clear(&first);
	clear(&slow);
}

/* Each has its own pace, and none is forgotten. */
static void over_http2_long_answers_come_side_by_side(void **state)
{
	static char long_text[LONG_LEN + 1];
	struct side side = {.cert = &good};
	struct answer answers[4] = {{0}};
	struct answer slow = {0};
	struct rig rig;
	pid_t pid;

	(void)state;
	memset(long_text, 'x', LONG_LEN);
	rig_write("huge", long_text);
	close(server_listen(0, &side.port));
	pid = start_nginx(side.port);
	open_rig(&rig, &side);
	get_when_up(&rig, "/", &answers[0]);
	clear(&answers[0]);
	get(&rig, "/slow/long", 0, &slow);
	for (size_t i = 0; i < 4; i++)
		get(&rig, "/big/huge", 0, &answers[i]);
	for (size_t i = 0; i < 4; i++) {
		rig_run_until(&answers[i].done);
		assert_string_equal(answers[i].error, "");
		assert_int_equal(answers[i].body.len, LONG_LEN);
		clear(&answers[i]);
	}
	assert_false(slow.done);
	close_rig(&rig);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	clear(&slow);
}

/* A server that has stopped still has its kernel's acknowledgements. */
static void over_http2_a_server_that_has_stopped_is_noticed(void **state)
{
	struct side side = {.cert = &good};
	struct answer answer = {0};
	struct answer slow = {0};
	struct rig rig;
	pid_t pid;

	(void)state;
	close(server_listen(0, &side.port));
	pid = start_nginx(side.port);
	open_rig(&rig, &side);
	mrd_http_set_ping(rig.http, 1000, 1000);
	get_when_up(&rig, "/", &answer);
	clear(&answer);
	get(&rig, "/slow/long", 0, &slow);
	rig_run_for(1500);
	assert_int_equal(slow.head.status, 200);
	assert_false(slow.done); /* it gives signs of life */
	kill(pid, SIGSTOP);
	rig_run_until(&slow.done);
	assert_non_null(strstr(slow.error, "silent for 2 s"));
	kill(pid, SIGCONT);
	get(&rig, "/", 0, &answer);
	rig_run_until(&answer.done);
	assert_string_equal(answer.error, "");
	close_rig(&rig);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	clear(&answer);
	clear(&slow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_http2_all_requests_share_a_connection),
		cmocka_unit_test(over_http2_long_answers_come_side_by_side),
		cmocka_unit_test(over_http2_a_server_that_has_stopped_is_noticed),
	};

	return cmocka_run_group_tests_name("kube/http2", tests, web_set_up, web_tear_down);
}
