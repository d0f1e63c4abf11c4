import type { Trial } from './trial.ts';
import { isAsExpected } from './trials.ts';

const CELL_CHARACTERS = 240;

/** Markdown, so that it can be shown as it is. */
export function tableOf(trials: readonly Trial[]): string {
  const rows = trials.map((trial) => {
    const { mutant, outcome, by, seconds } = trial;
    const told = outcome === 'caught' ? by : `${outcome}: ${by}`;
    const cell = isAsExpected(trial) ? told : `**${told}**`;
    return [mutant.name, mutant.breaks, cell, seconds.toFixed(1)];
  });
  const head = [
    ['mutant', 'what it breaks', 'caught by', 'seconds'],
    ['---', '---', '---', '---:'],
  ];
  const right = trials.filter(isAsExpected).length;
  const lines = [...head, ...rows].map((cells) => `| ${cells.map(inCell).join(' | ')} |`);
  return [...lines, '', `${right} of ${trials.length} as they must be`].join('\n');
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ').slice(0, CELL_CHARACTERS);
}
