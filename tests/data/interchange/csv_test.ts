import assert from "node:assert/strict";
import fc from "fast-check";
import { csvStream, readCsv, readCsvChunks, toCsv } from "../../../data/interchange/csv.ts";
import { DataFrame, StringColumn } from "../../../data/mod.ts";
import { TempFolder } from "../fixtures.ts";
import { assertColumn, frameOf, recorded, type RecordedTable } from "../frame/recorded.ts";
import { assertSameFrame, everyKind } from "./kinds.ts";

/** A stream of pieces of so many bytes. */
function streamOf(text: string, size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  const count = Math.ceil(bytes.length / size);
  const pieces = Array.from({ length: count }, (_, k) => bytes.slice(k * size, (k + 1) * size));
  return ReadableStream.from(pieces);
}

Deno.test("readCsv() reads what pandas wrote", async () => {
  const fixture = await recorded<{ frame: RecordedTable; csv: string }>("pandas");
  const schema = { cell_type: "categorical" } as const;
  const read: DataFrame = await readCsv(new Blob([fixture.csv]), { schema });
  assert.deepEqual(read.index, fixture.frame.index);
  const expected = frameOf(fixture.frame);
  for (const name of expected.columns()) {
    const { values } = fixture.frame.columns[name]!;
    assertColumn(await read.column(name), { dtype: "any", values } as never, name);
  }
  assert.equal((await read.column("rank", "int64")).at(4), null);
});

Deno.test("readCsv() gives back what toCsv() wrote where the schema says the types", async () => {
  const all = everyKind();
  const frame = all.select(
    all.columns().filter((name) => !["label", "cluster", "remark", "note"].includes(name)),
  );
  const schema = Object.fromEntries(
    frame.columns().map((name) => {
      const type = name.replace("_masked", "").replace("gaps", "float64");
      return [name, (/kept|checked/.test(type) ? "boolean" : type) as "int8"] as const;
    }),
  );
  const text = await toCsv(frame);
  await assertSameFrame(await readCsv(new Blob([text]), { schema, index: "cell" }), frame);
});

Deno.test("readCsv() finds types", async () => {
  const text = "id,whole,float,truth,text,none,huge\n" +
    "a,1,1e3,True,x,NA,9007199254740993\n\nb,,NaN,false,1x,,2\r\n".replace("\r", "");
  const frame = await readCsv(new Blob([text]), { index: "id" });
  assert.deepEqual(await frame.toRecords({ index: "id" }), [
    {
      id: "a",
      whole: 1,
      float: 1000,
      truth: true,
      text: "x",
      none: null,
      huge: "9007199254740993",
    },
    { id: "b", whole: null, float: NaN, truth: false, text: "1x", none: null, huge: "2" },
  ]);
  assert.equal((await frame.column("whole", "int64")).dtype, "int64");
  const plain = await readCsv(new Blob(["a\tb\n1\t2\n"]), { delimiter: "\t" });
  assert.deepEqual([plain.index, plain.columns()], [["0"], ["a", "b"]]);
});

Deno.test("readCsv() reads any fields, cut anywhere, with any line ends", async () => {
  const field = fc.oneof(
    fc.string({ unit: "grapheme-ascii" }),
    fc.constantFrom('"', ",", "a\nb", 'x""y', "ü😀", " "),
  ).filter((text) => !text.includes("\r"));
  const table = fc.array(fc.array(field, { minLength: 3, maxLength: 3 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 40 }), async (rows, size) => {
      const columns = ["a", "b", "c"].map((name, k) =>
        [name, new StringColumn(rows.map((row) => row[k]!))] as const
      );
      const index = rows.map((_, row) => `r${row}`);
      const frame = new DataFrame({ index, columns: Object.fromEntries(columns) });
      const schema = { a: "string", b: "string", c: "string" } as const;
      const read = await readCsv(streamOf(await toCsv(frame), size), { schema, missing: [] });
      const fields = (await read.toRecords()).map(({ a, b, c }) => [a ?? "", b ?? "", c ?? ""]);
      assert.deepEqual(fields, rows);
    }),
    { numRuns: 200 },
  );
  const windows = 'a,b\r\n1,"x\r\ny"\r\n2,z';
  for (const size of [1, 2, 3, 5, 100]) {
    const read = await readCsv(streamOf(windows, size));
    assert.deepEqual(await read.toRecords(), [{ a: 1, b: "x\r\ny" }, { a: 2, b: "z" }]);
  }
});

Deno.test("readCsvChunks() gives pieces, and csvStream() what they are made of", async () => {
  const index = Array.from({ length: 25_000 }, (_, row) => `c${row}`);
  const frame = new DataFrame({ index }).with("n", Int32Array.from(index.keys()));
  using folder = new TempFolder();
  const path = folder.file("cells.tsv.gz");
  const packed = csvStream(frame, { delimiter: "\t" }).pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(path, packed);
  const pieces = await Array.fromAsync(
    readCsvChunks(path, { rows: 10_000, schema: { n: "int32" } }),
  );
  assert.deepEqual(pieces.map(({ length }) => length), [10_000, 10_000, 5_000]);
  assert.deepEqual([...(await pieces[2]!.column("n")).data.slice(0, 2)], [20_000, 20_001]);
  assert.equal(pieces[1]!.index[0], "c10000");
});

Deno.test("readCsv() says which row and column it cannot read", async () => {
  const read = (text: string, options = {}) => readCsv(new Blob([text]), options);
  await assert.rejects(read("a,b\n1,2\n3\n"), {
    name: "SyntaxError",
    message: "Cannot read row 1 of the text as it must have 2 fields: got 1",
  });
  await assert.rejects(read('a,b\n1,"2\n'), { name: "SyntaxError", message: /row 1 .*[Qq]uote/ });
  await assert.rejects(read("a\n1\nx\n", { schema: { a: "int32" } }), {
    name: "RangeError",
    message: 'Cannot read row 1 of the column "a" as it must be int32: got "x"',
  });
  await assert.rejects(read("a\n300\n", { schema: { a: "uint8" } }), /must be uint8: got "300"/);
  await assert.rejects(read("a\nmaybe\n", { schema: { a: "boolean" } }), /must be boolean/);
  await assert.rejects(read("a,a\n1,2\n"), /must not repeat: got "a" twice/);
  await assert.rejects(read("a\n1\n", { index: "b" }), /column "b" as there is none/);
  await assert.rejects(read(""), /must have a heading/);
});
