/** `layer_norm_grad` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { columnSumsProgram, sumColumns } from "./column_sums.ts";
import { eachColumn, rowwise } from "./rowwise.ts";

interface LayerNormOptions {
  readonly residual: boolean;
}

/** Element `at` of what was normalised. */
function value(at: string, { residual }: LayerNormOptions): string {
  return residual ? `(x[p.x_at + ${at}] + residual[p.residual_at + ${at}])` : `x[p.x_at + ${at}]`;
}

/** By the input, g = dy · weight: (g - mean g - normal · mean (g · normal)) / deviation; and what the columns need of each row. */
const rows = variants((options: LayerNormOptions) =>
  rowwise({
    label: `layer_norm_grad${options.residual ? " residual" : ""}`,
    read: {
      x: "f32",
      ...(options.residual && { residual: "f32" }),
      weight: "f32",
      y_gradient: "f32",
    },
    write: { x_gradient: "f32", moments: "f32" },
    params: { D: "u32", eps: "f32" },
    body: `
  let row = group * p.D;
  var sum = 0.0;
${eachColumn(`sum += ${value("row + d", options)};`)}
  let mean = reduce_sum(lid, sum) / f32(p.D);
  var squares = 0.0;
${eachColumn(`let c = ${value("row + d", options)} - mean; squares = fma(c, c, squares);`)}
  let scale = 1 / sqrt(reduce_sum(lid, squares) / f32(p.D) + p.eps);
  var gains = 0.0;
  var products = 0.0;
${
      eachColumn(`let g = y_gradient[p.y_gradient_at + row + d] * weight[p.weight_at + d];
    gains += g;
    products = fma(g, (${value("row + d", options)} - mean) * scale, products);`)
    }
  let gain = reduce_sum(lid, gains) / f32(p.D);
  let product = reduce_sum(lid, products) / f32(p.D);
${
      eachColumn(`let g = y_gradient[p.y_gradient_at + row + d] * weight[p.weight_at + d];
    let normal = (${value("row + d", options)} - mean) * scale;
    x_gradient[p.x_gradient_at + row + d] = scale * (g - gain - normal * product);`)
    }
  if (lid == 0u) {
    moments[p.moments_at + 2u * group] = mean;
    moments[p.moments_at + 2u * group + 1u] = scale;
  }`,
  })
);

const columns = variants((options: LayerNormOptions) =>
  columnSumsProgram({
    label: `layer_norm_grad${options.residual ? " residual" : ""}`,
    read: {
      x: "f32",
      ...(options.residual && { residual: "f32" }),
      y_gradient: "f32",
      moments: "f32",
    },
    before: `
      let dy = y_gradient[p.y_gradient_at + i];
      let moment = p.moments_at + 2u * row;
      let normal = (${value("i", options)} - moments[moment]) * moments[moment + 1u];`,
    terms: ["dy * normal", "dy"],
  })
);

/** Gradients of the sum x + residual, of the gain and of the bias. */
export function layerNormGrad(gpu: Dispatcher): Kernel<"layer_norm_grad", WebGpuBuffer> {
  return ({ x, residual, weight, y_gradient }, outputs, { eps }) => {
    const [M, D] = x.shape as [number, number];
    const { x_gradient, weight_gradient, bias_gradient } = outputs;
    const options = { residual: residual !== undefined };
    const views = { x, ...(residual && { residual }), y_gradient };
    gpu.scratch([[M, 2]], (moments) => {
      gpu.dispatch(rows(options), {
        views: { ...views, weight, x_gradient, moments },
        params: { D, eps },
        groups: M,
      });
      const work = { views: { ...views, moments }, shape: [M, D] } as const;
      sumColumns(gpu, columns(options), work, [weight_gradient, bias_gradient]);
    });
  };
}
