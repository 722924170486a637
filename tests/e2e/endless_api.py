#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Two API servers by a script, for 38-endless-list.sh: one has a service, the other a list without end.

Usage: endless_api.py PORT ENDLESS_PORT FOLDER AGENT_LOG

FOLDER/services and FOLDER/endpointslices have an object a line. The first of each is in the list, the other
slices are changes. The list without end is sent once; while it is under way the changes are sent, one after
the other: FOLDER/sent gets, for each, how many objects of the list went out before the agent said that a plan
was written. All of that is one thread, so that nothing but the agent has a share in the order.
"""
import http.server
import itertools
import re
import sys
import threading

BURST = 100  # objects at a time
APART = 20000  # objects between two changes, and before the first: what lies in between is full then
OBJECT = (
    b'{"type":"ADDED","object":{"apiVersion":"v1","kind":"Service","metadata":{"name":"service-%d",'
    b'"namespace":"default","uid":"4b9a7c1e-0000-4000-8000-000000000000","labels":{"app":"service",'
    b'"team":"nobody"}},"spec":{"type":"ClusterIP","clusterIP":"172.17.0.20","clusterIPs":["172.17.0.20"],'
    b'"ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":9080}],"selector":{"app":"service"},'
    b'"sessionAffinity":"None"},"status":{"loadBalancer":{}}}}\n'
)
MARK = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}}}}\n'

PORT, ENDLESS_PORT, FOLDER, LOG = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
watch_of_slices = []
was_sent = threading.Event()


def lines(resource):
    try:
        with open(f"{FOLDER}/{resource}", "rb") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def begin(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def say(self, text):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def event(self, kind, line):
        self.say(b'{"type":"%s","object":%s}\n' % (kind, line))

    def do_GET(self):
        resource = re.search("[a-z]+$", self.path.split("?")[0]).group()
        if resource == "livez" or (resource == "services" and self.is_full()):
            self.send_response(200 if resource == "livez" else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.begin()
        try:
            self.answer(resource)
        except OSError:  # the agent has given it up
            self.close_connection = True

    def is_full(self):
        return False

    def answer(self, resource):
        if "sendInitialEvents" in self.path:
            for line in lines(resource)[:1]:
                self.event(b"ADDED", line)
            self.say(MARK)
            self.say(b"")
            return
        if resource == "endpointslices":
            watch_of_slices.append(self)
        threading.Event().wait()  # whoever watches is told of changes by the list without end


class Endless(Server):
    def is_full(self):
        return was_sent.is_set()

    def answer(self, resource):
        if resource == "services":
            was_sent.set()
            self.stream()
        elif "sendInitialEvents" in self.path:
            self.say(MARK)
            self.say(b"")
        else:
            threading.Event().wait()

    def stream(self):
        changes = iter(lines("endpointslices")[1:])
        since = None  # the change that is under way was sent
        due = APART
        with open(LOG, "rb") as log, open(f"{FOLDER}/sent", "a") as sent:
            for number in itertools.count(0, BURST):
                self.say(OBJECT * BURST % tuple(range(number, number + BURST)))
                if since is not None and b"plan written" in log.read():
                    print(number - since, file=sent, flush=True)
                    since, due = None, number + APART
                change = next(changes, None) if since is None and number >= due and watch_of_slices else None
                if change:
                    log.seek(0, 2)
                    watch_of_slices[-1].event(b"MODIFIED", change)
                    since = number


other = http.server.ThreadingHTTPServer(("0.0.0.0", ENDLESS_PORT), Endless)
threading.Thread(target=other.serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("0.0.0.0", PORT), Server).serve_forever()
