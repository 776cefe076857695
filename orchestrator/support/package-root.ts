/** Where this checkout lies. */

import { fileURLToPath } from "node:url";

/** Absolute path of the directory that holds package.json, without a slash at its end. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
