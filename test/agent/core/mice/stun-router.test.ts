import { expect, test } from "vitest";
import { createRefusals } from "../../../../agent/src/core/ice/refusals.ts";
import { routeStun } from "../../../../agent/src/core/mice/stun-router.ts";
import { createOutbox, type Outbox } from "../../../../agent/src/core/node/outbox.ts";
import type { StunDatagram } from "../../../../agent/src/core/stun/receive.ts";
import { toHex } from "../../../vectors/hex.ts";
import {
  CHECK,
  CHECK_SUCCESS,
  KEEPALIVE_INDICATION,
  ROLE_CONFLICT,
  TRANSACTION_ID,
} from "../../../vectors/mice-stun.ts";
import { stunDatagram } from "../stun/received.ts";

test("drops a response that no request waits for", () => {
  for (const payload of [CHECK_SUCCESS, ROLE_CONFLICT]) {
    const { outbox, taken } = route([payload], () => false);
    expect(outbox.counters()).toEqual({ "dropped.stun-unawaited-response": 1 });
    expect(taken).toEqual([]);
  }
});

test("asks with the transaction ID of the response, and only for responses", () => {
  const asked: string[] = [];
  const { taken } = route([CHECK, KEEPALIVE_INDICATION, CHECK_SUCCESS], (id) => asked.push(toHex(id)) > 0);

  expect(asked).toEqual([toHex(TRANSACTION_ID)]);
  expect(taken.map(({ message }) => message.class)).toEqual(["success"]);
});

/** Routes these messages in a node without a session and with one client, which waits for `isAwaited`. */
function route(
  payloads: readonly Uint8Array[],
  isAwaited: (transactionId: Uint8Array) => boolean,
): { readonly outbox: Outbox; readonly taken: readonly StunDatagram[] } {
  const outbox = createOutbox();
  const taken: StunDatagram[] = [];
  const client = {
    ownsTransaction: isAwaited,
    handleStun: (_now: number, datagram: StunDatagram) => void taken.push(datagram),
  };
  const [local, remote] = [
    { ip: "10.1.0.5", port: 40_001 },
    { ip: "203.0.113.20", port: 62_002 },
  ];
  for (const payload of payloads) {
    routeStun(0, stunDatagram({ local, remote, payload }), {
      sessions: () => [],
      clients: () => [client],
      send: () => undefined,
      refusals: createRefusals(),
      outbox,
    });
  }
  return { outbox, taken };
}
