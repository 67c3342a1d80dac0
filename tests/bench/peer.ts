/** Talks to a Python script: one process, one command at a time, so that runs interleave with ours. */

/** A running peer. */
export interface Peer {
  /** Sends a command and returns the answer. */
  ask<Answer>(command: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Ends the process. */
  stop(): Promise<void>;
}

/** Starts a script of this folder with a Python that has a module; undefined where it has not. */
export async function startPeer(
  python: string,
  module: string,
  script: string,
): Promise<Peer | undefined> {
  const probe = new Deno.Command(python, { args: ["-c", `import ${module}`], stderr: "null" });
  const { success } = await probe.output().catch(() => ({ success: false }));
  if (!success) return undefined;
  const child = new Deno.Command(python, {
    args: [new URL(script, import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lineSplitter())
    .getReader();
  return {
    ask: async <Answer>(command: Readonly<Record<string, unknown>>) => {
      await writer.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
      const { value, done } = await lines.read();
      if (done) throw new Error(`${script} ended at ${JSON.stringify(command)}`);
      return JSON.parse(value) as Answer;
    },
    stop: async () => {
      await writer.close();
      await child.status;
    },
  };
}

function lineSplitter(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(line);
    },
  });
}
