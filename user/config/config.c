/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The keys of the configuration and what each may say; what concerns several of them is in
 * config_check.c. */
#include "config/config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/name.h"
#include "base/strbuf.h"
#include "config/config_reading.h"
#include "model/model.h"
#include "model/selector.h"

enum {
	CONTROL_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1,
	STALE_LEAST_MS = MRD_MS_PER_S, /* a folder is looked at once a second */
	STALE_MOST_MS = 24 * 60 * 60 * MRD_MS_PER_S,
	STARTUP_MOST_MS = 60 * 60 * MRD_MS_PER_S,
	SERVICES_MOST = 1 << 20,  /* 16 times the default: bounded by memory alone */
	ROWS_MOST = 1 << 24,	  /* likewise */
	EVENT_BYTES_LEAST = 4096, /* a page */
	EVENT_BYTES_MOST = 1 << 28,
	GLOB_MAX = 63,	     /* of a name (IFNAMSIZ), with brackets */
	METRICS_PORT = 9464, /* what OpenTelemetry's Prometheus exporters listen on */
};

static struct mrd_config_reading *reading_of(struct mrd_key_reader *reader)
{
	return (struct mrd_config_reading *)reader;
}

static char *index_path(const char *path, size_t index)
{
	struct mrd_strbuf buf MRD_AUTO_STRBUF = {0};

	mrd_strbuf_addf(&buf, "%s[%zu]", path, index);
	return mrd_strbuf_steal(&buf);
}

static int add_block(struct mrd_config_reading *reading, const struct mrd_cidr *cidr,
		     bool is_service, const struct mrd_doc_node *node, const char *path)
{
	struct mrd_config_block *blocks =
		reallocarray(reading->blocks, reading->block_count + 1, sizeof(*blocks));
	char *copy = strdup(path);

	if (blocks)
		reading->blocks = blocks;
	if (!blocks || !copy) {
		free(copy);
		return -ENOMEM;
	}
	blocks[reading->block_count++] = (struct mrd_config_block){
		.cidr = *cidr,
		.cluster = reading->cluster,
		.is_service = is_service,
		.node = node,
		.path = copy,
	};
	return 0;
}

static int add_cidr(struct mrd_cidr **cidrs, size_t *count, const struct mrd_cidr *cidr)
{
	struct mrd_cidr *more = reallocarray(*cidrs, *count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	more[(*count)++] = *cidr;
	*cidrs = more;
	return 0;
}

static void read_cidr(struct mrd_config_reading *reading, const struct mrd_doc_node *node,
		      const char *path, bool is_service)
{
	struct mrd_cluster_config *cluster = &reading->config->clusters[reading->cluster];
	struct mrd_cidr cidr;
	const char *text = "";
	int r = mrd_doc_string(node, &text);

	if (!r)
		r = mrd_cidr_parse(text, &cidr);
	if (r == -EDOM) {
		mrd_key_complain(&reading->reader, MRD_ERROR, node, path,
				 "%s has bits set below its prefix", text);
		return;
	}
	if (r) {
		mrd_key_complain(&reading->reader, MRD_ERROR, node, path,
				 "must be a block of addresses like 10.0.0.0/16");
		return;
	}
	r = is_service ? add_cidr(&cluster->service_cidrs, &cluster->service_cidr_count, &cidr)
		       : add_cidr(&cluster->pod_cidrs, &cluster->pod_cidr_count, &cidr);
	if (r || add_block(reading, &cidr, is_service, node, path))
		reading->reader.no_memory = true;
}

static void read_cidrs(struct mrd_key_reader *reader, const struct mrd_key *field,
		       const struct mrd_doc_node *node, const char *path, void *into)
{
	(void)into;
	if (node->kind != MRD_DOC_LIST) {
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be a list of blocks");
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		char *item MRD_AUTO_FREE = index_path(path, i);

		if (item)
			read_cidr(reading_of(reader), node->items[i], item,
				  !strcmp(field->key, "serviceCIDRs"));
		else
			reader->no_memory = true;
	}
}

static void read_policy(struct mrd_key_reader *reader, const struct mrd_key *field,
			const struct mrd_doc_node *node, const char *path, void *into)
{
	static const struct mrd_key one = {.key = "policy", .least = 1, .most = PATH_MAX - 1};
	struct mrd_agent_config *config = into;

	(void)field;
	if (node->kind != MRD_DOC_LIST) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be a list of files or folders");
		return;
	}
	config->policy = calloc(node->count + 1, sizeof(*config->policy));
	if (!config->policy) {
		reader->no_memory = true;
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		char *item MRD_AUTO_FREE = index_path(path, i);

		if (!item)
			reader->no_memory = true;
		else
			mrd_key_path(reader, &one, node->items[i], item,
				     &config->policy[config->policy_count]);
		if (config->policy[config->policy_count])
			config->policy_count++;
	}
}

