import { describe, expect, it } from 'vitest';
import { emittedName, finishEmitted, unfinishedLines } from './emitted.ts';

const entries = new Map([['@majordomus/mq', 'libs/mq/src/index.js'], ['@majordomus/runtime', 'libs/runtime/src/index.js']]);
const finished = (text: string, path = 'apps/cli/src/commands/up.js'): string => finishEmitted(text, path, entries);

describe('an emitted file', () => {
  it('imports the libraries by their place in the package', () => {
    expect(finished(`import { Client } from '@majordomus/mq';`)).toBe(`import { Client } from '../../../../libs/mq/src/index.js';`);
    expect(finished(`export * from "@majordomus/mq";`, 'libs/mq/src/a.js')).toBe(`export * from "./index.js";`);
    expect(finished(`let x: import("@majordomus/runtime").Log;`, 'libs/mq/src/a.d.ts')).toBe(`let x: import("../../runtime/src/index.js").Log;`);
    expect(finished(`import {\n  a,\n} from '@majordomus/runtime';`, 'apps/broker/src/main.js')).toBe(`import {\n  a,\n} from '../../../libs/runtime/src/index.js';`);
  });

  it('keeps the names of other packages, and of what is only written about', () => {
    for (const kept of [
      `import { z } from 'zod';`,
      `import { definePlugin } from '@majordomus/plugin';`,
      ` * import { Client } from '@majordomus/mq';`,
      `if (specifier === '@majordomus/mq') return;`,
    ]) expect(finished(kept)).toBe(kept);
  });

  it('names what was made of a source, in declarations and beside a module', () => {
    expect(finished(`export { a } from './a.ts';`, 'libs/mq/src/index.d.ts')).toBe(`export { a } from './a.js';`);
    expect(finished(`new Worker(new URL('./store-thread.ts', import.meta.url), {})`)).toBe(`new Worker(new URL('./store-thread.js', import.meta.url), {})`);
    expect(finished('new URL(`../../${part}/src/main.ts`, import.meta.url)')).toBe('new URL(`../../${part}/src/main.js`, import.meta.url)');
  });

  it('is not finished while it would look for a source', () => {
    const line = `[\`../\${part}/main.ts\`].map((path) => new URL(path, import.meta.url));`;
    expect(unfinishedLines(`const a = 1;\n${line}\n`)).toEqual([line]);
    expect(unfinishedLines(finished(`new URL('./a.ts', import.meta.url); \nimport.meta.url.endsWith('.ts');\nwrite('main.ts');`))).toEqual([]);
  });
});

it('a program in a manifest is what was made of it, unless it is none of ours', () => {
  expect([emittedName('src/main.ts'), emittedName('main.mjs')]).toEqual(['src/main.js', 'main.mjs']);
});
