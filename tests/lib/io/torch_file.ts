/** Builds torch.save files byte by byte, for the tests of damaged and hostile ones. */

/** Parts of a pickle: opcode bytes as numbers, text and operands as given. */
export type PicklePart = number | string | Uint8Array;

/** Joins parts; text is written as its UTF-8 bytes. */
export function bytesOf(...parts: readonly PicklePart[]): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) =>
    typeof part === "number" ? Uint8Array.of(part) : typeof part === "string" ? encode(part) : part
  );
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A pickle of protocol 2 around opcodes. */
export function pickle(...parts: readonly PicklePart[]): Uint8Array<ArrayBuffer> {
  return bytesOf(0x80, 2, ...parts, 0x2e);
}

/** SHORT_BINUNICODE. */
export function text(value: string): Uint8Array<ArrayBuffer> {
  return bytesOf(0x8c, new TextEncoder().encode(value).length, value);
}

/** BININT. */
export function int(value: number): Uint8Array<ArrayBuffer> {
  return bytesOf(0x4a, new Uint8Array(Int32Array.of(value).buffer));
}

/** A tuple of values. */
export function tuple(...values: readonly PicklePart[]): Uint8Array<ArrayBuffer> {
  return bytesOf("(", ...values, "t");
}

/** GLOBAL. */
export function global(module: string, name: string): Uint8Array<ArrayBuffer> {
  return bytesOf("c", module, "\n", name, "\n");
}

/** What a tensor's pickle says; the defaults fit a storage of four floats under data/0. */
export interface TensorPickle {
  readonly type?: string;
  readonly key?: string;
  readonly length?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
}

/** The call that rebuilds a tensor. */
export function tensor(given: TensorPickle = {}): Uint8Array<ArrayBuffer> {
  const { type = "FloatStorage", key = "0", length = 4, offset = 0, shape = [4], strides = [1] } =
    given;
  const storage = tuple(
    text("storage"),
    global("torch", type),
    text(key),
    text("cpu"),
    int(length),
  );
  const hooks = bytesOf(global("collections", "OrderedDict"), ")R");
  return bytesOf(
    global("torch._utils", "_rebuild_tensor_v2"),
    tuple(
      storage,
      "Q",
      int(offset),
      tuple(...shape.map(int)),
      tuple(...strides.map(int)),
      0x89,
      hooks,
    ),
    "R",
  );
}

/** A dict of entries. */
export function dict(entries: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  return bytesOf(
    "}(",
    ...Object.entries(entries).flatMap(([key, value]) => [text(key), value]),
    "u",
  );
}

/** Changes to a zip file that a test wants. */
export interface ZipOptions {
  /** Compression method that every entry claims. */
  readonly method?: number;
  /** Whether sizes and offsets stand in zip64 records alone. */
  readonly zip64?: boolean;
  /** Comment at the end. */
  readonly comment?: string;
}

/** A zip file of stored entries. */
export function zip(
  files: Readonly<Record<string, Uint8Array>>,
  { method = 0, zip64 = false, comment = "" }: ZipOptions = {},
): Uint8Array<ArrayBuffer> {
  const u16 = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
  const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
  const u64 = (...values: number[]) => new Uint8Array(BigUint64Array.from(values, BigInt).buffer);
  let local = new Uint8Array(0), central = new Uint8Array(0);
  for (const [name, data] of Object.entries(files)) {
    const at = local.length;
    const narrow = (value: number) => zip64 ? 0xffffffff : value;
    const wide = zip64 ? bytesOf(u16(1, 24), u64(data.length, data.length, at)) : bytesOf();
    const sizes = u32(narrow(data.length), narrow(data.length));
    const padding = bytesOf(u16(0x4246, 3), "ZZZ"); // torch pads local headers with a field "FB"
    local = bytesOf(
      local,
      ...[
        u32(0x04034b50),
        u16(45, 0, method, 0, 0),
        u32(0),
        sizes,
        u16(name.length, padding.length),
      ],
      ...[name, padding, data],
    );
    central = bytesOf(
      central,
      ...[u32(0x02014b50), u16(45, 45, 0, method, 0, 0), u32(0), sizes],
      ...[u16(name.length, wide.length, 0, 0, 0), u32(0, narrow(at)), name, wide],
    );
  }
  const count = Object.keys(files).length;
  const end64 = zip64
    ? bytesOf(
      ...[u32(0x06064b50), u64(44), u16(45, 45), u32(0, 0), u64(count, count)],
      ...[
        u64(central.length, local.length),
        u32(0x07064b50, 0),
        u64(local.length + central.length),
        u32(1),
      ],
    )
    : bytesOf();
  const ends = zip64 ? u32(0xffffffff, 0xffffffff) : u32(central.length, local.length);
  const counts = zip64 ? u16(0, 0, 0xffff, 0xffff) : u16(0, 0, count, count);
  const tail = bytesOf(u32(0x06054b50), counts, ends, u16(comment.length), comment);
  return bytesOf(local, central, end64, tail);
}

/** A torch.save file with one storage of four floats 1 .. 4. */
export function torchFile(
  value: Uint8Array,
  options: ZipOptions & { readonly byteorder?: string } = {},
): Uint8Array<ArrayBuffer> {
  const { byteorder = "little", ...rest } = options;
  return zip({
    "archive/data.pkl": pickle(value),
    "archive/byteorder": bytesOf(byteorder),
    "archive/data/0": new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
  }, rest);
}
