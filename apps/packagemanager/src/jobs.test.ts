import { ActionFailure, job as jobSchema } from '@majordomus/contracts';
import { createLog, silentLog } from '@majordomus/runtime';
import { describe, expect, it } from 'vitest';
import { Jobs, type JobContext } from './jobs.ts';

const never = new AbortController().signal;
const long = 3_600_000;
const untilInterrupted = async ({ signal }: JobContext): Promise<void> => {
  const { promise, reject } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => reject(new ActionFailure('INTERRUPTED', 'stopped')));
  return promise;
};

describe('a job', () => {
  it('runs at once, and tells how far it is to whoever asks', async () => {
    await using jobs = disposable(new Jobs({ log: silentLog }));
    const { id, ...started } = jobs.start('/lamp', async (job) => {
      job.progress({ step: 'link', percent: 45, plugin: 'lamp', version: '1.0.0' });
      return untilInterrupted(job);
    });
    expect(started).toEqual({ state: 'running', source: '/lamp', step: 'link', percent: 45, plugin: 'lamp', version: '1.0.0' });
    expect(jobSchema.parse(jobs.get(id))).toEqual({ id, ...started });
  });

  it('that is done within the wait is told as done', async () => {
    const jobs = new Jobs({ log: silentLog });
    const { id } = jobs.start('/lamp', async ({ progress }) => progress({ step: 'switch', percent: 100 }));
    await expect(jobs.settled(id, long, never)).resolves.toEqual({ id, state: 'done', source: '/lamp', step: 'switch', percent: 100 });
  });

  it('that takes longer than the wait is told as running, and goes on', async () => {
    const end = Promise.withResolvers<void>();
    const jobs = new Jobs({ log: silentLog });
    const { id } = jobs.start('/lamp', () => end.promise);
    await expect(jobs.settled(id, 0, never)).resolves.toMatchObject({ state: 'running' });
    end.resolve();
    await expect(jobs.settled(id, long, never)).resolves.toMatchObject({ state: 'done', percent: 100 });
  });

  it('goes on when whoever waits has gone', async () => {
    await using jobs = disposable(new Jobs({ log: silentLog }));
    const { id } = jobs.start('/lamp', untilInterrupted);
    await expect(jobs.settled(id, long, AbortSignal.abort())).resolves.toMatchObject({ state: 'running' });
  });

  it('that fails is told with its code, reason and fields, at once and later', async () => {
    const jobs = new Jobs({ log: silentLog });
    const fields = { name: 'must be a name' };
    const { id } = jobs.start('/lamp', async () => Promise.reject(new ActionFailure('MANIFEST_INVALID', 'refused', { fields })));
    await expect(jobs.settled(id, long, never)).rejects.toMatchObject({ code: 'MANIFEST_INVALID', message: 'refused', details: { fields } });
    expect(jobSchema.parse(jobs.get(id))).toMatchObject({ state: 'failed', step: 'resolve', error: { code: 'MANIFEST_INVALID', reason: 'refused', fields } });
  });

  it('that fails in a way nobody thought of is INTERNAL, and the log has the error', async () => {
    const logged: unknown[] = [];
    const jobs = new Jobs({ log: createLog('packagemanager', 'error', true, (_text, entry) => logged.push(JSON.parse(entry))) });
    const { id } = jobs.start('/lamp', async () => Promise.reject(new TypeError('undefined is not a function')));
    await expect(jobs.settled(id, long, never)).rejects.toMatchObject({ code: 'INTERNAL', message: expect.not.stringContaining('undefined') as string });
    expect(logged).toMatchObject([{ job: id, err: { type: 'TypeError', message: 'undefined is not a function' } }]);
  });

  it('is unknown under any other id', () => {
    const jobs = new Jobs({ log: silentLog });
    expect(() => jobs.get('none')).toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }) as Error);
  });
});

describe('the jobs', () => {
  it('are forgotten oldest first when there are too many, and never while they run', async () => {
    await using jobs = disposable(new Jobs({ log: silentLog, remembered: 3 }));
    const running = jobs.start('/running', untilInterrupted).id;
    const ended: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const { id } = jobs.start(`/${count}`, async () => {});
      await jobs.settled(id, long, never);
      ended.push(id);
    }
    expect(jobs.get(running)).toMatchObject({ state: 'running' });
    for (const id of ended.slice(0, 3)) expect(() => jobs.get(id)).toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }) as Error);
    for (const id of ended.slice(3)) expect(jobs.get(id)).toMatchObject({ state: 'done' });
  });

  it('that are too many at once are refused, until one has ended', async () => {
    const end = Promise.withResolvers<void>();
    const jobs = new Jobs({ log: silentLog, atOnce: 2 });
    const { id } = jobs.start('/one', () => end.promise);
    jobs.start('/two', () => end.promise);
    expect(() => jobs.start('/three', async () => {})).toThrow(expect.objectContaining({ code: 'OVERLOADED' }) as Error);
    end.resolve();
    await jobs.settled(id, long, never);
    expect(() => jobs.start('/three', async () => {})).not.toThrow();
  });

  it('are interrupted by a stop, which ends when they have, and no other starts', async () => {
    const jobs = new Jobs({ log: silentLog });
    const { id } = jobs.start('/lamp', untilInterrupted);
    await jobs.stop();
    expect(jobs.get(id)).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } });
    expect(() => jobs.start('/heater', async () => {})).toThrow(expect.objectContaining({ code: 'STOPPING' }) as Error);
    await jobs.stop();
  });
});

function disposable(jobs: Jobs): Jobs & AsyncDisposable {
  return Object.assign(jobs, { [Symbol.asyncDispose]: () => jobs.stop() });
}
