/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/name.h"
#include "base/strbuf.h"
#include "model/model.h"

void mrd_arguments_free(struct mrd_arguments *arguments)
{
	for (size_t i = 0; i < arguments->state_count; i++) {
		free(arguments->states[i].name);
		free(arguments->states[i].path);
		free(arguments->states[i].region);
	}
	free(arguments->states);
	free(arguments->policy);
	free(arguments->ejected);
	*arguments = (struct mrd_arguments){0};
}

/* ------------------------------------------------------------------------------------- --state */

/* "region=R" or "home", behind the folder. */
static int read_state_option(char *text, struct mrd_state_argument *state, FILE *err)
{
	static const char region[] = "region=";
	const char *fault;

	if (!strcmp(text, "home")) {
		state->home = true;
		return MRD_EXIT_GOOD;
	}
	if (strncmp(text, region, sizeof(region) - 1) != 0)
		return mrd_ctl_usage(err, "--state takes region=R and home behind the folder, not",
				     text);
	text += sizeof(region) - 1;
	fault = mrd_name_fault_place(text);
	if (fault)
		return mrd_arguments_refuse(err, "--state: a region is not", text, fault);
	free(state->region);
	state->region = strdup(text);
	return state->region ? MRD_EXIT_GOOD : mrd_ctl_no_memory(err);
}

static int check_state(const struct mrd_arguments *arguments,
		       const struct mrd_state_argument *state, FILE *err)
{
	const char *fault = mrd_name_fault_label(state->name);

	if (fault)
		return mrd_arguments_refuse(err, "--state: a cluster's name is not", state->name,
					    fault);
	if (arguments->state_count > MRD_CLUSTERS_MAX)
		return mrd_ctl_usage(err, "--state is given too often: there is no room for",
				     state->name);
	for (size_t i = 0; i + 1 < arguments->state_count; i++) {
		const struct mrd_state_argument *other = &arguments->states[i];

		if (!strcmp(other->name, state->name))
			return mrd_ctl_usage(err, "--state names two clusters", state->name);
		if (other->home && state->home)
			return mrd_ctl_usage(err,
					     "--state says home twice: a node belongs to one "
					     "cluster, not also to",
					     state->name);
	}
	return MRD_EXIT_GOOD;
}

static int add_state(struct mrd_arguments *arguments, const char *text, FILE *err)
{
	struct mrd_state_argument *states =
		reallocarray(arguments->states, arguments->state_count + 1, sizeof(*states));
	const char *equals = strchr(text, '=');
	MRD_AUTO_FREE char *rest = equals ? strdup(equals + 1) : NULL;
	struct mrd_state_argument *state;
	char *next = rest;
	int status = MRD_EXIT_GOOD;

	if (states)
		arguments->states = states;
	if (!states || (equals && !rest))
		return mrd_ctl_no_memory(err);
	if (!equals || equals == text || !*rest || *rest == ',')
		return mrd_ctl_usage(err, "--state takes NAME=DIR[,region=R][,home], not", text);
	state = &states[arguments->state_count++];
	*state = (struct mrd_state_argument){
		.name = strndup(text, (size_t)(equals - text)),
		.path = strdup(strsep(&next, ",")),
		.region = strdup(""),
	};
	if (!state->name || !state->path || !state->region)
		return mrd_ctl_no_memory(err);
	while (status == MRD_EXIT_GOOD && next)
		status = read_state_option(strsep(&next, ","), state, err);
	return status != MRD_EXIT_GOOD ? status : check_state(arguments, state, err);
}

/* ------------------------------------------------------------------ --from, --node, --ejected */

int mrd_arguments_refuse(FILE *err, const char *takes, const char *given, const char *fault)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text, "\"");
	mrd_strbuf_add_visible(&text, given);
	mrd_strbuf_addf(&text, "\": %s", fault);
	return text.failed ? mrd_ctl_no_memory(err) : mrd_ctl_usage(err, takes, text.text);
}

static int take_from(struct mrd_arguments *arguments, const char *value, FILE *err)
{
	const char *fault = mrd_start_parse(value, &arguments->start);

	arguments->from = value;
	return fault ? mrd_arguments_refuse(err,
					    "--from takes POD-IP or REGION[/ZONE[/SUBZONE]], not",
					    value, fault)
		     : MRD_EXIT_GOOD;
}

