/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The program's end is an event of its pidfd, so that no SIGCHLD concerns the agent. It is a
 * process group of its own: what it started ends with it. Its answer is read into memory of a fixed
 * place, which is overwritten in the end.
 */
#include "kube/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"

enum { DEATH_MS = 100 }; /* for a killed program to be gone: the kernel needs less than one */

struct mrd_plugin {
	struct mrd_watch *exit_watch;
	struct mrd_watch *out_watch;
	struct mrd_timer *timer;
	pid_t pid;
	int pid_fd;
	int out_fd;
	struct mrd_secret out; /* of MRD_PLUGIN_ANSWER_MAX bytes */
	char *command;
	char *api_version;
	char *hint;
	uint64_t timeout_ms;
	mrd_plugin_fn done;
	void *self;
};

static void free_plugin(struct mrd_plugin **plugin)
{
	mrd_plugin_free(*plugin);
}

/* ------------------------------------------------------------------------ environment */

static void add_member(struct mrd_strbuf *json, const char *name, const char *text)
{
	if (!text[0])
		return;
	mrd_strbuf_addf(json, ",\"%s\":", name);
	mrd_strbuf_add_json(json, text);
}

static void add_cluster(struct mrd_strbuf *json, const struct mrd_kube_access *access,
			const struct mrd_secret *ca)
{
	mrd_strbuf_addf(json, ",\"cluster\":{\"insecure-skip-tls-verify\":%s",
			access->insecure ? "true" : "false");
	add_member(json, "server", access->server);
	add_member(json, "tls-server-name", access->tls_server_name);
	add_member(json, "proxy-url", access->proxy_url);
	if (ca->len) {
		mrd_strbuf_addf(json, ",\"certificate-authority-data\":\"");
		mrd_strbuf_add_base64(json, ca->data, ca->len);
		mrd_strbuf_addf(json, "\"");
	}
	mrd_strbuf_addf(json, "}");
}

/* What the plugin is told, as a variable. */
static char *exec_info(const struct mrd_kube_access *access, const struct mrd_secret *ca)
{
	MRD_AUTO_STRBUF struct mrd_strbuf json = {0};

	mrd_strbuf_addf(&json, "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":");
	mrd_strbuf_add_json(&json, access->exec->api_version);
	mrd_strbuf_addf(&json, ",\"spec\":{\"interactive\":false");
	if (access->exec->provide_cluster_info)
		add_cluster(&json, access, ca);
	mrd_strbuf_addf(&json, "}}");
	return mrd_strbuf_steal(&json);
}

static bool is_replaced(const struct mrd_kube_exec *exec, const char *variable)
{
	const size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < exec->env_count; i++)
		if (!strncmp(exec->env[i].name, variable, len) && !exec->env[i].name[len])
			return true;
	return !strncmp("KUBERNETES_EXEC_INFO=", variable, len + 1);
}

struct environment {
	char **all;
	size_t own; /* so many at the start are ours to free */
};

static void free_environment(const struct environment *environment)
{
	for (size_t i = 0; environment->all && i < environment->own; i++)
		mrd_secret_text_free(environment->all[i]);
	free(environment->all);
}

static int make_environment(const struct mrd_kube_access *access, const struct mrd_secret *ca,
			    struct environment *environment)
{
	const struct mrd_kube_exec *exec = access->exec;
	size_t count = 0;

	while (environ[count])
		count++;
	environment->all = calloc(count + exec->env_count + 2, sizeof(*environment->all));
	if (!environment->all)
		return -ENOMEM;
	environment->all[0] = exec_info(access, ca);
	environment->own = 1;
	for (size_t i = 0; i < exec->env_count && environment->all[environment->own - 1]; i++)
		if (asprintf(&environment->all[environment->own++], "%s=%s", exec->env[i].name,
			     exec->env[i].value) < 0)
			environment->all[environment->own - 1] = NULL;
	if (!environment->all[environment->own - 1])
		return -ENOMEM;
	count = environment->own;
	for (char **variable = environ; *variable; variable++)
		if (!is_replaced(exec, *variable))
			environment->all[count++] = *variable;
	return 0;
}

