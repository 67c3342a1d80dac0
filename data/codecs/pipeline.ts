/** Undoing the codecs of a chunk, the last first. */
import type { Codec, Expected } from "./codec.ts";

/** A codec of a pipeline, in the order in which it was applied when written. */
export interface Step {
  /** Name, for messages. */
  readonly name: string;
  /** Bytes that writing adds; undefined where the length of what it makes is not known. */
  readonly added?: number | undefined;
  /** Undoes it. */
  readonly codec: Codec;
}

/** Throws what is wrong with a chunk, naming the codec that found it. */
export type Fail = (cause: unknown, step: Step) => never;

/** The most by which a compressor may make bytes longer that it cannot pack. */
const mostPacked = (length: number) => length + (length >>> 3) + (1 << 12);

/** What undoing each codec must give: the length that those before it made of the chunk. */
function expectations(steps: readonly Step[], whole: Expected): Expected[] {
  let now = whole;
  return steps.map(({ added }) => {
    const expected = now;
    now = added === undefined
      ? { length: mostPacked(now.length), exact: false }
      : { length: now.length + added, exact: now.exact };
    return expected;
  });
}

/** Undoes all steps; waits only where a codec makes a promise. */
export function undoSteps(
  chunk: Uint8Array,
  steps: readonly Step[],
  { fail, ...whole }: Expected & { readonly fail: Fail },
): Uint8Array | Promise<Uint8Array> {
  const expected = expectations(steps, whole);
  const undo = (bytes: Uint8Array, k: number): Uint8Array | Promise<Uint8Array> => {
    for (; k >= 0; k--) {
      const step = steps[k]!;
      try {
        const out = step.codec(bytes, expected[k]!);
        if (out instanceof Promise) {
          return out.catch((cause) => fail(cause, step)).then((next) => undo(next, k - 1));
        }
        bytes = out;
      } catch (cause) {
        fail(cause, step);
      }
    }
    return bytes;
  };
  return undo(chunk, steps.length - 1);
}
