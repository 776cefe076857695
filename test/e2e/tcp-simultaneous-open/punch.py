"""TCP hole punching: a server that introduces the two ends of each pair, and ends that connect and listen at once."""

import json
import select
import socket
import sys
import threading
import time

SERVER_PORT = 5000
# Two SYNs: the second is sent after a second.
WAIT_SEC = 2.5


def bound(port, listening=False):
    end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        end.setsockopt(socket.SOL_SOCKET, option, 1)
    end.bind(("0.0.0.0", port))
    if listening:
        end.listen(4)
    return end


def serve():
    waiting = {}
    listener = bound(SERVER_PORT, listening=True)
    while True:
        end, seen = listener.accept()
        name = end.makefile().readline().strip()
        if name not in waiting:
            waiting[name] = (end, seen)
            continue
        other, other_seen = waiting.pop(name)
        for each, address in ((end, other_seen), (other, seen)):
            each.sendall((json.dumps(address) + "\n").encode())


def introduced(pair, server, port):
    """The peer's address, from the server, which sees this end by the port that it connects from later."""
    end = bound(port)
    for _ in range(100):
        try:
            end.connect((server, SERVER_PORT))
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    end.sendall((pair + "\n").encode())
    return end, tuple(json.loads(end.makefile().readline()))


def outcome(server, pair, port, after_sec):
    kept, peer = introduced(pair, server, port)
    listener = bound(port, listening=True)
    time.sleep(after_sec)
    connecting = bound(port)
    connecting.setblocking(False)
    connecting.connect_ex(peer)
    until = time.monotonic() + WAIT_SEC
    while time.monotonic() < until:
        readable, writable, _ = select.select([listener], [connecting] if connecting else [], [], until - time.monotonic())
        if connecting and writable:
            if connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                return greeted("connected", connecting)
            connecting.close()
            connecting = None
        if readable:
            return greeted("accepted", listener.accept()[0])
    return "nothing"


def greeted(how, end):
    """Both ends have the connection once each has the other's greeting."""
    end.setblocking(True)
    end.settimeout(WAIT_SEC)
    end.sendall(b"hello")
    try:
        return how if end.recv(5) == b"hello" else "closed"
    except OSError:
        return "reset"


def ends(server, several):
    """Prints for each `[pair, port, seconds later]` how it got its connection."""

    def run(pair, port, after_sec):
        print(pair, outcome(server, pair, port, after_sec), flush=True)

    threads = [threading.Thread(target=run, args=each) for each in several]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        ends(sys.argv[2], json.loads(sys.argv[3]))
