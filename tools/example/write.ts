/**
 * Generates `agent/EXAMPLE.md` from `agent/example.pcapng`. With the directory of a run of nat-nat as argument, copies
 * that run's capture first.
 */

import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CAPTURE, DOCUMENT, readExample } from "./example.ts";

const [run] = process.argv.slice(2);
if (run !== undefined) await copyFile(join(run, "capture.pcapng"), CAPTURE);
await writeFile(DOCUMENT, (await readExample()).document);
