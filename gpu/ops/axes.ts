/** Binds the letters of shapes as `gpu/ops.ts` writes them, so that every op checks its inputs by one line a tensor. */
import type { OpInputs, OpName } from "../ops.ts";
import type { InputName, Spec } from "../rule.ts";

/** Letters of a law such as "T 3D": T and D. */
type Letters<Law> = Law extends `${infer Head} ${infer Tail}` ? Letters<Head> | Letters<Tail>
  : Law extends `u32` | `2` | `1` ? never
  : Law extends `3${infer Letter}` ? Letter
  : Law extends `${infer Letter}+1` ? Letter
  : Law;

/** Lengths by letter. */
export type Axes<Law> = { readonly [Letter in Letters<Law> & string]: number };

/**
 * Checks each given input against its law and returns the lengths of the letters.
 *
 * A law is a list of axes, "T 3D": a letter stands for one length in all laws of the call, `3D` for three times it, `B+1` for
 * one more, `2` for two. A law that begins with `u32` asks for unsigned integers, otherwise for floats.
 *
 * @param op Name for messages
 * @param inputs Shapes and element types
 * @param laws Law of each input; those of inputs that were not given are ignored
 * @throws {RangeError} when a shape does not fit
 * @throws {TypeError} when an input has another element type
 */
export function bindAxes<
  K extends OpName,
  const Laws extends { readonly [Name in InputName<K>]?: string },
>(op: K, inputs: OpInputs<K, Spec>, laws: Laws): Axes<Laws[keyof Laws]> {
  const lengths = new Map<string, number>();
  for (const [name, law] of Object.entries(laws) as [InputName<K>, string][]) {
    const spec = (inputs as { [Name in InputName<K>]?: Spec })[name];
    if (spec !== undefined) bindOne(`${op} as ${name}`, spec, { law, lengths });
  }
  return Object.fromEntries(lengths) as Axes<Laws[keyof Laws]>;
}

function bindOne(
  place: string,
  spec: Spec,
  into: { law: string; lengths: Map<string, number> },
): void {
  const words = into.law.split(" ");
  const dtype = words[0] === "u32" ? "u32" : "f32";
  const axes = dtype === "u32" ? words.slice(1) : words;
  const known = [...into.lengths].map(([letter, length]) => `${letter} = ${length}`).join(", ");
  if (spec.dtype !== dtype) {
    throw new TypeError(
      `Cannot run ${place} must be ${dtype} [${axes}]: got ${spec.dtype} [${spec.shape}]`,
    );
  }
  const fits = axes.length === spec.shape.length &&
    axes.every((axis, at) => bindLength(axis, spec.shape[at]!, into.lengths));
  if (fits) return;
  throw new RangeError(
    `Cannot run ${place} must have shape [${axes}]${
      known && ` with ${known}`
    }: got [${spec.shape}]`,
  );
}

/** Binds or checks one axis: `D`, `3D`, `B+1` or `2`. */
function bindLength(axis: string, length: number, lengths: Map<string, number>): boolean {
  const [, factor, letter, more] = /^(\d*)([A-Z]?\w*)(\+1)?$/.exec(axis)!;
  if (!letter) return length === Number(factor);
  const value = (length - (more ? 1 : 0)) / (factor ? Number(factor) : 1);
  if (!Number.isInteger(value) || value < 0) return false;
  if (lengths.has(letter)) return lengths.get(letter) === value;
  lengths.set(letter, value);
  return true;
}

/** Throws the `RangeError` of a parameter that breaks its rule; `rule` ends with the value. */
export function assertParam(holds: boolean, op: OpName, rule: string): void {
  if (!holds) throw new RangeError(`Cannot run ${op} as ${rule}`);
}

/** The shape of an f32 output. */
export function f32(...shape: number[]): Spec {
  return { shape, dtype: "f32" };
}
