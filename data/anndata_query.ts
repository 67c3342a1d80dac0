/** Choices of cells and genes that have to read before the next one can be made, in a chain. */
import type { AnnData, Selection } from "./anndata.ts";
import type { Filter } from "./filter/template.ts";
import type { Schema } from "./frame/schema.ts";

/**
 * Annotated data that are computed when they are awaited, once:
 * `await adata.filter(filter).select({ var: genes })`.
 */
export class AnnDataQuery<out O extends Schema = Schema, out V extends Schema = Schema>
  implements PromiseLike<AnnData<O, V>> {
  readonly #compute: () => Promise<AnnData<O, V>>;
  #adata: Promise<AnnData<O, V>> | undefined;

  /** Makes a query of what computes its data. */
  constructor(compute: () => Promise<AnnData<O, V>>) {
    this.#compute = compute;
  }

  /** See {@linkcode AnnData.filter}. */
  filter(...filters: readonly Filter[]): AnnDataQuery<O, V> {
    return new AnnDataQuery(async () => await (await this.#once()).filter(...filters));
  }

  /** See {@linkcode AnnData.select}. */
  select(selection: Selection): AnnDataQuery<O, V> {
    return new AnnDataQuery(async () => (await this.#once()).select(selection));
  }

  /** Computes the data. */
  then<A = AnnData<O, V>, B = never>(
    done?: ((adata: AnnData<O, V>) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#once().then(done, failed);
  }

  #once(): Promise<AnnData<O, V>> {
    return this.#adata ??= this.#compute();
  }
}
