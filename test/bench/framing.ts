// Prints how fast bodies are framed, on one core: `node test/bench/framing.ts`. Asserts nothing.
import { BodyFraming } from '../../lib/pop3/framing.ts';

const LINE = `${'The quick brown fox jumps over the lazy dog, and the dog sleeps on. '.padEnd(76, 'x')}\r\n`;
const SHAPES: readonly { name: string; line: string }[] = [
  { name: 'ordinary lines of 76', line: LINE },
  { name: 'one stuffed dot in 100 lines', line: `${LINE.repeat(99)}.${LINE}` },
  { name: 'every line stuffed', line: `.${LINE}` },
  { name: 'nothing but lone dots', line: '..\r\n' },
  { name: 'one endless line', line: 'x'.repeat(78) },
];
const CHUNKS = [64 * 1024, 1024, 1];

for (const { name, line } of SHAPES) {
  for (const size of CHUNKS) {
    const total = size === 1 ? 8 << 20 : 256 << 20;
    const seconds = frame({ bytes: body(line, size), size, total });
    console.log(`${name}, chunks of ${size}: ${(total / seconds / 1e6).toFixed(0)} MB/s`);
  }
}

/** Whole lines in one buffer, a multiple of the chunk size long. */
function body(line: string, size: number): Buffer {
  const lines = Math.ceil((4 << 20) / line.length / size) * size;
  return Buffer.alloc(size === 1 ? 1 << 20 : lines * line.length, line, 'latin1');
}

function frame({ bytes, size, total }: { bytes: Buffer; size: number; total: number }): number {
  const framing = new BodyFraming();
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  const began = performance.now();
  let passed = 0;
  for (let taken = 0; taken < total; ) {
    for (const chunk of chunks) {
      passed += framing.push(chunk, 0).length;
      taken += chunk.length;
    }
  }
  if (passed === 0) throw new Error('nothing was framed');
  return (performance.now() - began) / 1000;
}
