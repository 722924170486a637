/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#include "plan/plan_text.h"

#include <string.h>

enum { PERCENT = 100 };

const char *mrd_mode_name(enum mrd_mode mode)
{
	switch (mode) {
	case MRD_MODE_POOL:
		return "pool";
	case MRD_MODE_FAILOVER:
		return "failover";
	case MRD_MODE_DISTRIBUTE:
		return "distribute";
	}
	return "unknown";
}

const char *mrd_state_name(enum mrd_state state)
{
	switch (state) {
	case MRD_STATE_NONE:
		return "NONE";
	case MRD_STATE_ACTIVE:
		return "ACTIVE";
	case MRD_STATE_EJECTED:
		return "EJECTED";
	case MRD_STATE_DRAINING:
		return "DRAINING";
	case MRD_STATE_UNREADY:
		return "UNREADY";
	}
	return "UNKNOWN";
}

const char *mrd_accept_name(enum mrd_hop_accept accept)
{
	switch (accept) {
	case MRD_ACCEPT_ACTIVE:
		return "active";
	case MRD_ACCEPT_EJECTED:
		return "ejected";
	case MRD_ACCEPT_DRAINING:
		return "draining";
	}
	return "unknown";
}

const char *mrd_protocol_name(enum mrd_protocol protocol)
{
	switch (protocol) {
	case MRD_PROTOCOL_NONE:
		return "none";
	case MRD_PROTOCOL_TCP:
		return "TCP";
	case MRD_PROTOCOL_UDP:
		return "UDP";
	}
	return "unknown";
}

const char *mrd_family_name(enum mrd_family family)
{
	switch (family) {
	case MRD_FAMILY_NONE:
		return "none";
	case MRD_FAMILY_IPV4:
		return "IPv4";
	case MRD_FAMILY_IPV6:
		return "IPv6";
	}
	return "unknown";
}

/* ---------------------------------------------------------------------------------- plan */

/* "cn-hangzhou/cn-hangzhou-h"; "-" stands for a part that is not known. */
static void add_locality(struct mrd_strbuf *out, const char *region, const char *zone,
			 const char *subzone)
{
	mrd_strbuf_addf(out, "%s", *region ? region : "-");
	if (*zone || *subzone)
		mrd_strbuf_addf(out, "/%s", *zone ? zone : "-");
	if (*subzone)
		mrd_strbuf_addf(out, "/%s", subzone);
}

static void add_hop(const struct mrd_plan_hop *hop, struct mrd_strbuf *out)
{
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(out, "    priority %u ", hop->priority);
	add_locality(out, hop->region, hop->zone, hop->subzone);
	mrd_strbuf_addf(out, " %.4f%% healthy %u of %u", hop->share * PERCENT, hop->healthy,
			hop->total);
	if (hop->panic)
		mrd_strbuf_addf(out, " panic");
	if (hop->accept == MRD_ACCEPT_DRAINING)
		mrd_strbuf_addf(out, " draining");
	mrd_strbuf_addf(out, "\n");

	for (size_t i = 0; i < hop->endpoint_count; i++) {
		const struct mrd_plan_endpoint *endpoint = &hop->endpoints[i];

		mrd_strbuf_addf(out, "      %s %s %s %.4f%%\n",
				mrd_ip_port_format(&endpoint->ip, endpoint->port, text),
				endpoint->cluster_name, mrd_state_name(endpoint->state),
				endpoint->share * PERCENT);
	}
}

static void add_number(const char *name, uint32_t number, const char *unit, struct mrd_strbuf *out)
{
	if (number)
		mrd_strbuf_addf(out, " %s %u%s", name, number, unit);
}

/* Only what is asked for. */
static void add_setting(const struct mrd_setting *setting, struct mrd_strbuf *out)
{
	static const char *const on_eject[] = {
		[MRD_EJECT_KEEP] = NULL,
		[MRD_EJECT_CLOSE] = "close",
		[MRD_EJECT_RESET] = "reset",
	};

	add_number("syn-timeout", setting->syn_timeout_ms, "ms", out);
	add_number("connect-timeout", setting->connect_timeout_ms, "ms", out);
	add_number("connections", setting->max_connections, "", out);
	add_number("requests", setting->max_requests, "", out);
	if (setting->keepalive)
		mrd_strbuf_addf(out, " keepalive");
	add_number("idle", setting->keepalive_idle_s, "s", out);
	add_number("interval", setting->keepalive_interval_s, "s", out);
	add_number("probes", setting->keepalive_probes, "", out);
	if (setting->rescue == MRD_RESCUE_OFF)
		mrd_strbuf_addf(out, " rescue off");
	if (setting->on_eject <= MRD_EJECT_RESET && on_eject[setting->on_eject])
		mrd_strbuf_addf(out, " on-eject %s", on_eject[setting->on_eject]);
}

static void add_port(const struct mrd_plan_port *port, struct mrd_strbuf *out)
{
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(out, "  port %s %u/%s %s %s%s%s", *port->name ? port->name : "-",
			port->number, mrd_protocol_name(port->protocol),
			mrd_family_name(port->family), mrd_mode_name(port->mode),
			port->is_http ? " http" : "", port->has_outlier ? " outlier" : "");
	if (port->affinity_timeout_s)
		mrd_strbuf_addf(out, " affinity %us", port->affinity_timeout_s);
	add_setting(&port->setting, out);
	mrd_strbuf_addf(out, "\n");
	for (size_t i = 0; i < port->vip_count; i++)
		mrd_strbuf_addf(out, "    vip %s\n",
				mrd_ip_port_format(&port->vips[i], port->number, text));
	for (size_t i = 0; i < port->hop_count; i++)
		add_hop(&port->hops[i], out);
	for (size_t i = 0; i < port->warning_count; i++)
		mrd_strbuf_addf(out, "    warning: %s\n", port->warnings[i]);
}

