/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "ctl/client.h"
#include "dataplane/dataplane.h"
#include "dataplane/inspect.h"
#include "view/view.h"

enum { REAL_DIGITS = 9 }; /* 33.33 is printed as 33.33 */

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON MRD_CLEANUP(json_cleanup)

/* ---------------------------------------------------------------------------------- printing */

static void print_detached(const json_t *answer, FILE *out)
{
	fprintf(out, "removed %" JSON_INTEGER_FORMAT " links and %" JSON_INTEGER_FORMAT " maps\n",
		json_integer_value(json_object_get(answer, "links")),
		json_integer_value(json_object_get(answer, "maps")));
}

static void print_answer(const struct mrd_ctl_options *options, const json_t *answer, FILE *out)
{
	static void (*const printers[])(const json_t *doc, FILE *out) = {
		[MRD_VERB_STATUS] = mrd_view_print_status,
		[MRD_VERB_SERVICES] = mrd_view_print_services,
		[MRD_VERB_ENDPOINTS] = mrd_view_print_endpoints,
		[MRD_VERB_REGIONS] = mrd_view_print_regions,
		[MRD_VERB_DETACH] = print_detached,
	};

	if (!options->json) {
		printers[options->verb](answer, out);
		return;
	}
	json_dumpf(answer, out, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS));
	fputc('\n', out);
}

static bool any_has(const json_t *list, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(json_object_get(item, key));

		if (text && *text)
			return true;
	}
	return false;
}

bool mrd_ctl_is_bad_news(enum mrd_verb verb, const char *argument, const json_t *answer)
{
	const json_t *agent = json_object_get(answer, "agent");

	if (verb == MRD_VERB_ENDPOINTS || verb == MRD_VERB_SERVICES) /* lists of the verb's name */
		return argument && !json_array_size(json_object_get(answer, mrd_verb_name(verb)));
	if (verb != MRD_VERB_STATUS)
		return false;
	return !json_is_object(agent) || !json_is_object(json_object_get(answer, "kernel")) ||
	       json_is_object(json_object_get(agent, "policy_rejected")) ||
	       any_has(json_object_get(agent, "unwritten"), "error") ||
	       any_has(json_object_get(agent, "rules_rejected"), "rule") ||
	       any_has(json_object_get(answer, "clusters"), "error");
}

/* Of the list of services, the one that was asked for. */
static void keep_service(json_t *list, const char *service)
{
	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *name = json_object_get(json_array_get(list, i), "service");

		if (!json_is_string(name) || strcmp(json_string_value(name), service) != 0)
			json_array_remove(list, i);
	}
}

/* For people, and as a document for who reads documents. */
static int fail(const struct mrd_ctl_options *options, const char *error, FILE *out, FILE *err)
{
	AUTO_JSON json_t *doc = options->json ? json_pack("{s:s}", "error", error) : NULL;

	fprintf(err, "meridianctl: %s\n", error);
	if (doc)
		print_answer(options, doc, out);
	return MRD_EXIT_BAD_NEWS;
}

static int conclude(const struct mrd_ctl_options *options, json_t *answer, FILE *out, FILE *err)
{
	const json_t *error = json_object_get(answer, "error");

	if (json_is_string(error))
		return fail(options, json_string_value(error), out, err);
	if (options->verb == MRD_VERB_SERVICES && options->argument)
		keep_service(json_object_get(answer, "services"), options->argument);
	print_answer(options, answer, out);
	if (mrd_ctl_flush(out, err) != MRD_EXIT_GOOD)
		return MRD_EXIT_BAD_NEWS;
	if (!mrd_ctl_is_bad_news(options->verb, options->argument, answer))
		return MRD_EXIT_GOOD;
	if (options->argument)
		fprintf(err, "meridianctl: the kernel holds no %s %s\n",
			options->verb == MRD_VERB_ENDPOINTS ? "endpoint of" : "service",
			options->argument);
	return MRD_EXIT_BAD_NEWS;
}

/* --------------------------------------------------------------------------- without an agent */

/* Nothing is pinned: a document all the same for who reads documents, of the verb's shape. */
static int show_nothing(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	AUTO_JSON json_t *doc = NULL;

	fprintf(err, "meridianctl: nothing is pinned in %s: no agent has run here\n",
		options->bpffs);
	if (!options->json)
		return MRD_EXIT_BAD_NEWS;
	doc = options->verb == MRD_VERB_STATUS
		      ? json_pack("{s:n, s:[], s:n}", "agent", "clusters", "kernel")
		      : json_pack("{s:[]}", mrd_verb_name(options->verb)); /* its list's name */
	if (doc)
		print_answer(options, doc, out);
	return MRD_EXIT_BAD_NEWS;
}

static int show_unreadable(const struct mrd_ctl_options *options, int error, FILE *out, FILE *err)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	if (error == -ENOENT)
		return show_nothing(options, out, err);
	mrd_strbuf_addf(&text, "the maps in %s ", options->bpffs);
	if (error == -EPROTO)
		mrd_strbuf_addf(&text,
				"are of another ABI version than %d: use the meridianctl of the "
				"agent that made them",
				MRD_ABI_VERSION);
	else
		mrd_strbuf_addf(&text, "cannot be read%s: %s",
				error == -EPERM || error == -EACCES ? " by this user (run as root)"
								    : "",
				strerror(-error));
	return fail(options, text.failed ? "no memory" : text.text, out, err);
}

