/** Launches of the losses and their gradients. */
import type { KernelTable } from "../device.ts";
import { addressOf, matrix, type WasmBuffer, type WasmEngine, type WasmView } from "./engine.ts";
import { addPartials, rowsPerRun, withPartials } from "./sums.ts";

const LOSS_CODES = { squared_error: 0, bernoulli: 1 } as const;

/** Kernels of the losses. */
export function lossKernels(
  engine: WasmEngine,
): Pick<
  KernelTable<WasmBuffer>,
  "cross_entropy" | "cross_entropy_grad" | "pointwise_loss" | "pointwise_loss_grad"
> {
  return {
    cross_entropy: ({ logits, target, weight }, { loss }) => {
      const [rows, C] = matrix(logits);
      const run = Math.min(64, rowsPerRun(C));
      withPartials(engine, { rows, run, columns: 1 }, (partials) => {
        const words = [...addresses(logits, target, weight), partials.address, C];
        engine.launch("crossEntropy", [rows, run, ...words], partials.runs, C * 4 + 64);
        addPartials(engine, partials, { y: addressOf(loss), columns: 1 });
      });
    },
    cross_entropy_grad: ({ logits, target, weight, loss_gradient }, { logits_gradient }) => {
      const [M, C] = matrix(logits);
      const words = [...addresses(logits, target, weight, loss_gradient, logits_gradient), C];
      engine.launchRows("crossEntropyGrad", M, words, C * 4 + 64);
    },
    pointwise_loss: ({ pred, target, weight }, { loss }, { fn }) => {
      const [rows = 0] = pred.shape;
      const run = 1024;
      withPartials(engine, { rows, run, columns: 1 }, (partials) => {
        const words = [...addresses(pred, target, weight), partials.address, LOSS_CODES[fn]];
        engine.launch("pointwiseLoss", [rows, run, ...words], partials.runs);
        addPartials(engine, partials, { y: addressOf(loss), columns: 1 });
      });
    },
    pointwise_loss_grad: ({ pred, target, weight, loss_gradient }, { pred_gradient }, { fn }) => {
      const words = addresses(pred, target, weight, loss_gradient, pred_gradient);
      engine.launchElements("pointwiseLossGrad", pred, [...words, LOSS_CODES[fn]]);
    },
  };
}

function addresses(...views: readonly WasmView[]): number[] {
  return views.map(addressOf);
}
