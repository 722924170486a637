/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* serviceSettings: what changes nothing is told at its place. */
#include "policy/policy_yaml.h"

#include "tests/unit/policy/rows.h"

#define SETTINGS "serviceSettings:\n"
/* Behind 42 characters, or 43. */
#define LOCAL(hosts) "- {settings: {clusterLocal: true}, hosts: [" hosts "]}\n"
#define FREE(hosts)  "- {settings: {clusterLocal: false}, hosts: [" hosts "]}\n"
#define DOMAIN	     ".svc.cluster.local'"

static void what_changes_nothing_is_told(void **state)
{
	static const struct row rows[] = {
		{
			.id = "what changes something",
			.text = SETTINGS LOCAL("'*.shop" DOMAIN ", 'a.b" DOMAIN)
				FREE("'cart.shop" DOMAIN ", 'dns.kube-system" DOMAIN)
					FREE("'kubernetes.default" DOMAIN ", '*.big.shop" DOMAIN),
			.want = "",
		},
		{
			.id = "no entry",
			.text = "serviceSettings: []\n",
			.want = "warning a:1:18 serviceSettings\n",
			.says = "empty, which is the same as not given",
		},
		{
			.id = "no host",
			.text = SETTINGS LOCAL(""),
			.want = "warning a:2:43 serviceSettings[0].hosts\n",
			.says = "no effect: no host is listed",
		},
		{
			.id = "a host twice",
			.text = SETTINGS LOCAL("'*.b" DOMAIN ", 'a.b" DOMAIN) FREE("a.b.svc.cluster"
										   ".local."),
			.want = "warning a:2:69 serviceSettings[0].hosts[1]\n",
			.says = "\"a.b.svc.cluster.local\" is listed again, and the last one "
				"counts",
		},
		{
			.id = "local by a wider host, or by itself",
			.text = SETTINGS LOCAL("'a.b" DOMAIN ", '*.b" DOMAIN
					       ", '*.kube-system" DOMAIN
					       ", 'kubernetes.default" DOMAIN),
			.want = "warning a:2:44 serviceSettings[0].hosts[0]\n"
				"warning a:2:94 serviceSettings[0].hosts[2]\n"
				"warning a:2:129 serviceSettings[0].hosts[3]\n",
			.says = "no effect: its services are cluster-local anyway",
		},
		{
			.id = "never local, and a setting that is none",
			.text = SETTINGS FREE("'a.b" DOMAIN) "- {hosts: ['c.d" DOMAIN "]}\n",
			.want = "warning a:2:45 serviceSettings[0].hosts[0]\n"
				"warning a:3:12 serviceSettings[1].hosts[0]\n",
			.says = "no effect: its services are not cluster-local anyway",
		},
		{
			.id = "a wider wildcard lifts nothing",
			.text = SETTINGS FREE("'*" DOMAIN),
			.want = "warning a:2:45 serviceSettings[0].hosts[0]\n",
		},
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
