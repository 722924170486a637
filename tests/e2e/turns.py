# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""One socket that does one thing after the other: turns.py udp|udp6|tcp|mptcp WORD...

A WORD has what it needs behind commas; what it has to tell, or its error's name, is a line:
connect,ADDRESS,PORT   free (connect(AF_UNSPEC))   peer (getpeername)   wait,FILE (until it is there)
UDP: ask (send)   name,ADDRESS,PORT (sendto)   hear (until there is an answer)   read (it, and whom it is from)
TCP: get,PATH (a request; the answer's status and body, or end)
"""
import ctypes
import errno
import os
import select
import socket
import sys
import time

KIND = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
sock = socket.socket(
    socket.AF_INET6 if KIND.endswith("6") else socket.AF_INET,
    socket.SOCK_STREAM if KIND.endswith("tcp") else socket.SOCK_DGRAM,
    262 if KIND == "mptcp" else 0,
)
sock.settimeout(2)


def free():
    if libc.connect(sock.fileno(), ctypes.create_string_buffer(16), 16):
        raise OSError(ctypes.get_errno(), "connect")


def text_of(address):
    return f"{address[0]} {address[1]}"


def read():
    text, peer = sock.recvfrom(100)
    return f"{text.decode()} from {text_of(peer)}"


def get(path):
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: turns\r\n\r\n".encode())
    data = sock.recv(65536)
    if not data:
        return "end"
    head, body = data.decode().split("\r\n\r\n")
    return f"{head.split()[1]} {body.strip()}"


def wait(path):
    while not os.path.exists(path):
        time.sleep(0.02)


DO = {
    "connect": lambda host, port: sock.connect((host, int(port))),
    "free": free,
    "peer": lambda: text_of(sock.getpeername()),
    "wait": wait,
    "ask": lambda: sock.send(b"hello") and None,
    "name": lambda host, port: sock.sendto(b"hello", (host, int(port))) and None,
    "hear": lambda: select.select([sock], [], [], 2) and None,
    "read": read,
    "get": get,
}

for word in sys.argv[2:]:
    name, *given = word.split(",")
    try:
        seen = DO[name](*given)
    except OSError as error:
        seen = errno.errorcode.get(error.errno, str(error))
    if seen is not None:
        print(seen, flush=True)
