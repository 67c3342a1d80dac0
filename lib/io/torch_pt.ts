/** Reads the zip files of `torch.save`: a pickle that describes tensors, and a file for each storage. */
import type { ByteSource } from "../../data/mod.ts";
import { CheckpointError } from "./errors.ts";
import { PickleFunction, type PickleValue, unpickle } from "./pickle.ts";
import {
  elementCount,
  STORED_BYTES,
  type StoredDtype,
  type StoredTensor,
} from "./stored_tensor.ts";
import { readZip, type ZipEntry } from "./zip.ts";

/** The tensors of a `torch.save` file. */
export interface TorchFile {
  /** Tensors under the names of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What was unwrapped or left aside. */
  readonly notes: readonly string[];
}

/**
 * Reads the state dict of a `torch.save` file without running code. A dict that wraps it under "model_state_dict",
 * "state_dict" or "model" is unwrapped. Checksums are not computed: the directory's sizes are checked instead.
 *
 * @param source Bytes of the file; must stay open while tensors are read
 * @returns Tensors and notes
 * @throws {CheckpointError} When the file is damaged, names anything but tensors and plain containers, or is big-endian
 */
export async function readTorchPt(source: ByteSource): Promise<TorchFile> {
  const entries = await readZip(source);
  const pickleName = [...entries.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickleName === undefined) {
    throw new CheckpointError(
      "format",
      `Cannot read ${source.name} as a torch.save file must hold data.pkl`,
    );
  }
  const root = pickleName.slice(0, -"data.pkl".length);
  await refuseBigEndian(entries.get(`${root}byteorder`), source.name);
  const pickle = entries.get(pickleName)!;
  const value = unpickle(await pickle.read(0, pickle.size), {
    global: (name) => GLOBALS.get(name),
    persistent: (id) => storageOf(id, entries, root),
  });
  return stateDictOf(value, source.name);
}

/** The bytes behind tensors; several tensors may look at one. */
class Storage {
  constructor(
    readonly entry: ZipEntry,
    readonly dtype: StoredDtype,
    readonly length: number,
  ) {}
}

/** A tensor before it has a name. */
class TensorView {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** The type of a storage, as a global of the pickle. */
class StorageType {
  constructor(readonly dtype: StoredDtype) {}
}

const STORAGE_DTYPES: Readonly<Record<string, StoredDtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** All that a file may name. */
const GLOBALS: ReadonlyMap<string, PickleValue> = new Map<string, PickleValue>([
  ...Object.entries(STORAGE_DTYPES).map(([name, dtype]) =>
    [`torch.${name}`, new StorageType(dtype)] as const
  ),
  ...[
    new PickleFunction("collections.OrderedDict", orderedDict),
    new PickleFunction("torch.Size", ([sizes]) => sizes ?? malformed("torch.Size")),
    new PickleFunction("torch._utils._rebuild_tensor_v2", rebuildTensor),
    new PickleFunction(
      "torch._utils._rebuild_parameter",
      ([tensor]) => tensor ?? malformed("parameter"),
    ),
  ].map((one) => [one.name, one] as const),
]);

function orderedDict(args: readonly PickleValue[]): PickleValue {
  return args.length === 0 ? new Map() : malformed("collections.OrderedDict");
}

/** PyTorch's own bound on the number of axes. */
const MAX_AXES = 64;

function rebuildTensor(args: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides] = args;
  if (
    !(storage instanceof Storage) || !isCount(offset) || !isAxes(shape) || !isAxes(strides) ||
    shape.length !== strides.length
  ) return malformed("torch._utils._rebuild_tensor_v2");
  const count = elementCount(shape);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset);
  // A tensor with more elements than its storage (stride 0) could ask for any amount of memory.
  if (!(count === 0 || (last < storage.length && count <= storage.length))) {
    throw new CheckpointError(
      "format",
      `Cannot read the checkpoint as a tensor [${shape}] with strides [${strides}] at ${offset} must lie in its ` +
        `storage: got ${storage.length} elements`,
    );
  }
  return new TensorView(storage, offset, shape, strides);
}

