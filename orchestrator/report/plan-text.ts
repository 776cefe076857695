/** A plan as text: every step in order, and every rule text as it would be loaded. */

import { type DaemonSetup, LINK_DIRECTIONS } from "@testbed/agent/control";
import type { NodeSpec, Plan, ProgramSpec, TimelineStep, UnboundInterface } from "../plan/plan.ts";
import { rulesOf } from "../plan/timeline-plan.ts";
import { describeMoment } from "../topology/describe/describe-event.ts";
import { describeImpairment } from "../topology/describe/describe-link.ts";
import { describeProgram } from "../topology/describe/describe-program.ts";
import { describeReadiness } from "../topology/describe/describe-readiness.ts";
import type { HostFile } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import { counted } from "./text-table.ts";

/** Lines of text, the same on every machine. */
export function formatPlan(plan: Plan, predictions: readonly Prediction[]): readonly string[] {
  const steps = [
    ...plan.segments.map(({ name, interfaceName }) => [`make segment ${name} (interface ${interfaceName})`]),
    ...plan.nodes.map(nodeLines),
    ["start every node, wait until all are ready, and verify NATs and firewalls"],
    ...plan.programs.map(programLines),
    ...plan.timeline.map(timelineLines),
  ];
  return [
    `plan of ${plan.topology}: ${counted(plan.segments.length, "segment")}, ${counted(plan.nodes.length, "node")}; nothing was made`,
    ...steps.flatMap(([title = "", ...details], i) => ["", `${i + 1}. ${title}`, ...details]),
    ...predictions.flatMap(predictionLines),
  ];
}

function nodeLines({ name, sysctls, tun, isolatedOn = [], setup }: NodeSpec): readonly string[] {
  return [
    `make node ${name}: ${setup.role.type}${tun ? ", with a TUN device" : ""}`,
    ...isolatedOn.map((segment) => `   reaches nobody on ${segment} but its routers`),
    ...setup.interfaces.flatMap(interfaceLines),
    ...setup.routes.map(routeLine),
    ...Object.entries(sysctls).map(([key, value]) => `   sysctl ${key}=${value}`),
    ...(setup.nameServers ?? []).map((address) => `   name server ${address}`),
    // Not indented, so that it can be pasted.
    ...setup.rules.flatMap(ruleLines),
    ...(setup.daemons ?? []).flatMap(daemonLines),
  ];
}

function routeLine({ to, via, interfaceName, mark }: NodeSpec["setup"]["routes"][number]): string {
  const hop = via === undefined ? (to.endsWith("/0") ? " to the edge," : "") : ` via ${via}`;
  return `   route ${to}${hop} dev ${interfaceName}${mark === undefined ? "" : `, for packets with mark ${mark}`}`;
}

function ruleLines({ tool, text }: NodeSpec["setup"]["rules"][number]): readonly string[] {
  return ["", `${loaderOf(tool)} <<'EOF'`, ...text.trimEnd().split("\n"), "EOF"];
}

function daemonLines({ command, configuration }: DaemonSetup): readonly string[] {
  return ["", `${command.join(" ")} <<'EOF'`, ...configuration.trimEnd().split("\n"), "EOF"];
}

/** Only what the event loads; the rules of a node's start are listed with the node. */
function timelineLines({ name, when, text, deeds }: TimelineStep): readonly string[] {
  return [
    `${describeMoment(when)}, ${name}: ${text}`,
    ...deeds.flatMap(({ command }) => [
      ...(command.type === "move" ? command.routes.map(routeLine) : []),
      ...rulesOf(command).flatMap(ruleLines),
    ]),
  ];
}

function interfaceLines({
  segment,
  interfaceName,
  mac,
  addresses,
  mtuOctets,
  impairment,
  isStandby,
}: UnboundInterface): readonly string[] {
  const when = isStandby === true ? ", once it moves there" : "";
  return [
    `   interface ${interfaceName} on ${segment}${when}: ${[mac, ...addresses, ...(mtuOctets === undefined ? [] : [`MTU ${mtuOctets}`])].join(" ")}`,
    ...LINK_DIRECTIONS.flatMap((direction) => {
      const own = impairment?.[direction];
      return own === undefined ? [] : [`   link ${direction} of ${interfaceName}: ${describeImpairment(own)}`];
    }),
  ];
}

/** The command that loads rules from standard input. */
function loaderOf(tool: NodeSpec["setup"]["rules"][number]["tool"]): string {
  switch (tool) {
    case "nft":
      return "nft -f -";
    case "iptables":
    case "ip6tables":
      return `${tool}-restore --noflush`;
  }
}

function programLines(program: ProgramSpec): readonly string[] {
  const { name, inside, command, environment, files = [], writable = [], workdir, user, stopSignal } = program;
  const { capabilities = [], devices = [], isService = false, startAfter = [], ready } = program;
  return [
    `start ${describeProgram(program)} in the network of ${inside}, as ${name}`,
    ...(startAfter.length === 0
      ? []
      : [`   once ${startAfter.join(", ")} ${startAfter.length === 1 ? "is" : "are"} ready`]),
    ...(command === undefined ? [] : [`   command ${JSON.stringify(command)}`]),
    ...(workdir === undefined ? [] : [`   in ${workdir}`]),
    ...(user === undefined ? [] : [`   as user ${user}`]),
    ...Object.entries(environment).map(([key, value]) => `   environment ${key}=${value}`),
    ...files.map(fileLine),
    ...writable.map((path) => `   may write in ${path}`),
    ...capabilities.map((capability) => `   capability ${capability}`),
    ...devices.map((device) => `   device ${device}`),
    ...(ready === undefined ? [] : [`   wait ${ready.withinMs / 1000} s at most for ${describeReadiness(ready)}`]),
    ...(stopSignal === undefined ? [] : [`   asked to end by ${stopSignal}`]),
    ...(isService ? ["   a service, ended at the end of the run"] : []),
  ];
}

function fileLine({ path, content, isExecutable }: HostFile): string {
  const from = content.type === "file" ? `from ${content.from}` : counted(Buffer.byteLength(content.text), "octet");
  return `   file ${path}, ${from}${isExecutable ? ", executable" : ""}`;
}

function predictionLines({ session, after, path, selected, why }: Prediction): readonly string[] {
  const pair = selected === undefined ? "" : `, ${selected.join(" → ")}`;
  const moment = after === undefined ? "" : ` after ${after}`;
  return ["", `predicted for ${session}${moment}: ${path}${pair}`, ...why.map((reason) => `   ${reason}`)];
}
