/** Checksums of 32 bits by table: the reflected form of RFC 1952, section 8, for any polynomial. */
function checksum(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
  return (bytes) => {
    let value = 0xffffffff;
    for (let k = 0; k < bytes.length; k++) {
      value = table[(value ^ bytes[k]!) & 0xff]! ^ (value >>> 8);
    }
    return (value ^ 0xffffffff) >>> 0;
  };
}

/** CRC-32, as ZIP files have it. */
export const crc32: (bytes: Uint8Array) => number = checksum(0xedb88320);

/** CRC-32C (Castagnoli), as zarr's shards have it: RFC 3720, appendix B.4. */
export const crc32c: (bytes: Uint8Array) => number = checksum(0x82f63b78);
