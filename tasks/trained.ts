/** Models that were trained for a task, with what is needed to use them. */
import type { BinningMode, ScGPT } from "../lib/mod.ts";

/** How cells of a trained model become tokens. */
export interface CellInput {
  /** Names of the genes that the model was trained on. */
  readonly genes: readonly string[];
  /** Value of `<cls>`: 0 in fine-tuning, as published. */
  readonly clsValue: number;
  /** Most tokens of a cell. */
  readonly maxLength: number;
  /** How values become bins. */
  readonly binning: BinningMode;
  /** Whether genes with value zero are tokens too. */
  readonly includeZeroGenes: boolean;
}

/** What a run folder says about its model beside args.json and vocab.json. */
export interface TaskDescription {
  /** Task: "annotate", "integrate" or "pretrain". */
  readonly task: string;
  /** How cells become tokens. */
  readonly input: CellInput;
  /** Class names in the order of the class head. */
  readonly classes?: readonly string[];
  /** Batch names in the order of the batch tables. */
  readonly batches?: readonly string[];
}

/** A model with its description. Own it with `using`: it frees the model. */
export class TrainedModel {
  /** The model. */
  readonly model: ScGPT;
  /** What it was trained for. */
  readonly description: TaskDescription;

  /** Takes over a model. */
  constructor(model: ScGPT, description: TaskDescription) {
    this.model = model;
    this.description = description;
  }

  /** Frees the model. */
  [Symbol.dispose](): void {
    this.model[Symbol.dispose]();
  }
}
