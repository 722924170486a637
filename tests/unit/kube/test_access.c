/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "kube/access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

#define SECRET "hunter2" /* wherever a secret stands; no finding may have it */

#define CLUSTER_OF(lines) "clusters:\n- name: east\n  cluster:\n" lines
#define USER_OF(lines)	  "users:\n- name: me\n  user:\n" lines
#define CONTEXT                                                           \
	"contexts:\n- name: main\n  context: {cluster: east, user: me}\n" \
	"current-context: main\n"
#define SERVER "    server: https://10.0.0.1:6443\n"
#define PLAIN  CLUSTER_OF(SERVER)
/* "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n" */
#define PEM64                                                           \
	"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBPT0KLS0tLS1FTkQgQ0VSV" \
	"ElGSUNBVEUtLS0tLQo="
#define EXEC_OF(lines) \
	USER_OF("    exec:\n      apiVersion: client.authentication.k8s.io/v1\n" lines)

static char root[] = "/tmp/mrd-test-access-XXXXXX";
static char file[64];

static void write_config(const char *text)
{
	FILE *out = fopen(file, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int read_config(const char *context, struct mrd_diag *diag, struct mrd_kube_access **access)
{
	const struct mrd_kube_where where = {.kubeconfig = file, .context = context};

	return mrd_kube_access_read(&where, diag, access);
}

static void free_access(struct mrd_kube_access **access)
{
	mrd_kube_access_free(*access);
}
#define AUTO_ACCESS MRD_CLEANUP(free_access)

static void print_diag(const struct mrd_diag *diag)
{
	mrd_diag_print(diag, stdout);
	for (size_t i = 0; i < diag->count; i++)
		assert_null(strstr(diag->findings[i].reason, SECRET));
}

/* The one finding, as "line:column: field: reason". */
static char *only_finding(const struct mrd_diag *diag)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	print_diag(diag);
	assert_int_equal(diag->count, 1);
	mrd_strbuf_addf(&text, "%u:%u: %s: %s", diag->findings[0].line, diag->findings[0].column,
			diag->findings[0].field, diag->findings[0].reason);
	return mrd_strbuf_steal(&text);
}

/* ------------------------------------------------------------------------ what is good */

static const struct good_row {
	const char *name;
	const char *text;
	const char *context;
	const char *server;
	const char *tls_server_name;
	const char *proxy_url;
	const char *ca_path; /* "root/" stands for the kubeconfig's folder */
	const char *token;
	const char *token_file;
	const char *username;
	const char *key_path;
	size_t ca_len;
	size_t certificate_len;
	bool insecure;
	const char *warning; /* part of the only one; NULL: none */
} good_rows[] = {
	{
		.name = "a token, and a slash too many",
		.text = CLUSTER_OF("    server: https://api.example:6443/\n")
			USER_OF("    token: " SECRET "\n") CONTEXT,
		.server = "https://api.example:6443",
		.token = SECRET,
	},
	{
		.name = "a path behind the host is kept (Rancher)",
		.text = CLUSTER_OF("    server: https://api.example/k8s/clusters/c-1/\n")
			USER_OF("    token: " SECRET "\n") CONTEXT,
		.server = "https://api.example/k8s/clusters/c-1",
		.token = SECRET,
	},
	{
		.name = "no scheme is https",
		.text = CLUSTER_OF("    server: api.example:6443\n") USER_OF("    token: t\n")
			CONTEXT,
		.server = "https://api.example:6443",
		.token = "t",
	},
	{
		.name = "IPv6",
		.text = CLUSTER_OF("    server: https://[fd00::1]:6443\n") USER_OF("    token: t\n")
			CONTEXT,
		.server = "https://[fd00::1]:6443",
		.token = "t",
	},
	{
		.name = "certificates as data, and a proxy",
		.text = CLUSTER_OF(SERVER "    certificate-authority-data: " PEM64 "\n"
					  "    tls-server-name: kube.internal\n"
					  "    proxy-url: http://u:" SECRET "@proxy:3128\n")
			USER_OF("    client-certificate-data: " PEM64 "\n"
				"    client-key: keys/me.key\n") CONTEXT,
		.server = "https://10.0.0.1:6443",
		.tls_server_name = "kube.internal",
		.proxy_url = "http://u:" SECRET "@proxy:3128",
		.ca_len = 59,
		.certificate_len = 59,
		.key_path = "root/keys/me.key",
	},
	{
		.name = "files, relative to the kubeconfig and not",
		.text = CLUSTER_OF(SERVER "    certificate-authority: ../ca.crt\n")
			USER_OF("    client-certificate: /etc/me.crt\n"
				"    client-key: /etc/me.key\n"
				"    tokenFile: token\n    token: " SECRET "\n") CONTEXT,
		.server = "https://10.0.0.1:6443",
		.ca_path = "root/../ca.crt",
		.token = SECRET,
		.token_file = "root/token",
		.key_path = "/etc/me.key",
	},
	{
		.name = "basic authentication",
		.text = PLAIN USER_OF("    username: me\n    password: " SECRET "\n") CONTEXT,
		.server = "https://10.0.0.1:6443",
		.username = "me",
	},
	{
		.name = "not verified: a warning",
		.text = CLUSTER_OF(SERVER "    insecure-skip-tls-verify: true\n")
			USER_OF("    token: t\n") CONTEXT,
		.server = "https://10.0.0.1:6443",
		.token = "t",
		.insecure = true,
		.warning = "5:31: clusters[0].cluster.insecure-skip-tls-verify: the server is not "
			   "verified",
	},
	{
		.name = "not encrypted: a warning",
		.text = CLUSTER_OF("    server: http://localhost:8001\n") USER_OF("    {}\n")
			CONTEXT,
		.server = "http://localhost:8001",
		.warning = "4:13: clusters[0].cluster.server: is not encrypted",
	},
	{
		.name = "another context, whose user is nobody",
		.text = "clusters:\n- {name: a, cluster: {server: 'https://a'}}\n"
			"- {name: b, cluster: {server: 'https://b'}}\n"
			"contexts:\n- {name: a, context: {cluster: a, user: gone}}\n"
			"- {name: b, context: {cluster: b}}\ncurrent-context: a\n",
		.context = "b",
		.server = "https://b",
	},
	{
		.name = "JSON, with what others keep there",
		.text = "{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"preferences\":{},"
			"\"clusters\":"
			"[{\"name\":\"c\",\"cluster\":{\"server\":\"https://"
			"c\",\"extensions\":[]}}],"
			"\"users\":null,\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":"
			"\"c\","
			"\"namespace\":\"x\"}}],\"current-context\":\"c\"}",
		.server = "https://c",
	},
};

static void assert_text(const char *text, const char *expected)
{
	MRD_AUTO_STRBUF struct mrd_strbuf whole = {0};

	if (expected && !strncmp(expected, "root/", 5)) {
		mrd_strbuf_addf(&whole, "%s%s", root, expected + 4);
		expected = whole.text;
	}
	assert_string_equal(text ? text : "", expected ? expected : "");
}

static void good_files_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++) {
		const struct good_row *row = &good_rows[i];
		struct mrd_kube_access *access AUTO_ACCESS = NULL;
		MRD_AUTO_DIAG struct mrd_diag diag = {0};

		print_message("%s\n", row->name);
		write_config(row->text);
		assert_int_equal(read_config(row->context ? row->context : "", &diag, &access), 0);
		print_diag(&diag);
		assert_text(access->server, row->server);
		assert_text(access->tls_server_name, row->tls_server_name);
		assert_text(access->proxy_url, row->proxy_url);
		assert_text(access->token, row->token);
		assert_text(access->token_file, row->token_file);
		assert_text(access->username, row->username);
		assert_text(access->ca.path, row->ca_path);
		assert_text(access->key.path, row->key_path);
		assert_int_equal(access->ca.len, row->ca_len);
		assert_int_equal(access->certificate.len, row->certificate_len);
		assert_int_equal(access->insecure, row->insecure);
		assert_string_equal(access->file, file);
		if (row->warning) {
			MRD_AUTO_FREE char *warning = only_finding(&diag);

			assert_non_null(strstr(warning, row->warning));
		}
		assert_int_equal(diag.count, row->warning ? 1 : 0);
	}
}

