/** The titles of the tests in a file, read from its syntax without running it. */

import { readFileSync } from "node:fs";
import ts from "typescript";

const SUITES = ["describe"];
const TESTS = ["test", "it"];

/** Ways to write a test that does not run, or may fail. */
const IDLE = ["skip", "skipIf", "runIf", "todo", "fails"];

/**
 * Titles as written, including placeholders of `test.each` and template literals, with those of the enclosing suites:
 * `suite › title`. Tests that do not run are left out.
 */
export function readTestTitles(path: string): readonly string[] {
  const titles: string[] = [];
  visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true), [], titles);
  return titles;
}

function visit(node: ts.Node, suites: readonly string[], titles: string[]): void {
  const call = ts.isCallExpression(node) ? titledCall(node) : undefined;
  if (call === undefined) {
    node.forEachChild((child) => visit(child, suites, titles));
    return;
  }
  const path = [...suites, call.title];
  if (call.isSuite) call.body.forEach((child) => visit(child, path, titles));
  else titles.push(path.join(" › "));
}

/** `test("…", …)`, `describe("…", …)` and their `.each(…)`, `.concurrent` forms. */
function titledCall(
  node: ts.CallExpression,
): { readonly title: string; readonly isSuite: boolean; readonly body: readonly ts.Node[] } | undefined {
  const words = calleeWords(node.expression);
  const [name = ""] = words;
  const [title, ...body] = node.arguments;
  if (title === undefined || ![...SUITES, ...TESTS].includes(name)) return undefined;
  if (words.some((word) => IDLE.includes(word))) return { title: "", isSuite: true, body: [] };
  const text = titleText(title);
  return text === undefined ? undefined : { title: text, isSuite: SUITES.includes(name), body };
}

/** The words of `test.concurrent.each(cases)`: test, concurrent, each. */
function calleeWords(expression: ts.Expression): readonly string[] {
  if (ts.isIdentifier(expression)) return [expression.text];
  if (ts.isPropertyAccessExpression(expression)) return [...calleeWords(expression.expression), expression.name.text];
  if (ts.isCallExpression(expression)) return calleeWords(expression.expression);
  return [];
}

function titleText(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.getText(node.getSourceFile()).slice(1, -1) : undefined;
}
