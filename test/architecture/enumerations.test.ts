/** Words that something may be one of stand in one place: types, schemas and shapes are made from that. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { ALTERNATE_STUN_PORT, DSMIPV6_PORT, STUN_PORT } from "../../agent/src/core/ports.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

/** Words that are written down together: an array, a union of types, or the arguments of a call. */
interface WordList {
  readonly words: ReadonlySet<string>;
  /** Such as `orchestrator/topology/model/words.ts:6`. */
  readonly place: string;
  /** Whether something can be one of these and nothing else: an exported constant, or the choices of a schema. */
  readonly isEnumeration: boolean;
}

const sources = ["agent/src", "orchestrator"].flatMap(readSources);
const lists = sources.flatMap(wordLists);
const enumerations = lists.filter(({ isEnumeration }) => isEnumeration);

test("the enumerations of this repository are found", () => {
  const found = new Set(enumerations.map(({ words }) => [...words].join(" ")));
  expect(found).toContain("endpoint-independent address-dependent address-and-port-dependent");
  expect(found).toContain("host server-reflexive peer-reflexive relayed");
  expect(found).toContain("docker netns");
  expect(found).toContain("preserve random sequential block overload");
});

test("no words of an enumeration are listed a second time", () => {
  const repeated = enumerations.flatMap(({ words, place }) => {
    const others = lists.filter((list) => list.place !== place && [...words].every((word) => list.words.has(word)));
    return others.map((other) => `${other.place} repeats ${place}: ${[...words].join(", ")}`);
  });
  expect(repeated).toEqual([]);
});

test("a well-known port is a number in one place", () => {
  const ports = [DSMIPV6_PORT, STUN_PORT, ALTERNATE_STUN_PORT].map(String);
  const places = sources.flatMap((source) =>
    nodesOf(source)
      .filter((node) => ts.isNumericLiteral(node) && ports.includes(node.text))
      .map(() => source.fileName),
  );
  expect(places).toEqual(ports.map(() => "agent/src/core/ports.ts"));
});

function readSources(folder: string): readonly ts.SourceFile[] {
  const entries = readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: "utf8" });
  return entries
    .filter((entry) => entry.endsWith(".ts"))
    .map((entry) => {
      const path = join(folder, entry);
      return ts.createSourceFile(path, readFileSync(join(PACKAGE_ROOT, path), "utf8"), ts.ScriptTarget.Latest, true);
    });
}

function wordLists(source: ts.SourceFile): readonly WordList[] {
  return nodesOf(source).flatMap((node) => {
    const words = new Set(wordsOf(node));
    if (words.size < 2) return [];
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    return [{ words, place: `${source.fileName}:${line}`, isEnumeration: isEnumeration(node) }];
  });
}

function nodesOf(node: ts.Node): readonly ts.Node[] {
  const children: ts.Node[] = [];
  node.forEachChild((child) => void children.push(child));
  return [node, ...children.flatMap(nodesOf)];
}

/** Nothing for a list that holds anything but literals. */
function wordsOf(node: ts.Node): readonly string[] {
  const items = itemsOf(node);
  return items.every(ts.isStringLiteral) ? items.map(({ text }) => text) : [];
}

function itemsOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isArrayLiteralExpression(node)) return node.elements;
  if (isShapeOfWords(node)) return node.arguments;
  if (!ts.isUnionTypeNode(node)) return [];
  const literals = node.types.filter((type) => type.kind !== ts.SyntaxKind.UndefinedKeyword);
  return literals.map((type) => (ts.isLiteralTypeNode(type) ? type.literal : type));
}

/** `oneOf("a", "b")` */
function isShapeOfWords(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && node.expression.getText() === "oneOf";
}

function isEnumeration(node: ts.Node): boolean {
  if (isShapeOfWords(node)) return true;
  if (!ts.isArrayLiteralExpression(node)) return false;
  const { parent } = node;
  if (ts.isCallExpression(parent)) return /(^|\.)enum$/.test(parent.expression.getText());
  return isExportedConstant(node);
}

/** `export const X = […] as const`, or part of an exported table of such lists. */
function isExportedConstant(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isVariableStatement(parent.parent.parent) && ts.isVariableDeclaration(parent))
    return parent.parent.parent.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  const isPart =
    ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isObjectLiteralExpression(parent);
  return isPart && isExportedConstant(parent);
}
