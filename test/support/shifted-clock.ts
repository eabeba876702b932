/**
 * Loaded before the program (`--import`): its wall clock is off by so many milliseconds as stand in a file, read anew each
 * time. The clock that only goes forward stays as it is, as on a machine that slept, or whose time was set.
 */
import { readFileSync } from 'node:fs';

const file = process.env['SHIFTED_CLOCK'] ?? '';
const real = Date.now.bind(Date);
Date.now = () => real() + Number(readFileSync(file, 'utf8'));
