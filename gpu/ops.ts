/**
 * The law of the engine on one screen: every operation a device must know, with its inputs, outputs and parameters.
 *
 * Dimensions: T tokens of a packed batch, B cells, D model width, H heads, M/N/K rows, columns and depth of a product,
 * V rows of a table, G groups, C classes. Everything is `f32`, row-major, but `index`, `offsets`, `known`, `target` and
 * `row_key`, which are `u32`. A packed batch has no pads: cell b owns the rows `offsets[b] .. offsets[b + 1]`.
 *
 * An op's shape rule and gradient live in `gpu/ops/<op>.ts`; each device has one kernel an op, and a missing rule or
 * kernel does not compile. `<name>_gradient` is the gradient of the loss by `<name>`.
 */
export interface Ops {
  // Forward -----------------------------------------------------------------------------------------------------------------

  /** y[t] = base[t] + table[index[t]]; the row `paddingIdx` (-1: none) gets no gradient. table [V,D], index [T], base [T,D] -> y [T,D] */
  gather_rows: Op<"table" | "index", "base", "y", { paddingIdx: number }>;
  /** y = act(x · weightᵀ + bias), PyTorch's layout. x [M,K], weight [N,K], bias [N] -> y [M,N] */
  linear: Op<"x" | "weight", "bias", "y", { activation: Activation }>;
  /** y[g] = a[g] · b[g], either one transposed. a [G,M,K], b [G,K,N] -> y [G,M,N] */
  matmul: Op<"a" | "b", never, "y", { transposeA: boolean; transposeB: boolean }>;
  /** y = norm(x + residual) * weight + bias over the last axis. x [M,D], residual [M,D], weight [D], bias [D] -> y [M,D] */
  layer_norm: Op<"x" | "weight" | "bias", "residual", "y", { eps: number }>;
  /**
   * y = (x - mean) / √(variance + eps) by column, mean and variance over the rows, each row counted `row_weight` times (default 1).
   * x [M,D], row_weight [M] -> y [M,D], mean [D], variance [D] (divided by the sum of weights)
   */
  batch_norm: Op<"x", "row_weight", "y" | "mean" | "variance", { eps: number }>;
  /**
   * Blockwise softmax(q·kᵀ/√(D/H))·v inside each cell; nothing of size N x N exists. qkv [T,3D] with rows [q|k|v], heads
   * side by side; offsets [B+1]; known [B]: the first known[b] tokens are seen by every token of the cell, a later token
   * sees those and itself (generative mask); without `known` all see all. With `dropout` probability, weight (query t, head h,
   * key at place j of the cell) is kept when 16-bit half j%2 (low first) of word (j%8)>>1 of
   * philox([h<<24 | j>>3, row_key[t,0], row_key[t,1], stream], seed) >= p·2¹⁶ rounded up, and divided by the chance to be kept.
   * -> context [T,D], lse [T,H] (log of the sum of exponentials, kept for the gradient)
   */
  attention: Op<"qkv" | "offsets", "known" | "row_key", "context" | "lse", AttentionParams>;
  /**
   * One softmax-weighted mean of a cell's rows for each query: y[h,b] = Σ_t softmax_t(scale · query[h,b]·x[t]) x[t].
   * query [H,B,D], x [T,D], offsets [B+1] -> y [H,B,D]
   */
  attention_pool: Op<"query" | "x" | "offsets", never, "y", { scale: number }>;
  /** y = a ∘ b. b has a's shape, or is one row [D] for all rows, or one column [M,1]. a [M,D] -> y [M,D] */
  binary: Op<"a" | "b", never, "y", { fn: "add" | "sub" | "mul" }>;
  /** y = alpha * x + beta * z, of any shape. */
  scale_add: Op<"x", "z", "y", { alpha: number; beta: number }>;
  /** y = fn(x), element by element. */
  unary: Op<"x", never, "y", { fn: UnaryFunction }>;
  /** y = [a | b] along the last axis. a [M,D1], b [M,D2] -> y [M,D1+D2] */
  concat: Op<"a" | "b", never, "y", Record<never, never>>;
  /** y = columns start .. end of x. x [M,D] -> y [M,end-start] */
  slice_columns: Op<"x", never, "y", { start: number; end: number }>;
  /** y[b,a] = x[a,b]. x [A,B,D] -> y [B,A,D] */
  swap_axes: Op<"x", never, "y", Record<never, never>>;
  /** y[m] = a[m]·b[m]. a [M,D], b [M,D] -> y [M] */
  row_dot: Op<"a" | "b", never, "y", Record<never, never>>;
  /** Sum of each column. x [M,D] -> y [D] */
  column_sum: Op<"x", never, "y", Record<never, never>>;
  /** Mean, or sum, of a cell's rows, each times its weight. x [T,D], offsets [B+1], weight [T] -> y [B,D] */
  segment_pool: Op<"x" | "offsets", "weight", "y", { mode: "mean" | "sum" }>;
  /** Each cell's row for all its tokens, "mean": divided by their number. x [B,D], offsets [B+1] -> y [tokens,D] */
  segment_spread: Op<"x" | "offsets", never, "y", { mode: "mean" | "sum"; tokens: number }>;
  /** y = x / max(|x|₂, eps) row by row. x [M,D] -> y [M,D] */
  l2_normalize: Op<"x", never, "y", { eps: number }>;
  /** y = softmax of each row. x [M,D] -> y [M,D] */
  softmax: Op<"x", never, "y", Record<never, never>>;
  /** The k largest of each row, largest first, the lower column first among equals. x [M,N] -> value [M,k], index [M,k] */
  top_k: Op<"x", never, "value" | "index", { k: number }>;
  /**
   * y = x * keep/(1-p). Element (m, d) is kept when word d%4 of philox([d>>2, key[m,0], key[m,1], stream], seed) >= p·2³².
   * x [M,D], row_key u32 [M,2] (default: the row number and 0), so that a token's draws follow it into any batch -> y [M,D]
   */
  dropout: Op<"x", "row_key", "y", { p: number; seed: number; stream: number }>;
  /** loss = Σ_m weight[m] · -log softmax(logits[m])[target[m]]. logits [M,C], target [M], weight [M] -> loss [1] */
  cross_entropy: Op<"logits" | "target" | "weight", never, "loss", Record<never, never>>;
  /**
   * loss = Σ_m weight[m] · e(pred[m], target[m]) -> [1]; pred, target, weight [M]. "squared_error": (pred - target)²;
   * "bernoulli": -log p where target > 0, else -log(1-p), with p = pred clamped to [2⁻²³, 1-2⁻²³] (no gradient where clamped).
   */
  pointwise_loss: Op<"pred" | "target" | "weight", never, "loss", { fn: PointwiseLoss }>;