static void a_plugin_is_read(void **state)
{
	struct mrd_kube_access *access AUTO_ACCESS = NULL;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	MRD_AUTO_FREE char *command = NULL;

	(void)state;
	write_config(PLAIN USER_OF("    exec:\n"
				   "      apiVersion: client.authentication.k8s.io/v1beta1\n"
				   "      command: ./bin/login\n"
				   "      args: [get, --cluster=x, '']\n"
				   "      env:\n"
				   "      - {name: A, value: " SECRET "}\n"
				   "      - {name: B, value: ''}\n"
				   "      provideClusterInfo: true\n"
				   "      installHint: fetch it from example\n") CONTEXT);
	assert_int_equal(read_config("", &diag, &access), 0);
	assert_int_equal(diag.count, 0);
	assert_non_null(access->exec);
	assert_true(asprintf(&command, "%s/./bin/login", root) > 0);
	assert_string_equal(access->exec->command, command);
	assert_string_equal(access->exec->api_version, "client.authentication.k8s.io/v1beta1");
	assert_string_equal(access->exec->args[0], "get");
	assert_string_equal(access->exec->args[1], "--cluster=x");
	assert_string_equal(access->exec->args[2], "");
	assert_null(access->exec->args[3]);
	assert_int_equal(access->exec->env_count, 2);
	assert_string_equal(access->exec->env[0].name, "A");
	assert_string_equal(access->exec->env[0].value, SECRET);
	assert_string_equal(access->exec->env[1].value, "");
	assert_true(access->exec->provide_cluster_info);
	assert_string_equal(access->exec->install_hint, "fetch it from example");
}

