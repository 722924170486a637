/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "ctl/replay_arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "base/label.h"
#include "base/name.h"
#include "base/strbuf.h"
#include "model/model.h"

enum {
	TAIL_MAX = 270, /* ".svc." and a domain */
	DECIMAL = 10
};

void mrd_replay_arguments_free(struct mrd_replay_arguments *arguments)
{
	free(arguments->policy);
	free(arguments->service);
	free(arguments->namespace_);
	free(arguments->endpoints);
	for (size_t i = 0; i < arguments->cluster_count; i++)
		free(arguments->clusters[i]);
	free(arguments->clusters);
	mrd_table_free(arguments->numbers);
	*arguments = (struct mrd_replay_arguments){0};
}

/* ---------------------------------------------------------------------------------------- --host
 */

/* Cuts the end off the text, if it is there. */
static bool cut_end(char *text, const char *end)
{
	const size_t text_len = strlen(text);
	const size_t end_len = strlen(end);

	if (text_len <= end_len || strcmp(text + text_len - end_len, end) != 0)
		return false;
	text[text_len - end_len] = '\0';
	return true;
}

/* "reviews", "ns/reviews", "reviews.ns.svc.cluster.local", with a dot at its end, too; text is cut
 * up. As in a policy, any other name with a dot is used as it is, and no Service is called that. */
static bool split_host(char *text, const char *domain, const char **ret_namespace,
		       const char **ret_service)
{
	char tail[TAIL_MAX];
	char *mark = strchr(text, '/');

	*ret_namespace = "default";
	*ret_service = text;
	if (mark) {
		*mark = '\0';
		*ret_namespace = text;
		*ret_service = mark + 1;
	} else {
		snprintf(tail, sizeof(tail), ".svc.%s", domain);
		cut_end(text, ".");
		mark = cut_end(text, tail) ? strchr(text, '.') : NULL;
		if (mark) {
			*mark = '\0';
			*ret_namespace = mark + 1;
		}
	}
	return mrd_label_is_dns(*ret_namespace, strlen(*ret_namespace)) &&
	       mrd_label_is_dns(*ret_service, strlen(*ret_service));
}

static int refuse_host(const char *host, const char *domain, FILE *err)
{
	MRD_AUTO_STRBUF struct mrd_strbuf text = {0};

	mrd_strbuf_addf(&text,
			"--host takes NAME (of namespace default), NAMESPACE/NAME or "
			"NAME.NAMESPACE.svc.%s, with :PORT or without, not",
			domain);
	return text.failed ? mrd_ctl_no_memory(err) : mrd_ctl_usage(err, text.text, host);
}

int mrd_replay_arguments_read_host(struct mrd_replay_arguments *arguments, const char *domain,
				   FILE *err)
{
	MRD_AUTO_FREE char *copy = strdup(arguments->host);
	char *colon = copy ? strchr(copy, ':') : NULL;
	const char *namespace_;
	const char *service;
	bool is_good = true;

	if (!copy)
		return mrd_ctl_no_memory(err);
	arguments->port = arguments->endpoints[0].port;
	if (colon) {
		*colon = '\0';
		is_good = !mrd_port_parse(colon + 1, &arguments->port);
	}
	if (!is_good || !split_host(copy, domain, &namespace_, &service))
		return refuse_host(arguments->host, domain, err);
	arguments->service = strdup(service);
	arguments->namespace_ = strdup(namespace_);
	return arguments->service && arguments->namespace_ ? MRD_EXIT_GOOD : mrd_ctl_no_memory(err);
}

/* ----------------------------------------------------------------------------------- --endpoints
 */

int mrd_replay_find_endpoint(const struct mrd_replay_arguments *arguments, const struct mrd_ip *ip,
			     uint16_t port, size_t *ret_index)
{
	char key[MRD_IP_TEXT_MAX];
	const uintptr_t number =
		(uintptr_t)mrd_table_get_str(arguments->numbers, mrd_ip_port_format(ip, port, key));

	if (!number)
		return -ENOENT;
	*ret_index = number - 1;
	return 0;
}

/* "IP:PORT", by which the endpoint to come is known from now on. list: see add_endpoint(). */
static int read_address(struct mrd_replay_arguments *arguments, const char *text, const char *list,
			FILE *err, struct mrd_ip *ret_ip, uint16_t *ret_port)
{
	char key[MRD_IP_TEXT_MAX];
	size_t index;

	if (mrd_ip_port_parse(text, ret_ip, ret_port) || !*ret_port)
		return mrd_ctl_usage(
			err, "--endpoints takes IP:PORT[+IP:PORT][@R[/Z[/S]]][=CLUSTER],…, not",
			list);
	mrd_ip_port_format(ret_ip, *ret_port, key);
	if (!mrd_replay_find_endpoint(arguments, ret_ip, *ret_port, &index))
		return mrd_ctl_usage(err, "--endpoints names twice", key);
	if (mrd_table_put_str(arguments->numbers, key,
			      (void *)(uintptr_t)(arguments->endpoint_count + 1)))
		return mrd_ctl_no_memory(err);
	return MRD_EXIT_GOOD;
}

