// `pnpm chaos`: breaks a house on purpose, and tells whether it kept its promises (CONTRIBUTING.md, "Break it on purpose").
import { commandOf, readArguments, refuseImpossible, usage, UsageError, type ChaosArguments } from './options.ts';
import { impossible } from './possible.ts';
import { invariants, type ChaosResult, type Invariant } from './promises.ts';
import { runChaos } from './run.ts';
import { blowText, roundOf } from './schedule.ts';

/** What a round takes beside its blows, on an idle machine. */
const mendMs = 15_000;

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2), Math.floor(Date.now() / 1000) % 1_000_000);
  if (options.help) {
    console.log(usage);
    return 0;
  }
  if (options.schedule) {
    printSchedule(options);
    return 0;
  }
  refuseImpossible(options, impossible(options.kinds));
  console.log(`seed ${options.seed}, ${options.minutes} min; Ctrl-C ends it in good order`);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort();
      console.log('ending after this round; once more to end at once');
    });
  }
  const result = await runChaos({
    ...options, signal: stopping.signal, say: (line) => console.log(line),
    more: (rounds, elapsedMs) => rounds === 0 || elapsedMs < options.minutes * 60_000,
  });
  printResult(result);
  if (result.breaches.length === 0 && result.doubts.length > 0) {
    console.log(`\nInconclusive: the machine was too busy to tell.\n${result.doubts.map((doubt) => `  ${doubt}`).join('\n')}\nWhen it is idle, run it again with\n  ${commandOf(options)}`);
    return 3;
  }
  if (result.breaches.length === 0) return 0;
  console.log(`\nThe house did not keep its promise. Its logs and database: ${result.evidence}`);
  console.log(`seed ${options.seed}, round ${result.breaches[0]?.round}; run it again with\n  ${commandOf(options)}`);
  return 1;
}

function printSchedule(options: ChaosArguments): void {
  const rounds = Math.max(1, Math.ceil((options.minutes * 60_000) / (options.roundMs + mendMs)));
  for (let number = 1; number <= rounds; number += 1) {
    const round = roundOf(options, number);
    console.log(`round ${number}`);
    for (const blow of round.blows) console.log(`  ${(blow.atMs / 1000).toFixed(1).padStart(5)} s  ${blowText(blow)}`);
    console.log(`  then domus up is ${round.renewal === 'kill' ? 'killed' : 'stopped'}, and started anew`);
  }
}

function printResult({ breaches, doubts, rounds, blows, checked, ends, elapsedMs }: ChaosResult): void {
  console.log(`\n${rounds} rounds in ${Math.round(elapsedMs / 1000)} s`);
  console.log(`blows:  ${[...blows].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  console.log(`calls:  ${[...ends].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`).join(', ')}\n`);
  for (const [invariant, text] of Object.entries(invariants)) {
    const count = breaches.filter((breach) => breach.invariant === invariant).length;
    const isDoubted = doubts.some((doubt) => doubt.startsWith(text));
    console.log(`${count > 0 ? 'BROKEN' : isDoubted ? 'UNSURE' : 'held  '}  ${text}\n        ${checked[invariant as Invariant]}`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