#define CLUSTER(name, reader, member, min, max)                                        \
	{                                                                              \
		.key = (name), .read = (reader),                                       \
		.offset = offsetof(struct mrd_cluster_config, member), .least = (min), \
		.most = (max),                                                         \
	}
/* A string that names something: what is wrong with it is asked of mrd_name_fault_KIND(). */
#define CLUSTER_NAME(name, kind, member, min)                                          \
	{                                                                              \
		.key = (name), .read = mrd_key_string,                                 \
		.offset = offsetof(struct mrd_cluster_config, member), .least = (min), \
		.fault = mrd_name_fault_##kind,                                        \
	}
#define CONFIG(name, reader, member, min, max)                                       \
	{                                                                            \
		.key = (name), .read = (reader),                                     \
		.offset = offsetof(struct mrd_agent_config, member), .least = (min), \
		.most = (max),                                                       \
	}
#define CONFIG_NAME(name, kind, member, min)                                         \
	{                                                                            \
		.key = (name), .read = mrd_key_string,                               \
		.offset = offsetof(struct mrd_agent_config, member), .least = (min), \
		.fault = mrd_name_fault_##kind,                                      \
	}

static const struct mrd_key cluster_keys[] = {
	CLUSTER_NAME("name", label, name, 1),
	CLUSTER("home", mrd_key_bool, home, 0, 0),
	CLUSTER_NAME("region", place, region, 0),
	CLUSTER_NAME("network", label, network, 0),
	{.key = "podCIDRs", .read = read_cidrs},
	{.key = "serviceCIDRs", .read = read_cidrs},
	CLUSTER("directory", mrd_key_path, directory, 1, PATH_MAX - 1),
	CLUSTER("kubeconfig", mrd_key_path, kubeconfig, 1, PATH_MAX - 1),
	CLUSTER_NAME("context", line, context, 1),
	CLUSTER("inCluster", mrd_key_bool, in_cluster, 0, 0),
};

/* A cluster has one place where its state comes from. A context is one inside a kubeconfig. */
static void check_source(struct mrd_config_reading *reading, const struct mrd_doc_node *node,
			 const char *path)
{
	const struct mrd_cluster_config *cluster = &reading->config->clusters[reading->cluster];
	const struct mrd_doc_node *directory = mrd_doc_get(node, "directory");
	const struct mrd_doc_node *file = mrd_doc_get(node, "kubeconfig");
	const struct mrd_doc_node *of_file = file ?: mrd_doc_get(node, "context");
	const struct mrd_doc_node *in_cluster = mrd_doc_get(node, "inCluster");

	if (!directory && !of_file && (!in_cluster || !cluster->in_cluster))
		mrd_key_complain(&reading->reader, MRD_ERROR, in_cluster ?: node, path,
				 "needs a directory, a kubeconfig, a context or inCluster: true");
	else if ((directory != NULL) + (of_file != NULL) + cluster->in_cluster > 1)
		mrd_key_complain(&reading->reader, MRD_ERROR,
				 cluster->in_cluster ? in_cluster : of_file, path,
				 "has two sources: %s and %s exclude each other",
				 directory ? "directory"
				 : file	   ? "kubeconfig"
					   : "context",
				 cluster->in_cluster ? "inCluster"
				 : file		     ? "kubeconfig"
						     : "context");
}

static void check_cluster(struct mrd_config_reading *reading, const struct mrd_doc_node *node,
			  const char *path)
{
	const struct mrd_cluster_config *cluster = &reading->config->clusters[reading->cluster];
	struct mrd_key_reader *reader = &reading->reader;

	if (node->kind != MRD_DOC_MAP)
		return;
	if (!mrd_doc_get(node, "name"))
		mrd_key_complain(reader, MRD_ERROR, node, path, "needs a name");
	check_source(reading, node, path);
	for (size_t i = 0; i < reading->cluster && cluster->name; i++)
		if (reading->config->clusters[i].name &&
		    !strcmp(reading->config->clusters[i].name, cluster->name))
			mrd_key_complain(reader, MRD_ERROR, mrd_doc_get(node, "name"), path,
					 "the name %s is taken by clusters[%zu]", cluster->name, i);
}

