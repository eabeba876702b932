/**
 * The file child: `node main.ts ROOT`. Requests come in on fd 3, answers go out on fd 4. It is started by
 * `file-child.ts` behind a fence that lets it open nothing but ROOT, and holds no switch that turns its checks off.
 */
import { createJailedFiles } from './operations.ts';
import { serve } from './serve.ts';

const root = process.argv[2];
if (root === undefined || !root.startsWith('/')) throw new TypeError('usage: main ROOT (an absolute path)');
serve(createJailedFiles(root));
