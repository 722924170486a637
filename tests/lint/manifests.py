#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""manifests.py [--self-test]: what must hold of deploy/daemonset without a cluster to ask.

Each kustomization names files that are there, and leaves none out. The account may list and watch
what the agent's source lists, and nothing more. No container has more rights than are agreed on here.
Prints what is wrong as file: reason, and fails then."""

import copy
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path("deploy/daemonset")
SOURCE = pathlib.Path("user/source/kube_source.c")
# By container: what it may have beside nothing.
CAPABILITIES = {
    "meridiand": {"BPF", "PERFMON", "NET_ADMIN"},
    "detach": {"BPF", "NET_ADMIN"},
}
HOST_PATHS = {"/sys/fs/bpf": False, "/sys/fs/cgroup": True}  # by path: must be read-only
RESET = {  # what the component adds, by the path of its patch
    "containers/0/securityContext/capabilities/add/-": "SYS_ADMIN",
    "containers/0/volumeMounts/-": {"name": "netns", "mountPath": "/run/netns", "readOnly": True,
                                    "mountPropagation": "HostToContainer"},
    "volumes/-": {"name": "netns", "hostPath": {"path": "/run/netns", "type": "Directory"}},
}
VERBS = {"list", "watch"}
RESET_PATH = ROOT / "reset" / "kustomization.yaml"
POLICY = "destinationrules"  # read from the home cluster alone
TEMPLATES = {"remote-kubeconfigs.example.yaml"}


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def check_kustomization(folder, say):
    """Returns the objects that it makes; configuration files are no objects."""
    spec = documents(folder / "kustomization.yaml")[0]
    named = set(spec.get("resources", []))
    config = {name for made in spec.get("configMapGenerator", []) for name in made["files"]}
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"} - TEMPLATES
    for name in sorted((named | config) ^ there):
        say(folder / name, "named by the kustomization, but not there" if name not in there
            else "not named by the kustomization")
    objects = [(folder / name, item) for name in sorted(named & there) for item in documents(folder / name)]
    for path, item in objects:
        metadata = item["metadata"]
        has = metadata["name"] if item["kind"] == "Namespace" else metadata.get("namespace", spec["namespace"])
        if has != spec["namespace"]:
            say(path, f"{item['kind']} is in {has}, not in {spec['namespace']}")
        if "app.kubernetes.io/name" not in metadata.get("labels", {}):
            say(path, f"{item['kind']} {metadata['name']} has no label app.kubernetes.io/name")
    return objects


def listed_resources():
    """(group, resource) of what the agent lists, by the rows in its source."""
    text = SOURCE.read_text(encoding="utf-8")
    return set(re.findall(r'\{"([\w.]*)", "(\w+)", "v1', text))


def check_rights(objects, wanted, say):
    for path, item in objects:
        if item["kind"] != "ClusterRole":
            continue
        granted = set()
        for rule in item["rules"]:
            if set(rule["verbs"]) != VERBS or set(rule) != {"apiGroups", "resources", "verbs"}:
                say(path, f"a rule is not just {', '.join(sorted(VERBS))} of resources: {rule}")
            granted |= {(group, name) for group in rule["apiGroups"] for name in rule["resources"]}
        for group, name in sorted(granted ^ wanted):
            say(path, f"{name}.{group} is " + ("granted, but never listed" if (group, name) in granted
                                              else "listed by the agent, but not granted"))


def check_container(path, container, say):
    name = container["name"]
    context = container.get("securityContext", {})
    capabilities = context.get("capabilities", {})
    wanted = {
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for key, value in wanted.items():
        if context.get(key) != value:
            say(path, f"{name}: securityContext.{key} is {context.get(key)}, not {value}")
    if capabilities.get("drop") != ["ALL"]:
        say(path, f"{name}: capabilities.drop is not [ALL]")
    if set(capabilities.get("add", [])) != CAPABILITIES.get(name, set()):
        say(path, f"{name}: capabilities.add is {capabilities.get('add')}, "
            f"not {sorted(CAPABILITIES.get(name, set()))}")
    if not container.get("resources", {}).get("requests") or "memory" not in container["resources"].get("limits", {}):
        say(path, f"{name}: no resources")
    if container.get("imagePullPolicy") != "IfNotPresent":
        say(path, f"{name}: imagePullPolicy is not IfNotPresent")


def check_reasons(path, say):
    """Each capability stands on a line with its reason."""
    in_list = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"\s+add:\s*$", line):
            in_list = True
        elif in_list and re.match(r"\s+- ", line):
            if not re.search(r"\S\s+# \S", line):
                say(f"{path}:{number}", "a capability without a reason")
        elif not line.lstrip().startswith("#"):
            in_list = False


def check_pod(path, pod, say):
    mounts = {mount["name"]: mount for each in pod["containers"] for mount in each["volumeMounts"]}
    for volume in pod["volumes"]:
        if "hostPath" not in volume:
            continue
        host_path = volume["hostPath"]["path"]
        if host_path not in HOST_PATHS or volume["hostPath"].get("type") != "Directory":
            say(path, f"hostPath {host_path} is not among those agreed on, or is no Directory")
        elif mounts[volume["name"]].get("readOnly", False) != HOST_PATHS[host_path]:
            say(path, f"hostPath {host_path}: readOnly must be {HOST_PATHS[host_path]}")
        elif mounts[volume["name"]]["mountPath"].startswith("/sys"):
            say(path, f"hostPath {host_path} is mounted below /sys, where AppArmor forbids to write")
    for key in ("hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(key):
            say(path, f"{key} is set")
    if {"operator": "Exists"} not in pod["tolerations"]:
        say(path, "does not tolerate every taint")


def check_agent(path, item, say):
    pod = item["spec"]["template"]["spec"]
    rolling = item["spec"]["updateStrategy"].get("rollingUpdate", {})
    if rolling.get("maxSurge") != 0:
        say(path, "maxSurge is not 0: two agents on a node exclude each other")
    if not pod.get("hostNetwork") or pod.get("priorityClassName") != "system-node-critical":
        say(path, "hostNetwork or priorityClassName system-node-critical is missing")
    agent = pod["containers"][0]
    probes = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, page in probes.items():
        if agent.get(probe, {}).get("httpGet", {}).get("path") != page:
            say(path, f"{probe} does not ask {page}")
    names = {variable["name"]: variable for variable in agent["env"]}
    if names.get("NODE_NAME", {}).get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") != "spec.nodeName":
        say(path, "NODE_NAME is not spec.nodeName")


def check_daemonset(path, item, say):
    template = item["spec"]["template"]
    if item["spec"]["selector"]["matchLabels"].items() - template["metadata"]["labels"].items():
        say(path, "the selector does not match the pods")
    check_pod(path, template["spec"], say)
    for container in template["spec"]["containers"] + template["spec"].get("initContainers", []):
        check_container(path, container, say)
    if item["metadata"]["name"] == "meridian":
        check_agent(path, item, say)


def check_component(path, spec, say):
    """It adds what is agreed on, and nothing more."""
    added = {}
    for patch in spec["patches"]:
        for change in yaml.safe_load(patch["patch"]):
            if change["op"] != "add":
                say(path, f"a patch that does not add: {change}")
            added[change["path"].removeprefix("/spec/template/spec/")] = change.get("value")
    if set(spec) != {"apiVersion", "kind", "patches"} or added != RESET:
        say(path, f"adds {added}, not {RESET}")


def check_config(objects, say):
    """The probes ask where the configuration listens; its folder on bpffs is one that is mounted."""
    config = documents(ROOT / "meridian.yaml")[0]
    for path, item in objects:
        if item["kind"] != "DaemonSet":
            continue
        agent = item["spec"]["template"]["spec"]["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in agent["ports"]}
        asked = agent["readinessProbe"]["httpGet"]
        if config.get("metrics") != f"{asked['host']}:{ports[asked['port']]}":
            say(ROOT / "meridian.yaml", "metrics is not where daemonset.yaml's probes ask")
        paths = [mount["mountPath"] for mount in agent["volumeMounts"]]
        if str(pathlib.PurePath(config["kernel"]["bpffs"]).parent) not in paths:
            say(ROOT / "meridian.yaml", "kernel.bpffs is in no folder that daemonset.yaml mounts")


def check_all(say):
    home = check_kustomization(ROOT, say)
    remote = check_kustomization(ROOT / "remote", say)
    cleanup = check_kustomization(ROOT / "cleanup", say)
    listed = listed_resources()
    if not listed:
        say(SOURCE, "names no URL of an API server")
    check_rights(home, listed, say)
    check_rights(remote, {pair for pair in listed if pair[1] != POLICY}, say)
    check_config(home, say)
    check_component(RESET_PATH, documents(RESET_PATH)[0], say)
    for path, item in home + cleanup:
        if item["kind"] == "DaemonSet":
            check_daemonset(path, item, say)
            check_reasons(path, say)


def self_test():
    """The check must refuse what it forbids, or it guards nothing."""
    path, whole = ROOT / "daemonset.yaml", documents(ROOT / "daemonset.yaml")[0]
    rules = [item for item in documents(ROOT / "rbac.yaml") if item["kind"] == "ClusterRole"][0]
    bad = []

    def refused(name, check, item, change):
        said = []
        item = copy.deepcopy(item)
        change(item)
        check(item, lambda *what: said.append(what))
        if not said:
            bad.append(f"not refused: {name}")

    def daemonset(name, change):
        refused(name, lambda item, say: check_daemonset(path, item, say), whole, change)

    def agent(item):
        return item["spec"]["template"]["spec"]["containers"][0]

    daemonset("privileged", lambda item: agent(item)["securityContext"].update(privileged=True))
    daemonset("one capability more", lambda item: agent(item)["securityContext"]["capabilities"]["add"].append("SYS_ADMIN"))
    daemonset("one capability less", lambda item: agent(item)["securityContext"]["capabilities"]["add"].pop())
    daemonset("nothing dropped", lambda item: agent(item)["securityContext"]["capabilities"].pop("drop"))
    daemonset("a root that is written", lambda item: agent(item)["securityContext"].pop("readOnlyRootFilesystem"))
    daemonset("no seccomp", lambda item: agent(item)["securityContext"].pop("seccompProfile"))
    daemonset("another folder", lambda item: item["spec"]["template"]["spec"]["volumes"].append(
        {"name": "run", "hostPath": {"path": "/", "type": "Directory"}}))
    daemonset("a taint that stops it", lambda item: item["spec"]["template"]["spec"]["tolerations"].clear())
    daemonset("two on a node", lambda item: item["spec"]["updateStrategy"]["rollingUpdate"].update(maxSurge=1))
    daemonset("no probe", lambda item: agent(item).pop("readinessProbe"))
    component = documents(RESET_PATH)[0]
    for name, old, new in (("another capability", "SYS_ADMIN", "SYS_PTRACE"), ("another folder", "/run/netns", "/run"),
                           ("writing there", "readOnly: true, ", "")):
        refused(f"component: {name}", lambda item, say: check_component(RESET_PATH, item, say), component,
                lambda item, old=old, new=new: item["patches"][0].update(
                    patch=item["patches"][0]["patch"].replace(old, new)))
    for verb in ("get", "create", "*"):
        refused(f"verb {verb}", lambda item, say: check_rights([(path, item)], listed_resources(), say), rules,
                lambda item, verb=verb: item["rules"][0]["verbs"].append(verb))
    for resource in ("secrets", "*"):
        refused(f"resource {resource}", lambda item, say: check_rights([(path, item)], listed_resources(), say),
                rules, lambda item, resource=resource: item["rules"][0]["resources"].append(resource))
    refused("a right less", lambda item, say: check_rights([(path, item)], listed_resources(), say), rules,
            lambda item: item["rules"].pop())
    return bad


def main():
    bad = []
    check_all(lambda where, reason: bad.append(f"{where}: {reason}"))
    if sys.argv[1:] == ["--self-test"]:
        bad += self_test()
    for line in bad:
        print(line)
    return 1 if bad else 0


sys.exit(main())
