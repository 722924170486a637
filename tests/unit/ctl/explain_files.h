/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The clusters and the policy that the tests of explain read. */
#ifndef MRD_TESTS_EXPLAIN_FILES_H
#define MRD_TESTS_EXPLAIN_FILES_H

#include "run.h"

#define SERVICE(name, vip, more)                                                               \
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default}\n" \
	"spec: {clusterIP: " vip ", clusterIPs: [" vip "], " more                              \
	"ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}\n"
#define SLICE(name, number, endpoints)                                                       \
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " name  \
	"-" number ", namespace: default, labels: {kubernetes.io/service-name: " name "}}\n" \
	"addressType: IPv4\nports: [{name: http, port: 8080}]\nendpoints:\n" endpoints
#define ENDPOINT(ip, zone) "- {addresses: [" ip "], zone: " zone "}\n"
#define HINTED(ip, zone, zones) \
	"- {addresses: [" ip "], zone: " zone ", hints: {forZones: [" zones "]}}\n"
#define ENDING(ip, zone)                      \
	"- {addresses: [" ip "], zone: " zone \
	", conditions: {ready: false, serving: true, terminating: true}}\n"
#define RULE(namespace, name, host, policy)                                                      \
	"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: " name \
	", namespace: " namespace "}\nspec:\n  host: " host "\n  trafficPolicy: {" policy "}\n"
#define FAILOVER(from, to) \
	"loadBalancer: {localityLbSetting: {failover: [{from: " from ", to: " to "}]}}"
#define FAILOVER_MESH "localityLbSetting: {failover: [{from: r1, to: r2}]}\n"
#define OUTLIER	      "outlierDetection: {consecutive5xxErrors: 3}"

