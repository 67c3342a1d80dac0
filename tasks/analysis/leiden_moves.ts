/** The two searches of a Leiden pass: nodes move between clusters, and clusters are taken apart and joined again. */
import type { RandomStream } from "../../gpu/mod.ts";
import type { Network } from "./leiden_network.ts";

/** What all steps of one search share. */
export interface Search {
  /** Resolution over the total strength: what a cluster's unit of strength costs. */
  readonly perStrength: number;
  /** Draws. */
  readonly random: RandomStream;
  /** To be awaited now and then. */
  readonly turn: () => Promise<void>;
}

/** Nodes between two looks at the clock. */
const NODES_A_TURN = 1024;
/** Gain, as a share of a node's strength, that is only rounding. */
const ROUNDING = 1e-10;
/** Randomness of joining, in units of weight; the paper's. */
const THETA = 0.01;

/**
 * Moves each node to the neighbouring cluster, or the new one, with the largest gain, until no node gains; nodes whose neighbours moved
 * are looked at again.
 *
 * Reference: Traag et al. 2019, `MoveNodesFast`.
 *
 * @param network Graph
 * @param start Cluster of each node, below n
 * @param search Price of strength, draws, pauses
 * @returns Cluster of each node, below n
 */
export async function moveNodes(
  network: Network,
  start: Uint32Array,
  { perStrength, random, turn }: Search,
): Promise<Uint32Array<ArrayBuffer>> {
  const { n, indptr, indices, strength } = network;
  const clusters = start.slice();
  const held = new Float64Array(n), sizes = new Uint32Array(n);
  for (let node = 0; node < n; node++) {
    held[clusters[node]!]! += strength[node]!;
    sizes[clusters[node]!]! += 1;
  }
  const empty = Array.from({ length: n }, (_, cluster) => cluster).filter((c) => sizes[c] === 0);
  const around = new Surroundings(n);
  const queue = shuffled(n, random), waiting = new Uint8Array(n).fill(1);
  for (let head = 0, left = n, done = 0; left > 0; left--, done++) {
    if (done % NODES_A_TURN === 0) await turn();
    const node = queue[head]!, own = clusters[node]!;
    head = head + 1 === n ? 0 : head + 1;
    waiting[node] = 0;
    around.look(network, clusters, node);
    held[own]! -= strength[node]!;
    const { cluster, gain } = bestCluster(around, held, {
      own,
      strength: strength[node]!,
      perStrength,
    });
    const best = gain < 0 && sizes[own]! > 1 ? empty.pop()! : cluster; // in a new cluster the gain is 0
    held[best]! += strength[node]!;
    if (best === own) continue;
    clusters[node] = best;
    sizes[best]! += 1;
    sizes[own]! -= 1;
    if (sizes[own] === 0) empty.push(own);
    for (let at = indptr[node]!; at < indptr[node + 1]!; at++) {
      const other = indices[at]!;
      if (clusters[other] === best || waiting[other] === 1) continue;
      waiting[other] = 1;
      queue[(head + left - 1) % n] = other;
      left++;
    }
  }
  return clusters;
}

/** The cluster that a node, which none holds at the moment, gains most from; its own among equals. */
function bestCluster(
  { clusters, weightTo }: Surroundings,
  held: Float64Array,
  { own, strength, perStrength }: { own: number; strength: number; perStrength: number },
): { cluster: number; gain: number } {
  const cost = perStrength * strength;
  let best = own, gain = weightTo[own]! - cost * held[own]! + ROUNDING * strength;
  for (const cluster of clusters) {
    const candidate = weightTo[cluster]! - cost * held[cluster]!;
    if (cluster !== own && candidate > gain) [best, gain] = [cluster, candidate];
  }
  return { cluster: best, gain };
}

/**
 * Takes every cluster apart and joins its nodes again, at random among the joins that lose nothing, so that each part is well connected.
 *
 * Reference: Traag et al. 2019, `RefinePartition`.
 *
 * @param network Graph
 * @param clusters Cluster of each node, below n
 * @param search Price of strength, draws, pauses
 * @returns Part of each node, below n; no part spans two clusters
 */
