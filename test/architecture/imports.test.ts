/** The import order of CONTRIBUTING, read from the sources: who may use whom, without exceptions and without cycles. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { RUNTIME_NAMES } from "../../orchestrator/runtime/runtime-name.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

interface Source {
  /** From the package root, such as `agent/src/core/bytes.ts`. */
  readonly path: string;
  readonly imports: readonly Import[];
}

interface Import {
  /** As written. */
  readonly from: string;
  /** The file it leads to inside this repository. */
  readonly path?: string;
  /** Erased before anything runs. */
  readonly isTypeOnly: boolean;
  /** Names taken; empty for the whole module. */
  readonly names: readonly string[];
}

/** `import … from "…"`, `export … from "…"` and `import("…")`. */
const IMPORT =
  /(?:^|\n)(?:import|export)\s+(type\s+)?([^"';]*?)\s*from\s*"([^"]+)"|\bimport\("([^"]+)"\)|(?:^|\n)import\s+"([^"]+)"/g;

const sources = ["agent/src", "orchestrator"].flatMap(readSources);

/** Folders, what they may import of this repository beside themselves, and which modules from outside. */
const LAYERS: readonly {
  readonly folder: string;
  readonly mayUse: readonly string[];
  readonly modules: readonly (string | RegExp)[];
}[] = [
  { folder: "agent/src/core", mayUse: [], modules: ["node:crypto", "node:zlib"] },
  { folder: "agent/src/control", mayUse: ["agent/src/core"], modules: [] },
  { folder: "agent/src/testing", mayUse: ["agent/src/core", "agent/src/control"], modules: [] },
  { folder: "agent/src/io", mayUse: ["agent/src/core", "agent/src/control"], modules: [/^node:/, "koffi"] },
  { folder: "orchestrator/support", mayUse: [], modules: [/^node:/] },
  { folder: "orchestrator/topology", mayUse: [], modules: ["zod", "yaml", "ipaddr.js", "@testbed/agent/control"] },
  { folder: "orchestrator/render", mayUse: ["orchestrator/topology"], modules: ["@testbed/agent/control"] },
  {
    folder: "orchestrator/plan",
    mayUse: ["orchestrator/topology", "orchestrator/render"],
    modules: ["@testbed/agent/control"],
  },
  {
    folder: "orchestrator/runtime",
    mayUse: ["orchestrator/plan", "orchestrator/support"],
    modules: [/^node:/, "@testbed/agent/control", "dockerode", "execa", "ipaddr.js", "tar-stream"],
  },
  {
    folder: "orchestrator/setup",
    mayUse: ["orchestrator/runtime", "orchestrator/support"],
    modules: [/^node:/, "esbuild", "execa", "tar-stream"],
  },
  {
    folder: "orchestrator/lab",
    mayUse: ["orchestrator/topology", "orchestrator/plan", "orchestrator/runtime", "orchestrator/support"],
    modules: [/^node:/, "@testbed/agent/control"],
  },
  { folder: "orchestrator/trace", mayUse: ["orchestrator/topology"], modules: ["ipaddr.js"] },
  {
    folder: "orchestrator/judge",
    mayUse: ["orchestrator/topology", "orchestrator/lab", "orchestrator/trace"],
    modules: ["@testbed/agent/control"],
  },
  {
    folder: "orchestrator/report",
    mayUse: [
      "orchestrator/topology",
      "orchestrator/plan",
      "orchestrator/runtime",
      "orchestrator/lab",
      "orchestrator/trace",
      "orchestrator/judge",
    ],
    modules: ["zod", "@testbed/agent/control"],
  },
  {
    folder: "orchestrator/owner",
    mayUse: [
      "orchestrator/topology",
      "orchestrator/runtime",
      "orchestrator/lab",
      "orchestrator/report",
      "orchestrator/support",
    ],
    modules: [/^node:/, "zod"],
  },
];

/**
 * Rooms inside a layer, from the ground up: each imports itself and what stands before it, and files beside the rooms
 * import rooms only where `roof` names them. A room's subfolders belong to it unless they are rooms themselves.
 */
const ROOMS: readonly {
  readonly folder: string;
  /** Files beside the rooms that every room may import; the rest of them are the roof. */
  readonly ground: readonly string[];
  readonly rooms: readonly string[];
}[] = [
  {
    folder: "agent/src/core",
    ground: [
      "address",
      "address-scope",
      "bytes",
      "checksum",
      "events",
      "local-socket",
      "machine",
      "min-instant",
      "ports",
      "prefix",
      "refusal",
      "result",
      "same-octets",
      "shared-budget",
    ],
    rooms: ["stun", "icmp", "link", "nat", "nat64", "nat-probe", "node", "ice", "mip6", "mice"],
  },
  {
    folder: "agent/src/core/mice",
    ground: [],
    rooms: ["option", "session", "gathering", "home", "offer", "binding"],
  },
  {
    folder: "agent/src/io",
    ground: ["failure"],
    rooms: [
      "native",
      "process",
      "fast-path",
      "sockets",
      "tun",
      "capture",
      "link",
      "network",
      "traffic",
      "probe",
      "node",
    ],
  },
  {
    folder: "orchestrator/topology",
    ground: [],
    rooms: ["model", "file", "resolve", "predict", "describe", "matrix"],
  },
  {
    folder: "orchestrator",
    ground: [],
    rooms: [
      ...["support", "topology", "render", "plan", "runtime", "setup", "lab", "trace", "judge", "report", "owner"],
      "commands",
    ],
  },
];

test.each(LAYERS)("$folder imports only what lies below it", ({ folder, mayUse }) => {
  const allowed = [folder, ...mayUse];
  const wrong = importsOf(folder).filter(
    ({ path }) => path !== undefined && !allowed.some((prefix) => path.startsWith(`${prefix}/`)),
  );
  expect(wrong.map(describeImport)).toEqual([]);
});

test.each(LAYERS)("$folder takes from outside only what its layer is for", ({ folder, modules }) => {
  const wrong = importsOf(folder).filter(
    ({ path, from }) =>
      path === undefined &&
      !modules.some((allowed) => (typeof allowed === "string" ? allowed === from : allowed.test(from))),
  );
  expect(wrong.map(describeImport)).toEqual([]);
});

test.each(ROOMS)("no import arrow in $folder runs back up", ({ folder, ground, rooms }) => {
  const roof = rooms.length;
  const floorOf = (path: string): number => {
    const [first = "", second] = path.slice(folder.length + 1).split("/");
    if (second !== undefined) return rooms.indexOf(first);
    return ground.includes(first.replace(/\.ts$/, "")) ? -1 : roof;
  };
  const up = importsOf(folder).filter(
    ({ by, path }) => path?.startsWith(`${folder}/`) === true && floorOf(path) > floorOf(by),
  );
  expect(up.map(describeImport)).toEqual([]);
});

test.each(ROOMS)("every folder of $folder has its place in the order", ({ folder, rooms }) => {
  const folders = readdirSync(join(PACKAGE_ROOT, folder), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual([...rooms].sort());
});

test("the protocol core takes HMAC, hash and CRC from Node, and nothing else", () => {
  const names = importsOf("agent/src/core").flatMap(({ from, path, names }) =>
    path === undefined ? names.map((name) => `${from} ${name}`) : [],
  );
  const allowed = ["createHmac", "createHash", "timingSafeEqual"].map((name) => `node:crypto ${name}`);
  expect(names.filter((name) => ![...allowed, "node:zlib crc32"].includes(name))).toEqual([]);
});

test.each(RUNTIME_NAMES)("nothing but its own folder and what opens runtimes knows the %s driver", (driver) => {
  const folder = `orchestrator/runtime/${driver}/`;
  const users = sources.filter(
    ({ path, imports }) => !path.startsWith(folder) && imports.some((entry) => entry.path?.startsWith(folder) === true),
  );
  const allowed = /^orchestrator\/(setup\/|commands\/create-runtime\.ts$)/;
  expect(users.map(({ path }) => path).filter((path) => !allowed.test(path))).toEqual([]);
});

test("the orchestrator knows the agent by its control messages only", () => {
  const wrong = importsOf("orchestrator").filter(
    ({ from, path }) =>
      (from.startsWith("@testbed/agent") && from !== "@testbed/agent/control") || path?.startsWith("agent/"),
  );
  expect(wrong.map(describeImport)).toEqual([]);
});

test("no file imports itself through others", () => {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports.flatMap((entry) => entry.path ?? [])]));
  expect(findCycle(graph)).toBeUndefined();
});

test("every import leads somewhere", () => {
  const known = new Set(sources.map(({ path }) => path));
  const dangling = sources.flatMap(({ imports }) =>
    imports.filter(({ path }) => path !== undefined && !known.has(path)),
  );
  expect(dangling.map(describeImport)).toEqual([]);
});

function readSources(folder: string): readonly Source[] {
  const entries = readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: "utf8" });
  return entries.filter((entry) => entry.endsWith(".ts")).map((entry) => readSource(join(folder, entry)));
}

function readSource(path: string): Source {
  const text = readFileSync(join(PACKAGE_ROOT, path), "utf8");
  const imports = [...text.matchAll(IMPORT)].map(([, type, names = "", from, dynamic, bare]) => {
    const specifier = from ?? dynamic ?? bare ?? "";
    return {
      from: specifier,
      ...(specifier.startsWith(".")
        ? { path: relative(PACKAGE_ROOT, join(PACKAGE_ROOT, dirname(path), specifier)) }
        : {}),
      isTypeOnly: type !== undefined,
      names: [...names.matchAll(/[{,]\s*(?:type\s+)?(\w+)/g)].map(([, name = ""]) => name),
    };
  });
  return { path, imports };
}

function importsOf(folder: string): readonly (Import & { readonly by: string })[] {
  return sources
    .filter(({ path }) => path.startsWith(`${folder}/`))
    .flatMap(({ path, imports }) => imports.map((entry) => ({ ...entry, by: path })));
}

function describeImport(entry: Import & { readonly by?: string }): string {
  return `${entry.by ?? ""} → ${entry.from}`;
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
