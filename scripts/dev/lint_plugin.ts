/** Rules of this repository for `deno lint`, so that editors show them as well. */
import { isAbsolute, join, relative } from "node:path";

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;
const MAX_POSITIONAL = 4;

const ROOT = join(import.meta.dirname!, "../..");

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

function inFolder(filename: string, ...folders: string[]): boolean {
  const path = isAbsolute(filename) ? relative(ROOT, filename) : filename;
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

function lineCount(text: string): number {
  return text.trimEnd().split("\n").length;
}

/** Core files also run in a page: only *_deno.ts files, scripts and tests may know Deno. */
const webOnly: Deno.lint.Rule = {
  create(context) {
    if (context.filename.endsWith("_deno.ts") || inFolder(context.filename, "scripts", "tests")) {
      return {};
    }
    return {
      "Identifier[name='Deno']"(node: Deno.lint.Identifier) {
        const { parent } = node;
        if (parent.type === "UnaryExpression" && parent.operator === "typeof") return;
        context.report({
          node,
          message: "Deno.* belongs in a *_deno.ts file: this one also runs in a page",
        });
      },
    };
  },
};

/** A library prints nothing; scripts and tests may. */
const noConsole: Deno.lint.Rule = {
  create(context) {
    if (inFolder(context.filename, "scripts", "tests")) return {};
    return {
      "MemberExpression[object.name='console']"(node: Deno.lint.MemberExpression) {
        context.report({ node, message: "The library does not print: return the fact or throw" });
      },
    };
  },
};

const fileLength: Deno.lint.Rule = {
  create(context) {
    return {
      Program(node) {
        const lines = lineCount(context.sourceCode.text);
        const lists = node.body.every(({ type }) => type === "ExportNamedDeclaration"); // a mod.ts
        if (lines <= MAX_FILE_LINES || lists && context.filename.endsWith("mod.ts")) return;
        context.report({
          node,
          message: `A file has at most ${MAX_FILE_LINES} lines: got ${lines}`,
        });
      },
    };
  },
};

const functionLength: Deno.lint.Rule = {
  create(context) {
    if (inFolder(context.filename, "tests")) return {};
    const check = (node: FunctionNode) => {
      const lines = lineCount(context.sourceCode.getText(node));
      if (lines <= MAX_FUNCTION_LINES) return;
      context.report({
        node,
        message: `A function has at most ${MAX_FUNCTION_LINES} lines: got ${lines}`,
      });
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};

/** Exported functions take at most 4 positional parameters, then an options object. */
const fewParameters: Deno.lint.Rule = {
  create(context) {
    return {
      "ExportNamedDeclaration > FunctionDeclaration"(node: Deno.lint.FunctionDeclaration) {
        const positional = node.params.filter((param) => !isOptions(param)).length;
        if (positional <= MAX_POSITIONAL) return;
        context.report({
          node,
          message:
            `An exported function has at most ${MAX_POSITIONAL} positional parameters: got ${positional}`,
          hint: "Gather the rest in a last parameter named options",
        });
      },
    };
  },
};

function isOptions(param: Deno.lint.Parameter): boolean {
  if (param.type === "AssignmentPattern") return isOptions(param.left as Deno.lint.Parameter);
  return param.type === "ObjectPattern" || param.type === "Identifier" && param.name === "options";
}

const plugin: Deno.lint.Plugin = {
  name: "scgpt",
  rules: {
    "web-only": webOnly,
    "no-console": noConsole,
    "file-length": fileLength,
    "function-length": functionLength,
    "few-parameters": fewParameters,
  },
};
export default plugin;