/* A bare name is looked for in PATH. */
static void a_plugin_without_a_folder_stays_bare(void **state)
{
	struct mrd_kube_access *access AUTO_ACCESS = NULL;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	write_config(PLAIN EXEC_OF("      command: login\n      interactiveMode: Never\n") CONTEXT);
	assert_int_equal(read_config("", &diag, &access), 0);
	assert_string_equal(access->exec->command, "login");
	assert_false(access->exec->provide_cluster_info);
}

/* ------------------------------------------------------------------------ what is not */

static const struct bad_row {
	const char *name;
	const char *text;
	const char *context;
	const char *finding; /* its beginning */
} bad_rows[] = {
	{.name = "nothing", .text = "", .finding = "0:0: : a kubeconfig must be"},
	{.name = "a list", .text = "- a\n", .finding = "1:1: : a kubeconfig must be"},
	{.name = "not YAML", .text = "a: [" SECRET "\n", .finding = "2:1: : "},
	{.name = "another kind",
	 .text = "kind: Pod\n" PLAIN USER_OF("    token: t\n") CONTEXT,
	 .finding = "1:7: kind: must be Config"},
	{.name = "no context", .text = PLAIN, .finding = "1:1: current-context: says nothing"},
	{.name = "an unknown context",
	 .text = PLAIN USER_OF("    token: t\n") CONTEXT,
	 .context = "other",
	 .finding = "10:1: contexts: there is no context named other (there is main)"},
	{.name = "an unknown cluster",
	 .text = "contexts: [{name: a, context: {cluster: b}}]\ncurrent-context: a\n",
	 .finding = "1:1: clusters: there is no cluster named b (there is none)"},
	{.name = "a context without cluster",
	 .text = "contexts: [{name: a, context: {user: b}}]\ncurrent-context: a\n"
		 "users: [{name: b, user: {}}]\n",
	 .finding = "1:31: contexts[0].context.cluster: must name a cluster"},
	{.name = "an unknown user",
	 .text = PLAIN "users: []\n" CONTEXT,
	 .finding = "5:8: users: there is no user named me (there is none)"},
	{.name = "users that are a map",
	 .text = PLAIN "contexts: [{name: a, context: {cluster: east}}]\n"
		       "current-context: {a: b}\n",
	 .context = "",
	 .finding = "6:18: current-context: must be a string"},
	{.name = "no server",
	 .text = CLUSTER_OF("    proxy-url: http://p\n") USER_OF("    token: t\n") CONTEXT,
	 .finding = "4:5: clusters[0].cluster.server: must be a URL"},
	{.name = "a server that is no URL",
	 .text = CLUSTER_OF("    server: 'https://a b'\n") USER_OF("    token: t\n") CONTEXT,
	 .finding = "4:13: clusters[0].cluster.server: must be a URL"},
	{.name = "a server of another scheme",
	 .text = CLUSTER_OF("    server: ftp://a\n") USER_OF("    token: t\n") CONTEXT,
	 .finding = "4:13: clusters[0].cluster.server: must be a URL"},
	{.name = "a password in the server",
	 .text = CLUSTER_OF("    server: https://u:" SECRET "@a\n") USER_OF("    token: t\n")
		 CONTEXT,
	 .finding = "4:13: clusters[0].cluster.server: must be a URL without user"},
	{.name = "a proxy of another scheme",
	 .text = CLUSTER_OF(SERVER "    proxy-url: ftp://u:" SECRET "@p\n")
		 USER_OF("    token: t\n") CONTEXT,
	 .finding =
		 "5:16: clusters[0].cluster.proxy-url: must be a URL with http, https or socks5"},
	{.name = "an authority twice",
	 .text = CLUSTER_OF(SERVER "    certificate-authority: a\n"
				   "    certificate-authority-data: " PEM64 "\n")
		 USER_OF("    token: t\n") CONTEXT,
	 .finding = "6:33: clusters[0].cluster.certificate-authority-data: certificate-authority "
		    "is given as well"},
	{.name = "an authority that is not asked",
	 .text = CLUSTER_OF(SERVER "    certificate-authority: a\n"
				   "    insecure-skip-tls-verify: true\n") USER_OF("    token: t\n")
		 CONTEXT,
	 .finding = "6:31: clusters[0].cluster.insecure-skip-tls-verify: a certificate authority"},
	{.name = "a flag that is none",
	 .text = CLUSTER_OF(SERVER "    insecure-skip-tls-verify: 'yes'\n")
		 USER_OF("    token: t\n") CONTEXT,
	 .finding = "5:31: clusters[0].cluster.insecure-skip-tls-verify: must be true or false"},
	{.name = "a key that is no base64",
	 .text = PLAIN USER_OF("    client-certificate: a\n    client-key-data: '" SECRET "'\n")
		 CONTEXT,
	 .finding = "9:22: users[0].user.client-key-data: is not base64"},
	{.name = "a key that is no PEM",
	 .text = PLAIN USER_OF("    client-certificate: a\n    client-key-data: aHVudGVyMg==\n")
		 CONTEXT,
	 .finding = "9:22: users[0].user.client-key-data: has no PEM block"},
	{.name = "a certificate without key",
	 .text = PLAIN USER_OF("    client-certificate: a\n") CONTEXT,
	 .finding = "8:5: users[0].user.client-key: is missing"},
	{.name = "a key without certificate",
	 .text = PLAIN USER_OF("    client-key: a\n") CONTEXT,
	 .finding = "8:5: users[0].user.client-certificate: is missing"},
	{.name = "token and password",
	 .text = PLAIN USER_OF("    username: a\n    password: " SECRET "\n    token: t\n") CONTEXT,
	 .finding = "8:15: users[0].user.username: a token is given as well"},
	{.name = "a token that is a map",
	 .text = PLAIN USER_OF("    token: {" SECRET ": a}\n") CONTEXT,
	 .finding = "8:12: users[0].user.token: must be a string"},
	{.name = "a user who is two",
	 .text = PLAIN USER_OF("    token: t\n- name: me\n  user: {}\n") CONTEXT,
	 .finding = "9:9: users[1].name: there are two named me"},
	{.name = "a user who is a word",
	 .text = PLAIN "users: [{name: me, user: " SECRET "}]\n" CONTEXT,
	 .finding = "5:26: users[0].user: must be a map"},
	{.name = "impersonation",
	 .text = PLAIN USER_OF("    token: t\n    as: root\n") CONTEXT,
	 .finding = "9:9: users[0].user.as: impersonation is not supported"},
	{.name = "auth-provider",
	 .text = PLAIN USER_OF("    auth-provider: {name: gcp}\n") CONTEXT,
	 .finding = "8:20: users[0].user.auth-provider: is not supported"},
	{.name = "exec of another version",
	 .text = PLAIN USER_OF(
		 "    exec:\n      apiVersion: client.authentication.k8s.io/v1alpha1\n"
		 "      command: a\n") CONTEXT,
	 .finding = "9:19: users[0].user.exec.apiVersion: must be client.authentication"},
	{.name = "exec without command",
	 .text = PLAIN EXEC_OF("      interactiveMode: Never\n") CONTEXT,
	 .finding = "9:7: users[0].user.exec.command: must name a program"},
	{.name = "exec of v1 does not say whether it asks",
	 .text = PLAIN EXEC_OF("      command: a\n") CONTEXT,
	 .finding = "9:7: users[0].user.exec.interactiveMode: must be Never"},
	{.name = "exec that asks",
	 .text = PLAIN EXEC_OF("      command: a\n      interactiveMode: Always\n") CONTEXT,
	 .finding = "11:24: users[0].user.exec.interactiveMode: Always: there is no terminal"},
	{.name = "exec with a variable without a name",
	 .text = PLAIN EXEC_OF("      command: a\n      interactiveMode: Never\n"
			       "      env: [{value: " SECRET "}]\n") CONTEXT,
	 .finding = "12:13: users[0].user.exec.env[0].name: must name a variable"},
	{.name = "exec with an argument that is a list",
	 .text = PLAIN EXEC_OF("      command: a\n      interactiveMode: Never\n"
			       "      args: [[" SECRET "]]\n") CONTEXT,
	 .finding = "12:13: users[0].user.exec.args: item 0 must be a string"},
};

