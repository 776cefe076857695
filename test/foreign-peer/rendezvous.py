"""Pairs two connections and passes what each says on to the other."""

import asyncio

PORT = 9000


async def main():
    waiting = asyncio.Queue()

    async def passing(source, target):
        while line := await source.readline():
            target.write(line)
            await target.drain()

    async def on_connect(reader, writer):
        await waiting.put((reader, writer))

    server = await asyncio.start_server(on_connect, "0.0.0.0", PORT)
    (reader_a, writer_a), (reader_b, writer_b) = await waiting.get(), await waiting.get()
    await asyncio.gather(passing(reader_a, writer_b), passing(reader_b, writer_a), return_exceptions=True)
    server.close()


asyncio.run(main())
