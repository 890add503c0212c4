// plugin.json as a file: read within a bound, parsed, and checked once, so that the rest can trust a Manifest. Whatever
// stands in it, the answer is a manifest or MANIFEST_INVALID with a reason for each field.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  fieldProblems, manifest as manifestSchema, pluginInstall, problemsText, refuse,
  type ActionFailure, type FieldProblems, type Manifest,
} from '@majordomus/contracts';
import { isSystemError, systemReason } from '@majordomus/runtime';
import semver from 'semver';
import { jsonErrorPosition } from './json-position.ts';

export const manifestFile = 'plugin.json';

/** A manifest is a page of text; more is a mistake or an attack. */
const maxBytes = 256 * 1024;
const maxDepth = 32;
const maxRangeLength = 256;
/** How many of the wrong fields are told of in the reason. */
const maxProblemsInReason = 5;

/**
 * Reads and checks the manifest in `folder`.
 * @throws ActionFailure MANIFEST_INVALID, with `fields`
 */
export async function readManifest(folder: string): Promise<Manifest> {
  return parseManifest(await readBounded(join(folder, manifestFile)));
}

/**
 * Checks what a plugin.json holds. Also what the schema cannot say: that the version and the range can be compared.
 * @throws ActionFailure MANIFEST_INVALID, with `fields`
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const checked = manifestSchema.safeParse(parseJson(decode(bytes)));
  if (!checked.success) throw manifestInvalid(fieldProblems(checked.error.issues, manifestFile));
  const { version, engine } = checked.data;
  const problems: Record<string, string> = {};
  if (semver.valid(version) === null) problems['version'] = 'is a version whose numbers are too large';
  if (engine.length > maxRangeLength || semver.validRange(engine) === null) {
    problems['engine'] = 'is not a range of versions such as ^0.1.0';
  }
  if (Object.keys(problems).length > 0) throw manifestInvalid(problems);
  return checked.data;
}

/** The failure for a manifest with these problems, by field; a problem of the whole file stands under its name. */
export function manifestInvalid(fields: FieldProblems): ActionFailure {
  const { [manifestFile]: ofFile, ...ofFields } = fields;
  const entries = Object.entries(ofFields);
  const told = ofFile ?? `is refused: ${problemsText(Object.fromEntries(entries.slice(0, maxProblemsInReason)))}`;
  const rest = entries.length > maxProblemsInReason ? `; and ${entries.length - maxProblemsInReason} more` : '';
  return refuse(pluginInstall, 'MANIFEST_INVALID', `${manifestFile} ${told}${rest}; correct it and install again`, { fields });
}

const wholeFile = (reason: string): ActionFailure => manifestInvalid({ [manifestFile]: reason });

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const buffer = new Uint8Array(maxBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw wholeFile('is missing; a plugin has one at the top of its folder');
    throw wholeFile(`cannot be read: ${systemReason(error)}`);
  }
}

function decode(bytes: Uint8Array): string {
  if (bytes.length === 0) throw wholeFile('is empty');
  if (bytes.length > maxBytes) throw wholeFile(`is larger than ${maxBytes / 1024} KiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wholeFile('is not UTF-8 text');
  }
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const where = jsonErrorPosition(text);
    throw wholeFile(`is not JSON${where === undefined ? '' : `, line ${where.line}, column ${where.column}`}`);
  }
  if (deeperThan(value, maxDepth)) throw wholeFile(`is nested more than ${maxDepth} levels deep`);
  return value;
}

/** Whether a value is nested too deep for a schema that checks it by recursion. */
function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((entry) => deeperThan(entry, levels - 1));
}
