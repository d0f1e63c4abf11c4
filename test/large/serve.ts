/** A scripted server in a process of its own, so that its memory is not the command's: one message of argv[2] octets. */
import { generatedMail, startScripted } from '../servers/scripted.ts';

const server = await startScripted({ messages: [generatedMail('large', Number(process.argv[2]))] });
const { port, ca, user, password } = server;
console.log(JSON.stringify({ port, ca, user, password }));
process.stdin.on('end', () => void server.close()).resume();
