// plugin.json, the manifest: what a plugin is, what runs it, what it can be told and what it can do.
import { z } from 'zod';
import { configurationItems } from './configuration.ts';
import { componentName, pluginName } from './names.ts';

const description = z.string().min(1).max(1000);

/** A semantic version (semver.org 2.0.0). */
export const semanticVersion = z
  .string()
  .regex(
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/,
    'is a version such as 1.2.3',
  );

/** A path inside the package: relative, and it never leaves the folder. */
const pathInside = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.includes('\\') && !path.includes('\0') && !path.split('/').includes('..'), {
    error: 'is a path inside the package, without ".."',
  });

/** A command that helper calls can run, with its parameters. */
export const pluginCommand = z.strictObject({ description, parameters: configurationItems.default({}) });
export type PluginCommand = z.infer<typeof pluginCommand>;

/** Something that the plugin measures or watches. */
export const pluginSensor = z.strictObject({
  description,
  type: z.enum(['string', 'integer', 'number', 'boolean', 'object']),
  unit: z.string().min(1).max(32).optional(),
});

export const manifest = z
  .strictObject({
    /** For editors. */
    $schema: z.string().optional(),
    name: pluginName,
    version: semanticVersion,
    description,
    /** The range of Majordomus versions it works with, e.g. `^0.1.0`. */
    engine: z.string().min(1),
    /** The file that Node runs. */
    main: pathInside.optional(),
    /** Or the program and its arguments, run in the package's folder; a first word that is a file of the package is that file. */
    exec: z.array(z.string().min(1)).min(1).optional(),
    configuration: configurationItems.default({}),
    commands: z.record(componentName, pluginCommand).default({}),
    sensors: z.record(componentName, pluginSensor).default({}),
    /** What it needs of the host, shown to the person who installs it. */
    permissions: z.array(z.string().min(1)).default([]),
  })
  .superRefine((value, context) => {
    if ((value.main === undefined) === (value.exec === undefined)) {
      context.addIssue({ code: 'custom', path: ['main'], message: 'needs either main or exec' });
    }
  });

export type Manifest = z.infer<typeof manifest>;
/** A manifest as it is written in plugin.json, before defaults are filled in. */
export type ManifestSource = z.input<typeof manifest>;
