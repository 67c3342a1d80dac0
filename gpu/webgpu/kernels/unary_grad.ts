/** `unary_grad` in WGSL. */
import type { Kernel } from "../../device.ts";
import type { UnaryFunction } from "../../ops.ts";
import type { Dispatcher } from "../commands.ts";
import type { WebGpuBuffer } from "../memory.ts";
import { type Element, variants } from "../program.ts";
import { elementwise, runStream, streamElement } from "./elementwise.ts";
import { GELU_TAIL } from "./functions.ts";

/** The slope from `v`, which is y, but x for gelu and log1p. */
const SLOPES: { readonly [F in UnaryFunction]: (type: Element) => string } = {
  none: (type) => `return ${type}(1);`,
  relu: (type) => `return select(${type}(0), ${type}(1), v > ${type}(0));`,
  leaky_relu: (type) => `return select(${type}(0.01), ${type}(1), v > ${type}(0));`,
  sigmoid: () => `return v * (1 - v);`,
  tanh: () => `return (1 - v) * (1 + v);`,
  gelu: (type) => `
  ${GELU_TAIL(type)}
  let upper = 0.5 * (1 + sign(v) * (1 - tail));
  return upper + 0.3989422804 * 1.4142135624 * sign(v) * z * exp(-z * z);`,
  log1p: () => `return 1 / (1 + v);`,
};

const program = variants(({ fn, element }: { fn: UnaryFunction; element: Element }) =>
  elementwise({
    label: `unary_grad ${fn} ${element}`,
    read: { value: element, y_gradient: element },
    write: { x_gradient: element },
    params: {},
    globals: `fn slope(v: ${element}) -> ${element} { ${SLOPES[fn](element)} }`,
    body: `  x_gradient[p.x_gradient_at + i] =
    slope(value[p.value_at + i]) * y_gradient[p.y_gradient_at + i];`,
  })
);

/** x_gradient = fn'(·) * y_gradient. */
export function unaryGrad(gpu: Dispatcher): Kernel<"unary_grad", WebGpuBuffer> {
  return ({ value, y_gradient }, { x_gradient }, { fn }) => {
    const views = { value, y_gradient, x_gradient };
    const element = streamElement(Object.values(views));
    runStream(gpu, program({ fn, element }), { element, views, params: {} });
  };
}
