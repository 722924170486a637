/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The command line becomes a configuration, by itself or over that of a file; from there on it is
 * what the agent does at its start.
 */
#include "ctl/offline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "config/config_model.h"
#include "ctl/where.h"
#include "policy/policy_yaml.h"
#include "source/file_source.h"
#include "source/owners.h"
#include "source/unit.h"

void mrd_offline_close(struct mrd_offline *offline)
{
	mrd_policy_free(offline->policy);
	mrd_model_free(offline->model);
	mrd_agent_config_free(offline->config);
	*offline = (struct mrd_offline){0};
}

int mrd_offline_conclude(int result, struct mrd_diag *diag, FILE *err)
{
	mrd_diag_sort(diag);
	mrd_diag_print(diag, err);
	if (result && !diag->errors) {
		fprintf(err, "meridianctl: %s\n", strerror(-result));
		return MRD_EXIT_BAD_NEWS;
	}
	return diag->errors ? MRD_EXIT_BAD_NEWS : MRD_EXIT_GOOD;
}

/* ------------------------------------------------------------------------------- configuration */

static int replace(char **at, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

static struct mrd_cluster_config *find_cluster(const struct mrd_agent_config *config,
					       const char *name)
{
	for (size_t i = 0; i < config->cluster_count; i++)
		if (config->clusters[i].name && !strcmp(config->clusters[i].name, name))
			return &config->clusters[i];
	return NULL;
}

/* The file's cluster of that name keeps what the option does not say; another name is one more. */
static int take_state(const struct mrd_state_argument *state, struct mrd_agent_config *config)
{
	struct mrd_cluster_config *cluster = find_cluster(config, state->name);
	int r = 0;

	if (!cluster) {
		cluster = &config->clusters[config->cluster_count++];
		*cluster = (struct mrd_cluster_config){0};
		r = replace(&cluster->name, state->name, strlen(state->name));
		r = r ?: replace(&cluster->region, "", 0);
	}
	if (*state->region)
		r = r ?: replace(&cluster->region, state->region, strlen(state->region));
	if (state->home)
		config->home = (size_t)(cluster - config->clusters);
	return r ?: replace(&cluster->directory, state->path, strlen(state->path));
}

/* -E2BIG: more clusters, with those of the file, than there is room for. */
static int take_states(const struct mrd_arguments *arguments, struct mrd_agent_config *config)
{
	struct mrd_cluster_config *clusters =
		reallocarray(config->clusters, config->cluster_count + arguments->state_count,
			     sizeof(*clusters));
	int r = 0;

	if (!clusters)
		return -ENOMEM;
	config->clusters = clusters;
	for (size_t i = 0; !r && i < arguments->state_count; i++)
		r = take_state(&arguments->states[i], config);
	for (size_t i = 0; i < config->cluster_count; i++)
		config->clusters[i].home = i == config->home; /* the first, if none says so */
	return r ?: config->cluster_count > MRD_CLUSTERS_MAX ? -E2BIG : 0;
}

static int take_policy(const struct mrd_arguments *arguments, struct mrd_agent_config *config)
{
	char **policy = calloc(arguments->policy_count, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	mrd_agent_config_drop_policy(config);
	config->policy = policy;
	for (size_t i = 0; i < arguments->policy_count; i++) {
		policy[i] = strdup(arguments->policy[i]);
		if (!policy[i])
			return -ENOMEM;
		config->policy_count++;
	}
	return 0;
}

/* An address is looked up when the clusters are read. */
static int take_from(const struct mrd_start *start, struct mrd_agent_config *config)
{
	int r;

	if (start->ip.version != MRD_IP_NONE)
		return 0;
	r = replace(&config->node_region, start->region, strlen(start->region));
	r = r ?: replace(&config->node_zone, start->zone, strlen(start->zone));
	return r ?: replace(&config->node_subzone, start->subzone, strlen(start->subzone));
}

/* The labels of another node than the file's decide where it is, if nothing else is said. */
static int take_node(const struct mrd_arguments *arguments, struct mrd_agent_config *config)
{
	int r = replace(&config->node_name, arguments->node, strlen(arguments->node));

	r = r ?: replace(&config->node_region, "", 0);
	r = r ?: replace(&config->node_zone, "", 0);
	return r ?: replace(&config->node_subzone, "", 0);
}

/* What no option says is from the file, or else the agent's default; but a node of which nothing
 * was said has no name. What a file with errors says all the same is there with its status. */
static int read_config(const struct mrd_arguments *arguments, FILE *err,
		       struct mrd_agent_config **ret_config)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	int r;

	if (arguments->config) {
		r = mrd_agent_config_survey(arguments->config, &diag, ret_config);
		return mrd_offline_conclude(r, &diag, err);
	}
	*ret_config = calloc(1, sizeof(**ret_config));
	if (!*ret_config)
		return mrd_ctl_no_memory(err);
	r = replace(&(*ret_config)->node_name, "", 0);
	r = r ?: mrd_config_set_defaults(*ret_config);
	return r ? mrd_ctl_no_memory(err) : MRD_EXIT_GOOD;
}

static int make_config(const struct mrd_arguments *arguments, FILE *err,
		       struct mrd_agent_config **ret_config)
{
	int status = read_config(arguments, err, ret_config);
	int r = 0;

	if (!*ret_config)
		return MRD_EXIT_BAD_NEWS;
	/* What a broken file says of clusters is not to be planned from. */
	if (arguments->state_count && status != MRD_EXIT_GOOD)
		mrd_agent_config_drop_clusters(*ret_config);
	if (arguments->state_count)
		r = take_states(arguments, *ret_config);
	if (!r && arguments->policy_count)
		r = take_policy(arguments, *ret_config);
	if (!r && arguments->node)
		r = take_node(arguments, *ret_config);
	if (!r && arguments->from)
		r = take_from(&arguments->start, *ret_config);
	if (r == -E2BIG)
		return mrd_ctl_usage(err, "too many clusters, those of the file included", NULL);
	r = r ?: mrd_config_set_defaults(*ret_config);
	if (!r)
		return status;
	mrd_agent_config_free(*ret_config);
	*ret_config = NULL;
	return mrd_ctl_no_memory(err);
}

/* --------------------------------------------------------------------------------------- state */

static void add_findings(void *self, const struct mrd_diag *findings)
{
	struct mrd_diag *diag = self;

	for (size_t i = 0; i < findings->count; i++)
		mrd_diag_copy(diag, &findings->findings[i]);
}

static void unreadable(struct mrd_diag *diag, const char *path, const char *reason)
{
	const struct mrd_place place = {.file = path};

	mrd_diag_add(diag, MRD_ERROR, &place, "", "cannot be read: %s", reason);
}

static int read_folder(struct mrd_model *model, size_t cluster, const char *path,
		       struct mrd_diag *diag)
{
	const struct mrd_file_source_config config = {
		.directory = path,
		.model = model,
		.cluster = cluster,
		.findings = add_findings,
		.self = diag,
	};
	struct mrd_source_status status;
	struct mrd_file_source *source;
	int r = mrd_file_source_new(&config, 1, &source);

	if (r)
		return r;
	mrd_file_source_get_status(source, &status);
	if (!status.readable)
		unreadable(diag, path, "no such folder");
	mrd_file_source_free(source);
	return 0;
}

static int read_file(struct mrd_model *model, size_t cluster, const char *path,
		     struct mrd_diag *diag)
{
	struct mrd_owners *owners;
	struct mrd_unit *unit;
	bool recovered;
	int r = mrd_owners_new(model, cluster, &owners);

	if (r)
		return r;
	r = mrd_unit_new(owners, path, &unit);
	if (!r) {
		r = mrd_unit_read(unit, owners, 1, diag, &recovered);
		r = r ?: mrd_owners_settle(owners, diag);
		mrd_unit_free(unit);
	}
	mrd_owners_free(owners);
	return r;
}

static int read_states(const struct mrd_agent_config *config, FILE *err, struct mrd_model *model)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	int r = 0;

	for (size_t i = 0; !r && i < config->cluster_count; i++) {
		const char *path = config->clusters[i].directory;
		struct stat info;

		if (!path)
			unreadable(&diag, config->clusters[i].name,
				   "its state comes from an API server, which is not asked here: "
				   "say --state");
		else if (stat(path, &info) < 0)
			unreadable(&diag, path, strerror(errno));
		else if (S_ISDIR(info.st_mode))
			r = read_folder(model, i, path, &diag);
		else if (S_ISREG(info.st_mode))
			r = read_file(model, i, path, &diag);
		else
			unreadable(&diag, path, "neither a folder nor a plain file");
	}
	return mrd_offline_conclude(r, &diag, err);
}

