/** Loaded into a process before the command: writes its peak of resident memory, in bytes, to PEAK_FILE at its end. */
import { readFileSync, writeFileSync } from 'node:fs';

// Not resourceUsage().maxRSS: it holds what the process that forked this one had, too.
process.on('exit', () => {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  writeFileSync(process.env['PEAK_FILE'] ?? '/dev/null', String(Number(kib) * 1024));
});