static int add_cluster(struct mrd_replay_arguments *arguments, const char *name)
{
	char **clusters =
		reallocarray(arguments->clusters, arguments->cluster_count + 1, sizeof(*clusters));

	if (!clusters)
		return -ENOMEM;
	arguments->clusters = clusters;
	clusters[arguments->cluster_count] = strdup(name);
	if (!clusters[arguments->cluster_count])
		return -ENOMEM;
	arguments->cluster_count++;
	return 0;
}

/* Their count, if there is none of that name. */
static size_t find_cluster(const struct mrd_replay_arguments *arguments, const char *name)
{
	size_t i = 0;

	while (i < arguments->cluster_count && strcmp(arguments->clusters[i], name) != 0)
		i++;
	return i;
}

int mrd_replay_arguments_name_home(struct mrd_replay_arguments *arguments, const char *name)
{
	const size_t same = find_cluster(arguments, name);
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(arguments->clusters[0]);
	arguments->clusters[0] = copy;
	if (!same || same == arguments->cluster_count)
		return 0;
	free(arguments->clusters[same]);
	arguments->clusters[same] = arguments->clusters[--arguments->cluster_count];
	for (size_t i = 0; i < arguments->endpoint_count; i++) {
		size_t *cluster = &arguments->endpoints[i].cluster;

		if (*cluster == same)
			*cluster = 0;
		else if (*cluster == arguments->cluster_count)
			*cluster = same;
	}
	return 0;
}

static int read_cluster(struct mrd_replay_arguments *arguments, const char *name, FILE *err,
			size_t *ret_cluster)
{
	const char *fault = *name ? mrd_name_fault_label(name) : "must not be empty";
	size_t i;

	if (fault)
		return mrd_arguments_refuse(err, "--endpoints takes =CLUSTER, not", name, fault);
	i = find_cluster(arguments, name);
	*ret_cluster = i;
	if (i == MRD_CLUSTERS_MAX)
		return mrd_ctl_usage(err, "--endpoints names too many clusters, with", name);
	return i < arguments->cluster_count || !add_cluster(arguments, name)
		       ? MRD_EXIT_GOOD
		       : mrd_ctl_no_memory(err);
}

static void put_ipv4_first(struct mrd_replay_endpoint *endpoint)
{
	const struct mrd_replay_endpoint given = *endpoint;

	if (given.ip.version != MRD_IPV6 || given.twin_ip.version != MRD_IPV4)
		return;
	endpoint->ip = given.twin_ip;
	endpoint->port = given.twin_port;
	endpoint->twin_ip = given.ip;
	endpoint->twin_port = given.port;
}

/* list: that of which text is a part, which is cut up. */
static int add_endpoint(struct mrd_replay_arguments *arguments, char *text, const char *list,
			FILE *err)
{
	struct mrd_replay_endpoint *endpoints = reallocarray(
		arguments->endpoints, arguments->endpoint_count + 1, sizeof(*endpoints));
	struct mrd_replay_endpoint endpoint = {0};
	char *locality = strchr(text, '@');
	char *cluster = strchr(text, '=');
	char *twin = strchr(text, '+');
	const char *fault;
	int status = MRD_EXIT_GOOD;

	if (!endpoints)
		return mrd_ctl_no_memory(err);
	arguments->endpoints = endpoints;
	if (twin && (!locality || twin < locality))
		*twin++ = '\0';
	else
		twin = NULL;
	if (cluster) {
		*cluster++ = '\0';
		status = read_cluster(arguments, cluster, err, &endpoint.cluster);
	}
	if (status == MRD_EXIT_GOOD && locality) {
		*locality++ = '\0';
		fault = mrd_start_parse_place(locality, &endpoint.at);
		if (fault)
			return mrd_arguments_refuse(
				err, "--endpoints takes @REGION[/ZONE[/SUBZONE]], not", locality,
				fault);
	}
	if (status == MRD_EXIT_GOOD)
		status = read_address(arguments, text, list, err, &endpoint.ip, &endpoint.port);
	if (status == MRD_EXIT_GOOD && twin)
		status = read_address(arguments, twin, list, err, &endpoint.twin_ip,
				      &endpoint.twin_port);
	if (status != MRD_EXIT_GOOD)
		return status;
	if (endpoint.twin_ip.version == endpoint.ip.version)
		return mrd_ctl_usage(err, "--endpoints joins an IPv4 and an IPv6 address, not",
				     list);
	put_ipv4_first(&endpoint);
	endpoints[arguments->endpoint_count++] = endpoint;
	return MRD_EXIT_GOOD;
}

static int add_endpoints(struct mrd_replay_arguments *arguments, const char *list, FILE *err)
{
	MRD_AUTO_FREE char *copy = strdup(list);
	int status = MRD_EXIT_GOOD;
	char *next = copy;

	if (!copy)
		return mrd_ctl_no_memory(err);
	while (status == MRD_EXIT_GOOD && next)
		status = add_endpoint(arguments, strsep(&next, ","), list, err);
	return status;
}