export async function refine(
  network: Network,
  clusters: Uint32Array,
  { perStrength, random, turn }: Search,
): Promise<Uint32Array<ArrayBuffer>> {
  const { n, strength } = network;
  const parts = Uint32Array.from({ length: n }, (_, node) => node);
  const inCluster = new Float64Array(n); // strength of each cluster
  for (let node = 0; node < n; node++) inCluster[clusters[node]!]! += strength[node]!;
  const held = strength.slice(), sizes = new Uint32Array(n).fill(1); // of each part
  const links = linksInside(network, clusters); // of each part to the rest of its cluster
  const wellConnected = (part: number, all: number) =>
    links[part]! >= perStrength * held[part]! * (all - held[part]!);
  const around = new Surroundings(n);
  for (const [done, node] of shuffled(n, random).entries()) {
    if (done % NODES_A_TURN === 0) await turn();
    const all = inCluster[clusters[node]!]!;
    if (sizes[node] !== 1 || parts[node] !== node || !wellConnected(node, all)) continue;
    around.look(network, parts, node);
    const open = around.clusters.filter((part) =>
      part !== node && clusters[part] === clusters[node] && wellConnected(part, all)
    );
    const gains = open.map((part) =>
      around.weightTo[part]! - perStrength * strength[node]! * held[part]!
    );
    const part = draw([node, ...open], [0, ...gains], random);
    if (part === node) continue;
    parts[node] = part;
    held[part]! += strength[node]!;
    sizes[part]! += 1;
    sizes[node] = 0;
    links[part]! += links[node]! - 2 * around.weightTo[part]!;
  }
  return parts;
}

/** Weights of one node's edges, by the cluster that they lead to. */
class Surroundings {
  /** Clusters that the node has an edge to. */
  clusters: number[] = [];
  /** Weight to each cluster [n]; 0 for all others. */
  readonly weightTo: Float64Array;

  constructor(n: number) {
    this.weightTo = new Float64Array(n);
  }

  look({ indptr, indices, weights }: Network, clusters: Uint32Array, node: number): void {
    for (const cluster of this.clusters) this.weightTo[cluster] = 0;
    this.clusters = [];
    for (let at = indptr[node]!; at < indptr[node + 1]!; at++) {
      const cluster = clusters[indices[at]!]!;
      if (this.weightTo[cluster] === 0) this.clusters.push(cluster);
      this.weightTo[cluster]! += weights[at]!;
    }
  }
}

/** Weight of each node's edges that stay in its cluster. */
function linksInside(
  { n, indptr, indices, weights }: Network,
  clusters: Uint32Array,
): Float64Array {
  const links = new Float64Array(n);
  for (let node = 0; node < n; node++) {
    for (let at = indptr[node]!; at < indptr[node + 1]!; at++) {
      if (clusters[indices[at]!] === clusters[node]) links[node]! += weights[at]!;
    }
  }
  return links;
}

/** One of the choices whose gain is not negative, with probability proportional to exp(gain / theta). */
function draw(choices: readonly number[], gains: readonly number[], random: RandomStream): number {
  const best = Math.max(...gains);
  const shares = gains.map((gain) => gain < 0 ? 0 : Math.exp((gain - best) / THETA));
  let left = random.next() * shares.reduce((sum, share) => sum + share, 0);
  for (const [at, share] of shares.entries()) {
    left -= share;
    if (left < 0) return choices[at]!;
  }
  return choices[gains.indexOf(best)]!; // rounding left nothing
}

/** 0 .. n-1 in random order. */
function shuffled(n: number, random: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, at) => at);
  for (let last = n - 1; last > 0; last--) {
    const at = random.below(last + 1);
    [order[last], order[at]] = [order[at]!, order[last]!];
  }
  return order;
}
