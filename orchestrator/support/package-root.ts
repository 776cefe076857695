/** Where this checkout lies. */

import { join } from "node:path";

/** Absolute path of the directory that holds package.json, without a slash at its end. */
export const PACKAGE_ROOT = join(import.meta.dirname, "../..");