  // Gradients ---------------------------------------------------------------------------------------------------------------

  /** table[v] = Σ values[t] over index[t] = v in ascending t, and 0 for rows without tokens and for `paddingIdx`. -> table [rows,D] */
  scatter_rows: Op<"values" | "index", never, "table", { rows: number; paddingIdx: number }>;
  /** x_gradient [M,D] (also the residual's), weight_gradient [D], bias_gradient [D]. */
  layer_norm_grad: Op<
    "x" | "weight" | "y_gradient",
    "residual",
    "x_gradient" | "weight_gradient" | "bias_gradient",
    { eps: number }
  >;
  /** Of y by x, the statistics moving with x. x, y_gradient [M,D], mean, variance [D], row_weight [M] -> x_gradient [M,D] */
  batch_norm_grad: Op<
    "x" | "mean" | "variance" | "y_gradient",
    "row_weight",
    "x_gradient",
    { eps: number }
  >;
  /** Recomputes the scores block by block from lse, and the same dropout. context, context_gradient [T,D] -> qkv_gradient [T,3D] */
  attention_grad: Op<
    "qkv" | "offsets" | "context" | "lse" | "context_gradient",
    "known" | "row_key",
    "qkv_gradient",
    AttentionParams
  >;
  /** query, y, y_gradient [H,B,D], x [T,D], offsets [B+1] -> query_gradient [H,B,D], x_gradient [T,D] */
  attention_pool_grad: Op<
    "query" | "x" | "offsets" | "y" | "y_gradient",
    never,
    "query_gradient" | "x_gradient",
    { scale: number }
  >;
  /** x_gradient = fn'(·) * y_gradient. `value` is y, but x for gelu and log1p, whose slope is not read from y. */
  unary_grad: Op<"value" | "y_gradient", never, "x_gradient", { fn: UnaryFunction }>;
  /** x, y_gradient [M,D] -> x_gradient [M,D] */
  l2_normalize_grad: Op<"x" | "y_gradient", never, "x_gradient", { eps: number }>;
  /** y, y_gradient [M,D] -> x_gradient [M,D] */
  softmax_grad: Op<"y" | "y_gradient", never, "x_gradient", Record<never, never>>;
  /** logits [M,C], target, weight [M], loss_gradient [1] -> logits_gradient [M,C] */
  cross_entropy_grad: Op<
    "logits" | "target" | "weight" | "loss_gradient",
    never,
    "logits_gradient",
    Record<never, never>
  >;
  /** pred, target, weight [M], loss_gradient [1] -> pred_gradient [M] */
  pointwise_loss_grad: Op<
    "pred" | "target" | "weight" | "loss_gradient",
    never,
    "pred_gradient",
    { fn: PointwiseLoss }
  >;

