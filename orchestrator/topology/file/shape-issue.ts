/** Describes for people what the schema found wrong with the shape of a file. */

import type * as z from "zod";
import { DURATION_PATTERN } from "../model/duration.ts";
import { type IssueCode, type IssuePath, shortened } from "./issue.ts";
import { knownKeys } from "./known-keys.ts";
import { ownValue } from "./mapping.ts";
import { nearestName } from "./nearest-name.ts";

/** A problem of shape before it has a position. */
export interface ShapeIssue {
  readonly code: IssueCode;
  readonly path: IssuePath;
  readonly at: "key" | "value";
  readonly message: string;
  /** The key that the writer evidently meant; it is not missing then. */
  readonly meant?: IssuePath;
}

/** Translates one finding of the schema; `data` is the whole file. */
export function describeShapeIssue(issue: z.core.$ZodIssue, data: unknown): readonly ShapeIssue[] {
  return describe(issue, [], data);
}

function describe(issue: z.core.$ZodIssue, prefix: IssuePath, data: unknown): readonly ShapeIssue[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  const value = valueAt(data, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return unknownKeys(path, issue.keys, data);
    case "invalid_union":
      return describeUnion(issue, path, data);
    case "invalid_value":
      return [notOneOf(path, value, issue.values.map(String))];
    case "invalid_key":
      return [{ code: "bad-value", path, at: "key", message: sentence(issue.issues[0]?.message, lastOf(path)) }];
    case "custom":
      return [customIssue(path, value, issue)];
    case "invalid_type":
      return [wrongType(path, value, issue)];
    case "too_small":
    case "too_big":
      return [atValue("bad-value", path, sentence(`expected ${describeSize(issue)}`, value))];
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_element":
      return [atValue("bad-value", path, sentence(issue.message, value, durationAdvice(issue.message, value)))];
  }
}

/** A check of our own: of an address, or of the range that its parameters name. */
function customIssue(path: IssuePath, value: unknown, { message, params }: z.core.$ZodIssueCustom): ShapeIssue {
  const code = params?.["code"] === "bad-value" ? "bad-value" : "bad-address";
  return atValue(code, path, sentence(message, params?.["found"] ?? value, adviceIn(params)));
}

function atValue(code: IssueCode, path: IssuePath, message: string): ShapeIssue {
  return { code, path, at: "value", message };
}

function unknownKeys(path: IssuePath, keys: readonly string[], data: unknown): readonly ShapeIssue[] {
  const known = knownKeys(path, data);
  return keys.map((key) => {
    const near = nearestName(key, known);
    const advice = near === undefined ? `known keys: ${known.join(", ")}` : `did you mean \`${near}\`?`;
    const message = `expected a known key; found \`${shortened(key, LONGEST_SHOWN)}\`; ${advice}`;
    return {
      code: "unknown-key",
      path: [...path, key],
      at: "key",
      message,
      ...(near === undefined ? {} : { meant: [...path, near] }),
    };
  });
}

function notOneOf(path: IssuePath, value: unknown, allowed: readonly string[]): ShapeIssue {
  const expected = allowed.length === 1 ? `expected ${allowed.join()}` : `expected one of ${allowed.join(", ")}`;
  if (value === undefined) return missing(path, expected);
  const near = typeof value === "string" ? nearestName(value, allowed) : undefined;
  return atValue("bad-value", path, sentence(expected, value, near && `did you mean ${near}?`));
}

function missing(path: IssuePath, expected: string): ShapeIssue {
  return { code: "missing", path, at: "key", message: `${expected}; found nothing; add \`${String(lastOf(path))}\`` };
}

function wrongType(path: IssuePath, value: unknown, issue: z.core.$ZodIssueInvalidType): ShapeIssue {
  const expected = issue.message.startsWith("expected") ? issue.message : `expected ${typeName(issue.expected)}`;
  if (path.length === 0) return atValue("wrong-type", path, sentence("expected `name`, `segments` and `nodes`", value));
  if (value === undefined) return missing(path, expected);
  return atValue("wrong-type", path, sentence(expected, value, durationAdvice(expected, value)));
}

/** A value of several possible shapes: reports against the shape that the writer evidently meant. */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, path: IssuePath, data: unknown): readonly ShapeIssue[] {
  const value = valueAt(data, path);
  if (issue.errors.length === 0) return [notOneOf(path, value, optionsOf(issue))];
  const meant = issue.errors.find((branch) => branch.every((inner) => !isOtherType(inner, value)));
  if (meant !== undefined) return meant.flatMap((inner) => describe(inner, path, data));
  const shapes = issue.errors.flatMap((branch) => branch.slice(0, 1).map(expectedShape));
  const expected = `expected ${shapes.join(" or ")}`;
  return [value === undefined ? missing(path, expected) : atValue("wrong-type", path, sentence(expected, value))];
}

/** Whether a branch of a union failed because the value has another type. */
function isOtherType(inner: z.core.$ZodIssue, value: unknown): boolean {
  if (inner.path.length > 0) return false;
  return inner.code === "invalid_type" || (inner.code === "invalid_value" && typeof value !== typeof inner.values[0]);
}

function expectedShape(inner: z.core.$ZodIssue): string {
  if (inner.code === "invalid_value") return inner.values.map(String).join(", ");
  if (inner.message.startsWith("expected ")) return inner.message.slice("expected ".length);
  return inner.code === "invalid_type" ? typeName(inner.expected) : inner.message;
}

function optionsOf(issue: z.core.$ZodIssueInvalidUnion): readonly string[] {
  return "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
}

function describeSize(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const bound = issue.code === "too_small" ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  if (issue.origin === "string") return "some text";
  return issue.origin === "array" ? `a list of ${bound}` : `a number of ${bound}`;
}

function sentence(expected: string | undefined, found: unknown, advice?: string): string {
  return [expected ?? "expected something else", `found ${describeValue(found)}`, advice]
    .filter((part) => part !== undefined && part !== "")
    .join("; ");
}

function durationAdvice(expected: string, value: unknown): string | undefined {
  if (!expected.includes("duration")) return undefined;
  if (typeof value === "number") return `write ${value}s or ${value}ms`;
  const together = typeof value === "string" ? value.replaceAll(" ", "") : "";
  return DURATION_PATTERN.test(together) ? `write ${together}` : undefined;
}

function adviceIn(params: Record<string, unknown> | undefined): string | undefined {
  const advice = params?.["advice"];
  return typeof advice === "string" ? advice : undefined;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "a mapping",
  record: "a mapping",
  array: "a list",
  tuple: "a list of two",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function typeName(type: string): string {
  return TYPE_NAMES[type] ?? type;
}

function describeValue(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? `"${shortened(value, LONGEST_SHOWN)}"` : JSON.stringify(value);
}

/** Longer than any name, address or duration. */
const LONGEST_SHOWN = 80;

function lastOf(path: IssuePath): string | number {
  return path.at(-1) ?? "";
}

function valueAt(data: unknown, path: IssuePath): unknown {
  return path.reduce<unknown>(ownValue, data);
}
