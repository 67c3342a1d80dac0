/**
 * The messages of object headers of version 1, which describe data sets in files of the oldest and most common form. File format:
 * https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, "Version 1 Data Object Header Prefix".
 */

/** Kinds of messages. */
export const MESSAGE = { datatype: 0x0003 } as const;

const CONTINUATION = 0x0010;

/** Reads bytes of a file. */
export type ReadBytes = (at: number, length: number) => DataView;

/** A message of a header. */
export interface HeaderMessage {
  /** Its kind. */
  readonly type: number;
  /** Place of its content. */
  readonly at: number;
  /** Bytes of its content. */
  readonly length: number;
}

/** The messages of an object header; none where it is of another version. */
export function* headerMessages(read: ReadBytes, header: number): Generator<HeaderMessage> {
  const prefix = read(header, 16);
  if (prefix.getUint8(0) !== 1) return;
  const blocks = [{ at: header + 16, length: prefix.getUint32(8, true) }];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const view = read(block.at, block.length);
    for (let at = 0; at + 8 <= block.length;) {
      const [type, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
      yield { type, at: block.at + at + 8, length };
      if (type === CONTINUATION) {
        blocks.push({
          at: Number(view.getBigUint64(at + 8, true)),
          length: Number(view.getBigUint64(at + 16, true)),
        });
      }
      at += 8 + length;
    }
  }
}
