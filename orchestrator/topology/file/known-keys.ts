/** Which keys the file format knows at a place of a file: asked of the JSON Schema, so that it cannot disagree. */

import type { IssuePath } from "./issue.ts";
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

/** Keys allowed in the mapping at `path`; a node's depend on the role that `data` gives it. */
export function knownKeys(path: IssuePath, data: unknown): readonly string[] {
  const root = topologyJsonSchema() as JsonSchema;
  let places: readonly JsonSchema[] = [root];
  let value = data;
  for (const part of path) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[part] : undefined;
    places = places.flatMap((place) => alternatives(inner(place, part), value));
  }
  return [...new Set(places.flatMap((place) => Object.keys(place.properties ?? {})))];
}

function inner(place: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === "number") return place.items;
  const named = place.properties?.[part];
  return named ?? (typeof place.additionalProperties === "object" ? place.additionalProperties : undefined);
}

function alternatives(place: JsonSchema | undefined, value: unknown): readonly JsonSchema[] {
  if (place === undefined) return [];
  const role = (value as { readonly role?: unknown } | null | undefined)?.role;
  const ofRole = place.oneOf?.filter((branch) => branch.properties?.["role"]?.const === role);
  return ofRole ?? place.anyOf ?? [place];
}
