/** `scgpt proxy`: lets pages read the Census where its buckets do not allow other origins. */
import { CENSUS_HOSTS, serveProxy } from "../proxy.ts";
import { command, UsageError } from "./command.ts";

/** The command. */
export const proxy = command({
  name: "proxy",
  help: "serve the Census's buckets to pages: adds CORS headers, keeps what was read",
  flags: {
    port: { kind: "integer", help: "port", default: 8787 },
    hostname: { kind: "string", help: "address to listen at", default: "localhost" },
    hosts: {
      kind: "strings",
      help: "hosts that may be read by https, or origins such as http://localhost:9000",
      byDefault: "the Census's",
    },
    cache: {
      kind: "string",
      help: "folder that keeps ranges and listings, which must never change",
      byDefault: "nothing is kept",
    },
    cacheSize: { kind: "integer", help: "most megabytes that are kept", default: 10_000 },
  },
  run: async (flags, { say, signal }) => {
    const { port, hostname, hosts = CENSUS_HOSTS, cache, cacheSize } = flags;
    if (port < 0 || port > 65_535) {
      throw new UsageError(`Cannot run as --port must be 0 to 65535: got ${port}`);
    }
    if (cacheSize < 1) {
      throw new UsageError(`Cannot run as --cache-size must be at least 1: got ${cacheSize}`);
    }
    await using server = await serveProxy({
      port,
      hostname,
      hosts,
      ...cache !== undefined && { cache: { folder: cache, maxBytes: cacheSize * 1_000_000 } },
      log: say,
    });
    say(`listening at ${server.url}`);
    for (const host of hosts) say(`may be read: ${host}`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    throw signal.reason;
  },
});