static void read_clusters(struct mrd_key_reader *reader, const struct mrd_key *field,
			  const struct mrd_doc_node *node, const char *path, void *into)
{
	struct mrd_config_reading *reading = reading_of(reader);
	struct mrd_agent_config *config = into;

	(void)field;
	if (node->kind != MRD_DOC_LIST || !node->count || node->count > MRD_CLUSTERS_MAX) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be a list of 1 to %d clusters", MRD_CLUSTERS_MAX);
		return;
	}
	config->clusters = calloc(node->count, sizeof(*config->clusters));
	if (!config->clusters) {
		reader->no_memory = true;
		return;
	}
	config->cluster_count = node->count;
	for (size_t i = 0; i < node->count; i++) {
		char *item MRD_AUTO_FREE = index_path(path, i);

		reading->cluster = i;
		if (!item) {
			reader->no_memory = true;
			return;
		}
		mrd_keys_read(reader, node->items[i], item, cluster_keys,
			      sizeof(cluster_keys) / sizeof(*cluster_keys), &config->clusters[i]);
		check_cluster(reading, node->items[i], item);
	}
}

static const struct mrd_key node_keys[] = {
	CONFIG_NAME("name", node, node_name, 1),
	CONFIG_NAME("region", place, node_region, 0),
	CONFIG_NAME("zone", place, node_zone, 0),
	CONFIG_NAME("subzone", place, node_subzone, 0),
};

static void read_hops(struct mrd_key_reader *reader, const struct mrd_key *field,
		      const struct mrd_doc_node *node, const char *path, void *into)
{
	int64_t number;

	if (!mrd_doc_int(node, &number) && number > field->most)
		mrd_key_complain(
			reader, MRD_ERROR, node, path,
			"must be %d to %d: the map ABI fixes a route row's size at %d hops", 1,
			MRD_HOPS_MAX, MRD_HOPS_MAX);
	else
		mrd_key_number(reader, field, node, path, into);
}

static const struct mrd_key limit_keys[] = {
	CONFIG("services", mrd_key_number, limits.services, 1, SERVICES_MOST),
	CONFIG("vips", mrd_key_number, limits.vips, 1, ROWS_MOST),
	CONFIG("hops", read_hops, hops, 1, MRD_HOPS_MAX),
	CONFIG("members", mrd_key_number, limits.members, 1, ROWS_MOST),
	CONFIG("affinity", mrd_key_number, limits.affinity, 1, ROWS_MOST),
	CONFIG("udpFlows", mrd_key_number, limits.udp_flows, 1, ROWS_MOST),
	CONFIG("flows", mrd_key_number, limits.flows, 2, ROWS_MOST),
	CONFIG("eventBytes", mrd_key_number, limits.event_bytes, EVENT_BYTES_LEAST,
	       EVENT_BYTES_MOST),
};

static void read_node(struct mrd_key_reader *reader, const struct mrd_key *field,
		      const struct mrd_doc_node *node, const char *path, void *into)
{
	(void)field;
	mrd_keys_read(reader, node, path, node_keys, sizeof(node_keys) / sizeof(*node_keys), into);
}

static void read_limits(struct mrd_key_reader *reader, const struct mrd_key *field,
			const struct mrd_doc_node *node, const char *path, void *into)
{
	const struct mrd_agent_config *config = into;

	(void)field;
	mrd_keys_read(reader, node, path, limit_keys, sizeof(limit_keys) / sizeof(*limit_keys),
		      into);
	if (config->limits.event_bytes & (config->limits.event_bytes - 1))
		mrd_key_complain(reader, MRD_ERROR, mrd_doc_get(node, "eventBytes"),
				 "kernel.limits.eventBytes", "must be a power of two");
}

/* "auto", or a path that does not depend on where the agent was started. */
static void read_absolute(struct mrd_key_reader *reader, const struct mrd_key *field,
			  const struct mrd_doc_node *node, const char *path, void *into)
{
	const bool may_be_auto = !strcmp(field->key, "cgroup");

	if (may_be_auto && node->kind == MRD_DOC_SCALAR && !strcmp(node->text, "auto")) {
		mrd_key_string(reader, field, node, path, into);
		return;
	}
	if (node->kind == MRD_DOC_SCALAR && *node->text != '/') {
		mrd_key_complain(reader, MRD_ERROR, node, path, "must be %san absolute path",
				 may_be_auto ? "auto or " : "");
		return;
	}
	/* What has to be mounted there would hide all else. */
	if (!may_be_auto && node->kind == MRD_DOC_SCALAR && !node->text[strspn(node->text, "/")]) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be a folder of its own, like /sys/fs/bpf/meridian");
		return;
	}
	mrd_key_path(reader, field, node, path, into);
}