/** A persistent id is ("storage", type, key, device, number of elements). */
function storageOf(
  id: PickleValue,
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
): PickleValue {
  if (!Array.isArray(id) || id[0] !== "storage") return malformed("persistent id");
  const [, type, key, , length] = id;
  if (!(type instanceof StorageType) || typeof key !== "string" || !isCount(length)) {
    return malformed("persistent id");
  }
  const entry = entries.get(`${root}data/${key}`);
  if (entry === undefined || entry.size < length * STORED_BYTES[type.dtype]) {
    throw new CheckpointError(
      "format",
      `Cannot read the checkpoint as ${root}data/${key} must hold ${length} ${type.dtype}: ` +
        `got ${entry === undefined ? "no such file" : `${entry.size} bytes`}`,
    );
  }
  return new Storage(entry, type.dtype, length);
}

const WRAPPERS = ["model_state_dict", "state_dict", "model"];

function stateDictOf(value: PickleValue, file: string): TorchFile {
  const notes: string[] = [];
  let dict = value;
  const wrapper = WRAPPERS.find((key) => value instanceof Map && value.get(key) instanceof Map);
  if (wrapper !== undefined && value instanceof Map) {
    dict = value.get(wrapper)!;
    const others = [...value.keys()].filter((key) => key !== wrapper).map(keyText);
    const aside = others.length === 0 ? "" : `, left aside: ${others.join(", ")}`;
    notes.push(`the state dict was unwrapped from "${wrapper}"${aside}`);
  }
  if (!(dict instanceof Map)) {
    throw new CheckpointError(
      "unsupported",
      `Cannot read ${file} as it must hold a dict of tensors`,
    );
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of dict) {
    if (typeof name === "string" && entry instanceof TensorView) {
      tensors.set(name, storedTensor(name, entry));
    } else notes.push(`${keyText(name)} is no tensor and was left aside`);
  }
  if (tensors.size > 0) return { tensors, notes };
  throw new CheckpointError(
    "unsupported",
    `Cannot read ${file} as it must hold a dict of tensors: got ${dict.size} entries and no tensor`,
  );
}

function keyText(key: PickleValue): string {
  return typeof key === "string" ? key : "a key that is no text";
}

function storedTensor(name: string, view: TensorView): StoredTensor {
  const { storage: { dtype, entry }, shape } = view;
  const width = STORED_BYTES[dtype];
  const read = async () => {
    if (elementCount(shape) === 0) return new Uint8Array(0);
    const span = shape.reduce((sum, length, axis) => sum + (length - 1) * view.strides[axis]!, 1);
    const bytes = await entry.read(view.offset * width, span * width);
    return isContiguous(view) ? bytes : gather(bytes, view, width);
  };
  return { name, dtype, shape, read };
}

/** Strides of axes of length one mean nothing. */
function isContiguous({ shape, strides }: TensorView): boolean {
  let wanted = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== wanted) return false;
    wanted *= shape[axis]!;
  }
  return true;
}

/** Copies a transposed or sliced tensor into row-major order. */
function gather(
  bytes: Uint8Array<ArrayBuffer>,
  { shape, strides }: TensorView,
  width: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(elementCount(shape) * width);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += width) {
    for (let byte = 0; byte < width; byte++) out[to + byte] = bytes[from * width + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

async function refuseBigEndian(entry: ZipEntry | undefined, file: string): Promise<void> {
  if (entry === undefined) return; // written by torch before 2.1
  const order = new TextDecoder().decode(await entry.read(0, Math.min(entry.size, 16))).trim();
  if (order === "little") return;
  throw new CheckpointError(
    "unsupported",
    `Cannot read ${file} as its numbers must be little-endian: got byteorder "${order}"`,
  );
}

function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAxes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MAX_AXES && value.every(isCount);
}

function malformed(what: string): never {
  throw new CheckpointError(
    "format",
    `Cannot read the checkpoint as it calls ${what} with other arguments than torch`,
  );
}
