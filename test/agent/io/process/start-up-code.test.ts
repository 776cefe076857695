import { expect, test } from "vitest";
import { codeMappings } from "../../../../agent/src/io/process/start-up-code.ts";

const MAPS = `00400000-00746000 r--p 00000000 fe:00 5374050                            /opt/node/bin/node
0074a000-03044000 r-xp 0034a000 fe:00 5374050                            /opt/node/bin/node
06b56000-06b7d000 rw-p 06755000 fe:00 5374050                            /opt/node/bin/node
0f7c1000-0f8e2000 rw-p 00000000 00:00 0                                  [heap]
2c4b40000000-2c4b40040000 r-xp 00000000 00:00 0 
7fc8d3fe8000-7fc8d413d000 r-xp 00026000 fe:00 2883600                    /usr/lib/x86_64-linux-gnu/libc.so.6
7fc8d413d000-7fc8d4190000 r-xs 00026000 fe:00 2883601                    /tmp/shared code
7ffd13bfc000-7ffd13bfe000 r-xp 00000000 00:00 0                          [vdso]
`;

test("code is what is mapped from a file, private, to be run and not to be written", () => {
  expect(codeMappings(MAPS)).toEqual([
    { start: 0x0074a000n, length: 0x028fa000n },
    { start: 0x7fc8d3fe8000n, length: 0x155000n },
  ]);
});

test("a text of another shape names no code", () => {
  expect(codeMappings("")).toEqual([]);
  expect(codeMappings("no such file\n0074a000 r-xp\n")).toEqual([]);
});
