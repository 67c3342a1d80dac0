// Losses (AssemblyScript): each chunk of rows gives a partial sum in double precision.
import { exponentials } from "./norms";
import { endOf, firstOf, pointer, scale, word } from "./simd";
import { wideSum } from "./sums";

const LEAST: f64 = 1.1920928955078125e-7; // 2⁻²³: probabilities stay this far from 0 and 1
const SQUARED_ERROR: i32 = 0;

// Σ weight (log Σ e^logits - logits[target]). args: 2 logits, 3 target, 4 weight, 5 partial sums, 6 classes. Scratch: a padded row.
export function crossEntropy(args: usize, chunk: i32, scratch: usize): void {
  const classes = word(args, 6), bytes = <usize> classes << 2;
  let loss: f64 = 0;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const logits = pointer(args, 2) + <usize> m * bytes;
    const top = <f64> exponentials(logits, scratch, classes);
    const chosen = <f64> load<f32>(logits + targetOf(args, m, classes));
    const weight = <f64> load<f32>(pointer(args, 4) + (<usize> m << 2));
    loss += weight * (Math.log(wideSum(scratch, classes)) + (top - chosen));
  }
  store<f64>(pointer(args, 5) + (<usize> chunk << 3), loss);
}

// Byte offset of the target in its row; one past the last class counts as the last.
// @ts-ignore: decorator
@inline
function targetOf(args: usize, m: i32, classes: i32): usize {
  return <usize> min(<u32> (classes - 1), load<u32>(pointer(args, 3) + (<usize> m << 2))) << 2;
}

// weight (softmax - one at the target) times the loss's gradient.
// args: 2 logits, 3 target, 4 weight, 5 loss_gradient, 6 logits_gradient, 7 classes. Scratch: a padded row.
export function crossEntropyGrad(args: usize, chunk: i32, scratch: usize): void {
  const classes = word(args, 7), bytes = <usize> classes << 2;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const gradient = pointer(args, 6) + <usize> m * bytes;
    exponentials(pointer(args, 2) + <usize> m * bytes, scratch, classes);
    const factor = load<f32>(pointer(args, 4) + (<usize> m << 2)) * load<f32>(pointer(args, 5));
    const inverse = 1 / wideSum(scratch, classes);
    const target = targetOf(args, m, classes);
    const chosen = <f32> ((<f64> load<f32>(scratch + target) * inverse - 1) * <f64> factor);
    scale(<f32> (inverse * <f64> factor), scratch, classes);
    memory.copy(gradient, scratch, bytes);
    store<f32>(gradient + target, chosen);
  }
}

// Σ weight e(pred, target). args: 2 pred, 3 target, 4 weight, 5 partial sums, 6 loss (0 squared error, 1 bernoulli)
export function pointwiseLoss(args: usize, chunk: i32, scratch: usize): void {
  const fn = word(args, 6);
  let loss: f64 = 0;
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const at = <usize> m << 2;
    const pred = <f64> load<f32>(pointer(args, 2) + at), target = <f64> load<f32>(pointer(args, 3) + at);
    const p = min(max(pred, LEAST), 1 - LEAST);
    const error = fn == SQUARED_ERROR
      ? (pred - target) * (pred - target)
      : -Math.log(target > 0 ? p : 1 - p);
    loss += <f64> load<f32>(pointer(args, 4) + at) * error;
  }
  store<f64>(pointer(args, 5) + (<usize> chunk << 3), loss);
}

// weight e'(pred) times the loss's gradient. args: 2 pred, 3 target, 4 weight, 5 loss_gradient, 6 pred_gradient, 7 loss
export function pointwiseLossGrad(args: usize, chunk: i32, scratch: usize): void {
  const fn = word(args, 7), factor = <f64> load<f32>(pointer(args, 5));
  for (let m = firstOf(args, chunk), end = endOf(args, chunk); m < end; m++) {
    const at = <usize> m << 2;
    const pred = <f64> load<f32>(pointer(args, 2) + at), target = <f64> load<f32>(pointer(args, 3) + at);
    let slope = 2 * (pred - target);
    if (fn != SQUARED_ERROR) {
      const clamped = pred < LEAST || pred > 1 - LEAST;
      slope = clamped ? 0 : target > 0 ? -1 / pred : 1 / (1 - pred);
    }
    const weight = <f64> load<f32>(pointer(args, 4) + at);
    store<f32>(pointer(args, 6) + at, <f32> (slope * weight * factor));
  }
}
