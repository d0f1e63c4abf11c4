/** What a poll costs that finds nothing new: counted, for most polls are such. */
import { expect, it } from 'vitest';
import { memoryStore } from '../../lib/store/memory.ts';
import { generatedMail } from '../servers/scripted.ts';
import { counted } from '../store/counted.ts';
import { World } from './world.ts';

it('asks the server a handful of questions and the store one, however much mail there is', async () => {
  for (const count of [3, 300]) {
    const { store, requests } = counted(memoryStore('bucket'));
    const messages = Array.from({ length: count }, (_, at) => generatedMail(`m${at}`, 300));
    const world = new World({ store, messages });
    expect((await world.run()).counts.stored).toBe(count);
    requests.length = 0;
    const { outcome } = await world.run();
    expect(outcome).toBe('done');
    const commands = world.server.log.sessions.at(-1)?.commands.map((line) => line.split(' ')[0]);
    console.log(`idle poll of ${count} messages: ${commands?.join(' ')}; store: ${requests.join(' ')}`);
    expect(commands).toEqual(['CAPA', 'USER', 'PASS', 'CAPA', 'UIDL', 'LIST', 'QUIT']);
    expect(requests).toEqual(['read']);
  }
});
