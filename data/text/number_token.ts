/** Numbers out of bytes of text. */

/** What {@linkcode readNumber} found. */
export interface NumberToken {
  /** The number; NaN where there is none. */
  value: number;
  /** Where it ends. */
  end: number;
  /** Whether it is a whole number without a fraction or an exponent. */
  whole: boolean;
}

/** Up to so many digits a sum of digits is exact. */
const EXACT_DIGITS = 15;

/** Powers of ten that are exact. */
const POWERS = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** Whether a byte ends a field: a blank, a tab, a comma, a semicolon, the end of a line. */
function endsField(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13 || byte === 44 || byte === 59;
}

/** The number of a field by the platform's own rules; NaN where it is none. */
function slowNumber(bytes: Uint8Array, at: number, end: number): number {
  const text = new TextDecoder().decode(bytes.subarray(at, end));
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

/** Reads the field at `at` as a decimal number, correctly rounded: exact sums of few digits, else the platform's parser. */
export function readNumber(bytes: Uint8Array, at: number, token: NumberToken): void {
  let end = at, mantissa = 0, digits = 0, scale = 0, fraction = false;
  const first = bytes[at];
  if (first === 45 || first === 43) end++;
  for (; end < bytes.length; end++) {
    const digit = bytes[end]! - 48;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      if (mantissa > 0) digits++;
      if (fraction) scale++;
    } else if (bytes[end] === 46 && !fraction) fraction = true;
    else break;
  }
  const length = end - at - (first === 45 || first === 43 ? 1 : 0) - (fraction ? 1 : 0);
  const plain = end === bytes.length || endsField(bytes[end]!);
  token.whole = plain && !fraction && length > 0;
  if (plain && length > 0 && digits <= EXACT_DIGITS && scale < POWERS.length) {
    const value = scale === 0 ? mantissa : mantissa / POWERS[scale]!;
    token.value = first === 45 ? -value : value;
    token.end = end;
    return;
  }
  while (end < bytes.length && !endsField(bytes[end]!)) end++;
  token.value = slowNumber(bytes, at, end);
  token.end = end;
}
