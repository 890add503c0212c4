// npm's libraries have no types of their own; these are the parts that are used here.
declare module '@npmcli/arborist' {
  interface ArboristOptions {
    readonly path: string;
    readonly cache: string;
    readonly registry?: string;
    readonly ignoreScripts: boolean;
    /** Do not run a `.npm-extension` file of the package. */
    readonly ignoreExtension: boolean;
    readonly allowGit: 'all' | 'root' | 'none';
    readonly legacyPeerDeps: boolean;
    readonly audit: boolean;
    readonly fund: boolean;
    readonly fetchRetries: number;
    readonly fetchRetryFactor: number;
    /** Milliseconds, as `fetchTimeout`. */
    readonly fetchRetryMintimeout: number;
    readonly fetchTimeout: number;
  }
  class Arborist {
    constructor(options: ArboristOptions);
    reify(options: { readonly omit: readonly string[]; readonly save: boolean; readonly audit: boolean }): Promise<unknown>;
  }
  export = Arborist;
}

declare module 'pacote' {
  interface PacoteOptions {
    readonly cache: string;
    readonly registry?: string;
    readonly ignoreScripts: boolean;
    readonly allowGit: 'all' | 'root' | 'none';
    /** Ask the registry whether what is cached is still so. */
    readonly preferOnline?: boolean;
    readonly resolved?: string;
    readonly integrity?: string;
    readonly fetchRetries: number;
    readonly fetchRetryFactor: number;
    readonly fetchRetryMintimeout: number;
    readonly fetchTimeout: number;
  }
  interface PacoteManifest {
    readonly name: string;
    readonly version: string;
    readonly _resolved: string;
    readonly _integrity?: string;
  }
  const pacote: {
    /** What the registry tells of the version that fits best. */
    manifest(spec: string, options: PacoteOptions): Promise<PacoteManifest>;
    readonly tarball: { stream<T>(spec: string, handler: (stream: NodeJS.ReadableStream) => Promise<T>, options: PacoteOptions): Promise<T> };
  };
  export = pacote;
}

declare module 'npm-package-arg' {
  interface HostedGit {
    /** How it was written: `shortcut` for `github:user/repo`, otherwise a kind of address. */
    readonly default: string;
    https(options: HostedGitOptions): string;
    toString(options: HostedGitOptions): string;
  }
  interface HostedGitOptions {
    readonly noGitPlus: boolean;
    readonly noCommittish: boolean;
  }
  interface PackageArgument {
    readonly type: 'git' | 'tag' | 'version' | 'range' | 'file' | 'directory' | 'remote' | 'alias';
    readonly name?: string;
    readonly rawSpec: string;
    readonly fetchSpec: string | null;
    readonly hosted?: HostedGit;
    readonly gitCommittish?: string | null;
    readonly gitRange?: string;
    readonly gitSubdir?: string;
  }
  /** @throws Error for a name or tag that cannot be one */
  function npa(argument: string, where: string): PackageArgument;
  export = npa;
}
