/** What the tests of zarr share. */
import { openSource } from "../../data/mod.ts";
import { zipStore } from "../../data/zarr/store_zip.ts";
import type { ZarrStore } from "../../data/zarr/mod.ts";

/** Path of a fixture that scripts/dev/make_zarr_fixtures.py makes. */
export function zarrFixture(name: string): string {
  return new URL(`../fixtures/zarr/${name}.zarr.zip`, import.meta.url).pathname;
}

/** All values of a store by key. */
async function valuesOf(store: ZarrStore, folder = ""): Promise<[string, Uint8Array][]> {
  const values: [string, Uint8Array][] = [];
  for (const name of await store.list!(folder)) {
    const key = folder === "" ? name : `${folder}/${name}`;
    const value = await store.get(key);
    if (value === undefined) values.push(...await valuesOf(store, key));
    else values.push([key, value]);
  }
  return values;
}

/** A fixture as a Map of its values. */
export async function fixtureMap(name: string): Promise<Map<string, Uint8Array>> {
  const store = await zipStore(await openSource(zarrFixture(name)));
  try {
    return new Map(await valuesOf(store));
  } finally {
    store.close!();
  }
}

/** A server of values by key that counts its requests; ranges are honoured. */
export class ZarrServer {
  /** Keys that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(values: ReadonlyMap<string, Uint8Array>, fail: (key: string) => number = () => 0) {
    this.#server = Deno.serve({ port: 0, onListen() {} }, (request) => {
      const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
      this.asked.push(key);
      const status = fail(key);
      if (status !== 0) return new Response(null, { status });
      const value = values.get(key);
      if (value === undefined) return new Response(null, { status: 404 });
      const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("range") ?? "");
      const bytes = value as Uint8Array<ArrayBuffer>;
      if (range === null) return new Response(bytes);
      const start = range[1] === "" ? bytes.length - Number(range[2]) : Number(range[1]);
      const end = range[1] === "" || range[2] === "" ? bytes.length : Number(range[2]) + 1;
      const headers = { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
      return new Response(bytes.slice(start, end), { status: 206, headers });
    });
  }

  /** Address of the root. */
  get url(): string {
    return `http://localhost:${this.#server.addr.port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
