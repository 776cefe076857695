/**
 * Checks of untrusted values, built from small parts: a shape takes anything and returns either a new value of its
 * type, made from known keys only, or the first error and its path. Nothing here throws.
 */

/** Outcome of checking a value. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ShapeError };

/** A path such as `setup.segments[1].mac`, and what was expected and found there. */
export interface ShapeError {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** Checks one value; `path` names it in errors. */
export type Shape<T> = (value: unknown, path: string) => Checked<T>;

/** A value of type T inside an object where it may be absent. */
interface OptionalShape<T> {
  readonly optional: Shape<T>;
}

/** One shape per key of T; optional keys must be listed too, so that no field is forgotten. */
export type FieldShapes<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? OptionalShape<T[K]> : Shape<T[K]>;
};

export const string: Shape<string> = primitive("a string", (value) => typeof value === "string");

export const boolean: Shape<boolean> = primitive("true or false", (value) => typeof value === "boolean");

/** Any finite number; JSON has no others. */
export const number: Shape<number> = primitive("a number", (value) => Number.isFinite(value));

/** An integer within bounds, both included. */
export function integer(min: number, max: number): Shape<number> {
  return primitive(
    `an integer from ${min} to ${max}`,
    (value) => typeof value === "number" && Number.isInteger(value) && value >= min && value <= max,
  );
}

/** A number within bounds, both included. */
export function numberBetween(min: number, max: number): Shape<number> {
  return primitive(
    `a number from ${min} to ${max}`,
    (value) => typeof value === "number" && value >= min && value <= max,
  );
}

/** Text that matches a pattern, which must cover all of it. */
export function text(pattern: RegExp, expected: string): Shape<string> {
  return primitive(expected, (value) => typeof value === "string" && pattern.test(value));
}

/** One of several fixed values. */
export function oneOf<const T extends string | number | boolean>(...allowed: readonly T[]): Shape<T> {
  const expected = allowed.map((value) => JSON.stringify(value)).join(" or ");
  return primitive(expected, (value) => allowed.some((candidate) => candidate === value));
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? { ok: true, value: null } : shape(value, path));
}

export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { optional: shape };
}

export function array<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return wrong(path, "a list", value);
    const items: T[] = [];
    for (const [i, element] of value.entries()) {
      const checked = item(element, `${path}[${i}]`);
      if (!checked.ok) return checked;
      items.push(checked.value);
    }
    return { ok: true, value: items };
  };
}

/** An object used as a map: any keys, values of one shape. */
export function record<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isObject(value)) return wrong(path, "an object", value);
    const entries: [string, T][] = [];
    for (const [key, element] of Object.entries(value)) {
      const checked = item(element, join(path, key));
      if (!checked.ok) return checked;
      entries.push([key, checked.value]);
    }
    return { ok: true, value: Object.fromEntries(entries) };
  };
}

/** An object with exactly these fields; unknown keys are dropped. */
export function object<T>(fields: FieldShapes<T>): Shape<T> {
  const entries = Object.entries<Shape<unknown> | OptionalShape<unknown>>(fields);
  return (value, path) => {
    if (!isObject(value)) return wrong(path, "an object", value);
    const result: Record<string, unknown> = {};
    for (const [key, field] of entries) {
      const isOptional = typeof field !== "function";
      const present = Object.hasOwn(value, key) ? value[key] : undefined;
      if (isOptional && present === undefined) continue;
      const checked = (isOptional ? field.optional : field)(present, join(path, key));
      if (!checked.ok) return checked;
      result[key] = checked.value;
    }
    // Every key of T has been checked by its shape: FieldShapes lists them all.
    return { ok: true, value: result as T };
  };
}

/** The member of a union whose `type` is, or may be, K. */
export type Member<T, K> = T extends { readonly type: infer U } ? (K extends U ? T : never) : never;

/** A union discriminated by `type`: one shape per member, which checks the other fields. */
export function unionByType<T extends { readonly type: string }>(
  members: {
    readonly [K in T["type"]]: Shape<Omit<Member<T, K>, "type">>;
  },
): Shape<T> {
  const shapes = new Map<unknown, Shape<object>>(Object.entries<Shape<object>>(members));
  const expected = `one of ${[...shapes.keys()].join(", ")}`;
  return (value, path) => {
    if (!isObject(value)) return wrong(path, "an object", value);
    const type = Object.hasOwn(value, "type") ? value["type"] : undefined;
    const shape = shapes.get(type);
    if (shape === undefined) return wrong(join(path, "type"), expected, type);
    const checked = shape(value, path);
    // The member's shape has checked everything but `type`, which selected it.
    return checked.ok ? { ok: true, value: { type, ...checked.value } as T } : checked;
  };
}

/** Text for people: `setup.segments[0].mac: expected a MAC address, found "x"`. */
export function describeShapeError({ path, expected, found }: ShapeError): string {
  return `${path === "" ? "the value" : path}: expected ${expected}, found ${found}`;
}

function primitive<T>(expected: string, isRight: (value: unknown) => boolean): Shape<T> {
  return (value, path) => (isRight(value) ? { ok: true, value: value as T } : wrong(path, expected, value));
}

function wrong(path: string, expected: string, value: unknown): Checked<never> {
  return { ok: false, error: { path, expected, found: describe(value) } };
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  const shown = JSON.stringify(value) as string | undefined;
  if (shown === undefined) return typeof value;
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
