// What is wrong with a chapter, said with its file and line, so that an editor finds it.

export class ChapterError extends Error {
  readonly code = 'CHAPTER_WRONG';
  override readonly name = 'ChapterError';

  constructor(chapter: string, line: number, problem: string, options?: ErrorOptions) {
    super(`${chapter}:${line}: ${problem}`, options);
  }
}
