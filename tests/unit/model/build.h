/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Objects from short texts, and views back to text, so that a test's table can be read at a glance:
 *   labels     "app=web,tier=db"
 *   vips       "10.0.0.1,fd00::1"
 *   ports      "http:80/TCP,dns:53/UDP:appProtocol" (a slice's too; an empty name is fine)
 *   endpoints  "10.1.0.1 node=n1 zone=z1 pod=p1 unready serving terminating; 10.1.0.2 …"
 */
#ifndef MRD_TESTS_MODEL_BUILD_H
#define MRD_TESTS_MODEL_BUILD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "model/model.h"

enum { BUILD_ROOM = 64, BUILD_WORD = 128 };

struct build {
	const char *name;
	const char *namespace_; /* NULL: "default" */
	const char *created;
	const char *version; /* the resource's */
	const char *labels;
	const char *vips;
	const char *ports;
	const char *service;	    /* a slice's */
	enum mrd_ip_version family; /* a slice's; 0 here: IPv4 */
	bool fqdn;
	const char *endpoints;
	bool internal_local;
	uint32_t affinity_s;
	enum mrd_traffic_distribution distribution;
};

/* NULL: not given. */
static inline int64_t build_instant(const char *text)
{
	int64_t us = MRD_INSTANT_NONE;

	if (text)
		assert_int_equal(mrd_instant_parse(text, &us), 0);
	return us;
}

static inline char *build_text(const char *text)
{
	char *copy = mrd_text_copy(text ? text : "");

	assert_non_null(copy);
	return copy;
}

static inline void build_meta(struct mrd_meta *meta, enum mrd_kind kind, const struct build *build)
{
	const char *namespace_ = build->namespace_ ? build->namespace_ : "default";
	char *text = strdup(build->labels ? build->labels : "");
	char *rest = text;
	char *word;

	*meta = (struct mrd_meta){
		.kind = kind,
		.namespace_ = build_text(kind == MRD_KIND_NODE ? "" : namespace_),
		.name = build_text(build->name),
		.created_us = build_instant(build->created),
		.resource_version = build_text(build->version),
		.labels.items = calloc(BUILD_ROOM, sizeof(struct mrd_label)),
	};
	while ((word = strsep(&rest, ",")) && *word) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		meta->labels.items[meta->labels.count++] = (struct mrd_label){
			.key = build_text(word),
			.value = build_text(value),
		};
	}
	free(text);
}

/* The next port of a list; returns what is left of it. */
static inline const char *build_port(const char *text, struct mrd_service_port *port)
{
	char name[BUILD_WORD] = "";
	char transport[BUILD_WORD] = "";
	char app[BUILD_WORD] = "";
	unsigned int number = 0;
	const char *end = strchrnul(text, ',');

	if (*text == ':')
		sscanf(text, ":%u/%127[A-Z]:%127[^,]", &number, transport, app);
	else
		sscanf(text, "%127[^:]:%u/%127[A-Z]:%127[^,]", name, &number, transport, app);
	*port = (struct mrd_service_port){
		.name = build_text(name),
		.app_protocol = build_text(app),
		.port = (uint16_t)number,
		.transport = !strcmp(transport, "TCP")	 ? MRD_TRANSPORT_TCP
			     : !strcmp(transport, "UDP") ? MRD_TRANSPORT_UDP
							 : MRD_TRANSPORT_OTHER,
	};
	return *end ? end + 1 : end;
}

static inline struct mrd_meta *build_service(const struct build *build)
{
	struct mrd_service_object *service = calloc(1, sizeof(*service));
	char *text = strdup(build->vips ? build->vips : "");
	char *rest = text;
	char *word;

	build_meta(&service->meta, MRD_KIND_SERVICE, build);
	service->vips = calloc(BUILD_ROOM, sizeof(*service->vips));
	service->ports = calloc(BUILD_ROOM, sizeof(*service->ports));
	while ((word = strsep(&rest, ",")) && *word)
		assert_int_equal(mrd_ip_parse(word, &service->vips[service->vip_count++]), 0);
	for (const char *at = build->ports ? build->ports : ""; *at;)
		at = build_port(at, &service->ports[service->port_count++]);
	service->internal_local = build->internal_local;
	service->affinity_timeout_s = build->affinity_s;
	service->traffic_distribution = build->distribution;
	free(text);
	return &service->meta;
}

static inline void build_endpoint(char *text, struct mrd_slice_endpoint *endpoint,
				  const char *namespace_)
{
	char *rest = text + strspn(text, " ");
	char *word = strsep(&rest, " ");
	const char *node = "";
	const char *zone = "";
	const char *pod = "";
	bool serving = false;

	assert_int_equal(mrd_ip_parse(word, &endpoint->ip), 0);
	endpoint->ready = true;
	while ((word = strsep(&rest, " "))) {
		if (!strncmp(word, "node=", 5))
			node = word + 5;
		else if (!strncmp(word, "zone=", 5))
			zone = word + 5;
		else if (!strncmp(word, "pod=", 4))
			pod = word + 4;
		else if (!strcmp(word, "unready"))
			endpoint->ready = false;
		else if (!strcmp(word, "serving"))
			serving = true;
		else if (!strcmp(word, "terminating"))
			endpoint->terminating = true;
		else
			assert_string_equal(word, "");
	}
	endpoint->serving = serving || endpoint->ready;
	endpoint->node_name = build_text(node);
	endpoint->zone = build_text(zone);
	endpoint->hostname = build_text("");
	endpoint->target_name = build_text(pod);
	endpoint->target_namespace = build_text(namespace_);
}

