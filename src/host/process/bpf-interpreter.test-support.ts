/** Runs a seccomp filter as the kernel would, so that each rule can be tested for both architectures anywhere. */
import { answers, auditArchitecture } from './seccomp.ts';
import type { Architecture } from './syscalls.ts';

export type Answer = keyof typeof answers;

export interface Call {
  readonly architecture: Architecture | number;
  readonly number: number;
  readonly args?: readonly (number | bigint)[];
}

/** `visited` collects the positions that ran. */
export function decide(filter: Buffer, call: Call, visited?: Set<number>): Answer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  const { architecture } = call;
  data.writeUInt32LE(typeof architecture === 'number' ? architecture : auditArchitecture[architecture], 4);
  for (const [index, value] of (call.args ?? []).entries()) {
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index);
  }
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    visited?.add(at);
    const code = filter.readUInt16LE(at * 8);
    const yes = filter.readUInt8(at * 8 + 2);
    const no = filter.readUInt8(at * 8 + 3);
    const operand = filter.readUInt32LE(at * 8 + 4);
    switch (code) {
      case 0x20:
        accumulator = data.readUInt32LE(operand);
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x15:
        at += accumulator === operand ? yes : no;
        break;
      case 0x35:
        at += accumulator >= operand ? yes : no;
        break;
      case 0x45:
        at += (accumulator & operand) === 0 ? no : yes;
        break;
      case 0x06: {
        const found = (Object.keys(answers) as Answer[]).find((name) => answers[name] === operand);
        if (found === undefined) throw new Error(`answer ${operand.toString(16)} is unknown`);
        return found;
      }
      default:
        throw new Error(`opcode ${code.toString(16)} is unknown`);
    }
  }
  throw new Error('the filter ends without an answer');
}