static void bad_files_are_refused_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		const struct bad_row *row = &bad_rows[i];
		struct mrd_kube_access *access AUTO_ACCESS = NULL;
		MRD_AUTO_DIAG struct mrd_diag diag = {0};
		MRD_AUTO_FREE char *finding = NULL;

		print_message("%s\n", row->name);
		write_config(row->text);
		assert_int_equal(read_config(row->context ? row->context : "", &diag, &access),
				 -EBADMSG);
		assert_null(access);
		finding = only_finding(&diag);
		if (strncmp(finding, row->finding, strlen(row->finding)) != 0)
			assert_string_equal(finding, row->finding);
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	struct mrd_kube_access *access AUTO_ACCESS = NULL;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	write_config(CLUSTER_OF("    server: [" SECRET "]\n    insecure-skip-tls-verify: 3\n")
			     USER_OF("    client-key-data: '!'\n    as: a\n") CONTEXT);
	assert_int_equal(read_config("", &diag, &access), -EBADMSG);
	print_diag(&diag);
	assert_int_equal(diag.errors, 5);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct mrd_kube_access *access AUTO_ACCESS = NULL;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	struct mrd_kube_where where = {.kubeconfig = "/nowhere/config", .context = ""};

	(void)state;
	assert_int_equal(mrd_kube_access_read(&where, &diag, &access), -ENOENT);
	where.kubeconfig = root;
	assert_int_equal(mrd_kube_access_read(&where, &diag, &access), -EISDIR);
	where.kubeconfig = "/dev/null";
	assert_int_equal(mrd_kube_access_read(&where, &diag, &access), -EINVAL);
	assert_int_equal(diag.errors, 3);
	assert_string_equal(diag.findings[0].file, "/nowhere/config");
	assert_string_equal(diag.findings[0].reason, "cannot be read: No such file or directory");
}

