import { expect, test } from "vitest";
import { type Binding, BindingCache } from "../../../../agent/src/core/mip6/binding-cache.ts";
import { addressKey } from "../../../../agent/src/core/mip6/ipv6-packet.ts";

const HOME = "2001:db8:a::100";
const OTHER_HOME = "2001:db8:a::200";

function binding(homeAddress: string, expiresAt: number): Binding {
  return {
    homeAddress,
    careOf: "192.168.1.2",
    local: { ip: "198.18.0.1", port: 4191 },
    observed: { ip: "198.18.0.10", port: 61001 },
    natDetected: true,
    sequence: 1,
    expiresAt,
  };
}

test("a binding is found by its address and by its key", () => {
  const cache = new BindingCache(10);
  cache.put(binding(HOME, 100));
  expect(cache.find(HOME)).toEqual(binding(HOME, 100));
  expect(cache.findByKey(addressKey(HOME))).toEqual(binding(HOME, 100));
  expect(cache.find(OTHER_HOME)).toBeUndefined();
});

test("there is one binding per home address, the last one put", () => {
  const cache = new BindingCache(2);
  cache.put(binding(HOME, 100));
  cache.put(binding(HOME, 200));
  expect(cache.find(HOME)?.expiresAt).toBe(200);
  expect(cache.isFull).toBe(false);
  cache.put(binding(OTHER_HOME, 300));
  expect(cache.isFull).toBe(true);
});

test("the next expiry follows what is put, replaced, removed and expired", () => {
  const cache = new BindingCache(10);
  expect(cache.nextExpiry()).toBeUndefined();
  cache.put(binding(HOME, 200));
  expect(cache.nextExpiry()).toBe(200);
  cache.put(binding(OTHER_HOME, 100));
  expect(cache.nextExpiry()).toBe(100);
  cache.put(binding(OTHER_HOME, 300));
  expect(cache.nextExpiry()).toBe(200);
  cache.remove(HOME);
  expect(cache.nextExpiry()).toBe(300);
  expect(cache.expire(299)).toEqual([]);
  expect(cache.expire(300)).toEqual([binding(OTHER_HOME, 300)]);
  expect(cache.nextExpiry()).toBeUndefined();
});
