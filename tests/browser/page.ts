/** The test page: runs the suite itself or in a worker, as the test calls for through `globalThis.suites`. */
import { type DeviceChoice, runSuite, type SuiteResult } from "./run_suite.ts";
import type { WorkerAnswer } from "./worker.ts";

function runInWorker(choice: DeviceChoice): Promise<SuiteResult> {
  const worker = new Worker("/worker.js", { type: "module" });
  return new Promise<SuiteResult>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<WorkerAnswer>) =>
      "error" in data ? reject(new Error(data.error)) : resolve(data.result);
    worker.postMessage(choice);
  }).finally(() => worker.terminate());
}

/** What the test may call. */
export interface Suites {
  readonly inPage: (choice: DeviceChoice) => Promise<SuiteResult>;
  readonly inWorker: (choice: DeviceChoice) => Promise<SuiteResult>;
}

Object.assign(globalThis, { suites: { inPage: runSuite, inWorker: runInWorker } satisfies Suites });
