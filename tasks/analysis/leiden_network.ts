/** The graphs that Leiden clustering works on: that of the cells, and those of its groups of cells. */

/** A symmetric weighted graph of n nodes in compressed rows; edges inside a node are left out, but count in its strength. */
export interface Network {
  /** n. */
  readonly n: number;
  /** First edge of each node, and the end [n+1]. */
  readonly indptr: Uint32Array;
  /** The other node of each edge. */
  readonly indices: Uint32Array;
  /** Weight of each edge, above 0. */
  readonly weights: Float32Array | Float64Array;
  /** Sum of the weights of all edges of each node's cells [n]. */
  readonly strength: Float64Array;
  /** Sum of the strengths: twice the total weight. */
  readonly total: number;
}

/** Groups of nodes, numbered from 0 without gaps. */
export interface Groups {
  /** Group of each node [n]. */
  readonly of: Uint32Array<ArrayBuffer>;
  /** Number of groups. */
  readonly count: number;
}

/**
 * Numbers groups from 0 in the order in which they first appear.
 *
 * @param of Group of each node, any number
 * @returns The same groups without gaps
 */
export function compact(of: Uint32Array): Groups {
  const numbers = new Map<number, number>();
  const compacted = new Uint32Array(of.length);
  for (let node = 0; node < of.length; node++) {
    let number = numbers.get(of[node]!);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(of[node]!, number);
    }
    compacted[node] = number;
  }
  return { of: compacted, count: numbers.size };
}

/**
 * The graph whose nodes are groups of nodes: weights between two groups add up.
 *
 * @param network Graph of the nodes
 * @param groups Groups of its nodes
 * @returns Graph of the groups
 */
export function aggregate(network: Network, groups: Groups): Network {
  const { of, count } = groups;
  const strength = new Float64Array(count), weightTo = new Float64Array(count);
  for (let node = 0; node < network.n; node++) strength[of[node]!]! += network.strength[node]!;
  const { indptr: first, members } = membersOf(groups);
  const indptr = new Uint32Array(count + 1);
  const indices = new Uint32Array(network.indices.length);
  const weights = new Float64Array(network.indices.length);
  let end = 0;
  for (let group = 0; group < count; group++) {
    const start = end;
    for (let place = first[group]!; place < first[group + 1]!; place++) {
      const node = members[place]!;
      for (let at = network.indptr[node]!; at < network.indptr[node + 1]!; at++) {
        const other = of[network.indices[at]!]!;
        if (other === group) continue;
        if (weightTo[other] === 0) indices[end++] = other;
        weightTo[other]! += network.weights[at]!;
      }
    }
    for (let at = start; at < end; at++) {
      weights[at] = weightTo[indices[at]!]!;
      weightTo[indices[at]!] = 0;
    }
    indptr[group + 1] = end;
  }
  const { total } = network;
  return {
    n: count,
    indptr,
    indices: indices.slice(0, end),
    weights: weights.slice(0, end),
    strength,
    total,
  };
}

/** The nodes of each group, one group after the other. */
function membersOf({ of, count }: Groups): { indptr: Uint32Array; members: Uint32Array } {
  const indptr = new Uint32Array(count + 1);
  for (const group of of) indptr[group + 1]! += 1;
  for (let group = 0; group < count; group++) indptr[group + 1]! += indptr[group]!;
  const next = indptr.slice(), members = new Uint32Array(of.length);
  of.forEach((group, node) => members[next[group]!++] = node);
  return { indptr, members };
}
