/**
 * Starts the command line: `cli.ts`, run as it is. JavaScript, so that a Node.js too old for TypeScript can still say so.
 */

import module from "node:module";
import { join } from "node:path";

/** The oldest major version that runs the sources. */
const OLDEST_NODE = 24;

/** Exit code for what the machine lacks. */
const EXIT_MACHINE = 3;

if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
  process.stderr.write(
    `error: expected Node.js ${OLDEST_NODE} or later, found ${process.versions.node} (${process.execPath})\n` +
      "  → npm run testbed, which brings its own on Linux x64 and arm64; elsewhere install Node.js 24\n",
  );
  process.exit(EXIT_MACHINE);
}

// Without the cache (where it cannot be written) a start takes half as long again.
module.enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/testbed"));
await import("./cli.ts");
