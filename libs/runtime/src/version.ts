// The version of this Majordomus: what the packages' `engine` ranges are compared with.

export const majordomusVersion = '0.1.0';
