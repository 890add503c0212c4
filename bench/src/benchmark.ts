// What a benchmark is: it measures for a while on a disk of its own folder, and gives tables.
import type { Table } from './table.ts';

export interface BenchmarkOptions {
  /** An empty folder on the disk that is measured. */
  readonly folder: string;
  /** How often everything is measured, in turn, so that what else the machine does hits all alike. */
  readonly rounds: number;
  /** How long one measurement takes. */
  readonly seconds: number;
  /** For who waits. */
  readonly tell: (text: string) => void;
}

export interface Benchmark {
  /** What it measures, in a line. */
  readonly summary: string;
  readonly run: (options: BenchmarkOptions) => Promise<readonly Table[]>;
}
