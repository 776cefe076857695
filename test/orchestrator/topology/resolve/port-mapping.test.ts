import { expect, test } from "vitest";
import { describeMiddlebox } from "../../../../orchestrator/topology/describe/describe-middlebox.ts";
import { issuesOf, resolved, routerOf, topologyText } from "../sample.ts";

function textOf(network: string, nat: string): string {
  return topologyText({
    segments: `world: { ipv4: ${network} }, home: { ipv4: 192.168.1.0/24 }`,
    nodes: `r: { role: router, wan: world, lan: home, nat: ${nat} }`,
  });
}

const ASKED = "{ preset: home-router, portMapping: [pcp, upnp, pcp] }";

test("each protocol counts once", () => {
  expect(routerOf(resolved(textOf("11.22.33.0/24", ASKED)), "r").portMapping).toEqual(["pcp", "upnp"]);
  expect(routerOf(resolved(textOf("11.22.33.0/24", "home-router")), "r").portMapping).toEqual([]);
});

test("a router says whether its mapper grants anything, which it does not behind a carrier's NAT", () => {
  const words = (network: string) => describeMiddlebox(routerOf(resolved(textOf(network, ASKED)), "r"));
  expect(words("11.22.33.0/24")).toBe("home-router, maps ports by PCP, UPnP");
  expect(words("100.64.0.0/24")).toBe("home-router, refuses to map ports by PCP, UPnP");
  expect(words("192.168.9.0/24")).toBe("home-router, refuses to map ports by PCP, UPnP");
});

test("an outside address that only a lab takes for public is reported, with one that the daemon accepts", () => {
  expect(issuesOf(textOf("198.18.7.0/24", ASKED))).toEqual([
    expect.stringMatching(
      /nodes\.r\.nat\.portMapping: expected an outside address that is public, or private where requests shall be refused; found 198\.18\.7\.\d+, which miniupnpd takes for private; give world another network, such as 11\.22\.33\.0\/24: a lab reaches nobody outside$/,
    ),
  ]);
});

test("a protocol that there is not is reported", () => {
  expect(issuesOf(textOf("11.22.33.0/24", "{ preset: home-router, portMapping: [stun] }"))).toEqual([
    expect.stringMatching(/nodes\.r\.nat\.portMapping\[0\]: expected one of pcp, nat-pmp, upnp; found "stun"/),
  ]);
});
