/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How a service is merged from the clusters' objects, rule by rule. */
#include "model/model.h"

#include "build.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WEB	  .name = "web", .vips = "10.0.0.1", .ports = "http:80/TCP"
#define SLICE(n)  .name = (n), .service = "web", .ports = "http:8080/TCP"
#define NODE_A	  .name = "n1"
#define LABELS_R1 "topology.kubernetes.io/region=r1,topology.kubernetes.io/zone=z1"

enum { OBJECTS_MAX = 8 };

struct given {
	enum mrd_kind kind;
	size_t cluster;
	struct build object;
};

struct view_case {
	const char *name;
	const char *selector;
	struct given given[OBJECTS_MAX]; /* ends with one without a name */
	int want_ret;
	const char *want;
};

#define SERVICE(...)                                                \
	{                                                           \
		.kind = MRD_KIND_SERVICE, .object = { __VA_ARGS__ } \
	}
#define ENDPOINTS(...)                                            \
	{                                                         \
		.kind = MRD_KIND_SLICE, .object = { __VA_ARGS__ } \
	}
#define FAR_ENDPOINTS(...)                                                      \
	{                                                                       \
		.kind = MRD_KIND_SLICE, .cluster = 1, .object = { __VA_ARGS__ } \
	}
#define NODE(...)                                                \
	{                                                        \
		.kind = MRD_KIND_NODE, .object = { __VA_ARGS__ } \
	}
#define FAR_NODE(...)                                                          \
	{                                                                      \
		.kind = MRD_KIND_NODE, .cluster = 1, .object = { __VA_ARGS__ } \
	}