static inline void make_files(void)
{
	run_write("r1/all.yaml",
		  SERVICE("web", "172.16.0.1", "")
			  SERVICE("local", "172.16.0.2", "internalTrafficPolicy: Local, ")
				  SLICE("web", "1",
					ENDPOINT("10.0.0.1", "r1-a") ENDPOINT("10.0.0.2", "r1-a")
						ENDPOINT("10.0.0.3", "r1-b")));
	run_write("near.yaml", SERVICE("near", "172.16.0.3", "trafficDistribution: PreferClose, ")
				       SLICE("near", "1", ENDPOINT("10.0.0.9", "r1-a")));
	run_write("panic.yaml",
		  RULE("default", "near", "near", "outlierDetection: {minHealthPercent: 50}"));
	run_write("mesh.yaml", "localityLbSetting: {failover: [{from: r1, to: r7}]}\n");
	run_write(
		"strict.yaml",
		"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: web, "
		"namespace: default, annotations: {meridian.dev/regions: strict}}\nspec: {host: "
		"web, "
		"trafficPolicy: {" FAILOVER("r1", "r7") "}}\n");
	run_write("r2.yaml", SLICE("web", "1", ENDPOINT("10.1.0.1", "r2-a")));
	run_write("failover.yaml",
		  RULE("default", "web", "web", OUTLIER ", " FAILOVER("r1", "r2")));
	run_write("lists.yaml", RULE("default", "web", "web", FAILOVER("r2", "r1")));
	run_write("nowhere.yaml", RULE("default", "web", "web", FAILOVER("r1", "r7")));
	run_write("off.yaml", RULE("default", "web", "web",
				   "loadBalancer: {localityLbSetting: {enabled: false, failover: "
				   "[{from: r1, to: r2}]}}"));
	run_write("outlier.yaml", "defaultTrafficPolicy: {outlierDetection: {}}\n");
	run_write("distribute.yaml", "localityLbSetting: {distribute: [{from: r1/*, to: {\"r1/*\": "
				     "80, \"r7/*\": 20}}]}\n");
	run_write("subzone.yaml", "localityLbSetting: {distribute: [{from: r1/*, to: {\"r1/*\": "
				  "80, \"r7/z/s\": 20}}]}\n");
	run_write("absent.yaml", "localityLbSetting: {distribute: [{from: r1/*, to: {\"r6/*\": "
				 "80, \"r7/*\": 20}}]}\n");
	run_write("hash.yaml", RULE("default", "web", "web",
				    "loadBalancer: {consistentHash: {useSourceIp: true}}"));
	run_write("noted.yaml",
		  RULE("default", "web", "web", OUTLIER) "---\napiVersion: networking.istio.io/v1\n"
							 "kind: DestinationRule\nmetadata: {name: "
							 "notes, namespace: default, annotations: "
							 "{meridian.dev/unready: drop}}\nspec: "
							 "{host: web}\n");
	run_write("kept.yaml",
		  SERVICE("kept", "172.16.0.6",
			  "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: "
			  "{timeoutSeconds: 600}}, ")
			  SLICE("kept", "1", ENDPOINT("10.0.0.9", "r1-a")));
	run_write("kept-rule.yaml", RULE("default", "kept", "kept",
					 "loadBalancer: {consistentHash: {useSourceIp: true}}"));
	run_write("through-others.yaml",
		  RULE("default", "web", "web", "loadBalancer: {simple: PASSTHROUGH}")
			  RULE("default", "typo", "wbe", OUTLIER));
	run_write("others.yaml",
		  RULE("default", "web", "web", OUTLIER) RULE("default", "wild", "\"*.local\"",
							      OUTLIER)
			  RULE("istio-system", "root", "web.default.svc.cluster.local", OUTLIER)
				  RULE("default", "typo", "wbe", OUTLIER));
	run_write(
		"roots.yaml",
		RULE("default", "web", "web", OUTLIER) RULE("istio-system", "short", "web", OUTLIER)
			RULE("istio-system", "typo", "wbe.default.svc.cluster.local", OUTLIER));
	run_write(
		"merged.yaml",
		RULE("default", "web", "web", OUTLIER) RULE(
			"default", "later", "web",
			OUTLIER) "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				 "metadata: {name: more, namespace: default}\nspec: {host: web, "
				 "subsets: [{name: v1}]}\n");
	run_write("ports.yaml", RULE("default", "web", "web",
				     "portLevelSettings: [{port: {number: 8080}, " OUTLIER "}]"));
	run_write("idle.yaml", RULE("default", "web", "web",
				    "outlierDetection: {consecutive5xxErrors: 0, "
				    "consecutiveGatewayErrors: 0}, " FAILOVER("r1", "r2")));
	run_write("local.yaml", "serviceSettings: [{settings: {clusterLocal: true}, hosts: "
				"[\"*.default.svc.cluster.local\"]}]\n" FAILOVER_MESH);
	run_write("fallback.yaml", "metadata: {annotations: {meridian.dev/fallback: next-region, "
				   "meridian.dev/regions: strict, meridian.dev/unready: drop, "
				   "meridian.dev/overprovisioning-percent: '200'}}\n");
	run_write(
		"both-lists.yaml",
		"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: "
		"web, namespace: default, annotations: {meridian.dev/fallback: next-region}}\n"
		"spec: {host: web, trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: "
		"[{from: r1, to: {r1: 80, r2: 20}}], failover: [{from: r1, to: r2}]}}}}\n");
	run_write("lifted.yaml", "metadata: {annotations: {meridian.dev/fallback: next-region}}\n"
				 "localityLbSetting: {distribute: [{from: r1, to: {r1: 90, r2: "
				 "10}}], failover: [{from: r1, to: r2}]}\n---\n"
				 "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
				 "metadata: {name: web, namespace: default, annotations: "
				 "{meridian.dev/fallback: none}}\nspec: {host: web, trafficPolicy: "
				 "{connectionPool: {tcp: {maxConnections: 5}}}}\n");
	run_write("one-list.yaml", RULE("default", "one", "one", FAILOVER("r1", "r2")));
	run_write("losses.yaml", "metadata: {annotations: {meridian.dev/unready: drop, "
				 "meridian.dev/overprovisioning-percent: '200'}}\n");
	run_write("dropped.yaml", RULE("default", "web", "web",
				       "outlierDetection: {maxEjectionPercent: 50}, loadBalancer: "
				       "{localityLbSetting: {enabled: false}}"));
	run_write("zones-apart.yaml",
		  RULE("default", "web", "web",
		       "outlierDetection: {}, loadBalancer: {zoneAwareLbSetting: "
		       "{failoverPriority: [topology.kubernetes.io/region, "
		       "topology.kubernetes.io/zone]}}"));
	run_write("zones-together.yaml",
		  RULE("default", "web", "web",
		       "outlierDetection: {}, loadBalancer: {zoneAwareLbSetting: "
		       "{failoverPriority: [topology.kubernetes.io/region]}}"));
	run_write("stray.yaml",
		  RULE("other", "stray", "web", OUTLIER) RULE("other", "typo", "wbe", OUTLIER));
	run_write("panics.yaml",
		  "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: "
		  "web, namespace: default, annotations: {meridian.dev/overprovisioning-percent: "
		  "'400'}}\nspec: {host: web, trafficPolicy: {outlierDetection: {minHealthPercent: "
		  "50}, loadBalancer: {localityLbSetting: {enabled: false}}}}\n");
	run_write("one.yaml",
		  SERVICE("one", "172.16.0.4", "") SLICE("one", "1", ENDPOINT("10.0.0.9", "r1-a")));
	run_write("none.yaml", "localityLbSetting: {enabled: false}\n");
	run_write("home.yaml", "serviceSettings: [{settings: {clusterLocal: true}, hosts: "
			       "[\"*.default.svc.cluster.local\"]}]\n");
	run_write("overlap.yaml",
		  SLICE("web", "1", ENDPOINT("10.0.0.1", "r3-a") ENDPOINT("10.1.0.1", "r3-a")));
	run_write("clusters.yaml", "localityLbSetting: {failoverPriority: "
				   "[topology.istio.io/cluster]}\n");
	run_write("through.yaml", RULE("default", "web", "web",
				       "portLevelSettings: [{port: {number: 80}, loadBalancer: "
				       "{simple: PASSTHROUGH}}]"));
	run_write("all-through.yaml",
		  RULE("default", "web", "web", "loadBalancer: {simple: PASSTHROUGH}"));
	run_write("late.yaml",
		  "apiVersion: v1\nkind: Service\nmetadata: {name: early, namespace: "
		  "default, creationTimestamp: '2020-01-01T00:00:00Z'}\n"
		  "spec: {clusterIP: 172.16.0.9, clusterIPs: [172.16.0.9], "
		  "ports: [{name: http, port: 80}]}\n" SERVICE("late", "172.16.0.9", ""));
	run_write("hints.yaml",
		  SERVICE("hinted", "172.16.0.8", "") SLICE(
			  "hinted", "1",
			  HINTED("10.0.0.1", "r1-a", "{name: r1-a}") HINTED(
				  "10.0.0.2", "r1-b",
				  "{name: r1-b}, {name: r1-c}") "- {addresses: [10.0.0.3], zone: "
								"r1-b, conditions: {ready: "
								"false}}\n"));
	run_write("capped.yaml", RULE("default", "web", "web",
				      "outlierDetection: {consecutive5xxErrors: 3, "
				      "maxEjectionPercent: 25}, " FAILOVER("r1", "r2")));
	run_write("ends.yaml", SERVICE("ends", "172.16.0.7", "")
				       SLICE("ends", "1",
					     ENDING("10.0.0.1", "r1-a") ENDING("10.0.0.2", "r1-a")
						     ENDING("10.0.0.3", "r1-b")));
	run_write("one-ends.yaml", SLICE("one", "2", ENDING("10.0.0.8", "r1-a")));
	run_write("far.yaml", SLICE("web", "2",
				    "- {addresses: [10.1.0.2], zone: r2-a, conditions: {ready: "
				    "false}}\n"));
	run_write("private.yaml", RULE("default", "web", "web", OUTLIER) RULE(
					  "istio-system", "own", "web.default.svc.cluster.local",
					  OUTLIER) "  exportTo: [.]\n");
}

#endif
