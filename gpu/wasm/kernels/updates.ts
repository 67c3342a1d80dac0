// Steps of optimisers (AssemblyScript).
import { endOf, firstOf, pointer, real, storeFirst, word } from "./simd";

// One step of Adam in torch.optim's order of operations, all in float32 as torch has it; the host folds the bias corrections in.
// args: 2 gradient, 3 squares, 4 weight, 5 m, 6 v, 7 maxNorm, 8 L2 penalty, 9 factor of the weight, 10 beta1, 11 1 - beta1, 12 beta2,
// 13 1 - beta2, 14 lr over m's correction, 15 root of v's correction, 16 eps
export function adam(args: usize, chunk: i32, scratch: usize): void {
  const first = firstOf(args, chunk), offset = <usize> first << 2;
  const clip = clipFactor(load<f32>(pointer(args, 3)), real(args, 7));
  let gradient = pointer(args, 2) + offset, weight = pointer(args, 4) + offset;
  let m = pointer(args, 5) + offset, v = pointer(args, 6) + offset;
  for (let n = endOf(args, chunk) - first; n > 0; n -= 4) {
    const g0 = f32x4.mul(v128.load(gradient), clip), w0 = v128.load(weight);
    const g = f32x4.add(g0, f32x4.mul(w0, v128.load32_splat(args, 32)));
    const newM = lerp(v128.load(m), g, v128.load32_splat(args, 40), v128.load32_splat(args, 44));
    const newV = f32x4.add(
      f32x4.mul(v128.load(v), v128.load32_splat(args, 48)),
      f32x4.mul(f32x4.mul(g, g), v128.load32_splat(args, 52)),
    );
    const root = f32x4.add(
      f32x4.div(f32x4.sqrt(newV), v128.load32_splat(args, 60)),
      v128.load32_splat(args, 64),
    );
    const step = f32x4.mul(v128.load32_splat(args, 56), f32x4.div(newM, root));
    const newWeight = f32x4.sub(f32x4.mul(w0, v128.load32_splat(args, 36)), step);
    if (n >= 4) {
      v128.store(m, newM);
      v128.store(v, newV);
      v128.store(weight, newWeight);
    } else {
      storeFirst(m, newM, n);
      storeFirst(v, newV, n);
      storeFirst(weight, newWeight, n);
    }
    gradient += 16;
    weight += 16;
    m += 16;
    v += 16;
  }
}

// m + (g - m) rest, from the nearer end as torch.lerp: exact at both.
// @ts-ignore: decorator
@inline
function lerp(m: v128, g: v128, keep: v128, rest: v128): v128 {
  const difference = f32x4.sub(g, m);
  return v128.bitselect(
    f32x4.add(m, f32x4.mul(difference, rest)),
    f32x4.sub(g, f32x4.mul(difference, keep)),
    f32x4.lt(rest, f32x4.splat(0.5)),
  );
}

// min(1, maxNorm / (√squares + 1e-6)) of clip_grad_norm_; an infinite maxNorm leaves even infinite gradients as they are.
// @ts-ignore: decorator
@inline
function clipFactor(squares: f32, maxNorm: f32): v128 {
  const factor = maxNorm / (Mathf.sqrt(squares) + <f32> 1e-6);
  return f32x4.splat(maxNorm == Infinity ? 1 : min(<f32> 1, factor));
}
