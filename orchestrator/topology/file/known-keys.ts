/** Which keys the file format allows at a path, derived from the JSON Schema so that the two cannot disagree. */

import type { IssuePath } from "./issue.ts";
import { ownValue } from "./mapping.ts";
import { topologyJsonSchema } from "./schema.ts";

/** The part of JSON Schema that the topology schema uses. */
interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

let root: JsonSchema | undefined;

/** Keys allowed in the mapping at `path`; those of a node depend on its role in `data`. */
export function knownKeys(path: IssuePath, data: unknown): readonly string[] {
  root ??= topologyJsonSchema() as JsonSchema;
  let places: readonly JsonSchema[] = [root];
  let value = data;
  for (const part of path) {
    value = ownValue(value, part);
    places = places.flatMap((place) => alternatives(inner(place, part), value));
  }
  return [...new Set(places.flatMap((place) => Object.keys(place.properties ?? {})))];
}

function inner(place: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === "number") return place.items;
  const { properties = {} } = place;
  const named = Object.hasOwn(properties, part) ? properties[part] : undefined;
  return named ?? (typeof place.additionalProperties === "object" ? place.additionalProperties : undefined);
}

function alternatives(place: JsonSchema | undefined, value: unknown): readonly JsonSchema[] {
  if (place === undefined) return [];
  const branches = place.oneOf ?? place.anyOf;
  if (branches === undefined) return isOfRole(place, value) ? [place] : [];
  return branches.flatMap((branch) => alternatives(branch, value));
}

function isOfRole({ properties }: JsonSchema, value: unknown): boolean {
  const role = properties?.["role"]?.const;
  return role === undefined || role === ownValue(value, "role");
}
