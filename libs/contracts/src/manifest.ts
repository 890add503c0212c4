// plugin.json, the manifest: what a plugin is, what runs it, what it can be told and what it can do.
import { z } from 'zod';
import { configurationItems } from './configuration.ts';
import { componentName, pluginName } from './names.ts';

const description = z.string().min(1).max(1000);

/** A semantic version (semver.org 2.0.0), short enough to be the name of a folder. */
export const semanticVersion = z
  .string()
  .max(64, 'must be a version of 64 characters at most')
  .regex(
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/,
    'must be a version such as 1.2.3',
  )
  .describe('a version such as 1.2.3 (semver.org)');

/** A path inside the package: relative, and it never leaves the folder. */
const pathInside = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.includes('\\') && !path.includes('\0') && !path.split('/').includes('..'), {
    error: 'must be a path inside the package, without ".."',
  });

/** A command that helper calls can run, with its parameters. */
export const pluginCommand = z
  .strictObject({
    description: description.describe('what the command does'),
    parameters: configurationItems.default({}).describe('what it can be told, by name'),
  })
  .meta({ id: 'PluginCommand', description: 'A command of a plugin, run by `helper.do`.' });
export type PluginCommand = z.infer<typeof pluginCommand>;

/** Something that the plugin measures or watches. */
const pluginSensor = z
  .strictObject({
    description: description.describe('what is measured or watched'),
    type: z.enum(['string', 'integer', 'number', 'boolean', 'object']).describe('what kind of value it has'),
    unit: z.string().min(1).max(32).optional().describe('the unit of the value, such as `°C`'),
  })
  .meta({ id: 'PluginSensor', description: 'Something that a plugin measures or watches.' });

export const manifest = z
  .strictObject({
    $schema: z.string().optional().describe('for editors'),
    name: pluginName,
    version: semanticVersion,
    description: description.describe('what the plugin does, in a sentence'),
    engine: z.string().min(1).describe('the range of Majordomus versions it works with, such as `^0.1.0`'),
    main: pathInside.optional().describe('the file that Node runs'),
    exec: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('or the program and its arguments, run in the folder of the package; a first word that is a file of the package is that file'),
    configuration: configurationItems.default({}),
    commands: z.record(componentName, pluginCommand).default({}).describe('what it can be asked to do, by name'),
    sensors: z.record(componentName, pluginSensor).default({}).describe('what it measures or watches, by name'),
    memoryMb: z
      .number()
      .int('must be a whole number of MiB')
      .min(16, 'must be 16 MiB at least')
      .max(1_048_576, 'must be less than a TiB')
      .optional()
      .describe('how much memory it may hold with all that it starts, in MiB; past it, it is killed and started again. Without it the house has a limit for all, and a person may set another'),
    permissions: z.array(z.string().min(1)).default([]).describe('what it needs of the host, in words for a person; told by `package.detail`, and not enforced'),
  })
  .superRefine((value, context) => {
    if ((value.main === undefined) === (value.exec === undefined)) {
      context.addIssue({ code: 'custom', path: ['main'], message: 'needs either main or exec' });
    }
  })
  .meta({ id: 'Manifest', description: 'plugin.json: what a plugin is, what runs it, what it can be told and what it can do.' });

export type Manifest = z.infer<typeof manifest>;
/** A manifest as it is written in plugin.json, before defaults are filled in. */
export type ManifestSource = z.input<typeof manifest>;
