// Whose value a value is.

export interface Owner {
  readonly host: string;
  readonly plugin: string;
}

export interface Place extends Owner {
  readonly key: string;
}