static inline struct mrd_meta *build_slice(const struct build *build)
{
	struct mrd_slice_object *slice = calloc(1, sizeof(*slice));
	char *text = strdup(build->endpoints ? build->endpoints : "");
	char *rest = text;
	char *word;

	build_meta(&slice->meta, MRD_KIND_SLICE, build);
	slice->service_name = build_text(build->service);
	slice->version = build->fqdn ? MRD_IP_NONE : build->family ? build->family : MRD_IPV4;
	slice->ports = calloc(BUILD_ROOM, sizeof(*slice->ports));
	slice->endpoints = calloc(BUILD_ROOM, sizeof(*slice->endpoints));
	for (const char *at = build->ports ? build->ports : ""; *at;) {
		struct mrd_service_port port;

		at = build_port(at, &port);
		slice->ports[slice->port_count++] = (struct mrd_slice_port){
			.name = port.name,
			.app_protocol = port.app_protocol,
			.transport = port.transport,
			.port = port.port,
		};
	}
	while ((word = strsep(&rest, ";")) && *word)
		build_endpoint(word, &slice->endpoints[slice->endpoint_count++],
			       slice->meta.namespace_);
	free(text);
	return &slice->meta;
}

static inline struct mrd_meta *build_plain(enum mrd_kind kind, const struct build *build)
{
	struct mrd_meta *meta = calloc(1, kind == MRD_KIND_NODE ? sizeof(struct mrd_node_object)
								: sizeof(struct mrd_pod_object));

	build_meta(meta, kind, build);
	return meta;
}

static inline struct mrd_meta *build_object(enum mrd_kind kind, const struct build *build)
{
	if (kind == MRD_KIND_SERVICE)
		return build_service(build);
	return kind == MRD_KIND_SLICE ? build_slice(build) : build_plain(kind, build);
}

static inline void build_put(struct mrd_model *model, size_t cluster, enum mrd_kind kind,
			     const struct build *build)
{
	assert_int_equal(mrd_model_put(model, cluster, build_object(kind, build)), 0);
}

/* Who is dirty, as "default/a default/b", in the order of the model. The caller frees it. */
static inline char *build_take_dirty(struct mrd_model *model)
{
	struct mrd_strbuf text = {0};
	const char *name;

	mrd_strbuf_add(&text, "", 0);
	while ((name = mrd_model_next_dirty(model)))
		mrd_strbuf_addf(&text, "%s%s", text.len ? " " : "", name);
	return mrd_strbuf_steal(&text);
}

/*
 * A view as text, one line a port: "http 80/TCP http [10.0.0.1] c0 10.1.0.1:8080 ready r1/z1/s1; …"
 * and a line "! …" for each warning. The caller frees it.
 */
static inline char *build_view_text(const struct mrd_view *view)
{
	struct mrd_strbuf text = {0};
	char ip[MRD_IP_TEXT_MAX];

	mrd_strbuf_add(&text, "", 0);
	for (size_t i = 0; i < view->port_count; i++) {
		const struct mrd_view_port *port = &view->ports[i];

		mrd_strbuf_addf(&text, "%s %u/%s%s [", port->name, port->number,
				port->transport == MRD_TRANSPORT_UDP ? "UDP" : "TCP",
				port->is_http ? " http" : "");
		for (size_t j = 0; j < port->vip_count; j++)
			mrd_strbuf_addf(&text, "%s%s", j ? " " : "",
					mrd_ip_format(&port->vips[j], ip));
		mrd_strbuf_addf(&text, "]");
		for (size_t j = 0; j < port->endpoint_count; j++) {
			const struct mrd_view_endpoint *endpoint = &port->endpoints[j];

			mrd_strbuf_addf(&text, "%s c%zu %s %s%s%s%s/%s/%s", j ? ";" : "",
					endpoint->cluster,
					mrd_ip_port_format(&endpoint->ip, endpoint->port, ip),
					endpoint->ready ? "ready " : "",
					!endpoint->ready && endpoint->serving ? "serving " : "",
					endpoint->terminating ? "terminating " : "",
					endpoint->locality.region, endpoint->locality.zone,
					endpoint->locality.subzone);
		}
		mrd_strbuf_addf(&text, "\n");
	}
	for (size_t i = 0; i < view->warning_count; i++)
		mrd_strbuf_addf(&text, "! %s\n", view->warnings[i].text);
	return mrd_strbuf_steal(&text);
}

#endif
