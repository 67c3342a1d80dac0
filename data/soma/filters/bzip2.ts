/** bzip2: a stream for each part. */
import { unpackBzip2 } from "../../codecs/bzip2.ts";
import { corrupt, type Place } from "../bytes.ts";

/** Unpacks a stream; `length` bytes must come out. */
export function bzip2(stream: Uint8Array, length: number, place: Place): Uint8Array {
  try {
    return unpackBzip2(stream, { length, exact: true });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw corrupt(`Cannot unpack bzip2 data as ${cause.message}`, { ...place, cause });
  }
}
