/** Names of attachments: what the sender gave, made fit for a file, or one made up where nothing fit is left. */
import libmime from 'libmime';

/** What the common file systems take. */
const MAX_OCTETS = 255;

/** A longer name is only cut. */
const MAX_RAW_CODE_POINTS = 1000;

/** Longer ones are no extensions, and would leave the name no room. */
const MAX_EXTENSION = 16;

/** Separators of paths and what some file system refuses; blanks that are none. */
const UNFIT = /[<>:"|?*\u2028\u2029]/g;

/** Controls, and what makes a name look otherwise than it is: `exe` for `gpj.exe`, or two that look the same. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu;

/** Of Windows, with any extension; blanks before it do not count. */
const DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[\d¹²³]|conin\$|conout\$) *(?:\.|$)/i;

/** `part`: its number, for the name of one without. */
export function fileName(given: string | null, type: string, part: string): string {
  const last = (given ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const fit = last.replace(UNSEEN, '').replace(UNFIT, '_').trim();
  const bare = trimmedDots(fit);
  if (bare === '') return madeUp(type, part);
  return shortened(DEVICE.test(bare) ? `_${bare}` : bare);
}

/** The name as it was given, except that a control is shown as U+FFFD: databases refuse NUL. */
export function rawName(given: string): string {
  const points = Array.from(given.slice(0, 2 * MAX_RAW_CODE_POINTS).toWellFormed());
  return points
    .slice(0, MAX_RAW_CODE_POINTS)
    .join('')
    .replace(/\p{Cc}/gu, '\ufffd');
}

/** A first dot hides a file, a last one is dropped by Windows. */
function trimmedDots(name: string): string {
  let [start, end] = [0, name.length];
  while (start < end && '. '.includes(name.charAt(start))) start += 1;
  while (end > start && '. '.includes(name.charAt(end - 1))) end -= 1;
  return name.slice(start, end);
}

/** QUIRK: forwarded messages come without a name, and a program that keys on it drops them. */
function madeUp(type: string, part: string): string {
  if (type === 'message/rfc822') return `message-${part}.eml`;
  const extension = libmime.detectExtension(type);
  return `part-${part}.${/^[a-z0-9]{1,16}$/.test(extension) ? extension : 'bin'}`;
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_OCTETS) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION ? name.slice(dot) : '';
  let [kept, octets] = ['', Buffer.byteLength(extension)];
  for (const point of name.slice(0, MAX_OCTETS)) {
    octets += Buffer.byteLength(point);
    if (octets > MAX_OCTETS) break;
    kept += point;
  }
  // Where it was cut, too, it may end in what Windows drops.
  return (extension === '' ? trimmedDots(kept) : kept + extension).toWellFormed();
}
