/** Renders what `deno doc --json` says of a declaration as TypeScript signatures, one line each, without docs and bodies. */

/** A type as deno doc describes it: `value` depends on `kind`. */
interface TypeNode {
  readonly kind: string;
  readonly repr?: string;
  // deno-lint-ignore no-explicit-any -- the shape is Deno's, and what is not known is printed as it is
  readonly value?: any;
}

interface TypeParam {
  readonly name: string;
  readonly constraint?: TypeNode;
  readonly default?: TypeNode;
}

interface Param {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly left?: Param;
  readonly arg?: Param;
  readonly tsType?: TypeNode;
}

interface Signature {
  readonly params?: readonly Param[];
  readonly typeParams?: readonly TypeParam[];
  readonly returnType?: TypeNode;
  readonly tsType?: TypeNode;
}

interface Member extends Signature {
  readonly name?: string;
  readonly kind?: string;
  readonly accessibility?: string;
  readonly isStatic?: boolean;
  readonly isAbstract?: boolean;
  readonly readonly?: boolean;
  readonly optional?: boolean;
  readonly functionDef?: Signature;
  readonly init?: TypeNode;
}

interface Members {
  readonly constructors?: readonly Member[];
  readonly callSignatures?: readonly Member[];
  readonly indexSignatures?: readonly Member[];
  readonly properties?: readonly Member[];
  readonly methods?: readonly Member[];
}

/** One declaration of a symbol. */
export interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly location: { readonly filename: string; readonly line: number };
  readonly def: Member & Members & {
    readonly extends?: string | readonly TypeNode[];
    readonly implements?: readonly TypeNode[];
    readonly superTypeParams?: readonly TypeNode[];
    readonly members?: readonly Member[];
  };
}

/** Lines of a declaration: its head, then its public members indented. */
export function declarationLines(name: string, { kind, def }: Declaration): string[] {
  switch (kind) {
    case "function":
      return [`function ${name}${signature(def)}`];
    case "variable":
      return [`${def.kind} ${name}${annotation(def.tsType)}`];
    case "typeAlias":
      return [`type ${name}${generics(def.typeParams)} = ${typeText(def.tsType)}`];
    case "enum":
      return [
        `enum ${name}`,
        ...(def.members ?? []).map((m) => `  ${m.name} = ${typeText(m.init)}`),
      ];
    case "class":
    case "interface":
      return [
        `${kind} ${name}${generics(def.typeParams)}${heritage(def)}`,
        ...memberLines(def).map((m) => `  ${m}`),
      ];
    default:
      throw new TypeError(`Cannot list ${name} as this kind of declaration is not known: ${kind}`);
  }
}

function heritage(def: Declaration["def"]): string {
  const parents = typeof def.extends === "string"
    ? [def.extends]
    : (def.extends ?? []).map(typeText);
  const base = parents.length
    ? ` extends ${parents.join(", ")}${typeArguments(def.superTypeParams)}`
    : "";
  return def.implements ? `${base} implements ${def.implements.map(typeText).join(", ")}` : base;
}

function memberLines(def: Members): string[] {
  const isPublic = ({ accessibility }: Member) => accessibility !== "private";
  return [
    ...(def.constructors ?? []).filter(isPublic).map((m) => `${modifiers(m)}new${signature(m)}`),
    ...(def.callSignatures ?? []).map((m) => signature({ ...m, returnType: m.tsType! })),
    ...(def.indexSignatures ?? []).map((m) =>
      `${modifiers(m)}[${params(m.params)}]${annotation(m.tsType)}`
    ),
    ...(def.properties ?? []).filter(isPublic).map((m) =>
      `${modifiers(m)}${m.name}${mark(m)}${annotation(m.tsType)}`
    ),
    ...(def.methods ?? []).filter(isPublic).map((m) =>
      `${modifiers(m)}${m.name}${mark(m)}${signature(m.functionDef ?? m)}`
    ),
  ];
}

function modifiers(member: Member): string {
  const accessor = member.kind === "getter" ? "get" : member.kind === "setter" ? "set" : undefined;
  return [
    member.accessibility === "public" ? undefined : member.accessibility,
    member.isStatic && "static",
    member.isAbstract && "abstract",
    member.readonly && "readonly",
    accessor,
  ].filter(Boolean).map((word) => `${word} `).join("");
}

function mark({ optional }: Member | Param): string {
  return optional ? "?" : "";
}

