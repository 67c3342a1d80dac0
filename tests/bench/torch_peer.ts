/** PyTorch as a peer. */
import { type Peer, startPeer } from "./peer.ts";

/** A running torch_peer.py. */
export type TorchPeer = Peer;

/** Starts the peer with the Python of `PYTHON` (default python3); undefined where torch is not there, with the reason told. */
export async function startTorch(say: (line: string) => void): Promise<TorchPeer | undefined> {
  const python = Deno.env.get("PYTHON") ?? "python3";
  const peer = await startPeer(python, "torch", "torch_peer.py");
  if (peer === undefined) {
    say(
      `PyTorch rows are skipped: ${python} has no torch (pip install torch==2.13.0, or set PYTHON)`,
    );
  }
  return peer;
}