/* Could an interface be called so? What the kernel's dev_valid_name() refuses matches nothing. */
static bool is_glob(const struct mrd_doc_node *node)
{
	const char *text = node->text;
	const char *bracket = strchr(text, '[');
	const bool is_pattern = strpbrk(text, "*?[\\");

	return node->kind == MRD_DOC_SCALAR && *text &&
	       strlen(text) <= (is_pattern ? GLOB_MAX : IFNAMSIZ - 1) && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0 && !mrd_name_fault_line(text) &&
	       !strpbrk(text, bracket ? "/ " : "/: ") && (!bracket || strchr(bracket, ']'));
}

static void read_glob(struct mrd_key_reader *reader, const struct mrd_doc_node *node,
		      const char *path, struct mrd_interface_choice *choice)
{
	if (!is_glob(node)) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be the name of an interface, or a pattern like cali*");
		return;
	}
	if (!strcmp(node->text, "auto") || !strcmp(node->text, "none")) {
		mrd_key_complain(reader, MRD_ERROR, node, path, "%s stands alone, not in a list",
				 node->text);
		return;
	}
	choice->globs[choice->glob_count] = strdup(node->text);
	if (choice->globs[choice->glob_count])
		choice->glob_count++;
	else
		reader->no_memory = true;
}

static void read_interfaces(struct mrd_key_reader *reader, const struct mrd_key *field,
			    const struct mrd_doc_node *node, const char *path, void *into)
{
	struct mrd_interface_choice *choice = &((struct mrd_agent_config *)into)->interfaces;

	(void)field;
	if (node->kind == MRD_DOC_SCALAR &&
	    (!strcmp(node->text, "auto") || !strcmp(node->text, "none"))) {
		choice->mode = *node->text == 'a' ? MRD_INTERFACES_AUTO : MRD_INTERFACES_NONE;
		return;
	}
	if (node->kind != MRD_DOC_LIST || !node->count) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be auto, none, or a list of names and patterns like "
				 "[cali*, eth0]");
		return;
	}
	choice->mode = MRD_INTERFACES_GLOBS;
	choice->globs = calloc(node->count, sizeof(*choice->globs));
	if (!choice->globs) {
		reader->no_memory = true;
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		char *item MRD_AUTO_FREE = index_path(path, i);

		if (item)
			read_glob(reader, node->items[i], item, choice);
		else
			reader->no_memory = true;
	}
}

static const struct mrd_key kernel_keys[] = {
	CONFIG("cgroup", read_absolute, cgroup, 1, PATH_MAX - 1),
	CONFIG("bpffs", read_absolute, bpffs, 1, PATH_MAX - 1),
	{.key = "interfaces", .read = read_interfaces},
	CONFIG("fastForward", mrd_key_bool, fast_forward, 0, 0),
	{.key = "limits", .read = read_limits},
	CONFIG("probe", mrd_key_bool, probe, 0, 0),
};

static void read_kernel(struct mrd_key_reader *reader, const struct mrd_key *field,
			const struct mrd_doc_node *node, const char *path, void *into)
{
	(void)field;
	mrd_keys_read(reader, node, path, kernel_keys, sizeof(kernel_keys) / sizeof(*kernel_keys),
		      into);
}

static void read_selector(struct mrd_key_reader *reader, const struct mrd_key *field,
			  const struct mrd_doc_node *node, const char *path, void *into)
{
	const struct mrd_agent_config *config = into;
	struct mrd_selector *selector;

	mrd_key_string(reader, field, node, path, into);
	if (node->kind != MRD_DOC_SCALAR || !*node->text || !config->service_selector)
		return;
	if (mrd_selector_parse(config->service_selector, &selector)) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be a label selector like \"app=web,tier notin (db)\"");
		return;
	}
	mrd_selector_free(selector);
}

/* The last step of a path, behind the last slash. */
static bool is_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;

	return !*last || !strcmp(last, ".") || !strcmp(last, "..");
}

