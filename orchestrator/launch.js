/**
 * Starts `cli.ts` from a bundle that is made once per state of the sources.
 *
 * Loading 150 TypeScript files through a loader takes 0.35 s of CPU time at every start, a bundle 0.1 s. This file is
 * JavaScript because nothing has been compiled when it runs.
 */

import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import module, { createRequire } from "node:module";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What a bundle is made from; `orchestrator` includes this file. */
const SOURCES = ["orchestrator", "agent/src", "package-lock.json"];

/** Bundles kept whatever their age. */
const BUNDLES_KEPT = 4;

/** Runs load parts of their bundle late; none lasts so long after its start. */
const IN_USE_MS = 6 * 3600 * 1000;

const bundle = await bundleDirectory();
// From Node 22.8 on. Code that V8 made of a bundle goes when the bundle goes.
module.enableCompileCache?.(join(bundle, "code"));
await import(pathToFileURL(join(bundle, "cli.js")).href);

async function bundleDirectory() {
  const hash = hashSources();
  const directories = cacheDirectories();
  const found = directories.map((cache) => join(cache, hash)).find((bundle) => existsSync(join(bundle, "cli.js")));
  if (found === undefined) return makeBundle(directories.find(isWritable), hash);
  noteUse(found);
  return found;
}

/** Of everything that a bundle holds: it names its sources by their paths, so trees that share a cache share no bundle. */
function hashSources() {
  const hash = createHash("sha256").update(process.version).update(ROOT);
  for (const source of SOURCES) {
    const path = join(ROOT, source);
    const files = statSync(path).isFile()
      ? [path]
      : readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
    for (const file of files.sort()) hash.update(relative(ROOT, file)).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Beside the dependencies or, where those are not ours to write to, in the user's own cache. */
function cacheDirectories() {
  return [join(ROOT, "node_modules/.cache/testbed"), join(homedir(), ".cache/mice-testbed")];
}

function isWritable(cache) {
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    accessSync(cache, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Built aside and moved into place in one step, so that runs that start at once see a whole bundle or none. */
async function makeBundle(cache, hash) {
  const { build } = await import("esbuild");
  const aside = join(cache, `${hash}.${process.pid}`);
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["orchestrator/cli.ts"],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    outdir: aside,
    legalComments: "none",
    logLevel: "warning",
    // Bundled CommonJS packages call `require` for Node's own modules.
    banner: {
      js: 'import { createRequire as $require } from "node:module"; const require = $require(import.meta.url);',
    },
    plugins: [
      { name: "module-urls", setup: keepPaths },
      { name: "when-called", setup: loadWhenCalled },
    ],
  });
  const made = join(cache, hash);
  try {
    renameSync(aside, made);
  } catch {
    // Another run was quicker.
    rmSync(aside, { recursive: true });
  }
  pruneBundles(cache);
  return made;
}

/** Modules go on finding files relative to their own source, and packages that do the same stay where they are. */
function keepPaths(bundler) {
  const require = createRequire(import.meta.url);
  bundler.onLoad({ filter: /\/orchestrator\/.*\.ts$/ }, ({ path }) => ({
    loader: "ts",
    contents: readFileSync(path, "utf8").replaceAll(
      /(?<!")\bimport\.meta\.url\b/g,
      JSON.stringify(pathToFileURL(path).href),
    ),
  }));
  bundler.onResolve({ filter: /^esbuild$/ }, ({ path }) => ({
    path: pathToFileURL(require.resolve(path)).href,
    external: true,
  }));
}

/**
 * The Docker client brings SSH and gRPC with it, 90 ms of loading, for engines reached over SSH and for BuildKit. Each is
 * one function of a module, which is loaded when somebody calls it.
 */
function loadWhenCalled(bundler) {
  bundler.onResolve({ filter: /^\.\/(ssh|session)$/ }, ({ path, resolveDir }) =>
    /\/node_modules\/(docker-modem|dockerode)\/lib$/.test(resolveDir)
      ? { path: join(resolveDir, `${path}.js`), namespace: "when-called" }
      : undefined,
  );
  bundler.onResolve({ filter: /^\.\/buildkit$/ }, ({ path, resolveDir }) => ({
    path: join(resolveDir, `${path}.js`),
    external: true,
  }));
  bundler.onLoad({ filter: /.*/, namespace: "when-called" }, ({ path }) => ({
    // By another name, so that the bundler does not follow it.
    contents: `const load = require; module.exports = (...args) => load(${JSON.stringify(path)})(...args);`,
  }));
}

/** The age of a bundle is the time since its last start. */
function noteUse(bundle) {
  try {
    utimesSync(bundle, new Date(), new Date());
  } catch {
    // Another user's: its age is theirs to tell.
  }
}

function pruneBundles(cache) {
  const byAge = readdirSync(cache)
    .map((name) => ({
      path: join(cache, name),
      usedAt: statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs,
    }))
    .filter(({ usedAt }) => usedAt !== undefined)
    .sort((a, b) => b.usedAt - a.usedAt);
  const old = byAge.slice(BUNDLES_KEPT).filter(({ usedAt }) => usedAt < Date.now() - IN_USE_MS);
  for (const { path } of old) rmSync(path, { recursive: true, force: true });
}
