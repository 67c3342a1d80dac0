/** `adam` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, variants } from "../program.ts";
import { elementwise, runStream, streamElement } from "./elementwise.ts";

interface AdamOptions {
  readonly element: Element;
  /** Whether the gradients' norm has a limit. */
  readonly clipped: boolean;
  /** How the weight decays. */
  readonly decay: "none" | "gradient" | "weight";
}

/** The order of torch.optim's single-tensor Adam: decay, lerp of m, v, then weight - step · m / (√v / root + eps). */
const program = variants(({ element, clipped, decay }: AdamOptions) =>
  elementwise({
    label: `adam ${element} ${decay}${clipped ? " clipped" : ""}`,
    read: { gradient: element, ...(clipped && { squares: "f32" }) },
    write: { weight: element, m: element, v: element },
    params: {
      toM: "f32",
      keepV: "f32",
      toV: "f32",
      step: "f32",
      root: "f32",
      eps: "f32",
      decay: "f32",
      maxNorm: "f32",
    },
    body: `
  var w = weight[p.weight_at + i];
  var g = gradient[p.gradient_at + i];
  ${clipped ? "g *= min(1, p.maxNorm / (sqrt(squares[p.squares_at]) + 1e-6));" : ""}
  ${decay === "weight" ? "w *= p.decay;" : decay === "gradient" ? "g += p.decay * w;" : ""}
  let old = m[p.m_at + i];
  let mean = old + p.toM * (g - old);
  let square = p.keepV * v[p.v_at + i] + p.toV * g * g;
  m[p.m_at + i] = mean;
  v[p.v_at + i] = square;
  weight[p.weight_at + i] = w - p.step * mean / (sqrt(square) / p.root + p.eps);`,
  })
);

/** One step of Adam or AdamW, in place; the corrections of the means are computed in double precision here. */
export function adam(gpu: Dispatcher): Kernel<"adam", WebGpuBuffer> {
  return ({ gradient, squares }, { weight, m, v }, params) => {
    const { lr, beta1, beta2, eps, weightDecay, decoupled, step, maxNorm } = params;
    const element = streamElement([gradient, weight, m, v]);
    const clipped = maxNorm < Infinity;
    const decay = weightDecay === 0 ? "none" : decoupled ? "weight" : "gradient";
    runStream(gpu, program({ element, clipped, decay }), {
      element,
      views: { gradient, weight, m, v, ...(clipped && { squares }) },
      params: {
        toM: 1 - beta1,
        keepV: beta2,
        toV: 1 - beta2,
        step: lr / (1 - beta1 ** step),
        root: Math.sqrt(1 - beta2 ** step),
        eps,
        decay: decoupled ? 1 - lr * weightDecay : weightDecay,
        maxNorm: clipped ? maxNorm : 0,
      },
    });
  };
}
