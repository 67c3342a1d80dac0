import assert from "node:assert/strict";
import fc from "fast-check";
import { loess } from "../../../../lib/input/preprocess/loess.ts";
import { largestError } from "./recorded.ts";

const X = Float64Array.from({ length: 20 }, (_, i) => i ** 1.5);
const Y = Float64Array.from(X, (_, i) => (i * i * 7) % 11);

const SPAN_030 = [
  1.4245027391943168,
  4.344069498395775,
  7.540438701174173,
  7.203218318048549,
  4.058957785078277,
  8.017789850182018,
  8.904347434882212,
  5.066564753377451,
  5.56488670436646,
  7.602760063543083,
  4.613453300676209,
  3.2494651835016928,
  4.527653968740351,
  7.642998869474647,
  5.540609818820841,
  5.303828639725722,
  8.32914431803457,
  8.352821628204083,
  6.628920646364953,
  6.463283390224233,
];
const SPAN_075 = [
  4.090622178207678,
  4.425328069395779,
  4.982467469720494,
  5.584240786106257,
  6.153583670900713,
  6.583366759395994,
  6.802390517351821,
  6.845488482056684,
  6.321510064467835,
  5.574847962696554,
  5.224454641040148,
  4.991099189079529,
  4.974771817273619,
  5.486579380641547,
  6.073821313760487,
  6.321910040133508,
  6.549975932126588,
  6.693468798838129,
  6.720560896381018,
  6.640144885840676,
];

Deno.test("loess() gives scikit-misc's fitted values", () => {
  // loess(x, y, span=0.3, degree=2) and span=0.75 of scikit-misc 0.5.3.
  assert.ok(largestError(loess(X, Y), SPAN_030) < 1e-13);
  assert.ok(largestError(loess(X, Y, { span: 0.75 }), SPAN_075) < 1e-13);
});

Deno.test("loess() does not depend on the order of the points", () => {
  const fitted = loess(X, Y);
  assert.deepEqual(loess(X.toReversed(), Y.toReversed()), fitted.toReversed());
});

Deno.test("loess() reproduces a quadratic, through ties that scikit-misc refuses too", () => {
  const ties = fc.array(fc.integer({ min: -4, max: 8 }), { minLength: 30, maxLength: 200 });
  fc.assert(fc.property(ties, (places) => {
    fc.pre(new Set(places).size > 3);
    const x = Float64Array.from(places), y = x.map((value) => 1 - value + 0.25 * value ** 2);
    const fitted = loess(x, y, { span: 0.2 });
    // The cubic between vertices has a quadratic's values and slopes.
    assert.ok(largestError(fitted, y) < 1e-6, `${largestError(fitted, y)}`);
  }));
});

Deno.test("loess() fits where more than the span's share of points lie at one x", () => {
  const x = Float64Array.from({ length: 100 }, (_, i) => Math.max(0, i - 60));
  const fitted = loess(x, x.map((value) => 3 + 2 * value));
  assert.ok(largestError(fitted, x.map((value) => 3 + 2 * value)) < 1e-9);
});

Deno.test("loess() refuses too few different points, a bad span and unknown options", () => {
  const few = Float64Array.of(1, 1, 2, 2, 3, 3);
  assert.throws(() => loess(few, few), /more than 3 different x: got 3 of 6 points/);
  assert.throws(() => loess(X, Y, { span: 0 }), /span must be in \(0, 1\]: got 0/);
  assert.throws(() => loess(X, Y, { spam: 1 } as object), /did you mean "span"/);
});
