/** Where a zarr store is written to. */

/** Takes values by key; a Map is one. */
export interface ZarrSink {
  /** Keeps the bytes under a key, in place of what was there. */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): unknown;
}

/** A sink over a folder of the browser's file system. */
export function handleSink(root: FileSystemDirectoryHandle): ZarrSink {
  const folders = new Map<string, Promise<FileSystemDirectoryHandle>>([[
    "",
    Promise.resolve(root),
  ]]);
  const open = (folder: string): Promise<FileSystemDirectoryHandle> => {
    const at = folder.lastIndexOf("/");
    const known = folders.get(folder) ?? open(folder.slice(0, Math.max(0, at)))
      .then((parent) => parent.getDirectoryHandle(folder.slice(at + 1), { create: true }));
    folders.set(folder, known);
    return known;
  };
  return {
    async set(key, bytes) {
      const at = key.lastIndexOf("/");
      const folder = await open(key.slice(0, Math.max(0, at)));
      const handle = await folder.getFileHandle(key.slice(at + 1), { create: true });
      const file = await handle.createWritable();
      try {
        await file.write(bytes);
      } finally {
        await file.close();
      }
    },
  };
}
