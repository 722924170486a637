/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/verb_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "ctl/arguments.h"
#include "ctl/idle_rules.h"
#include "ctl/offline.h"
#include "plan/plan_json.h"
#include "plan/plan_text.h"

static const char usage[] =
	"usage: meridianctl plan --state NAME=DIR[,region=R][,home]... [--policy FILE]...\n"
	"                        --from R[/Z[/S]]|POD-IP [--node NAME] [--service NS/NAME]\n"
	"                        [--ejected IP[:PORT],...] [--config FILE] [-o text|json]\n"
	"\n"
	"Prints the plan that the agent of a node would write, without agent, kernel or root.\n"
	"\n"
	"  --state     a cluster's objects: a folder of manifests, or one file. The first is home\n"
	"              unless one says home; region is for endpoints whose node has none\n"
	"  --policy    a file or folder; may be given several times\n"
	"  --from      where the node is, or a pod of it; without it the labels of --node decide\n"
	"  --node      its name, which internalTrafficPolicy: Local and hints ask for\n"
	"  --service   this one alone\n"
	"  --ejected   endpoints that are taken to be ejected; without a port, at every port\n"
	"  --config    takes clusters, policy and node from the agent's configuration; options go\n"
	"              before it: a state in the place of the cluster of its name\n"
	"\n"
	"Exit status: 0 good, 1 an input is broken or the service is not there, 2 wrong usage.\n";

/* Plans in the order of their names. */
struct plans {
	struct mrd_plan **plans;
	size_t count;
	size_t room;
};

static void plans_cleanup(struct plans *plans)
{
	for (size_t i = 0; i < plans->count; i++)
		mrd_plan_free(plans->plans[i]);
	free(plans->plans);
}

static int compare_plans(const void *left, const void *right)
{
	const struct mrd_plan *a = *(struct mrd_plan *const *)left;
	const struct mrd_plan *b = *(struct mrd_plan *const *)right;
	const int order = strcmp(a->namespace_, b->namespace_);

	return order ? order : strcmp(a->service, b->service);
}

/* -ENOENT: none of ours, and nothing was added. */
static int add_plan(const struct mrd_offline *offline, const char *key, struct plans *plans)
{
	const char *slash = strchr(key, '/');
	MRD_AUTO_FREE char *namespace_ = strndup(key, (size_t)(slash - key));
	struct mrd_view *view;
	int r;

	if (!namespace_)
		return -ENOMEM;
	if (plans->count == plans->room) {
		const size_t room = plans->room ? plans->room * 2 : 1;
		struct mrd_plan **grown = reallocarray(plans->plans, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		plans->plans = grown;
		plans->room = room;
	}
	r = mrd_model_view(offline->model, namespace_, slash + 1, &view);
	if (r)
		return r;
	r = mrd_plan_make(view, offline->model, offline->policy, &offline->node,
			  &offline->ejections, &plans->plans[plans->count]);
	mrd_view_free(view);
	plans->count += !r;
	return r;
}

/* A model that was just filled calls every service dirty. */
static int add_all(const struct mrd_offline *offline, struct plans *plans)
{
	const char *key;

	while ((key = mrd_model_next_dirty(offline->model))) {
		const int r = add_plan(offline, key, plans);

		if (r && r != -ENOENT)
			return r;
	}
	if (plans->count)
		qsort(plans->plans, plans->count, sizeof(*plans->plans), compare_plans);
	return 0;
}

static int print(const struct mrd_offline *offline, const struct plans *plans, FILE *out, FILE *err)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	if (offline->arguments->json)
		mrd_plans_json(&offline->node, plans->plans, plans->count, &text);
	for (size_t i = 0; !offline->arguments->json && i < plans->count; i++) {
		mrd_strbuf_addf(&text, "%s", i ? "\n" : "");
		mrd_plan_text(plans->plans[i], &text);
	}
	if (text.failed)
		return mrd_ctl_no_memory(err);
	fputs(text.text ? text.text : "", out);
	return mrd_ctl_flush(out, err);
}

/* As check tells them: a configuration names all of the policy, and the state that it is for. */
static void tell_idle_rules(const struct mrd_offline *offline, FILE *err)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	if (!offline->arguments->config || offline->arguments->service)
		return;
	mrd_idle_rules(offline->config, offline->policy, offline->model, &diag);
	mrd_diag_sort(&diag);
	mrd_diag_print(&diag, err);
}

int mrd_ctl_plan(int argc, char **argv, FILE *out, FILE *err)
{
	MRD_AUTO_ARGUMENTS struct mrd_arguments arguments = {0};
	MRD_AUTO_OFFLINE struct mrd_offline offline = {0};
	MRD_CLEANUP(plans_cleanup) struct plans plans = {0};
	int status = mrd_arguments_read(argc, argv, false, err, &arguments);
	int r;

	if (status != MRD_EXIT_GOOD)
		return status;
	if (arguments.help) {
		fputs(usage, out);
		return MRD_EXIT_GOOD;
	}
	if (arguments.rest_count)
		return mrd_ctl_usage(err, "unexpected argument", arguments.rest[0]);
	status = mrd_offline_open(&arguments, err, &offline);
	if (status != MRD_EXIT_GOOD)
		return status;
	tell_idle_rules(&offline, err);
	r = arguments.service ? add_plan(&offline, arguments.service, &plans)
			      : add_all(&offline, &plans);
	if (r == -ENOENT)
		fprintf(err, "meridianctl: %s has no Service %s with an address to serve\n",
			offline.config->clusters[offline.config->home].name, arguments.service);
	else if (r)
		fprintf(err, "meridianctl: %s\n", strerror(-r));
	return r ? MRD_EXIT_BAD_NEWS : print(&offline, &plans, out, err);
}
