import { billInWords } from './bill.ts';
import type { Measured } from './measure.ts';

const BEGIN = '<!-- made by npm run costs -- --keep -->';
const END = '<!-- as far as here -->';

/** docs/deploy.md with the tables that these figures come to; throws where its marks are gone. */
export function withTables(text: string, measured: Measured): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`docs/deploy.md has lost its marks: ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${billInWords(measured)}\n\n${text.slice(end)}`;
}