static const struct view_case cases[] = {
	{
		.name = "endpoints of all clusters are one service, sorted by cluster and address",
		.given = {SERVICE(WEB), FAR_ENDPOINTS(SLICE("a"), .endpoints = "10.2.0.2;10.2.0.1"),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.3.0.1")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.3.0.1:8080 ready home//; "
			"c1 10.2.0.1:8080 ready far//; c1 10.2.0.2:8080 ready far//\n",
	},
	{
		.name = "a Service of another cluster alone gives nothing",
		.given = {{.kind = MRD_KIND_SERVICE, .cluster = 1, .object = {WEB}},
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1")},
		.want_ret = -ENOENT,
	},
	{
		.name = "the home cluster's Service gives the addresses",
		.given = {SERVICE(WEB),
			  {.kind = MRD_KIND_SERVICE,
			   .cluster = 1,
			   .object = {.name = "web", .vips = "10.9.9.9", .ports = "x:1/TCP"}}},
		.want = "http 80/TCP http [10.0.0.1]\n",
	},
	{
		.name = "other namespaces and names are other services",
		.given = {SERVICE(WEB),
			  ENDPOINTS(SLICE("a"), .namespace_ = "shop", .endpoints = "10.1.0.1"),
			  ENDPOINTS(.name = "b", .service = "we", .ports = "http:1/TCP",
				    .endpoints = "10.1.0.2"),
			  ENDPOINTS(.name = "c", .ports = "http:1/TCP", .endpoints = "10.1.0.3")},
		.want = "http 80/TCP http [10.0.0.1]\n",
	},
	{
		.name = "ports match by name, with a number for each slice",
		.given = {SERVICE(.name = "web", .vips = "10.0.0.1", .ports = ":80/TCP"),
			  ENDPOINTS(.name = "a", .service = "web", .ports = ":8080/TCP",
				    .endpoints = "10.1.0.1"),
			  FAR_ENDPOINTS(.name = "a", .service = "web",
					.ports = "other:1/TCP,:9090/TCP", .endpoints = "10.2.0.1"),
			  FAR_ENDPOINTS(.name = "b", .service = "web", .ports = "http:1/TCP",
					.endpoints = "10.2.0.2")},
		.want = " 80/TCP [10.0.0.1] c0 10.1.0.1:8080 ready home//; "
			"c1 10.2.0.1:9090 ready far//\n",
	},
	{
		.name = "ports match by protocol too, as kube-proxy does; a port without number is "
			"none",
		.given = {SERVICE(.name = "dns", .vips = "10.0.0.1", .ports = "dns:53/UDP"),
			  ENDPOINTS(.name = "a", .service = "dns", .ports = "dns:53/TCP",
				    .endpoints = "10.1.0.1"),
			  ENDPOINTS(.name = "b", .service = "dns", .ports = "dns:0/UDP",
				    .endpoints = "10.1.0.2"),
			  ENDPOINTS(.name = "c", .service = "dns", .ports = "dns:5353/UDP",
				    .endpoints = "10.1.0.3")},
		.want = "dns 53/UDP [10.0.0.1] c0 10.1.0.3:5353 ready home//\n",
	},
	{
		.name = "TCP and UDP on one number are two ports, sorted by number; SCTP is left "
			"alone",
		.given = {SERVICE(.name = "dns", .vips = "10.0.0.1",
				  .ports = "s:1/SCTP,metrics:9153/TCP,dns:53/UDP,dns-tcp:53/TCP")},
		.want = "dns-tcp 53/TCP [10.0.0.1]\ndns 53/UDP [10.0.0.1]\n"
			"metrics 9153/TCP [10.0.0.1]\n",
	},
	{
		.name = "a port twice: the first counts",
		.given = {SERVICE(.name = "web", .vips = "10.0.0.1",
				  .ports = "a:80/TCP,b:80/TCP,c:80/TCP")},
		.want = "a 80/TCP [10.0.0.1]\n"
			"! port 80/TCP is given twice; the first one, \"a\", counts\n"
			"! port 80/TCP is given twice; the first one, \"a\", counts\n",
	},
	{
		.name = "dual stack: a port for each family, endpoints of that family",
		.given = {SERVICE(.name = "web", .vips = "fd00::1,10.0.0.1,10.0.0.1",
				  .ports = "http:80/TCP"),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1"),
			  ENDPOINTS(SLICE("b"), .family = MRD_IPV6, .endpoints = "fd01::1"),
			  ENDPOINTS(SLICE("c"), .family = MRD_IPV6, .endpoints = "10.1.0.9")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home//\n"
			"http 80/TCP http [fd00::1] c0 [fd01::1]:8080 ready home//\n",
	},
	{
		.name = "slices of names instead of addresses are ignored",
		.given = {SERVICE(WEB),
			  ENDPOINTS(SLICE("a"), .fqdn = true, .endpoints = "10.1.0.1")},
		.want = "http 80/TCP http [10.0.0.1]\n",
	},
	{
		.name = "no address: headless",
		.given = {SERVICE(.name = "web", .ports = "http:80/TCP")},
		.want_ret = -ENOENT,
	},
	{
		.name = "no TCP or UDP port",
		.given = {SERVICE(.name = "web", .vips = "10.0.0.1", .ports = "s:1/SCTP")},
		.want_ret = -ENOENT,
	},
	{
		.name = "another proxy's, even if the label is empty",
		.given = {SERVICE(WEB, .labels = "service.kubernetes.io/service-proxy-name=")},
		.want_ret = -ENOENT,
	},
	{
		.name = "not selected",
		.selector = "mesh=yes",
		.given = {SERVICE(WEB, .labels = "mesh=no")},
		.want_ret = -ENOENT,
	},
	{
		.name = "selected",
		.selector = "mesh=yes",
		.given = {SERVICE(WEB, .labels = "mesh=yes")},
		.want = "http 80/TCP http [10.0.0.1]\n",
	},
	{
		.name = "an endpoint in two slices counts once: a ready one wins over a newer one",
		.given = {SERVICE(WEB),
			  ENDPOINTS(SLICE("new"), .created = "2026-02-01T00:00:00Z",
				    .endpoints = "10.1.0.1 unready zone=znew"),
			  ENDPOINTS(SLICE("old"), .created = "2026-01-01T00:00:00Z",
				    .endpoints = "10.1.0.1 zone=zold")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home/zold/\n",
	},
	{
		.name = "of two ready ones the newest counts",
		.given = {SERVICE(WEB),
			  ENDPOINTS(SLICE("a"), .created = "2026-01-01T00:00:00Z",
				    .endpoints = "10.1.0.1 zone=zold"),
			  ENDPOINTS(SLICE("b"), .created = "2026-02-01T00:00:00Z",
				    .endpoints = "10.1.0.1 zone=znew")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home/znew/\n",
	},
	{
		.name = "of two of the same age the first by name, whichever came first",
		.given = {SERVICE(WEB), ENDPOINTS(SLICE("b"), .endpoints = "10.1.0.1 zone=zb"),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1 zone=za")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home/za/\n",
	},
	{
		.name = "one address with two numbers is two endpoints",
		.given = {SERVICE(WEB), ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1"),
			  ENDPOINTS(.name = "b", .service = "web", .ports = "http:9090/TCP",
				    .endpoints = "10.1.0.1")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home//; "
			"c0 10.1.0.1:9090 ready home//\n",
	},
	{
		.name = "one address in two clusters counts once, with a warning",
		.given = {SERVICE(WEB), FAR_ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1;10.1.0.2"),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1;10.1.0.2")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home//; "
			"c0 10.1.0.2:8080 ready home//\n"
			"! 2 of the endpoints of port \"http\" stand in more than one cluster "
			"(10.1.0.1:8080 in c-home and c-far): do their pod addresses overlap?\n",
	},
	{
		.name = "an address that two clusters claim is the home cluster's, whatever the "
			"slices' age",
		.given = {SERVICE(WEB),
			  FAR_ENDPOINTS(SLICE("a"), .created = "2026-02-01T00:00:00Z",
					.endpoints = "10.1.0.1"),
			  ENDPOINTS(SLICE("b"), .created = "2026-01-01T00:00:00Z",
				    .endpoints = "10.1.0.1")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home//\n"
			"! 1 of the endpoints of port \"http\" stand in more than one cluster "
			"(10.1.0.1:8080 in c-home and c-far): do their pod addresses overlap?\n",
	},
	{
		.name = "unready, serving and terminating",
		.given = {SERVICE(WEB),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1 unready;"
							     "10.1.0.2 unready serving terminating;"
							     "10.1.0.3 terminating")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 home//; "
			"c0 10.1.0.2:8080 serving terminating home//; "
			"c0 10.1.0.3:8080 serving terminating home//\n",
	},
	{
		.name = "locality: the node's, in the endpoint's own cluster",
		.given = {SERVICE(WEB),
			  NODE(NODE_A, .labels = LABELS_R1 ",topology.istio.io/subzone=s1"),
			  FAR_NODE(NODE_A, .labels = "topology.kubernetes.io/region=r2"),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1 node=n1 zone=zslice"),
			  FAR_ENDPOINTS(SLICE("a"), .endpoints = "10.2.0.1 node=n1 zone=zslice")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready r1/z1/s1; "
			"c1 10.2.0.1:8080 ready r2/zslice/\n",
	},
	{
		.name = "locality: no node known, the slice's zone and the cluster's region",
		.given = {SERVICE(WEB), FAR_NODE(NODE_A, .labels = LABELS_R1),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1 node=n1 zone=zs;10.1.0.2")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home/zs/; "
			"c0 10.1.0.2:8080 ready home//\n",
	},
	{
		.name = "locality: a node without a region has the cluster's",
		.given = {SERVICE(WEB), NODE(NODE_A, .labels = "topology.kubernetes.io/zone=z1"),
			  ENDPOINTS(SLICE("a"), .endpoints = "10.1.0.1 node=n1")},
		.want = "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready home/z1/\n",
	},
	{
		.name = "an address that an older service has",
		.given = {SERVICE(WEB, .created = "2026-02-01T00:00:00Z"),
			  SERVICE(.name = "old", .created = "2026-01-01T00:00:00Z",
				  .vips = "10.0.0.1", .ports = "x:80/TCP")},
		.want = "! 10.0.0.1:80/TCP belongs to default/old, which is older\n",
	},
	{
		.name = "of the same age the first by name; another port or protocol is another "
			"address",
		.given = {SERVICE(.name = "web", .vips = "10.0.0.1,10.0.0.2",
				  .ports = "a:80/TCP,b:80/UDP,c:81/TCP"),
			  SERVICE(.name = "alpha", .vips = "10.0.0.1", .ports = "x:80/TCP")},
		.want = "a 80/TCP [10.0.0.2]\nb 80/UDP [10.0.0.1 10.0.0.2]\n"
			"c 81/TCP [10.0.0.1 10.0.0.2]\n"
			"! 10.0.0.1:80/TCP belongs to default/alpha, which is older\n",
	},
	{
		.name = "without a date a service is the youngest",
		.given = {SERVICE(WEB, .created = "2026-02-01T00:00:00Z"),
			  SERVICE(.name = "alpha", .vips = "10.0.0.1", .ports = "x:80/TCP")},
		.want = "http 80/TCP http [10.0.0.1]\n",
	},
	{
		.name = "what is not ours claims nothing",
		.given = {SERVICE(WEB),
			  SERVICE(.name = "alpha", .vips = "10.0.0.1", .ports = "x:80/TCP",
				  .labels = "service.kubernetes.io/service-proxy-name=other")},
		.want = "http 80/TCP http [10.0.0.1]\n",
	},
};

static const struct mrd_model_cluster clusters[] = {
	{.name = "c-home", .region = "home", .network = ""},
	{.name = "c-far", .region = "far", .network = ""},
};

static void check_case(const struct view_case *c, bool backwards)
{
	struct mrd_model *model;
	struct mrd_view *view = NULL;
	const char *name = c->given[0].object.name;
	size_t count = 0;
	int ret;

	printf("%s%s\n", c->name, backwards ? " (put in reverse)" : "");
	assert_int_equal(mrd_model_new(clusters, COUNT(clusters), 0, c->selector, &model), 0);
	while (count < OBJECTS_MAX && c->given[count].object.name)
		count++;
	for (size_t i = 0; i < count; i++) {
		const struct given *given = &c->given[backwards ? count - 1 - i : i];

		build_put(model, given->cluster, given->kind, &given->object);
	}
	ret = mrd_model_view(model, "default", name, &view);
	assert_int_equal(ret, c->want_ret);
	if (!ret) {
		char *text = build_view_text(view);

		assert_string_equal(text, c->want);
		free(text);
	}
	mrd_view_free(view);
	mrd_model_free(model);
}

static void services_merge_by_rule_in_any_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check_case(&cases[i], false);
		check_case(&cases[i], true);
	}
}

static void http_ports_are_known_by_istios_rule(void **state)
{
	static const struct {
		const char *ports;
		bool want;
		bool want_http2;
	} rows[] = {
		{.ports = "http:80/TCP", .want = true},
		{.ports = "http-web:80/TCP", .want = true},
		{.ports = "HTTP:80/TCP", .want = true},
		{.ports = "http2:80/TCP", .want = true, .want_http2 = true},
		{.ports = "http2-x:80/TCP", .want = true, .want_http2 = true},
		{.ports = "grpc:80/TCP", .want = true, .want_http2 = true},
		{.ports = "grpc-web:80/TCP", .want = true},
		{.ports = "grpc-web-x:80/TCP", .want = true},
		{.ports = "http:80/UDP", .want = false},
		{.ports = "https:443/TCP", .want = false},
		{.ports = "https-x:443/TCP", .want = false},
		{.ports = "httpx:80/TCP", .want = false},
		{.ports = "web-http:80/TCP", .want = false},
		{.ports = "tcp:80/TCP", .want = false},
		{.ports = ":80/TCP", .want = false},
		{.ports = "web:80/TCP:http", .want = true},
		{.ports = "web:80/TCP:HTTP2", .want = true, .want_http2 = true},
		{.ports = "web:80/TCP:grpc", .want = true, .want_http2 = true},
		{.ports = "web:80/TCP:grpc-web", .want = true},
		{.ports = "web:80/TCP:kubernetes.io/h2c", .want = true, .want_http2 = true},
		{.ports = "web:80/TCP:kubernetes.io/ws", .want = true},
		{.ports = "web:80/TCP:kubernetes.io/wss", .want = false},
		{.ports = "web:80/TCP:https", .want = false},
		{.ports = "http:80/TCP:tcp", .want = false},
		{.ports = "http:80/TCP:example.com/other", .want = false},
		{.ports = "web:80/UDP:http", .want = false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mrd_model *model;
		struct mrd_view *view;

		printf("%s\n", rows[i].ports);
		assert_int_equal(mrd_model_new(clusters, 1, 0, NULL, &model), 0);
		build_put(model, 0, MRD_KIND_SERVICE,
			  &(struct build){.name = "s", .vips = "10.0.0.1", .ports = rows[i].ports});
		assert_int_equal(mrd_model_view(model, "default", "s", &view), 0);
		assert_int_equal(view->ports[0].is_http, rows[i].want);
		assert_int_equal(view->ports[0].is_http2, rows[i].want_http2);
		mrd_view_free(view);
		mrd_model_free(model);
	}
}

static void a_view_shows_what_else_the_objects_say(void **state)
{
	struct mrd_model *model;
	struct mrd_view *view;
	const struct mrd_view_endpoint *endpoint;

	(void)state;
	assert_int_equal(mrd_model_new(clusters, 1, 0, "", &model), 0);
	build_put(model, 0, MRD_KIND_SERVICE,
		  &(struct build){WEB, .labels = "app=web", .internal_local = true,
				  .affinity_s = 10800, .distribution = MRD_DISTRIBUTION_SAME_ZONE});
	build_put(model, 0, MRD_KIND_NODE, &(struct build){NODE_A, .labels = "disk=ssd"});
	build_put(model, 0, MRD_KIND_POD, &(struct build){.name = "p1", .labels = "version=v1"});
	build_put(model, 0, MRD_KIND_SLICE,
		  &(struct build){SLICE("a"), .endpoints = "10.1.0.1 node=n1 pod=p1;10.1.0.2"});
	assert_int_equal(mrd_model_view(model, "default", "web", &view), 0);
	assert_string_equal(view->namespace_, "default");
	assert_string_equal(view->name, "web");
	assert_string_equal(mrd_labels_get(view->labels, "app"), "web");
	assert_string_equal(mrd_labels_get(view->labels, "none"), "");
	assert_true(view->internal_local);
	assert_int_equal(view->affinity_timeout_s, 10800);
	assert_int_equal(view->traffic_distribution, MRD_DISTRIBUTION_SAME_ZONE);
	endpoint = view->ports[0].endpoints;
	assert_string_equal(endpoint[0].node_name, "n1");
	assert_string_equal(mrd_labels_get(endpoint[0].node_labels, "disk"), "ssd");
	assert_string_equal(mrd_labels_get(endpoint[0].pod_labels, "version"), "v1");
	assert_null(endpoint[1].node_labels);
	assert_null(endpoint[1].pod_labels);
	mrd_view_free(view);
	mrd_model_free(model);
}

/* Pods a and b have both addresses, c and d one; of two clusters' pods of one name each has its
 * own; an endpoint of no pod has no twin. Which ports of the pod the slices name does not matter.
 */
static void the_addresses_of_a_pod_know_each_other(void **state)
{
	static const char *const want[] = {
		"10.1.0.1 fd00::a", "10.1.0.2 fd00::b", "10.1.0.3 -",	    "10.1.0.4 -",
		"10.2.0.1 fd00::2", "fd00::a 10.1.0.1", "fd00::b 10.1.0.2", "fd00::d -",
		"fd00::e -",	    "fd00::2 10.2.0.1",
	};
	struct mrd_model *model;
	struct mrd_view *view;
	size_t count = 0;

	(void)state;
	assert_int_equal(mrd_model_new(clusters, 2, 0, "", &model), 0);
	build_put(
		model, 0, MRD_KIND_SERVICE,
		&(struct build){.name = "web", .vips = "10.0.0.1,fd00::1", .ports = "http:80/TCP"});
	build_put(model, 0, MRD_KIND_SLICE,
		  &(struct build){SLICE("4"), .endpoints = "10.1.0.2 pod=b;10.1.0.1 pod=a;"
							   "10.1.0.3 pod=c;10.1.0.4"});
	build_put(
		model, 0, MRD_KIND_SLICE,
		&(struct build){.name = "6",
				.service = "web",
				.family = MRD_IPV6,
				.ports = "http:8081/TCP",
				.endpoints = "fd00::d pod=d;fd00::b pod=b;fd00::a pod=a;fd00::e"});
	build_put(model, 1, MRD_KIND_SLICE,
		  &(struct build){SLICE("4"), .endpoints = "10.2.0.1 pod=a"});
	build_put(model, 1, MRD_KIND_SLICE,
		  &(struct build){SLICE("6"), .family = MRD_IPV6, .endpoints = "fd00::2 pod=a"});
	assert_int_equal(mrd_model_view(model, "default", "web", &view), 0);
	assert_int_equal(view->port_count, 2);
	for (size_t p = 0; p < view->port_count; p++) {
		for (size_t i = 0; i < view->ports[p].endpoint_count; i++) {
			const struct mrd_view_endpoint *at = &view->ports[p].endpoints[i];
			char ip[MRD_IP_TEXT_MAX];
			char twin[MRD_IP_TEXT_MAX] = "-";
			char got[2 * MRD_IP_TEXT_MAX];

			if (at->twin)
				mrd_ip_format(&at->twin->ip, twin);
			snprintf(got, sizeof(got), "%s %s", mrd_ip_format(&at->ip, ip), twin);
			assert_string_equal(got, want[count++]);
		}
	}
	assert_int_equal(count, COUNT(want));
	mrd_view_free(view);
	mrd_model_free(model);
}

static void a_node_tells_its_locality_without_defaults(void **state)
{
	struct mrd_locality_name locality;
	struct mrd_model *model;

	(void)state;
	assert_int_equal(mrd_model_new(clusters, 2, 0, "", &model), 0);
	build_put(model, 0, MRD_KIND_NODE, &(struct build){NODE_A, .labels = LABELS_R1});
	build_put(model, 1, MRD_KIND_NODE, &(struct build){NODE_A});
	assert_int_equal(mrd_model_node_locality(model, 0, "n1", &locality), 0);
	assert_string_equal(locality.region, "r1");
	assert_string_equal(locality.zone, "z1");
	assert_string_equal(locality.subzone, "");
	assert_int_equal(mrd_model_node_locality(model, 1, "n1", &locality), 0);
	assert_string_equal(locality.region, "");
	assert_int_equal(mrd_model_node_locality(model, 0, "n2", &locality), -ENOENT);
	mrd_model_free(model);
}

static void an_address_tells_where_it_is(void **state)
{
	static const struct mrd_model_cluster three[] = {
		{.name = "away-z", .region = "r2", .network = ""},
		{.name = "home", .region = "r1", .network = ""},
		{.name = "away-a", .region = "r3", .network = ""},
	};
	static const struct {
		const char *ip;
		int want;
		const char *region;
		const char *zone;
		const char *node;
		size_t cluster;
	} places[] = {
		{.ip = "10.0.0.1", .region = "r1", .zone = "z1", .node = "n1", .cluster = 1},
		{.ip = "10.1.0.1", .region = "r2", .zone = "z9", .node = "n1", .cluster = 0},
		/* Home comes first, then it is by name. */
		{.ip = "10.9.0.1", .region = "r1", .zone = "", .node = "", .cluster = 1},
		{.ip = "10.9.0.2", .region = "r3", .zone = "", .node = "", .cluster = 2},
		/* But a cluster where it is ready goes before. */
		{.ip = "10.9.0.5", .region = "r3", .zone = "", .node = "", .cluster = 2},
		/* Of two slices that of the ready one, and then the newest. */
		{.ip = "10.9.0.3", .region = "r2", .zone = "ready", .node = "", .cluster = 0},
		{.ip = "10.9.0.4", .region = "r2", .zone = "new", .node = "", .cluster = 0},
		{.ip = "10.0.0.2", .want = -ENOENT},
	};
	struct mrd_model *model;

	(void)state;
	assert_int_equal(mrd_model_new(three, COUNT(three), 1, "", &model), 0);
	build_put(model, 1, MRD_KIND_NODE, &(struct build){NODE_A, .labels = LABELS_R1});
	build_put(model, 1, MRD_KIND_SLICE,
		  &(struct build){.name = "a",
				  .service = "a",
				  .ports = ":80/TCP",
				  .endpoints = "10.0.0.1 node=n1; 10.9.0.1"});
	build_put(model, 0, MRD_KIND_SLICE,
		  &(struct build){.name = "a",
				  .service = "a",
				  .ports = ":80/TCP",
				  .created = "2026-01-01T00:00:00Z",
				  .endpoints = "10.1.0.1 node=n1 zone=z9; 10.9.0.1; 10.9.0.2; "
					       "10.9.0.3 zone=ready; 10.9.0.4 zone=old"});
	build_put(model, 0, MRD_KIND_SLICE,
		  &(struct build){.name = "b",
				  .service = "b",
				  .ports = ":80/TCP",
				  .created = "2026-02-01T00:00:00Z",
				  .endpoints = "10.9.0.3 unready zone=unready; 10.9.0.4 zone=new"});
	build_put(model, 2, MRD_KIND_SLICE,
		  &(struct build){.name = "a",
				  .service = "a",
				  .ports = ":80/TCP",
				  .endpoints = "10.9.0.1; 10.9.0.2; 10.9.0.5"});
	build_put(model, 1, MRD_KIND_SLICE,
		  &(struct build){.name = "b",
				  .service = "b",
				  .ports = ":80/TCP",
				  .endpoints = "10.9.0.5 unready"});
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct mrd_address_place at;
		struct mrd_ip ip;

		print_message("%s\n", places[i].ip);
		assert_int_equal(mrd_ip_parse(places[i].ip, &ip), 0);
		assert_int_equal(mrd_model_find_address(model, &ip, &at), places[i].want);
		if (places[i].want)
			continue;
		assert_string_equal(at.locality.region, places[i].region);
		assert_string_equal(at.locality.zone, places[i].zone);
		assert_string_equal(at.node_name, places[i].node);
		assert_int_equal(at.cluster, places[i].cluster);
	}
	mrd_model_free(model);
}

static int count_until_b(void *self, const char *namespace_, const char *name)
{
	size_t *count = self;

	assert_string_equal(namespace_, "default");
	++*count;
	return !strcmp(name, "b") ? 7 : 0;
}

static void services_of_ours_are_walked(void **state)
{
	static const struct mrd_model_cluster two[] = {
		{.name = "home", .region = "r1", .network = ""},
		{.name = "away", .region = "r2", .network = ""},
	};
	struct mrd_model *model;
	size_t count = 0;

	(void)state;
	assert_int_equal(mrd_model_new(two, 2, 0, "", &model), 0);
	build_put(model, 0, MRD_KIND_SERVICE,
		  &(struct build){.name = "a", .vips = "10.0.0.1", .ports = ":80/TCP"});
	build_put(model, 0, MRD_KIND_SERVICE, &(struct build){.name = "headless"});
	build_put(model, 1, MRD_KIND_SERVICE,
		  &(struct build){.name = "b", .vips = "10.0.0.2", .ports = ":80/TCP"});
	assert_int_equal(mrd_model_walk_services(model, count_until_b, &count), 0);
	assert_int_equal(count, 1);
	build_put(model, 0, MRD_KIND_SERVICE,
		  &(struct build){.name = "b", .vips = "10.0.0.3", .ports = ":80/TCP"});
	assert_int_equal(mrd_model_walk_services(model, count_until_b, &count), 7);
	mrd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_merge_by_rule_in_any_order),
		cmocka_unit_test(http_ports_are_known_by_istios_rule),
		cmocka_unit_test(a_view_shows_what_else_the_objects_say),
		cmocka_unit_test(the_addresses_of_a_pod_know_each_other),
		cmocka_unit_test(a_node_tells_its_locality_without_defaults),
		cmocka_unit_test(an_address_tells_where_it_is),
		cmocka_unit_test(services_of_ours_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
