/** A small assembler for classic BPF as seccomp uses it. Jumps go forward to a label, so nobody counts instructions. */

export type Statement =
  | { readonly op: 'load'; readonly offset: number }
  | { readonly op: 'and'; readonly mask: number }
  /** Goes to `yes` or `no` where given, else to the next statement. */
  | {
      readonly op: 'if-equal' | 'if-at-least' | 'if-any-bit';
      readonly value: number;
      readonly yes?: string;
      readonly no?: string;
    }
  | { readonly op: 'return'; readonly value: number }
  | { readonly op: 'label'; readonly name: string };

const opcodes = {
  load: 0x20,
  and: 0x54,
  'if-equal': 0x15,
  'if-at-least': 0x35,
  'if-any-bit': 0x45,
  return: 0x06,
} as const;

const instructionBytes = 8;
const longestProgram = 4096;

/** Gives `struct sock_filter[]`, little endian as on both architectures. */
export function assemble(statements: readonly Statement[]): Buffer {
  const positions = new Map<string, number>();
  let count = 0;
  for (const statement of statements) {
    if (statement.op === 'label') {
      if (positions.has(statement.name)) throw new Error(`label ${statement.name} stands twice`);
      positions.set(statement.name, count);
    } else count += 1;
  }
  if (count > longestProgram) throw new Error(`a filter of ${count} instructions is too long`);

  const program = Buffer.alloc(count * instructionBytes);
  let at = 0;
  const jump = (label: string | undefined): number => {
    if (label === undefined) return 0;
    const target = positions.get(label);
    if (target === undefined) throw new Error(`no label ${label}`);
    const distance = target - at - 1;
    if (distance < 0 || distance > 255) throw new Error(`label ${label} is out of reach (${distance})`);
    return distance;
  };
  for (const statement of statements) {
    if (statement.op === 'label') continue;
    let yes = 0;
    let no = 0;
    let operand: number;
    switch (statement.op) {
      case 'load':
        operand = statement.offset;
        break;
      case 'and':
        operand = statement.mask;
        break;
      case 'return':
        operand = statement.value;
        break;
      case 'if-equal':
      case 'if-at-least':
      case 'if-any-bit':
        operand = statement.value;
        yes = jump(statement.yes);
        no = jump(statement.no);
        break;
    }
    const byte = at * instructionBytes;
    program.writeUInt16LE(opcodes[statement.op], byte);
    program.writeUInt8(yes, byte + 2);
    program.writeUInt8(no, byte + 3);
    program.writeUInt32LE(operand >>> 0, byte + 4);
    at += 1;
  }
  return program;
}
