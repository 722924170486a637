#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Serves folders of manifests as API servers, and misbehaves as it is told.

    scripted_server.py ADDRESS CERTIFICATE KEY FOLDER PORT [FOLDER PORT]...

Lists, streamed lists and watches of what stands in a folder's *.yaml. FOLDER/behaviour, if there is
one, says how requests are answered from now on, and ends the watches that are open:

    refuse CODE [SECONDS]  CODE, with Retry-After
    type TYPE              200, and a page of that content type
    endless [CODE]         an object, or a refusal, without an end
    garble                 what calls itself gzip, and is none
    chunk                  the connection ends within a chunk
    cut TEXT               the connection ends behind the first TEXT of the answer
    gzip                   whatever is not asked for with gzip is refused; else all is well

"forget " before it: no version from before is known any more, so that it is lists that are answered so.
FOLDER/requests says when (ms), for which kind, and how each request was answered: "well" or one of the
words above.
"""
import glob
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
import zlib

import yaml

LOOK_S = 0.1
KINDS = {
    "services": ("Service", "v1"),
    "endpointslices": ("EndpointSlice", "discovery.k8s.io/v1"),
    "nodes": ("Node", "v1"),
}


def compact(value):
    return json.dumps(value, separators=(",", ":"))


class Cluster:
    """A folder: its objects, each with the version in which it became what it is."""

    def __init__(self, folder):
        self.folder = folder
        self.lock = threading.Lock()
        self.seen = None
        self.version = 100
        self.objects = {}
        self.told = ""
        self.forgotten = 0

    def behaviour(self):
        try:
            with open(f"{self.folder}/behaviour", encoding="utf-8") as file:
                told = file.read().strip()
        except FileNotFoundError:
            told = ""
        with self.lock:
            if told != self.told and told.startswith("forget "):
                self.forgotten = self.version
                self.version += 1
            self.told = told
        return told

    def record(self, kind, word):
        with self.lock, open(f"{self.folder}/requests", "a", encoding="utf-8") as file:
            print(time.monotonic_ns() // 1_000_000, kind, word, file=file)

    def read(self):
        """Manifests are replaced by a rename, which the folder's own time tells."""
        with self.lock:
            seen = os.stat(self.folder).st_mtime_ns
            if seen == self.seen:
                return
            self.seen = seen
            for path in sorted(glob.glob(f"{self.folder}/*.yaml")):
                with open(path, encoding="utf-8") as file:
                    fresh = yaml.safe_load(file)
                old = self.objects.get(path)
                if old and old[1] == fresh:
                    continue
                self.version += 1
                self.objects[path] = (self.version, fresh)

    def changed_since(self, kind, version):
        """[(version, object)] of a kind, and the version of all of it."""
        self.read()
        with self.lock:
            found = []
            for since, fresh in self.objects.values():
                if fresh["kind"] == KINDS[kind][0] and since > version:
                    metadata = {**fresh["metadata"], "resourceVersion": str(since)}
                    found.append((since, {**fresh, "metadata": metadata}))
            return found, self.version


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster = None

    def log_message(self, *_):
        pass

    # ------------------------------------------------------------------ pieces of answers

    def head(self, code, content_type="application/json", *, length=None, more=()):
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def whole(self, code, text, content_type="application/json", more=()):
        data = text.encode()
        self.head(code, content_type, length=len(data), more=more)
        self.wfile.write(data)

    def status(self, code, more=()):
        self.whole(code, compact({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                                  "message": "as the script says", "code": code}), more=more)

    # ------------------------------------------------------------------ what is asked

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        kind = url.path.rsplit("/", 1)[-1]
        if kind not in KINDS:
            self.status(404)
            return
        behaviour = self.cluster.behaviour()
        words = behaviour.split(None, 1) or ["well"]
        if words[0] == "forget":
            if int(query.get("resourceVersion", self.cluster.version)) <= self.cluster.forgotten:
                self.forget(kind)
                return
            words = words[1].split(None, 1)
        self.cluster.record(kind, words[0])
        answer = getattr(self, f"answer_{words[0]}")
        answer(kind, query, words[1] if len(words) > 1 else "")

    def forget(self, kind):
        self.cluster.record(kind, "forget")
        self.head(200)
        self.chunk((compact({"type": "ERROR", "object": {
            "kind": "Status", "reason": "Expired", "code": 410}}) + "\n").encode())
        self.chunk(b"")

    # ------------------------------------------------------------------ what all is well with

    def events(self, kind, query):
        """The answer to a watch, or a streamed list, until its behaviour changes."""
        behaviour = self.cluster.behaviour()
        version = int(query.get("resourceVersion", 0))
        streams = "sendInitialEvents" in query
        while self.cluster.behaviour() == behaviour:
            changed, now = self.cluster.changed_since(kind, version)
            for since, fresh in changed:
                verb = "ADDED" if streams and not version else "MODIFIED"
                yield compact({"type": verb, "object": fresh}) + "\n"
            if streams and not version:
                yield compact({"type": "BOOKMARK", "object": {
                    "kind": KINDS[kind][0], "apiVersion": KINDS[kind][1], "metadata": {
                        "resourceVersion": str(now),
                        "annotations": {"k8s.io/initial-events-end": "true"}}}}) + "\n"
            version = max(version, now)
            yield ""
            time.sleep(LOOK_S)

    def texts(self, kind, query):
        """All texts of an answer; of a watch, when nothing is new, an empty one."""
        if "watch" in query:
            yield from self.events(kind, query)
            return
        objects, now = self.cluster.changed_since(kind, 0)
        yield compact({"kind": f"{KINDS[kind][0]}List", "apiVersion": KINDS[kind][1],
                       "metadata": {"resourceVersion": str(now)},
                       "items": [fresh for _, fresh in objects]})

    def answer_well(self, kind, query, _):
        self.head(200)
        for text in self.texts(kind, query):
            if text:
                self.chunk(text.encode())
        self.chunk(b"")

    def answer_gzip(self, kind, query, _):
        if "gzip" not in self.headers.get("Accept-Encoding", ""):
            self.status(406)
            return
        packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        self.head(200, more=[("Content-Encoding", "gzip")])
        for text in self.texts(kind, query):
            data = packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH) if text else b""
            if data:
                self.chunk(data)
        self.chunk(packer.flush())
        self.chunk(b"")

    # ------------------------------------------------------------------ what is not

    def answer_refuse(self, kind, query, arguments):
        code, *seconds = arguments.split()
        self.status(int(code), more=[("Retry-After", it) for it in seconds])

    def answer_type(self, kind, query, content_type):
        self.whole(200, "<html>a page</html>", content_type)

    def answer_garble(self, kind, query, _):
        self.whole(200, '{"items":[]}', more=[("Content-Encoding", "gzip")])

    def answer_endless(self, kind, query, code):
        self.head(int(code or 200))
        self.chunk(b'{"type":"ADDED","object":{"metadata":{"name":"' if not code else b'{"message":"')
        while True:
            self.chunk(b"x" * 65536)

    def answer_chunk(self, kind, query, _):
        self.head(200)
        text = next(self.texts(kind, query)).encode()
        self.wfile.write(b"%x\r\n%s" % (len(text) + 1000, text[:len(text) // 2]))
        self.hang_up()

    def answer_cut(self, kind, query, behind):
        """A watch is cut in the first event that has the text; one of a kind that never has it stays
        open, as if nothing were new."""
        self.head(200)
        for text in self.texts(kind, query):
            before, found, _ = text.partition(behind)
            if found:
                self.chunk((before + found).encode())
                self.hang_up()
                return
            if text:
                self.chunk(text.encode())
        self.chunk(b"")

    def hang_up(self):
        self.wfile.flush()
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # the agent has hung up
            super().handle_error(request, client_address)

    def shutdown_request(self, request):
        """Without the word of TLS that says that this is the end, as when a process dies."""
        self.close_request(request)


def main(address, certificate, key, *places):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    for folder, port in zip(places[::2], places[1::2]):
        handler = type("Handler", (Handler,), {"cluster": Cluster(folder)})
        server = Server((address, int(port)), handler)
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
