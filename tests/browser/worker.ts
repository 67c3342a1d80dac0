/** The worker of the test page: runs the suite that it is told to, and posts the result or the error. */
import { type DeviceChoice, runSuite, type SuiteResult } from "./run_suite.ts";

/** What the worker answers. */
export type WorkerAnswer = { readonly result: SuiteResult } | { readonly error: string };

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<DeviceChoice>) => Promise<void>;
  postMessage(answer: WorkerAnswer): void;
};

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ result: await runSuite(data) });
  } catch (error) {
    scope.postMessage({ error: `${error}` });
  }
};
