"""UDP hole punching between two programs that know only a meeting point.

    peer.py meet              tells each of two peers where the other one seems to be
    peer.py <name> <address>  meets the other one, opens the way, and exchanges numbered data
"""

import select
import socket
import sys
import time

PORT = 9000
INTERVAL = 0.02
DATA = 50
TIMEOUT = 10.0


def meet():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", PORT))
    seen = {}
    while True:
        text, address = server.recvfrom(100)
        name, own = text.decode().split()
        seen[name] = f"{own} {address[0]}:{address[1]}"
        for other, addresses in seen.items():
            if other != name:
                server.sendto(f"peer {addresses}".encode(), address)


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def peer(name, server):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((server, PORT))
    own = sock.getsockname()[0]
    sock.close()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", 0))
    hello = f"{name} {own}:{sock.getsockname()[1]}".encode()
    candidates, way = [], None
    received, sent = set(), 0
    began = asked = time.monotonic() - 1
    while time.monotonic() - began < TIMEOUT and (sent < DATA or len(received) < DATA // 2):
        now = time.monotonic()
        if not candidates and now - asked > 0.2:
            sock.sendto(hello, (server, PORT))
            asked = now
        if way is not None:
            sock.sendto(f"data {sent:06d} of {name} {'x' * 60}".encode(), way)
            sent += 1
        else:
            for candidate in candidates:
                sock.sendto(f"punch {now} by {name}".encode(), candidate)
        until = now + INTERVAL
        while (left := until - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                continue
            text, source = sock.recvfrom(2000)
            word, *rest = text.decode().split()
            if word == "peer":
                candidates = [endpoint(each) for each in rest]
            elif word == "punch":
                sock.sendto(f"heard {rest[0]} by {name}".encode(), source)
            elif word == "heard":
                way = way or source
            elif word == "data":
                way = way or source
                received.add(rest[0])
    print(f"{name}: {len(received)} received, {sent} sent, over {way}")
    return 0 if received and way else 1


if sys.argv[1] == "meet":
    meet()
sys.exit(peer(sys.argv[1], sys.argv[2]))
