"""Sends every kind of frame that the machine might answer, and prints each answer of its bridge.

Arguments: interface, MAC address and link-local address of the bridge, addresses of the machine, UDP and TCP port.
"""

import ipaddress
import socket
import struct
import sys
import time

interface, bridge_mac_text, bridge_text, machine_text, port_text = sys.argv[1:]
port = int(port_text)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


own_mac = mac(open(f"/sys/class/net/{interface}/address").read().strip())
bridge_mac = mac(bridge_mac_text)
BROADCAST = b"\xff" * 6
ALL_NODES_MAC = mac("33:33:00:00:00:01")
own = ipaddress.ip_address(
    bytes.fromhex("fe80000000000000") + bytes([own_mac[0] ^ 2]) + own_mac[1:3] + b"\xff\xfe" + own_mac[3:]
).packed
bridge = ipaddress.ip_address(bridge_text).packed
ALL_NODES = ipaddress.ip_address("ff02::1").packed
solicited = ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + bridge[13:]
own_ipv4 = socket.inet_aton("192.168.77.77")
machine = [socket.inet_aton(text) for text in machine_text.split(",")]


def ipv6(destination, protocol, payload, source=own):
    return struct.pack("!IHBB", 0x60000000, len(payload), protocol, 255) + source + destination + payload


def with_checksum(destination, protocol, payload, at, source=own):
    pseudo = source + destination + struct.pack("!II", len(payload), protocol)
    return payload[:at] + struct.pack("!H", checksum(pseudo + payload)) + payload[at + 2 :]


def echo(destination, source=own):
    payload = with_checksum(destination, 58, struct.pack("!BBHHH", 128, 0, 0, 7, 7) + b"anybody?", 2, source)
    return ipv6(destination, 58, payload, source)


def solicitation(destination):
    body = struct.pack("!BBHI", 135, 0, 0, 0) + bridge + b"\x01\x01" + own_mac
    return ipv6(destination, 58, with_checksum(destination, 58, body, 2))


def udp(destination):
    body = struct.pack("!HHHH", 7777, port, 16, 0) + b"anybody?"
    return ipv6(destination, 17, with_checksum(destination, 17, body, 6))


def syn(destination):
    body = struct.pack("!HHIIBBHHH", 7778, port, 1, 0, 0x50, 2, 65535, 0, 0)
    return ipv6(destination, 6, with_checksum(destination, 6, body, 16))


def ipv4_echo(destination):
    body = struct.pack("!BBHHH", 8, 0, 0, 7, 7)
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0) + own_ipv4 + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def arp(target):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + own_mac + own_ipv4 + b"\0" * 6 + target


def frame(destination, ether_type, payload, tag=b""):
    return destination + own_mac + tag + struct.pack("!H", ether_type) + payload


PRIORITY_TAG = struct.pack("!HH", 0x8100, 0)
# Looks like IPv4 multicast to whoever believes that the frame is IPv4: octets 16 to 19 of its header.
looks_like_multicast = own[:8] + socket.inet_aton("224.0.0.1") + own[12:]

frames = []
for destination in (bridge_mac, BROADCAST, ALL_NODES_MAC):
    for tag in (b"", PRIORITY_TAG):
        for packet in (echo(ALL_NODES), echo(bridge), solicitation(solicited), solicitation(ALL_NODES)):
            frames.append((frame(destination, 0x86DD, packet, tag), 0))
        frames += [(frame(destination, 0x86DD, packet, tag), 0) for packet in (udp(bridge), udp(ALL_NODES), syn(bridge))]
        frames += [(frame(destination, 0x0806, arp(target), tag), 0) for target in machine]
        frames += [(frame(destination, 0x0800, ipv4_echo(target), tag), 0) for target in machine]
    frames.append((frame(destination, 0x86DD, echo(ALL_NODES, looks_like_multicast)), 0x0800))
    frames.append((frame(destination, 0x86DD, udp(ALL_NODES)), 0x0806))

listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
listener.bind((interface, 0))
listener.settimeout(0.2)
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)

refused = 0
for octets, protocol in frames * 2:
    try:
        sender.sendto(octets, (interface, protocol))
    except OSError:
        refused += 1
print(f"sent {2 * len(frames)} frames, {refused} refused")

until = time.monotonic() + 3
answers = set()
while time.monotonic() < until:
    try:
        octets = listener.recv(2048)
    except TimeoutError:
        continue
    if octets[6:12] != bridge_mac:
        continue
    # What is for this node, or asks for it in order to answer.
    is_for_us = octets[:6] == own_mac
    asks_for_us = own in octets[38:] or own_ipv4 in octets[38:42]
    if is_for_us or asks_for_us:
        answers.add(octets[12:60].hex())
for answer in sorted(answers):
    print(f"answer {answer}")
print(f"{len(answers)} answers")