/* ------------------------------------------------------------------------ the program */

/* Not all that libcurl opens closes by itself, and what a plugin leaves behind would keep it open.
 */
static int set_actions(posix_spawn_file_actions_t *actions, int out)
{
	int ret = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	ret = ret ?: posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	ret = ret
		      ?: posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null",
							  O_WRONLY, 0);
	return ret ?: posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

/* The agent blocks signals and ignores some: a plugin shall not. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;
	int ret;

	sigemptyset(&none);
	sigfillset(&all);
	ret = posix_spawnattr_setsigmask(attributes, &none);
	ret = ret ?: posix_spawnattr_setsigdefault(attributes, &all);
	ret = ret ?: posix_spawnattr_setpgroup(attributes, 0);
	return ret
		       ?: posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
								       POSIX_SPAWN_SETSIGDEF |
								       POSIX_SPAWN_SETPGROUP);
}

static int spawn_with(const struct mrd_kube_exec *exec, char **variables, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	size_t count = 0;
	char **argv;
	int ret;

	while (exec->args[count])
		count++;
	argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return -ENOMEM;
	argv[0] = exec->command;
	memcpy(argv + 1, exec->args, count * sizeof(*argv));
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	ret = set_actions(&actions, out);
	ret = ret ?: set_attributes(&attributes);
	ret = ret ?: posix_spawnp(ret_pid, exec->command, &actions, &attributes, argv, variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(argv);
	return -ret;
}

static int spawn(struct mrd_plugin *plugin, const struct mrd_kube_access *access,
		 const struct mrd_secret *ca)
{
	struct environment environment = {0};
	int ends[2];
	int ret;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	plugin->out_fd = ends[0];
	ret = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	ret = ret ?: make_environment(access, ca, &environment);
	ret = ret ?: spawn_with(access->exec, environment.all, ends[1], &plugin->pid);
	close(ends[1]);
	free_environment(&environment);
	if (ret < 0)
		return ret;
	plugin->pid_fd = pidfd_open(plugin->pid, 0);
	return plugin->pid_fd < 0 ? -errno : 0;
}

/* ------------------------------------------------------------------------ its end */

/* Frees the plugin. NULL: it is good. */
static void finish(struct mrd_plugin *plugin, const char *reason, struct mrd_plugin_answer *answer)
{
	struct mrd_plugin_answer none = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf error = {0};
	const mrd_plugin_fn done = plugin->done;
	void *self = plugin->self;

	if (reason)
		mrd_strbuf_addf(&error, "exec plugin %s: %s%s%s", plugin->command, reason,
				plugin->hint[0] ? ": " : "", plugin->hint);
	mrd_plugin_free(plugin);
	if (reason)
		done(self, error.text ? error.text : "exec plugin: out of memory", &none);
	else
		done(self, "", answer);
}

/* false: more than it may say. */
static bool take_output(struct mrd_plugin *plugin)
{
	struct mrd_secret *out = &plugin->out;
	ssize_t got;

	while (out->len < MRD_PLUGIN_ANSWER_MAX) {
		got = read(plugin->out_fd, out->data + out->len, MRD_PLUGIN_ANSWER_MAX - out->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) { /* it ends soon, or lives on with nothing to say */
			mrd_loop_unwatch(plugin->out_watch);
			plugin->out_watch = NULL;
		}
		if (got <= 0)
			return true;
		out->len += (size_t)got;
	}
	return false;
}

static void on_output(void *self, uint32_t epoll_events)
{
	struct mrd_plugin *plugin = self;

	(void)epoll_events;
	if (!take_output(plugin))
		finish(plugin, "its answer is too long", NULL);
}

