/** Resolves what a host runs, and what it finds there. */

import { SOCKET_PROTOCOLS } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { HostEntry } from "../file/schema.ts";
import { durationMs } from "../model/duration.ts";
import { memoryMiBOf } from "../model/memory-size.ts";
import type { HostFile, ProgramSource, Readiness, ResolvedHost } from "../model/resolved.ts";
import type { ReferencedFile, ReferencedFiles } from "./referenced-files.ts";

interface Context {
  readonly referenced: ReferencedFiles;
  readonly report: Report;
}

/** Everything of a host but its place in the network. */
export type ResolvedProgram = Omit<ResolvedHost, "name" | "interfaces" | "routes" | "nameServers">;

/** `image: none` is the same as no image. */
const NO_IMAGE = "none";

/** A file reaches its host with the lab's set-up. */
const MOST_FILE_OCTETS = 64 * 1024 * 1024;

export function resolveHost(context: Context, name: string, entry: HostEntry): ResolvedProgram {
  const command = typeof entry.command === "string" ? ["/bin/sh", "-c", entry.command] : entry.command;
  const path = ["nodes", name];
  const source = resolveSource(context, path, entry);
  checkProgram(context, path, entry, source);
  checkDevices(context, path, entry);
  const { workdir, user, stopSignal } = entry;
  return {
    role: "host",
    source,
    ...(command === undefined ? {} : { command }),
    environment: texts(entry.environment),
    files: Object.entries(entry.files ?? {}).flatMap(([inside, content]) =>
      resolveFile(context, [...path, "files", inside], inside, content),
    ),
    writable: entry.writable ?? [],
    ...(workdir === undefined ? {} : { workdir }),
    ...(user === undefined ? {} : { user }),
    capabilities: entry.capabilities ?? [],
    devices: entry.devices ?? [],
    sysctls: texts(entry.sysctls),
    ...(entry.pids === undefined ? {} : { pids: entry.pids }),
    ...(entry.memory === undefined ? {} : { memoryMiB: memoryMiBOf(entry.memory) }),
    startAfter: entry.startAfter ?? [],
    ...resolveReady(context, path, entry),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    isService: entry.service ?? false,
  };
}

const READY_TIMEOUT = "30s";

const READINESSES = ["output", ...SOCKET_PROTOCOLS, "exit"] as const;

function resolveReady(
  { report }: Context,
  path: IssuePath,
  { ready, service }: HostEntry,
): { readonly ready?: Readiness } {
  if (ready === undefined) return {};
  const { output, tcp, udp, exit } = ready;
  const said = READINESSES.filter((key) => ready[key] !== undefined);
  if (said.length !== 1) {
    const found = said.length === 0 ? "none; add one" : `${said.join(" and ")}; keep one`;
    report("missing", [...path, "ready"], `expected one of ${READINESSES.join(", ")}; found ${found}`, "key");
  }
  if (exit !== undefined && service === true)
    report(
      "bad-value",
      [...path, "ready", "exit"],
      "expected a service to be ready while it runs; found `exit`; name its output or a port, or remove `service`",
    );
  const withinMs = durationMs(ready.within ?? READY_TIMEOUT);
  if (output !== undefined) return { ready: { type: "output", pattern: output, withinMs } };
  if (tcp !== undefined) return { ready: { type: "tcp", port: tcp, withinMs } };
  if (udp !== undefined) return { ready: { type: "udp", port: udp, withinMs } };
  return { ready: { type: "exit", withinMs } };
}

function texts(values: Readonly<Record<string, string | number | boolean>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

function resolveSource(context: Context, path: IssuePath, { image, build }: HostEntry): ProgramSource {
  if (build === undefined)
    return image === undefined || image === NO_IMAGE ? { type: "machine" } : { type: "image", image };
  if (image !== undefined)
    context.report("bad-value", [...path, "build"], "expected `image` or `build`; found both; remove one", "key");
  return { type: "build", folder: findFolder(context, [...path, "build"], build) };
}

function findFolder({ referenced, report }: Context, path: IssuePath, folder: string): string {
  const found = referenced.find(folder);
  const isBuildable = found?.type === "folder" && referenced.find(`${folder}/Dockerfile`)?.type === "file";
  if (!isBuildable) {
    const there = found === undefined ? "nothing there" : found.type === "file" ? "a file" : "none in it";
    report(
      "unknown-reference",
      path,
      `expected a folder with a Dockerfile, relative to this file; found ${there} at "${folder}"; correct the path`,
    );
  }
  return found?.path ?? folder;
}

/** A program of the machine needs a command; what has an image has files of its own to write to. */
function checkProgram({ report }: Context, path: IssuePath, entry: HostEntry, source: ProgramSource): void {
  if (source.type === "machine") {
    if (entry.command === undefined || entry.command.length === 0)
      report(
        "missing",
        [...path, "command"],
        "expected a `command`, `image` or `build`; found none; add the program of this machine, or the image, that the host runs",
        "key",
      );
  } else if (entry.writable !== undefined)
    report(
      "bad-value",
      [...path, "writable"],
      "expected `writable` only for a program of this machine; found it beside an image, in which a program may write everywhere; remove it",
      "key",
    );
}

/** The kernel lets nobody attach to a TUN device without this capability. */
function checkDevices({ report }: Context, path: IssuePath, { devices = [], capabilities = [] }: HostEntry): void {
  if (devices.length === 0 || capabilities.includes("NET_ADMIN")) return;
  const message =
    "expected the capability NET_ADMIN beside /dev/net/tun; found it missing; add `capabilities: [NET_ADMIN]`";
  report("missing", [...path, "devices"], message);
}

function resolveFile(
  context: Context,
  path: IssuePath,
  inside: string,
  content: NonNullable<HostEntry["files"]>[string],
): readonly HostFile[] {
  if (typeof content !== "string")
    return [
      { path: inside, content: { type: "text", text: content.text }, isExecutable: content.text.startsWith("#!") },
    ];
  const found = findFile(context, path, content);
  if (found === undefined) return [];
  return [{ path: inside, content: { type: "file", from: found.path }, isExecutable: found.isExecutable }];
}

function findFile({ referenced, report }: Context, path: IssuePath, file: string): ReferencedFile | undefined {
  const found = referenced.find(file);
  if (found?.type === "file" && found.octets <= MOST_FILE_OCTETS) return found;
  const there =
    found === undefined
      ? `nothing that can be read at "${file}"`
      : found.type === "folder"
        ? `a folder at "${file}"`
        : `${found.octets} octets`;
  const message = `expected a file of at most ${MOST_FILE_OCTETS} octets, relative to this one; found ${there}; correct the path, or give its content as \`text\``;
  report("unknown-reference", path, message);
  return undefined;
}
