import assert from "node:assert/strict";
import fc from "fast-check";
import {
  BooleanColumn,
  CategoricalColumn,
  columnsIn,
  DataFrame,
  type FilterNode,
  NumericColumn,
  obs,
  parseFilter,
  StringColumn,
  vars,
  where,
} from "../../../data/mod.ts";
import { openFixture } from "../fixtures.ts";

const frame = new DataFrame({
  index: ["r0", "r1", "r2", "r3"],
  columns: {
    tissue: CategoricalColumn.from(["lung", null, "liver", "lung"]),
    cluster: new CategoricalColumn(
      Int32Array.of(0, 1, 1, -1),
      new NumericColumn(Float64Array.of(2, 10), { dtype: "int64" }),
    ),
    n: new NumericColumn(Float64Array.of(1, NaN, 3, 4), {
      dtype: "float64",
      mask: Uint8Array.of(0, 0, 0, 1),
    }),
    kept: new BooleanColumn([true, false, true, true], { mask: Uint8Array.of(0, 0, 0, 1) }),
    note: new StringColumn(["a", "b", "", "d"], { mask: Uint8Array.of(0, 0, 1, 0) }),
    "odd name": new NumericColumn(Float32Array.of(1, 2, 3, 4)),
  },
});

/** Numbers of the rows that a filter keeps. */
async function rows(filter: Parameters<DataFrame["filter"]>[0]): Promise<number[]> {
  return (await frame.filter(filter)).index.map((name) => Number(name.slice(1)));
}

Deno.test("filter() compares every kind of column, and rows without a value differ from every value", async () => {
  const cases: [string, number[]][] = [
    ['tissue == "lung"', [0, 3]],
    ['tissue != "lung"', [1, 2]],
    ['!(tissue == "lung")', [1, 2]],
    ["tissue == null", [1]],
    ["tissue != None", [0, 2, 3]],
    ['tissue in ["liver", null]', [1, 2]],
    ["cluster == 10", [1, 2]],
    ["cluster in [2, 3]", [0]],
    ["n > 0", [0, 2]],
    ["n != 3", [0, 1, 3]],
    ["n == null", [1, 3]],
    ["n in [1, 3, null]", [0, 1, 2, 3]],
    ["kept", [0, 2]],
    ["kept == false", [1]],
    ["!kept", [1, 3]],
    ['note >= "b"', [1, 3]],
    ['note not in ["a"]', [1, 2, 3]],
    ["`odd name` >= 3", [2, 3]],
    ["n == `odd name`", [0, 2]],
    ['index == "r1" || kept && n >= 3', [1, 2]],
    ["(n < 2 | n > 2) & kept", [0, 2]],
    ["1 < n < 4", [2]],
    ["4 > n", [0, 2]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(await rows(text), expected, text);
});

Deno.test("where() takes values as literals, whatever they look like", async () => {
  const value = 'lung" || true || tissue == "';
  assert.deepEqual(await rows(where`tissue == ${value}`), []);
  assert.deepEqual(await rows(where`tissue in ${["lung"]} && n < ${2}`), [0]);
  assert.deepEqual(await rows(where`kept == ${true} and note == ${null}`), [2]);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      const texts = new DataFrame({ index: ["x", "y"] }).with("text", [text, `${text}!`]);
      assert.deepEqual((await texts.filter(where`text == ${text}`)).index, ["x"]);
    }),
    { numRuns: 100 },
  );
  assert.throws(() => where`n == ${{} as never}`, /got object/);
  assert.throws(() => where`n == ${10n as never}`, TypeError);
});

Deno.test("parseFilter() reads quotes, escapes, numbers and names", () => {
  const literal = (text: string) => {
    const { condition } = parseFilter(`a == ${text}`);
    return condition.kind === "compare" && condition.to.kind === "literal" && condition.to.value;
  };
  assert.deepEqual(
    ['"it\'s"', "'a\\'b'", '"\\n\\\\"', "-1.5e3", ".5", "True", "null"].map(literal),
    ["it's", "a'b", "\n\\", -1500, 0.5, true, null],
  );
  assert.deepEqual(columnsIn(parseFilter("leiden_r0.5 == 1 and größe > `b c`").condition), [
    "leiden_r0.5",
    "größe",
    "b c",
  ]);
});