static json_t *read_kernel(const struct mrd_ctl_options *options, const struct mrd_inspect *inspect)
{
	switch (options->verb) {
	case MRD_VERB_SERVICES:
		return mrd_view_services(inspect);
	case MRD_VERB_ENDPOINTS:
		return mrd_view_endpoints(inspect, options->argument, mrd_clock_ns());
	case MRD_VERB_REGIONS:
		return mrd_view_regions(inspect);
	default:
		return json_pack("{s:n, s:[], s:o}", "agent", "clusters", "kernel",
				 mrd_view_kernel(inspect));
	}
}

static int show_kernel(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	AUTO_JSON json_t *answer = NULL;
	struct mrd_inspect *inspect;
	const int r = mrd_inspect_open(options->bpffs, &inspect);

	if (r < 0)
		return show_unreadable(options, r, out, err);
	answer = read_kernel(options, inspect);
	mrd_inspect_close(inspect);
	if (!answer)
		return fail(options, "the pinned maps cannot be read whole", out, err);
	return conclude(options, answer, out, err);
}

static int detach_kernel(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	MRD_AUTO_STRBUF struct mrd_strbuf held = {0};
	AUTO_JSON json_t *answer = NULL;
	MRD_AUTO_FREE char *error = NULL;
	size_t links, maps;

	/* Not under the feet of an agent that only listens elsewhere. */
	if (mrd_dataplane_is_held(options->bpffs)) {
		mrd_strbuf_addf(&held,
				"an agent holds %s but does not answer on %s: name its socket "
				"with --control, or stop it",
				options->bpffs, options->control);
		return fail(options, held.failed ? "no memory" : held.text, out, err);
	}
	if (mrd_dataplane_detach(options->bpffs, &links, &maps, &error) < 0)
		return fail(options, error ? error : "no memory", out, err);
	answer = json_pack("{s:I, s:I}", "links", (json_int_t)links, "maps", (json_int_t)maps);
	return conclude(options, answer, out, err);
}

/* ------------------------------------------------------------------------------------- verbs */

static void say_unreachable(const struct mrd_ctl_options *options, int error, FILE *err)
{
	const bool absent = error == -ENOENT || error == -ECONNREFUSED;

	fprintf(err, "meridianctl: %s (control socket %s: %s); %s\n",
		absent ? "the agent is not running" : "the agent does not answer", options->control,
		error == -EBADMSG ? "no JSON document" : strerror(-error),
		options->verb == MRD_VERB_DETACH ? "removing what the kernel holds"
						 : "showing what the kernel holds");
}

/* The effective policy is known to the agent alone: its rules are in no map. */
static int show_policy(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	AUTO_JSON json_t *answer = NULL;
	const int r = mrd_client_ask(options->control, "policy", options->argument,
				     MRD_CLIENT_TIMEOUT_MS, &answer);
	const char *error = json_string_value(json_object_get(answer, "error"));
	const char *text = json_string_value(json_object_get(answer, "policy"));

	if (r)
		fprintf(err, "meridianctl: no agent answers (control socket %s: %s)\n",
			options->control, r == -EBADMSG ? "no JSON document" : strerror(-r));
	else if (!text)
		fprintf(err, "meridianctl: %s\n", error ? error : "the agent says no policy");
	if (!text)
		return MRD_EXIT_BAD_NEWS;
	fputs(text, out);
	return mrd_ctl_flush(out, err);
}

static int ask_agent(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	AUTO_JSON json_t *answer = NULL;
	const int timeout_ms =
		options->verb == MRD_VERB_DETACH ? MRD_CLIENT_DETACH_MS : MRD_CLIENT_VIEW_MS;
	const int r = mrd_client_ask(options->control, mrd_verb_name(options->verb),
				     options->argument, timeout_ms, &answer);

	if (r == 0)
		return conclude(options, answer, out, err);
	say_unreachable(options, r, err);
	if (options->verb == MRD_VERB_DETACH)
		return detach_kernel(options, out, err);
	return show_kernel(options, out, err);
}

/* For the pods of a DaemonSet, which must not end. Signals are held from the start: the first
 * process of a container gets only those that it asks for. */
static int ask_and_stay(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	sigset_t ends;
	int status, signal_number;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	status = ask_agent(options, out, err);
	if (status == MRD_EXIT_GOOD)
		sigwait(&ends, &signal_number);
	return status;
}

int mrd_ctl_run(const struct mrd_ctl_options *options, FILE *out, FILE *err)
{
	if (options->verb == MRD_VERB_HELP) {
		mrd_ctl_print_help(out);
		return MRD_EXIT_GOOD;
	}
	if (options->verb == MRD_VERB_VERSION) {
		fprintf(out, "meridianctl %s, map ABI %d\n", MRD_VERSION, MRD_ABI_VERSION);
		return MRD_EXIT_GOOD;
	}
	if (options->yaml)
		return show_policy(options, out, err);
	return options->stay ? ask_and_stay(options, out, err) : ask_agent(options, out, err);
}
