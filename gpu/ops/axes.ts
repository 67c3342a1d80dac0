/** Binds the letters of shapes as `gpu/ops.ts` writes them, so that every op checks its inputs by one line a tensor. */
import type { Dtype } from "../dtype.ts";
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
  const lengths: Lengths = {};
  const given = inputs as { readonly [name: string]: Spec | undefined };
  for (const name in laws) {
    const spec = given[name];
    if (spec === undefined) continue;
    const text = laws[name] as string;
    const law = parsed.get(text) ?? parseLaw(text);
    if (!fits(spec, law, lengths)) throw misfit(`${op} as ${name}`, spec, { law, lengths });
  }
  return lengths as Axes<Laws[keyof Laws]>;
}

/** Lengths found so far, by letter. */
type Lengths = { [letter: string]: number };

/** A law taken apart. */
interface Law {
  readonly dtype: Dtype;
  readonly axes: readonly Axis[];
  /** The axes as they were written. */
  readonly text: string;
}

/** `3D`: three times the letter's length; `B+1`: one more; `2`: no letter. */
interface Axis {
  readonly letter: string | undefined;
  readonly factor: number;
  readonly more: number;
}

/** Ops run a thousand times a step, and their laws are some fifty. */
const parsed = new Map<string, Law>();

function parseLaw(text: string): Law {
  const words = text.split(" ");
  const dtype = words[0] === "u32" ? "u32" : "f32";
  const written = dtype === "u32" ? words.slice(1) : words;
  const axes = written.map((axis) => {
    const [, factor, letter, more] = /^(\d*)([A-Z]?)(\+1)?$/.exec(axis)!;
    return { letter: letter || undefined, factor: Number(factor || 1), more: more ? 1 : 0 };
  });
  const law = { dtype, axes, text: `${written}` } as const;
  parsed.set(text, law);
  return law;
}

/** Whether a tensor keeps its law; binds its letters if so. */
function fits({ shape, dtype }: Spec, { axes, ...law }: Law, lengths: Lengths): boolean {
  if (dtype !== law.dtype || shape.length !== axes.length) return false;
  for (const [at, { letter, factor, more }] of axes.entries()) {
    const value = letter === undefined ? shape[at]! : (shape[at]! - more) / factor;
    const wanted = letter === undefined ? factor : lengths[letter] ?? value;
    if (value !== wanted || value < 0 || !Number.isInteger(value)) return false;
  }
  for (const [at, { letter, factor, more }] of axes.entries()) {
    if (letter !== undefined) lengths[letter] = (shape[at]! - more) / factor;
  }
  return true;
}

function misfit(
  place: string,
  { shape, dtype }: Spec,
  { law, lengths }: { law: Law; lengths: Lengths },
): Error {
  if (dtype !== law.dtype) {
    return new TypeError(
      `Cannot run ${place} must be ${law.dtype} [${law.text}]: got ${dtype} [${shape}]`,
    );
  }
  const known = Object.entries(lengths).map(([letter, length]) => `${letter} = ${length}`);
  const context = known.length > 0 ? ` with ${known.join(", ")}` : "";
  return new RangeError(
    `Cannot run ${place} must have shape [${law.text}]${context}: got [${shape}]`,
  );
}

/** Throws the `RangeError` of a parameter that breaks its rule; `rule` ends with the value. */
export function assertParam(holds: boolean, op: OpName, rule: string): void {
  if (!holds) throw new RangeError(`Cannot run ${op} as ${rule}`);
}

/** The shape of an f32 output. */
export function f32(...shape: number[]): Spec {
  return { shape, dtype: "f32" };
}