function signature(def: Signature): string {
  return `${generics(def.typeParams)}(${params(def.params)})${annotation(def.returnType)}`;
}

function annotation(type: TypeNode | undefined): string {
  return type === undefined ? "" : `: ${typeText(type)}`;
}

function params(list: readonly Param[] = []): string {
  return list.map(paramText).join(", ");
}

function paramText(param: Param): string {
  const { kind, left, arg, name, tsType } = param;
  if (kind === "assign") return paramText({ ...left!, optional: true });
  if (kind === "rest") return `...${paramText(arg!)}${annotation(tsType)}`;
  return `${name ?? (kind === "array" ? "[]" : "{}")}${mark(param)}${annotation(tsType)}`;
}

function generics(list: readonly TypeParam[] = []): string {
  return list.length === 0 ? "" : `<${list.map(typeParamText).join(", ")}>`;
}

function typeParamText({ name, constraint, default: preset }: TypeParam): string {
  const bound = constraint ? ` extends ${typeText(constraint)}` : "";
  return preset ? `${name}${bound} = ${typeText(preset)}` : name + bound;
}

function typeArguments(list: readonly TypeNode[] = []): string {
  return list.length === 0 ? "" : `<${list.map(typeText).join(", ")}>`;
}

/** How each kind of type is written. */
// deno-lint-ignore no-explicit-any -- see TypeNode
const TYPES: Readonly<Record<string, (value: any) => string>> = {
  array: (element) => `${typeText(element)}[]`,
  conditional: (c) =>
    `${typeText(c.checkType)} extends ${typeText(c.extendsType)} ? ${typeText(c.trueType)} : ${
      typeText(c.falseType)
    }`,
  fnOrConstructor: (f) =>
    `${f.constructor === true ? "new " : ""}${generics(f.typeParams)}(${params(f.params)}) => ${
      typeText(f.tsType)
    }`,
  importType: (i) =>
    `import("${i.specifier}")${i.qualifier ? `.${i.qualifier}` : ""}${typeArguments(i.typeParams)}`,
  indexedAccess: (i) => `${typeText(i.objType)}[${typeText(i.indexType)}]`,
  infer: (i) => `infer ${typeParamText(i.typeParam)}`,
  intersection: (list: TypeNode[]) => list.map(typeText).join(" & "),
  keyword: (word) => word,
  literal: literalText,
  mapped: (m) =>
    `{ ${m.readonly ? `${m.readonly === "-" ? "-" : ""}readonly ` : ""}[${m.typeParam.name} in ${
      typeText(m.typeParam.constraint)
    }` +
    `${m.nameType ? ` as ${typeText(m.nameType)}` : ""}]${
      m.optional ? `${m.optional === "-" ? "-" : ""}?` : ""
    }${annotation(m.tsType)} }`,
  optional: (type) => `${typeText(type)}?`,
  parenthesized: (type) => `(${typeText(type)})`,
  rest: (type) => `...${typeText(type)}`,
  this: () => "this",
  tuple: (list: TypeNode[]) => `[${list.map(typeText).join(", ")}]`,
  typeLiteral: (literal) => `{ ${memberLines(literal).join("; ")} }`,
  typeOperator: (o) => `${o.operator} ${typeText(o.tsType)}`,
  typePredicate: (p) =>
    `${p.asserts ? "asserts " : ""}${p.param.name ?? "this"}${
      p.type ? ` is ${typeText(p.type)}` : ""
    }`,
  typeQuery: (name) => `typeof ${name}`,
  typeRef: (ref) => `${ref.typeName}${typeArguments(ref.typeParams)}`,
  union: (list: TypeNode[]) => list.map(typeText).join(" | "),
};

function typeText(type: TypeNode | undefined): string {
  if (type === undefined) return "?";
  return TYPES[type.kind]?.(type.value) ?? JSON.stringify(type);
}

// deno-lint-ignore no-explicit-any -- see TypeNode
function literalText(literal: any): string {
  if (literal.kind === "string") return JSON.stringify(literal.string);
  if (literal.kind === "bigInt") return `${literal.string}n`;
  if (literal.kind !== "template") return String(literal[literal.kind]);
  const part = (type: TypeNode) =>
    type.value?.kind === "string" ? type.value.string : `\${${typeText(type)}}`;
  return `\`${literal.tsTypes.map(part).join("")}\``;
}
