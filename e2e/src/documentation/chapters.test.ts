// Every example of the documentation is run, a chapter at a time (CONTRIBUTING.md, "Examples of the documentation").
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { Chapter } from './chapter.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const chapters = ['README.md', ...readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`), ...globSync('plugins/*/README.md', { cwd: root })];
const chapterLimitMs = 300_000;

describe('every example runs in', { concurrent: true }, () => {
  for (const chapter of chapters) {
    it(chapter, async () => {
      await Chapter.run(chapter, readFileSync(join(root, chapter), 'utf8'));
    }, chapterLimitMs);
  }
});
