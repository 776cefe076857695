/** Where this checkout is. */

import { join } from "node:path";

/** Absolute path of the directory of package.json, without a trailing slash. */
export const PACKAGE_ROOT = join(import.meta.dirname, "../..");