int mrd_offline_read_home(const struct mrd_agent_config *config, struct mrd_model *model,
			  struct mrd_diag *diag)
{
	const char *path = config->clusters[config->home].directory;
	struct stat info;

	if (!path || stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
		return -ENOENT;
	return read_folder(model, config->home, path, diag);
}

/* -------------------------------------------------------------------------------- policy, node */

static int read_policy(const struct mrd_agent_config *config, FILE *err,
		       struct mrd_policy **ret_policy)
{
	MRD_AUTO_DIAG struct mrd_diag diag = {0};
	const struct mrd_policy_names names = {
		.cluster_domain = config->cluster_domain,
		.root_namespace = config->root_namespace,
	};
	const int r = mrd_policy_load((const char *const *)config->policy, config->policy_count,
				      &names, &diag, ret_policy);

	return mrd_offline_conclude(r, &diag, err);
}

static bool names(const struct mrd_ejected_argument *ejected,
		  const struct mrd_view_endpoint *endpoint)
{
	return !mrd_ip_compare(&ejected->ip, &endpoint->ip) &&
	       (!ejected->port || ejected->port == endpoint->port);
}

static bool is_named(const struct mrd_arguments *arguments,
		     const struct mrd_view_endpoint *endpoint)
{
	for (size_t i = 0; i < arguments->ejected_count; i++)
		if (names(&arguments->ejected[i], endpoint))
			return true;
	return false;
}

/* A pod is ejected with both its addresses, as by the agent. */
static bool is_ejected(void *self, const struct mrd_view *view, const struct mrd_view_port *port,
		       const struct mrd_view_endpoint *endpoint)
{
	(void)view, (void)port;
	return is_named(self, endpoint) || (endpoint->twin && is_named(self, endpoint->twin));
}

/* A pod's own node is the one; a name given beside it can only be the same, or tell what no
 * endpoint does. */
static int check_node(const struct mrd_arguments *arguments, struct mrd_address_place *at,
		      FILE *err)
{
	if (arguments->start.ip.version == MRD_IP_NONE || !arguments->node ||
	    !strcmp(at->node_name, arguments->node))
		return MRD_EXIT_GOOD;
	if (!*at->node_name) {
		at->node_name = arguments->node;
		return MRD_EXIT_GOOD;
	}
	fprintf(err,
		"meridianctl: the pod of --from %s runs on node %s, and --node says %s: leave one "
		"of them out\n",
		arguments->from, at->node_name, arguments->node);
	return MRD_EXIT_USAGE;
}

/* --from says all of it. Else it is found as by the agent; but with nothing said of the node,
 * neither here nor in a file, nobody can have meant the home cluster's region. */
static int find_node(struct mrd_offline *offline, FILE *err)
{
	const struct mrd_agent_config *config = offline->config;
	const struct mrd_arguments *arguments = offline->arguments;
	struct mrd_address_place at = {
		.cluster = config->home,
		.locality = {.region = config->node_region,
			     .zone = config->node_zone,
			     .subzone = config->node_subzone},
		.node_name = config->node_name,
	};
	int status = MRD_EXIT_GOOD;

	if (arguments->from)
		status = mrd_where_find(offline->model, &arguments->start, &at, err);
	else if (arguments->node || arguments->config)
		mrd_config_locality(config, offline->model, &at.locality);
	if (status == MRD_EXIT_GOOD)
		status = check_node(arguments, &at, err);
	if (status == MRD_EXIT_GOOD && !*at.locality.region)
		return mrd_ctl_usage(err, "where the node is must be said: --from R[/Z[/S]]", NULL);
	if (status == MRD_EXIT_GOOD)
		mrd_plan_node_at(offline->model, at.cluster, &at.locality, at.node_name,
				 &offline->node);
	return status;
}

/* ------------------------------------------------------------------------------- names of nobody
 */

/* Which of those that are to be ejected are somebody's, and which of these end. */
struct search {
	const struct mrd_offline *offline;
	struct found {
		bool stays, ends;
	} * found;
};

static void look_at(const struct search *search, const struct mrd_view_endpoint *endpoint)
{
	const struct mrd_arguments *arguments = search->offline->arguments;

	for (size_t e = 0; e < arguments->ejected_count; e++) {
		if (!names(&arguments->ejected[e], endpoint))
			continue;
		search->found[e].ends |= endpoint->terminating;
		search->found[e].stays |= !endpoint->terminating;
	}
}

static int look_into(void *self, const char *namespace_, const char *name)
{
	const struct search *search = self;
	struct mrd_view *view;
	const int r = mrd_model_view(search->offline->model, namespace_, name, &view);

	if (r)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < view->port_count; i++)
		for (size_t k = 0; k < view->ports[i].endpoint_count; k++)
			look_at(search, &view->ports[i].endpoints[k]);
	mrd_view_free(view);
	return 0;
}