  // In place: outputs are given tensors, read and changed -------------------------------------------------------------------

  /** sum = keep * sum + scale * x, of any shape. */
  accumulate: Op<"x", never, "sum", { keep: number; scale: number }>;
  /** sum[0] += Σ x². x of any shape, sum [1] */
  accumulate_squares: Op<"x", never, "sum", Record<never, never>>;
  /**
   * One step of Adam or AdamW (`decoupled`) as torch.optim has them. The gradient counts times min(1, maxNorm / (√squares + 1e-6)),
   * `squares` [1] being the squared norm of all gradients (torch's clip_grad_norm_; maxNorm Infinity: as it is).
   * gradient, weight, m, v of one shape.
   */
  adam: Op<"gradient" | "squares", never, "weight" | "m" | "v", AdamParams>;
}

/** Ops that change given tensors; see `update`. */
export type UpdateName = "accumulate" | "accumulate_squares" | "adam";

/** Shape of one entry of {@linkcode Ops}: names of inputs, of optional inputs, of outputs, and the parameters. */
export interface Op<Input extends string, Optional extends string, Output extends string, Params> {
  /** Inputs that must be given. */
  inputs: Input;
  /** Inputs that may be left out. */
  optional: Optional;
  /** Results. */
  outputs: Output;
  /** Numbers and words that are no tensors. */
  params: Params;
}

/** Elementwise functions; `leaky_relu` has PyTorch's slope 0.01 and `gelu` is the exact one (erf). */
export type Activation = "none" | "relu" | "leaky_relu" | "sigmoid" | "tanh" | "gelu";

/** Elementwise functions of the op `unary`. */
export type UnaryFunction = Activation | "log1p";

/** Losses of one prediction and one target. */
export type PointwiseLoss = "squared_error" | "bernoulli";

/** Parameters of attention. */
export interface AttentionParams {
  /** Heads H. */
  heads: number;
  /** Dropout of the attention weights; needs `row_key` [T,2]. */
  dropout?: { p: number; seed: number; stream: number };
}

/** Parameters of one step of Adam; names are torch.optim's. */
export interface AdamParams {
  /** Learning rate. */
  lr: number;
  /** Decay of the mean of gradients. */
  beta1: number;
  /** Decay of the mean of squared gradients. */
  beta2: number;
  /** Added to the root of the squares. */
  eps: number;
  /** L2 penalty; with `decoupled` the share of the weight taken off, times lr. */
  weightDecay: number;
  /** AdamW's decay, apart from the gradient. */
  decoupled: boolean;
  /** Number of this step, from 1: corrects the means' start at 0. */
  step: number;
  /** Norm that all gradients together may have. */
  maxNorm: number;
}

/** Name of an operation. */
export type OpName = keyof Ops;
/** Parameters of operation K. */
export type OpParams<K extends OpName> = Ops[K]["params"];
/** Values by input name of operation K. */
export type OpInputs<K extends OpName, Value> =
  & { [Name in Ops[K]["inputs"]]: Value }
  & { [Name in Ops[K]["optional"]]?: Value };
/** Values by output name of operation K. */
export type OpOutputs<K extends OpName, Value> = { [Name in Ops[K]["outputs"]]: Value };
