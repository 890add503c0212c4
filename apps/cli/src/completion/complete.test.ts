import { afterAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '../program.ts';
import { complete } from './complete.ts';

describe('without a house', async () => {
  const home = mkdtempSync(join(tmpdir(), 'domus-complete-'));
  afterAll(() => rmSync(home, { recursive: true }));
  const program = await buildProgram();

  it.each([
    ['pl', /^plugin\t/],
    ['plugin un', /^uninstall\t.+$/],
    ['call igor.diskfree helper.', /^helper\.list\t.+\nhelper\.help\t.+\nhelper\.do\t.+$/],
    ['call dbmgr config.g', /^config\.get\t/],
    ['call igor.manager plugin.sto', /^plugin\.stop\t/],
    ['call igor.diskfree helper.do ', /^command=\t/],
    ['call dbmanager config.set host=igor plugin=diskfree k', /^key=\t/],
    ['call manager plugin.status id=', /^$/],
    ['status --js', /^--json\tas JSON$/],
    ['status ', /^--json\t/],
    ['--log-level=de', /^--log-level=debug$/],
    ['logs --level wa', /^warn$/],
    ['logs ', /^house\nbroker\ndbmanager\npackagemanager\nmanager$/],
    ['run br', /^broker$/],
    ['run ./', /^:folders$/],
    ['run plug', /^:folders$/],
    ['run velbus', /^velbus-simulator$/],
    ['plugin install disk', /^diskfree$/],
    ['plugin install ./', /^:files$/],
    ['config edit diskfree --from ', /^:files$/],
    ['config rev', /^revert\t/],
    ['config history diskfree --rev', /^--reveal\t/],
    ['plugin create ', /^$/],
    ['completion ', /^bash\nzsh\nfish$/],
    ['plugin start ', /^$/],
    ['nothing-like-it ', /^[^:]*$/],
  ])('"domus %s" is completed by the grammar and the contracts', async (line, expected) => {
    expect((await complete(program, ['--home', home, ...line.split(' ')])).join('\n')).toMatch(expected);
  });

  it('never offers itself', async () => {
    expect((await complete(program, ['compl'])).map((found) => found.split('\t')[0])).toEqual(['completion']);
  });
});