/* --------------------------------------------------------------------------------------- options
 */

static int add_policy(struct mrd_replay_arguments *arguments, const char *path, FILE *err)
{
	const char **policy =
		reallocarray(arguments->policy, arguments->policy_count + 1, sizeof(*policy));

	if (!policy)
		return mrd_ctl_no_memory(err);
	arguments->policy = policy;
	policy[arguments->policy_count++] = path;
	return MRD_EXIT_GOOD;
}

static int take_protocol(struct mrd_replay_arguments *arguments, const char *value, FILE *err)
{
	arguments->is_http = !strcmp(value, "http");
	if (!arguments->is_http && strcmp(value, "tcp") != 0)
		return mrd_ctl_usage(err, "--protocol takes http or tcp, not", value);
	return MRD_EXIT_GOOD;
}

static int take_until(struct mrd_replay_arguments *arguments, const char *value, FILE *err)
{
	arguments->has_until = true;
	if (mrd_duration_parse(value, &arguments->until_ms))
		return mrd_ctl_usage(
			err, "--until takes a duration of whole milliseconds such as 5m, not",
			value);
	return MRD_EXIT_GOOD;
}

static int take_seed(struct mrd_replay_arguments *arguments, const char *value, FILE *err)
{
	char *end;

	errno = 0;
	arguments->seed = strtoull(value, &end, DECIMAL);
	if (*value < '0' || *value > '9' || *end || errno)
		return mrd_ctl_usage(err, "--seed takes a whole number, not", value);
	return MRD_EXIT_GOOD;
}

static int take_from(struct mrd_replay_arguments *arguments, const char *value, FILE *err)
{
	const char *fault = mrd_start_parse_place(value, &arguments->from);

	return fault ? mrd_arguments_refuse(err, "--from takes REGION[/ZONE[/SUBZONE]], not", value,
					    fault)
		     : MRD_EXIT_GOOD;
}

enum { POLICY = 256, CONFIG, HOST, ENDPOINTS, FROM, PROTOCOL, UNTIL, SEED };

static int take_option(struct mrd_replay_arguments *arguments, int option, const char *value,
		       FILE *err)
{
	switch (option) {
	case POLICY:
		return add_policy(arguments, value, err);
	case CONFIG:
		arguments->config = value;
		return MRD_EXIT_GOOD;
	case HOST:
		arguments->host = value;
		return MRD_EXIT_GOOD;
	case ENDPOINTS:
		return add_endpoints(arguments, value, err);
	case FROM:
		return take_from(arguments, value, err);
	case PROTOCOL:
		return take_protocol(arguments, value, err);
	case UNTIL:
		return take_until(arguments, value, err);
	case SEED:
		return take_seed(arguments, value, err);
	case 'o':
		return mrd_ctl_read_output(value, err, &arguments->json);
	default:
		arguments->help = true;
	}
	return MRD_EXIT_GOOD;
}

/* What must be there. */
static int complete(struct mrd_replay_arguments *arguments, char **rest, int count, FILE *err)
{
	if (!arguments->host)
		return mrd_ctl_usage(err, "--host is missing", NULL);
	if (!arguments->endpoint_count)
		return mrd_ctl_usage(err, "--endpoints is missing", NULL);
	if (!count)
		return mrd_ctl_usage(err, "a file of events is missing (- is standard input)",
				     NULL);
	if (count > 1)
		return mrd_ctl_usage(err, "unexpected argument", rest[1]);
	arguments->events = rest[0];
	return MRD_EXIT_GOOD;
}

int mrd_replay_arguments_read(int argc, char **argv, FILE *err,
			      struct mrd_replay_arguments *ret_arguments)
{
	static const struct option longs[] = {
		{"policy", required_argument, NULL, POLICY},
		{"config", required_argument, NULL, CONFIG},
		{"host", required_argument, NULL, HOST},
		{"endpoints", required_argument, NULL, ENDPOINTS},
		{"from", required_argument, NULL, FROM},
		{"protocol", required_argument, NULL, PROTOCOL},
		{"until", required_argument, NULL, UNTIL},
		{"seed", required_argument, NULL, SEED},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	MRD_AUTO_REPLAY_ARGUMENTS struct mrd_replay_arguments arguments = {.is_http = true};
	int status = MRD_EXIT_GOOD;
	int option;

	arguments.numbers = mrd_table_new(NULL);
	if (!arguments.numbers || add_cluster(&arguments, ""))
		return mrd_ctl_no_memory(err);
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
	if (status == MRD_EXIT_GOOD && !arguments.help)
		status = complete(&arguments, argv + optind, argc - optind, err);
	if (status != MRD_EXIT_GOOD)
		return status;
	*ret_arguments = arguments;
	arguments = (struct mrd_replay_arguments){0};
	return MRD_EXIT_GOOD;
}
