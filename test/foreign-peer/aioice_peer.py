"""An aioice Connection as a peer: candidates and credentials by the rendezvous, one datagram each way, then the result."""

import asyncio
import json
import os
import time

import aioice

TYPES = {"host": "host", "srflx": "server-reflexive", "prflx": "peer-reflexive", "relay": "relayed"}
SDP_TYPES = {name: short for short, name in TYPES.items()}


def endpoint(variable):
    host, port = os.environ[variable].rsplit(":", 1)
    return host, int(port)


async def meet(host, port):
    """The rendezvous may not listen yet when this starts."""
    while True:
        try:
            return await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.05)


def describe(connection, writer):
    candidates = [
        {"type": TYPES[c.type], "ip": c.host, "port": c.port, "priority": c.priority}
        for c in connection.local_candidates
    ]
    described = {"ufrag": connection.local_username, "pwd": connection.local_password, "candidates": candidates}
    writer.write(json.dumps(described).encode() + b"\n")


def to_candidate(index, c):
    return aioice.Candidate(
        foundation=str(index), component=1, transport="udp", priority=c["priority"],
        host=c["ip"], port=c["port"], type=SDP_TYPES[c["type"]],
    )


async def take(connection, line):
    remote = json.loads(line)
    for index, candidate in enumerate(remote["candidates"]):
        await connection.add_remote_candidate(to_candidate(index, candidate))
    await connection.add_remote_candidate(None)
    connection.remote_username, connection.remote_password = remote["ufrag"], remote["pwd"]


async def main():
    controlling = os.environ["PEER_ROLE"] == "controlling"
    connection = aioice.Connection(
        ice_controlling=controlling, stun_server=endpoint("STUN_SERVER"), use_ipv6=False
    )
    reader, writer = await meet(*endpoint("RENDEZVOUS"))
    if controlling:
        await connection.gather_candidates()
        started = time.monotonic()
        describe(connection, writer)
        await take(connection, await reader.readline())
    else:
        offer = await reader.readline()
        started = time.monotonic()
        await connection.gather_candidates()
        describe(connection, writer)
        await take(connection, offer)
    await asyncio.wait_for(connection.connect(), 20)
    connect_ms = (time.monotonic() - started) * 1000
    await connection.send(b"data from aioice")
    received = await asyncio.wait_for(connection.recv(), 5)
    pair = connection._nominated[1]
    result = {
        "remote": list(pair.remote_addr), "received": received.decode(), "controlling": connection.ice_controlling,
        "connectMs": connect_ms,
    }
    print(json.dumps(result), flush=True)
    # The peer may still wait for this end's answers.
    await asyncio.sleep(1)
    await connection.close()


asyncio.run(main())
