/** Answers of the proxy in a folder of limited size: those that were used least lately go first. */

/** An answer that is kept. */
export interface KeptAnswer {
  /** Its status. */
  readonly status: number;
  /** Its headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
}

const NAME = /^[0-9a-f]{64}$/;
const NEW_LINE = 10;

/** A folder of answers by key. One process at a time may use it. */
export class ProxyCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Sizes by name, those that were used least lately first. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Opens a folder, which is made where it is not there, and keeps to the limit from the start. */
  static async open(folder: string, maxBytes: number): Promise<ProxyCache> {
    const cache = new ProxyCache(folder, maxBytes);
    await Deno.mkdir(folder, { recursive: true });
    const found: { readonly name: string; readonly size: number; readonly used: number }[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".tmp") && NAME.test(name.slice(0, 64))) {
        await Deno.remove(`${folder}/${name}`); // a killed process left it
      } else if (NAME.test(name)) {
        const { size, mtime } = await Deno.stat(`${folder}/${name}`);
        found.push({ name, size, used: mtime?.getTime() ?? 0 });
      }
    }
    for (const { name, size } of found.sort((a, b) => a.used - b.used)) cache.#add(name, size);
    await cache.#shrink();
    return cache;
  }

  /** Bytes on the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The answer of a key; undefined where there is none. */
  async get(key: string): Promise<KeptAnswer | undefined> {
    const name = await nameOf(key);
    const size = this.#sizes.get(name);
    if (size === undefined) return undefined;
    try {
      const bytes = await Deno.readFile(`${this.#folder}/${name}`);
      const at = bytes.indexOf(NEW_LINE);
      const { status, headers, length } = JSON.parse(
        new TextDecoder().decode(bytes.subarray(0, at)),
      );
      const body = bytes.slice(at + 1);
      if (body.length !== length) throw new SyntaxError("cut off");
      this.#drop(name);
      this.#add(name, size);
      const now = new Date();
      await Deno.utime(`${this.#folder}/${name}`, now, now);
      return { status, headers, body };
    } catch {
      this.#drop(name); // it is gone or damaged: it is asked for again
      return undefined;
    }
  }

  /** Keeps an answer, unless it is larger than the limit. */
  async put(key: string, { status, headers, body }: KeptAnswer): Promise<void> {
    const heading = new TextEncoder().encode(
      `${JSON.stringify({ status, headers, length: body.length })}\n`,
    );
    const size = heading.length + body.length;
    if (size > this.#maxBytes) return;
    const name = await nameOf(key);
    const path = `${this.#folder}/${name}`;
    const temporary = `${path}.${crypto.randomUUID()}.tmp`;
    const bytes = new Uint8Array(size);
    bytes.set(heading);
    bytes.set(body, heading.length);
    try {
      await Deno.writeFile(temporary, bytes);
      await Deno.rename(temporary, path);
    } catch (cause) {
      await Deno.remove(temporary).catch(() => {});
      throw cause;
    }
    this.#drop(name);
    this.#add(name, size);
    await this.#shrink();
  }

  #add(name: string, size: number): void {
    this.#sizes.set(name, size);
    this.#bytes += size;
  }

  #drop(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
  }

  async #shrink(): Promise<void> {
    for (const name of this.#sizes.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(name);
      await Deno.remove(`${this.#folder}/${name}`).catch(() => {});
    }
  }
}

async function nameOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return new Uint8Array(digest).toHex();
}
