/** The layers that the model is made of: each takes its weights by their state-dict name. */
import { type Activation, run, type Tensor } from "../../gpu/mod.ts";

/** Weights on a device by state-dict name. */
export type Parameters = ReadonlyMap<string, Tensor>;

const LAYER_NORM_EPS = 1e-5;

/** The weight `name`; asking for one the model does not have is a mistake of the program. */
export function parameter(parameters: Parameters, name: string): Tensor {
  const tensor = parameters.get(name);
  if (tensor === undefined) throw new ReferenceError(`Cannot find the weight ${name}`);
  return tensor;
}

/** act(x · weightᵀ + bias) with `<at>.weight` and, if there is one, `<at>.bias`. x [M,K] -> [M,N] */
export function linear(
  parameters: Parameters,
  at: string,
  x: Tensor,
  activation: Activation = "none",
): Tensor {
  const bias = parameters.get(`${at}.bias`);
  const weight = parameter(parameters, `${at}.weight`);
  return run("linear", bias === undefined ? { x, weight } : { x, weight, bias }, { activation }).y;
}

/** Layer norm of x, or of x + residual, with `<at>.weight` and `<at>.bias`. [M,D] -> [M,D] */
export function layerNorm(
  parameters: Parameters,
  at: string,
  x: Tensor,
  residual?: Tensor,
): Tensor {
  const weight = parameter(parameters, `${at}.weight`);
  const bias = parameter(parameters, `${at}.bias`);
  const inputs = residual === undefined ? { x, weight, bias } : { x, weight, bias, residual };
  return run("layer_norm", inputs, { eps: LAYER_NORM_EPS }).y;
}

/** Rows of `table`, added to `base` if given; the row `paddingIdx` learns nothing. index [T] -> [T,D] */
export function gather(table: Tensor, index: Tensor, base?: Tensor, paddingIdx = -1): Tensor {
  const inputs = base === undefined ? { table, index } : { table, index, base };
  return run("gather_rows", inputs, { paddingIdx }).y;
}

/** a + b, or one row or column of b for all of a. */
export function add(a: Tensor, b: Tensor): Tensor {
  return run("binary", { a, b }, { fn: "add" }).y;
}

/** a * b, or one row or column of b for all of a. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  return run("binary", { a, b }, { fn: "mul" }).y;
}

/** fn(x) element by element. */
export function activate(x: Tensor, fn: Activation): Tensor {
  return run("unary", { x }, { fn }).y;
}

/** [a | b] along the last axis. */
export function concat(a: Tensor, b: Tensor): Tensor {
  return run("concat", { a, b }, {}).y;
}