static void read_control(struct mrd_key_reader *reader, const struct mrd_key *field,
			 const struct mrd_doc_node *node, const char *path, void *into)
{
	const struct mrd_agent_config *config = into;

	mrd_key_path(reader, field, node, path, into);
	if (config->control && strlen(config->control) > CONTROL_MAX)
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "is longer than %d characters, the most for a socket",
				 CONTROL_MAX);
	else if (config->control && is_folder(config->control))
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be a file like /run/meridian/control.sock, not a folder");
}

/* Addresses that no host has, or none without a word of which interface is meant. */
static bool is_unbindable(const struct mrd_ip *ip)
{
	enum { V4_MULTICAST = 0xe0, V4_MULTICAST_MASK = 0xf0, V6_MULTICAST = 0xff };
	enum { V6_LINK = 0xfe80, V6_LINK_MASK = 0xffc0 };
	static const uint8_t v4_broadcast[] = {255, 255, 255, 255};
	const unsigned int start = (unsigned int)ip->bytes[0] << 8 | ip->bytes[1];

	/* 240.0.0.0/4 between them is what some clouds give to nodes. */
	if (ip->version == MRD_IPV4)
		return (ip->bytes[0] & V4_MULTICAST_MASK) == V4_MULTICAST ||
		       !memcmp(ip->bytes, v4_broadcast, sizeof(v4_broadcast));
	return ip->bytes[0] == V6_MULTICAST || (start & V6_LINK_MASK) == V6_LINK;
}

static void read_metrics(struct mrd_key_reader *reader, const struct mrd_key *field,
			 const struct mrd_doc_node *node, const char *path, void *into)
{
	struct mrd_agent_config *config = into;
	const char *text = "";
	struct mrd_ip ip;
	uint16_t port = 0;

	(void)field;
	if (!mrd_doc_string(node, &text) && (!*text || !strcmp(text, "none"))) {
		config->metrics_port = 0;
		return;
	}
	if (mrd_ip_port_parse(text, &ip, &port) || !port) {
		mrd_key_complain(reader, MRD_ERROR, node, path,
				 "must be an address and a port like 127.0.0.1:9464 or "
				 "[::1]:9464, or none");
		return;
	}
	if (is_unbindable(&ip)) {
		mrd_key_complain(
			reader, MRD_ERROR, node, path,
			"nothing can listen there: give an address of the node, or 0.0.0.0 "
			"or [::] for all");
		return;
	}
	config->metrics_ip = ip;
	config->metrics_port = port;
}

static const char *const unknown_words[] = {"pass", "refuse", NULL};

/* The only key that a mesh-wide policy has, too; a configuration never has it alone. */
#define SHARED_KEY "rootNamespace"

static const struct mrd_key root_keys[] = {
	{.key = "node", .read = read_node},
	{.key = "clusters", .read = read_clusters},
	{.key = "policy", .read = read_policy},
	CONFIG("staleAfter", mrd_key_duration, stale_after_ms, STALE_LEAST_MS, STALE_MOST_MS),
	CONFIG("startupWait", mrd_key_duration, startup_wait_ms, 0, STARTUP_MOST_MS),
	{.key = "unknownService",
	 .read = mrd_key_word,
	 .offset = offsetof(struct mrd_agent_config, unknown_service),
	 .words = unknown_words},
	CONFIG_NAME("clusterDomain", domain, cluster_domain, 1),
	CONFIG_NAME(SHARED_KEY, namespace, root_namespace, 1),
	CONFIG("serviceSelector", read_selector, service_selector, 0, 0),
	{.key = "kernel", .read = read_kernel},
	CONFIG("control", read_control, control, 1, 0),
	{.key = "metrics", .read = read_metrics},
};