static void on_exit_of(void *self, uint32_t epoll_events)
{
	struct mrd_plugin *plugin = self;
	struct mrd_plugin_answer answer = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};
	const char *words = NULL;
	siginfo_t info = {0};

	(void)epoll_events;
	if (waitid(P_PIDFD, (id_t)plugin->pid_fd, &info, WEXITED | WNOHANG) < 0 || !info.si_pid)
		return;
	plugin->pid = 0;
	if (!take_output(plugin))
		words = "its answer is too long";
	else if (info.si_code != CLD_EXITED || info.si_status)
		mrd_strbuf_addf(&reason, "%s %d",
				info.si_code == CLD_EXITED ? "it failed with exit status"
							   : "it was ended by signal",
				info.si_status);
	else
		mrd_plugin_answer_read(plugin->out.data, plugin->out.len, plugin->api_version,
				       &words, &answer);
	finish(plugin, reason.text ? reason.text : words, &answer);
	mrd_plugin_answer_free(&answer);
}

static void on_timeout(void *self)
{
	struct mrd_plugin *plugin = self;
	MRD_AUTO_STRBUF struct mrd_strbuf reason = {0};

	mrd_strbuf_addf(&reason, "no answer within %.3g s",
			(double)plugin->timeout_ms / MRD_MS_PER_S);
	finish(plugin, reason.text ? reason.text : "no answer in time", NULL);
}

/* ------------------------------------------------------------------------ start and end */

int mrd_plugin_start(struct mrd_loop *loop, const struct mrd_kube_access *access,
		     const struct mrd_secret *ca, uint64_t timeout_ms, mrd_plugin_fn done,
		     void *self, struct mrd_plugin **ret_plugin)
{
	struct mrd_plugin *plugin MRD_CLEANUP(free_plugin) = calloc(1, sizeof(*plugin));
	int ret;

	if (!plugin)
		return -ENOMEM;
	*plugin = (struct mrd_plugin){
		.pid_fd = -1,
		.out_fd = -1,
		.out.data = calloc(1, MRD_PLUGIN_ANSWER_MAX + 1),
		.command = strdup(access->exec->command),
		.api_version = strdup(access->exec->api_version),
		.hint = strdup(access->exec->install_hint),
		.timeout_ms = timeout_ms,
		.done = done,
		.self = self,
	};
	if (!plugin->out.data || !plugin->command || !plugin->api_version || !plugin->hint)
		return -ENOMEM;
	ret = spawn(plugin, access, ca);
	ret = ret
		      ?: mrd_loop_watch(loop, plugin->pid_fd, EPOLLIN, on_exit_of, plugin,
					&plugin->exit_watch);
	ret = ret
		      ?: mrd_loop_watch(loop, plugin->out_fd, EPOLLIN, on_output, plugin,
					&plugin->out_watch);
	ret = ret ?: mrd_loop_timer(loop, on_timeout, plugin, &plugin->timer);
	ret = ret ?: mrd_timer_set(plugin->timer, mrd_clock_ns() + timeout_ms * MRD_NS_PER_MS);
	if (ret < 0)
		return ret;
	*ret_plugin = MRD_STEAL_PTR(plugin);
	return 0;
}

/* One that does not even die (it hangs in the kernel) stays behind as a zombie: waiting for it
 * would stop the loop. */
static void end_program(const struct mrd_plugin *plugin)
{
	struct pollfd exited = {.fd = plugin->pid_fd, .events = POLLIN};

	kill(-plugin->pid, SIGKILL);
	if (plugin->pid_fd < 0)
		return;
	poll(&exited, 1, DEATH_MS);
	waitid(P_PIDFD, (id_t)plugin->pid_fd, NULL, WEXITED | WNOHANG);
}

void mrd_plugin_free(struct mrd_plugin *plugin)
{
	if (!plugin)
		return;
	mrd_loop_unwatch(plugin->exit_watch);
	mrd_loop_unwatch(plugin->out_watch);
	mrd_timer_free(plugin->timer);
	if (plugin->pid > 0)
		end_program(plugin);
	if (plugin->pid_fd >= 0)
		close(plugin->pid_fd);
	if (plugin->out_fd >= 0)
		close(plugin->out_fd);
	mrd_secret_free(&plugin->out);
	free(plugin->command);
	free(plugin->api_version);
	free(plugin->hint);
	free(plugin);
}
