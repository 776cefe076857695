import { expect, test } from "vitest";
import { captureArguments, parseCaptureFigures } from "../../../../agent/src/io/capture/capture.ts";

test("a capture takes outgoing frames, each at once, with room in the kernel", () => {
  expect(captureArguments("home-lan").join(" ")).toBe(
    "-i home-lan -n -Q out --immediate-mode -U -s 2048 -B 16384 -Z root -w -",
  );
});

test("the figures at tcpdump's end are read", () => {
  const stderr = `tcpdump: listening on internet, link-type EN10MB (Ethernet), snapshot length 2048 bytes
1 packet captured
14 packets received by filter
3 packets dropped by kernel
`;
  expect(parseCaptureFigures(stderr)).toEqual({ captured: 1, droppedByKernel: 3 });
  expect(parseCaptureFigures("")).toEqual({ captured: 0, droppedByKernel: 0 });
});
