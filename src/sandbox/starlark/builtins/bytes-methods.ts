/** Methods of bytes. */
import { StarBytesView } from '../values/text-views.ts';
import { native, type Native } from '../values/native.ts';
import type { StarBytes } from '../values/objects.ts';

export const BYTES_METHODS: readonly Native[] = [
  native('elems()', (_t, self: StarBytes) => new StarBytesView(self)),
];
