/** Checks that each expectation is about one session or host that exists, and expects of it what it can. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { ExpectationEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { TIME_KEYS } from "../model/words.ts";
import { eventName } from "./event-kinds.ts";
import { advice, expectNode } from "./expect-name.ts";
import { sessionNames } from "./session-name.ts";
import { inOrder, namesAfter } from "./timeline-order.ts";

/** What an expectation may be about, each with the keys that may stand beside it, and `after`. */
const SUBJECTS = {
  session: ["path", "selected", "lost", ...TIME_KEYS],
  host: ["exit", "output", "within"],
} as const satisfies Readonly<Record<string, readonly (keyof ExpectationEntry)[]>>;

type Subject = keyof typeof SUBJECTS;

const SUBJECT_NAMES = Object.keys(SUBJECTS) as readonly Subject[];

/** An expectation and where it stands. */
interface Stated {
  readonly path: IssuePath;
  readonly entry: ExpectationEntry;
}

export function checkExpectations(topology: Topology, report: Report): void {
  for (const stated of topology.expectations) {
    const [subject, ...others] = SUBJECT_NAMES.filter((name) => stated.entry[name] !== undefined);
    if (subject === undefined || others.length > 0) {
      reportSubject(stated, subject === undefined ? [] : [subject, ...others], report);
      continue;
    }
    checkCompanions(stated, subject, report);
    checkMoment(topology, stated, report);
    if (subject === "session") checkSession(topology, stated, report);
    else checkHost(topology, stated, report);
  }
}

function reportSubject({ path }: Stated, found: readonly Subject[], report: Report): void {
  const expected = `expected one of ${SUBJECT_NAMES.join(", ")}`;
  if (found.length === 0) report("missing", path, `${expected}; found none; say what it is about`, "key");
  else report("bad-value", path, `${expected}; found ${found.join(" and ")}; make two expectations of it`, "key");
}

/** Keys that say nothing of such a subject. */
function checkCompanions({ path, entry }: Stated, subject: Subject, report: Report): void {
  const known: readonly string[] = [...SUBJECT_NAMES, ...SUBJECTS[subject], "after"];
  for (const key of Object.keys(entry)) {
    if (known.includes(key)) continue;
    const owners = SUBJECT_NAMES.filter((name) => SUBJECTS[name].some((companion) => companion === key));
    const message = `expected \`${key}\` only beside \`${owners.join("` or `")}\`; found it beside \`${subject}\`; remove it`;
    report("bad-value", [...path, key], message, "key");
  }
}

/** Checks when an expectation applies: from the start, or after an event. */
function checkMoment(topology: Topology, { path, entry: { after, outage } }: Stated, report: Report): void {
  if (after === undefined && outage !== undefined)
    report("missing", [...path, "outage"], "expected `after` beside `outage`; found none; add it, or remove `outage`");
  if (after === undefined || namesAfter(inOrder(topology), after).length > 0) return;
  const names = [...new Set(topology.timeline.map((event) => eventName(event.entry)))];
  if ([...topology.broken].some((broken) => broken.startsWith("timeline"))) return;
  const found = `found "${after}"`;
  report(
    "unknown-reference",
    [...path, "after"],
    `expected an event of the timeline; ${found}; ${advice(after, names)}`,
  );
}

function checkSession(topology: Topology, { path, entry: { session = "" } }: Stated, report: Report): void {
  if ([...topology.broken].some((broken) => broken.startsWith("sessions"))) return;
  const names = sessionNames(topology);
  if (names.includes(session)) return;
  const found = `found "${session}"`;
  report("unknown-reference", [...path, "session"], `expected a session; ${found}; ${advice(session, names)}`);
}

function checkHost(topology: Topology, { path, entry }: Stated, report: Report): void {
  const { host = "", exit, output } = entry;
  if (!expectNode(topology, host, ["host"], [...path, "host"], report)) return;
  if (exit === undefined && output === undefined)
    report("missing", path, "expected `exit` or `output` beside `host`; found neither; say what its program must do");
  const node = topology.nodes.get(host);
  if (exit !== undefined && node?.role === "host" && node.service === true) {
    const message = `expected a program that ends by itself; ${host} is a service, which must not; remove \`exit\`, or its \`service\``;
    report("bad-value", [...path, "exit"], message);
  }
}
