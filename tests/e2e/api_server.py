#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""An API server by a script: what stands in a folder is what it says, and it may go on without end.

Usage: api_server.py PORT FOLDER

FOLDER/services, FOLDER/endpointslices and the like have an object a line, compact. A list is the lines
that there are, as a stream that ends with its mark; a watch is the lines that are added later.
FOLDER/services.endless makes that list endless: the file's only line has %d in the place of a number.
"""
import http.server
import json
import os
import re
import sys
import time

BURST = 256  # objects at a time
LOOK_S = 0.005
MARK = {"k8s.io/initial-events-end": "true"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def say(self, text):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def event(self, kind, line):
        self.say(b'{"type":"%s","object":%s}\n' % (kind, line))

    def do_GET(self):
        resource = re.search("[a-z]+$", self.path.split("?")[0]).group()
        path = os.path.join(FOLDER, resource)
        if resource == "ping":
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            if "sendInitialEvents" in self.path:
                self.list(path)
            else:
                self.watch(path, int(re.search(r"resourceVersion=(\d+)", self.path).group(1)))
        except OSError:  # who listened has gone
            self.close_connection = True

    def lines(self, path):
        try:
            with open(path, "rb") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def list(self, path):
        for template in self.lines(path + ".endless"):
            self.endless(b'{"type":"ADDED","object":%s}\n' % template)
        lines = self.lines(path)
        for line in lines:
            self.event(b"ADDED", line)
        mark = {"metadata": {"resourceVersion": str(len(lines)), "annotations": MARK}}
        self.event(b"BOOKMARK", json.dumps(mark, separators=(",", ":")).encode())
        self.say(b"")

    def endless(self, template):
        burst = template * BURST
        number = 0
        while True:
            self.say(burst % tuple(range(number, number + BURST)))
            number += BURST

    def watch(self, path, seen):
        while True:
            for line in self.lines(path)[seen:]:
                self.event(b"MODIFIED", line)
                seen += 1
            time.sleep(LOOK_S)


FOLDER = sys.argv[2]
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
