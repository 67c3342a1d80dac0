/** Talks to torch_peer.py: one process, one command at a time, so that runs interleave with ours. */

/** A running peer. */
export interface TorchPeer {
  /** Sends a command and returns the answer. */
  ask<Answer>(command: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** Ends the process. */
  stop(): Promise<void>;
}

/** Starts the peer with the Python of `PYTHON` (default python3); undefined where torch is not there, with the reason told. */
export async function startTorch(say: (line: string) => void): Promise<TorchPeer | undefined> {
  const python = Deno.env.get("PYTHON") ?? "python3";
  const probe = await new Deno.Command(python, { args: ["-c", "import torch"], stderr: "null" })
    .output()
    .catch(() => ({ success: false }));
  if (!probe.success) {
    say(
      `PyTorch rows are skipped: ${python} has no torch (pip install torch==2.13.0, or set PYTHON)`,
    );
    return undefined;
  }
  const script = new URL("torch_peer.py", import.meta.url).pathname;
  const child = new Deno.Command(python, {
    args: [script],
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
      if (done) throw new Error(`torch_peer.py ended at ${JSON.stringify(command)}`);
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
