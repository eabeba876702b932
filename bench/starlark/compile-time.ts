/** How long 1,000 lines take from text to closures. */
import { compileProgram, Thread } from '../../src/sandbox/starlark/index.ts';

/** 1,000 lines as scripts have them: functions with loops, calls, dicts, formatting and comprehensions. */
function thousandLines(): string {
  const block = (i: number): string => `def step_${i}(items, limit = ${i}):
    """Counts what is worth counting."""
    counts = {"total": 0, "kept": [], "names": {}}
    for index, item in enumerate(items):
        if item["score"] > limit and item.get("name"):
            counts["total"] += item["score"] * 2 - ${i}
            counts["kept"].append("%s:%d" % (item["name"], index))
        elif index % 7 == 3 or not item:
            continue
    counts["names"] = {k: len(v) for k, v in counts["names"].items() if k.startswith("a")}
    rows = [r.upper().strip() for r in counts["kept"] if r not in ("x", "y")]
    text = ", ".join(sorted(rows, key = lambda r: (len(r), r), reverse = True))
    # A comment of the usual length, for there always are some.
    head, tail = text[:${i + 1}], text[${i + 1}:]
    if head == tail:
        return None
    return {"head": head, "tail": tail, "n": counts["total"] // 3, "ok": True}

result_${i} = [1, 2.5, "three", (4, 5)]
`;
  return Array.from({ length: 50 }, (_, i) => block(i))
    .join('\n')
    .split('\n')
    .slice(0, 1000)
    .join('\n');
}

/** Milliseconds the first time, in a machine that has compiled nothing yet, and the median afterwards. */
export function compileTime(): { readonly first: number; readonly later: number } {
  const text = thousandLines();
  const times: number[] = [];
  for (let i = 0; i < 15; i += 1) {
    const begin = performance.now();
    compileProgram(text).run(new Thread());
    times.push(performance.now() - begin);
  }
  return { first: times[0] ?? 0, later: times.slice(1).toSorted((a, b) => a - b)[7] ?? 0 };
}
