/** Connected parts of a graph of cells. */
import type { Neighbors } from "../analysis/knn.ts";

/** Edges of n cells in compressed rows; of a neighbour graph, weights do not matter here. */
export interface CellEdges {
  /** First edge of each cell, and the end [n+1]. */
  readonly indptr: Uint32Array;
  /** Cell that each edge leads to. */
  readonly indices: Uint32Array;
}

/**
 * The directed edges from each cell to its neighbours.
 *
 * @param knn Neighbours of n cells among themselves
 * @returns k edges a cell
 */
export function neighborEdges({ k, indices }: Neighbors): CellEdges {
  return { indptr: Uint32Array.from({ length: indices.length / k + 1 }, (_, i) => i * k), indices };
}

/**
 * Strongly connected components of the subgraph of some cells, by Tarjan's algorithm without recursion. On a symmetric graph they are the
 * connected components.
 *
 * Reference: scipy `connected_components(connection="strong")`.
 *
 * @param graph Edges among n cells
 * @param cells The subgraph's cells
 * @returns Component of each of `cells`, numbered from 0
 */
export function strongComponents(
  { indptr, indices }: CellEdges,
  cells: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const n = indptr.length - 1;
  const place = new Int32Array(n).fill(-1); // of a cell in `cells`
  cells.forEach((cell, at) => place[cell] = at);
  const component = new Uint32Array(cells.length);
  const order = new Int32Array(cells.length).fill(-1), low = new Int32Array(cells.length);
  const next = Uint32Array.from(cells, (cell) => indptr[cell]!);
  const open: number[] = [], path: number[] = [];
  let visited = 0, found = 0;
  const enter = (at: number): void => {
    order[at] = low[at] = visited++;
    open.push(at);
    path.push(at);
  };
  const leave = (at: number): void => {
    if (low[at] === order[at]) {
      for (let member = -1; member !== at;) {
        member = open.pop()!;
        component[member] = found;
        low[member] = cells.length; // closed: no longer lowers others
      }
      found++;
    } else low[path.at(-1)!] = Math.min(low[path.at(-1)!]!, low[at]!);
  };
  for (let root = 0; root < cells.length; root++) {
    if (order[root]! >= 0) continue;
    enter(root);
    while (path.length > 0) {
      const at = path.at(-1)!;
      if (next[at]! < indptr[cells[at]! + 1]!) {
        const to = place[indices[next[at]!++]!]!;
        if (to < 0) continue;
        if (order[to]! < 0) enter(to);
        else if (low[to]! < cells.length) low[at] = Math.min(low[at]!, order[to]!);
      } else {
        path.pop();
        leave(at);
      }
    }
  }
  return component;
}

/**
 * Cells of each component.
 *
 * @param component Result of {@linkcode strongComponents}
 * @returns Size of component 0, 1, 2 ...
 */
export function componentSizes(component: Uint32Array): number[] {
  const sizes: number[] = [];
  for (const number of component) sizes[number] = (sizes[number] ?? 0) + 1;
  return sizes;
}
