/** `batch_norm` and its gradient in WGSL. */
import type { Kernel, View } from "../../device.ts";
import { sizeOf } from "../../dtype.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { variants } from "../program.ts";
import { columnSumsProgram, sumColumns } from "./column_sums.ts";
import { elementGroups, elementwise } from "./elementwise.ts";
import { sumValues } from "./total_sum.ts";

interface Weighting {
  /** Whether rows have weights. */
  readonly weighted: boolean;
}

/** Binding and WGSL of a row's weight. */
function weightOf(row: string, { weighted }: Weighting) {
  return weighted
    ? { read: { row_weight: "f32" } as const, weight: `row_weight[p.row_weight_at + ${row}]` }
    : { read: {}, weight: "1.0" };
}

const sums = variants((options: Weighting) => {
  const { read, weight } = weightOf("row", options);
  return columnSumsProgram({
    label: `batch_norm mean ${JSON.stringify(options)}`,
    read: { x: "f32", ...read },
    terms: [`${weight} * x[p.x_at + i]`],
  });
});

const squares = variants((options: Weighting) => {
  const { read, weight } = weightOf("row", options);
  return columnSumsProgram({
    label: `batch_norm variance ${JSON.stringify(options)}`,
    read: { x: "f32", mean: "f32", ...read },
    before: "let c = x[p.x_at + i] - mean[p.mean_at + column];",
    terms: [`${weight} * c * c`],
  });
});

/** A sum over the rows, divided by their number or by the sum of their weights; 0 where there are none. */
const quotient = variants(({ weighted }: Weighting) =>
  elementwise({
    label: `batch_norm quotient${weighted ? " weighted" : ""}`,
    read: { sum: "f32", ...(weighted && { all: "f32" }) },
    write: { mean: "f32" },
    params: { M: "u32" },
    body: `
  let all = ${weighted ? "all[p.all_at]" : "f32(p.M)"};
  mean[p.mean_at + i] = select(0, sum[p.sum_at + i] / all, all > 0);`,
  })
);

/** Turns a sum [D] over the rows into a mean [D]. */
type Divide = (sum: View<WebGpuBuffer>, mean: View<WebGpuBuffer>) => void;

const NORMALISE = elementwise({
  label: "batch_norm",
  read: { x: "f32", mean: "f32", variance: "f32" },
  write: { y: "f32" },
  params: { D: "u32", eps: "f32" },
  body: `
  let d = i % p.D;
  y[p.y_at + i] = (x[p.x_at + i] - mean[p.mean_at + d]) / sqrt(variance[p.variance_at + d] + p.eps);`,
});

/** y = (x - mean) / √(variance + eps) by column. */
export function batchNorm(gpu: Dispatcher): Kernel<"batch_norm", WebGpuBuffer> {
  return ({ x, row_weight }, { y, mean, variance }, { eps }) => {
    const [M, D] = x.shape as [number, number];
    const options = { weighted: row_weight !== undefined };
    const rows = { x, ...(row_weight && { row_weight }) };
    withDivide(gpu, { M, D, row_weight }, (divide) => {
      gpu.scratch([[D]], (sum) => {
        sumColumns(gpu, sums(options), { views: rows, shape: [M, D] }, [sum]);
        divide(sum, mean);
        sumColumns(gpu, squares(options), { views: { ...rows, mean }, shape: [M, D] }, [sum]);
        divide(sum, variance);
      });
    });
    const count = sizeOf(x.shape), views = { x, mean, variance, y };
    gpu.dispatch(NORMALISE, { views, params: { count, D, eps }, groups: elementGroups(count) });
  };
}

/** Lends the division by the number of rows, or by the sum of their weights. */
function withDivide(
  gpu: Dispatcher,
  { M, D, row_weight }: { M: number; D: number; row_weight: View<WebGpuBuffer> | undefined },
  use: (divide: Divide) => void,
): void {
  const divideBy = (total: { readonly all?: View<WebGpuBuffer> }): Divide => (sum, mean) =>
    gpu.dispatch(quotient({ weighted: row_weight !== undefined }), {
      views: { sum, ...total, mean },
      params: { count: D, M },
      groups: elementGroups(D),
    });
  if (row_weight === undefined) return use(divideBy({}));
  gpu.scratch([[1]], (all) => {
    sumValues(gpu, row_weight, all);
    use(divideBy({ all }));
  });
}

/** Of each element: its column's deviation, and its normalised value. */
const NORMAL = (column: string) => `
  let scale = 1 / sqrt(variance[p.variance_at + ${column}] + p.eps);
  let normal = (x[p.x_at + i] - mean[p.mean_at + ${column}]) * scale;
  let dy = y_gradient[p.y_gradient_at + i];`;

const SLOPES = columnSumsProgram({
  label: "batch_norm_grad",
  read: { x: "f32", mean: "f32", variance: "f32", y_gradient: "f32" },
  params: { eps: "f32" },
  before: NORMAL("column"),
  terms: ["dy", "dy * normal"],
});

/** The statistics move with x by its row's weight. */
const gradient = variants((options: Weighting) => {
  const { read, weight } = weightOf("i / p.D", options);
  const given = { x: "f32", mean: "f32", variance: "f32", y_gradient: "f32" } as const;
  return elementwise({
    label: `batch_norm_grad ${JSON.stringify(options)}`,
    read: { ...given, slope: "f32", product: "f32", ...read },
    write: { x_gradient: "f32" },
    params: { D: "u32", eps: "f32" },
    body: `
  let d = i % p.D;
${NORMAL("d")}
  let moved = slope[p.slope_at + d] + normal * product[p.product_at + d];
  x_gradient[p.x_gradient_at + i] = scale * (dy - ${weight} * moved);`,
  });
});

/** Gradient of `batch_norm` by x. */
export function batchNormGrad(gpu: Dispatcher): Kernel<"batch_norm_grad", WebGpuBuffer> {
  return ({ row_weight, ...given }, { x_gradient }, { eps }) => {
    const [M, D] = given.x.shape as [number, number];
    const count = M * D;
    withDivide(
      gpu,
      { M, D, row_weight },
      (divide) =>
        gpu.scratch([[D], [D], [D], [D]], (sum0, sum1, slope, product) => {
          const work = { views: given, params: { eps }, shape: [M, D] } as const;
          sumColumns(gpu, SLOPES, work, [sum0, sum1]);
          divide(sum0, slope);
          divide(sum1, product);
          gpu.dispatch(gradient({ weighted: row_weight !== undefined }), {
            views: { ...given, slope, product, ...(row_weight && { row_weight }), x_gradient },
            params: { count, D, eps },
            groups: elementGroups(count),
          });
        }),
    );
  };
}
