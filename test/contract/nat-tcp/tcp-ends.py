"""Ends of TCP through a NAT: a server outside that says whom it sees and connects back when asked; clients inside."""

import json
import socket
import struct
import sys
import threading
import time

# Far longer than a packet of these labs takes, and shorter than the second after which a SYN is sent again.
WAIT_SEC = 0.9


def bound(ip, port):
    end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        end.setsockopt(socket.SOL_SOCKET, option, 1)
    end.bind((ip, port))
    return end


def listening(ip, port):
    end = bound(ip, port)
    end.listen(16)
    return end


def connected(local, remote):
    """A connection that has said whom the server sees, and that address."""
    end = bound(*local)
    end.settimeout(5)
    end.connect(remote)
    return end, json.loads(line_of(end))


def line_of(end):
    text = b""
    while not text.endswith(b"\n"):
        part = end.recv(1)
        if not part:
            raise EOFError(text)
        text += part
    return text


def attempt(local, remote):
    """What becomes of connecting: `open`, `refused` by RST, `icmp` or `silent`."""
    errors = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    errors.setblocking(False)
    end = bound(*local)
    # Closed by RST: the next attempt from the same port is not one within TIME-WAIT.
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.settimeout(WAIT_SEC)
    try:
        end.connect(tuple(remote))
        return "open"
    except ConnectionRefusedError:
        return "icmp" if was_unreachable(errors, local[1]) else "refused"
    except (TimeoutError, socket.timeout):
        return "silent"
    finally:
        end.close()
        errors.close()


def was_unreachable(errors, port):
    """Whether ICMP said `port unreachable` of a SYN from this port."""
    while True:
        try:
            packet = errors.recv(256)
        except BlockingIOError:
            return False
        if packet[20] == 3 and packet[21] == 3 and struct.unpack("!H", packet[48:50])[0] == port:
            return True


def serve(endpoints):
    """Each connection is told whom it comes from; each line it then sends, `[local, remote]`, is an attempt."""

    def answer(end, peer):
        try:
            end.sendall((json.dumps(peer) + "\n").encode())
            while True:
                local, remote = json.loads(line_of(end))
                end.sendall((json.dumps(attempt(tuple(local), tuple(remote))) + "\n").encode())
        except (EOFError, OSError):
            end.close()

    def accept(listener):
        while True:
            end, peer = listener.accept()
            threading.Thread(target=answer, args=(end, peer), daemon=True).start()

    threads = [threading.Thread(target=accept, args=(listening(*endpoint),)) for endpoint in endpoints]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def asked(end, local, remote):
    end.sendall((json.dumps([local, remote]) + "\n").encode())
    return json.loads(line_of(end))


A1P1, A1P2, A2P1, A2P2 = [(ip, port) for ip in ("198.18.0.11", "198.18.0.12") for port in (3478, 3479)]


def mapping(inside, port):
    ends = [connected((inside, port), server) for server in (A1P1, A2P1, A2P2)]
    first, second, third = [seen for _, seen in ends]
    if first == second == third:
        return "endpoint-independent"
    return "address-dependent" if second == third else "address-and-port-dependent"


def filtering(inside, port):
    listener = listening(inside, port)
    end, seen = connected((inside, port), A1P1)
    # The strictest test first: a packet that passes may open the filter for later ones.
    if asked(end, A2P2, seen) == "open":
        return "endpoint-independent"
    found = "address-dependent" if asked(end, A1P2, seen) == "open" else "address-and-port-dependent"
    listener.close()
    return found


def hairpinning(inside, other, port):
    listener = listening(inside, port)
    listener.settimeout(5)
    _, seen = connected((inside, port), A1P1)
    if attempt((other, port + 1), seen) != "open":
        return False
    _, (ip, _) = listener.accept()
    if ip != seen[0]:
        raise ValueError(f"turned round with the inside source {ip}")
    return True


def classify(inside, other, port):
    return {
        "mapping": mapping(inside, port),
        "filtering": filtering(inside, port + 1),
        "hairpinning": hairpinning(inside, other, port + 2),
    }


def sharing(inside, other, port):
    """The outside addresses of two hosts that use one port."""
    ends = [connected((ip, port), A1P1) for ip in (inside, other)]
    return [seen for _, seen in ends]


def idle(inside, outside, port, state, seconds):
    """Whether a stranger gets in at a mapping of which nothing was heard for so long; `state` is that of its connection."""
    listener = listening(inside, port)
    asking, _ = connected((inside, port + 1), A1P1)
    if state == "refused":
        attempt((inside, port), ("198.18.0.11", 9))
        seen = [outside, port]
    else:
        end, seen = connected((inside, port), A1P1)
        if state == "closed":
            end.shutdown(socket.SHUT_WR)
            end.recv(1)
            end.close()
    time.sleep(seconds)
    found = asked(asking, A2P2, seen)
    listener.close()
    return found


if __name__ == "__main__":
    name, *arguments = [sys.argv[1], *map(json.loads, sys.argv[2:])]
    print(json.dumps(globals()[name](*arguments)))
