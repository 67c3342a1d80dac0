/** Calls of the HDF5 library: what fails there becomes an error, and nothing of the failed call stays behind. */
import type { H5Module } from "./hdf5_types.ts";

/** The library's number of its stream for messages. */
const STDERR = 2;

/** How a report of the library begins. */
const REPORT = "HDF5-DIAG";

/** The parts of the library's file system that a call needs. */
interface FileSystem {
  write(
    stream: { fd: number },
    heap: Uint8Array,
    at: number,
    length: number,
    ...rest: unknown[]
  ): number;
}

/** A function of the library's own name space, where `ccall` finds it. */
type Callable = H5Module & {
  _guarded?: () => void;
  ccall(name: string, result: null, types: string[], values: string[]): void;
};

/** Runs `act` and hands over what the library prints meanwhile: a function of it that fails prints a report and goes on. */
function hearing<T>(module: H5Module, act: () => T, heard: (text: string) => void): T {
  const files = module.FS as unknown as FileSystem;
  const { write } = files;
  const decoder = new TextDecoder();
  files.write = (stream, heap, at, length, ...rest) => {
    if (stream.fd !== STDERR) return write.call(files, stream, heap, at, length, ...rest);
    heard(decoder.decode(heap.subarray(at, at + length), { stream: true }));
    return length;
  };
  try {
    return act();
  } finally {
    files.write = write;
  }
}

/** Runs `act` and gives the library's stack back where it throws, as wrappers do not: `ccall` does so for texts. */
function guarded<T>(module: H5Module, act: () => T): T {
  const callable = module as Callable;
  let outcome: { value: T } | { error: unknown } | undefined;
  callable._guarded = () => {
    try {
      outcome = { value: act() };
    } catch (error) {
      outcome = { error };
    }
  };
  callable.ccall("guarded", null, ["string"], [""]);
  if ("error" in outcome!) throw outcome.error;
  return outcome!.value;
}

/**
 * Calls the library.
 *
 * Its wrappers ignore that a function fails, so that a read would give wrong numbers: the library is left to print its
 * report, which is what its functions do before they return, and the report becomes the error. Its own handler that throws is not
 * used, as each error then leaves handles, a stream and a piece of the stack: some thousand damaged files would end the library.
 *
 * @throws {Error} Where a function of the library fails; its message is the report.
 */
export function calling<T>(module: H5Module, act: () => T): T {
  let said = "";
  const value = hearing(module, () => guarded(module, act), (text) => said += text);
  if (said.includes(REPORT)) throw new Error(said.slice(said.indexOf(REPORT)));
  return value;
}
