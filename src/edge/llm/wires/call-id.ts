/** `c`, then four digits each: c00030000. Nine letters and digits suit the pickiest upstream. */
export function callId(first: number, index: number): string {
  return `c${String(first).padStart(4, '0')}${String(index).padStart(4, '0')}`;
}
