/** Makes or continues a filled database: `node bench/fill.ts 10000000 FOLDER`. `bench/audit.ts` measures it. */
import { join } from 'node:path';
import { openDatabase } from '../src/host/storage/index.ts';
import { fillAudit } from './fill-audit.ts';

const rows = Number(process.argv[2] ?? 1_000_000);
const folder = process.argv[3];
if (!Number.isSafeInteger(rows) || folder === undefined) throw new Error('usage: fill.ts ROWS FOLDER');
const database = openDatabase({ path: join(folder, 'openpact.db') });
// Nothing is lost here that could not be made again.
database.run('PRAGMA synchronous = OFF');
database.run('PRAGMA cache_size = -1000000');
const began = performance.now();
fillAudit(database, rows, (done) => {
  if (done % 500_000 === 0)
    console.log(`${done} entries after ${((performance.now() - began) / 1000).toFixed(0)} s`);
});
database.close();
