/** A compute shader as data: what it binds, what it is told and what it does; the declarations are written here once. */

/** How a shader sees the elements of a binding. */
export type Element = "f32" | "u32" | "vec4f";

/** A compute shader. */
export interface Program {
  /** Name in error messages and profilers. */
  readonly label: string;
  /** Bindings it reads: name -> element. */
  readonly read: Readonly<Record<string, Element>>;
  /** Bindings it writes. */
  readonly write: Readonly<Record<string, Element>>;
  /** Numbers it is told, `p.NAME` in the shader. */
  readonly params: Readonly<Record<string, "u32" | "f32">>;
  /** Invocations of a workgroup. */
  readonly threads: number;
  /** Functions and workgroup variables. */
  readonly globals?: string;
  /**
   * Statements of one workgroup. In scope: `group`, the number of the workgroup; `lid`, that of the invocation in it; `p.NAME_at`,
   * the first element of binding NAME.
   */
  readonly body: string;
}

/** Bytes between the parameters of two dispatches: WebGPU's alignment of dynamic offsets. */
export const PARAM_STRIDE = 256;

/** Names of the 32-bit words in the parameter block, in order. */
export function paramNames(program: Program): string[] {
  const bindings = Object.keys({ ...program.read, ...program.write });
  return ["groups", ...bindings.map((name) => `${name}_at`), ...Object.keys(program.params)];
}

/** Full WGSL of a program. */
export function wgslOf(program: Program): string {
  const fields = paramNames(program).map((name) => `${name}: ${program.params[name] ?? "u32"},`);
  const declare = ([name, element]: [string, Element], access: string, binding: number) =>
    `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${element}>;`;
  const read = Object.entries(program.read);
  return `struct Params { ${fields.join(" ")} }
@group(0) @binding(0) var<uniform> p: Params;
${read.map((entry, at) => declare(entry, "read", 1 + at)).join("\n")}
${
    Object.entries(program.write).map((entry, at) =>
      declare(entry, "read_write", 1 + read.length + at)
    ).join("\n")
  }
${program.globals ?? ""}
@compute @workgroup_size(${program.threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lid: u32,
) {
  let group = workgroup.y * grid.x + workgroup.x;
  if (group >= p.groups) { return; }
${program.body}
}
`;
}

/** A program for each combination of options, made on first use: `make` unrolls loops and picks types by them. */
export function variants<Options extends object>(
  make: (options: Options) => Program,
): (options: Options) => Program {
  const made = new Map<string, Program>();
  return (options) => {
    const key = JSON.stringify(options);
    const program = made.get(key) ?? make(options);
    made.set(key, program);
    return program;
  };
}

/** `text(0)` to `text(n - 1)`, one a line: a loop unrolled in the source. */
export function unroll(n: number, text: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => text(i)).join("\n");
}

/** Workgroups along x and y for any number of them; WebGPU takes at most 65,535 a dimension. */
export function foldGrid(groups: number): readonly [number, number] {
  const rows = Math.ceil(groups / 65535);
  return [Math.ceil(groups / rows), rows];
}
