import type { Target } from '../target.ts';
import { framing } from './framing.ts';
import { head } from './head.ts';
import { headerBlock } from './headerBlock.ts';
import { headers } from './headers.ts';
import { listing } from './listing.ts';
import { replies } from './replies.ts';
import { segments } from './segments.ts';
import { session } from './session.ts';
import { settings } from './settings.ts';
import { yaml } from './yaml.ts';

/** All that is fuzzed of the engine. */
export const TARGETS: readonly Target[] = [
  framing,
  replies,
  listing,
  session,
  headers,
  headerBlock,
  settings,
  yaml,
  head,
  segments,
];