static int check_ejected(const struct mrd_offline *offline, struct mrd_diag *diag)
{
	const struct mrd_arguments *arguments = offline->arguments;
	MRD_AUTO_FREE struct found *found = calloc(arguments->ejected_count + 1, sizeof(*found));
	struct search search = {.offline = offline, .found = found};
	int r;

	if (!found)
		return -ENOMEM;
	if (!arguments->ejected_count)
		return 0;
	r = mrd_model_walk_services(offline->model, look_into, &search);
	for (size_t i = 0; !r && i < arguments->ejected_count; i++) {
		const struct mrd_ejected_argument *ejected = &arguments->ejected[i];
		char text[MRD_IP_TEXT_MAX];

		if (found[i].stays)
			continue;
		if (ejected->port)
			mrd_ip_port_format(&ejected->ip, ejected->port, text);
		else
			mrd_ip_format(&ejected->ip, text);
		if (found[i].ends)
			mrd_diag_add(diag, MRD_WARNING, NULL, "--ejected",
				     "%s terminates: what ends is not ejected", text);
		else
			mrd_diag_add(diag, MRD_WARNING, NULL, "--ejected",
				     "no service has the endpoint %s", text);
	}
	return r;
}

/* A typo would answer for another state of things, or for another node. Where no Node is known at
 * all, its name may still be what endpoints say. */