/* ------------------------------------------------------------------------ where */

static void the_environment_names_the_file(void **state)
{
	const struct mrd_kube_where where = {.kubeconfig = "", .context = "main"};
	struct mrd_kube_where pod = {.in_cluster = true};
	char *path = NULL;

	(void)state;
	setenv("KUBECONFIG", "/some/config", 1);
	assert_int_equal(mrd_kube_where_file(&where, &path), 0);
	assert_string_equal(path, "/some/config");
	free(path);
	unsetenv("KUBECONFIG");
	setenv("HOME", "/home/me", 1);
	assert_int_equal(mrd_kube_where_file(&where, &path), 0);
	assert_string_equal(path, "/home/me/.kube/config");
	free(path);
	path = NULL;
	unsetenv("HOME");
	assert_int_equal(mrd_kube_where_file(&where, &path), -ENOENT);
	assert_int_equal(mrd_kube_where_file(&pod, &path), -ENOENT);
	assert_null(path);
}

static void several_files_are_refused(void **state)
{
	const struct mrd_kube_where where = {.kubeconfig = "", .context = "main"};
	struct mrd_kube_access *access AUTO_ACCESS = NULL;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	(void)state;
	setenv("KUBECONFIG", "/some/config:/other", 1);
	assert_int_equal(mrd_kube_access_read(&where, &diag, &access), -EBADMSG);
	unsetenv("KUBECONFIG");
	assert_non_null(strstr(diag.findings[0].reason, "several files"));
}