static int take_node(struct mrd_arguments *arguments, const char *value, FILE *err)
{
	const char *fault = *value ? mrd_name_fault_node(value) : NULL;

	arguments->node = value;
	return fault ? mrd_arguments_refuse(err, "--node takes a node's name, not", value, fault)
		     : MRD_EXIT_GOOD;
}

static int add_ejected(struct mrd_arguments *arguments, const char *list, FILE *err)
{
	MRD_AUTO_FREE char *copy = strdup(list);
	char *next = copy;
	char *text;

	if (!copy)
		return mrd_ctl_no_memory(err);
	while ((text = strsep(&next, ","))) {
		struct mrd_ejected_argument *ejected = reallocarray(
			arguments->ejected, arguments->ejected_count + 1, sizeof(*ejected));

		if (!ejected)
			return mrd_ctl_no_memory(err);
		arguments->ejected = ejected;
		if (mrd_ip_port_parse(text, &ejected[arguments->ejected_count].ip,
				      &ejected[arguments->ejected_count].port))
			return mrd_ctl_usage(err, "--ejected takes IP[:PORT],…, not", list);
		arguments->ejected_count++;
	}
	return MRD_EXIT_GOOD;
}

/* ------------------------------------------------------------------------------------- options */

static int add_policy(struct mrd_arguments *arguments, const char *path, FILE *err)
{
	const char **policy =
		reallocarray(arguments->policy, arguments->policy_count + 1, sizeof(*policy));

	if (!policy)
		return mrd_ctl_no_memory(err);
	arguments->policy = policy;
	policy[arguments->policy_count++] = path;
	return MRD_EXIT_GOOD;
}

enum { STATE = 256, POLICY, CONFIG, FROM, NODE, EJECTED, SERVICE, CONTROL };

static int take_option(struct mrd_arguments *arguments, int option, const char *value, FILE *err)
{
	switch (option) {
	case STATE:
		return add_state(arguments, value, err);
	case POLICY:
		return add_policy(arguments, value, err);
	case EJECTED:
		return add_ejected(arguments, value, err);
	case CONFIG:
		arguments->config = value;
		break;
	case FROM:
		return take_from(arguments, value, err);
	case NODE:
		return take_node(arguments, value, err);
	case SERVICE:
		if (!mrd_ctl_is_service_name(value))
			return mrd_ctl_usage(err, "--service takes NAMESPACE/NAME, not", value);
		arguments->service = value;
		break;
	case CONTROL:
		arguments->control = value;
		break;
	case 'o':
		return mrd_ctl_read_output(value, err, &arguments->json);
	default:
		arguments->help = true;
	}
	return MRD_EXIT_GOOD;
}

int mrd_arguments_read(int argc, char **argv, bool control, FILE *err,
		       struct mrd_arguments *ret_arguments)
{
	static const struct option common[] = {
		{"state", required_argument, NULL, STATE},
		{"policy", required_argument, NULL, POLICY},
		{"config", required_argument, NULL, CONFIG},
		{"from", required_argument, NULL, FROM},
		{"node", required_argument, NULL, NODE},
		{"ejected", required_argument, NULL, EJECTED},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
	};
	enum { COMMON = sizeof(common) / sizeof(common[0]) };
	struct option longs[COMMON + 2] = {0};
	MRD_AUTO_ARGUMENTS struct mrd_arguments arguments = {0};
	int status = MRD_EXIT_GOOD;
	int option;

	memcpy(longs, common, sizeof(common));
	longs[COMMON] = control ? (struct option){"control", required_argument, NULL, CONTROL}
				: (struct option){"service", required_argument, NULL, SERVICE};
	optind = 0; /* GNU: starts anew */
	opterr = 0;
	while (status == MRD_EXIT_GOOD &&
	       (option = getopt_long(argc, argv, ":o:h", longs, NULL)) >= 0) {
		if (option == ':')
			return mrd_ctl_usage(err, "a value is missing after", argv[optind - 1]);
		if (option == '?')
			return mrd_ctl_usage(err, "unknown option", argv[optind - 1]);
		status = take_option(&arguments, option, optarg, err);
	}
	if (status != MRD_EXIT_GOOD)
		return status;
	arguments.rest = argv + optind;
	arguments.rest_count = argc - optind;
	*ret_arguments = arguments;
	arguments = (struct mrd_arguments){0};
	return MRD_EXIT_GOOD;
}

bool mrd_arguments_name_state(const struct mrd_arguments *arguments)
{
	return arguments->state_count || arguments->config;
}