static int check_names(const struct mrd_offline *offline, FILE *err)
{
	const struct mrd_agent_config *config = offline->config;
	const char *node = offline->arguments->node;
	MRD_AUTO_DIAG struct mrd_diag diag = {0};

	if (node && mrd_model_count(offline->model, config->home, MRD_KIND_NODE) &&
	    !mrd_model_find(offline->model, config->home, MRD_KIND_NODE, "", node))
		mrd_diag_add(&diag, MRD_WARNING, NULL, "--node",
			     "the home cluster (%s) has no node %s: its labels are not known",
			     config->clusters[config->home].name, node);
	return mrd_offline_conclude(check_ejected(offline, &diag), &diag, err);
}

/* Clusters that the command line names are sound whatever the file says. */
static int read_clusters(struct mrd_offline *offline, int config_status, FILE *err)
{
	if (config_status != MRD_EXIT_GOOD && !offline->arguments->state_count)
		return config_status;
	if (mrd_config_model_new(offline->config, &offline->model))
		return mrd_ctl_no_memory(err);
	return read_states(offline->config, err, offline->model);
}

/* All of it is looked at, so that one run shows every mistake. */
static int open_all(struct mrd_offline *offline, FILE *err)
{
	const int config_status = make_config(offline->arguments, err, &offline->config);
	int states_status;
	int policy_status;

	if (!offline->config || config_status == MRD_EXIT_USAGE)
		return config_status;
	states_status = read_clusters(offline, config_status, err);
	policy_status = read_policy(offline->config, err, &offline->policy);
	if (config_status != MRD_EXIT_GOOD)
		return config_status;
	if (states_status != MRD_EXIT_GOOD)
		return states_status;
	if (policy_status == MRD_EXIT_GOOD)
		policy_status = check_names(offline, err);
	return policy_status == MRD_EXIT_GOOD ? find_node(offline, err) : policy_status;
}

int mrd_offline_open(const struct mrd_arguments *arguments, FILE *err,
		     struct mrd_offline *ret_offline)
{
	MRD_AUTO_OFFLINE struct mrd_offline offline = {.arguments = arguments};
	int status;

	if (!mrd_arguments_name_state(arguments))
		return mrd_ctl_usage(err, "a state is missing: --state NAME=DIR, or --config FILE",
				     NULL);
	status = open_all(&offline, err);
	if (status != MRD_EXIT_GOOD)
		return status;
	offline.ejections =
		(struct mrd_plan_ejections){.is_ejected = is_ejected, .self = (void *)arguments};
	*ret_offline = offline;
	offline = (struct mrd_offline){0};
	return MRD_EXIT_GOOD;
}
