// Loaded before dbmanager, in each of its threads: its database does not wait for the disk any more. The tests that
// watch replies and syncs must name it.
import Sqlite from 'better-sqlite3';

type Pragma = (this: Sqlite.Database, source: string, options?: Sqlite.PragmaOptions) => unknown;
const pragma: Pragma = Reflect.get<Sqlite.Database, 'pragma'>(Sqlite.prototype, 'pragma');
const careless = process.env['DOMUS_TEST_SYNCHRONOUS'] ?? 'OFF';
Sqlite.prototype.pragma = function (source, options) {
  return pragma.call(this, source.replace('synchronous = FULL', `synchronous = ${careless}`), options);
};