void mrd_plan_text(const struct mrd_plan *plan, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, "service %s/%s\n", plan->namespace_, plan->service);
	for (size_t i = 0; i < plan->port_count; i++)
		add_port(&plan->ports[i], out);
	for (size_t i = 0; i < plan->left_out_count; i++)
		mrd_strbuf_addf(out, "  warning: %s\n", plan->left_out[i].why);
}

/* ---------------------------------------------------------------------------------- rows */

struct row_text {
	struct mrd_strbuf *out;
	enum mrd_map map;
};

static const char *format_address(const __u8 *addr, enum mrd_family family, uint32_t port,
				  char text[MRD_IP_TEXT_MAX])
{
	struct mrd_ip ip = {.version = family == MRD_FAMILY_IPV6 ? MRD_IPV6 : MRD_IPV4};

	memcpy(ip.bytes, addr, sizeof(ip.bytes));
	return mrd_ip_port_format(&ip, (uint16_t)port, text);
}

static void add_route(const struct mrd_route *route, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, " %s", mrd_mode_name(route->mode));
	for (uint32_t i = 0; i < route->hop_count && i < MRD_HOPS_MAX; i++) {
		const struct mrd_hop *hop = &route->hops[i];

		mrd_strbuf_addf(out,
				" [hop %#x locality %u until %u members %u accept %s priority %u]",
				hop->hop_id, hop->locality_id, hop->until, hop->member_count,
				mrd_accept_name(hop->accept), hop->priority);
	}
}

static void add_health(const struct mrd_health *health, struct mrd_strbuf *out)
{
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(out, " service %u %s %s locality %u%s", health->service_id,
			format_address(health->addr, health->family, health->port, text),
			mrd_state_name(health->state), health->locality_id,
			health->is_http ? " http" : "");
	if (health->ejections)
		mrd_strbuf_addf(out, " ejections %u multiplier %u", health->ejections,
				health->ejection_multiplier);
}

/* A member does not say its family; its health row, under the same number, does. */
static void add_member(const struct mrd_member_key *key, const struct mrd_member *member,
		       struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, " hop %#x slot %u: endpoint %u", key->hop_id, key->slot,
			member->endpoint_id);
}

static void add_vip(const struct mrd_vip_key *key, const struct mrd_service *service,
		    struct mrd_strbuf *out)
{
	char text[MRD_IP_TEXT_MAX];

	mrd_strbuf_addf(out, " %s %s: service %u",
			format_address(key->addr, key->family, key->port, text),
			mrd_protocol_name(key->protocol), service->service_id);
	if (service->affinity == MRD_AFFINITY_CLIENT_IP)
		mrd_strbuf_addf(out, " affinity %us", service->affinity_timeout_s);
	if (service->has_setting)
		mrd_strbuf_addf(out, " setting");
}

static void add_name(const struct mrd_name *name, struct mrd_strbuf *out)
{
	mrd_strbuf_addf(out, " %s/%s:%s %s %s", name->namespace_, name->service,
			*name->port_name ? name->port_name : "-", mrd_family_name(name->family),
			mrd_protocol_name(name->protocol));
}

static void add_value(enum mrd_map map, const void *key, const void *value, struct mrd_strbuf *out)
{
	const struct mrd_locality *locality = value;

	switch (map) {
	case MRD_MAP_LOCALITY:
		mrd_strbuf_addf(out, " ");
		add_locality(out, locality->region, locality->zone, locality->subzone);
		break;
	case MRD_MAP_NAME:
		add_name(value, out);
		break;
	case MRD_MAP_HEALTH:
		add_health(value, out);
		break;
	case MRD_MAP_TICKET:
		mrd_strbuf_addf(out, " hop %#x", ((const struct mrd_ticket_key *)key)->hop_id);
		break;
	case MRD_MAP_MEMBER:
		add_member(key, value, out);
		break;
	case MRD_MAP_ROUTE:
		add_route(value, out);
		break;
	case MRD_MAP_SERVICE:
		add_vip(key, value, out);
		break;
	case MRD_MAP_SETTING:
		add_setting(value, out);
		break;
	case MRD_MAP_OPEN:
	case MRD_MAP_STAT: /* the hooks' counters: that the row is there is all */
	case MRD_MAP_COUNT:
		break;
	}
}

/* Keys start with a number, but for those of VIPs. */
static int add_row(void *self, const void *key, const void *value)
{
	const struct row_text *text = self;

	mrd_strbuf_addf(text->out, "%s", mrd_map_name(text->map));
	if (text->map != MRD_MAP_SERVICE)
		mrd_strbuf_addf(text->out, " %u", *(const uint32_t *)key);
	add_value(text->map, key, value, text->out);
	mrd_strbuf_addf(text->out, "\n");
	return 0;
}

void mrd_rows_text(const struct mrd_rows *rows, struct mrd_strbuf *out)
{
	struct row_text text = {.out = out};

	for (text.map = 0; text.map < MRD_MAP_COUNT; text.map++)
		mrd_rows_walk(rows, text.map, add_row, &text);
}
