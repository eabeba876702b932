/**
 * An opaque string of the language as a rope: public text and references.
 *
 * Guarantees: it holds names, never a value; everything about it that a script can learn follows from its public text
 * and its references. It stays within the limits that the broker enforces again.
 */
import { OpaqueString, StarlarkError, type Derivation, type TextPart } from '../starlark/index.ts';
import {
  nominalBytes,
  referenceName,
  referencesOf,
  renderRope,
  ROPE_LIMITS,
  type WireFunction,
  type WireNode,
  type WireRope,
} from '../wire/index.ts';

const FUNCTIONS: Readonly<Record<Exclude<Derivation, 'hmac-sha256'>, WireFunction>> = {
  base64: 'b64',
  base64url: 'b64url',
  sha256: 'sha256',
  url: 'url',
  json: 'json',
};

interface Shape {
  readonly nodes: number;
  readonly depth: number;
  readonly size: number;
}

export class RopeString extends OpaqueString {
  readonly rope: WireRope;
  readonly size: number;
  readonly #shape: Shape;

  private constructor(rope: WireRope, shape: Shape) {
    super();
    this.rope = rope;
    this.size = shape.size;
    this.#shape = shape;
  }

  /** One reference. */
  static of(id: string): RopeString {
    return RopeString.#single(['ref', id], { nodes: 1, depth: 0 });
  }

  /** What the broker sent: plain text when there is no reference in it. */
  static fromWire(rope: WireRope): TextPart {
    const parts = rope.map((node) => (typeof node === 'string' ? node : RopeString.#received(node)));
    return parts.every((part) => typeof part === 'string') ? parts.join('') : RopeString.join(parts);
  }

  static #received(node: Exclude<WireNode, string>): RopeString {
    if (node[0] !== 'ref') throw new TypeError('the broker sends text and references only');
    return RopeString.of(node[1]);
  }

  static #single(node: WireNode, shape: Omit<Shape, 'size'>): RopeString {
    return new RopeString([node], { ...shape, size: nominalBytes([node]) });
  }

  static join(parts: readonly TextPart[]): RopeString {
    let nodes = 0;
    let depth = 0;
    let size = 0;
    for (const part of parts) {
      nodes += typeof part === 'string' ? 1 : ropeOf(part).#shape.nodes;
      if (nodes > 2 * ROPE_LIMITS.nodes) throw tooMany();
      depth = Math.max(depth, typeof part === 'string' ? 0 : ropeOf(part).#shape.depth);
      size += typeof part === 'string' ? nominalBytes([part]) : part.size;
    }
    const rope: WireNode[] = [];
    for (const part of parts) {
      for (const node of typeof part === 'string' ? [part] : ropeOf(part).rope) {
        const last = rope.at(-1);
        if (typeof node === 'string' && typeof last === 'string') {
          rope[rope.length - 1] = last + node;
          nodes -= 1;
        } else rope.push(node);
      }
    }
    if (nodes > ROPE_LIMITS.nodes) throw tooMany();
    return new RopeString(rope, { nodes, depth, size });
  }

  get label(): string {
    const names = [...new Set([...referencesOf(this.rope)].map(referenceName))];
    if (names.length > 3) return `a text with ${names.length} secrets`;
    return names.length === 1 ? `secret ${names[0]}` : `the text with secrets ${names.join(' and ')}`;
  }

  marker(): string {
    return renderRope(this.rope);
  }

  concat(parts: readonly TextPart[]): OpaqueString {
    return parts.length === 1 && parts[0] instanceof RopeString ? parts[0] : RopeString.join(parts);
  }

  derive(kind: Derivation, operands: readonly TextPart[]): OpaqueString {
    const shapes = operands.map((part) =>
      typeof part === 'string' ? { nodes: 1, depth: 0 } : ropeOf(part).#shape,
    );
    const nodes = shapes.reduce((sum, shape) => sum + shape.nodes, 1);
    const depth = 1 + Math.max(...shapes.map((shape) => shape.depth));
    if (nodes > ROPE_LIMITS.nodes) throw tooMany();
    if (depth > ROPE_LIMITS.depth) {
      throw new StarlarkError(
        `functions of a secret can be nested ${ROPE_LIMITS.depth} deep, this is one more`,
        'secret_use',
      );
    }
    const [first = [], second = []] = operands.map((part): WireRope =>
      typeof part === 'string' ? [part] : ropeOf(part).rope,
    );
    const node: WireNode = kind === 'hmac-sha256' ? ['hmac', first, second] : [FUNCTIONS[kind], first];
    return RopeString.#single(node, { nodes, depth });
  }

  override parts(): readonly TextPart[] {
    return this.rope.map((node) =>
      typeof node === 'string' ? node : RopeString.#single(node, shapeOf(node)),
    );
  }

  override stripped(): TextPart {
    const rope = [...this.rope];
    const [first] = rope;
    if (typeof first === 'string') rope[0] = first.trimStart();
    const last = rope.at(-1);
    if (typeof last === 'string') rope[rope.length - 1] = last.trimEnd();
    const kept = rope.filter((node) => node !== '');
    return new RopeString(kept, { ...this.#shape, size: nominalBytes(kept) });
  }
}

function shapeOf(node: WireNode): Omit<Shape, 'size'> {
  if (typeof node === 'string' || node[0] === 'ref') return { nodes: 1, depth: 0 };
  const inner = [...node[1], ...(node[0] === 'hmac' ? node[2] : [])].map(shapeOf);
  return {
    nodes: inner.reduce((sum, shape) => sum + shape.nodes, 1),
    depth: 1 + inner.reduce((most, shape) => Math.max(most, shape.depth), 0),
  };
}

function ropeOf(part: OpaqueString): RopeString {
  if (part instanceof RopeString) return part;
  throw new TypeError('a rope can hold ropes only');
}

function tooMany(): StarlarkError {
  return new StarlarkError(
    `a text can hold secrets and functions of them in ${ROPE_LIMITS.nodes} pieces, this one has more`,
    'secret_use',
  );
}

/** A text of the script for the wire. */
export function toWire(part: TextPart): WireRope {
  if (typeof part !== 'string') return wellFormed(ropeOf(part).rope);
  return part === '' ? [] : [part.toWellFormed()];
}

function wellFormed(rope: WireRope): WireRope {
  return rope.map((node): WireNode => {
    if (typeof node === 'string') return node.toWellFormed();
    if (node[0] === 'ref') return node;
    if (node[0] === 'hmac') return ['hmac', wellFormed(node[1]), wellFormed(node[2])];
    return [node[0], wellFormed(node[1])];
  });
}
