/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * With --state the files are explained; without, the agent is asked, and --config says no more than
 * where its socket is.
 */
#include "ctl/verb_explain.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "ctl/arguments.h"
#include "ctl/client.h"
#include "ctl/offline.h"
#include "plan/explain.h"
#include "view/view_explain.h"

static const char usage[] =
	"usage: meridianctl explain NS/NAME[:PORT] [--from POD-IP|R[/Z[/S]]] [--control PATH]\n"
	"       meridianctl explain NS/NAME[:PORT] --state NAME=DIR[,region=R][,home]...\n"
	"                        [--policy FILE]... --from POD-IP|R[/Z[/S]] [--node NAME]\n"
	"                        [--ejected IP[:PORT],...] [--config FILE] [-o text|json]\n"
	"\n"
	"Says why the traffic of a service goes where it goes: the rules, tiers, health, shares,\n"
	"and what would change them. The first form asks the agent of this node; --from then is\n"
	"the address of a pod, or the locality of another node. The second reads files, as plan\n"
	"does. --control and --config name the agent's socket; --config with --state is read\n"
	"whole.\n"
	"\n"
	"Exit status: 0 good; 1 no such service, or it cannot be found out; 2 wrong usage.\n";

enum { REAL_DIGITS = 15 };

static void json_cleanup(json_t **json)
{
	json_decref(*json);
}

static int print(const struct mrd_arguments *arguments, const json_t *doc, FILE *out, FILE *err)
{
	if (!doc)
		return mrd_ctl_no_memory(err);
	if (!arguments->json) {
		mrd_view_print_explain(doc, out);
		return mrd_ctl_flush(out, err);
	}
	json_dumpf(doc, out, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS));
	fputc('\n', out);
	return mrd_ctl_flush(out, err);
}

/* -------------------------------------------------------------------------------------- files */

static int explain_files(const struct mrd_arguments *arguments,
			 const struct mrd_explain_target *target, FILE *out, FILE *err)
{
	MRD_AUTO_OFFLINE struct mrd_offline offline = {0};
	MRD_CLEANUP(json_cleanup) json_t *doc = NULL;
	struct mrd_explanation *explanation;
	int status = mrd_offline_open(arguments, err, &offline);
	int r;

	if (status != MRD_EXIT_GOOD)
		return status;
	r = mrd_explain_make(
		&(struct mrd_explain_input){
			.target = target,
			.model = offline.model,
			.policy = offline.policy,
			.node = &offline.node,
			.ejections = offline.ejections,
		},
		&explanation);
	if (r == -ENOENT || r == -ENXIO) {
		fprintf(err, "meridianctl: %s\n", mrd_explain_failure(r));
		return MRD_EXIT_BAD_NEWS;
	}
	if (r)
		return mrd_ctl_no_memory(err);
	doc = mrd_view_explain(explanation);
	mrd_explanation_free(explanation);
	return print(arguments, doc, out, err);
}

/* -------------------------------------------------------------------------------------- agent */

static int ask(const struct mrd_arguments *arguments, const char *control, const char *target,
	       FILE *out, FILE *err)
{
	MRD_CLEANUP(json_cleanup) json_t *doc = NULL;
	MRD_AUTO_STRBUF struct mrd_strbuf argument = {0};
	const json_t *error;
	int r;

	mrd_strbuf_addf(&argument, "%s%s%s", target, arguments->from ? " " : "",
			arguments->from ? arguments->from : "");
	if (argument.failed)
		return mrd_ctl_no_memory(err);
	r = mrd_client_ask(control, "explain", argument.text, MRD_CLIENT_TIMEOUT_MS, &doc);
	if (r) {
		fprintf(err,
			"meridianctl: no agent answers (control socket %s: %s); with --state files "
			"are explained\n",
			control, r == -EBADMSG ? "no JSON document" : strerror(-r));
		return MRD_EXIT_BAD_NEWS;
	}
	error = json_object_get(doc, "error");
	if (!json_is_string(error))
		return print(arguments, doc, out, err);
	fprintf(err, "meridianctl: %s\n", json_string_value(error));
	return MRD_EXIT_BAD_NEWS;
}

/* What plans are made from is the agent's own affair. */
static int explain_agent(const struct mrd_arguments *arguments, const char *target, FILE *out,
			 FILE *err)
{
	MRD_CLEANUP(mrd_ctl_options_free) struct mrd_ctl_options paths = {0};
	int status;

	if (arguments->policy_count || arguments->node || arguments->ejected_count)
		return mrd_ctl_usage(err, "--policy, --node and --ejected need --state", NULL);
	status = mrd_ctl_find_paths(arguments->control, arguments->config, err, &paths);
	if (status != MRD_EXIT_GOOD)
		return status;
	return ask(arguments, paths.control, target, out, err);
}

int mrd_ctl_explain(int argc, char **argv, FILE *out, FILE *err)
{
	MRD_AUTO_ARGUMENTS struct mrd_arguments arguments = {0};
	MRD_AUTO_STRBUF struct mrd_strbuf fault = {0};
	struct mrd_explain_target target;
	int status = mrd_arguments_read(argc, argv, true, err, &arguments);
	int r;

	if (status != MRD_EXIT_GOOD)
		return status;
	if (arguments.help) {
		fputs(usage, out);
		return MRD_EXIT_GOOD;
	}
	if (!arguments.rest_count)
		return mrd_ctl_usage(err, "a service is missing: explain NAMESPACE/NAME[:PORT]",
				     NULL);
	if (arguments.rest_count > 1)
		return mrd_ctl_usage(err, "unexpected argument", arguments.rest[1]);
	r = mrd_explain_target_parse(arguments.rest[0], &target);
	if (r) {
		mrd_strbuf_addf(&fault, "%s, not", mrd_explain_target_fault(r));
		return fault.failed ? mrd_ctl_no_memory(err)
				    : mrd_ctl_usage(err, fault.text, arguments.rest[0]);
	}
	if (arguments.state_count)
		return explain_files(&arguments, &target, out, err);
	return explain_agent(&arguments, arguments.rest[0], out, err);
}
