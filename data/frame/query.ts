/** Verbs that have to read before the next one can be called, in a chain. */
import type { DataFrame } from "../dataframe.ts";
import type { Filter } from "../filter/template.ts";
import type { NameOf, Schema } from "./schema.ts";
import type { SortOptions } from "./sort.ts";

/**
 * A frame that is computed when it is awaited: `await obs.filter("n_genes > 200").sort("n_genes").head()`. It is
 * computed once.
 */
export class FrameQuery<out S extends Schema = Schema> implements PromiseLike<DataFrame<S>> {
  readonly #compute: () => Promise<DataFrame<S>>;
  #frame: Promise<DataFrame<S>> | undefined;

  /** Makes a query of what computes its frame. */
  constructor(compute: () => Promise<DataFrame<S>>) {
    this.#compute = compute;
  }

  /** See {@linkcode DataFrame.filter}. */
  filter(filter: Filter | string): FrameQuery<S> {
    return new FrameQuery(async () => await (await this.#once()).filter(filter));
  }

  /** See {@linkcode DataFrame.sort}. */
  sort(by: NameOf<S> | readonly NameOf<S>[], options: SortOptions = {}): FrameQuery<S> {
    return new FrameQuery(async () => await (await this.#once()).sort(by, options));
  }

  /** See {@linkcode DataFrame.select}. */
  select<const N extends NameOf<S>, R extends Schema = Pick<S, N>>(
    names: readonly N[],
  ): FrameQuery<NoInfer<R>> {
    return new FrameQuery(async () => (await this.#once()).select<N, R>(names));
  }

  /** See {@linkcode DataFrame.head}. */
  head(rows?: number): FrameQuery<S> {
    return new FrameQuery(async () => await (await this.#once()).head(rows));
  }

  /** See {@linkcode DataFrame.tail}. */
  tail(rows?: number): FrameQuery<S> {
    return new FrameQuery(async () => await (await this.#once()).tail(rows));
  }

  /** Computes the frame. */
  then<A = DataFrame<S>, B = never>(
    done?: ((frame: DataFrame<S>) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#once().then(done, failed);
  }

  #once(): Promise<DataFrame<S>> {
    return this.#frame ??= this.#compute();
  }
}
