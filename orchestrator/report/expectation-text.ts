/** Judged expectations as text: the same for terminal, page, JUnit and GitHub. */

import { formatMs } from "./format-ms.ts";
import type { ExpectationResult } from "./run-result.ts";

/** The session or host that an expectation is about. */
export function subjectName({ subject }: ExpectationResult): string {
  return "host" in subject ? subject.host : subject.session;
}

/** What is expected, with the event that it follows: `after reboot: longest time without data`. */
export function expectationLabel(expectation: ExpectationResult): string {
  const { after } = expectation.subject;
  const quantity = quantityOf(expectation);
  return after === undefined ? quantity : `after ${after}: ${quantity}`;
}

function quantityOf({ key, subject }: ExpectationResult): string {
  const isAfterEvent = subject.after !== undefined;
  switch (key) {
    case "path":
      return "path of the data";
    case "selected":
      return "selected candidates, local and remote";
    case "within":
      if ("host" in subject) return `time from ${isAfterEvent ? "the event" : "its start"} until then`;
      return isAfterEvent ? "time from the event to data on its path" : "time from offer to nomination";
    case "outage":
      return "longest time without data";
    case "roundTrip":
      return "median round trip of data";
    case "lost":
      return "data packets lost";
    case "exit":
      return "exit code of the host's program";
    case "output":
      return "output of the host's program";
    case "service":
      return "end of the host's program, a service";
  }
}

export function expectedText(expectation: ExpectationResult): string {
  switch (expectation.key) {
    case "path":
      return expectation.expected;
    case "selected":
      return expectation.expected.join(" → ");
    case "within":
    case "outage":
    case "roundTrip":
      return `≤ ${formatMs(expectation.limit)}`;
    case "lost":
      return `≤ ${expectation.limit}`;
    case "exit":
      return Array.isArray(expectation.expected) ? expectation.expected.join(" or ") : String(expectation.expected);
    case "output":
      return expectation.expected;
    case "service":
      return "by the testbed";
  }
}

export function observedText(expectation: ExpectationResult): string {
  return expectation.verdict === "undetermined"
    ? "undetermined: the next event came too soon"
    : determinedText(expectation);
}

function determinedText(expectation: ExpectationResult): string {
  switch (expectation.key) {
    case "path": {
      const { observed, failure } = expectation;
      return failure === undefined ? observed : `${observed} (${failure})`;
    }
    case "selected":
      return expectation.observed?.join(" → ") ?? "no pair was nominated";
    case "within":
      return timeText(expectation.observed, neverText(expectation.subject));
    case "outage":
    case "roundTrip":
      return timeText(expectation.observed, NO_DATA);
    case "lost":
      return expectation.observed === undefined ? "no data was sent" : `${expectation.observed} of ${expectation.sent}`;
    case "exit":
      return exitText(expectation.observed);
    case "output":
      return expectation.observed ?? "no such line";
    case "service":
      return serviceText(expectation.observed);
  }
}

function neverText(subject: ExpectationResult["subject"]): string {
  if ("host" in subject) return "it did not come to that";
  return subject.after === undefined ? "not nominated" : NO_DATA;
}

const NO_DATA = "no data came back";

function timeText(observed: number | undefined, otherwise: string): string {
  return observed === undefined ? otherwise : formatMs(observed);
}

function exitText(code: number | undefined): string {
  return code === undefined ? "still running, ended by the testbed (a server says `service: true`)" : String(code);
}

function serviceText(code: number | undefined): string {
  return code === undefined ? "by the testbed" : `by itself, with exit code ${code}`;
}

/** The model predicts paths and pairs only; `-` for times and losses. */
export function predictedText(expectation: ExpectationResult): string {
  switch (expectation.key) {
    case "path":
      return expectation.predicted ?? "-";
    case "selected":
      return expectation.predicted?.join(" → ") ?? "-";
    default:
      return "-";
  }
}

/** `path of the data: expected direct, observed none` */
export function unmetText(expectation: ExpectationResult): string {
  return `${expectationLabel(expectation)}: expected ${expectedText(expectation)}, observed ${observedText(expectation)}`;
}