static const struct pod_row {
	const char *host;
	const char *port;
	const char *server; /* NULL: refused */
} pod_rows[] = {
	{.host = "172.16.0.1", .port = "443", .server = "https://172.16.0.1:443"},
	{.host = "fd00::1", .port = "6443", .server = "https://[fd00::1]:6443"},
	{.host = "172.16.0.1", .port = "tcp://x"},
	{.host = "172.16.0.1"},
	{.port = "443"},
	{.host = "", .port = ""},
};

static void set_or_unset(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void a_pod_finds_its_server_in_the_environment(void **state)
{
	const struct mrd_kube_where where = {.in_cluster = true};

	(void)state;
	for (size_t i = 0; i < sizeof(pod_rows) / sizeof(pod_rows[0]); i++) {
		const struct pod_row *row = &pod_rows[i];
		struct mrd_kube_access *access AUTO_ACCESS = NULL;
		MRD_AUTO_DIAG struct mrd_diag diag = {0};

		print_message("%s %s\n", row->host, row->port);
		set_or_unset("KUBERNETES_SERVICE_HOST", row->host);
		set_or_unset("KUBERNETES_SERVICE_PORT", row->port);
		if (!row->server) {
			assert_int_equal(mrd_kube_access_read(&where, &diag, &access), -EBADMSG);
			assert_int_equal(diag.errors, 1);
			continue;
		}
		assert_int_equal(mrd_kube_access_read(&where, &diag, &access), 0);
		assert_int_equal(diag.count, 0);
		assert_string_equal(access->server, row->server);
		assert_string_equal(access->token_file,
				    "/var/run/secrets/kubernetes.io/serviceaccount/token");
		assert_string_equal(access->ca.path,
				    "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
		assert_string_equal(access->context, "");
		assert_false(access->insecure);
		assert_null(access->exec);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	snprintf(file, sizeof(file), "%s/config", root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_read),
		cmocka_unit_test(a_plugin_is_read),
		cmocka_unit_test(a_plugin_without_a_folder_stays_bare),
		cmocka_unit_test(bad_files_are_refused_with_their_place),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(the_environment_names_the_file),
		cmocka_unit_test(several_files_are_refused),
		cmocka_unit_test(a_pod_finds_its_server_in_the_environment),
	};

	return cmocka_run_group_tests_name("kube/access", tests, set_up, tear_down);
}
