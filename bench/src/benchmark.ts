// What a benchmark is: it measures for a while, and gives tables, and plots of some.
import type { Plot } from './plot.ts';
import type { Table } from './table.ts';

export interface BenchmarkOptions {
  /** An empty folder on the disk that is measured. */
  readonly folder: string;
  /** How often everything is measured, in turn, so that what else the machine does hits all alike. */
  readonly rounds: number;
  /** How long one measurement takes; where there is a cold part and a warm one, each. */
  readonly seconds: number;
  /** How many requests the cold part of a load has, the first that a broker gets. */
  readonly coldRequests: number;
  /** For who waits. */
  readonly tell: (text: string) => void;
}

export interface Benchmark {
  /** What it measures, in a line. */
  readonly summary: string;
  /** Where the command line says nothing else. */
  readonly rounds: number;
  readonly seconds: number;
  readonly run: (options: BenchmarkOptions) => Promise<Measured>;
}

export interface Measured {
  readonly tables: readonly Table[];
  readonly plots?: readonly Plot[];
}