Deno.test("parseFilter() binds not before and before or", () => {
  const shape = (node: FilterNode): string =>
    node.kind === "not"
      ? `!${shape(node.term)}`
      : node.kind === "and" || node.kind === "or"
      ? `(${node.terms.map(shape).join(` ${node.kind} `)})`
      : node.column.name;
  assert.equal(
    shape(parseFilter("a or b and not c == 1 or d").condition),
    "(a or (b and !c) or d)",
  );
  assert.equal(shape(parseFilter("not (a or b) && !!c").condition), "(!(a or b) and c)");
});

Deno.test("parseFilter() points at the place of an error", () => {
  const message = (text: string) => {
    try {
      parseFilter(text);
    } catch (error) {
      assert.ok(error instanceof SyntaxError, text);
      return error.message;
    }
    throw new Error(`parsed: ${text}`);
  };
  assert.equal(
    message('tissue = "lung"'),
    'Cannot parse the filter at character 7 as equality is "==": got "="\n' +
      '  tissue = "lung"\n         ^',
  );
  assert.match(
    message("a == "),
    /at character 5 as a column or a value must come there: got the end/,
  );
  assert.match(message("a == 1 b"), /"and", "or" or the end must come there: got "b"\n.*\n {9}\^/);
  assert.match(message("(a == 1"), /"\)" must come there/);
  assert.match(message('a == "x'), /the quote is not closed/);
  assert.match(message("a in 3"), /a list must come there: got "3"/);
  assert.match(message("a in [1 2]"), /"," or "\]" must come there/);
  assert.match(message("1 == 2"), /a column, on one side at least/);
  assert.match(message("a == 9007199254740993"), /within 2\^53/);
  assert.match(message(""), /got the end/);
  assert.match(message(`${"(".repeat(10_000)}a`), /no more than 200 levels/);
  assert.match(message("a == 1\nand ?"), /\n {2}and \?\n {6}\^/);
});

Deno.test("parseFilter() parses or refuses any text", () => {
  const words = fc.constantFrom(
    "a",
    "==",
    "<",
    "in",
    "not",
    "and",
    "(",
    ")",
    "[",
    "]",
    ",",
    '"x"',
    "1",
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(words).map((list) => list.join(" "))), (text) => {
      try {
        parseFilter(text);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("filter() names the column that is missing or cannot be compared", async () => {
  await assert.rejects(async () => await frame.filter("n > 1 && tisue == 'lung'"), {
    name: "RangeError",
    message:
      'Cannot filter as there is no such column: did you mean "tissue"? available: tissue, ' +
      'cluster, n, kept, note, odd name (column "tisue" at character 9)\n' +
      "  n > 1 && tisue == 'lung'\n           ^",
  });
  for (
    const [text, message] of [
      ["tissue == 3", /must be a string: got 3 \(column "tissue" at character 0\)/],
      ["n == 'x'", /must be a number: got "x"/],
      ["tissue < 'lung'", /categories without an order/],
      ["n < null", /null can be compared by == and != alone/],
      ["n == note", /they are numeric and string/],
      ["note", /must be a string: got true/],
    ] as const
  ) await assert.rejects(async () => await frame.filter(text), { name: "TypeError", message });
});

Deno.test("AnnData.filter() chooses cells and genes, and can be chained", async () => {
  using adata = await openFixture("columns");
  const view = await adata.filter(obs`label == "T"`, vars`mean > ${0.8}`).filter(obs`n_genes < 3`)
    .select({ var: ["MS4A1"] });
  assert.deepEqual([view.obsNames, view.varNames], [["cell3"], ["MS4A1"]]);
  assert.deepEqual([...await view.X!.dense()], [5]);
  assert.throws(() => adata.filter(where`n_genes > 1`), /must be made by obs or vars/);
  await assert.rejects(async () => await adata.filter(obs`mean > 1`), RangeError);
});
