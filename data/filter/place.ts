/** Messages that point into the text of a filter. */

/** A message with the line of the text under it and a mark at the place. */
export function pointAt(message: string, text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const end = text.indexOf("\n", at);
  const line = text.slice(start, end < 0 ? text.length : end);
  return `${message}\n  ${line}\n  ${" ".repeat(at - start)}^`;
}
