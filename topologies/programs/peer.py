"""Two peers find each other through a meeting point, and open their NATs by sending to one another (UDP hole punching)."""

import json
import os
import socket
import sys
import time

PATIENCE_SECONDS = 10
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def meet():
    """Tells each peer where the others are, as seen from here: outside of their NATs."""
    sock.bind(("0.0.0.0", 9000))
    seen = {}
    while True:
        name, address = sock.recvfrom(100)
        seen[name] = address
        for other, where in seen.items():
            if other != name:
                sock.sendto(json.dumps(where).encode(), address)


def peer():
    name = os.environ["MICE_SELF"].encode()
    meeting_point = (socket.gethostbyname("meet"), 9000)
    sock.settimeout(0.1)
    other, has_heard = None, False
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if other is None:
            sock.sendto(name, meeting_point)
        else:
            sock.sendto(b"I hear you" if has_heard else b"hello", other)
        try:
            data, address = sock.recvfrom(100)
        except TimeoutError:
            continue
        if address == meeting_point:
            other = tuple(json.loads(data))
            continue
        other, has_heard = address, True
        if data == b"I hear you":
            sock.sendto(b"I hear you", other)
            print("connected to %s:%d" % other)
            print("MICE", json.dumps({"path": "direct", "remote": "%s:%d" % other}))
            return
    sys.exit("no way to the other peer")


meet() if os.environ["MICE_SELF"] == "meet" else peer()
