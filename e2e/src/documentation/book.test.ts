// The documentation as a book: every chapter is listed in the README, each leads to the next, and no link leads nowhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const chapters = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')).map((file) => `docs/${file}`);
const pages = ['README.md', 'CONTRIBUTING.md', ...chapters];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const prose = (page: string): string => read(page).replaceAll(/^ *```[^]*?^ *```/gm, '');

/** The order of the README's list. */
const listed = [...(read('README.md').split('\n## Read on\n')[1] ?? '').matchAll(/^- \[(docs\/[^\]]+\.md)\]/gm)].map(([, page = '']) => page);

/** As GitHub makes an anchor of a heading. */
function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

it('the README lists every chapter', () => {
  expect(listed.toSorted()).toEqual(chapters.toSorted());
});

it.each(listed.map((page, index) => [page, listed[index + 1] ?? 'README.md'] as const))('%s ends with a link to %s', (page, next) => {
  expect(read(page).trimEnd().split('\n').at(-1)).toContain(`](${relative(dirname(page), next)})`);
});

describe('every link leads somewhere in', () => {
  it.each(pages)('%s', (page) => {
    const links = [...prose(page).matchAll(/\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)/g)].map(([, file = '', anchor = '']) => ({ file, anchor }));
    for (const { file, anchor } of links) {
      const target = file === '' ? page : relative(root, resolve(root, dirname(page), file));
      expect(existsSync(join(root, target)), `${page} links to ${file}`).toBe(true);
      if (anchor !== '') expect(anchors(target), `${page} links to ${target}#${anchor}`).toContain(anchor);
    }
  });
});
