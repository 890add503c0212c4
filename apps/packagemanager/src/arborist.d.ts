// @npmcli/arborist has no types of its own; these are the parts that are used here.
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