static void read_root(struct mrd_config_reading *reading, const struct mrd_doc_file *file)
{
	const struct mrd_doc_node *root = mrd_doc_count(file) ? mrd_doc_root(file, 0) : NULL;

	if (mrd_doc_count(file) > 1)
		mrd_key_complain(&reading->reader, MRD_ERROR, mrd_doc_root(file, 1), "",
				 "a configuration is one document");
	if (!mrd_doc_get(root, "clusters"))
		mrd_key_complain(&reading->reader, MRD_ERROR, root, "clusters",
				 "at least one cluster is needed");
	if (!root)
		return;
	mrd_keys_read(&reading->reader, root, "", root_keys, sizeof(root_keys) / sizeof(*root_keys),
		      reading->config);
	mrd_config_check_home(reading, mrd_doc_get(root, "clusters"));
	mrd_config_check_overlaps(reading);
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static void free_file(struct mrd_doc_file **file)
{
	mrd_doc_free(*file);
}

static void free_reading(struct mrd_config_reading *reading)
{
	for (size_t i = 0; i < reading->block_count; i++)
		free(reading->blocks[i].path);
	free(reading->blocks);
	mrd_agent_config_free(reading->config);
}

/* keep: what a file with errors says is handed out, too. */
static int load(const char *path, bool keep, struct mrd_diag *diag,
		struct mrd_agent_config **ret_config)
{
	struct mrd_doc_file *file MRD_CLEANUP(free_file) = NULL;
	char *folder MRD_AUTO_FREE = folder_of(path);
	struct mrd_config_reading reading MRD_CLEANUP(free_reading) = {
		.reader = {.diag = diag, .file = path, .folder = folder},
		.config = calloc(1, sizeof(struct mrd_agent_config)),
	};
	const size_t errors = diag->errors;
	bool is_bad;
	int r;

	if (!folder || !reading.config)
		return -ENOMEM;
	reading.config->stale_after_ms = 60 * MRD_MS_PER_S;
	reading.config->startup_wait_ms = 10 * MRD_MS_PER_S;
	reading.config->probe = true;
	reading.config->metrics_ip = (struct mrd_ip){.bytes = {127, 0, 0, 1}, .version = MRD_IPV4};
	reading.config->metrics_port = METRICS_PORT;
	r = mrd_doc_read(path, diag, &file);
	if (r && r != -EBADMSG && r != -ENOMEM && diag->errors == errors)
		mrd_key_complain(&reading.reader, MRD_ERROR, NULL, "", "%s", strerror(-r));
	if (r && (r != -EBADMSG || !mrd_doc_count(file)))
		return r;
	read_root(&reading, file);
	if (reading.reader.no_memory)
		return -ENOMEM;
	is_bad = diag->errors != errors;
	if (is_bad)
		mrd_diag_sort(diag);
	if (is_bad && !keep)
		return -EBADMSG;
	r = mrd_config_set_defaults(reading.config);
	if (r)
		return r;
	*ret_config = MRD_STEAL_PTR(reading.config);
	return is_bad ? -EBADMSG : 0;
}

int mrd_agent_config_load(const char *path, struct mrd_diag *diag,
			  struct mrd_agent_config **ret_config)
{
	return load(path, false, diag, ret_config);
}

int mrd_agent_config_survey(const char *path, struct mrd_diag *diag,
			    struct mrd_agent_config **ret_config)
{
	*ret_config = NULL;
	return load(path, true, diag, ret_config);
}

bool mrd_agent_config_is(const struct mrd_doc_node *root)
{
	if (mrd_doc_get(root, "apiVersion") || mrd_doc_get(root, "kind"))
		return false;
	for (size_t i = 0; i < sizeof(root_keys) / sizeof(*root_keys); i++)
		if (strcmp(root_keys[i].key, SHARED_KEY) != 0 &&
		    mrd_doc_get(root, root_keys[i].key))
			return true;
	return false;
}

void mrd_agent_config_drop_clusters(struct mrd_agent_config *config)
{
	for (size_t i = 0; i < config->cluster_count; i++) {
		struct mrd_cluster_config *cluster = &config->clusters[i];

		free(cluster->name);
		free(cluster->region);
		free(cluster->network);
		free(cluster->directory);
		free(cluster->kubeconfig);
		free(cluster->context);
		free(cluster->pod_cidrs);
		free(cluster->service_cidrs);
	}
	free(config->clusters);
	config->clusters = NULL;
	config->cluster_count = 0;
	config->home = 0;
}

void mrd_agent_config_drop_policy(struct mrd_agent_config *config)
{
	for (size_t i = 0; i < config->policy_count; i++)
		free(config->policy[i]);
	free(config->policy);
	config->policy = NULL;
	config->policy_count = 0;
}

void mrd_agent_config_free(struct mrd_agent_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->interfaces.glob_count; i++)
		free(config->interfaces.globs[i]);
	free(config->interfaces.globs);
	mrd_agent_config_drop_clusters(config);
	mrd_agent_config_drop_policy(config);
	free(config->node_name);
	free(config->node_region);
	free(config->node_zone);
	free(config->node_subzone);
	free(config->cluster_domain);
	free(config->root_namespace);
	free(config->service_selector);
	free(config->cgroup);
	free(config->bpffs);
	free(config->control);
	free(config);
}
