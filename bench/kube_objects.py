#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Many objects for an API server, and many changes of them, by way of its etcd: a hundred in one
transaction, where the server itself would take the machine for minutes. What is written are copies of a
service, a slice and a node that the server made, so they are as large as real ones.

Usage: kube_objects.py fill TEMPLATES COUNT        COUNT services of ten endpoints each, on 100 nodes
       kube_objects.py same TEMPLATES COUNT ADDRESS  COUNT services whose only endpoint is ADDRESS
       kube_objects.py change TEMPLATES COUNT RATE SECONDS
                                                   RATE slices a second lose or get back an endpoint
       kube_objects.py step TEMPLATES COUNT        one slice does for each line on standard input
TEMPLATES is a folder with service.json, slice.json, node.json and address.json (an IPAddress, by which
the server knows that a service's address is taken).
change prints the changes a second that were made, and the version of the last one.
"""
import base64
import http.client
import json
import sys
import time

ENDPOINTS = 10
NODES = 100
OPERATIONS = 100  # etcd takes 128
BURSTS = 250  # transactions a second, at most: each is a round trip
ETCD = ("127.0.0.1", 2379)


def quads(number):
    return f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


class Objects:
    def __init__(self, folder):
        self.etcd = http.client.HTTPConnection(*ETCD)
        self.made = {}
        for name in ("service", "slice", "node", "address"):
            with open(f"{folder}/{name}.json", encoding="utf-8") as text:
                self.made[name] = json.load(text)

    # Nothing below the metadata is copied: what differs must be replaced whole.
    def copy(self, kind, name, number):
        made = self.made[kind]
        metadata = {**made["metadata"], "name": name, "uid": f"00000000-0000-4000-8000-{number:012d}"}
        metadata.pop("resourceVersion", None)
        return {**made, "metadata": metadata}

    def service(self, number):
        made = self.copy("service", f"many-{number}", number)
        address = "172." + quads(0x110000 + number)
        made["spec"] = {**made["spec"], "clusterIP": address, "clusterIPs": [address]}
        return "services/specs/default", made

    def address(self, number):
        made = self.copy("address", "172." + quads(0x110000 + number), 3000000 + number)
        made["spec"] = {"parentRef": {**made["spec"]["parentRef"], "name": f"many-{number}"}}
        return "ipaddresses", made

    def endpoint(self, pod, number, ready):
        one = self.made["slice"]["endpoints"][0]
        return {
            **one,
            "addresses": ["10." + quads(0x100000 + pod)],
            "conditions": {**one["conditions"], "ready": ready},
            "nodeName": f"node-{pod % NODES}",
            "targetRef": {
                **one["targetRef"],
                "name": f"many-{number}-7d4b9c8f6d-{pod % ENDPOINTS:05d}",
                "uid": f"00000000-0000-4000-8001-{pod:012d}",
            },
        }

    def slice(self, number, ready=True):
        made = self.copy("slice", f"many-{number}-abcde", 1000000 + number)
        labels = made["metadata"]["labels"]
        made["metadata"]["labels"] = {**labels, "kubernetes.io/service-name": f"many-{number}"}
        made["endpoints"] = [
            self.endpoint(number * ENDPOINTS + i, number, ready or i > 0) for i in range(ENDPOINTS)
        ]
        return "endpointslices/default", made

    def node(self, number):
        return "minions", self.copy("node", f"node-{number}", 2000000 + number)

    def write(self, objects):
        puts = []
        for folder, made in objects:
            key = f"/registry/{folder}/{made['metadata']['name']}".encode()
            value = json.dumps(made, separators=(",", ":")).encode()
            puts.append(
                {"requestPut": {"key": base64.b64encode(key).decode(), "value": base64.b64encode(value).decode()}}
            )
        self.etcd.request("POST", "/v3/kv/txn", json.dumps({"success": puts}))
        answer = self.etcd.getresponse()
        text = answer.read()
        if answer.status != 200:
            sys.exit(f"kube_objects.py: etcd: {text.decode()}")
        return json.loads(text)["header"]["revision"]

    def write_all(self, rows):
        for first in range(0, len(rows), OPERATIONS):
            self.write(rows[first : first + OPERATIONS])


def fill(objects, count):
    rows = [objects.node(number) for number in range(NODES)]
    rows += [objects.address(number) for number in range(count)]
    for number in range(count):
        rows += [objects.service(number), objects.slice(number)]
    objects.write_all(rows)


def changed(objects, count, number):
    return objects.slice(number % count, ready=bool(number // count % 2))


def same(objects, count, address):
    rows = [objects.address(number) for number in range(count)]
    for number in range(count):
        folder, made = objects.slice(number)
        made["endpoints"] = [{**made["endpoints"][0], "addresses": [address]}]
        rows += [objects.service(number), (folder, made)]
    objects.write_all(rows)


def step(objects, count):
    for number, _ in enumerate(sys.stdin):
        objects.write([changed(objects, count, number)])


def change(objects, count, rate, seconds):
    total = rate * seconds
    burst = max(1, rate // BURSTS)
    version = 0
    begin = time.monotonic()
    for first in range(0, total, burst):
        numbers = range(first, min(first + burst, total))
        version = objects.write([changed(objects, count, number) for number in numbers])
        ahead = begin + (first + burst) / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    print(f"{total / (time.monotonic() - begin):.1f} {version}")


def main():
    objects = Objects(sys.argv[2])
    rest = [int(word) if word.isdigit() else word for word in sys.argv[3:]]
    {"fill": fill, "same": same, "change": change, "step": step}[sys.argv[1]](objects, *rest)


if __name__ == "__main__":
    main()
